"""Losses that the loaded formats declare: to be expected, neither leaks nor over-blocks. Pure.

A format's own rendering says what it covers (its entries) and what it cannot say (its weakened rules). A loss is
declared only where both agree: the entries answer otherwise than the policy, and a weakened rule at or above the name
goes in that direction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct

from aidns import names
from aidns.model import BlockSet, Weakened
from aidns.render.base import choose_action
from aidns.render.formats import find

_ADDRESS_TYPES = ("A", "AAAA")


class Limits(Struct, frozen=True):
    """What the formats loaded together cover, and where they declare losses."""

    exact: Mapping[str, bool] = {}
    """Name -> whether the entry for this name alone blocks."""
    trees: Mapping[str, bool] = {}
    """Name -> whether the entry for this name and all below it blocks."""
    leaks: frozenset[str] = frozenset()
    over_blocks: frozenset[str] = frozenset()
    addresses_only: frozenset[str] = frozenset()
    """Names of which no other types than A and AAAA are answered."""


NONE = Limits()
"""No format was named: every difference counts."""


def limits(formats: Collection[str], blockset: BlockSet) -> Limits:
    """Return what files in these formats declare for a block set, loaded together.

    Raises UsageError for an unknown format, Inexpressible when a format cannot hold the policy at all.
    """
    exact: dict[str, bool] = {}
    trees: dict[str, bool] = {}
    weakened: list[Weakened] = []
    for fmt in map(find, formats):
        body = fmt.lower(blockset, choose_action(fmt, blockset), 0)
        weakened += body.weakened
        for entry in body.entries:
            verb, scope, name = entry.split(" ")
            if scope == "subtree":
                trees[name] = verb == "block"
            else:  # what lies below is answered the other way
                exact[name] = verb == "block"
                trees.setdefault(name, verb != "block")
    return Limits(
        exact=exact,
        trees=trees,
        leaks=_names(loss for loss in weakened if loss.direction == "leak" and loss.what != "types"),
        over_blocks=_names(loss for loss in weakened if loss.direction == "over-block"),
        addresses_only=_names(loss for loss in weakened if loss.what == "types"),
    )


def is_declared(limits: Limits, name: str, rdtype: str, blocked: bool) -> bool:
    """Tell whether the formats declare that they answer otherwise than the policy, which says `blocked`."""
    if blocked and rdtype not in _ADDRESS_TYPES and name in limits.addresses_only:
        return True
    weak = limits.leaks if blocked else limits.over_blocks
    return not weak.isdisjoint((name, *names.ancestors(name))) and _says(limits, name) != blocked


def _says(limits: Limits, name: str) -> bool:
    """Tell whether the nearest entry that covers the name blocks; without one it passes."""
    if name in limits.exact:
        return limits.exact[name]
    return next((limits.trees[owner] for owner in (name, *names.ancestors(name)) if owner in limits.trees), False)


def _names(losses: Iterable[Weakened]) -> frozenset[str]:
    return frozenset(name for loss in losses for name in loss.names)
