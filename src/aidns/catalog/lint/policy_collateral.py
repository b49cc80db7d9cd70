"""No shipped policy blocks infrastructure of everybody, nor the names to which its aliases lead.

The proof is over block sets, exceptions and all, not over lists of names: whatever a policy selects, extends or names
itself. Exceptions with a last day count as ended, so that the proof holds on every day. A listed name that is or covers
a shared one is `shared-name`'s finding, and not repeated for each policy.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from msgspec.structs import replace

from aidns import names
from aidns.blockset import compile_selection, decide, nearest
from aidns.catalog.lint.finding import Finding
from aidns.catalog.lint.shared_names import caught
from aidns.errors import DataError, UsageError
from aidns.model import BlockSet, Catalog, Policy, Shared
from aidns.policy import client_scopes, expand, select

_TIP = "leave the rule out, or except the name"


def check(catalog: Catalog) -> Iterator[Finding]:
    """Yield the policies that block a shared name, or a name that shared names are usually aliases of."""
    protected = {name: entry for entry in catalog.shared for name in (entry.name, *entry.cname_targets)}
    small = _at_or_above(catalog, protected)
    for policy in catalog.policies.values():
        for blockset in _blocksets(small, policy):
            for name, shared in protected.items():
                if decide(blockset.owners, name):
                    yield Finding(
                        f"policies/{policy.id}.toml", _field(policy, blockset, name), _message(name, shared), _TIP
                    )


def _at_or_above(catalog: Catalog, protected: dict[str, Shared]) -> Catalog:
    """Return the part of the catalogue that can decide about the protected names: what is listed at or above one."""
    deciding: set[str] = {above for name in protected for above in (name, *names.ancestors(name))}
    found = caught(catalog)
    listed = tuple(entry for entry in catalog.names if entry.name in deciding and entry.name not in found)
    owners = {entry.service for entry in listed}
    return replace(catalog, names=listed, services={i: s for i, s in catalog.services.items() if i in owners})


def _blocksets(catalog: Catalog, policy: Policy) -> Iterator[BlockSet]:
    try:
        whole = expand(policy, catalog.policies)
        for scope in client_scopes(whole):
            yield compile_selection(select(catalog, whole, dt.date.max, scope), {})
    except (DataError, UsageError):
        return  # what is wrong with the policy itself, other rules say


def _field(policy: Policy, blockset: BlockSet, name: str) -> str:
    """Return where the policy's file says so."""
    owner = name if name in blockset.owners else nearest(blockset.owners, name)
    own = (f"block[{i}]" for i, block in enumerate(policy.block) if block.name == owner)
    return next(own, "select")


def _message(name: str, shared: Shared) -> str:
    what = name if name == shared.name else f"{name}, to which aliases of {shared.name} lead"
    return f"blocks shared infrastructure {what}: it breaks {shared.breaks}"
