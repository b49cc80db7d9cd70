"""No shipped policy blocks infrastructure of everybody, nor the names to which its aliases lead.

The proof is over block sets, exceptions and all, not over lists of names: whatever a policy selects, extends or names
itself. Exceptions with a last day count as ended, so that the proof holds on every day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from msgspec.structs import replace

from aidns import names
from aidns.blockset import compile_selection, decide
from aidns.catalog.lint.finding import Finding
from aidns.errors import DataError, UsageError
from aidns.model import BlockSet, Catalog, Policy, Shared
from aidns.policy import client_scopes, expand, select


def check(catalog: Catalog) -> Iterator[Finding]:
    """Yield the policies that block a shared name, or a name that shared names are usually aliases of."""
    protected = {name: entry for entry in catalog.shared for name in (entry.name, *entry.cname_targets)}
    small = _at_or_above(catalog, protected)
    for policy in catalog.policies.values():
        for blockset in _blocksets(small, policy):
            for name, shared in protected.items():
                if decide(blockset.owners, name):
                    yield _finding(policy, name, shared)


def _at_or_above(catalog: Catalog, protected: dict[str, Shared]) -> Catalog:
    """Return the part of the catalogue that can decide about the protected names: what is listed at or above one."""
    deciding = {above for name in protected for above in (name, *names.ancestors(name))}
    listed = tuple(entry for entry in catalog.names if entry.name in deciding)
    owners = {entry.service for entry in listed}
    return replace(catalog, names=listed, services={i: s for i, s in catalog.services.items() if i in owners})


def _blocksets(catalog: Catalog, policy: Policy) -> Iterator[BlockSet]:
    try:
        whole = expand(policy, catalog.policies)
        for scope in client_scopes(whole):
            yield compile_selection(select(catalog, whole, dt.date.max, scope), {})
    except (DataError, UsageError):
        return  # what is wrong with the policy itself, other rules say


def _finding(policy: Policy, name: str, shared: Shared) -> Finding:
    what = name if name == shared.name else f"{name}, to which aliases of {shared.name} lead"
    message = f"blocks shared infrastructure {what}: it breaks {shared.breaks}"
    return Finding(f"policies/{policy.id}.toml", "select", message, "leave the rule out, or except the name")
