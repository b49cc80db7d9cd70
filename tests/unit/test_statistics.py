"""Numbers about the catalogue, and its weakest evidence: what `aidns list` counts and puts first."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from aidns.catalog.load import load
from aidns.cli import cli
from aidns.errors import UsageError
from aidns.listing import evidence, strongest
from aidns.statistics import Row, listing, statistics
from samples import ROOT, SOUND, catalog

ROWS = {(row.group, row.value): row for row in statistics(catalog())}
SAMPLE = ("--catalog", str(ROOT))


def run(*words: str) -> str:
    found = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert found.exit_code == 0
    return found.stdout


# ------------------------------------------------------------------ numbers


@pytest.mark.parametrize(
    ("group", "value", "count", "of", "share"),
    [
        ("all", "services", 4, "entries", 1),
        ("all", "services with a name", 3, "entries", 1),
        ("all", "providers", 5, "entries", 1),
        ("all", "names of services", 11, "entries", 1),
        ("all", "look-alikes", 1, "entries", 1),
        ("category", "chat", 3, "services", 0.75),
        ("category", "hub", 1, "services", 0.25),
        ("registered in", "KR", 1, "services", 0.25),
        ("registered in", "US", 2, "services", 0.5),
        ("registered in", "unknown", 1, "services", 0.25),
        ("parent in", "KR", 2, "services", 0.5),
        ("status", "renamed", 1, "services", 0.25),
        ("sharing", "tenant", 1, "names", 0.091),
        ("confidence", "low", 2, "names", 0.182),
        ("strongest evidence", "public-list", 1, "names", 0.091),
        ("strongest evidence", "press", 2, "names", 0.182),
        ("unknown", "storage", 2, "services", 0.5),
        ("unknown", "retention", 3, "services", 0.75),
        ("unknown", "parent_in", 1, "providers", 0.2),
        ("measure status", "in-force", 1, "measures", 1),
    ],
)
def test_counts(group: str, value: str, count: int, of: str, share: float) -> None:
    """Each against a count by hand of the samples."""
    assert ROWS[group, value] == Row(group, value, count, of, share)


def test_every_service_and_every_name_is_counted_once() -> None:
    """Groups in which an entry has one value sum up to the whole."""
    rows = statistics(load().catalog)
    whole = {row.value: row.count for row in rows if row.group == "all"}
    for group in ("status", "separable"):
        assert sum(row.count for row in rows if row.group == group) == whole["services"]
    for group in ("role", "scope", "sharing", "confidence", "strongest evidence"):
        assert sum(row.count for row in rows if row.group == group) == whole["names of services"]
    for group in ("measure status", "measure strength"):
        assert sum(row.count for row in rows if row.group == group) == whole["measures"]


def test_an_empty_catalogue_has_numbers_too() -> None:
    """Nothing is divided by nothing."""
    empty = catalog({"catalog.toml": SOUND["catalog.toml"]})
    assert all(row.count == 0 for row in statistics(empty))
    assert all(row.share == 0 for row in statistics(empty) if row.group != "all")


def test_stats_are_printed_as_a_table_and_as_a_document() -> None:
    """The same rows; shares as percent for people, as fractions for programs."""
    lines = [line.split("\t") for line in run("list", "--stats", *SAMPLE).splitlines()]
    assert ["category", "chat", "3", "services", "75%"] in lines
    document = json.loads(run("list", "--stats", "--json", *SAMPLE))
    assert document["schema"] == "aidns/list-stats/1"
    assert document["stats"] == list(listing(statistics(catalog())).objects)
    assert len(document["stats"]) == len(lines)


# ------------------------------------------------------------------ evidence


def test_the_weakest_evidence_comes_first() -> None:
    """Rank of the strongest kind, then how much there is, then how old: a stranger sees where to look."""
    rows = [(o["evidence"], o["entries"], o["seen"]) for o in evidence(catalog()).objects]
    ranks = {"none": 0, "press": 1, "public-list": 2, "vendor-document": 3}
    keys = [(ranks[kind], entries, "" if seen == "undated" else seen) for kind, entries, seen in rows]
    assert keys == sorted(keys)
    assert {kind for kind, _, _ in rows} == {"press", "public-list", "vendor-document"}


def test_a_name_without_evidence_is_weakest_of_all() -> None:
    """Lint refuses it; until then it is first."""
    text = SOUND["services/gamma-hub.toml"]
    bare = {**SOUND, "services/gamma-hub.toml": text[: text.index("evidence")]}
    first = evidence(catalog(bare)).objects[0]
    assert (first["name"], first["evidence"], first["entries"], first["seen"]) == ("gamma.example", "none", 0, "")


def test_strongest_is_the_newest_of_the_best_kind() -> None:
    """An undated copy is older than any that has a date."""
    text = SOUND["services/gamma-hub.toml"]
    items = [
        '{ kind = "press", url = "https://a.example/", seen = 2026-03-01, says = "a" }',
        '{ kind = "public-list", url = "https://b.example/", seen = "undated", says = "b" }',
        '{ kind = "public-list", url = "https://c.example/", seen = 2025-01-01, says = "c" }',
        '{ kind = "public-list", url = "https://d.example/", seen = 2024-01-01, says = "d" }',
    ]
    made = catalog(
        {**SOUND, "services/gamma-hub.toml": f"{text[: text.index('evidence')]}evidence = [{','.join(items)}]\n"}
    )
    found = strongest(made, made.services["gamma-hub"].domains[0].evidence)
    assert found is not None and found.says == "c"
    assert strongest(made, ()) is None


def test_evidence_is_printed_as_a_table_and_as_a_document() -> None:
    """One row a listed name, under the schema of the names."""
    lines = run("list", "domains", "--evidence", *SAMPLE).splitlines()
    document = json.loads(run("list", "domains", "--evidence", "--json", *SAMPLE))
    assert document["schema"] == "aidns/list-domains/1"
    assert [line.split("\t")[0] for line in lines] == [one["name"] for one in document["domains"]]
    assert len(lines) == len(catalog().names)


@pytest.mark.parametrize("words", [(), ("services", "--stats"), ("services", "--evidence"), ("--evidence",)])
def test_what_makes_no_sense_is_refused(words: tuple[str, ...]) -> None:
    """A table or numbers; evidence is about names."""
    with pytest.raises(UsageError):
        CliRunner().invoke(cli, ["list", *words], catch_exceptions=False, standalone_mode=False)
