"""Look-alikes and bypass names stay apart from what services own."""

from __future__ import annotations

from collections.abc import Iterator

from aidns import names
from aidns.catalog.lint.finding import Finding, listed
from aidns.model import Catalog


def check(catalog: Catalog) -> Iterator[Finding]:
    """Yield look-alikes that lie below a name that a service owns: those are the service's own."""
    trees = {e.name for e in catalog.names if e.scope == "subtree" and not e.lookalike and not e.bypass}
    for path, field, entry in listed(catalog):
        if entry.lookalike and (above := next((a for a in names.ancestors(entry.name) if a in trees), None)):
            yield Finding(
                path, f"{field}.name", f"{entry.name} lies below {above}, which a service owns", "take it out"
            )
