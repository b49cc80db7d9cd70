"""Edits by field path: what is written where, and that the rest of the file stays."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidns.catalog.canon import canonical, print_document, shape_of
from aidns.catalog.mend import mend, quoted
from aidns.catalog.syntax import parse
from aidns.model import Fix
from samples import SOUND

PATH = "services/x.toml"
TEXT = """\
# X
schema = 1
title = "X" # its name
categories = ["chat", "api"]

[data]
storage = [{ value = ["CN"], as_of = 2026-02-10, note = "there" }]

[[domains]]
name = "a.example"
evidence = [
  # the terms
  { kind = "press", url = "u", seen = "undated", says = "s" },
  { kind = "dns", url = "v", seen = "undated", says = "t" },
]

# the second
[[domains]]
name = "b.example"

[[domains]]
name = "c.example"

[[select.include]]
role = ["web"]
"""


def mended(*fixes: Fix) -> str:
    return print_document(mend(parse(TEXT), fixes), shape_of(PATH))


def test_the_sample_is_canonical() -> None:
    """So that below only what a fix does can differ."""
    assert mended() == TEXT == canonical(PATH, TEXT)


@pytest.mark.parametrize(
    ("fix", "old", "new"),
    [
        (Fix("title", "Y"), 'title = "X" # its name', 'title = "Y" # its name'),
        (Fix("title", 'Y "\\'), '"X"', r'"Y \"\\"'),
        (Fix("categories[1]", "hub"), '["chat", "api"]', '["chat", "hub"]'),
        (Fix("categories[0]"), '["chat", "api"]', '["api"]'),
        (Fix("note", "new"), '"api"]\n', '"api"]\nnote = "new"\n'),
        (Fix("categories"), 'categories = ["chat", "api"]\n', ""),
        (Fix("data.storage[0].note", "here"), '"there"', '"here"'),
        (Fix("data.storage[0].note"), ', note = "there"', ""),
        (Fix("data.storage[0].value[0]", "KR"), '["CN"]', '["KR"]'),
        (Fix("domains[1].name", "z.example"), '"b.example"', '"z.example"'),
        (Fix("domains[0].scope", "exact"), '"a.example"\n', '"a.example"\nscope = "exact"\n'),
        (Fix("domains[0].evidence[1].says", "other"), 'says = "t"', 'says = "other"'),
        (
            Fix("domains[0].evidence[0]"),
            '  # the terms\n  { kind = "press", url = "u", seen = "undated", says = "s" },\n',
            "",
        ),
        (Fix("domains[1]"), '# the second\n[[domains]]\nname = "b.example"\n\n', ""),
        (Fix("select.include[0].role[0]", "api"), 'role = ["web"]', 'role = ["api"]'),
    ],
    ids=lambda value: f"{value.field}" if isinstance(value, Fix) else "",
)
def test_one_fix_changes_one_place(fix: Fix, old: str, new: str) -> None:
    """Comments, order and everything else stay."""
    assert TEXT.count(old) == 1
    assert mended(fix) == TEXT.replace(old, new)


def test_entries_are_counted_as_the_file_has_them() -> None:
    """Two entries that go at once, and a field of a third, whatever the order of the fixes."""
    fixes = (Fix("domains[0]"), Fix("domains[2].name", "z.example"), Fix("domains[1]"))
    for order in (fixes, fixes[::-1]):
        assert tomllib.loads(mended(*order))["domains"] == [{"name": "z.example"}]


@pytest.mark.parametrize(
    "field", ["domains[9].name", "domains[9]", "nothing[0].there", "data.storage[7].note", "title.deeper", "gone"]
)
def test_a_place_that_is_not_there_is_left_alone(field: str) -> None:
    """A file may be spelt in a way that the path does not know; then nothing happens to it."""
    assert mended(Fix(field)) == TEXT


def test_dotted_keys_are_left_alone() -> None:
    """They are another way to spell what the path means."""
    text = 'data.storage = [{ value = ["CN"] }]\n'
    assert print_document(mend(parse(text), [Fix("data.storage[0].note", "x")]), shape_of(PATH)) == text


@pytest.mark.parametrize("path", SOUND)
def test_no_fix_is_the_canonical_form(path: str) -> None:
    """Mending begins and ends where formatting does."""
    assert print_document(mend(parse(SOUND[path]), ()), shape_of(path)) == canonical(path, SOUND[path])


@given(st.text())
def test_every_text_can_be_quoted(text: str) -> None:
    """One line of TOML, which says the text again."""
    line = f"title = {quoted(text)}"
    assert tomllib.loads(line) == {"title": text}
    assert canonical(PATH, line) == f"{line}\n"
