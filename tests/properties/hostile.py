"""Texts that want to become more than text, and every place where a text can stand."""

from __future__ import annotations

import datetime as dt
import json
import types
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

import msgspec

from aidns.catalog.reader import COLLECTIONS, SINGLES, SUBJECTS
from aidns.model import RegionTable, SeenDate

BREAKING = {
    "newline and directive": "x\n$INCLUDE /etc/passwd\n||evil.example^",
    "newline and rule": 'x"\nlocal-zone: "com." always_nxdomain\n*.com CNAME .',
    "newline and comment end": "x\n0.0.0.0 evil.example # ",
    "carriage return": "x\revil.example",
    "double quote": 'x" evil',
    "backslash": "x\\010evil",
    "directive": "$INCLUDE /etc/passwd",
    "expression": "{{ 7*7 }}",
    "statement": "{% for i in range(9) %}evil{% endfor %}",
    "template comment": "{# x #}",
    "NUL": "x\0evil.example",
    "escape": "x\x1b[2J\x1b]0;evil\x07",
    "right-to-left": "x\u202eelpmaxe.live",
    "line separator": "x\u2028evil.example",
    "next line": "x\x85evil.example",
    "zero width": "x\u200bevil",
}
"""What no text of a catalogue or policy may hold."""
NAMELESS = {
    "U-label": "bücher.example",
    "wildcard": "*.example.com",
    "300 octets": ("abcdefghi." * 30)[:-1],
}
"""What prose may hold and a name may not."""


class Place(NamedTuple):
    """Where a text stands: the keys and indexes that lead there, and the type and key it belongs to."""

    path: tuple[str | int, ...]
    owner: str
    key: str


def kind_of(file: str) -> type | None:
    """Return the type of a catalogue file; None for tables by name."""
    folder, slash, _ = file.partition("/")
    return (SUBJECTS | COLLECTIONS).get(folder) if slash else SINGLES.get(file)


def places(file: str, raw: Mapping[str, Any]) -> Iterator[Place]:
    """Yield every place of a parsed file where a text stands."""
    if to := kind_of(file):
        yield from _walk(raw, to, (), to.__name__, "")
    elif file == "regions.toml":
        for key, table in raw.items():
            if key != "schema":
                yield from _walk(table, RegionTable, (key,), "RegionTable", "")
    else:
        for section, words in raw.items():
            if section != "schema":
                yield from (Place((section, word), "Vocab", "definition") for word in words)


def _walk(raw: Any, to: Any, path: tuple[str | int, ...], owner: str, key: str) -> Iterator[Place]:
    to = plain(to)
    if isinstance(raw, dict):
        for field in msgspec.structs.fields(to):
            name = field.encode_name
            if name in raw:
                yield from _walk(raw[name], field.type, (*path, name), to.__name__, name)
    elif isinstance(raw, list):
        for i, item in enumerate(raw):
            yield from _walk(item, get_args(to)[0], (*path, i), owner, key)
    elif isinstance(raw, str) and to is not SeenDate:
        yield Place(path, owner, key)


def written(path: tuple[str | int, ...]) -> str:
    """Return a path as problems write it."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def plain(annotation: Any) -> Any:
    """Return the type inside `Annotated` or beside `None`."""
    if hasattr(annotation, "__metadata__"):
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        (annotation,) = (part for part in get_args(annotation) if part is not types.NoneType)
    return annotation


def texts_of_types() -> set[tuple[str, str]]:
    """Return (type, key) of every text that any catalogue or policy file can hold, by reflection."""
    found: set[tuple[str, str]] = {("Vocab", "definition")}
    todo: list[Any] = [*SUBJECTS.values(), *COLLECTIONS.values(), *SINGLES.values(), RegionTable]
    seen: set[Any] = set()
    while todo:
        to = todo.pop()
        if to in seen:
            continue
        seen.add(to)
        for field in msgspec.structs.fields(to):
            part = plain(field.type)
            while get_origin(part) is tuple:
                part = plain(get_args(part)[0])
            if isinstance(part, type) and issubclass(part, msgspec.Struct):
                todo.append(part)
            elif part is str or (get_origin(part) is Literal and isinstance(get_args(part)[0], str)):
                found.add((to.__name__, field.encode_name))
    return {(owner, key) for owner, key in found if key != "id"}


def planted(raw: Mapping[str, Any], path: tuple[str | int, ...], text: str) -> dict[str, Any]:
    """Return a copy of a parsed file with another text in one place."""

    def put(value: Any, rest: tuple[str | int, ...]) -> Any:
        if not rest:
            return text
        if isinstance(value, list):
            return [put(item, rest[1:]) if i == rest[0] else item for i, item in enumerate(value)]
        return {key: put(item, rest[1:]) if key == rest[0] else item for key, item in value.items()}

    made: dict[str, Any] = put(raw, path)
    return made


def toml(raw: Mapping[str, Any]) -> str:
    """Return a parsed file as TOML again, one top-level key a line."""
    return "".join(f"{_key(key)} = {_value(value)}\n" for key, value in raw.items())


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()
    return str(value).lower() if isinstance(value, (bool, int)) else _text(value)


def _key(key: str) -> str:
    return _text(key)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
