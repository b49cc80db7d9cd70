"""The shapes of a list's lines: what stands around the name, as the list's own reader understands it. Pure."""

from __future__ import annotations

from collections import Counter
from copy import copy

from msgspec import Struct

from aidns.lists.keys import MARK, Marking
from aidns.lists.line import Entry
from aidns.lists.text import Reader
from aidns.lists.zone import ZoneReader
from aidns.names import Name

_PROBES = (Name("probe.example"), Name("a-1.b_2.xn--p1ai"))
_SAMPLE = 48
"""Lines looked at in a block."""
MAX_SHAPES = 4
_MAX_LENGTH = 64
"""Octets around a name in a shape."""


class Shape(Struct, frozen=True):
    """Text around a name, in lower case, and the mark (letter and MARK, or nothing) of the keys such lines give."""

    prefix: bytes
    suffix: bytes
    mark: bytes


PLAIN = Shape(b"", b"", b"")
"""A name alone, of the usual kind."""


def find_shapes(raw: bytes, reader: Reader, marking: Marking) -> tuple[Shape, ...]:
    """Return the frequent shapes of a block that begins and ends with a newline; all have the same suffix.

    None of their prefixes begins another but the empty one, so that each line has one shape at most.
    """
    counts = Counter(shape for line in _sample(raw) if (shape := _shape(line, reader, marking)))
    chosen: list[Shape] = []
    for shape, _ in counts.most_common():
        if len(chosen) < MAX_SHAPES and shape.suffix == (chosen or [shape])[0].suffix and _apart(shape, chosen):
            chosen.append(shape)
    return tuple(sorted(chosen, key=lambda shape: shape.prefix))


def _sample(raw: bytes) -> list[bytes]:
    lines = []
    for start in range(0, len(raw), max(1, len(raw) // _SAMPLE)):
        begin = raw.find(b"\n", start) + 1
        lines.append(raw[begin : raw.find(b"\n", begin)] if begin else b"")
    return lines


def _shape(line: bytes, reader: Reader, marking: Marking) -> Shape | None:
    if not line.isascii() or len(line) > 320:
        return None
    text = line.decode("ascii").lower()
    items = _read(reader, text)
    if len(items) != 1 or not isinstance(items[0], Entry) or text.count(items[0].name) != 1:
        return None
    prefix, _, suffix = text.partition(items[0].name)
    if not isinstance(reader, ZoneReader):
        suffix = suffix.removeprefix(".")  # an absolute name is the same name; in a zone file it may not be
    if len(prefix + suffix) > _MAX_LENGTH or any(char < " " and char != "\t" for char in prefix + suffix):
        return None
    for probe in _PROBES:
        if _read(reader, f"{prefix}{probe}{suffix}") != (Entry(probe, items[0].kind, items[0].blocks),):
            return None
    letter = marking.letter(items[0].kind, items[0].blocks)
    return Shape(prefix.encode(), suffix.encode(), (letter + MARK if letter else "").encode())


def _read(reader: Reader, text: str) -> tuple[object, ...]:
    return (copy(reader) if isinstance(reader, ZoneReader) else reader)(text)


def _apart(shape: Shape, others: list[Shape]) -> bool:
    return all(
        shape.prefix != other.prefix
        and not (other.prefix and shape.prefix.startswith(other.prefix))
        and not (shape.prefix and other.prefix.startswith(shape.prefix))
        for other in others
    )
