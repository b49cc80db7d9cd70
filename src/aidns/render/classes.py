"""Names that every format treats alike: by what is listed, and by what formats look at in a name. Pure.

Formats look at a leading `www.` (lists of exact names add it to trees) and at underscores (no host has one).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from msgspec import Struct

from aidns.lists.octets import cut, holding
from aidns.model import Answer, BlockSet, Weakened
from aidns.names import MAX_LABEL, Name
from aidns.render.base import Action, Body, Format, Row

Owners = Mapping[Name, Answer]
MakeSet = Callable[[Owners, tuple[Name, ...]], BlockSet]
"""Makes the block set of these minimal owners and known names, with the policy that all share."""

Kind = Literal["tree", "alone", "covered"]
"""Blocked with everything below; blocked alone; listed below a tree."""
TREE, ALONE = Answer(True, True), Answer(True, False)
_COUNTED = re.compile(r"(\d+) (.*)", re.DOTALL)


class Class(Struct, frozen=True):
    """What formats may look at in a name."""

    www: bool = False
    underscore: bool = False

    def stand_ins(self) -> tuple[Name, Name]:
        """Return two names of this class that have nothing else in common."""
        www = "www." if self.www else ""
        one, two = ("q_1.", "a.b_c.d-e.") if self.underscore else ("q1.", "a.bc.d-e.")
        return Name(f"{www}{one}mid.shape-one.example"), Name(f"{www}{two}mid.xn--2nd.shape2.test")


CLASSES = tuple(Class(www, underscore) for www in (False, True) for underscore in (False, True))


def split(block: bytes) -> dict[Class, bytes]:
    """Return the names of a block, each ended by a newline, by class, in their order."""
    if b"_" not in block and b"www." not in block:
        return {CLASSES[0]: block}
    text = b"\n" + block
    underscored = {*holding(text, b"_")}
    spans = sorted({*underscored, *(span for span in holding(text, b"www.") if text.startswith(b"www.", span[0]))})
    found: dict[Class, list[bytes]] = {}
    for span in spans:
        which = Class(text.startswith(b"www.", span[0]), span in underscored)
        found.setdefault(which, []).append(text[span[0] : span[1] + 1])
    parts = {CLASSES[0]: cut(text, spans)[1:]} | {which: b"".join(names) for which, names in found.items()}
    return {which: names for which, names in parts.items() if names}


def tally(block: bytes) -> Counter[Class]:
    """Return how many names of a block are of each class, without taking it apart as `split` does."""
    text = b"\n" + block
    underscored = [begin for begin, _ in holding(text, b"_")]
    both = sum(text.startswith(b"www.", begin) for begin in underscored)
    counts = Counter({Class(www=True, underscore=True): both, Class(underscore=True): len(underscored) - both})
    counts[Class(www=True)] = text.count(b"\nwww.") - both
    counts[CLASSES[0]] = block.count(b"\n") - counts.total()
    return counts


def class_of(name: str) -> Class:
    """Return the class of one name."""
    return Class(name.startswith("www."), "_" in name)


def long_name(length: int) -> Name:
    """Return a name of this many octets, 8 to 253."""
    rest = length - len(".example")
    labels = []
    while rest > 0:
        take = min(MAX_LABEL, rest) if rest != MAX_LABEL + 1 else MAX_LABEL - 1
        labels.append("l" * take)
        rest -= take + 1
    return Name(".".join([*labels, "example"]))


class Said(Struct, frozen=True):
    """What a format makes of some rules: rows, and how often it reports which loss and which note."""

    rows: tuple[Row, ...] = ()
    losses: Mapping[tuple[Any, Any, str], int] = {}
    """(what, direction, note) -> names concerned"""
    notes: Mapping[str, int] = {}
    """Note without the count in front -> that count, 0 for a note that counts nothing."""


def said(body: Body) -> Said:
    """Return what a body says."""
    losses: Counter[tuple[Any, Any, str]] = Counter()
    for one in body.weakened:
        losses[one.what, one.direction, one.note] += one.count
    return Said(body.rows, dict(losses), dict(_note(note) for note in body.notes))


def lower_one(fmt: Format, make: MakeSet, action: Action, zone_length: int, kind: Kind, name: Name) -> Said:
    """Return what a format makes of one name by itself.

    Raises Inexpressible for a name that it cannot take.
    """
    if kind != "covered":
        answer = TREE if kind == "tree" else ALONE
        return said(fmt.lower(make({name: answer}, (name,)), action, zone_length))
    top = Name(name.partition(".")[2])
    if name == f"www.{top}":  # a name that trees bring along: its class is that of other names
        top = Name(top.partition(".")[2])
    above = said(fmt.lower(make({top: TREE}, (top,)), action, zone_length))
    both = said(fmt.lower(make({top: TREE}, (top, name)), action, zone_length))
    return Said(
        tuple(row for row in both.rows if row not in above.rows),
        {loss: more for loss, count in both.losses.items() if (more := count - above.losses.get(loss, 0))},
        {note: more for note, count in both.notes.items() if (more := count - above.notes.get(note, 0))},
    )


def total(parts: Iterable[tuple[Said, int]]) -> tuple[tuple[Weakened, ...], tuple[str, ...]]:
    """Return the losses and notes of many names: each part comes with how many names say it."""
    losses: Counter[tuple[Any, Any, str]] = Counter()
    notes: Counter[str] = Counter()
    for part, times in parts:
        if times:
            losses.update({loss: count * times for loss, count in part.losses.items()})
            notes.update({note: count * times for note, count in part.notes.items()})
    weakened = tuple(Weakened(what, direction, count, note) for (what, direction, note), count in losses.items())
    return weakened, tuple(f"{count} {note}" if count else note for note, count in notes.items())


def _note(note: str) -> tuple[str, int]:
    counted = _COUNTED.fullmatch(note)
    return (counted[2], int(counted[1])) if counted else (note, 0)
