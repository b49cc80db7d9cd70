"""Edits of a file by field path, comments kept: what a machine can mend without a person's judgement. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import suppress

from msgspec.structs import replace

from aidns.catalog.syntax import Array, Document, Inline, Item, Pair, Scalar, Table, Value
from aidns.model import Fix

Steps = tuple[str | int, ...]
"""A field path taken apart: `domains[2].scope` is ("domains", 2, "scope")."""

_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def mend(document: Document, fixes: Iterable[Fix]) -> Document:
    """Return the document with every fix made. A field that is not there is written where a value is to be.

    A fix is left out where the file spells what it is about in another way, say with dotted keys.
    """
    steps = [(_steps(fix.field), fix.value) for fix in fixes]
    # Entries go last, the last one first: each field path counts the entries as the file has them.
    steps.sort(key=lambda step: (isinstance(step[0][-1], int), [-s if isinstance(s, int) else 0 for s in step[0]]))
    for path, value in steps:
        with suppress(LookupError):
            document = _in_document(document, path, value)
    return document


def quoted(text: str) -> str:
    """Return a text as a TOML string on one line: JSON's escapes are all TOML's, too, and one more is needed."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _steps(field: str) -> Steps:
    return tuple(int(index) if index else key for index, key in _STEP.findall(field))


def _in_document(document: Document, steps: Steps, value: str | None) -> Document:
    """Edit the table that holds the field: the one whose header says most of the path, else the root."""
    for n in range(len(steps), 0, -1):
        header = ".".join(str(step) for step in steps[:n] if isinstance(step, str))
        index = steps[n - 1]
        places = [i for i, table in enumerate(document.tables) if table.path == header]
        if not header or not places:
            continue
        if not document.tables[places[0]].is_array:
            if isinstance(index, str):
                return _replaced(document, places[0], _in_table(document.tables[places[0]], steps[n:], value))
        elif isinstance(index, int):
            place = places[index]
            edited = _in_table(document.tables[place], steps[n:], value) if steps[n:] else None
            return _replaced(document, place, edited)
    return _replaced(document, 0, _in_table(document.tables[0], steps, value))


def _replaced(document: Document, place: int, table: Table | None) -> Document:
    middle = () if table is None else (table,)
    return replace(document, tables=(*document.tables[:place], *middle, *document.tables[place + 1 :]))


def _in_table(table: Table, steps: Steps, value: str | None) -> Table:
    return replace(table, pairs=_in_pairs(table.pairs, steps, value))


def _in_pairs(pairs: tuple[Pair, ...], steps: Steps, value: str | None) -> tuple[Pair, ...]:
    key, *rest = steps
    place = next((i for i, pair in enumerate(pairs) if pair.key == key), None)
    if place is None:
        if rest or value is None:
            raise KeyError(f"there is no {key}")
        return (*pairs, Pair(str(key), Scalar(quoted(value))))
    if not rest and value is None:
        return pairs[:place] + pairs[place + 1 :]
    new = _in_value(pairs[place].value, tuple(rest), value)
    return (*pairs[:place], replace(pairs[place], value=new), *pairs[place + 1 :])


def _in_value(old: Value, steps: Steps, value: str | None) -> Value:
    match old, steps:
        case _, () if value is not None:
            return Scalar(quoted(value))
        case Inline(), (str(), *_):
            return Inline(_in_pairs(old.pairs, steps, value))
        case Array(), (int(index), *rest) if index < len(old.items):
            return replace(old, items=_in_items(old.items, index, tuple(rest), value))
    raise KeyError(f"there is no {steps}")


def _in_items(items: tuple[Item, ...], index: int, steps: Steps, value: str | None) -> tuple[Item, ...]:
    if not steps and value is None:
        return items[:index] + items[index + 1 :]
    new = replace(items[index], value=_in_value(items[index].value, steps, value))
    return (*items[:index], new, *items[index + 1 :])
