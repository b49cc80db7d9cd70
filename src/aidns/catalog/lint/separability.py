"""What DNS cannot take apart is said in words."""

from __future__ import annotations

from collections.abc import Iterator

from aidns.catalog.lint.finding import Finding, service_path
from aidns.model import Catalog


def check(catalog: Catalog) -> Iterator[Finding]:
    """Yield services that are not wholly separable and do not say why, and services without any name or reason."""
    for service in catalog.services.values():
        path = service_path(service)
        if service.separable != "yes" and not service.separable_note:
            message = f"is separable = {service.separable} without a note"
            yield Finding(path, "separable", message, 'add separable_note = "what shares its names"')
        if service.separable == "yes" and not service.domains and service.status == "active":
            yield Finding(path, "domains", "has no names", 'add [[domains]], or separable = "no" with a note')
