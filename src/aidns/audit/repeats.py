"""Names that a list holds twice, needlessly, or on both sides. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

from aidns.audit.entries import BLOCKS, bare_name, by_name, shown_name
from aidns.audit.finding import Fault, Findings
from aidns.lists.keys import MARK, SEP

DUPLICATE = Fault(
    "duplicate",
    "warning",
    "a name is listed more than once",
    ("unbound: a warning, the last one counts", "others: waste"),
    "sort the list and drop repeats, whatever their letters' case",
)
REDUNDANT = Fault(
    "redundant",
    "warning",
    "a name is covered by a tree above it",
    ("all: waste", "in a policy zone made from the list: a hole"),
    "leave it out, or compile the list",
)
BOTH = Fault(
    "blocked-and-allowed",
    "warning",
    "a name is blocked and excepted at once",
    ("AdGuard Home, Pi-hole: the exception wins", "dnsmasq, unbound: one of them, by order"),
)


def check_duplicates(keys: Sequence[str], line_of: Callable[[str, int], int], found: Findings) -> None:
    """Find names that are listed more than once in the same way, in sorted keys."""
    for key in [key for key, following in pairwise(keys) if key == following]:
        name = bare_name(key)
        found.add(DUPLICATE, name, partial(line_of, name, 2))


def check_covered(keys: Sequence[str], line_of: Callable[[str], int], found: Findings) -> None:
    """Find names that a tree above or their own tree covers, and contradictions, in sorted keys."""
    if not any(MARK in key for key in keys):
        return  # names alone cover nothing
    trees: list[tuple[str, bool]] = []
    for bare, letters in by_name(keys):
        while trees and not bare.startswith(trees[-1][0]):
            trees.pop()
        blocks, passes = letters & BLOCKS, letters - BLOCKS
        if blocks and (trees or len(letters) > 1):
            _check_name(bare, blocks, passes, trees[-1] if trees else ("", False), line_of, found)
        if letters & _COVERING:
            trees.append((bare + SEP, not letters & {"s", "b"}))


def _check_name(
    bare: str,
    blocks: frozenset[str],
    passes: frozenset[str],
    above: tuple[str, bool],
    line_of: Callable[[str], int],
    found: Findings,
) -> None:
    """Judge one blocked name; `above` is the nearest tree above it and whether that blocks."""
    name = shown_name(bare)
    if ("S" in blocks and "s" in passes) or (blocks & {"", "E"} and passes & {"e", "s"}):
        found.add(BOTH, name, partial(line_of, name))
    if above[1] and not passes:
        found.add(REDUNDANT, name, partial(line_of, name), f"by {shown_name(above[0][:-1])}")
    elif "S" in blocks and len(blocks) > 1:
        found.add(REDUNDANT, name, partial(line_of, name), "by its own tree")


_COVERING = frozenset("SBsb")
