"""docs/catalog-guidelines.md and the forms on GitHub say what the catalogue and the program do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from aidns.catalog.canon import canonical
from aidns.catalog.load import load
from aidns.model import Domain, Provider, Service
from samples import SOUND, loaded

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "catalog-guidelines.md").read_text(encoding="utf-8")
EXAMPLES = dict(zip(("services", "providers"), re.findall(r"^```toml\n(.*?)^```$", TEXT, re.M | re.S), strict=True))
VOCAB = load().catalog.vocab


def first_cells(heading: str, column: int = 0) -> list[str]:
    """The code words in one column of the table below a heading."""
    section = TEXT.partition(f"## {heading}")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")][2:]
    return [row[column].strip("`") for row in rows]


@pytest.mark.parametrize("folder", EXAMPLES)
def test_examples_are_in_the_form_that_they_explain(folder: str) -> None:
    """But for the gaps before comments, which stand in one column there."""
    plain = re.sub(r" +#", " #", EXAMPLES[folder])
    assert canonical(f"{folder}/example.toml", plain) == plain


@pytest.mark.parametrize("folder", EXAMPLES)
def test_examples_are_of_the_right_types(folder: str) -> None:
    """They load; only what they refer to is not in the samples."""
    found = loaded({**SOUND, f"{folder}/example.toml": EXAMPLES[folder]})
    assert {problem.rule for problem in found.problems} <= {"region-pattern"}


def test_examples_show_every_key_that_is_common() -> None:
    """Who writes a file sees each key once, apart from those that the text explains."""
    keys = set(re.findall(r"^(\w+) =|\b(\w+) =", "".join(EXAMPLES.values()), re.M))
    shown = {key for pair in keys for key in pair} | set(re.findall(r"`(?:select\.)?(\w+)", TEXT))
    wanted: set[str] = {key for to in (Service, Domain, Provider) for key in fields(to)}
    assert wanted - shown - {"id", "data", "domains", "dependencies"} == set()


def fields(to: Any) -> tuple[str, ...]:
    return tuple(to.__struct_encode_fields__)


def test_every_reason_to_leave_a_name_out_is_explained() -> None:
    """The table of what comes in, and the words of the vocabulary."""
    assert sorted(first_cells("What comes in", 1)) == sorted(VOCAB["rejection"])


def test_evidence_is_ranked_as_in_the_vocabulary() -> None:
    """The order is the rank."""
    assert first_cells("Evidence kinds, strongest first") == list(VOCAB["evidence"])


def test_every_rule_has_its_reason() -> None:
    """Rules that nobody can explain cannot be changed for a reason either."""
    rules = re.findall(r"^(\d+)\. (.*?)(?=^\d+\. |\n\n)", TEXT.partition("## The rules")[2], re.M | re.S)
    assert [int(number) for number, _ in rules] == list(range(1, 11))
    assert [number for number, rule in rules if "Why: " not in rule] == []


@pytest.mark.parametrize("form", ["new-service", "wrong-block", "missing-name"])
def test_forms_ask_for_evidence_and_for_harm(form: str) -> None:
    """How you know, and what would break for others: without these nobody can decide."""
    text = (ROOT / ".github" / "ISSUE_TEMPLATE" / f"{form}.yml").read_text(encoding="utf-8")
    assert re.search(r"evidence|how do you know", text, re.I)
    assert re.search(r"break|broke", text)
    assert "required: true" in text


def test_the_pull_request_form_asks_the_same() -> None:
    """And it is short."""
    text = (ROOT / ".github" / "PULL_REQUEST_TEMPLATE.md").read_text(encoding="utf-8")
    assert "How do you know" in text and "what would break" in text
    assert len(text.splitlines()) < 20
