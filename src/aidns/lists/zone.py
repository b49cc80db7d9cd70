"""Response policy zones as lists: which owners block, which pass, what says something else. Pure.

A zone file (RFC 1035 §5.1) is read record by record: `x CNAME .` is the name x alone, `*.x` what lies below it
(RFC 4592). The zone's name comes from `$ORIGIN` or an absolute SOA owner; without either, owners are relative.
"""

from __future__ import annotations

import re

from aidns.lists.line import MAX_LINE, Item, Refusal, listed, shown
from aidns.lists.text import address_kind
from aidns.names import RPZ_TRIGGERS

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|;.*|[()]|[^\s;()"]+|"')
_TTL = re.compile(r"(?:\d+[smhdw]?)+\Z", re.IGNORECASE)
_CLASSES = ("in", "ch", "hs", "any")
_APEX_ONLY = ("soa", "ns", "txt", "dnskey", "rrsig", "nsec", "nsec3param", "zonemd", "cds", "cdnskey")
_BLOCKS = {".": True, "*.": True, "rpz-drop.": True, "rpz-passthru.": False}
"""CNAME target -> whether it blocks (draft-vixie-dnsop-dns-rpz §3)."""


class ZoneReader:
    """Reads a zone file line by line, keeping what carries over: zone, origin, open parentheses.

    A record that leaves its owner out may only be one of those that an apex holds.
    """

    def __init__(self) -> None:
        self.zone: str | None = None
        """The zone's name without its final dot, once known."""
        self.inner: str | None = ""
        """Where the origin lies below the zone's apex; None for the root and for an origin outside the zone."""
        self.origin: str | None = None
        """The origin as an absolute name without its final dot; None until one is set."""
        self._open: list[str] = []
        self._depth = 0

    @property
    def is_plain(self) -> bool:
        """Whether the next line begins a record whose owner is relative to the zone's apex."""
        return self._depth == 0 and self.inner == ""

    def __call__(self, line: str) -> tuple[Item, ...]:
        """Read one line; a record in parentheses is reported with the line that closes it."""
        tokens = [token for token in _TOKEN.findall(line) if not token.startswith(";")]
        if not self._depth:
            self._open = [""] if line[:1] in (" ", "\t") else []
        self._depth = max(0, self._depth + tokens.count("(") - tokens.count(")"))
        self._open += [token for token in tokens if token not in ("(", ")")]
        if self._depth and sum(map(len, self._open)) <= MAX_LINE:
            return ()
        if self._depth:
            self._depth = 0
            return (Refusal("never closes its parenthesis", shown(line)),)
        record, self._open = self._open, []
        return self._record(record, line) if any(record) else ()

    def _record(self, tokens: list[str], line: str) -> tuple[Item, ...]:
        owner, rest = tokens[0].lower(), [token.lower() for token in tokens[1:]]
        if owner.startswith("$"):
            return self._directive(owner, rest, line)
        for _ in range(2):  # a TTL and a class, in either order (RFC 1035 §5.1)
            if rest and (rest[0] in _CLASSES or _TTL.match(rest[0])):
                rest.pop(0)
        if not rest:
            return (Refusal("is no record", shown(line)),)
        if not owner:
            return () if rest[0] in _APEX_ONLY else (Refusal("leaves its owner out", shown(line)),)
        if rest[0] == "soa":
            self.zone = self._absolute(owner) or self.zone
            self._place()
        return self._rule(owner, rest[0], rest[1:])

    def _directive(self, word: str, tokens: list[str], line: str) -> tuple[Item, ...]:
        if word == "$ttl":
            return ()
        if word != "$origin" or len(tokens) != 1:
            return (Refusal("is a directive that no list needs", shown(line)),)
        name = tokens[0]
        if name.endswith("."):
            self.origin = name[:-1]
        elif self.origin is not None:
            self.origin = f"{name}.{self.origin}".rstrip(".")
        else:
            self.inner = f"{name}.{self.inner}".rstrip(".") if self.inner else name
            return ()
        self._place()
        return ()

    def _absolute(self, owner: str) -> str | None:
        """Return an owner as an absolute name without its final dot; None where no origin says."""
        if owner.endswith("."):
            return owner[:-1]
        if owner == "@" or self.origin is None:
            return self.origin
        return f"{owner}.{self.origin}".rstrip(".")

    def _place(self) -> None:
        """Work out where the origin lies in the zone."""
        if self.origin is None:
            return
        self.inner = "" if self.zone is None and self.origin else _below(self.origin, self.zone)

    def _rule(self, owner: str, rdtype: str, rdata: list[str]) -> tuple[Item, ...]:
        if (inside := self._inside(owner)) is None:
            reason = "is outside the zone" if self.zone is not None else "is absolute, and nothing names the zone"
            return (Refusal(reason, shown(owner)),)
        if not inside:
            return () if rdtype in _APEX_ONLY else (Refusal("is a rule for the zone's own name", shown(rdtype)),)
        if inside.rpartition(".")[2] in RPZ_TRIGGERS:
            return (Refusal("triggers on something other than the name asked for", shown(inside)),)
        blocks = _blocks(owner, rdtype, rdata)
        if blocks is None:
            return (Refusal("gets data of its own, which blocks nothing", shown(inside)),)
        wild = inside.startswith("*.")
        return listed(inside[2:] if wild else inside, "below" if wild else "exact", blocks=blocks)

    def _inside(self, owner: str) -> str | None:
        """Return an owner relative to the zone's apex, "" for the apex; None when it lies outside."""
        if owner.endswith("."):
            return _below(owner[:-1], self.zone)
        if self.inner is None:
            return _below(f"{'' if owner == '@' else owner}.{self.origin}".strip("."), self.zone)
        if owner == "@":
            return self.inner
        return f"{owner}.{self.inner}" if self.inner else owner


def _blocks(owner: str, rdtype: str, rdata: list[str]) -> bool | None:
    """Return whether a record blocks its owner; None when it does something else."""
    if len(rdata) != 1:
        return None
    if rdtype == "cname":
        # a CNAME to itself is how passthru was written at first
        return False if rdata[0] == f"{owner.removesuffix('.')}." else _BLOCKS.get(rdata[0])
    return True if rdtype in ("a", "aaaa") and address_kind(rdata[0]) == "null" else None


def _below(name: str, zone: str | None) -> str | None:
    """Return `name` relative to `zone`, "" for the zone itself; None when it lies outside or there is no zone."""
    if zone is None:
        return None
    if name == zone:
        return ""
    return name.removesuffix(f".{zone}") if name.endswith(f".{zone}") else None
