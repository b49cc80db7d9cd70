"""What the memory amounts to: changes since the run before, suspects, returns, questions, one name's history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from aidns.lookup.spans import DAY, from_observation, merge_all
from aidns.model import WEB, Observation, Outcome, Span, Standing
from aidns.names import Name
from aidns.statusing import QUESTIONS, Change, Flagged, Status, history, status
from samples import NOW, TODAY, catalog

CATALOG = catalog()
HOST, ZONE = Name("api.acme.example"), Name("acme.example")
OPERATORS = {"9.9.9.9": "quad9", "1.1.1.1": "cloudflare"}


def say(
    outcome: Outcome,
    day: int,
    name: str = HOST,
    rdtype: str = "A",
    *,
    resolver: str = "9.9.9.9",
    data: tuple[str, ...] = (),
    chain: tuple[str, ...] = (),
) -> Observation:
    at = NOW + day * DAY
    subject = Name(chain[-1]) if chain and rdtype != WEB else Name(name)
    return Observation(
        Name(name), rdtype, resolver, outcome, at, subject, chain=chain, data=data, operator=OPERATORS[resolver]
    )


def denied(*days: int, name: str = HOST) -> list[Observation]:
    return [say(Outcome.DENIED, day, name, resolver=resolver) for day in days for resolver in OPERATORS]


def spans(seen: Iterable[Observation]) -> list[Span]:
    return list(merge_all(map(from_observation, seen)).values())


def told(*seen: Observation) -> Status:
    return status(CATALOG, spans(seen), NOW)


def on(days: int) -> dt.date:
    return TODAY + dt.timedelta(days=days)


def test_without_memory_everything_is_unknown_and_nothing_changed() -> None:
    found = told()
    assert (found.last, found.compared_with, found.changes, found.suspects, found.flagged) == (None, None, (), (), ())
    assert found.counts == {"unknown": len([entry for entry in CATALOG.names if not entry.bypass])}


def test_changes_are_those_since_the_date_before_the_last() -> None:
    found = told(say(Outcome.DATA, -9), say(Outcome.DATA, -4), *denied(-2, 0), say(Outcome.DATA, 0, "gamma.example"))
    assert found.compared_with == on(-2)
    (change,) = found.changes
    assert (change.name, change.before, change.after) == ("gamma.example", Standing.UNKNOWN, Standing.LIVE)
    found = told(say(Outcome.DATA, -9), say(Outcome.DATA, -4), *denied(0))
    assert found.compared_with == on(-4)
    ((change),) = found.changes
    assert change == Change(HOST, Standing.LIVE, Standing.SUSPECT, change.why)


def test_one_date_is_no_change() -> None:
    assert told(say(Outcome.DATA, 0)).compared_with is None


def test_a_night_without_network_is_no_date_to_compare_with() -> None:
    assert told(say(Outcome.DATA, -9), say(Outcome.DATA, -4), say(Outcome.TIMEOUT, 0)).compared_with == on(-9)


def test_suspects_say_until_when_they_need_proof() -> None:
    (found,) = told(say(Outcome.DATA, -9), *denied(-4, -2)).suspects
    assert (found.name, found.denied) == (HOST, {op: (on(-4), on(-2)) for op in ("cloudflare", "quad9")})
    assert (found.earliest, found.lapses) == (on(3), on(29))


def test_a_name_that_is_gone_is_no_suspect_any_more() -> None:
    found = told(*denied(-8, -4, 0))
    assert found.suspects == ()
    assert found.counts["gone"] == 1


def test_what_came_back_is_told() -> None:
    assert told(*denied(-9, -6), say(Outcome.DATA, -3)).returned == ((HOST, on(-3)),)


def test_questions_for_people() -> None:
    found = told(
        *denied(-8, -4, 0, name="gamma.example"),
        say(Outcome.DATA, 0),
        say(Outcome.DATA, 0, HOST, WEB, chain=("new.net",)),
        say(Outcome.DATA, 0, f"*.{ZONE}", data=("192.0.2.1",)),
        say(Outcome.DATA, 0, "beta.example", data=("192.0.2.1",)),
        say(Outcome.DATA, 0, "beta.example", "NS", data=("ns1.parked.example.org",)),
    )
    flagged = {(one.name, one.flag): one.seen for one in found.flagged}
    assert set(flagged) == {
        ("gamma.example", "registrable"), (HOST, "moved"), (HOST, "wildcard"), (ZONE, "wildcard"),
        ("beta.example", "parked"),
    }  # fmt: skip
    assert flagged[HOST, "moved"] == f"new.net since {TODAY}"
    assert "parking service" in flagged["beta.example", "parked"]
    assert {flag for _, flag in flagged} <= set(QUESTIONS)


def test_another_owner_after_a_gap_is_a_question() -> None:
    found = told(
        say(Outcome.DATA, -25, ZONE, "NS", data=("ns1.a.net",)), *denied(-20, -16, name=ZONE),
        say(Outcome.DATA, -2, ZONE, "NS", data=("ns1.b.net",)), say(Outcome.DATA, 0, ZONE),
    )  # fmt: skip
    (question,) = (one for one in found.flagged if one.name == ZONE)
    assert question == Flagged(ZONE, "other-name-servers", question.seen)


def test_a_history_holds_what_bears_on_the_name_oldest_first() -> None:
    bearing = [
        say(Outcome.DATA, -9),
        say(Outcome.FILTERED, -8, ZONE),
        say(Outcome.NODATA, -7, f"deep.{HOST}"),
        say(Outcome.DATA, -6, ZONE, "NS", data=("ns1.a.net",)),
        say(Outcome.DENIED, -5, f"*.{ZONE}"),
        say(Outcome.DATA, -4, "www.other.net", chain=(HOST, "x.net")),
        *denied(-3, -2),
    ]
    beside = [say(Outcome.DATA, -9, ZONE), say(Outcome.DATA, -8, f"x{HOST}"), say(Outcome.FILTERED, -7, "beta.example")]
    story = history(CATALOG, spans([*beside, *bearing]), HOST, NOW)
    assert set(story.spans) == set(spans(bearing))
    assert [span.first for span in story.spans] == sorted(span.first for span in story.spans)
    assert story.verdict.standing is Standing.SUSPECT
    assert story.suspect is not None and story.suspect.name == HOST
    assert story.facts.name_servers == ("ns1.a.net",)


def test_a_name_that_is_not_listed_has_a_history_too() -> None:
    story = history(CATALOG, spans([say(Outcome.DATA, 0, "new.net")]), Name("new.net"), NOW)
    assert (story.verdict.standing, len(story.spans)) == (Standing.LIVE, 1)


observations = st.builds(
    say,
    st.sampled_from(list(Outcome)),
    st.one_of(st.integers(-40, 3), st.integers(-30000, 10**6)),
    st.sampled_from([HOST, ZONE, f"*.{ZONE}", "gamma.example", "unlisted.net"]),
    st.sampled_from(["A", "NS", "SOA", "DS", WEB]),
    resolver=st.sampled_from(list(OPERATORS)),
    data=st.sampled_from([(), ("ns1.a.net",), ("ns1.b.net",)]),
    chain=st.sampled_from([(), ("x.net",)]),
)


@given(st.lists(observations, max_size=12))
def test_any_history_can_be_told(seen: list[Observation]) -> None:
    """Wrong clocks included: every standing is counted once, nothing is suspect and gone at once."""
    found = told(*seen)
    assert sum(found.counts.values()) == len([entry for entry in CATALOG.names if not entry.bypass])
    assert len(found.suspects) == found.counts.get("suspect", 0)
    assert all(one.flag in QUESTIONS for one in found.flagged)
    assert history(CATALOG, spans(seen), HOST, NOW).verdict.name == HOST
