"""From parsed TOML to values: every fault with its place, and the sound rest kept."""

from __future__ import annotations

import datetime as dt
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import samples
from aidns.catalog.convert import Fault, convert
from aidns.catalog.reader import COLLECTIONS, SINGLES, SUBJECTS, SharedFile
from aidns.model import Measure, Policy, SeenDate, Service

SERVICE = tomllib.loads(samples.SOUND["services/acme-chat.toml"])


def service(**changes: Any) -> dict[str, Any]:
    return {**SERVICE, **changes}


def test_a_sound_table_has_no_fault() -> None:
    """Every kind of file converts whole."""
    kinds = SUBJECTS | COLLECTIONS | SINGLES
    seen = set()
    for path, text in samples.SOUND.items():
        kind = path.partition("/")[0]
        if kind in kinds:
            value, faults = convert(tomllib.loads(text), kinds[kind])
            assert (value is not None, faults) == (True, []), path
            seen.add(kind)
    assert seen == kinds.keys()


def test_a_key_may_have_another_name_in_code() -> None:
    """`class` is a word of Python's, so that its field is called otherwise."""
    value, faults = convert(tomllib.loads(samples.SOUND["shared.toml"]), SINGLES["shared.toml"])
    assert faults == []
    assert isinstance(value, SharedFile)
    assert value.shared[0].klass == "cdn"


def test_dates_are_dates_or_undated() -> None:
    """`seen` takes a TOML date or the word; a text that looks like a date and a date with a time are faults."""

    def read(seen: object) -> tuple[Service | None, list[Fault]]:
        domain = {"name": "a", "role": "b", "evidence": [{"kind": "press", "url": "u", "says": "x", "seen": seen}]}
        return convert(service(domains=[domain]), Service)

    for seen, expected in ((dt.date(2026, 2, 10), SeenDate(dt.date(2026, 2, 10))), ("undated", SeenDate())):
        value, faults = read(seen)
        assert faults == []
        assert value is not None
        assert value.domains[0].evidence[0].seen == expected
    for seen in ("2026-02-10", "Undated", "", 2026, dt.datetime(2026, 2, 10, tzinfo=dt.UTC), None):
        value, faults = read(seen)
        assert faults == [
            ("domains[0].evidence[0].seen", 'expected a date such as 2026-02-10, or "undated"'),
        ]
        assert value is not None
        assert value.domains[0].evidence == ()


def test_every_fault_is_found_and_the_rest_kept() -> None:
    """Several broken places at once: each is told with its path, and what is sound stays to be judged."""
    raw = service(
        title="",
        status="sleeping",
        colour="red",
        domains=[
            {"name": "good.example", "role": "web"},
            {"name": 5, "role": "web"},
            {"role": "web", "scope": "wide"},
            "not a table",
        ],
        data={"storage": [{"value": [], "as_of": "undated"}, {"value": ["KR"], "as_of": "undated"}], "extra": 1},
    )
    value, faults = convert(raw, Service)
    assert value is None, "without a title there is no service"
    assert {path for path, _ in faults} == {
        "title", "status", "colour", "domains[1].name", "domains[2].scope", "domains[2]", "domains[3]",
        "data.storage[0].value", "data.extra",
    }  # fmt: skip
    value, faults = convert({**raw, "title": "Good"}, Service)
    assert value is not None
    assert [domain.name for domain in value.domains] == ["good.example"]
    assert [fact.value for fact in value.data.storage] == [("KR",)]
    assert value.status == "active"


@pytest.mark.parametrize(
    ("to", "raw", "fault"),
    [
        (Service, service(schema=2), ("schema", "Invalid enum value 2; known: 1")),
        (
            Policy,
            {"schema": 1, "title": "x", "list": [{"path": "a", "reason": "b", "syntax": "hots"}]},
            ("list[0].syntax", "Invalid enum value 'hots'; known: domains, hosts, adblock, dnsmasq, rpz"),
        ),
        (Service, service(schema=True), ("schema", "Expected `int`, got `bool`")),
        (Service, service(categories=[]), ("categories", "Expected `array` of length >= 1")),
        (Service, service(categories="chat"), ("categories", "Expected `array`, got `str`")),
        (Service, service(categories=[""]), ("categories[0]", "Expected `str` of length >= 1")),
        (Service, service(categories=["chat", ""]), ("categories[1]", "Expected `str` of length >= 1")),
        (Service, {k: v for k, v in SERVICE.items() if k != "provider"}, ("", "`provider` is missing")),
        (Policy, {"schema": 1, "title": "x", "action": {"defautl": "null"}}, ("action.defautl", "unknown key")),
        (Policy, {"schema": 1, "title": "x", "expires": "2026-12-31"}, ("expires", "Expected `date")),
        (
            Policy,
            {"schema": 1, "title": "x", "select": {"include": [{"servce": ["a"]}]}},
            ("select.include[0].servce", "unknown key"),
        ),
        (Policy, {"schema": 1, "title": "x", "evil\nkey": 1}, ("?", "unknown key")),
    ],
)
def test_a_fault_has_its_path_and_reason(to: type, raw: dict[str, Any], fault: tuple[str, str]) -> None:
    """One fault, one path as deep as it lies, one reason."""
    _, faults = convert(raw, to)
    assert len(faults) == 1
    assert faults[0][0] == fault[0]
    assert faults[0][1].startswith(fault[1])


def test_an_unknown_key_is_answered_with_the_known_ones() -> None:
    """`id` is not among them: the file's name is the id."""
    _, faults = convert(service(domain=[]), Service)
    message = faults[0][1]
    assert "domains" in message
    assert " id" not in message


def test_a_date_with_a_time_is_no_date() -> None:
    """TOML knows both; a measure was checked on a day."""
    raw = tomllib.loads(
        samples.SOUND["measures/kr-samples-2026-01.toml"].replace(
            "checked = 2026-02-10", "checked = 2026-02-10T10:00:00"
        )
    )
    assert [path for path, _ in convert(raw, Measure)[1]] == ["checked"]


TOML = st.recursive(
    st.one_of(st.text(max_size=8), st.integers(), st.booleans(), st.floats(), st.dates()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(SERVICE)), TOML, max_size=4))
def test_no_value_in_any_place_escapes(changes: dict[str, Any]) -> None:
    """Whatever stands where: either the whole converts, or at least one fault is told; never an exception."""
    value, faults = convert({**SERVICE, **changes}, Service)
    assert value is not None or faults
