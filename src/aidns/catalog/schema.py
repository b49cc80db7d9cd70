"""JSON Schema of each kind of catalogue file, so that an editor can check and complete while one writes. [I/O]

`python -m aidns.catalog.schema DIR` writes them; `catalog/schema/` holds them. They judge form only, as `load` does.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from aidns.catalog.reader import COLLECTIONS, SINGLES, SUBJECTS
from aidns.errors import UsageError
from aidns.model import RegionTable, SeenDate

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SUBJECT_NAMES = {"providers": "provider", "services": "service", "measures": "measure", "policies": "policy"}

Schema = dict[str, Any]


def schemas() -> dict[str, Schema]:
    """Return file name, such as `service.schema.json`, -> JSON Schema, for every kind of file but `vocab.toml`."""
    found = {_SUBJECT_NAMES[folder]: _without_id(_schema(to), to.__name__) for folder, to in SUBJECTS.items()}
    found |= {folder: _schema(to) for folder, to in COLLECTIONS.items()}
    found |= {file.removesuffix(".toml"): _schema(to) for file, to in SINGLES.items()}
    found["regions"] = _tables(RegionTable)
    return {f"{name}.schema.json": schema for name, schema in sorted(found.items())}


def text(schema: Schema) -> str:
    """Return a schema as it is committed."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _schema(to: type) -> Schema:
    made: Schema = _without_null(msgspec.json.schema(to, schema_hook=_hook))
    return {"$schema": DIALECT, **made}


def _hook(to: type) -> Schema:
    if to is SeenDate:
        return {"anyOf": [{"type": "string", "format": "date"}, {"const": "undated"}]}
    raise NotImplementedError(f"no JSON Schema for {to}")


def _without_null(value: Any) -> Any:
    """Leave null out, which TOML has not: a key is there or it is not."""
    if isinstance(value, list):
        return [_without_null(item) for item in value if item != {"type": "null"}]
    if not isinstance(value, dict):
        return value
    kept = {key: _without_null(item) for key, item in value.items() if item is not None}
    if len(kept.get("anyOf", ())) == 1:
        (only,) = kept.pop("anyOf")
        kept = {**only, **kept}
    return kept


def _without_id(schema: Schema, type_name: str) -> Schema:
    """Leave the key `id` out: a file's name is its id."""
    del schema["$defs"][type_name]["properties"]["id"]
    return schema


def _tables(to: type) -> Schema:
    """Return the schema of a file of tables by name."""
    inner = _schema(to)
    return {
        "$schema": DIALECT,
        "type": "object",
        "properties": {"schema": {"enum": [1]}},
        "required": ["schema"],
        "additionalProperties": {"$ref": inner["$ref"]},
        "$defs": inner["$defs"],
    }


def main(arguments: list[str]) -> None:
    """Write every schema into the directory named."""
    if len(arguments) != 1:
        raise UsageError("name one directory", tip="python -m aidns.catalog.schema catalog/schema")
    directory = Path(arguments[0])
    directory.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas().items():
        (directory / name).write_text(text(schema), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
