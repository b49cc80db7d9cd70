"""The tables that `aidns list` shows: each a header, rows of text, and the same as plain objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from aidns import names
from aidns.model import Catalog, Evidence, Fact, OwnedName
from aidns.render.formats import FORMATS


class Listing(Struct, frozen=True):
    """One table: `header` and `rows` for people, `objects` for programs."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    objects: tuple[dict[str, Any], ...]


def services(catalog: Catalog) -> Listing:
    """Every service with provider, categories, status and number of names."""
    counts: dict[str, int] = {}
    for entry in catalog.names:
        if not entry.lookalike and not entry.bypass:
            counts[entry.service] = counts.get(entry.service, 0) + 1
    objects = [
        {
            "id": s.id,
            "title": s.title,
            "provider": s.provider,
            "categories": s.categories,
            "status": s.status,
            "separable": s.separable,
            "homepage": s.homepage,
            "names": counts.get(s.id, 0),
        }
        for s in catalog.services.values()
    ]
    return _listing(objects, ("id", "title", "provider", "categories", "status", "names"))


def domains(catalog: Catalog) -> Listing:
    """Every listed name, region patterns expanded; look-alikes and bypass names are marked."""
    objects = [
        {
            "name": e.name,
            "scope": e.scope,
            "role": e.domain.role,
            "sharing": e.domain.sharing,
            "service": e.service,
            "kind": _kind(e),
            "confidence": e.domain.confidence,
            "breaks": e.domain.breaks,
            "evidence": best_evidence(catalog, e.domain.evidence),
            **({"lookalike": True} if e.lookalike else {}),
            **({"bypass": True} if e.bypass else {}),
        }
        for e in catalog.names
    ]
    return _listing(objects, ("name", "scope", "role", "sharing", "kind", "service", "confidence", "evidence"))


def evidence(catalog: Catalog) -> Listing:
    """Every listed name with its strongest evidence and the date of that copy, the weakest first.

    Weak is a low rank of the kind, then little evidence, then an old date or none.
    """
    found = [(strongest(catalog, e.domain.evidence), e) for e in catalog.names]
    found.sort(key=lambda pair: (_rank(catalog, pair[0]), len(pair[1].domain.evidence), _day(pair[0])))
    objects = [
        {
            "name": e.name,
            "service": e.service,
            "kind": _kind(e),
            "confidence": e.domain.confidence,
            "entries": len(e.domain.evidence),
            "evidence": item.kind if item else "none",
            "seen": str(item.seen) if item else "",
            "url": item.url if item else "",
        }
        for item, e in found
    ]
    return _listing(objects, ("name", "service", "kind", "confidence", "entries", "evidence", "seen"))


def rejected(catalog: Catalog) -> Listing:
    """Every name that was looked at and left out."""
    objects = [
        {"name": r.name, "scope": r.scope, "reason": r.reason, "note": r.note, "decided": r.decided}
        for r in sorted(catalog.rejected, key=lambda r: names.sort_key(r.name))
    ]
    return _listing(objects, ("name", "scope", "reason", "note"))


def providers(catalog: Catalog) -> Listing:
    """Every provider with the countries that policies select on."""
    objects = [
        {
            "id": p.id,
            "title": p.title,
            "registered_in": _current(p.registered_in),
            "parent_in": _current(p.parent_in),
            "origin_in": _current(p.origin_in),
            "affiliates": p.affiliates,
        }
        for p in catalog.providers.values()
    ]
    return _listing(objects, ("id", "title", "registered_in", "parent_in", "origin_in", "affiliates"))


def policies(catalog: Catalog) -> Listing:
    """Every shipped policy."""
    objects = [
        {
            "id": p.id,
            "title": p.title,
            "strength": p.strength,
            "action": p.action.default if p.action else "",
            "review_by": p.review_by,
            "measures": p.measures,
        }
        for p in catalog.policies.values()
    ]
    return _listing(objects, ("id", "title", "strength", "action", "review_by"))


def measures(catalog: Catalog) -> Listing:
    """Every measure: who restricted what, since when, and whether it holds."""
    objects = [
        {
            "id": m.id,
            "title": m.title,
            "who": m.who,
            "country": m.country,
            "target": m.target,
            "strength": m.strength,
            "status": m.status,
            "since": str(m.since),
            "until": m.until,
        }
        for m in catalog.measures.values()
    ]
    return _listing(objects, ("id", "country", "target", "strength", "status", "since"))


def formats(catalog: Catalog) -> Listing:
    """Every format with its file, its consumers and the answers it can give."""
    objects = [
        {
            "id": f.id,
            "title": f.title,
            "file": f.file_name,
            "actions": f.actions or ("server-defined",),
            "consumers": f.consumers,
            "covers": f.covers,
            "install": f.install,
        }
        for f in FORMATS.values()
    ]
    return _listing(objects, ("id", "title", "file", "actions"))


LISTINGS: dict[str, Callable[[Catalog], Listing]] = {
    listing.__name__: listing for listing in (services, domains, rejected, providers, policies, measures, formats)
}
"""What `aidns list` can show."""


def best_evidence(catalog: Catalog, evidence: tuple[Evidence, ...]) -> str:
    """Return the strongest kind among the evidence; vocab.toml holds the kinds in order of rank."""
    item = strongest(catalog, evidence)
    return item.kind if item else "none"


def strongest(catalog: Catalog, evidence: tuple[Evidence, ...]) -> Evidence | None:
    """Return the newest entry of the strongest kind among the evidence; None where there is none."""
    return min(evidence, key=lambda item: (-_rank(catalog, item), -_day(item)), default=None)


def _rank(catalog: Catalog, item: Evidence | None) -> int:
    """Return a number that is higher the stronger a kind is; 0 for what vocab.toml does not know."""
    ranks = list(catalog.vocab.get("evidence", {}))
    return len(ranks) - ranks.index(item.kind) if item and item.kind in ranks else 0


def _day(item: Evidence | None) -> int:
    return item.seen.date.toordinal() if item and item.seen.date else 0


def _kind(entry: OwnedName) -> str:
    return "lookalike" if entry.lookalike else "bypass" if entry.bypass else "service"


def _current(facts: tuple[Fact, ...]) -> tuple[str, ...]:
    return facts[0].value if facts else ("unknown",)


def _listing(objects: list[dict[str, Any]], header: tuple[str, ...]) -> Listing:
    return Listing(header, tuple(tuple(_cell(o[key]) for key in header) for o in objects), tuple(objects))


def _cell(value: Any) -> str:
    text = " ".join(value) if isinstance(value, tuple) else "" if value is None else str(value)
    return names.printable(text)
