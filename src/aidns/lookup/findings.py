"""What is known about a name besides whether it exists: facts for people, none of which removes a name. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Literal

from msgspec import Struct

from aidns import psl
from aidns.lookup.extras import wildcard_parent
from aidns.lookup.outcome import VALIDATED
from aidns.lookup.sites import page_mark
from aidns.lookup.spans import DAY, is_wildcard
from aidns.model import WEB, Catalog, Outcome, Parking, Span
from aidns.names import Name, ancestors, at_or_below

WINDOW_DAYS = 30
"""Age in days up to which an answer tells how things are."""
RECENT_SECONDS = DAY
"""Answers so close to the latest one belong to the same picture: resolvers see different addresses of one name."""
MANY = 20
"""Services at one address beyond which it is a network's front door, and no list of them helps."""

_BOGUS = re.compile(r"EDE (?:6|7|8|9|10|11|12)\b")
"""Extended errors that say that a zone's signatures are wrong (RFC 8914 §4.7 to §4.13)."""

Dnssec = Literal["signed", "unsigned", "bogus", "unknown"]


class Facts(Struct, frozen=True):
    """What the latest answers say about one name. `since` and the like are Unix seconds."""

    name: Name
    addresses: tuple[str, ...] = ()
    chain: tuple[str, ...] = ()
    """CNAME targets, in order."""
    services: tuple[str, ...] = ()
    """HTTPS and SVCB records."""
    zone: str = ""
    """The registrable domain."""
    name_servers: tuple[str, ...] = ()
    soa: tuple[str, ...] = ()
    """MNAME and RNAME of the zone's SOA."""
    dnssec: Dnssec = "unknown"
    """As a stub sees it: DS at the parent, and resolvers that report wrong signatures."""
    validated_by: tuple[str, ...] = ()
    """Resolvers that say they checked the signatures of its latest addresses."""
    wildcard: Literal["", "data", "nodata"] = ""
    """What a random name beside it (below it, if it is a registrable domain) brings, when it is not denied."""
    expired: bool = False
    """The registry denies the registrable domain."""
    shared: tuple[str, ...] = ()
    """Whose infrastructure its aliases and addresses are, besides its own."""
    moved: tuple[str, ...] = ()
    """Hosts outside the service's names to which its web site permanently redirects, in order."""
    moved_since: int = 0
    parked: str = ""
    """Which parking fingerprint its redirect leads to, or its page shows."""
    filtered_by: tuple[str, ...] = ()
    """Resolvers that answered with a filter of theirs the last time."""
    disputed: str = ""
    """Who says what, where resolvers disagreed on the last date whether the name exists."""


class Ownership:
    """Who owns a name: listed names by service, shared infrastructure by what it is."""

    def __init__(self, catalog: Catalog) -> None:
        self.services: dict[str, str] = {}
        self._exact: set[str] = set()
        self._shared: dict[str, str] = {}
        self._shared_exact: set[str] = set()
        self.tenants = {entry.name for entry in catalog.names if entry.domain.sharing == "tenant"}
        """One customer's names on a platform: what lies beside them is somebody else's."""
        self.providers = {service.id: service.provider for service in catalog.services.values()}
        for entry in catalog.names:
            self.services[entry.name] = entry.service
            if entry.scope == "exact":
                self._exact.add(entry.name)
        for shared in catalog.shared:
            self._shared[shared.name] = shared.what
            if shared.scope == "exact":
                self._shared_exact.add(shared.name)
            self._shared.update(dict.fromkeys(shared.cname_targets, shared.what))

    def service(self, name: str) -> str:
        """Return the service whose listed name covers `name`; empty for none."""
        return _covering(name, self.services, self._exact)

    def shared(self, name: str) -> str:
        """Return what the shared infrastructure is that covers `name`; empty for none."""
        return _covering(name, self._shared, self._shared_exact)

    def related(self, one: str, other: str) -> bool:
        """Tell whether two services are one, or of one provider."""
        return one == other or (one in self.providers and self.providers[one] == self.providers.get(other))


class Findings:
    """Facts about any name, from the whole history and the catalogue. `now` in Unix seconds."""

    def __init__(self, spans: Iterable[Span], catalog: Catalog, now: int, ownership: Ownership | None = None) -> None:
        self.owners = ownership or Ownership(catalog)
        self.parking = catalog.parking
        self._spans: dict[tuple[str, str], list[Span]] = defaultdict(list)
        self._denied_above: dict[str, int] = {}
        self._alive: dict[str, int] = {}
        self._tenants: dict[str, set[str]] = defaultdict(set)
        oldest = (now // DAY - WINDOW_DAYS) * DAY
        for span in spans:
            if oldest <= span.last:
                self._add(span)

    def _add(self, span: Span) -> None:
        self._spans[span.name, span.rdtype].append(span)
        if span.rdtype == WEB or is_wildcard(span.name):
            return
        for name in _existing(span):
            zone = psl.registrable_domain(name) or name
            self._alive[zone] = max(self._alive.get(zone, 0), span.last)
        zone = psl.registrable_domain(span.subject) or span.subject
        if span.outcome is Outcome.DENIED and span.data and _is_above(span.data[0], zone):
            self._denied_above[zone] = max(self._denied_above.get(zone, 0), span.last)
        if span.outcome is Outcome.DATA and span.rdtype in ("A", "AAAA") and (who := self.owners.service(span.name)):
            for address in span.data:
                self._tenants[address].add(who)

    def of(self, name: Name) -> Facts:
        """Return the facts about a name."""
        zone = psl.registrable_domain(name)
        addresses = self._recent(name, "A") + self._recent(name, "AAAA")
        chain = _latest(span for t in ("A", "AAAA") for span in self._at(name, t) if _existing(span)).chain
        moved = _latest(self._of_type(name, WEB))
        left = tuple(host for host in moved.chain if not self._is_own(name, host))
        soa = _latest(self._of_type(zone, "SOA")).data if zone else ()
        return Facts(
            name=name,
            addresses=tuple(sorted({item for span in addresses for item in span.data})),
            chain=chain,
            services=tuple(sorted({item for t in ("HTTPS", "SVCB") for s in self._recent(name, t) for item in s.data})),
            zone=zone or "",
            name_servers=_latest(self._of_type(zone, "NS")).data if zone else (),
            soa=tuple(soa[0].split()[:2]) if soa else (),
            dnssec=self._dnssec(name, zone),
            validated_by=tuple(sorted({span.resolver for span in addresses if span.detail == VALIDATED})),
            wildcard=self._wildcard(name),
            expired=zone is not None and self._denied_above.get(zone, 0) > self._alive.get(zone, 0),
            shared=tuple(dict.fromkeys(self._shared(name, chain, addresses))),
            moved=left,
            moved_since=moved.first if left else 0,
            parked=_parked(left, moved.data, self.parking),
            filtered_by=tuple(sorted({span.resolver for span in self._last_day(name) if _is_filtered(span)})),
            disputed=_dispute(self._last_day(name)),
        )

    def _of_type(self, name: str, rdtype: str) -> list[Span]:
        return [span for span in self._spans.get((name, rdtype), ()) if span.outcome is Outcome.DATA]

    def _recent(self, name: str, rdtype: str) -> list[Span]:
        spans = self._of_type(name, rdtype)
        latest = max((span.last for span in spans), default=0)
        return [span for span in spans if span.last > latest - RECENT_SECONDS]

    def _last_day(self, name: str) -> list[Span]:
        """Return the spans that hold the address question's last date on which there was a usable answer."""
        spans = [span for span in self._spans.get((name, "A"), ()) if _stand(span)]
        last = max((span.days[-1] for span in spans if span.days), default=-1)
        return [span for span in spans if last in span.days]

    def _dnssec(self, name: str, zone: str | None) -> Dnssec:
        if zone is None:
            return "unknown"
        asked = [span for n in dict.fromkeys((name, zone)) for t in ("A", "NS", "SOA", "DS") for span in self._at(n, t)]
        latest = _latest([span for span in asked if span.outcome in (Outcome.SERVFAIL, Outcome.DATA, Outcome.NODATA)])
        if latest.outcome is Outcome.SERVFAIL and _BOGUS.search(latest.detail):
            return "bogus"
        ds = _latest([span for span in self._at(zone, "DS") if span.outcome.proves_existence])
        return {Outcome.DATA: "signed", Outcome.NODATA: "unsigned"}.get(ds.outcome, "unknown")  # type: ignore[return-value]

    def _at(self, name: str, rdtype: str) -> list[Span]:
        return self._spans.get((name, rdtype), [])

    def _wildcard(self, name: Name) -> Literal["", "data", "nodata"]:
        """NODATA is no wildcard: signed zones with compact denial say so of every name (RFC 9824)."""
        parent = wildcard_parent(name)
        spans = self._at(f"*.{parent}", "A")
        last = max((span.days[-1] for span in spans if _stand(span) and span.days), default=-1)
        outcomes = {span.outcome for span in spans if last in span.days}
        if Outcome.DATA in outcomes:
            return "data"
        return "nodata" if Outcome.NODATA in outcomes and Outcome.DENIED not in outcomes else ""

    def _is_own(self, name: Name, host: str) -> bool:
        """Tell whether a host belongs to the service whose name it is, or to its registrable domain."""
        zone = name if name in self.owners.tenants else psl.registrable_domain(name) or name
        mine, other = self.owners.service(name), self.owners.service(host)
        return at_or_below(host, zone) or (bool(mine) and self.owners.related(mine, other))

    def _shared(self, name: Name, chain: Iterable[str], addresses: Iterable[Span]) -> Iterator[str]:
        mine = self.owners.service(name)
        for target in chain:
            if what := self.owners.shared(target):
                yield f"{target}: {what}"
            elif (owner := self.owners.service(target)) and not self.owners.related(mine, owner):
                yield f"{target}: listed by {owner}"
        for address in sorted({item for span in addresses for item in span.data}):
            tenants = self._tenants[address]
            if len(tenants) > MANY:
                yield f"{address}: an address of {len(tenants)} services"
            elif others := sorted(one for one in tenants if not self.owners.related(mine, one)):
                yield f"{address}: also an address of {', '.join(others[:3])}{', …' if len(others) > 3 else ''}"


FLAGS: Mapping[str, str] = {
    "expired": "the registry denies its domain: has it expired?",
    "moved": "its web site permanently redirects out of the service's names",
    "parked": "it is parked or for sale",
    "wildcard": "any name beside it answers, so that nobody can tell when this one is gone",
    "bogus": "its DNSSEC signatures are wrong: validating resolvers do not see it",
    "disputed": "resolvers disagree whether it exists",
}
"""Flag that facts raise -> what it means."""


def flags(facts: Facts) -> tuple[str, ...]:
    """Return what somebody should look at, words of FLAGS."""
    raised = {
        "expired": facts.expired,
        "moved": bool(facts.moved),
        "parked": bool(facts.parked),
        "wildcard": facts.wildcard == "data",
        "bogus": facts.dnssec == "bogus",
        "disputed": bool(facts.disputed),
    }
    return tuple(flag for flag in FLAGS if raised[flag])


_NOTHING = Span(Name("."), "", "", Outcome.BROKEN, Name("."), 0, 0, 0)


def _latest(spans: Iterable[Span]) -> Span:
    return max(spans, key=lambda span: (span.last, span.resolver, span.data, span.chain), default=_NOTHING)


def _covering(name: str, entries: Mapping[str, str], exact: set[str]) -> str:
    for above in (name, *ancestors(name)):
        if above in entries and (above == name or above not in exact):
            return entries[above]
    return ""


def _is_above(denying: str, zone: Name) -> bool:
    """Tell whether the zone that denies lies above a registrable domain: then the delegation is gone."""
    return denying == "." or (denying != zone and at_or_below(zone, denying))


def _parked(left: Iterable[str], seen: Collection[str], parking: Iterable[Parking]) -> str:
    """Return how a web site shows that its name is parked: by where it `left` to, or by what was `seen` there."""
    for mark in parking:
        if mark.match == "page" and page_mark(mark.value) in seen:
            return f"{mark.what} (its page shows it)"
        if mark.match in ("ns", "cname") and (host := next((h for h in left if at_or_below(h, mark.value)), "")):
            return f"{mark.what} (redirects to {host})"
    return ""


def _existing(span: Span) -> tuple[str, ...]:
    """Return the names that an answer shows to exist: not the last one of a denied chain (RFC 6604 §2)."""
    if span.outcome.proves_existence:
        return (span.name, *span.chain)
    return (span.name, *span.chain[:-1]) if span.outcome is Outcome.DENIED and span.chain else ()


def _is_filtered(span: Span) -> bool:
    return span.outcome is Outcome.FILTERED


def _stand(span: Span) -> str:
    """Return which side a usable answer takes on whether a name exists; empty for none."""
    if _existing(span):
        return "exists"
    return str(span.outcome) if span.outcome in (Outcome.DENIED, Outcome.FILTERED) else ""


def _dispute(spans: Iterable[Span]) -> str:
    sides: dict[str, set[str]] = defaultdict(set)
    for span in spans:
        sides[_stand(span)].add(span.resolver)
    if len(sides) < 2:
        return ""
    return "; ".join(f"{side} say {', '.join(sorted(who))}" for side, who in sorted(sides.items()))
