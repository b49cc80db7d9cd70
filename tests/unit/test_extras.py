"""What is asked beyond the names, what is asked where, and how a random name is remembered."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidns import psl
from aidns.errors import UsageError
from aidns.lookup.attempt import Question, Schedule
from aidns.lookup.extras import (
    ZONE_TYPES,
    Plan,
    Shard,
    as_recorded,
    parse_shard,
    plan,
    random_child,
    wildcard_parent,
    wildcard_parents,
)
from aidns.model import Observation, Outcome
from aidns.names import Name, parse

RESOLVERS = ("9.9.9.9", "1.1.1.1")
NAMES = tuple(map(Name, ("api.shop.com", "shop.com", "a.b.shop.com", "x.other.net", "bot.hf.space", "co.uk")))
names = st.lists(st.sampled_from([*NAMES, *(Name(f"h{n}.z{n % 7}.org") for n in range(40))]), max_size=30, unique=True)


def questions(due: Plan) -> Counter[Question]:
    """Everything that one resolver is asked."""
    schedule = Schedule(due.names, RESOLVERS, due.settled, zone=ZONE_TYPES, extra=due.extra)
    asked: Counter[Question] = Counter()
    while (question := schedule.at(RESOLVERS[0]).next()) is not None:
        asked[question] += 1
        schedule.at(RESOLVERS[0]).done(question, Outcome.DATA)
    return asked


def whole(listed: list[Name] | tuple[Name, ...], known: frozenset[tuple[str, str, str]] = frozenset()) -> Plan:
    return plan(listed, RESOLVERS, known, 1, Shard())


def test_zones_and_wildcards_are_asked_about_once() -> None:
    asked = questions(whole(NAMES))
    for zone in ("shop.com", "other.net", "hf.space"):
        assert [asked[Question(Name(zone), rdtype)] for rdtype in ZONE_TYPES] == [1, 1, 1]
    parents = {question.name.partition(".")[2] for question in asked if question.name.startswith("aidns-")}
    assert parents == {"shop.com", "b.shop.com", "other.net", "hf.space"}
    assert set(asked.values()) == {1}


@given(names, st.integers(1, 5))
def test_shards_share_the_work_without_asking_anything_twice(listed: list[Name], count: int) -> None:
    parts = [questions(plan(listed, RESOLVERS, frozenset(), 1, Shard(n + 1, count))) for n in range(count)]
    assert sum(parts, Counter()) == questions(whole(listed))


@given(names, st.data())
def test_what_is_proven_is_not_asked(listed: list[Name], data: st.DataObject) -> None:
    every = questions(whole(listed))
    recorded = {as_recorded(_seen(question.name)).name: question for question in every}
    chosen = data.draw(st.sets(st.sampled_from(sorted(recorded)))) if recorded else set()
    known = frozenset((name, recorded[Name(name)].rdtype, RESOLVERS[0]) for name in chosen)
    left = questions(whole(listed, known))
    assert left == Counter(
        question for question in every if (_stored(question), question.rdtype, RESOLVERS[0]) not in known
    )


def _seen(name: Name) -> Observation:
    return Observation(name, "A", RESOLVERS[0], Outcome.DENIED, 1, name)


def _stored(question: Question) -> Name:
    return as_recorded(_seen(question.name)).name


def test_shards_are_stable() -> None:
    """Machines of different kinds and releases agree: by the SHA-256 of the name."""
    assert [n for n in (1, 2, 3) if Shard(n, 3).holds("shop.com")] == [1]
    assert [n for n in (1, 2, 3) if Shard(n, 3).holds("api.shop.com")] == [2]


@pytest.mark.parametrize("text", ["", "0/3", "4/3", "1", "1/0", "-1/3", "1/3/5", "a/b", "1/99999", "01/3"])
def test_nonsense_is_no_shard(text: str) -> None:
    with pytest.raises(UsageError):
        parse_shard(text)


def test_a_shard_is_written_as_a_fraction() -> None:
    assert parse_shard("2/3") == Shard(2, 3)


@pytest.mark.parametrize(
    ("name", "parent"),
    [("api.shop.com", "shop.com"), ("shop.com", "shop.com"), ("a.b.shop.com", "b.shop.com"), ("co.uk", None)],
)
def test_a_wildcard_is_looked_for_beside_a_host_and_below_a_domain(name: str, parent: str | None) -> None:
    assert wildcard_parent(Name(name)) == parent


@given(names, st.integers(0, 2**40), st.integers(0, 2**40))
def test_random_names_are_names_and_change_with_the_run(listed: list[Name], one: int, other: int) -> None:
    for parent in wildcard_parents(listed):
        assert parse(random_child(parent, one))
        assert (random_child(parent, one) == random_child(parent, other)) == (one == other)
        assert psl.registrable_domain(random_child(parent, one)) == psl.registrable_domain(parent)


def test_a_random_name_is_remembered_as_the_wildcard_it_looks_for() -> None:
    random = random_child(Name("shop.com"), 7)
    denied = as_recorded(Observation(random, "A", "9.9.9.9", Outcome.DENIED, 7, random, data=("com",)))
    assert (denied.name, denied.subject, denied.data) == ("*.shop.com", "*.shop.com", ("com",))
    alias = as_recorded(Observation(random, "A", "9.9.9.9", Outcome.DENIED, 7, Name("x.net"), chain=("x.net",)))
    assert (alias.name, alias.subject, alias.chain) == ("*.shop.com", "x.net", ("x.net",))
    plain = Observation(Name("api.shop.com"), "A", "9.9.9.9", Outcome.DENIED, 7, Name("api.shop.com"))
    assert as_recorded(plain) == plain
