"""JSON Schema: fresh, true of every shipped file, and as strict about form as loading is."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from aidns.catalog.schema import main, schemas, text
from aidns.data import shipped
from aidns.errors import UsageError
from oracles.json_schema import faults
from samples import SOUND, loaded
from unit.test_lint import FORM, Plant

SCHEMAS = {name: json.loads(text(schema)) for name, schema in schemas().items()}
FOLDERS = {"services": "service", "providers": "provider", "measures": "measure", "policies": "policy"}


def schema_of(path: str) -> str:
    """Return the schema that an editor would use for a file; empty where there is none."""
    kind = path.partition("/")[0].removesuffix(".toml")
    return "" if kind == "vocab" else f"{FOLDERS.get(kind, kind)}.schema.json"


def test_every_kind_of_file_has_a_schema() -> None:
    """All but the vocabulary, which is words and definitions alone."""
    assert {schema_of(path) for path in SOUND} - {""} == set(SCHEMAS)


def test_the_committed_schemas_are_fresh() -> None:
    """`python -m aidns.catalog.schema catalog/schema` was run after the types changed last."""
    directory = Path(str(shipped("catalog"))) / "schema"
    committed = {file.name: file.read_text("utf-8") for file in directory.iterdir()}
    assert committed == {name: text(schema) for name, schema in schemas().items()}


def test_writing_them_makes_the_directory(tmp_path: Path) -> None:
    """The entry point writes each file; without one directory it says how to call it."""
    main([str(tmp_path / "new")])
    written = {file.name: json.loads(file.read_text("utf-8")) for file in (tmp_path / "new").iterdir()}
    assert written == SCHEMAS
    with pytest.raises(UsageError):
        main([])


def test_every_shipped_file_fits_its_schema() -> None:
    """A schema that nothing is run against is a guess."""
    root = Path(str(shipped("catalog")))
    wrong = {}
    for file in sorted(root.rglob("*.toml")):
        path = str(file.relative_to(root))
        if name := schema_of(path):
            found = list(faults(tomllib.loads(file.read_text("utf-8")), SCHEMAS[name]))
            wrong |= {path: found} if found else {}
    assert wrong == {}


@pytest.mark.parametrize("path", [path for path in SOUND if schema_of(path)])
def test_the_sample_uses_every_key_and_fits(path: str) -> None:
    """What the sample's files hold, editors know."""
    assert list(faults(tomllib.loads(SOUND[path]), SCHEMAS[schema_of(path)])) == []


@pytest.mark.parametrize("plant", [p for p in FORM if p.rule in ("type", "id-form") and schema_of(p.file)], ids=str)
def test_what_loading_calls_a_wrong_type_an_editor_does_too(plant: Plant) -> None:
    """The same defects of form are found by the schema, at the same key."""
    changed = plant.apply()[plant.file]
    found = list(faults(tomllib.loads(changed), SCHEMAS[schema_of(plant.file)]))
    assert plant.field in found, found
    assert loaded(plant.apply()).problems


def test_names_differ_from_fields_only_in_class() -> None:
    """`class` is the key in the file; `id` is no key, for the file's name is the id."""
    for name, schema in SCHEMAS.items():
        keys = {key for part in schema["$defs"].values() for key in part.get("properties", ())}
        assert "klass" not in keys
        assert "id" not in keys, name
    assert "class" in SCHEMAS["shared.schema.json"]["$defs"]["Shared"]["required"]


def test_toml_has_no_null() -> None:
    """A key that may be left out is not a key that may be null."""
    assert "null" not in json.dumps(SCHEMAS)
