"""A name that others use, too, says what breaks; one customer's name on a platform is exact."""

from __future__ import annotations

from collections.abc import Iterator

from aidns.catalog.lint.finding import Finding, domains, service_path
from aidns.model import Catalog, Fix


def check(catalog: Catalog) -> Iterator[Finding]:
    """Yield shared domains without `breaks`, and tenants that are no exact names."""
    for service, i, domain in domains(catalog):
        path = service_path(service)
        if domain.sharing != "exclusive" and not domain.breaks:
            message = f"{domain.name} is shared ({domain.sharing}) and does not say what breaks"
            yield Finding(path, f"domains[{i}].sharing", message, 'add breaks = "…"')
        if domain.sharing == "tenant" and domain.scope != "exact":
            message = f"{domain.name} is one tenant's name and no exact name"
            fix = Fix(f"domains[{i}].scope", "exact")
            yield Finding(path, f"domains[{i}].sharing", message, 'add scope = "exact"', fix=fix)
