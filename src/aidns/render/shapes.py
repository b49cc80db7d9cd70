"""The text that a template writes for one name, found by writing it, so that millions need no step of Jinja each.

A stand-in name is put through the format's own `lower` and its own template, among other rows; the text it adds is
its shape. A second stand-in must add the same text around itself, else the template does more than substitute.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from aidns.render.base import Row

Text = Callable[[tuple[Row, ...]], str]
"""The file that a template makes of rows."""

BATCH = 2_000
"""Names written at once where a shape holds its name several times: so many stay in a processor's cache."""


class Place(Struct, frozen=True):
    """Where in a file rows are put: in front of the rows that are there already."""

    before: str
    after: str


class Shape(Struct, frozen=True):
    """What stands before, between and behind the places of a name; no parts where the format writes nothing."""

    parts: tuple[str, ...]

    @property
    def lines(self) -> int:
        """Lines that one name makes."""
        return sum(part.count("\n") for part in self.parts)

    def fill(self, names: bytes) -> bytes:
        """Return the text for a block of names, each ended by a newline, in their order."""
        if not self.parts or not names:
            return b""
        parts = [part.encode("ascii") for part in self.parts]
        if len(parts) == 2:
            first, last = parts
            return b"".join((first, names[:-1].replace(b"\n", last + first), last))
        each = names[:-1].split(b"\n")
        return b"".join(_woven(parts, each[start : start + BATCH]) for start in range(0, len(each), BATCH))


def _woven(parts: list[bytes], names: list[bytes]) -> bytes:
    """Return the parts with each name between them, name by name."""
    first, *middle, last = parts
    step = 2 * len(middle) + 2
    pieces = [last + first] * (step * len(names))
    for index, part in enumerate(middle):
        pieces[2 * index :: step] = names
        pieces[2 * index + 1 :: step] = [part] * len(names)
    pieces[2 * len(middle) :: step] = names
    pieces[-1] = last
    return first + b"".join(pieces)


def find_place(text: Text, rows: tuple[Row, ...], anchor: tuple[Row, ...]) -> tuple[Place, str] | None:
    """Return where `rows` appear when they stand before `anchor`, and the text they add, in whole lines.

    None when they change more than that.
    """
    alone, both = text(anchor), text((*rows, *anchor))
    added = len(both) - len(alone)
    at = _common(alone, both)
    at = both.rfind("\n", 0, at) + 1
    if added < 0 or both[:at] + both[at + added :] != alone:
        return None
    # rows that begin alike leave a choice of places; the first is the same one for all of them
    while at and both[: (line := both.rfind("\n", 0, at - 1) + 1)] + both[line + added :] == alone:
        at = line
    return Place(alone[:at], alone[at:]), both[at : at + added]


def find_shape(added: str, name: str) -> Shape:
    """Return the shape of a text that was written for `name`."""
    return Shape(tuple(added.split(name)) if added else ())


def _common(one: str, other: str) -> int:
    """Return the length of the longest common beginning."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low
