"""When what is sent, decided on a clock of the test's own."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidns.lookup.attempt import Manners, Question
from aidns.lookup.flow import RETRY_SHARE, Flow, Try
from aidns.lookup.resolver import Transport
from aidns.lookup.throttle import (
    BURST_SECONDS,
    CUT,
    LEAST_RATE,
    MUCH_LOST,
    REVIEW_REPLIES,
    RoundTrip,
    Throttle,
)
from aidns.model import Outcome
from aidns.names import Name

MANNERS = Manners(timeout=2.0, soft_timeout=0.2, pauses=(0.25, 1.0), silent_tries=3, refused_tries=2)
USABLE = (Outcome.DATA, Outcome.NODATA, Outcome.DENIED, Outcome.FILTERED)
FAILING = (Outcome.SERVFAIL, Outcome.REFUSED, Outcome.BROKEN)


def questions(count: int) -> Callable[[], Question | None]:
    waiting = deque(Question(Name(f"n{i}.shop.com"), "A") for i in range(count))
    return lambda: waiting.popleft() if waiting else None


def flow(count: int = 1, rate: float = 0.0, transport: Transport = "udp", manners: Manners = MANNERS) -> Flow:
    throttle = Throttle(rate, manners.in_flight_unpaced, manners.in_flight_most)
    return Flow(transport, manners, throttle, RoundTrip(manners.soft_timeout, manners.timeout), questions(count))


def send(one: Flow, now: float) -> Try:
    found = one.next(now)
    assert found is not None
    return found


Reaction = Callable[[Try], tuple[float, Outcome, bool] | None]
"""What comes of a try: after how many seconds which outcome, truncated or not; None for silence."""


def simulate(
    one: Flow, react: Reaction, start: float = 100.0, limit: float = 1000.0
) -> tuple[list[Try], dict[str, str], float]:
    """Run a flow to its end; return the tries, how each question ended, and when that was."""
    now, tries, ended, serial = start, [], {}, 0
    coming: list[tuple[float, int, Try, Outcome | None, bool]] = []
    while now < start + limit:
        while coming and coming[0][0] <= now:
            at, _, sent, outcome, truncated = heapq.heappop(coming)
            if sent.ended:
                continue
            final = one.lost(sent, at) if outcome is None else one.heard(sent, outcome, at, truncated=truncated)
            if final:
                assert sent.question.name not in ended, "a question ends once"
                ended[sent.question.name] = str(outcome or Outcome.TIMEOUT)
        for attempt in one.expire(now):
            assert attempt.question.name not in ended
            ended[attempt.question.name] = "timeout"
        while (sent := one.next(now)) is not None:
            tries.append(sent)
            serial += 1
            if (came := react(sent)) is not None:
                heapq.heappush(coming, (now + came[0], serial, sent, came[1], came[2]))
            elif sent.transport != "udp":
                heapq.heappush(coming, (now + sent.timeout, serial, sent, None, False))
        if one.idle:
            return tries, ended, now
        moments = [moment for moment in (one.wake(now), coming[0][0] if coming else None) if moment is not None]
        assert moments, "something is open, and nothing will ever happen"
        now = max(now + 1e-4, min(moments))
    raise AssertionError("it never ends")


def replies(*outcomes: Outcome | None, after: float = 0.01) -> Reaction:
    """React to the first tries so, and to further ones as to the last."""
    left = deque(outcomes)

    def react(_: Try) -> tuple[float, Outcome, bool] | None:
        outcome = left.popleft() if len(left) > 1 else left[0]
        return None if outcome is None else (after, outcome, False)

    return react


@pytest.mark.parametrize("outcome", USABLE)
def test_a_usable_answer_is_final(outcome: Outcome) -> None:
    tries, ended, _ = simulate(flow(), replies(outcome))
    assert (len(tries), list(ended.values())) == (1, [str(outcome)])


@pytest.mark.parametrize("outcome", FAILING)
@pytest.mark.parametrize("transport", ["udp", "tls", "https"])
def test_what_may_pass_is_tried_again_after_a_pause(outcome: Outcome, transport: Transport) -> None:
    tries, ended, _ = simulate(flow(transport=transport), replies(outcome))
    assert [one.number for one in tries] == [1, 2]
    assert tries[1].at - tries[0].at >= 0.25
    assert list(ended.values()) == [str(outcome)]
    tries, ended, _ = simulate(flow(transport=transport), replies(outcome, Outcome.DATA))
    assert list(ended.values()) == ["data"]


def test_silence_is_tried_again_soon_and_final_after_the_hard_time_out() -> None:
    tries, ended, end = simulate(flow(), replies(None))
    assert [one.number for one in tries] == [1, 2, 3]
    assert list(ended.values()) == ["timeout"]
    assert tries[2].at + MANNERS.timeout <= end < tries[2].at + MANNERS.timeout + 0.01


def test_silence_over_a_stream_is_tried_again_after_a_pause() -> None:
    tries, ended, _ = simulate(flow(transport="tls"), replies(None))
    assert [round(b.at - a.at, 2) for a, b in pairwise(tries)] == [2.25, 3.0]
    assert list(ended.values()) == ["timeout"]


def test_a_slow_answer_is_not_lost_to_the_next_try() -> None:
    """Every try before the hard time-out still counts: SERVFAIL after 1.5 s, twice, and not a timeout."""
    tries, ended, _ = simulate(flow(), replies(Outcome.SERVFAIL, after=1.5))
    assert list(ended.values()) == ["servfail"]
    assert len(tries) <= 3


def test_the_soft_time_out_follows_the_measured_times() -> None:
    trip = RoundTrip(0.2, 2.0)
    assert trip.soft == 1.0, "half the hard one while nothing is known"
    for _ in range(50):
        trip.add(0.01)
    assert trip.soft == 0.2
    for _ in range(50):
        trip.add(0.3)
    assert 0.6 < trip.soft < 0.8
    assert not trip.steady


def test_a_truncated_reply_is_asked_again_over_tcp_at_once() -> None:
    one = flow()
    first = send(one, 100.0)
    assert not one.heard(first, Outcome.DENIED, 100.1, truncated=True)
    second = send(one, 100.1)
    assert (second.transport, second.number) == ("tcp", 1)
    assert one.heard(second, Outcome.DATA, 100.2, truncated=True), "what comes over TCP is taken as it is"
    assert one.idle or one.next(100.2) is None


def test_another_try_is_due_and_the_first_one_answers() -> None:
    one = flow()
    first = send(one, 100.0)
    list(one.expire(101.0))
    second = send(one, 101.0)
    assert second.number == 2
    assert one.heard(first, Outcome.DATA, 101.1)
    assert not one.heard(second, Outcome.DATA, 101.2), "its question is settled"
    assert (one.open, one.pipe) == (0, 0)


def test_a_quarter_of_what_is_sent_are_tries_that_are_due() -> None:
    one = flow(count=100, manners=Manners(in_flight_unpaced=1000))
    for _ in range(40):
        send(one, 100.0)
    list(one.expire(101.0))
    numbers = [send(one, 101.0).number for _ in range(60)]
    assert numbers.count(2) == len(numbers) // RETRY_SHARE


def test_dead_names_do_not_hold_the_window() -> None:
    """Overdue packets leave the window; the names behind them are still waited for."""
    one = flow(count=1000)
    while one.next(100.0) is not None:
        pass
    assert one.pipe == MANNERS.in_flight_unpaced
    list(one.expire(101.0))
    assert one.next(101.0) is not None
    assert one.open > MANNERS.in_flight_unpaced


def test_a_rate_is_kept_and_what_a_busy_machine_missed_is_made_up_for() -> None:
    throttle = Throttle(100.0, 64, 64)
    sent, now = [], 50.0
    while now < 60.0:
        while throttle.wait(now) == 0:
            throttle.spend(now)
            sent.append(now)
        now += 0.033
    assert len(sent) == pytest.approx(1000, abs=100 * BURST_SECONDS + 2)
    first_second = sum(at < 51.0 for at in sent)
    assert first_second <= 100 * (1 + BURST_SECONDS) + 1
    throttle = Throttle(100.0, 64, 64)
    assert [round(_spent(throttle, 50.0), 3) for _ in range(3)] == [0.0, 0.01, 0.02], "no burst at the start"


def _spent(throttle: Throttle, now: float) -> float:
    wait = throttle.wait(now)
    throttle.spend(now)
    return wait


def test_a_window_grows_while_replies_come_steadily_and_not_when_they_get_slower() -> None:
    def grown(times: list[float]) -> float:
        throttle, trip = Throttle(0.0, 64, 2048), RoundTrip(0.2, 2.0)
        for seconds in times:
            trip.add(seconds)
            throttle.heard(100.0, int(throttle.window), trip)
        return throttle.window

    assert grown([0.05] * 500) == 564
    assert grown([0.05] * 9000) == 2048
    assert grown([0.05 + i / 100 for i in range(500)]) < 80


def test_much_loss_lowers_the_rate_little_loss_does_not_and_it_comes_back() -> None:
    trip, throttle = RoundTrip(0.2, 2.0), Throttle(100.0, 64, 64)

    def period(now: float, lost: int) -> float:
        for _ in range(lost):
            throttle.lost(began=now)
        for _ in range(REVIEW_REPLIES):
            throttle.heard(now, 0, trip)
        return throttle.rate

    assert period(10.0, int(MUCH_LOST * REVIEW_REPLIES)) == 100.0
    assert period(20.0, REVIEW_REPLIES) == pytest.approx(100 * CUT)
    throttle.lost(began=19.0)
    assert throttle._lost == 0, "it was sent before the cut"
    rates = [period(30.0 + i, 0) for i in range(10)]
    assert rates == sorted(rates)
    assert rates[-1] == 100.0, "never more than was allowed"
    assert min(period(50.0 + i, 1000) for i in range(30)) == LEAST_RATE


def test_a_server_that_drops_what_is_too_much_loses_no_name() -> None:
    """Tries that fell to a cap are no verdict: a cap at a fifth of the rate slows the run down, and that is all."""
    tokens, filled = 20.0, 100.0

    def react(one: Try) -> tuple[float, Outcome, bool] | None:
        nonlocal tokens, filled
        tokens, filled = min(20.0, tokens + (one.at - filled) * 100), one.at
        if tokens < 1:
            return None
        tokens -= 1
        return 0.01, Outcome.DATA, False

    running = flow(count=2000, rate=500)
    _, ended, _ = simulate(running, react)
    assert len(ended) == 2000
    assert running.throttle.cuts > 0
    assert list(ended.values()).count("timeout") <= 2000 * 0.01


REACTIONS = st.none() | st.tuples(st.floats(0.0, 4.0), st.sampled_from([*USABLE, *FAILING]), st.booleans())


@given(st.lists(REACTIONS, min_size=1, max_size=40), st.sampled_from([0.0, 50.0]), st.sampled_from(["udp", "tls"]))
def test_every_question_ends_once_whatever_comes(
    script: list[tuple[float, Outcome, bool] | None], rate: float, transport: Transport
) -> None:
    left = deque(script)

    def react(one: Try) -> tuple[float, Outcome, bool] | None:
        left.rotate()
        came = left[0]
        return None if came is None or came[0] > one.timeout else came

    one = flow(count=20, rate=rate, transport=transport)
    tries, ended, _ = simulate(one, react)
    assert len(ended) == 20
    assert one.open == 0
    by_name = [sum(sent.question.name == name for sent in tries) for name in ended]
    assert max(by_name) <= 2 * 3 * MANNERS.silent_tries
