"""Infrastructure of everybody is neither listed nor covered by a listed subtree."""

from __future__ import annotations

from collections.abc import Container, Iterator

from aidns import names
from aidns.catalog.lint.finding import Finding, listed
from aidns.model import Catalog, OwnedName


def check(catalog: Catalog) -> Iterator[Finding]:
    """Yield listed names that equal a shared name or, as subtrees, lie above one."""
    shared = {entry.name: entry for entry in catalog.shared}
    above: dict[str, str] = {}
    for name in shared:
        for ancestor in names.ancestors(name):
            above.setdefault(ancestor, name)
    for i, entry in enumerate(catalog.shared):
        for field, name in (
            ("name", entry.name),
            *((f"cname_targets[{j}]", n) for j, n in enumerate(entry.cname_targets)),
        ):
            try:
                names.parse(name)
            except names.InvalidName as error:
                yield Finding("shared.toml", f"shared[{i}].{field}", error.message, error.tip)
    for path, field, owned in listed(catalog):
        if hit := _hit(owned, shared.keys(), above):
            breaks = shared[hit].breaks
            how = "is" if hit == owned.name else "covers"
            message = f"{owned.name} {how} shared infrastructure {hit}: it breaks {breaks}"
            yield Finding(
                path, f"{field}.name", message, "list the service's own names; cite this one under [[dependencies]]"
            )


def caught(catalog: Catalog) -> frozenset[str]:
    """Return the listed names that `check` objects to."""
    shared = {entry.name for entry in catalog.shared}
    above: dict[str, str] = {a: name for name in shared for a in names.ancestors(name)}
    return frozenset(entry.name for entry in catalog.names if not entry.bypass and _hit(entry, shared, above))


def _hit(owned: OwnedName, shared: Container[str], above: dict[str, str]) -> str:
    if owned.name in shared and not (owned.scope == "subtree" and owned.domain.covers_suffix):
        return owned.name
    if owned.scope == "subtree" and owned.name in above and not owned.domain.covers_suffix:
        return above[owned.name]
    return ""
