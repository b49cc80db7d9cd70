"""A name that one list or one report alone vouches for is marked `confidence = "low"`."""

from __future__ import annotations

from collections.abc import Iterator

from aidns.catalog.lint.finding import Finding, domains, service_path
from aidns.model import Catalog, Fix

_HEARSAY = ("public-list", "press")


def check(catalog: Catalog) -> Iterator[Finding]:
    """Yield domains whose confidence does not fit their evidence."""
    for service, i, domain in domains(catalog):
        hearsay = bool(domain.evidence) and all(item.kind in _HEARSAY for item in domain.evidence)
        if hearsay and len(domain.evidence) == 1 and domain.confidence != "low":
            message = f"{domain.name}: one {domain.evidence[0].kind} entry is all its evidence"
            tip = 'write confidence = "low", or add stronger evidence'
            fix = Fix(f"domains[{i}].confidence", "low")
            yield Finding(service_path(service), f"domains[{i}]", message, tip, fix=fix)
