"""One list audited: every check that its syntax calls for, and one report. Pure."""

from __future__ import annotations

import re
from typing import Literal

from msgspec import Struct

from aidns.audit.answers import canary_fault, check_answers
from aidns.audit.collateral import Protected, check_collateral
from aidns.audit.entries import list_keys, parts, unbound_keys, zone_keys
from aidns.audit.finding import Fault, Finding, Findings
from aidns.audit.holes import check_holes
from aidns.audit.repeats import check_covered, check_duplicates
from aidns.audit.rules import check_lines
from aidns.audit.serial import check_serial, header_serial
from aidns.audit.text import Text, check_octets
from aidns.audit.zone import Zone
from aidns.errors import DataError, UsageError
from aidns.lists.line import SYNTAXES, chosen_syntax
from aidns.lists.sniff import SNIFFED, check_list, sniff
from aidns.model import Catalog
from aidns.names import CANARY_PARENT, Name, printable

AuditSyntax = Literal["domains", "hosts", "adblock", "dnsmasq", "rpz", "unbound"]
AUDITED: tuple[AuditSyntax, ...] = (*SYNTAXES, "unbound")
"""Syntaxes that can be audited: those that lists are read in, and unbound's local zones."""

EMPTY = Fault(
    "empty",
    "error",
    "the list holds no name",
    ("all: an empty list quietly ends all protection", "AdGuard Home: accepts it and empties its own"),
)
NO_LIST = Fault("no-list", "error", "the file is no list", ("Pi-hole: adds the names that a page mentions",))


_CANARY = re.compile(rb"\n[^\n#!;]*" + re.escape(CANARY_PARENT.encode()))
"""A line of a list of ours that has nothing else to say, such as one of no exceptions."""
_UNBOUND = re.compile(rb"\n[ \t]*local-(?:zone|data):")


class Report(Struct, frozen=True):
    """The audit of one list. `syntax` is None where the file is no list at all."""

    source: str
    syntax: AuditSyntax | None
    lines: int
    names: int
    """Names listed, exceptions and repeats included."""
    findings: tuple[Finding, ...]

    @property
    def clean(self) -> bool:
        """Whether there is nothing but notes."""
        return all(finding.severity == "note" for finding in self.findings)


class _Read(Struct, frozen=True):
    """A list, read: its text, its sorted keys, and what a zone file says beyond them."""

    text: Text
    keys: list[str]
    zone: Zone | None
    owners: dict[str, bool]
    """Of a policy zone: each owner that triggers on the name asked for, with whether it blocks."""
    serial: int | None


def audit(
    data: bytes,
    source: str,
    protected: Protected,
    *,
    syntax: AuditSyntax | None = None,
    zone: str = "",
    previous: bytes | None = None,
) -> Report:
    """Return everything that is wrong with a list.

    `syntax` None means: find out. `zone` is the name that a policy zone is loaded as, `previous` an older edition.
    """
    found = Findings()
    try:
        check_list(data[:SNIFFED], printable(source))
    except DataError as error:
        found.add(NO_LIST, error.message, 0)
        return Report(source, None, data.count(b"\n"), 0, found.found())
    syntax = syntax or sniff_syntax(data[:SNIFFED])
    text = Text(data)
    check_octets(data, text, found)
    read = _read(syntax, text, zone, found)
    check_lines(syntax, text, found)
    check_answers(syntax, text, found)
    if not read.keys and not read.owners and not _CANARY.search(text.octets):
        found.add(EMPTY, "", 0)
    if read.zone:
        check_holes(read.owners, text, found)
    else:
        for part in parts(syntax, text):
            keys = read.keys if part is text else _read(syntax, part, "", Findings()).keys
            check_duplicates(keys, part.line_of, found)
        check_covered(read.keys, text.line_of, found)
    records = read.zone.records if read.zone else {}
    check_collateral(read.keys, protected, lambda name: canary_fault(syntax, name, text, records), text.line_of, found)
    if previous is not None:
        old = _read(syntax, Text(previous), zone, Findings())
        line = read.zone.serial_line if read.zone else 0
        check_serial(read.serial, old.serial, line, changed=_said(read) != _said(old), found=found)
    return Report(source, syntax, text.octets.count(b"\n") - 1, len(read.keys), found.found())


def protected_names(catalog: Catalog) -> Protected:
    """Return the names that no list should block, with what breaks."""
    return Protected(
        shared={Name(shared.name): shared.breaks for shared in catalog.shared},
        canaries={Name(entry.name): entry.what for entry in catalog.bypass if entry.kind in ("canary", "relay")},
    )


def find_syntax(text: str) -> AuditSyntax:
    """Return the syntax of this id. Raises UsageError with those that exist."""
    for syntax in AUDITED:
        if syntax == text:
            return syntax
    raise UsageError(f"there is no list syntax {printable(text, 40)!r}", tip=f"known are {', '.join(AUDITED)}")


def sniff_syntax(head: bytes) -> AuditSyntax:
    """Return the syntax that the first lines are in."""
    return "unbound" if _UNBOUND.search(b"\n" + head) else sniff(head)


def _read(syntax: AuditSyntax, text: Text, zone_name: str, found: Findings) -> _Read:
    if syntax == "rpz":
        zone = Zone(found, zone_name.strip(".").lower())
        zone.read(text.octets[1:-1].decode("utf-8", "replace").split("\n"))
        owners = zone.blocking()
        return _Read(text, zone_keys(owners.items()), zone, owners, zone.serial)
    keys = unbound_keys(text, found) if syntax == "unbound" else list_keys(chosen_syntax(syntax), text, found)
    return _Read(text, keys, None, {}, header_serial(text.octets))


def _said(read: _Read) -> object:
    return read.zone.records if read.zone else read.keys
