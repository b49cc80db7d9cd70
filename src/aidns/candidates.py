"""Names that answers led to and nobody has judged yet: for curators, never rules by themselves. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from msgspec import Struct

from aidns import psl
from aidns.lookup.findings import Ownership
from aidns.model import WEB, Catalog, Outcome, Span
from aidns.names import InvalidName, Name, ancestors, parse

KINDS = {
    "sibling": "in a registrable domain of the service, below none of its listed names",
    "cname": "a listed name is an alias of it",
    "https": "an HTTPS or SVCB record of a listed name points to it",
    "redirect": "the web site of a listed name redirects to it",
}
"""How a name was met -> what that means."""


class Candidate(Struct, frozen=True):
    """A name to judge: how it was met (words of KINDS), through which listed names, and when (Unix seconds)."""

    name: Name
    kinds: tuple[str, ...]
    via: tuple[Name, ...]
    first: int
    last: int


class _Seen:
    def __init__(self) -> None:
        self.kinds: set[str] = set()
        self.via: set[Name] = set()
        self.first: int | None = None
        self.last = 0

    def add(self, kinds: set[str], span: Span) -> None:
        self.kinds |= kinds
        self.via.add(span.name)
        self.first = span.first if self.first is None else min(self.first, span.first)
        self.last = max(self.last, span.last)


def candidates(catalog: Catalog, spans: Collection[Span]) -> dict[str, tuple[Candidate, ...]]:
    """Return the names that answers about listed names led to, by the service these belong to; nothing sure is left in.

    Left out: what is listed or rejected, shared infrastructure, parking services, public suffixes, and what is no
    canonical name.
    """
    owners = Ownership(catalog)
    zones = _zones(catalog)
    judged = _Judged(catalog, owners)
    found: dict[str, dict[Name, _Seen]] = defaultdict(lambda: defaultdict(_Seen))
    for span in spans:
        service = owners.service(span.name)
        if not service or not span.outcome.proves_existence:
            continue
        for kind, text in _leads(span):
            name = _canonical(text)
            if name is not None and not judged.knows(name):
                sibling = psl.registrable_domain(name) in zones.get(service, ())
                found[service][name].add({kind, "sibling"} if sibling else {kind}, span)
    return {
        service: tuple(_candidate(name, seen) for name, seen in sorted(names.items(), key=lambda item: item[0]))
        for service, names in sorted(found.items())
    }


def _leads(span: Span) -> Iterator[tuple[str, str]]:
    """Yield where an answer leads, and how."""
    if span.rdtype == WEB:
        yield from (("redirect", host) for host in (*span.chain, *span.data))
        return
    yield from (("cname", target) for target in span.chain)
    if span.rdtype in ("HTTPS", "SVCB") and span.outcome is Outcome.DATA:
        for record in span.data:
            fields = record.split()
            if len(fields) > 1 and fields[1] != ".":
                yield "https", fields[1]


class _Judged:
    """What somebody has decided about already."""

    def __init__(self, catalog: Catalog, owners: Ownership) -> None:
        self._owners = owners
        self._rejected = {entry.name: entry.scope for entry in catalog.rejected}
        self._parking = {mark.value for mark in catalog.parking if mark.match in ("ns", "cname")}
        self._bypass = {entry.name for entry in catalog.bypass}

    def knows(self, name: Name) -> bool:
        """Tell whether nothing about a name is left to judge."""
        if (
            name in self._bypass
            or psl.is_public_suffix(name)
            or self._owners.service(name)
            or self._owners.shared(name)
        ):
            return True
        above = tuple(ancestors(name))
        if name in self._rejected or any(self._rejected.get(one) == "subtree" for one in above):
            return True
        return not self._parking.isdisjoint((name, *above))


def _zones(catalog: Catalog) -> Mapping[str, set[Name]]:
    """Return the registrable domains of which a service lists the whole or a part that is its alone."""
    zones: dict[str, set[Name]] = defaultdict(set)
    for entry in catalog.names:
        zone = psl.registrable_domain(entry.name)
        if zone is not None and entry.domain.sharing != "tenant":
            zones[entry.service].add(zone)
    return zones


def _candidate(name: Name, seen: _Seen) -> Candidate:
    kinds = tuple(kind for kind in KINDS if kind in seen.kinds)
    return Candidate(name, kinds, tuple(sorted(seen.via)), seen.first or 0, seen.last)


def _canonical(text: str) -> Name | None:
    try:
        return parse(text.rstrip("."))
    except InvalidName:
        return None
