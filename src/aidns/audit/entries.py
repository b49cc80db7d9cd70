"""What a list lists: sorted keys of its names, and lines that list nothing. Pure.

Keys are those of `lists.keys`, read with plain names as exact ones: a bare key is a plain or exact name, a mark tells
trees and exceptions apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial

from aidns import names
from aidns.audit.finding import Fault, Findings
from aidns.audit.text import Text, line_text
from aidns.lists.keys import MARK, Marking, key_of, name_of
from aidns.lists.line import Refusal, Syntax
from aidns.lists.parse import Parser
from aidns.lists.tally import Tally
from aidns.names import InvalidName, Name

TREES, BLOCKS = frozenset("SB"), frozenset(("", "E", "S", "B"))
"""Letters of what covers names below, and of what blocks; the empty one is a plain or exact name."""

BAD_NAME = Fault(
    "bad-name",
    "error",
    "a text is no name that can be asked for",
    ("Pi-hole, AdGuard Home: invalid or never matches", "dnsmasq, unbound: may not start"),
)
TOP_LEVEL = Fault(
    "single-label",
    "error",
    "a name has one label: a whole top-level domain, where it means its tree",
    ("dnscrypt-proxy, AdGuard Home, unbound, dnsmasq: may block a top-level domain", "Pi-hole: invalid"),
)
ADDRESS = Fault(
    "address-as-name", "warning", "an address stands where a name belongs", ("all: DNS asks for names alone",)
)
WILDCARD = Fault(
    "wildcard",
    "warning",
    "a star stands inside a name",
    ("Pi-hole: invalid", "unbound: a label like others", "others: differ"),
)
PATTERN = Fault("pattern", "warning", "a pattern, or a part of an address that DNS does not see", ("Pi-hole: invalid",))
NOT_UTF8 = Fault("not-utf-8", "error", "a line is not UTF-8", ("Pi-hole: invalid", "others: differ"))
FOREIGN = Fault("foreign-line", "error", "a line is not in the list's syntax", ("readers skip it, or refuse the list",))
_DIGITS = "all-digit"
_BY_REASON: tuple[tuple[str, Fault], ...] = (
    ("has one label only", TOP_LEVEL),
    ("is an IP address", ADDRESS),
    ("has a wildcard", WILDCARD),
    ("is not UTF-8", NOT_UTF8),
    ("has a modifier or is a pattern", PATTERN),
    ("does not end its name with ^", PATTERN),
    *(
        (text, BAD_NAME)
        for text in ("empty", "octets", "label is not made", _DIGITS, "internationalised", "ASCII", "trigger of")
    ),
)
_ELSEWHERE = (
    "gets an address of its own",
    "is forwarded to a server of its own",
    "is longer than any name needs",
    "is no address=/name/",
)
"""Reasons that other checks tell better."""
_TOLD = re.compile(r"#[@$%?]?#|\^\$|\A\.[a-zA-Z0-9-]+\^?\Z")

_LOCAL_ZONE = re.compile(rb"\n[ \t]*local-zone:[ \t]*\"?([^\"\s]*)\"?[ \t]+([a-z_]+)")
_LOCAL_DATA = re.compile(rb"\n[ \t]*local-data:[ \t]*[\"']([^\"'\s]+)[ \t]")
_PASSING = frozenset((b"transparent", b"typetransparent", b"always_transparent", b"inform", b"nodefault", b"noview"))


class _Refusals(Tally):
    """Turns what a parser refuses into findings."""

    def __init__(self, found: Findings) -> None:
        super().__init__()
        self._found = found

    def refuse(self, line: int, refusal: Refusal) -> None:
        """Find a refused line, unless another check does."""
        fault = _classify(refusal)
        if fault is not None:
            self._found.add(fault, refusal.text, line, refusal.reason)

    @property
    def is_full(self) -> bool:
        return False


def list_keys(syntax: Syntax, text: Text, found: Findings) -> list[str]:
    """Return the sorted keys of a list, repeats included; find the lines that list nothing."""
    parser = Parser(syntax, Marking(usual="exact", plain="exact"))
    parser.tally = _Refusals(found)
    keys: list[str] = []
    octets, at, end = text.octets, 1, len(text.octets)
    while at < end:
        stop = octets.rfind(b"\n", at, at + _BLOCK) + 1 or octets.find(b"\n", at) + 1
        keys += parser.keys(octets[at:stop])
        keys += parser.take_found()
        at = stop
    keys.sort()
    return keys


_BLOCK = 1 << 20


def parts(syntax: str, text: Text) -> tuple[Text, ...]:
    """Return a list in the parts in which a name may stand once each, every line at its own number.

    A hosts list gives a name an address of each family, dnsmasq's an address and a word that closes the other types.
    """
    marked = _PARTS.get(syntax)
    if marked is None or not (marked.search(text.octets) and (rest := marked.sub(b"\n", text.octets)).strip()):
        return (text,)
    others = re.compile(rb"\n(?!" + marked.pattern.removeprefix(rb"\n") + rb")[^\n]+")
    return Text(rest[1:]), Text(others.sub(b"\n", text.octets)[1:])


_PARTS = {"hosts": re.compile(rb"\n[0-9a-fA-F]*:[^\n]*"), "dnsmasq": re.compile(rb"\naddress=[^\n]*")}


def unbound_keys(text: Text, found: Findings) -> list[str]:
    """Return the sorted keys of unbound's local zones, and of names with data alone (unbound.conf(5)), with repeats."""
    keys: list[str] = []
    zones: set[Name] = set()
    for match in _LOCAL_ZONE.finditer(text.octets):
        if name := _owner(match, text, found):
            zones.add(name)
            keys.append(key_of(name, "s" if match[2] in _PASSING else "S"))
    data = {name for match in _LOCAL_DATA.finditer(text.octets) if (name := _owner(match, text, found))}
    keys += [key_of(name, "E") for name in data - zones]
    keys.sort()
    return keys


def _owner(match: re.Match[bytes], text: Text, found: Findings) -> Name | None:
    """Return the owner of a setting; None, and a finding, when it is no name."""
    owner = match[1].decode("utf-8", "replace")
    if owner == "." or owner.startswith("*"):
        return None  # the syntax rules tell
    try:
        return names.normalise(owner)
    except InvalidName as error:
        fault = _classify(Refusal(error.message, owner)) or BAD_NAME
        found.add(fault, line_text(text, match.start()), partial(text.line_at, match.start()))
        return None


def zone_keys(owners: Iterable[tuple[str, bool]]) -> list[str]:
    """Return the sorted keys of a policy zone's owners, each with whether it blocks; those that are no names left out.

    No repeats.
    """
    keys: list[str] = []
    for owner, blocks in owners:
        wild = owner.startswith("*.")
        base = owner[2:] if wild else owner
        if "*" not in base and "." in base:
            letter = ("B" if blocks else "b") if wild else ("" if blocks else "e")
            keys.append(key_of(Name(base), letter))
    keys.sort()
    return keys


def by_name(keys: Iterable[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield each bare key with the letters of its entries, from sorted keys; ancestors come first."""
    bare, letters = "", _BARE
    for key in keys:
        if key[-2:-1] == MARK:
            here, letter = key[:-2], _LETTER[key[-1]]
        else:
            here, letter = key, _BARE
        if here == bare:
            letters |= letter
            continue
        if bare:
            yield bare, letters
        bare, letters = here, letter
    if bare:
        yield bare, letters


_BARE = frozenset(("",))
_LETTER = {letter: frozenset(letter) for letter in "SEBseb"}


def shown_name(bare: str) -> Name:
    """Return the name of a bare key."""
    return name_of(bare)


def bare_name(key: str) -> Name:
    """Return the name of a key, with or without a mark."""
    return name_of(key.partition(MARK)[0])


def _classify(refusal: Refusal) -> Fault | None:
    if any(reason in refusal.reason for reason in _ELSEWHERE) or _TOLD.search(refusal.text):
        return None
    if "/" in refusal.text:
        return PATTERN
    return next((fault for reason, fault in _BY_REASON if reason in refusal.reason), FOREIGN)
