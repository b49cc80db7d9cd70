"""What to ask next, decided without sending anything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidns.lookup.attempt import GATED, Attempt, Manners, Pace, Question, Schedule, Try
from aidns.model import Outcome
from aidns.names import Name

MANNERS = Manners(timeout=1.0, pauses=(0.5, 2.0), silent_tries=4, refused_tries=2)
API, SHOP, OTHER = Name("api.shop.com"), Name("shop.com"), Name("other.net")
USABLE = (Outcome.DATA, Outcome.NODATA, Outcome.DENIED, Outcome.FILTERED)


def attempt(transport: str = "udp") -> Attempt:
    return Attempt(Question(API, "A"), transport, MANNERS)  # type: ignore[arg-type]


def tries(outcome: Outcome, transport: str = "udp") -> list[Try]:
    """Every try when each ends with `outcome`."""
    one = attempt(transport)
    made = [one.first()]
    while (following := one.after(outcome)) is not None:
        made.append(following)
    return made


@pytest.mark.parametrize("outcome", USABLE)
def test_a_usable_answer_is_final(outcome: Outcome) -> None:
    assert len(tries(outcome)) == 1


@pytest.mark.parametrize(
    ("outcome", "count"),
    [(Outcome.TIMEOUT, 4), (Outcome.SERVFAIL, 2), (Outcome.REFUSED, 2), (Outcome.BROKEN, 2)],
)
@pytest.mark.parametrize("transport", ["udp", "tls", "https"])
def test_what_may_pass_is_tried_again_with_growing_pauses(outcome: Outcome, count: int, transport: str) -> None:
    made = tries(outcome, transport)
    assert [one.number for one in made] == list(range(1, count + 1))
    assert [one.pause for one in made] == [0.0, 0.5, 2.0, 2.0][:count]
    assert {one.transport for one in made} == {transport}


def test_a_truncated_reply_is_asked_again_over_tcp_at_once_and_stays_there() -> None:
    one = attempt()
    assert one.first().transport == "udp"
    over_tcp = one.after(Outcome.DENIED, truncated=True)
    assert over_tcp is not None
    assert (over_tcp.transport, over_tcp.number, over_tcp.pause) == ("tcp", 1, 0.0)
    again = one.after(Outcome.TIMEOUT)
    assert again is not None
    assert (again.transport, again.number) == ("tcp", 2)


def test_a_reply_truncated_over_tcp_is_taken_as_it_is() -> None:
    one = attempt()
    one.after(Outcome.NODATA, truncated=True)
    assert one.after(Outcome.NODATA, truncated=True) is None


@given(st.lists(st.tuples(st.sampled_from(list(Outcome)), st.booleans()), max_size=20))
def test_no_sequence_of_answers_makes_it_ask_for_ever(answers: list[tuple[Outcome, bool]]) -> None:
    one = attempt()
    sent = 1
    for outcome, truncated in answers:
        if one.after(outcome, truncated=truncated) is None:
            break
        sent += 1
    assert sent <= MANNERS.silent_tries + 1


def test_pace_spaces_questions_out() -> None:
    pace = Pace(rate=10)
    assert [round(pace.wait(100.0), 6) for _ in range(3)] == [0.0, 0.1, 0.2]
    assert round(pace.wait(100.25), 6) == 0.05
    assert pace.wait(200.0) == 0.0, "time not used is not saved up for a burst"
    assert round(pace.wait(200.0), 6) == 0.1


def test_pace_without_rate_never_waits() -> None:
    pace = Pace(rate=0)
    assert [pace.wait(100.0) for _ in range(3)] == [0.0] * 3


def drain(schedule: Schedule, resolver: str = "r") -> list[tuple[str, str]]:
    found = []
    while (question := schedule.next(resolver)) is not None:
        found.append((question.name, question.rdtype))
    return found


def test_a_of_all_names_comes_first_then_ns_once_a_zone() -> None:
    schedule = Schedule((API, SHOP, OTHER, API), ("r",))
    assert drain(schedule) == [(API, "A"), (SHOP, "A"), (OTHER, "A"), (SHOP, "NS"), (OTHER, "NS")]


@pytest.mark.parametrize("outcome", list(Outcome))
def test_other_types_are_asked_only_where_a_proved_existence(outcome: Outcome) -> None:
    schedule = Schedule((API,), ("r",))
    drain(schedule)
    schedule.done("r", Question(API, "A"), outcome)
    assert drain(schedule) == ([(API, rdtype) for rdtype in GATED] if outcome.proves_existence else [])
    assert schedule.left == 0


def test_each_resolver_has_its_own_questions() -> None:
    schedule = Schedule((API,), ("r", "s"))
    assert drain(schedule, "r") == drain(schedule, "s") == [(API, "A"), (SHOP, "NS")]
    schedule.done("r", Question(API, "A"), Outcome.DATA)
    assert drain(schedule, "s") == []
    assert len(drain(schedule, "r")) == len(GATED)


def test_what_was_proven_is_not_asked() -> None:
    schedule = Schedule((API,), ("r", "s"), {(API, "A", "r"), (API, "HTTPS", "r"), (SHOP, "NS", "r")})
    assert drain(schedule, "r") == [(API, "AAAA")]
    assert drain(schedule, "s") == [(API, "A"), (SHOP, "NS")]


def test_left_is_an_upper_bound_that_reaches_nought() -> None:
    schedule = Schedule((API, OTHER), ("r",))
    assert schedule.left == 2 * (1 + len(GATED)) + 2
    left = [schedule.left]
    while (question := schedule.next("r")) is not None:
        schedule.done("r", question, Outcome.DATA if question.name != OTHER else Outcome.DENIED)
        left.append(schedule.left)
    assert left == sorted(left, reverse=True)
    assert left[-1] == 0


def test_a_resolver_silent_for_long_should_show_itself_and_one_that_answers_need_not() -> None:
    schedule = Schedule((API,), ("r",))
    manners = Manners(patience=3)
    for outcome in (Outcome.TIMEOUT, Outcome.TIMEOUT, Outcome.SERVFAIL, Outcome.TIMEOUT, Outcome.TIMEOUT):
        schedule.done("r", Question(API, "AAAA"), outcome)
        assert not schedule.is_silent("r", manners)
    schedule.done("r", Question(API, "AAAA"), Outcome.TIMEOUT)
    assert schedule.is_silent("r", manners)
    schedule.answers_again("r")
    assert not schedule.is_silent("r", manners)


def test_a_resolver_set_aside_is_asked_nothing_more() -> None:
    schedule = Schedule((API, OTHER), ("r", "s"))
    first = schedule.next("r")
    schedule.set_aside("r")
    assert schedule.is_aside("r")
    assert not schedule.is_aside("s")
    assert first is not None
    schedule.done("r", first, Outcome.DATA)
    assert schedule.next("r") is None
    assert schedule.next("s") is not None
    for _ in range(5):
        schedule.done("r", first, Outcome.TIMEOUT)
    assert not schedule.is_silent("r", Manners(patience=3)), "nobody waits for it any more"
