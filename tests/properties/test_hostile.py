"""No text of a catalogue or policy becomes more than text: lint finds it, and forced into a list it adds no line."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import strategies as draw
from aidns import pipeline
from aidns.blockset import compile_selection
from aidns.errors import AidnsError, DataError
from aidns.model import Catalog, Policy, Rule
from aidns.names import Name
from aidns.policy import client_scopes, expand, select
from aidns.render.artefact import render
from aidns.render.formats import FORMATS
from properties.hostile import BREAKING, NAMELESS, Place, places, planted, texts_of_types, toml, written
from samples import NOW, SOUND, TODAY, catalog, problems

Steps = tuple[str | int, ...]
OFFICE = "policies/office.toml"
RAW = {file: tomllib.loads(text) for file, text in SOUND.items()}
PLACES = [(file, place) for file, raw in RAW.items() for place in places(file, raw)]
ONE_OF_EACH = list({(place.owner, place.key): (file, place) for file, place in PLACES}.values())
"""One place for each key of each type."""

PROSE_KEYS: dict[str, str] = {
    "Bypass": "breaks note what",
    "CatalogInfo": "homepage issues license title",
    "Citation": "says",
    "ClientScope": "note tags",
    "Dependency": "breaks note",
    "Domain": "breaks covers_suffix note",
    "Evidence": "says",
    "Fact": "note value",
    "InlineAllow": "approved_by reason",
    "InlineBlock": "reason",
    "Lookalike": "note",
    "Measure": "audience dns_cannot note title who",
    "Parking": "what",
    "Policy": "dns_cannot owner preset summary title",
    "Provider": "legal_names note title",
    "Rejected": "note service",
    "Service": "also_known_as note separable_note title",
    "ServiceException": "approved_by reason",
    "Shared": "breaks note what",
    "Vocab": "definition",
    "Waiver": "reason",
    "Wording": "verb",
}
"""Keys whose text a person reads: a U-label or a star does no harm there. All others are names, words or ids."""
PROSE = {(owner, key) for owner, keys in PROSE_KEYS.items() for key in keys.split()}


def with_text(file: str, place: Place, text: str) -> dict[str, str]:
    """The sample's files with another text in one place."""
    return {**SOUND, file: toml(planted(RAW[file], place.path, text))}


def test_the_sample_has_a_text_in_every_key_of_every_type() -> None:
    """By reflection over the types: a new key is attacked here from its first day."""
    in_own_policies = {(owner, key) for owner, key in texts_of_types() if owner == "OwnList"}  # see test_own_lists
    assert {(place.owner, place.key) for _, place in PLACES} == texts_of_types() - in_own_policies
    assert problems({file: toml(raw) for file, raw in RAW.items()}) == ()


def rounds() -> Iterator[dict[str, Place]]:
    """One place of each file at a time, until each key of each type had its turn."""
    waiting: dict[str, list[Place]] = {}
    for file, place in ONE_OF_EACH:
        waiting.setdefault(file, []).append(place)
    while waiting:
        yield {file: left.pop() for file, left in waiting.items()}
        waiting = {file: left for file, left in waiting.items() if left}


@pytest.mark.parametrize("label", BREAKING)
def test_no_hostile_text_gets_past_lint(label: str) -> None:
    """Line breaks, quotes, directives, template syntax, controls: an error at that very place, whatever the key."""
    missed = []
    for each in rounds():
        files = dict(SOUND)
        for file, place in each.items():
            files[file] = toml(planted(RAW[file], place.path, BREAKING[label]))
        found = problems(files)
        assert all(str(problem).isprintable() for problem in found)
        errors = [(p.file, p.field) for p in found if p.level == "error"]
        missed += [
            (file, place)
            for file, place in each.items()
            if not any(f == file and written(place.path).startswith(field) for f, field in errors)
        ]
    assert missed == []


@pytest.mark.parametrize("label", NAMELESS)
def test_what_is_no_name_stands_only_in_prose(label: str) -> None:
    """A U-label, a wildcard, an over-long name is an error in every key that is a name, a word or an id."""
    passed = {
        (place.owner, place.key)
        for file, place in ONE_OF_EACH
        if not any(p.level == "error" for p in problems(with_text(file, place, NAMELESS[label])))
    }
    assert passed <= PROSE


def test_a_hostile_key_is_an_unknown_key() -> None:
    """Tables of any kind, and the names of tables in files that hold tables by name."""
    for file in ("services/acme-chat.toml", "policies/office.toml", "shared.toml", "catalog.toml"):
        for text in BREAKING.values():
            found = problems({**SOUND, file: toml({**RAW[file], text: "x"})})
            assert any(p.file == file and p.level == "error" for p in found)
            assert all(str(p).isprintable() for p in found)
    for file in ("vocab.toml", "regions.toml"):
        for text in BREAKING.values():
            found = problems({**SOUND, file: toml({**RAW[file], text: RAW[file][next(reversed(RAW[file]))]})})
            assert any(p.level == "error" for p in found), (file, text)
            assert all(str(p).isprintable() for p in found)


@pytest.mark.parametrize("label", ["newline and directive", "double quote", "expression", "escape"])
def test_a_hostile_own_policy_is_refused(label: str, tmp_path: Path) -> None:
    """Every text of a policy file, by the door that an administrator's own file takes."""
    own = tmp_path / "ours.toml"
    for place in one_of_each(place for file, place in PLACES if file == OFFICE):
        own.write_text(toml(planted(RAW[OFFICE], place.path, BREAKING[label])), "utf-8")
        with pytest.raises(DataError) as refusal:
            pipeline.find_policy(catalog(), str(own))
        assert refusal.value.problems, place


# ------------------------------------------------------------------ forced into the renderer


def forced(value: Any, path: Steps, text: str) -> Any:
    """Return a copy of frozen values with another text in one place: no type, no rule is asked."""
    if not path:
        return text
    head, *rest = path
    if isinstance(value, dict):
        return {**value, head: forced(value[head], tuple(rest), text)}
    if isinstance(value, tuple):
        return tuple(forced(item, tuple(rest), text) if i == head else item for i, item in enumerate(value))
    return msgspec.structs.replace(value, **{str(head): forced(getattr(value, str(head)), tuple(rest), text)})


def leaves(value: Any, path: Steps = (), owner: str = "", key: str = "") -> Iterator[Place]:
    """Every place in frozen values where a text stands, expanded names and ids included."""
    if isinstance(value, str):
        yield Place(path, owner, key)
    elif isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            yield from leaves(getattr(value, field), (*path, field), type(value).__name__, field)
    elif isinstance(value, tuple):
        for i, item in enumerate(value):
            yield from leaves(item, (*path, i), owner, key)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, (*path, name), owner, key)


def one_of_each(places_: Iterable[Place]) -> list[Place]:
    """Return one place for each key of each type."""
    return list({(place.owner, place.key): place for place in places_}.values())


CARRIERS = ("office", "garden", "garden-name", "guard", "watch", "stricter")
"""Policies that bring every kind of value into a list: exceptions, gardens, bypass names, look-alikes."""
POLICIES = {name: expand(catalog().policies[name], catalog().policies) for name in CARRIERS}


def lines(whole: Catalog, policy: Policy, fmt: str) -> list[str] | None:
    """The rules of a list made without lint, whatever is in the values; None where it is refused.

    JSON and CSV carry texts inside quotes and columns: there the rules are what a reader of them sees.
    """
    try:
        blockset = compile_selection(select(whole, policy, TODAY, client_scopes(policy)[0]), {})
        text = render(FORMATS[fmt], blockset, whole, {}, lambda _digest: (7, NOW)).text
    except AidnsError:
        return None
    assert text.isascii()
    assert not set(text) & set(map(chr, (*range(10), *range(11, 32), 127)))
    if fmt == "json":
        return [f"{rule['name']} {rule['itself']} {rule['below']}" for rule in json.loads(text)["rules"]]
    kept = [line for line in text.split("\n") if not line.startswith(FORMATS[fmt].comment)]
    return [line.rpartition(",")[0] for line in kept] if fmt == "csv" else kept


SAYS = {name: [fmt for fmt in FORMATS if lines(catalog(), policy, fmt)] for name, policy in POLICIES.items()}
"""Policy -> formats that can say it."""
FORCED = {
    label: {**BREAKING, **NAMELESS}[label]
    for label in (
        "newline and directive", "newline and rule", "newline and comment end", "carriage return", "double quote",
        "expression", "statement", "NUL", "line separator", "wildcard",
    )
}  # fmt: skip
"""What could make a line, end one, or end what stands in quotes."""
TURNS = 4
"""Texts that each place is given: after a few places every text, and every format with every text, had its turn."""
PARTS = {
    "office": ("info", "providers", "services", "names", "measures", "shared", "rejected", "parking", "regions"),
    "stricter": ("lookalikes", "names"),
    "guard": ("bypass", "names"),
}
"""Policy -> the parts of the catalogue that come into its lists, or might."""
Change = Callable[[str], tuple[Catalog, Policy]]


def assert_adds_no_line(change: Change, policy_id: str, turn: int, place: Place) -> None:
    """Refused, or the same rules as with a harmless text in the same place."""
    harmless: dict[str, list[str] | None] = {}
    for number in range(turn * TURNS, (turn + 1) * TURNS):
        label, text = list(FORCED.items())[number % len(FORCED)]
        fmt = SAYS[policy_id][(turn + number) % len(SAYS[policy_id])]
        found = lines(*change(text), fmt)
        if found is not None:
            if fmt not in harmless:
                harmless[fmt] = lines(*change("harmless"), fmt)
            assert found == harmless[fmt], (label, fmt, place)


@pytest.mark.parametrize("policy_id", CARRIERS)
def test_no_text_of_a_policy_adds_a_line(policy_id: str) -> None:
    """Every text of every policy, forced past lint into the lists, in turn into each format."""
    policy = POLICIES[policy_id]
    for turn, place in enumerate(one_of_each(leaves(policy))):

        def change(text: str, path: Steps = place.path) -> tuple[Catalog, Policy]:
            return catalog(), forced(policy, path, text)

        assert_adds_no_line(change, policy_id, turn, place)


@pytest.mark.parametrize("policy_id", PARTS)
def test_no_text_of_the_catalogue_adds_a_line(policy_id: str) -> None:
    """Every text of the values that lists are made from, names expanded and compiled included."""
    inside = one_of_each(leaves({part: getattr(catalog(), part) for part in PARTS[policy_id]}))
    for turn, place in enumerate(inside):

        def change(text: str, path: Steps = place.path) -> tuple[Catalog, Policy]:
            return forced(catalog(), path, text), POLICIES[policy_id]

        assert_adds_no_line(change, policy_id, turn, place)


@pytest.mark.parametrize("label", FORCED)
def test_a_forced_garden_adds_no_line(label: str) -> None:
    """What a blocked name is answered with stands in the lines of rules: it is an address, a name or nothing."""
    for key in ("a", "aaaa", "cname"):
        policy = forced(POLICIES["garden"], ("action", "walled_garden", key), f"192.0.2.1{FORCED[label]}")
        for fmt in ("unbound", "rpz", "dnsmasq"):
            assert lines(catalog(), policy, fmt) is None, (key, fmt)


@given(draw.rules(), st.sampled_from(sorted(FORCED)), st.integers(0, 99), st.sampled_from(sorted(FORMATS)))
def test_a_forced_name_comes_into_no_list(rules: tuple[Rule, ...], label: str, where: int, fmt: str) -> None:
    """One owner that is no name, and there is no list, or a list without it."""
    bad = Rule(Name(FORCED[label] + ".gamma.lab"), "subtree", True, "policy", "drawn")
    some = [*rules[: where % (len(rules) + 1)], bad, *rules[where % (len(rules) + 1) :]]
    action = FORMATS[fmt].actions[:1] or ("nxdomain",)

    def made(chosen: list[Rule]) -> list[str]:
        blockset = compile_selection(draw.selection(tuple(chosen), draw.policy(action=action[0])), {})
        text = render(FORMATS[fmt], blockset, catalog(), {}, lambda _digest: (7, NOW)).text
        return [line for line in text.split("\n") if not line.startswith(FORMATS[fmt].comment)]

    try:
        found = made(some)
    except AidnsError:
        return
    assert found == made(list(rules))


ANY_TEXT = st.text(st.characters(), max_size=60)


@given(ANY_TEXT, ANY_TEXT, st.lists(ANY_TEXT, max_size=3).map(tuple), st.integers(0, 999))
def test_whatever_people_write_stays_a_comment(title: str, summary: str, limits: tuple[str, ...], turn: int) -> None:
    """Any text at all, lone surrogates included: the rules are as they were, every other line is a comment."""
    policy_id = CARRIERS[turn % len(CARRIERS)]
    fmt = SAYS[policy_id][turn % len(SAYS[policy_id])]
    policy = msgspec.structs.replace(POLICIES[policy_id], title=title, summary=summary, dns_cannot=limits)
    assert lines(catalog(), policy, fmt) == lines(catalog(), POLICIES[policy_id], fmt)
