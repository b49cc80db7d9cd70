"""A validator for the part of JSON Schema 2020-12 that the catalogue's schemas use; any other keyword is an error."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

_SILENT = {"$schema", "$defs", "title", "description", "default"}
_TYPES = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}


def faults(value: Any, schema: dict[str, Any], root: dict[str, Any] | None = None, path: str = "") -> Iterator[str]:
    """Yield the path of everything that does not fit. `value` is parsed TOML: dates count as texts of their form."""
    root = root or schema
    if isinstance(value, dt.date):
        value = value.isoformat()
    for keyword, wanted in schema.items():
        if keyword not in _SILENT:
            yield from _CHECKS[keyword](value, wanted, schema, root, path)


def _ref(value: Any, wanted: str, schema: dict[str, Any], root: dict[str, Any], path: str) -> Iterator[str]:
    yield from faults(value, root["$defs"][wanted.removeprefix("#/$defs/")], root, path)


def _type(value: Any, wanted: str, schema: dict[str, Any], root: dict[str, Any], path: str) -> Iterator[str]:
    if not isinstance(value, _TYPES[wanted]) or (wanted == "integer" and isinstance(value, bool)):
        yield path


def _format(value: Any, wanted: str, schema: dict[str, Any], root: dict[str, Any], path: str) -> Iterator[str]:
    assert wanted == "date"
    try:
        dt.date.fromisoformat(value)
    except (TypeError, ValueError):
        yield path


def _properties(
    value: Any, wanted: dict[str, Any], schema: dict[str, Any], root: dict[str, Any], path: str
) -> Iterator[str]:
    for key in value.keys() & wanted.keys() if isinstance(value, dict) else ():
        yield from faults(value[key], wanted[key], root, f"{path}.{key}".lstrip("."))


def _additional(value: Any, wanted: Any, schema: dict[str, Any], root: dict[str, Any], path: str) -> Iterator[str]:
    for key in value.keys() - schema["properties"].keys() if isinstance(value, dict) else ():
        where = f"{path}.{key}".lstrip(".")
        if wanted is False:
            yield where
        else:
            yield from faults(value[key], wanted, root, where)


def _required(value: Any, wanted: list[str], schema: dict[str, Any], root: dict[str, Any], path: str) -> Iterator[str]:
    if isinstance(value, dict) and not value.keys() >= set(wanted):
        yield path


def _items(
    value: Any, wanted: dict[str, Any], schema: dict[str, Any], root: dict[str, Any], path: str
) -> Iterator[str]:
    for i, item in enumerate(value if isinstance(value, list) else ()):
        yield from faults(item, wanted, root, f"{path}[{i}]")


def _enum(value: Any, wanted: list[Any], schema: dict[str, Any], root: dict[str, Any], path: str) -> Iterator[str]:
    if not any(value == one and type(value) is type(one) for one in wanted):
        yield path


def _any_of(value: Any, wanted: list[Any], schema: dict[str, Any], root: dict[str, Any], path: str) -> Iterator[str]:
    if all(any(True for _ in faults(value, one, root, path)) for one in wanted):
        yield path


def _length(value: Any, wanted: int, schema: dict[str, Any], root: dict[str, Any], path: str) -> Iterator[str]:
    if isinstance(value, (str, list)) and len(value) < wanted:
        yield path


_CHECKS = {
    "$ref": _ref,
    "type": _type,
    "format": _format,
    "properties": _properties,
    "additionalProperties": _additional,
    "required": _required,
    "items": _items,
    "enum": _enum,
    "const": lambda value, wanted, schema, root, path: _enum(value, [wanted], schema, root, path),
    "anyOf": _any_of,
    "minLength": _length,
    "minItems": _length,
}
