"""How the names of one kind are written in one format: their shapes, found by stand-ins and checked by real names."""

from __future__ import annotations

from collections import Counter

from msgspec import Struct

from aidns.lists.sweep import Names
from aidns.model import Answer
from aidns.names import Name
from aidns.render.artefact import Sheet
from aidns.render.base import Action, Format, Inexpressible, Row, check_rows
from aidns.render.classes import (
    ALONE,
    CLASSES,
    TREE,
    Class,
    Kind,
    MakeSet,
    Said,
    class_of,
    long_name,
    lower_one,
    said,
    split,
    tally,
)
from aidns.render.shapes import Place, Shape, find_place, find_shape

LONG = 180
"""Octets beyond which a name is looked at by itself."""
MAX_WHOLE = 200_000
"""Rules that are held as objects at once, at 1 to 2 KB each."""
_BLOCKS: tuple[tuple[Kind, Answer], ...] = (("tree", TREE), ("alone", ALONE))
_SAMPLED = 6
"""Blocks from which real names are taken to check a shape."""


class Job(Struct, frozen=True):
    """One format for one policy."""

    fmt: Format
    make: MakeSet
    action: Action
    zone_length: int
    sheet: Sheet

    def one(self, kind: Kind, name: Name) -> Said:
        """Return what the format makes of one name. Raises Inexpressible when it cannot take it."""
        found = lower_one(self.fmt, self.make, self.action, self.zone_length, kind, name)
        check_rows(found.rows)
        return found

    def together(self, owners: dict[Name, Answer], known: tuple[Name, ...]) -> Said:
        """Return what the format makes of rules that lie in one another.

        Raises Inexpressible when it cannot take them or there are too many.
        """
        if len(owners) > MAX_WHOLE:
            raise Inexpressible(
                f"{self.fmt.id} cannot be written for {len(owners)} rules that depend on each other",
                tip=f"{MAX_WHOLE} at most: leave exceptions out, or choose another format",
            )
        found = said(self.fmt.lower(self.make(owners, known), self.action, self.zone_length))
        check_rows(found.rows)
        return found


class Part(Struct, frozen=True):
    """Names of one kind: how each class of them is written, what that loses, and how many there are."""

    names: Names
    shapes: dict[Class, Shape]
    said: dict[Class, Said]
    rows: dict[Class, int]
    """Rows that one name makes."""
    counts: dict[Class, int]
    """One class alone where all are treated alike."""

    def fill(self, block: bytes) -> bytes:
        """Return the text for a block of these names."""
        if len(self.counts) == 1:
            return next(self.shapes[which].fill(block) for which in self.counts)
        return b"".join(self.shapes[which].fill(names) for which, names in split(block).items())


def make_part(job: Job, kind: Kind, names: Names, anchor: tuple[Row, ...]) -> tuple[Part, set[Place]] | None:
    """Return a part for names of at most LONG octets, and the places where its text goes in front of `anchor`.

    None when the format does more with a name than to put it into its text.
    Raises Inexpressible for a name that the format cannot take.
    """
    sample = _sample(names)
    real = [job.one(kind, name).rows for name in sample]
    shapes: dict[Class, Shape] = {}
    found: dict[Class, Said] = {}
    rows: dict[Class, int] = {}
    places: set[Place] = set()
    for which in CLASSES:
        try:
            one, two = (job.one(kind, name) for name in which.stand_ins())
        except Inexpressible:
            return None
        shape = _shape(job, which, (one, two), anchor, places)
        if shape is None or (one.losses, one.notes) != (two.losses, two.notes):
            return None
        shapes[which], found[which] = shape, Said((), one.losses, one.notes)
        rows[which] = len(one.rows)
    if len(places) > 1 or not _is_right(job, sample, real, anchor, shapes, places):
        return None
    return Part(names, shapes, found, rows, _counts(names, shapes, found)), places


def _shape(
    job: Job, which: Class, pair: tuple[Said, Said], anchor: tuple[Row, ...], places: set[Place]
) -> Shape | None:
    shapes = []
    for name, found in zip(which.stand_ins(), pair, strict=True):
        if not found.rows:
            shapes.append(Shape(()))
            continue
        added = find_place(job.sheet.unnumbered, found.rows, anchor)
        if added is None:
            return None
        places.add(added[0])
        shapes.append(find_shape(added[1], name))
    return shapes[0] if shapes[0] == shapes[1] and len(shapes[0].parts) != 1 else None


def _is_right(
    job: Job,
    sample: list[Name],
    rows: list[tuple[Row, ...]],
    anchor: tuple[Row, ...],
    shapes: dict[Class, Shape],
    places: set[Place],
) -> bool:
    """Tell whether the template writes real names as the shapes do."""
    text = job.sheet.unnumbered((*(row for some in rows for row in some), *anchor))
    filled = b"".join(shapes[class_of(name)].fill(f"{name}\n".encode("ascii")) for name in sample).decode("ascii")
    if not places:
        return not filled and text == job.sheet.unnumbered(anchor)
    return all(text == place.before + filled + place.after for place in places)


def _counts(names: Names, shapes: dict[Class, Shape], found: dict[Class, Said]) -> dict[Class, int]:
    first = CLASSES[0]
    if all((shapes[which], found[which]) == (shapes[first], found[first]) for which in CLASSES):
        return {first: names.count}
    counts = Counter(dict.fromkeys(CLASSES, 0))
    for block in names.blocks:
        counts.update(tally(block))
    return counts


def _sample(names: Names) -> list[Name]:
    """Return the first and the last name of a few blocks."""
    found: dict[Name, None] = {}
    for block in names.blocks[:: max(1, len(names.blocks) // _SAMPLED)]:
        for name in (block[: block.find(b"\n")], block[block.rfind(b"\n", 0, -1) + 1 : -1]):
            found[Name(name.decode("ascii"))] = None
    return list(found)


def without_long(job: Job, kind: Kind, names: Names, longest: int) -> tuple[Names, list[Said]]:
    """Return the names of at most LONG octets, and what the format makes of each longer one.

    `longest` is no less than the octets of the longest name. Raises Inexpressible when one is too long.
    """
    try:
        job.one(kind, long_name(min(longest, LONG)))
    except Inexpressible:
        job.one(kind, max(names, key=len))
    if longest <= LONG:
        return names, []
    kept: list[bytes] = []
    apart: list[Said] = []
    for block in names.blocks:
        each = block[:-1].split(b"\n")
        apart += [job.one(kind, Name(name.decode("ascii"))) for name in each if len(name) > LONG]
        if short := [name for name in each if len(name) <= LONG]:
            kept.append(b"\n".join(short) + b"\n")
    return Names(tuple(kept), names.count - len(apart)), apart


def take_one(job: Job, kinds: dict[Kind, Names]) -> list[Said]:
    """Take the last name out that the format writes, to be written by the template; nothing when it writes none."""
    for kind, names in kinds.items():
        written = {which for which in CLASSES if all(job.one(kind, name).rows for name in which.stand_ins())}
        for number in reversed(range(len(names.blocks)) if written else ()):
            block = names.blocks[number]
            each = block[:-1].decode("ascii").split("\n")
            index = next((index for index in reversed(range(len(each))) if class_of(each[index]) in written), None)
            if index is not None:
                end = len(block) - sum(len(name) + 1 for name in each[index + 1 :])
                rest = block[: end - len(each[index]) - 1] + block[end:]
                blocks = (*names.blocks[:number], *([rest] if rest else []), *names.blocks[number + 1 :])
                kinds[kind] = Names(blocks, names.count - 1)
                return [job.one(kind, Name(each[index]))]
    return []


def is_independent(job: Job) -> bool:
    """Tell whether the format writes a name that is blocked alone without regard to the blocks below it."""
    top, below = CLASSES[0].stand_ins()[0], Name(f"x.{CLASSES[0].stand_ins()[0]}")
    alone = job.one("alone", top).rows
    return all(
        job.together({top: ALONE, below: answer}, (top, below)).rows == (*alone, *job.one(kind, below).rows)
        for kind, answer in _BLOCKS
    )


def widens(job: Job) -> bool:
    """Tell whether the format takes a name that is blocked alone for its tree, and leaves out what lies below it."""
    top, below = CLASSES[0].stand_ins()[0], Name(f"x.{CLASSES[0].stand_ins()[0]}")
    tree = job.one("tree", top).rows
    sets = [{top: ALONE}, *({top: ALONE, below: answer} for _, answer in _BLOCKS)]
    return all(job.together(owners, tuple(owners)).rows == tree for owners in sets)
