"""Whole blocks of lines as octets: find, cut and peel without a step of Python for each line. Pure.

A block begins and ends with a newline. A span is the begin and end of a line's content in it. In a lowered block,
letters are small, SEP stands for each dot, and MARK for each octet that neither a name nor its shape can hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from aidns.lists.keys import MARK, SEP
from aidns.lists.shape import MAX_SHAPES, PLAIN, Shape

Span = tuple[int, int]

NAME_OCTETS = b"abcdefghijklmnopqrstuvwxyz0123456789_-"
_SEP, _MARK = SEP.encode(), MARK.encode()
_EDGES = bytes.maketrans(b"\n-" + _MARK, _SEP * 3)
"""Makes SEP of everything that may not stand beside another of its kind, except `--`."""

_PEELED = tuple(b"\n" + bytes((octet,)) for octet in range(2, 2 + MAX_SHAPES))
"""Stand for a newline and a prefix; a lowered block holds no such octets."""


@lru_cache(maxsize=64)
def table(shapes: tuple[Shape, ...]) -> bytes:
    """Return the table by which `bytes.translate` lowers a block whose lines have these shapes."""
    found = bytearray(256)
    for octet in NAME_OCTETS + _delimiters(shapes) + b"\n":
        found[octet] = octet
    for octet in range(ord("A"), ord("Z") + 1):
        found[octet] = octet + 32
    found[ord(".")] = ord(SEP)
    return bytes(found)


def odd(lowered: bytes, shapes: tuple[Shape, ...]) -> list[Span]:
    """Return the lines that hold an octet which neither a name nor a shape can hold, and empty ones."""
    spans = list(holding(lowered, _MARK))
    if shapes == (PLAIN,):
        return spans  # an empty line has the shape of a name, and is found as no name later
    return sorted({*spans, *((at + 1, at + 1) for at in _places(lowered, b"\n\n"))})


def crowded(names: bytes, shapes: tuple[Shape, ...]) -> list[Span]:
    """Return the lines of a peeled block in which something of a shape is left."""
    return sorted({span for octet in _delimiters(shapes) for span in holding(names, bytes((octet,)))})


def without_shape(lowered: bytes, shapes: tuple[Shape, ...]) -> list[Span]:
    """Return the lines that have none of the shapes, found by looking at each line."""
    pattern = _pattern(shapes)
    spans: list[Span] = []
    begin = 1
    for line in lowered[1:-1].split(b"\n"):
        end = begin + len(line)
        if not pattern.fullmatch(line):
            spans.append((begin, end))
        begin = end + 1
    return spans


def cut(text: bytes, spans: list[Span]) -> bytes:
    """Return a block without these lines."""
    if not spans:
        return text
    starts = [0, *(end + 1 for _, end in spans)]
    ends = [*(begin for begin, _ in spans), len(text)]
    return b"".join([text[start:end] for start, end in zip(starts, ends, strict=True)])


def peel(lowered: bytes, shapes: tuple[Shape, ...]) -> bytes | None:
    """Return a lowered block with each shape's prefix replaced by its mark and the suffix gone.

    None when a line lacks them.
    """
    text = lowered
    left = lines = text.count(b"\n") - 1
    start = b"\n"
    several = len(shapes) > 1
    for number, shape in enumerate(shapes):  # the empty prefix comes first
        if shape.prefix:
            # what is behind one prefix may look like another: nothing is peeled twice
            new = _PEELED[number] if several else b"\n" + shape.mark
            text, count = _replaced(text, start + lowered_text(shape.prefix), new)
            left -= count
        elif shape.mark:
            start = b"\n" + shape.mark
            text = text[:-1].replace(b"\n", start) + b"\n"
    if several:
        for number, shape in enumerate(shapes):
            text = text.replace(_PEELED[number], b"\n" + shape.mark)
    if left and shapes[0].prefix:
        return None
    if suffix := lowered_text(shapes[0].suffix):
        text, count = _replaced(text, suffix + b"\n", b"\n")
        if count != lines:
            return None
    return text


def without_final_dots(names: bytes) -> bytes:
    """Return a peeled block in which each name has lost one final dot."""
    return b"\n".join(names.split(_SEP + b"\n"))  # one search, where `replace` counts first


def lone_dots(names: bytes) -> list[Span]:
    """Return the lines of a peeled block whose name is a dot alone: without it, they would look empty."""
    edges = (b"\n", _MARK) if _MARK in names else (b"\n",)
    places = [at for edge in edges for at in _places(names, edge + _SEP + b"\n")]
    return [(names.rfind(b"\n", 0, at + 1) + 1, at + 2) for at in sorted(places)]


def doubtful(names: bytes, peculiar: tuple[bytes, ...]) -> list[Span]:
    """Return the lines of a peeled block in which dots, hyphens and edges touch, or `peculiar` text stands."""
    edges = names.translate(_EDGES)
    spans: list[Span] = []
    at = edges.find(_SEP * 2)
    while at >= 0:
        if names[at : at + 2] == b"--":
            at = edges.find(_SEP * 2, at + 1)
            continue
        begin = at + 1 if names[at] == ord("\n") else names.rfind(b"\n", 0, at) + 1
        end = names.find(b"\n", begin)
        spans.append((begin, end))
        at = edges.find(_SEP * 2, end)
    found = [span for text in peculiar for span in holding(names, text)]
    return sorted({*spans, *found}) if found else spans


def _places(text: bytes, what: bytes) -> Iterator[int]:
    at = text.find(what)
    while at >= 0:
        yield at
        at = text.find(what, at + 1)


def holding(names: bytes, text: bytes) -> Iterator[Span]:
    """Yield the lines that hold a text without a newline in it."""
    at = names.find(text)
    while at >= 0:
        end = names.find(b"\n", at)
        yield names.rfind(b"\n", 0, at) + 1, end
        at = names.find(text, end)


def _replaced(text: bytes, old: bytes, new: bytes) -> tuple[bytes, int]:
    """Return the text with `old` replaced, and how often it was."""
    if len(old) == len(new):
        return text.replace(old, new), text.count(old)
    after = text.replace(old, new)
    return after, (len(text) - len(after)) // (len(old) - len(new))


def lowered_text(text: bytes) -> bytes:
    """Return a shape's text as it stands in a lowered block."""
    return text.replace(b".", _SEP)


def _delimiters(shapes: tuple[Shape, ...]) -> bytes:
    around = b"".join(shape.prefix + shape.suffix for shape in shapes)
    return bytes(sorted(set(around) - set(NAME_OCTETS + b".")))


@lru_cache(maxsize=64)
def _pattern(shapes: tuple[Shape, ...]) -> re.Pattern[bytes]:
    prefixes = b"|".join(re.escape(lowered_text(shape.prefix)) for shape in shapes if shape.prefix)
    if not shapes[0].prefix and prefixes:
        prefixes += b"|(?!" + prefixes + b")"  # the empty prefix is that of lines without another
    return re.compile(b"(?:" + prefixes + rb")[^\0]*" + re.escape(lowered_text(shapes[0].suffix)))
