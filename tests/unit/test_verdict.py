"""Only positive, repeated proof removes a name: examples, a reference, and what no history may bring about."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from aidns.lookup.spans import from_observation, merge_all
from aidns.model import WEB, Observation, Outcome, Parking, Span, Standing, Verdict
from aidns.names import Name, at_or_below
from aidns.verdict import DAY, DEFAULT, judge, last_answer, outlooks, returns

HOST, ZONE, CHILD, OTHER = Name("api.shop.com"), Name("shop.com"), Name("v1.api.shop.com"), Name("x.cdn.net")
TODAY = 20000
NOW = TODAY * DAY + 3600
RESOLVERS = {"9.9.9.9": "quad9", "149.112.112.112": "quad9", "1.1.1.1": "cloudflare", "10.0.0.53": "private network"}
FAILURES = (Outcome.SERVFAIL, Outcome.REFUSED, Outcome.TIMEOUT, Outcome.BROKEN)


def say(
    outcome: Outcome,
    day: int,
    *,
    name: Name = HOST,
    resolver: str = "9.9.9.9",
    chain: tuple[str, ...] = (),
    rdtype: str = "A",
    data: tuple[str, ...] = (),
) -> Observation:
    """One answer, `day` counted from today."""
    subject = Name(chain[-1]) if chain else name
    at = NOW + day * DAY
    return Observation(
        name, rdtype, resolver, outcome, at, subject, chain=chain, data=data, operator=RESOLVERS[resolver]
    )


def denied(*days: int, name: Name = HOST, resolvers: Iterable[str] = ("9.9.9.9", "1.1.1.1")) -> Iterator[Observation]:
    for day in days:
        for resolver in resolvers:
            yield say(Outcome.DENIED, day, name=name, resolver=resolver)


def spans_of(seen: Iterable[Observation]) -> list[Span]:
    return list(merge_all(map(from_observation, seen)).values())


def verdict(*seen: Observation, name: Name = HOST, now: int = NOW, parking: tuple[Parking, ...] = ()) -> Verdict:
    return judge(spans_of(seen), [name], now, parking=parking)[name]


# ------------------------------------------------------------------ what proof is


def test_denied_by_two_operators_on_three_dates_over_a_week_is_gone() -> None:
    found = verdict(*denied(-7, -3, 0))
    assert (found.standing, found.removable, found.flags) == (Standing.GONE, True, ())
    assert found.since == (TODAY - 7) * DAY
    assert "quad9" in found.why
    assert "cloudflare" in found.why


@pytest.mark.parametrize(
    "seen",
    [
        list(denied(-7, -3, 0, resolvers=["9.9.9.9"])),
        list(denied(-7, -3, 0, resolvers=["9.9.9.9", "149.112.112.112"])),
        list(denied(-7, 0)),
        list(denied(-6, -3, 0)),
        list(denied(-22, -15, -8)),
        list(denied(-60, -30, 0))[:-2],
        [*denied(-7, -3, 0, resolvers=["9.9.9.9"]), *denied(-7, 0, resolvers=["1.1.1.1"])],
        [*denied(-7, -3, 0, resolvers=["9.9.9.9"]), *denied(-14, -11, -8, resolvers=["1.1.1.1"])],
    ],
    ids=[
        "one resolver", "one operator", "two dates", "six days", "stale", "far apart", "a second witness too seldom",
        "a second witness too long ago",
    ],
)  # fmt: skip
def test_less_is_suspect_and_stays(seen: list[Observation]) -> None:
    found = verdict(*seen)
    assert (found.standing, found.removable) == (Standing.SUSPECT, False)


def test_denials_older_than_the_window_are_forgotten() -> None:
    assert verdict(*denied(-45, -38, -31)).standing is Standing.UNKNOWN


def test_several_denials_on_one_date_are_one() -> None:
    hours = [replace(seen, at=seen.at + hour * 3600) for seen in denied(-7, 0) for hour in range(5)]
    assert verdict(*hours).standing is Standing.SUSPECT


def test_denials_for_other_types_and_in_other_places_add_up() -> None:
    seen = [
        replace(one, rdtype=rdtype, vantage=place)
        for one, rdtype, place in zip(denied(-7, -3, 0), ["A", "A", "NS", "NS", "AAAA", "AAAA"], "xxyyzz", strict=True)
    ]
    assert verdict(*seen).standing is Standing.GONE


@pytest.mark.parametrize("last", [1, 30])
def test_denials_dated_after_today_do_not_count(last: int) -> None:
    assert verdict(*denied(-7, -3, last)).standing is Standing.SUSPECT
    assert verdict(*denied(1, 5, 9)).standing is Standing.UNKNOWN


@pytest.mark.parametrize("outcome", [Outcome.DATA, Outcome.NODATA])
@pytest.mark.parametrize("resolver", RESOLVERS)
def test_any_answer_restores_at_once(outcome: Outcome, resolver: str) -> None:
    found = verdict(*denied(-9, -5, -1, 0), say(outcome, 0, resolver=resolver))
    assert (found.standing, found.removable) == (Standing.LIVE, False)


def test_proof_starts_anew_after_an_answer() -> None:
    before, after = denied(-20, -16, -12), denied(-5, -2, 0)
    assert verdict(*before, say(Outcome.DATA, -8), *after).standing is Standing.SUSPECT
    assert verdict(*denied(-20, -16, -12), say(Outcome.DATA, -8), *denied(-7, -2, 0)).standing is Standing.GONE


def test_what_answers_below_a_name_keeps_it() -> None:
    found = verdict(*denied(-9, -5, 0), say(Outcome.NODATA, -1, name=CHILD))
    assert found.standing is Standing.SUSPECT, "denied again since"
    found = verdict(*denied(-9, -5, -1), say(Outcome.NODATA, 0, name=CHILD))
    assert (found.standing, CHILD in found.why) == (Standing.LIVE, True)


def test_what_answers_above_or_beside_a_name_does_not() -> None:
    seen = [say(Outcome.DATA, 0, name=ZONE), say(Outcome.DATA, 0, name=Name("xapi.shop.com"))]
    assert verdict(*denied(-9, -5, 0), *seen).standing is Standing.GONE


def test_an_alias_exists_whatever_became_of_its_target() -> None:
    dangling = [
        say(Outcome.DENIED, day, chain=(OTHER,), resolver=r) for day in (-8, -4, 0) for r in ("9.9.9.9", "1.1.1.1")
    ]
    found = verdict(*dangling)
    assert (found.standing, found.removable) == (Standing.LIVE, False)
    assert f"alias of {OTHER}" in found.why
    target = verdict(*dangling, name=OTHER)
    assert (target.standing, target.removable) == (Standing.GONE, True)


def test_a_name_in_the_middle_of_a_chain_exists() -> None:
    middle = Name("alias.host.net")
    seen = [say(Outcome.DENIED, 0, chain=(middle, OTHER)), *denied(-8, -4, -1, name=middle)]
    assert verdict(*seen, name=middle).standing is Standing.LIVE


def test_a_name_at_the_end_of_a_chain_that_answers_exists() -> None:
    seen = [say(Outcome.DATA, 0, chain=(OTHER,)), *denied(-8, -4, -1, name=OTHER)]
    assert verdict(*seen, name=OTHER).standing is Standing.LIVE


@pytest.mark.parametrize("name", [ZONE, Name("shop.co.uk"), Name("co.uk")])
def test_a_registrable_domain_is_flagged_but_never_removed(name: Name) -> None:
    found = verdict(*denied(-8, -4, 0, name=name), name=name)
    assert (found.standing, found.removable, found.flags) == (Standing.GONE, False, ("registrable",))


def test_a_name_under_a_private_suffix_is_a_host() -> None:
    name = Name("bot.hf.space")
    assert verdict(*denied(-8, -4, 0, name=name), name=name).removable


# ------------------------------------------------------------------ filters and failures


def test_a_filtered_name_stays() -> None:
    found = verdict(say(Outcome.FILTERED, 0), say(Outcome.FILTERED, -1, resolver="1.1.1.1"))
    assert (found.standing, found.since) == (Standing.FILTERED, NOW - DAY)
    assert "9.9.9.9" in found.why


@pytest.mark.parametrize("above", [HOST, ZONE])
def test_a_resolver_that_filters_a_name_or_one_above_is_no_witness_that_day(above: Name) -> None:
    filtering = say(Outcome.FILTERED, -3, name=above, rdtype="NS")
    assert verdict(*denied(-8, -3, 0), filtering).standing is Standing.SUSPECT
    assert verdict(*denied(-8, -3, 0), say(Outcome.FILTERED, -2, name=above)).standing is Standing.GONE


@pytest.mark.parametrize("outcome", FAILURES)
def test_failures_say_nothing(outcome: Outcome) -> None:
    found = verdict(say(outcome, 0))
    assert (found.standing, found.since) == (Standing.UNKNOWN, NOW)
    assert outcome in found.why
    assert verdict(say(outcome, 0), say(Outcome.DATA, -3)).standing is Standing.LIVE


def test_without_history_everything_is_unknown() -> None:
    names = [HOST, ZONE]
    assert judge([], names, NOW) == {n: Verdict(n, Standing.UNKNOWN, 0, "no answer on record") for n in names}


def test_an_answer_outside_the_window_is_no_life() -> None:
    assert verdict(say(Outcome.DATA, -31)).standing is Standing.UNKNOWN
    assert verdict(say(Outcome.DATA, -30)).standing is Standing.LIVE


# ------------------------------------------------------------------ since, parked, moved


def test_life_counts_from_the_first_answer_after_it_was_gone() -> None:
    assert verdict(say(Outcome.DATA, -20), say(Outcome.DATA, 0)).since == NOW - 20 * DAY
    back = verdict(say(Outcome.DATA, -20), *denied(-9, -5, -3), say(Outcome.DATA, -2), say(Outcome.DATA, 0))
    assert back.since == (TODAY - 2) * DAY


def test_a_resolver_that_always_disagrees_does_not_make_a_name_young() -> None:
    seen = [say(Outcome.DATA, day) for day in (-9, -5, 0)]
    assert verdict(*seen, *denied(-9, -5, resolvers=["1.1.1.1"])).since == NOW - 9 * DAY
    assert verdict(*seen, *denied(-9, -5, 0, resolvers=["1.1.1.1"])).since == NOW - 9 * DAY


PARKING = (
    Parking(match="ns", value="park.net", what="for sale"),
    Parking(match="cname", value="parked.org", what="advertisements"),
    Parking(match="address", value="192.0.2.99", what="a parking page"),
    Parking(match="address", value="198.51.100.0/23", what="a whole network of them"),
)


@pytest.mark.parametrize(
    ("seen", "what"),
    [
        (say(Outcome.DATA, 0, name=ZONE, rdtype="NS", data=("ns1.park.net", "ns2.park.net")), "for sale"),
        (say(Outcome.DATA, 0, chain=("x.parked.org",), data=("192.0.2.1",)), "advertisements"),
        (say(Outcome.DATA, 0, data=("192.0.2.99",)), "a parking page"),
        (say(Outcome.DATA, 0, data=("no address", "198.51.101.255")), "a whole network of them"),
    ],
)
def test_a_fingerprint_parks_a_name_that_stays_listed(seen: Observation, what: str) -> None:
    found = verdict(say(Outcome.NODATA, 0), seen, parking=PARKING)
    assert (found.standing, found.removable) == (Standing.PARKED, False)
    assert what in found.why


@pytest.mark.parametrize(
    "seen",
    [
        say(Outcome.DATA, 0, name=ZONE, rdtype="NS", data=("ns1.carpark.net",)),
        say(Outcome.DATA, 0, chain=("notparked.org",), data=("192.0.2.1",)),
        say(Outcome.DATA, 0, data=("192.0.2.9",)),
    ],
)
def test_a_near_miss_parks_nothing(seen: Observation) -> None:
    assert verdict(say(Outcome.NODATA, 0), seen, parking=PARKING).standing is Standing.LIVE


def test_the_latest_name_servers_decide_whether_it_is_parked() -> None:
    parked = say(Outcome.DATA, -5, name=ZONE, rdtype="NS", data=("ns1.park.net",))
    real = say(Outcome.DATA, 0, name=ZONE, rdtype="NS", data=("ns1.shop.com",))
    assert verdict(say(Outcome.DATA, 0), parked, real, parking=PARKING).standing is Standing.LIVE


def servers(day: int, *data: str) -> Observation:
    return say(Outcome.DATA, day, name=ZONE, rdtype="NS", data=data)


def test_a_name_back_under_other_name_servers_is_flagged() -> None:
    gone = denied(-20, -16, -12, name=ZONE)
    found = verdict(servers(-25, "ns1.a.net"), *gone, servers(-2, "ns1.b.net"), say(Outcome.DATA, 0))
    assert (found.standing, found.flags) == (Standing.LIVE, ("other-name-servers",))
    assert "owner" in found.why


@pytest.mark.parametrize(
    "seen",
    [
        [servers(-25, "ns1.a.net"), *denied(-20, -16, name=ZONE), servers(-2, "ns1.a.net")],
        [servers(-25, "ns1.a.net"), servers(-2, "ns1.b.net")],
        [servers(-25, "ns1.a.net"), servers(-2, "ns1.b.net"), *denied(-28, name=ZONE)],
        [*denied(-20, -16, name=ZONE), servers(-2, "ns1.b.net")],
        [
            servers(-25, "ns1.a.net"),
            *denied(-20, name=ZONE),
            say(Outcome.DATA, -20, name=ZONE),
            servers(-2, "ns1.b.net"),
        ],
    ],
    ids=["the same ones", "moved without a gap", "a gap before", "nothing known before", "denied by some only"],
)
def test_nothing_else_is(seen: list[Observation]) -> None:
    assert verdict(*seen, say(Outcome.DATA, 0)).flags == ()


def test_the_last_answer_is_the_last_usable_one() -> None:
    seen = [say(Outcome.DATA, -4), say(Outcome.FILTERED, -3), *(say(outcome, 0) for outcome in FAILURES)]
    assert last_answer(spans_of(seen)) == NOW - 3 * DAY
    assert last_answer([]) == 0


def test_the_documented_thresholds_are_those_in_force() -> None:
    page = (Path(__file__).parents[2] / "docs" / "checking.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (\d+) \|", page, re.MULTILINE))
    assert {name: int(value) for name, value in rows.items()} == asdict(DEFAULT)


# ------------------------------------------------------------------ properties

days = st.integers(-35, 2)
names = st.sampled_from([HOST, ZONE, CHILD, OTHER])
observations = st.builds(
    say,
    st.sampled_from([Outcome.DENIED] * 6 + [Outcome.FILTERED, Outcome.DATA, Outcome.TIMEOUT]),
    days,
    name=names,
    resolver=st.sampled_from(list(RESOLVERS)),
    chain=st.sampled_from([(), (), (), (OTHER,), (CHILD, OTHER)]),
)


@st.composite
def histories(draw: st.DrawFn) -> list[Observation]:
    """Nights on which most resolvers deny most names, with anything in between."""
    nights = draw(st.lists(st.integers(-12, 0), max_size=6, unique=True))
    resolvers = draw(st.sets(st.sampled_from(list(RESOLVERS)), min_size=1))
    name = draw(names)
    return [*denied(*nights, name=name, resolvers=sorted(resolvers)), *draw(st.lists(observations, max_size=4))]


def gone_by_definition(seen: list[Observation], name: Name) -> bool:
    """The definition of docs/checking.md, worked out from single answers."""

    def existing(one: Observation) -> tuple[str, ...]:
        if one.outcome.proves_existence:
            return (one.name, *one.chain)
        return (one.name, *one.chain[:-1]) if one.outcome is Outcome.DENIED and one.chain else ()

    recent = [one for one in seen if one.at // DAY >= TODAY - DEFAULT.window_days]
    alive = [one.at // DAY for one in recent for e in existing(one) if at_or_below(e, name)]
    filtered = {(f.resolver, f.at // DAY) for f in seen if f.outcome is Outcome.FILTERED and at_or_below(name, f.name)}
    witnesses = 0
    for operator in set(RESOLVERS.values()):
        dates = {
            one.at // DAY
            for one in recent
            if one.outcome is Outcome.DENIED
            and one.subject == name
            and one.operator == operator
            and (one.resolver, one.at // DAY) not in filtered
            and max([*alive, -1]) < one.at // DAY <= TODAY
        }
        if len(dates) >= 3 and max(dates) - min(dates) >= 7 and TODAY - max(dates) <= 7:
            witnesses += 1
    return witnesses >= 2


@given(histories())
def test_gone_is_what_the_definition_says(seen: list[Observation]) -> None:
    verdicts = judge(spans_of(seen), [HOST, ZONE, CHILD, OTHER], NOW)
    for name, found in verdicts.items():
        assert (found.standing is Standing.GONE) == gone_by_definition(seen, name)
        assert found.removable == (found.standing is Standing.GONE and name != ZONE)


@given(histories(), st.randoms(use_true_random=False))
def test_the_order_of_spans_does_not_matter(seen: list[Observation], dice: random.Random) -> None:
    spans = spans_of(seen)
    verdicts = judge(spans, [HOST, ZONE, CHILD], NOW, parking=PARKING)
    dice.shuffle(spans)
    assert judge(spans, [HOST, ZONE, CHILD], NOW, parking=PARKING) == verdicts


outcomes = st.sampled_from(list(Outcome))
run = st.fixed_dictionaries(dict.fromkeys(RESOLVERS, outcomes))
moments = st.integers(0, 80_000).map(lambda day: day - TODAY)


@given(st.lists(days, max_size=8), run, moments, moments)
def test_a_single_bad_run_removes_nothing_whatever_the_clock_says(
    nights: list[int], bad: dict[str, Outcome], clock: int, today: int
) -> None:
    seen = [say(Outcome.DATA, day, resolver=resolver) for day in nights for resolver in RESOLVERS]
    seen += [say(outcome, clock, resolver=resolver) for resolver, outcome in bad.items()]
    assert not verdict(*seen, now=NOW + today * DAY).removable


@given(st.lists(st.tuples(days, run), max_size=12))
def test_a_dead_network_removes_nothing(runs: list[tuple[int, dict[str, Outcome]]]) -> None:
    seen = [
        say(outcome if outcome in FAILURES else Outcome.TIMEOUT, day, resolver=resolver)
        for day, answers in runs
        for resolver, outcome in answers.items()
    ]
    assert verdict(*seen).standing is Standing.UNKNOWN
    before = [*seen, *denied(-9, -5, resolvers=list(RESOLVERS))]
    assert not verdict(*before).removable


@given(st.lists(st.tuples(days, outcomes), max_size=15), st.lists(st.tuples(days, run), max_size=6))
def test_one_lying_operator_removes_nothing(
    lies: list[tuple[int, Outcome]], runs: list[tuple[int, dict[str, Outcome]]]
) -> None:
    seen = [say(outcome, day, resolver=r) for day, outcome in lies for r in ("9.9.9.9", "149.112.112.112")]
    seen += [
        say(Outcome.FILTERED if outcome is Outcome.DENIED else outcome, day, resolver=resolver)
        for day, answers in runs
        for resolver, outcome in answers.items()
        if RESOLVERS[resolver] != "quad9"
    ]
    assert not verdict(*seen).removable


@given(st.lists(st.tuples(st.integers(-9, 0), moments), max_size=2), st.lists(days, max_size=5), moments)
def test_clock_jumps_do_not_make_two_denials_a_proof(
    bad: list[tuple[int, int]], failures: list[int], today: int
) -> None:
    seen = [one for day, jump in bad for one in denied(day + jump, resolvers=list(RESOLVERS))]
    seen += [say(Outcome.TIMEOUT, day) for day in failures]
    assert not verdict(*seen, now=NOW + today * DAY).removable


@given(histories(), st.sampled_from([HOST, CHILD]), st.sampled_from([Outcome.DATA, Outcome.NODATA]), moments)
def test_an_answer_from_the_future_keeps_a_name(
    seen: list[Observation], name: Name, outcome: Outcome, jump: int
) -> None:
    assert not verdict(*seen, say(outcome, abs(jump), name=name)).removable


@given(histories(), st.lists(observations.filter(lambda one: one.outcome is not Outcome.DENIED), max_size=5))
def test_only_denials_can_remove(seen: list[Observation], more: list[Observation]) -> None:
    for name in (HOST, CHILD, OTHER):
        if not verdict(*seen, name=name).removable:
            assert not verdict(*seen, *more, name=name).removable


facts = st.builds(
    lambda one, name, rdtype: replace(one, name=name, rdtype=rdtype, subject=name),
    observations,
    st.sampled_from([Name(f"*.{name}") for name in (HOST, ZONE, CHILD)]),
    st.sampled_from(["A", "AAAA"]),
)


@given(histories(), st.lists(facts, max_size=6))
def test_what_random_names_show_removes_nothing(seen: list[Observation], more: list[Observation]) -> None:
    for name in (HOST, ZONE, CHILD, OTHER):
        if not verdict(*seen, name=name).removable:
            assert not verdict(*seen, *more, name=name).removable


@given(histories(), st.lists(observations, max_size=6))
def test_what_web_sites_show_is_no_evidence(seen: list[Observation], more: list[Observation]) -> None:
    sites = [replace(one, rdtype=WEB) for one in more]
    assert judge(spans_of([*seen, *sites]), [HOST, ZONE, CHILD], NOW) == judge(spans_of(seen), [HOST, ZONE, CHILD], NOW)


@given(histories(), st.permutations(["a", "b", "c"]))
def test_where_it_was_seen_from_makes_no_witness(seen: list[Observation], places: list[str]) -> None:
    """An operator asked from three places is still one operator."""
    spread = [replace(one, vantage=places[number % 3]) for number, one in enumerate(seen)]
    found, expected = verdict(*spread), verdict(*seen)
    assert (found.standing, found.removable) == (expected.standing, expected.removable)


def test_a_resolver_that_filters_random_names_beside_one_is_no_witness() -> None:
    beside = say(Outcome.FILTERED, -3, name=Name("*.shop.com"))
    assert verdict(*denied(-8, -3, 0), beside).standing is Standing.SUSPECT


# ------------------------------------------------------------------ what a suspect needs, what came back


def test_a_suspect_says_who_denied_it_when_and_what_comes_of_it() -> None:
    (found,) = outlooks(spans_of(denied(-3, 0)), [HOST, ZONE], NOW)
    assert found.days == {"cloudflare": (TODAY - 3, TODAY), "quad9": (TODAY - 3, TODAY)}
    assert (found.earliest, found.lapses) == (TODAY + 4, TODAY + 31)
    assert outlooks(spans_of([*denied(-3), say(Outcome.DATA, 0)]), [HOST], NOW) == ()


@given(histories())
def test_the_earliest_date_is_that_of_denials_every_day(seen: list[Observation]) -> None:
    """Were every operator to deny the name from today on, it would be gone on that day and not a day sooner."""
    for one in outlooks(spans_of(seen), [HOST, CHILD, OTHER], NOW):
        for day in range(one.earliest - TODAY + 1):
            to_come = [d for night in range(day + 1) for d in denied(night, name=one.name, resolvers=list(RESOLVERS))]
            filtered = {(f.resolver, f.at // DAY) for f in seen if f.outcome is Outcome.FILTERED}
            fresh = [d for d in to_come if (d.resolver, d.at // DAY) not in filtered]
            if len(fresh) < len(to_come):
                break  # a night that was filtered is no witness any more
            found = verdict(*seen, *to_come, name=one.name, now=NOW + day * DAY)
            if found.standing in (Standing.LIVE, Standing.PARKED):
                break  # it answered today
            assert (found.standing is Standing.GONE) == (day >= one.earliest - TODAY)


def test_what_came_back_is_told_with_its_date() -> None:
    seen = [*denied(-9, -8), say(Outcome.DATA, -5), say(Outcome.DATA, 0)]
    assert returns(spans_of(seen), [HOST, ZONE], NOW) == {HOST: TODAY - 5}
    assert returns(spans_of([*seen, *denied(0)]), [HOST], NOW) == {HOST: TODAY - 5}, "it answered the same day"
    assert returns(spans_of([say(Outcome.DATA, 0)]), [HOST], NOW) == {}
    assert returns(spans_of([*denied(-60), say(Outcome.DATA, -50), say(Outcome.DATA, 0)]), [HOST], NOW) == {}
