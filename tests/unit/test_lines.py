"""Lines: where tomllib says that a key is, the index says so, too."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import samples
from aidns.catalog import lines
from aidns.data import shipped

TEXT = '''\
# a comment with key = "value" and [[not.a.table]]
schema = 1
title = "A [bracket] # and no comment"
"quoted" = 'single [ quotes' # comment ] with "quotes
summary = """
key = "not a key"
[not.a.table]
[[nor.this]]
"""
inline = { a = "x", b = [1, 2] }
long = \'\'\'one line\'\'\'
values = [
  "one", "two", # ]
  "three",
]
after = true

[table]
key = 1

[table.inner]
key = 2

[[list]]
name = "first"
evidence = [
  { kind = "a", says = "]" },
  # a comment
  { kind = "b", says = "[" },
]
last = "here"

[[list]]
name = "second"
evidence = [{ kind = "c" }, { kind = "d" }]

[[list.below]]
name = "third"
'''


@pytest.mark.parametrize(
    ("path", "start"),
    [
        ("schema", "schema = 1"),
        ("title", "title ="),
        ("quoted", '"quoted" ='),
        ("summary", "summary ="),
        ("inline", "inline ="),
        ("inline.b[1]", "inline ="),
        ("long", "long ="),
        ("values", "values ="),
        ("values[2]", "values ="),
        ("after", "after ="),
        ("table", "[table]"),
        ("table.missing", "[table]"),
        ("table.inner.key", "key = 2"),
        ("list[0]", "[[list]]"),
        ("list[0].name", 'name = "first"'),
        ("list[0].evidence[0].says", '  { kind = "a"'),
        ("list[0].evidence[1]", '  { kind = "b"'),
        ("list[0].last", "last ="),
        ("list[1].name", 'name = "second"'),
        ("list[1].evidence[1].kind", "evidence = [{"),
        ("list[1].missing", "[[list]]"),
    ],
)
def test_each_path_is_found_where_it_is_written(path: str, start: str) -> None:
    """Keys, tables, elements on lines of their own, and else the nearest part above."""
    line = lines.find(lines.index(TEXT), path)
    assert TEXT.split("\n")[line - 1].startswith(start)
    if path == "list[1].missing":
        assert line > lines.find(lines.index(TEXT), "list[0].last")


def test_nothing_known_is_line_zero() -> None:
    """A path of which the file holds no part means the whole file."""
    index = lines.index(TEXT)
    assert lines.find(index, "nowhere[3].at.all") == 0
    assert lines.find(index, "") == 0


def test_line_numbers_are_those_of_toml_not_of_unicode() -> None:
    """A line separator in a comment ends no line for a TOML reader or an editor."""
    assert lines.index("# a\u2028b\x0cc\nkey = 1\n")["key"] == 2
    assert lines.index("# a\r\nkey = 1\r\n")["key"] == 2


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every scalar of a parsed file with its path."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from leaves(item, f"{path}[{i}]")
    else:
        yield path, value


def files() -> list[tuple[str, str]]:
    """Every third file of the shipped catalogue, and each of the sample."""
    root = Path(str(shipped("catalog")))
    paths = sorted(root.rglob("*.toml"))
    single = [path for path in paths if path.parent == root]
    chosen = dict.fromkeys([*single, *paths[::3]])
    return [*((str(p.relative_to(root)), p.read_text("utf-8")) for p in chosen), *samples.SOUND.items()]


def test_every_value_is_on_the_line_that_is_told_or_below_its_key() -> None:
    """For each value of the catalogue's files, as tomllib reads it: its key, and what fits on the line, is there."""
    checked = 0
    for name, text in files():
        index, rows = lines.index(text), text.split("\n")
        for path, value in leaves(tomllib.loads(text)):
            line = lines.find(index, path)
            assert line, (name, path)
            row = rows[line - 1]
            key = path.rpartition(".")[2].partition("[")[0]
            whole = rows[line - 1 : line + 120] if row.rstrip().endswith(("[", '"""', '"""\\')) else [row]
            assert key in row or "{" in row, (name, path, row)
            if isinstance(value, str) and value.isprintable() and len(value) < 60 and '"""' not in row:
                assert any(value in part.replace("\\", "") for part in whole), (name, path, row)
            checked += 1
    assert checked > 5000


def test_every_listed_name_is_on_its_own_line() -> None:
    """What problems point at most: `domains[i].name` of each file."""
    for name, text in files():
        index, rows = lines.index(text), text.split("\n")
        for i, domain in enumerate(tomllib.loads(text).get("domains", ())):
            row = rows[lines.find(index, f"domains[{i}].name") - 1]
            assert row == f'name = "{domain["name"]}"' or row.startswith(f'name = "{domain["name"]}"  '), (name, row)


@given(st.text(st.sampled_from("ab =[]{}\"'#\n.,1"), max_size=120))
def test_no_text_breaks_the_index(text: str) -> None:
    """Broken TOML, too, gets lines that exist."""
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.index(text).values())
