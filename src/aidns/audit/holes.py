"""Holes in response policy zones: names that a wildcard should catch and that pass, by the server that reads it. Pure.

RPZ is no suffix list. The closest existing name above a question decides which wildcard counts (RFC 4592 §3.3.1), so
every owner below a wildcard stops it for the names below that owner. BIND follows this for names that exist only
because something stands below them (empty non-terminals), too; they pass themselves. unbound takes the owner that
sorts last before the question, labels by length and then by octets, so that below an empty non-terminal those pass
that sort behind one of its children. PowerDNS Recursor and Knot Resolver 5 take the longest match and have no holes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Literal

from msgspec import Struct

from aidns.audit.finding import Fault, Findings
from aidns.audit.text import Text
from aidns.names import MAX_LABEL, MAX_NAME, ancestors

HoleKind = Literal["owner", "exception", "empty", "star"]
"""Why a wildcard stops: at a blocked owner without a wildcard of its own, at an exception without one, at a name that
exists because of what stands below it, or at one that has nothing but its own wildcard."""


class Hole(Struct, frozen=True):
    """A node of the zone at which the wildcard `*.above` stops, because `cause` is listed without or with a wildcard.

    `unbound` and `bind` are names that pass; "": none.
    """

    node: str
    above: str
    kind: HoleKind
    cause: str
    unbound: str
    bind: str


_CURE = "write each owner with its own wildcard, and drop names that a shorter rule covers"
FAULTS: dict[HoleKind, Fault] = {
    "owner": Fault(
        "rpz-hole-owner",
        "error",
        "a listed name stops the wildcard above it: everything below it passes",
        ("unbound: passes", "BIND: passes", "PowerDNS, Knot Resolver: blocked"),
        _CURE,
    ),
    "exception": Fault(
        "rpz-hole-exception",
        "warning",
        "an exception without a wildcard of its own frees everything below it, too, but not on every server",
        ("unbound: passes", "BIND: passes", "PowerDNS, Knot Resolver: blocked"),
        "say what holds below the exception with a wildcard record",
    ),
    "empty": Fault(
        "rpz-hole-empty",
        "error",
        "a name between a listed name and the wildcard above stops that wildcard",
        ("BIND: the name and everything below it passes", "unbound: names below it pass", "PowerDNS: blocked"),
        _CURE,
    ),
    "star": Fault(
        "rpz-hole-star",
        "error",
        "a wildcard below another stands without its own name, which therefore passes",
        ("BIND: passes", "unbound, PowerDNS, Knot Resolver: blocked"),
        "write the name beside its wildcard",
    ),
}


def check_holes(owners: Mapping[str, bool], text: Text, found: Findings) -> None:
    """Find the holes, each with a name that passes."""
    for hole in holes(owners):
        passes = hole.unbound or hole.bind
        found.add(
            FAULTS[hole.kind],
            hole.node,
            partial(text.line_of, hole.cause),
            f"such as {passes}, which *.{hole.above} should block",
        )


def holes(owners: Mapping[str, bool]) -> Iterator[Hole]:
    """Yield every hole of a zone. `owners` holds each owner, `x` or `*.x`, with whether it blocks."""
    wild = {owner[2:]: blocks for owner, blocks in owners.items() if owner.startswith("*.")}
    empty: dict[str, tuple[str, str, str]] = {}
    shadows: list[tuple[str, str]] = []
    stars: list[tuple[str, str]] = []
    for owner in owners:
        base: str = owner[2:] if owner.startswith("*.") else owner
        between: list[tuple[str, str]] = []
        below: str = base
        for above in map(str, ancestors(base)):
            if above in wild:
                break
            if above not in owners:
                between.append((above, below[: len(below) - len(above) - 1]))
            below = above
        else:
            continue
        if not wild[above]:
            continue
        empty.update((node, (child, above, base)) for node, child in between if node not in empty)
        if base is owner and base not in wild:
            shadows.append((base, above))
        if base is not owner and base not in owners:
            stars.append((base, above))
    taken = _Taken(owners, empty)
    for node, above in shadows:
        name = taken.fresh(node, "")
        if name:
            yield Hole(node, above, "owner" if owners[node] else "exception", node, name, name)
    for node, (child, above, cause) in empty.items():
        yield Hole(node, above, "empty", cause, taken.fresh(node, child), node)
    for node, above in stars:
        yield Hole(node, above, "star", node, "", node)


class _Taken:
    """The names that exist in a zone, below its wildcards."""

    def __init__(self, owners: Mapping[str, bool], empty: Mapping[str, object]) -> None:
        self._owners = owners
        self._empty = empty

    def fresh(self, node: str, child: str) -> str:
        """Return a name right below `node` that does not exist and sorts behind `child`; "" when there is none."""
        for length in range(min(len(child) + 1, MAX_LABEL), MAX_LABEL + 1):
            label = "z" * length
            name = f"{label}.{node}"
            if len(name) > MAX_NAME:
                return ""
            if label != child and not {name, f"*.{name}"} & self._owners.keys() and name not in self._empty:
                return name
        return ""
