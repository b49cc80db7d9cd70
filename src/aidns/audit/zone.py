"""Response policy zones, read for what is wrong with them (RFC 1035 §5.1, draft-vixie-dnsop-dns-rpz). Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aidns import names
from aidns.audit import zone_faults as faults
from aidns.audit.finding import Fault, Findings
from aidns.lists.line import MAX_LINE
from aidns.names import RPZ_TRIGGERS, InvalidName

MAX_OWNER = 250
"""Octets of owner plus zone name (measured with named-checkzone)."""

_RECORD = re.compile(
    r"([a-z0-9_.*@-]+)[ \t]+(?:(?:\d+[smhdw]?|in)[ \t]+){0,2}([a-z]+)[ \t]+([a-z0-9_.:*@-]+)[ \t]*(?:;.*)?\Z",
    re.IGNORECASE,
)
"""The usual record: owner, maybe TTL and class, type, one word of data."""
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|;.*|[()]|(?:\\.|[^\s;()"\\])(?:\\.|[^\s;()\\])*|["\\]')
_TTL = re.compile(r"(?:\d+[smhdw]?)+\Z", re.IGNORECASE)
_CLASSES = ("in", "ch", "hs")
_TYPES = frozenset(
    {"a", "aaaa", "cname", "txt", "mx", "srv", "https", "svcb", "ns", "soa", "ptr", "dname", "caa", "naptr", "rrsig"}
    | {"dnskey", "nsec", "nsec3", "nsec3param", "zonemd", "cds", "cdnskey", "ds", "tlsa", "sshfp", "hinfo", "spf"}
)
_ACTIONS = (".", "*.", "rpz-passthru.", "rpz-drop.", "rpz-tcp-only.")
_TRIGGERS = tuple(f".{top}" for top in RPZ_TRIGGERS)


class Zone:
    """A zone file, read line by line. `records` maps an owner relative to the zone to its records, in small letters."""

    def __init__(self, found: Findings, name: str = "") -> None:
        self.records: dict[str, str] = {}
        """Owner -> its records, one a line; triggers on other things than the name asked for included."""
        self.serial: int | None = None
        self.serial_line = 0
        self.soas = self.servers = 0
        self._found = found
        self._name = name
        self._origin: str | None = None
        self._last = ""
        self._tokens: list[str] = []
        self._depth = 0

    def read(self, lines: Sequence[str]) -> None:
        """Read the lines of a whole zone."""
        match = _RECORD.match
        for number, line in enumerate(lines, 1):
            if len(line) > MAX_LINE:
                continue  # found as such
            if not self._depth and (found := match(line)):
                owner, rdtype, rdata = found.groups()
                self._record(number, owner, rdtype.lower(), rdata.lower(), line)
            elif line:
                self._odd(number, line)
        if self._depth:
            self._found.add(faults.UNREADABLE, "a parenthesis is never closed", len(lines))
        if not self.soas:
            self._found.add(faults.NO_SOA, "", 0)
        if not self.servers:
            self._found.add(faults.NO_NS, "", 0)

    def blocking(self) -> dict[str, bool]:
        """Return each owner that triggers on the name asked for, with whether it blocks."""
        return {
            owner: said not in ("cname rpz-passthru.", "cname rpz-tcp-only.", f"cname {owner}.")
            for owner, said in self.records.items()
            if not owner.endswith(_TRIGGERS) and owner != "*"
        }

    def _odd(self, number: int, line: str) -> None:
        """Read a line that is not one usual record."""
        tokens = [token for token in _TOKEN.findall(line) if not token.startswith(";")]
        if not self._depth:
            if not tokens:
                return
            self._tokens = [""] if line[0] in " \t" else []
        self._depth = max(0, self._depth + tokens.count("(") - tokens.count(")"))
        self._tokens += [token for token in tokens if token not in ("(", ")")]
        if self._depth and len(self._tokens) < MAX_LINE:
            return
        self._depth = 0
        if self._tokens and self._tokens[0].startswith("$"):
            self._directive(number, [token.lower() for token in self._tokens], line)
        elif any(self._tokens):
            self._words(number, self._tokens, line)

    def _words(self, number: int, tokens: list[str], line: str) -> None:
        owner, rest = tokens[0], [token.lower() for token in tokens[1:]]
        while rest and (rest[0] in _CLASSES or _TTL.match(rest[0])):
            rest.pop(0)
        if len(rest) < 2 or rest[0] not in _TYPES or owner.startswith(("#", "//")):
            self._found.add(faults.UNREADABLE, line, number)
            return
        if not owner:
            if self._last not in ("@", ""):
                self._found.add(faults.LEADING_BLANK, line, number)
            owner = self._last
        self._record(number, owner, rest[0], " ".join(rest[1:]), line)

    def _directive(self, number: int, tokens: list[str], line: str) -> None:
        word = tokens[0]
        if word == "$ttl" and len(tokens) == 2:
            return
        if word == "$origin" and len(tokens) == 2:
            name = tokens[1]
            self._origin = name[:-1] if name.endswith(".") else f"{name}.{self._origin or self._name}".rstrip(".")
            self._name = self._name or self._origin
            return
        known = {"$include": faults.INCLUDE, "$generate": faults.GENERATE}
        self._found.add(known.get(word, faults.DIRECTIVE), line, number)

    def _record(self, number: int, owner: str, rdtype: str, rdata: str, line: str) -> None:
        """Take one record; `rdtype` and `rdata` are in small letters."""
        self._last = owner
        if rdtype not in _TYPES:
            self._found.add(faults.UNREADABLE, line, number)
            return
        if rdtype == "soa":
            self._soa(number, owner.lower(), rdata)
            return
        inside = self._inside(number, owner)
        if inside is None:
            return
        if not inside:
            self.servers += rdtype == "ns"
            if rdtype not in ("ns", "dnskey", "rrsig", "nsec", "nsec3param"):
                self._found.add(faults.APEX_DATA, line, number)
            return
        if (fault := _owner_fault(inside, len(self._name))) is not None:
            self._found.add(fault, owner, number)
            if fault not in (faults.INNER_STAR, faults.TOP_LEVEL):
                return
        self._keep(number, inside, rdtype, rdata)

    def _inside(self, number: int, owner: str) -> str | None:
        """Return an owner relative to the zone, "" for the apex; None when it lies outside, which is found."""
        lowered = owner.lower()
        if not lowered.endswith("."):
            below = self._name and self._origin and self._origin.removesuffix(self._name).rstrip(".")
            if lowered == "@":
                return below or ""
            return f"{lowered}.{below}" if below else lowered
        if not self._name or (lowered[:-1] != self._name and not lowered.endswith(f".{self._name}.")):
            self._found.add(faults.ABSOLUTE, owner, number)
            return None
        inside = lowered[:-1].removesuffix(self._name).removesuffix(".")
        if inside and self._origin is None:
            self._found.add(faults.INSIDE, owner, number)
        return inside

    def _soa(self, number: int, owner: str, rdata: str) -> None:
        self.soas += 1
        if self.soas > 1:
            self._found.add(faults.SECOND_SOA, owner, number)
            return
        if owner.endswith("."):
            self._name = self._name or owner[:-1]
        words = rdata.split()
        if len(words) != 7 or not words[2].isdecimal() or int(words[2]) >= 2**32:
            self._found.add(faults.BIG_SERIAL, words[2] if len(words) > 2 else rdata, number)
            return
        self.serial, self.serial_line = int(words[2]), number

    def _keep(self, number: int, owner: str, rdtype: str, rdata: str) -> None:
        said = f"{rdtype} {rdata}"
        if (fault := _data_fault(owner, rdtype, rdata)) is not None:
            self._found.add(fault, owner, number, said)
        before = self.records.setdefault(owner, said)
        if before is said:
            return
        others = before.split("\n")
        if said in others:
            self._found.add(faults.DUPLICATE, owner, number, said)
            return
        if rdtype == "cname" or others[0].startswith("cname "):
            self._found.add(faults.CONFLICT, owner, number, f"{others[0]}; {said}")
        if len(before) < MAX_LINE:
            self.records[owner] = f"{before}\n{said}"


def _owner_fault(owner: str, zone_length: int) -> Fault | None:
    """Return what is wrong with an owner relative to its zone."""
    if owner == "*":
        return faults.EVERYTHING
    base = owner.removeprefix("*.")
    try:
        names.parse(base)
    except InvalidName:
        return None if owner.endswith(_TRIGGERS) else _name_fault(base)
    return faults.TOO_LONG if zone_length and len(base) > MAX_OWNER - zone_length else None


def _name_fault(base: str) -> Fault | None:
    if not base.isascii():
        return faults.U_LABEL
    if "\\" in base:
        return faults.ESCAPE
    if any(char in base for char in '"();'):
        return faults.QUOTED
    labels = base.split(".")
    if "*" in labels:
        return faults.INNER_STAR
    if len(base) > names.MAX_NAME:
        return faults.TOO_LONG
    if any(not label or len(label) > names.MAX_LABEL for label in labels) or not _HOST.match(base):
        return faults.BAD_NAME
    return None if "." in base else faults.TOP_LEVEL  # an address, a hyphen at an edge: servers take them


_HOST = re.compile(r"[a-z0-9_.-]+\Z")


def _data_fault(owner: str, rdtype: str, rdata: str) -> Fault | None:
    """Return what is wrong with, or remarkable in, what an owner is answered with."""
    if rdtype in ("a", "aaaa"):
        if "_" in owner and not owner.endswith(_TRIGGERS):
            return faults.UNDERSCORE_ADDRESS
        return None if rdata in ("0.0.0.0", "::", "127.0.0.1", "::1") else faults.ANSWERED  # noqa: S104 - data
    if rdtype != "cname" or rdata in _ACTIONS or rdata == f"{owner}.":
        return None
    if rdata.startswith("rpz-") and rdata.count(".") <= 1:
        return faults.BOGUS_ACTION
    return faults.GARDEN_NAME if rdata.endswith(".") else faults.RELATIVE_TARGET
