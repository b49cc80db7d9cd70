"""Names for curators: everything that answers led to, less what somebody has judged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidns.candidates import KINDS, Candidate, candidates
from aidns.lookup.spans import DAY, from_observation, merge_all
from aidns.model import WEB, Observation, Outcome
from aidns.names import Name
from samples import NOW, catalog

CATALOG = catalog()
HOST, EXACT = Name("api.acme.example"), Name("_ai.acme-cloud.example")


def say(
    name: str = HOST,
    rdtype: str = "A",
    *,
    chain: tuple[str, ...] = (),
    data: tuple[str, ...] = (),
    outcome: Outcome = Outcome.DATA,
    day: int = 0,
) -> Observation:
    at = NOW + day * DAY
    return Observation(Name(name), rdtype, "9.9.9.9", outcome, at, Name(name), chain=chain, data=data)


def found(*seen: Observation) -> dict[str, tuple[Candidate, ...]]:
    return candidates(CATALOG, merge_all(map(from_observation, seen)).values())


def met(*seen: Observation) -> dict[str, tuple[str, ...]]:
    return {one.name: one.kinds for group in found(*seen).values() for one in group}


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (say(chain=("a.new.net", "b.new.net")), {"a.new.net": ("cname",), "b.new.net": ("cname",)}),
        (say(rdtype="HTTPS", data=("0 svc.new.net", "1 . alpn=h2")), {"svc.new.net": ("https",)}),
        (
            say(rdtype=WEB, chain=("new.net",), data=("new.net", "tmp.net")),
            {"new.net": ("redirect",), "tmp.net": ("redirect",)},
        ),
        (say(EXACT, chain=("new.acme-cloud.example",)), {"new.acme-cloud.example": ("sibling", "cname")}),
    ],
)  # fmt: skip
def test_every_way_to_meet_a_name(seen: Observation, expected: dict[str, tuple[str, ...]]) -> None:
    assert met(seen) == expected
    assert {kind for kinds in expected.values() for kind in kinds} <= set(KINDS)


@pytest.mark.parametrize(
    "target",
    [
        "www.acme.example", "login.beta.example", "x.cdn.example.org", "edge.example.org", "y.edge.example.org",
        "acme-fans.example", "x.acme-fans.example", "ns.parked.example.org", "use-other-dns.example", "com", "co.uk",
        "localhost", "\\027.evil.net", "UPPER.net", ".", "192.0.2.1",
    ],
)  # fmt: skip
def test_what_is_judged_or_no_name_is_left_out(target: str) -> None:
    assert met(say(chain=(target,)), say(rdtype="HTTPS", data=(f"0 {target}", "", "1"))) == {}


def test_a_customer_of_a_platform_has_no_siblings_there() -> None:
    assert met(say("acme.platform.example", chain=("x.platform.example",))) == {"x.platform.example": ("cname",)}


@pytest.mark.parametrize("outcome", [Outcome.DENIED, Outcome.FILTERED, Outcome.TIMEOUT])
def test_only_answers_count(outcome: Outcome) -> None:
    assert met(say(chain=("new.net",), outcome=outcome)) == {}


def test_names_that_no_service_owns_lead_nowhere() -> None:
    assert met(say("www.unlisted.net", chain=("new.net",))) == {}


def test_they_are_grouped_by_service_with_what_led_there_and_when() -> None:
    groups = found(
        say(chain=("new.net",), day=-3),
        say("acme.example", chain=("new.net",)),
        say("beta.example", chain=("new.net",)),
    )
    assert list(groups) == ["acme-chat", "beta-search"]
    assert groups["acme-chat"] == (
        Candidate(Name("new.net"), ("cname",), (Name("acme.example"), HOST), NOW - 3 * DAY, NOW),
    )


texts = st.sampled_from(["new.net", "a.new.net", "edge.example.org", "com", "..", "\\200", "acme-fans.example", ""])
observations = st.builds(
    say,
    st.sampled_from([HOST, EXACT, "acme.example", "beta.example", "x.org"]),
    st.sampled_from(["A", "HTTPS", WEB, "NS"]),
    chain=st.lists(texts, max_size=2).map(tuple),
    data=st.lists(st.one_of(texts, texts.map(lambda text: f"1 {text}")), max_size=2).map(tuple),
)


@given(st.lists(observations, max_size=8), st.lists(observations, max_size=3))
def test_a_candidate_is_a_name_nobody_has_judged_and_more_answers_lose_none(
    seen: list[Observation], more: list[Observation]
) -> None:
    alone, together = (
        {one.name for group in candidates(CATALOG, spans).values() for one in group}
        for spans in ([*map(from_observation, seen)], [*map(from_observation, [*seen, *more])])
    )
    assert alone <= together <= {"new.net", "a.new.net"}
