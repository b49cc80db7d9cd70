"""One entry of the catalogue as an outline for people or an object for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from aidns.errors import UsageError, did_you_mean
from aidns.model import Catalog, SeenDate
from aidns.names import printable
from aidns.policy import expand
from aidns.render.formats import FORMATS


def find_entries(catalog: Catalog, entry_id: str, kind: str | None = None) -> list[tuple[str, dict[str, Any]]]:
    """Return (kind, entry) of everything that has this id. Raises UsageError with near ids when nothing has."""
    tables: dict[str, Any] = {
        "service": catalog.services,
        "provider": catalog.providers,
        "policy": catalog.policies,
        "measure": catalog.measures,
        "format": FORMATS,
    }
    wanted = {kind: tables[kind]} if kind else tables
    found = [(k, table[entry_id]) for k, table in wanted.items() if entry_id in table]
    if not found:
        tip = did_you_mean(entry_id, {i for table in wanted.values() for i in table}, "aidns list shows what there is")
        raise UsageError(f"there is no {kind or 'entry'} {printable(entry_id, 80)!r}", tip=tip)
    return [(k, _document(expand(entry, catalog.policies) if k == "policy" else entry)) for k, entry in found]


def outline(document: dict[str, Any], indent: str = "") -> Iterator[str]:
    """Yield `key: value` lines, tables and lists indented, empty values left out."""
    for key, value in document.items():
        if value in ("", (), [], {}, None):
            continue
        if isinstance(value, dict):
            yield f"{indent}{key}:"
            yield from outline(value, indent + "  ")
        elif isinstance(value, (list, tuple)) and any(isinstance(item, dict) for item in value):
            yield f"{indent}{key}:"
            for item in value:
                lines = list(outline(item, ""))
                yield f"{indent}  - {lines[0]}"
                yield from (f"{indent}    {line}" for line in lines[1:])
        elif isinstance(value, (list, tuple)):
            yield f"{indent}{key}: {', '.join(printable(str(item)) for item in value)}"
        else:
            yield f"{indent}{key}: {printable(str(value), 1000)}"


def _document(entry: msgspec.Struct) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(entry, enc_hook=_encode)
    return {key: value for key, value in document.items() if key != "lower"}


def _encode(value: Any) -> Any:
    return str(value) if isinstance(value, SeenDate) else ""
