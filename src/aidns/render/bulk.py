"""Files of millions of names, written in blocks. [I/O: reads the template]

A format's `lower` and its template stay the only definition of what it writes. Rules that touch no other rule are
written by the shapes of their classes; rules inside one another go through `lower` and the template as always. Where
a template does more than substitute, everything goes that way.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from aidns.lists.sweep import Compiled, Names, minimal_trees, packed
from aidns.model import Answer, BlockSet, Weakened
from aidns.names import Name, sort_key
from aidns.render.artefact import NUMBER, Sheet, check_text, content_of, numbered
from aidns.render.base import Action, EmptyList, Format, Inexpressible, Row, choose_action
from aidns.render.classes import ALONE, CLASSES, TREE, Kind, MakeSet, Said, class_of, total
from aidns.render.parts import MAX_WHOLE, Job, Part, is_independent, make_part, take_one, widens, without_long
from aidns.render.rpz import DEFAULT_ZONE_LENGTH
from aidns.render.shapes import Place


class Document(Struct, frozen=True):
    """A file ready to be written: its header tells the counts, so that it comes last."""

    fmt: Format
    action: Action
    sheet: Sheet
    rows: tuple[Row, ...]
    """Written by the template, behind the parts."""
    place: Place
    parts: tuple[Part, ...]
    names: int
    lines: int
    """Lines that are no comments."""
    weakened: tuple[Weakened, ...]
    notes: tuple[str, ...]

    def blocks(self, head: tuple[str, ...], serial: int) -> Iterator[bytes]:
        """Yield the file. Raises DataError when the template writes what no consumer reads."""
        text = self.sheet.unnumbered(self.rows, head, serial)
        check_text(text.replace(NUMBER, "1"), self.sheet.id)
        assert text.endswith(self.place.after), "the header stands in front"
        filled = (part.fill(block) for part in self.parts for block in part.names.blocks)
        before, after = text[: len(text) - len(self.place.after)], self.place.after
        numbers = itertools.count(1)
        for block in itertools.chain([before.encode("ascii")], filled, [after.encode("ascii")]):
            yield numbered(block, numbers)


def start(
    fmt: Format,
    make: MakeSet,
    zone_length: int = DEFAULT_ZONE_LENGTH,
    template: Path | None = None,
    judged: BlockSet | None = None,
) -> Job:
    """Return what a format needs to write compiled lists for the policy of `make`.

    `judged` holds those rules that may forbid an action. Raises Inexpressible when the format has none of the
    policy's actions.
    """
    empty = make({}, ())
    action = choose_action(fmt, judged or empty)
    return Job(fmt, make, action, zone_length, Sheet(fmt, empty, action, template))


def lists_known(job: Job) -> bool:
    """Tell whether the format lists every known name, so that names below a tree must be kept for it."""
    return any(job.one("covered", which.stand_ins()[0]) != Said() for which in CLASSES)


def document(job: Job, compiled: Compiled) -> Document:
    """Return the file of compiled lists.

    Raises Inexpressible when the format cannot express a rule, or not so many, EmptyList when nothing is blocked.
    """
    found = _in_blocks(job, compiled) or _whole(job, compiled)
    if not found.names and not job.fmt.allows:
        raise EmptyList("nothing would be blocked", tip="an empty list would quietly end all protection")
    return found


def everything(compiled: Compiled) -> tuple[dict[Name, Answer], tuple[Name, ...]]:
    """Return all owners, ancestors first, and all known names: compiled lists as plain values."""
    owners = dict(compiled.nested)
    owners |= dict.fromkeys(compiled.trees, TREE) | dict.fromkeys(compiled.exacts, ALONE)
    ordered = {name: owners[name] for name in sorted(owners, key=sort_key)}
    known = {*owners, *compiled.nested_known, *compiled.covered, *compiled.covered_www}
    return ordered, tuple(sorted(known, key=sort_key))


class _Layout(Struct, frozen=True):
    """What is written how: parts in blocks, then rows by the template."""

    parts: tuple[Part, ...]
    rows: tuple[Row, ...]
    place: Place
    said: tuple[tuple[Said, int], ...]
    """What the format makes of each sort of rules, with how many of them there are."""


def _in_blocks(job: Job, compiled: Compiled) -> Document | None:
    """Return the document written in blocks; None when the format does more than to substitute names."""
    kinds: dict[Kind, Names] = {
        "tree": compiled.trees,
        "alone": compiled.exacts,
        "covered": _joined(compiled.covered, _unlisted_www(job, compiled.covered_www)),
    }
    apart = [job.together(compiled.nested, compiled.nested_known)] if compiled.nested else []
    layout = _lay_out(job, kinds, apart, compiled.longest)
    if layout is None or not compiled.exacts.count or is_independent(job):
        return _document(job, layout, layout.said) if layout else None
    if not widens(job):
        return None
    nested = packed(row.name for found in apart for row in found.rows)
    trees = minimal_trees((compiled.trees, compiled.exacts, nested))
    wide = _lay_out(job, {"tree": trees}, [], compiled.longest)
    return _document(job, wide, layout.said) if wide else None


def _lay_out(job: Job, kinds: dict[Kind, Names], apart: list[Said], longest: int) -> _Layout | None:
    """Return how to write names of these kinds, and behind them what was made `apart`."""
    kinds, apart = dict(kinds), list(apart)
    for kind in [kind for kind, names in kinds.items() if names.count]:
        kinds[kind], long = without_long(job, kind, kinds[kind], longest)
        apart += long
    if not any(found.rows for found in apart):
        apart += take_one(job, kinds)
    rows = tuple(row for found in apart for row in found.rows)
    parts: list[Part] = []
    places: set[Place] = set()
    for kind, names in kinds.items():
        if names.count:
            made = make_part(job, kind, names, rows)
            if made is None:
                return None
            parts.append(made[0])
            places |= made[1]
    if len(places) > 1:
        return None
    place = places.pop() if places else Place(job.sheet.unnumbered(rows), "")
    counted = [(part.said[which], count) for part in parts for which, count in part.counts.items()]
    return _Layout(tuple(parts), rows, place, (*((found, 1) for found in apart), *counted))


def _unlisted_www(job: Job, names: Names) -> Names:
    """Return those listed `www.` names of trees that the format does not write with the tree anyway."""
    brought = {}
    for which in CLASSES:
        top = which.stand_ins()[0]
        brought[which] = job.together({top: TREE}, (top, Name(f"www.{top}"))) == job.one("tree", top)
    if all(brought.values()):
        return Names()
    return packed(name for name in names if not brought[class_of(name.removeprefix("www."))])


def _joined(one: Names, other: Names) -> Names:
    return Names((*one.blocks, *other.blocks), one.count + other.count)


def _whole(job: Job, compiled: Compiled) -> Document:
    """Return the document with every rule written by the template."""
    count = compiled.trees.count + compiled.exacts.count
    if count > MAX_WHOLE:
        raise Inexpressible(
            f"{job.fmt.id} cannot be written for {count} names",
            tip=f"its lines depend on each other: {MAX_WHOLE} at most",
        )
    found = job.together(*everything(compiled))
    return _document(job, _Layout((), found.rows, Place(job.sheet.unnumbered(found.rows), ""), ()), ((found, 1),))


def _document(job: Job, layout: _Layout, said: tuple[tuple[Said, int], ...]) -> Document:
    counted = [(part, which, count) for part in layout.parts for which, count in part.counts.items()]
    weakened, notes = total(said)
    lines = content_of(job.sheet.text(layout.rows), job.fmt).count("\n")
    return Document(
        fmt=job.fmt,
        action=job.action,
        sheet=job.sheet,
        rows=layout.rows,
        place=layout.place,
        parts=layout.parts,
        names=len(layout.rows) + sum(part.rows[which] * count for part, which, count in counted),
        lines=lines + sum(part.shapes[which].lines * count for part, which, count in counted),
        weakened=weakened,
        notes=notes,
    )
