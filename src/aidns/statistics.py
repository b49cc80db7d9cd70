"""What the catalogue holds, counted: what `aidns list --stats` and docs/catalog.md show. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from msgspec import Struct

from aidns.listing import Listing, best_evidence
from aidns.model import Catalog, DataHandling, Fact, Provider


class Row(Struct, frozen=True):
    """One number: how many `of` (services, names …) of a group have a value; `share` of all of them, 0 to 1."""

    group: str
    value: str
    count: int
    of: str
    share: float


def statistics(catalog: Catalog) -> tuple[Row, ...]:
    """Return every count, grouped; within a group by number, or in the vocabulary's order where that is a rank."""
    return (*_totals(catalog), *_services(catalog), *_names(catalog), *_unknown(catalog), *_measures(catalog))


def listing(rows: Iterable[Row]) -> Listing:
    """Return the rows as a table for people and objects for programs."""
    given = tuple(rows)
    return Listing(
        header=("group", "value", "count", "of", "share"),
        rows=tuple((r.group, r.value, str(r.count), r.of, _percent(r.share)) for r in given),
        objects=tuple({key: getattr(r, key) for key in Row.__struct_fields__} for r in given),
    )


def _totals(catalog: Catalog) -> Iterator[Row]:
    listed = [entry for entry in catalog.names if not entry.lookalike and not entry.bypass]
    counts = {
        "services": len(catalog.services),
        "services with a name": len({entry.service for entry in listed}),
        "providers": len(catalog.providers),
        "names of services": len(listed),
        "names that services need": sum(len(service.dependencies) for service in catalog.services.values()),
        "look-alikes": len(catalog.lookalikes),
        "bypass names": len(catalog.bypass),
        "shared names": len(catalog.shared),
        "names left out": len(catalog.rejected),
        "measures": len(catalog.measures),
        "policies": len(catalog.policies),
    }
    for value, count in counts.items():
        yield Row("all", value, count, "entries", 1.0)


def _services(catalog: Catalog) -> Iterator[Row]:
    services = catalog.services.values()
    whole = len(services)
    words = Counter(word for service in services for word in service.categories)
    yield from _ranked("category", words, "services", whole, catalog.vocab.get("category", {}))
    yield from _common("registered in", _countries(catalog, "registered_in"), "services", whole)
    yield from _common("parent in", _countries(catalog, "parent_in"), "services", whole)
    for group in ("status", "separable"):
        words = Counter(getattr(service, group) for service in services)
        yield from _ranked(group, words, "services", whole, catalog.vocab.get(group, {}))


def _names(catalog: Catalog) -> Iterator[Row]:
    listed = [entry.domain for entry in catalog.names if not entry.lookalike and not entry.bypass]
    for group in ("role", "scope", "sharing", "confidence"):
        words = Counter(getattr(domain, group) for domain in listed)
        yield from _ranked(group, words, "names", len(listed), catalog.vocab.get(group, {}))
    kinds = Counter(best_evidence(catalog, domain.evidence) for domain in listed)
    yield from _ranked("strongest evidence", kinds, "names", len(listed), catalog.vocab.get("evidence", {}))


def _unknown(catalog: Catalog) -> Iterator[Row]:
    """Yield for how many services, or providers, a fact that policies select on is not known."""
    services = catalog.services.values()
    for key in DataHandling.__struct_fields__:
        unknown = sum(_is_unknown(getattr(service.data, key)) for service in services)
        yield Row("unknown", key, unknown, "services", _share(unknown, len(services)))
    for key in ("registered_in", "parent_in", "origin_in"):
        unknown = sum(_is_unknown(getattr(provider, key)) for provider in catalog.providers.values())
        yield Row("unknown", key, unknown, "providers", _share(unknown, len(catalog.providers)))


def _measures(catalog: Catalog) -> Iterator[Row]:
    measures = catalog.measures.values()
    for group, key, section in (("measure", "status", "measure_status"), ("measure", "strength", "strength")):
        words = Counter(getattr(measure, key) for measure in measures)
        yield from _ranked(f"{group} {key}", words, "measures", len(measures), catalog.vocab.get(section, {}))


# ------------------------------------------------------------------ counting


def _countries(catalog: Catalog, key: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for service in catalog.services.values():
        provider = catalog.providers.get(service.provider)
        counts.update(_current(provider, key))
    return counts


def _current(provider: Provider | None, key: str) -> tuple[str, ...]:
    facts: tuple[Fact, ...] = getattr(provider, key) if provider else ()
    return facts[0].value if facts else ("unknown",)


def _is_unknown(facts: tuple[Fact, ...]) -> bool:
    return not facts or "unknown" in facts[0].value


def _ranked(group: str, counts: Counter[str], of: str, whole: int, order: Iterable[str]) -> Iterator[Row]:
    for value in (*order, *sorted(counts.keys() - set(order))):
        if counts[value]:
            yield Row(group, value, counts[value], of, _share(counts[value], whole))


def _common(group: str, counts: Counter[str], of: str, whole: int) -> Iterator[Row]:
    for value, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        yield Row(group, value, count, of, _share(count, whole))


def _percent(share: float) -> str:
    return "<1%" if 0 < share < 0.005 else f"{share:.0%}"


def _share(count: int, whole: int) -> float:
    return round(count / whole, 3) if whole else 0.0
