"""Merging histories: in any order, in any grouping, any number of times, the same spans."""

from __future__ import annotations

import random
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from aidns.lookup.spans import DAY, MAX_DAYS, RECHECK_SECONDS, from_observation, merge_all, proven, span_key, until
from aidns.model import WEB, Observation, Outcome, Span
from aidns.names import Name
from aidns.verdict import DEFAULT

observations = st.builds(
    Observation,
    name=st.sampled_from([Name("a.shop.com"), Name("shop.com"), Name("*.shop.com")]),
    rdtype=st.sampled_from(["A", "NS", "SOA", "DS", WEB]),
    resolver=st.sampled_from(["9.9.9.9", "10.0.0.53"]),
    outcome=st.sampled_from([Outcome.DATA, Outcome.DENIED]),
    at=st.integers(0, 60).map(lambda n: n * DAY // 2),
    subject=st.sampled_from([Name("a.shop.com"), Name("x.net")]),
    detail=st.sampled_from(["", "NXDOMAIN"]),
    chain=st.sampled_from([(), ("x.net",), ("y.net", "x.net")]),
    data=st.sampled_from([(), ("192.0.2.1",), ("192.0.2.2",)]),
    vantage=st.sampled_from(["", "eu"]),
)
histories = st.lists(observations, max_size=12)


def spans_of(seen: list[Observation]) -> set[Span]:
    """The merged spans, without the count for people."""
    return {replace(span, n=0) for span in merge_all(map(from_observation, seen)).values()}


def merged(*parts: list[Observation]) -> set[Span]:
    """Merge each part by itself, then the results."""
    spans = [span for part in parts for span in merge_all(map(from_observation, part)).values()]
    return {replace(span, n=0) for span in merge_all(spans).values()}


@given(histories, st.randoms(use_true_random=False))
def test_order_does_not_matter(seen: list[Observation], dice: random.Random) -> None:
    shuffled = seen[:]
    dice.shuffle(shuffled)
    assert spans_of(shuffled) == spans_of(seen)


@given(histories)
def test_saying_it_twice_changes_nothing(seen: list[Observation]) -> None:
    assert spans_of(seen + seen) == spans_of(seen) == merged(seen, seen)


@given(histories, histories, histories)
def test_grouping_does_not_matter(one: list[Observation], two: list[Observation], three: list[Observation]) -> None:
    whole = spans_of(one + two + three)
    assert merged(one, two + three) == merged(one + two, three) == merged(one, two, three) == whole


@given(histories)
def test_nothing_that_was_seen_is_lost(seen: list[Observation]) -> None:
    spans = spans_of(seen)
    for one in seen:
        assert any(
            (span.name, span.rdtype, span.resolver, span.outcome, span.subject, span.chain, span.vantage)
            == (one.name, one.rdtype, one.resolver, one.outcome, one.subject, one.chain, one.vantage)
            and span.first <= one.at <= span.last
            and one.at // DAY in span.days
            for span in spans
        )


def seen_on(*days: int, data: tuple[str, ...] = (), rdtype: str = "A") -> list[Observation]:
    name = Name("shop.com")
    return [Observation(name, rdtype, "9.9.9.9", Outcome.DATA, day * DAY, name, data=data) for day in days]


def test_the_newest_days_are_kept_and_cover_the_window_of_verdicts() -> None:
    (span,) = merge_all(map(from_observation, seen_on(*range(100)))).values()
    assert span.days == tuple(range(100 - MAX_DAYS, 100))
    assert (span.first, span.last, span.n) == (0, 99 * DAY, 100)
    assert DEFAULT.window_days + 1 < MAX_DAYS


def test_one_odd_date_does_not_push_the_others_out() -> None:
    (span,) = merge_all(map(from_observation, seen_on(1, 2, 3, 20000))).values()
    assert span.days == (1, 2, 3, 20000)


def test_a_zone_with_other_name_servers_is_another_span_other_addresses_are_not() -> None:
    before, after = ("ns1.a.net",), ("ns1.b.net",)
    servers = seen_on(1, 2, data=before, rdtype="NS") + seen_on(3, data=after, rdtype="NS")
    assert [(span.data, span.days) for span in merge_all(map(from_observation, servers)).values()] == [
        (before, (1, 2)),
        (after, (3,)),
    ]
    addresses = seen_on(1, data=("192.0.2.1",)) + seen_on(2, data=("192.0.2.2",))
    (span,) = merge_all(map(from_observation, addresses)).values()
    assert (span.data, span.days) == (("192.0.2.2",), (1, 2))


def test_only_recent_existence_is_proven() -> None:
    now = 1000 * DAY
    name = Name("shop.com")

    def asked(outcome: Outcome, at: int) -> frozenset[tuple[str, str, str]]:
        return proven([from_observation(Observation(name, "A", "9.9.9.9", outcome, at, name))], now)

    assert asked(Outcome.DATA, now) == asked(Outcome.NODATA, now - RECHECK_SECONDS + 1) == {(name, "A", "9.9.9.9")}
    for outcome, at in [
        (Outcome.DATA, now - RECHECK_SECONDS),
        (Outcome.DATA, now + 1),
        (Outcome.DENIED, now),
        (Outcome.FILTERED, now),
        (Outcome.TIMEOUT, now),
    ]:
        assert asked(outcome, at) == frozenset()
    assert RECHECK_SECONDS < DAY, "a nightly run that starts a little early must not skip a night"


def test_what_was_seen_from_elsewhere_is_asked_here() -> None:
    now, name = 1000 * DAY, Name("shop.com")
    spans = [from_observation(Observation(name, "A", "9.9.9.9", Outcome.DATA, now, name, vantage="eu"))]
    assert proven(spans, now) == proven(spans, now, "us") == frozenset()
    assert proven(spans, now, "eu") == {(name, "A", "9.9.9.9")}


def test_that_there_is_no_wildcard_is_proven_that_there_is_no_name_is_not() -> None:
    now = 1000 * DAY
    seen = [
        Observation(name, "A", "9.9.9.9", Outcome.DENIED, now, name) for name in (Name("*.shop.com"), Name("x.com"))
    ]
    assert proven(map(from_observation, seen), now) == {("*.shop.com", "A", "9.9.9.9")}


@given(histories, st.integers(0, 61).map(lambda n: n * DAY // 2))
def test_the_past_is_what_was_seen_by_then(seen: list[Observation], moment: int) -> None:
    """Cut at the end of a day, a history is that of the answers until then, but for counts and later texts."""
    moment = moment // DAY * DAY + DAY - 1

    def outline(spans: Iterable[Span]) -> set[tuple[object, ...]]:
        return {(*span_key(span), span.first, span.days, span.last // DAY) for span in spans}

    then = merge_all(from_observation(one) for one in seen if one.at <= moment).values()
    assert outline(until(merge_all(map(from_observation, seen)).values(), moment)) == outline(then)
