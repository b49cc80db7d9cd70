"""What to ask next, decided without sending anything."""

from __future__ import annotations

import pytest

from aidns.lookup.attempt import GATED, Manners, Question, Schedule
from aidns.model import Outcome
from aidns.names import Name

API, SHOP, OTHER = Name("api.shop.com"), Name("shop.com"), Name("other.net")


def drain(schedule: Schedule, resolver: str = "r") -> list[tuple[str, str]]:
    found = []
    while (question := schedule.at(resolver).next()) is not None:
        found.append((question.name, question.rdtype))
    return found


def test_a_of_all_names_comes_first_then_ns_once_a_zone() -> None:
    schedule = Schedule((API, SHOP, OTHER, API), ("r",))
    assert drain(schedule) == [(API, "A"), (SHOP, "A"), (OTHER, "A"), (SHOP, "NS"), (OTHER, "NS")]


@pytest.mark.parametrize("outcome", list(Outcome))
def test_other_types_are_asked_only_where_a_proved_existence(outcome: Outcome) -> None:
    schedule = Schedule((API,), ("r",))
    drain(schedule)
    schedule.at("r").done(Question(API, "A"), outcome)
    assert drain(schedule) == ([(API, rdtype) for rdtype in GATED] if outcome.proves_existence else [])
    assert schedule.left == 0


def test_each_resolver_has_its_own_questions() -> None:
    schedule = Schedule((API,), ("r", "s"))
    assert drain(schedule, "r") == drain(schedule, "s") == [(API, "A"), (SHOP, "NS")]
    schedule.at("r").done(Question(API, "A"), Outcome.DATA)
    assert drain(schedule, "s") == []
    assert len(drain(schedule, "r")) == len(GATED)


def test_what_was_proven_is_not_asked() -> None:
    schedule = Schedule((API,), ("r", "s"), {(API, "A", "r"), (API, "HTTPS", "r"), (SHOP, "NS", "r")})
    assert drain(schedule, "r") == [(API, "AAAA"), (API, "SVCB")]
    assert drain(schedule, "s") == [(API, "A"), (SHOP, "NS")]


def test_left_is_an_upper_bound_that_reaches_nought() -> None:
    schedule = Schedule((API, OTHER), ("r",))
    assert schedule.left == 2 * (1 + len(GATED)) + 2
    left = [schedule.left]
    while (question := schedule.at("r").next()) is not None:
        schedule.at("r").done(question, Outcome.DATA if question.name != OTHER else Outcome.DENIED)
        left.append(schedule.left)
    assert left == sorted(left, reverse=True)
    assert left[-1] == 0


def test_a_resolver_silent_for_long_should_show_itself_and_one_that_answers_need_not() -> None:
    schedule = Schedule((API,), ("r",))
    manners = Manners(patience=3)
    for outcome in (Outcome.TIMEOUT, Outcome.BROKEN, Outcome.SERVFAIL, Outcome.BROKEN, Outcome.TIMEOUT):
        schedule.at("r").done(Question(API, "AAAA"), outcome)
        assert not schedule.at("r").is_silent(manners)
    schedule.at("r").done(Question(API, "AAAA"), Outcome.TIMEOUT)
    assert schedule.at("r").is_silent(manners)
    schedule.at("r").silent = 0
    assert not schedule.at("r").is_silent(manners)


def test_a_resolver_set_aside_is_asked_nothing_more() -> None:
    schedule = Schedule((API, OTHER), ("r", "s"))
    first = schedule.at("r").next()
    schedule.at("r").set_aside()
    assert schedule.at("r").aside
    assert not schedule.at("s").aside
    assert first is not None
    schedule.at("r").done(first, Outcome.DATA)
    assert schedule.at("r").next() is None
    assert schedule.at("s").next() is not None
    for _ in range(5):
        schedule.at("r").done(first, Outcome.TIMEOUT)
    assert not schedule.at("r").is_silent(Manners(patience=3)), "nobody waits for it any more"
