"""Typed entries as the text of a catalogue file, in canonical form. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from aidns.catalog.canon import print_document, shape_of
from aidns.catalog.mend import quoted
from aidns.catalog.syntax import Array, Document, Inline, Item, Pair, Scalar, Table, Value
from aidns.model import Entry, SeenDate


def text_of(path: str, entry: Entry) -> str:
    """Return an entry as the canonical text of the file at `path`; what equals its default is left out."""
    root: list[Pair] = []
    tables: list[Table] = []
    for key, value in _given(entry):
        if isinstance(value, msgspec.Struct):
            tables.append(Table(key, pairs=_pairs(value)))
        elif isinstance(value, tuple) and any(hasattr(item, "evidence") for item in value):
            tables += (Table(key, is_array=True, pairs=_pairs(item)) for item in value)
        else:
            root.append(Pair(key, _value(value)))
    return print_document(Document((), (Table("", pairs=tuple(root)), *tables)), shape_of(path))


def _given(entry: msgspec.Struct) -> Iterable[tuple[str, Any]]:
    for field in msgspec.structs.fields(entry):
        value = getattr(entry, field.name)
        if field.name != "id" and (field.required or value != field.default):
            yield field.encode_name, value


def _pairs(entry: msgspec.Struct) -> tuple[Pair, ...]:
    return tuple(Pair(key, _value(value)) for key, value in _given(entry))


def _value(value: Any) -> Value:
    if isinstance(value, msgspec.Struct):
        return Inline(_pairs(value))
    if isinstance(value, tuple):
        return Array(tuple(Item(_value(item)) for item in value))
    if isinstance(value, str) or (isinstance(value, SeenDate) and value.date is None):
        return Scalar(quoted(str(value)))
    return Scalar(str(value).lower())
