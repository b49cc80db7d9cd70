"""What to ask a server, and what a policy says to each question. Pure.

For every owner name: itself, a fresh random child and a deeper one, the unlisted names between it and the listed tree
it lies in (an RPZ zone without closure has its holes there), and names that look alike but are not listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from msgspec import Struct

from aidns import names
from aidns.blockset import decide, nearest
from aidns.model import Answer, BlockSet
from aidns.names import MAX_LABEL, MAX_NAME, Name

Place = Literal["apex", "child", "deep child", "between", "known", "parent", "sibling", "look-alike", "alias"]
"""Where a question's name lies, seen from the rule that made us ask."""
RDTYPES = ("A", "AAAA", "HTTPS", "TXT")
ALIAS_RDTYPES = ("A", "AAAA", "HTTPS")
SUFFIX_PARENT = "example.net"
"""A blocker that compares substrings also hits `listed.name.example.net`; reserved by RFC 2606 §3."""
FRESH: tuple[Place, ...] = ("child", "deep child", "sibling")
"""Places whose names nobody has asked before: only a filter can deny them without a zone's SOA."""


class Question(Struct, frozen=True, gc=False):
    """One question, why it is asked, and what the policy says."""

    name: Name
    rdtype: str
    place: Place
    owner: Name
    """The listed name that made us ask."""
    blocked: bool
    """What the policy says to it."""
    tcp: bool = False

    @property
    def transport(self) -> Literal["tcp", "udp"]:
        return "tcp" if self.tcp else "udp"


class Plan(Struct, frozen=True):
    """What to ask about a block set, whatever server and format."""

    blockset: BlockSet
    nonce: str
    """A label that nobody has asked before."""
    questions: tuple[Question, ...]


def plan(blockset: BlockSet, nonce: str, aliases: Iterable[Name] = ()) -> Plan:
    """Return the plan for a block set; `aliases` are names outside the policy that must not lead into it."""
    return Plan(blockset, nonce, questions(blockset, nonce, aliases))


def questions(blockset: BlockSet, nonce: str, aliases: Iterable[Name] = ()) -> tuple[Question, ...]:
    """Return every question about a block set, each once, in the order of its owners."""
    found: dict[tuple[str, str, bool], Question] = {}
    for name, rdtypes, place, owner in _targets(blockset, nonce):
        blocked = decide(blockset.owners, name)
        if blocked and place in ("parent", "sibling", "look-alike"):
            continue  # listed by another rule, whose own questions cover it
        for rdtype in rdtypes:
            for tcp in (False, True) if place == "apex" and rdtype == "A" else (False,):
                found.setdefault((name, rdtype, tcp), Question(name, rdtype, place, owner, blocked, tcp))
    for name in aliases:
        for rdtype in ALIAS_RDTYPES:
            asked = Question(name, rdtype, "alias", name, decide(blockset.owners, name))
            found.setdefault((name, rdtype, False), asked)
    return tuple(found.values())


def _targets(blockset: BlockSet, nonce: str) -> Iterator[tuple[Name, tuple[str, ...], Place, Name]]:
    """Yield name, rdtypes, place and owner of everything worth asking that fits a DNS name."""
    for owner in blockset.owners:
        yield owner, RDTYPES, "apex", owner
        for name, rdtypes, place in _around(blockset.owners, owner, nonce):
            if len(name) <= MAX_NAME and len(name.partition(".")[0]) <= MAX_LABEL:
                yield Name(name), rdtypes, place, owner
    for name in blockset.known:
        above = nearest(blockset.owners, name)
        if name not in blockset.owners and above:
            yield name, ("A",), "known", above


def _around(owners: Mapping[Name, Answer], owner: Name, nonce: str) -> Iterator[tuple[str, tuple[str, ...], Place]]:
    yield f"{nonce}.{owner}", RDTYPES, "child"
    yield f"{nonce}.{nonce}.{owner}", ("A",), "deep child"
    above = nearest(owners, owner)
    for between in names.ancestors(owner):
        if above is None or between == above:
            break
        yield between, ("A",), "between"
        yield f"{nonce}.{between}", ("A",), "child"
    parent = owner.partition(".")[2]
    yield parent, ("A",), "parent"
    yield f"{nonce}.{parent}", ("A",), "sibling"
    yield f"x{owner}", ("A",), "look-alike"
    yield f"{owner}.{SUFFIX_PARENT}", ("A",), "look-alike"
