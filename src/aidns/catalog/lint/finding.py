"""What a rule yields, and how rules walk the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from msgspec import Struct

from aidns.model import Catalog, Domain, Evidence, Fix, OwnedName, Service
from aidns.names import Name


class Finding(Struct, frozen=True):
    """One fault: the file's path in the catalogue, the field's path in the file, what is wrong, what to do.

    `fix` is the edit that does it, where no judgement is needed.
    """

    path: str
    field: str
    message: str
    tip: str = ""
    level: Literal["error", "warning"] = "error"
    fix: Fix | None = None


def service_path(service: Service) -> str:
    """Return the file of a service."""
    return f"services/{service.id}.toml"


def domains(catalog: Catalog) -> Iterator[tuple[Service, int, Domain]]:
    """Yield every domain as written, patterns not expanded, with its place in its file."""
    for service in catalog.services.values():
        for i, domain in enumerate(service.domains):
            yield service, i, domain


def evidence_lists(catalog: Catalog) -> Iterator[tuple[str, str, str, tuple[Evidence, ...]]]:
    """Yield (path, field, what it is about, evidence) of everything that must have evidence."""
    for service, i, domain in domains(catalog):
        yield service_path(service), f"domains[{i}]", domain.name, domain.evidence
    for i, shared in enumerate(catalog.shared):
        yield "shared.toml", f"shared[{i}]", shared.name, shared.evidence
    for i, parking in enumerate(catalog.parking):
        yield "parking.toml", f"parking[{i}]", parking.value, parking.evidence
    for key, table in catalog.regions.items():
        yield "regions.toml", key, key, table.evidence
    for place, lookalike in placed(catalog, "lookalikes"):
        yield *place, lookalike.name, lookalike.evidence
    for place, bypass in placed(catalog, "bypass"):
        yield *place, bypass.name, bypass.evidence


def dependency_evidence(catalog: Catalog) -> Iterator[tuple[str, str, str, tuple[Evidence, ...]]]:
    """Yield (path, field, what it is about, evidence) of what services need, which may go without."""
    for service in catalog.services.values():
        for i, dependency in enumerate(service.dependencies):
            yield service_path(service), f"dependencies[{i}]", dependency.name, dependency.evidence


def placed(catalog: Catalog, collection: str) -> Iterator[tuple[tuple[str, str], Any]]:
    """Yield ((path, field), entry) of `rejected`, `lookalikes` or `bypass`, whose entries lie in many files."""
    yield from zip(catalog.places[collection], getattr(catalog, collection), strict=True)


def listed(catalog: Catalog) -> Iterator[tuple[str, str, OwnedName]]:
    """Yield (path, field, name) of everything services and look-alikes list, patterns expanded; bypass names apart."""
    by_domain: dict[tuple[str, str], list[OwnedName]] = {}
    for entry in catalog.names:
        if not entry.lookalike and not entry.bypass:
            by_domain.setdefault((entry.service, entry.domain.name), []).append(entry)
    for service, i, domain in domains(catalog):
        for entry in by_domain.get((service.id, domain.name), ()):
            yield service_path(service), f"domains[{i}]", entry
    lookalikes = {entry.name: entry for entry in catalog.names if entry.lookalike}
    for (path, field), lookalike in placed(catalog, "lookalikes"):
        if lookalike.name in lookalikes:
            yield path, field, lookalikes[Name(lookalike.name)]
