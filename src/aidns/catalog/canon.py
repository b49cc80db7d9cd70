"""The one way to write a catalogue file: the same facts, the same bytes, so that a difference is a fact's. Pure.

Keys and tables stand in the order of the fields of `aidns.model`, entries and listed values in the order their author
gave them, comments with what they are about. A blank line parts tables. Strings have double quotes. What a key holds
stays on its line where that is short; else one element a line, each with a comma. Evidence and citations always do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from types import NoneType
from typing import Any, get_args

import msgspec

from aidns.catalog.reader import COLLECTIONS, SINGLES, SUBJECTS
from aidns.catalog.syntax import Array, Document, Inline, Pair, Scalar, Table, Value, parse, split_key
from aidns.model import RegionTable

WIDTH = 120
"""Characters of a line beyond which an array is spread over lines."""
SPREAD = ("evidence", "citations", "wording")
"""Arrays with one element a line, however short: they grow, and a new element is then a line of its own."""
ANY = "*"
"""Stands for every other key of a table whose keys are names that people choose."""

Shape = Mapping[str, Any]
"""Key -> shape of what it holds, in canonical order; an empty shape keeps the order it finds."""


def canonical(path: str, text: str) -> str:
    """Return a catalogue file in canonical form; `path` (`services/x.toml`) says what it holds.

    The text is sound TOML; the result says the same. Idempotent.
    """
    return print_document(parse(text), shape_of(path))


def print_document(document: Document, shape: Shape) -> str:
    """Return a document as text, in the order of `shape`."""
    root, *tables = document.tables
    tables.sort(key=lambda table: _rank(shape, table.path))
    lines = [*document.head, *_pairs(root.pairs, shape), *root.below]
    for table in tables:
        if lines and lines[-1]:
            lines.append("")
        lines += _table(table, shape)
    if document.tail:
        lines += ["", *document.tail]
    return "\n".join(lines).rstrip("\n") + "\n"


def shape_of(path: str) -> Shape:
    """Return the shape of the file that lies at `path` in a catalogue; an empty one for `vocab.toml` and strangers."""
    folder = path.partition("/")[0]
    if path == "regions.toml":
        return {"schema": {}, ANY: _shape(RegionTable)}
    to = SUBJECTS.get(folder) or COLLECTIONS.get(folder) or SINGLES.get(path)
    return _shape(to) if to else {"schema": {}}


@cache
def _shape(to: Any) -> Shape:
    """Return the shape of a type: its keys in the order of its fields, whatever stands around it."""
    if hasattr(to, "__metadata__"):
        return _shape(get_args(to)[0])
    if isinstance(to, type) and issubclass(to, msgspec.Struct):
        return {field.encode_name: _shape(field.type) for field in msgspec.structs.fields(to)}
    inner = [part for part in get_args(to) if part not in (NoneType, Ellipsis)]
    return _shape(inner[0]) if len(inner) == 1 and not isinstance(inner[0], str) else {}


def _inside(shape: Shape, key: str) -> Shape:
    """Return the shape of what a dotted key holds."""
    for part in split_key(key):
        shape = shape.get(part, shape.get(ANY, {}))
    return shape


def _rank(shape: Shape, key: str) -> int:
    """Return the place of a key among its siblings; unknown ones come last, in the order they have."""
    parts = split_key(key)
    return next((i for i, known in enumerate(shape) if parts[:1] == (known,)), len(shape))


# ------------------------------------------------------------------ lines


def _table(table: Table, shape: Shape) -> Iterator[str]:
    header = f"[[{table.path}]]" if table.is_array else f"[{table.path}]"
    yield from table.above
    yield _beside(header, table.beside)
    yield from _pairs(table.pairs, _inside(shape, table.path))
    yield from table.below


def _pairs(pairs: tuple[Pair, ...], shape: Shape) -> Iterator[str]:
    for pair in sorted(pairs, key=lambda pair: _rank(shape, pair.key)):
        yield from pair.above
        yield from _pair(pair, _inside(shape, pair.key))


def _pair(pair: Pair, shape: Shape) -> Iterator[str]:
    short = f"{pair.key} = {_value(pair.value, shape)}"
    if not isinstance(pair.value, Array) or not _is_spread(pair.key, pair.value, short):
        yield _beside(short, pair.beside)
        return
    yield f"{pair.key} = ["
    for item in pair.value.items:
        yield from (f"  {comment}" for comment in item.above)
        yield _beside(f"  {_value(item.value, shape)},", item.beside)
    yield from (f"  {comment}" for comment in pair.value.below)
    yield _beside("]", pair.beside)


def _is_spread(key: str, array: Array, short: str) -> bool:
    commented = array.below or any(item.above or item.beside for item in array.items)
    several_tables = len(array.items) > 1 and any(isinstance(item.value, Inline) for item in array.items)
    named = key in SPREAD and array.items
    # A table that stands alone stays on its key's line, long or not: a second line would not make it shorter.
    alone = len(array.items) == 1 and isinstance(array.items[0].value, Inline)
    return bool(commented or several_tables or named or (len(short) > WIDTH and not alone))


def _value(value: Value, shape: Shape) -> str:
    """Return a value on one line, unless one of its strings has several."""
    if isinstance(value, Scalar):
        return value.text
    if isinstance(value, Array):
        return f"[{', '.join(_value(item.value, shape) for item in value.items)}]"
    pairs = sorted(value.pairs, key=lambda pair: _rank(shape, pair.key))
    inner = ", ".join(f"{pair.key} = {_value(pair.value, _inside(shape, pair.key))}" for pair in pairs)
    return f"{{ {inner} }}" if inner else "{}"


def _beside(line: str, comment: str) -> str:
    return f"{line} {comment}" if comment else line
