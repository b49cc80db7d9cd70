"""Each reply is read as RFC 2308, RFC 8914 and the servers measured demand; doubt stays doubt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import strategies
from aidns.blockset import compile_selection, decide
from aidns.model import ActionChoice, Garden, Policy, Rule
from aidns.names import Name
from aidns.verify.judge import Calibration, Finding, Reading, calibrate, judge, needs_control, read_reply
from aidns.verify.limits import NONE, Limits
from aidns.verify.questions import Place, Question, questions
from aidns.wire import Ede, Record, Reply

GENUINE = "ns.x.com host.x.com 1 3600 600 86400 60"
USUAL = Calibration()


def reply(
    rcode: str = "NOERROR",
    *answers: tuple[str, str],
    soa: tuple[str, str] | None = None,
    policy_zone: str = "",
    ede: int | None = None,
) -> Reply:
    return Reply(
        id=1,
        rcode=rcode,
        flags=frozenset({"RA"}),
        question=("n.x.com", "A"),
        answers=tuple(Record("n.x.com", rdtype, 60, data) for rdtype, data in answers),
        authority=(Record(soa[0], "SOA", 60, soa[1]),) if soa else (),
        additional=(Record(policy_zone, "SOA", 60, GENUINE),) if policy_zone else (),
        ede=(Ede(ede, "why"),) if ede is not None else (),
    )


REAL = reply("NOERROR", ("A", "192.0.2.1"))
BLOCKED: list[tuple[str, Reply]] = [
    ("null address", reply("NOERROR", ("A", "0.0.0.0"))),
    ("null v6 address", reply("NOERROR", ("AAAA", "::"))),
    ("alias of a blocked name", reply("NOERROR", ("CNAME", "cdn.net"), ("A", "0.0.0.0"))),
    ("extended error", reply("NXDOMAIN", soa=("x.com", GENUINE), ede=15)),
    ("filtered by the operator's order", reply("SERVFAIL", ede=17)),
    ("BIND's policy zone", reply("NXDOMAIN", policy_zone="rpz.aidns")),
    ("unbound, PowerDNS", reply("NXDOMAIN")),
    ("Knot Resolver", reply("NXDOMAIN", soa=("n.x.com", "n.x.com nobody.invalid 1 3600 1200 604800 10800"))),
    ("SOA of the denied name", reply("NXDOMAIN", soa=("n.x.com", GENUINE))),
    ("unbound with an SOA of ours", reply("NXDOMAIN", soa=("x.com", "localhost nobody.invalid 1 3600 600 86400 300"))),
    ("AdGuard Home", reply(soa=("n.x.com", "fake-for-negative-caching.adguard.com hostmaster.x.com 1 1 1 1 1"))),
    ("PowerDNS with includeSOA", reply("NXDOMAIN", soa=("rpz.aidns", GENUINE))),
]
OPEN: list[tuple[str, Reply]] = [
    ("address", REAL),
    ("alias", reply("NOERROR", ("CNAME", "cdn.net"), ("A", "192.0.2.1"))),
    ("a null address beside a real one", reply("NOERROR", ("A", "0.0.0.0"), ("A", "192.0.2.1"))),
    ("denied by its zone", reply("NXDOMAIN", soa=("x.com", GENUINE))),
    ("denied by the root", reply("NXDOMAIN", soa=(".", GENUINE))),
    ("no data, says its zone", reply(soa=("x.com", GENUINE))),
    ("data that PowerDNS lets through", reply("NOERROR", ("A", "192.0.2.1"), ede=15)),
    ("another extended error", reply("NXDOMAIN", soa=("x.com", GENUINE), ede=3)),
]
UNCLEAR: list[tuple[str, Reply | None]] = [
    ("silence", None),
    ("SERVFAIL", reply("SERVFAIL")),
    ("REFUSED", reply("REFUSED")),
    ("REFUSED, prohibited", reply("REFUSED", ede=18)),
    ("NODATA without SOA at a name that may exist", reply()),
]


@pytest.mark.parametrize(("what", "answer"), BLOCKED)
@pytest.mark.parametrize("place", ["apex", "child"])
def test_only_a_filter_says_that(what: str, answer: Reply, place: Place) -> None:
    assert read_reply("n.x.com", place, answer, USUAL).reading is Reading.BLOCKED


@pytest.mark.parametrize(("what", "answer"), OPEN)
@pytest.mark.parametrize("place", ["apex", "child"])
def test_only_the_world_says_that(what: str, answer: Reply, place: Place) -> None:
    assert read_reply("n.x.com", place, answer, USUAL).reading is Reading.OPEN


@pytest.mark.parametrize(("what", "answer"), UNCLEAR)
def test_nobody_can_tell_from_that(what: str, answer: Reply | None) -> None:
    assert read_reply("n.x.com", "apex", answer, USUAL).reading is Reading.UNCLEAR


def test_place_decides_about_nodata() -> None:
    own_soa = reply(soa=("n.x.com", GENUINE))
    assert read_reply("n.x.com", "apex", own_soa, USUAL).reading is Reading.OPEN
    assert read_reply("n.x.com", "child", own_soa, USUAL).reading is Reading.BLOCKED
    assert read_reply("n.x.com", "child", reply(), USUAL).reading is Reading.BLOCKED
    assert read_reply("n.x.com", "apex", reply(), Calibration(nodata_blocks=True)).reading is Reading.BLOCKED


def test_a_missing_soa_says_nothing_where_genuine_answers_lack_it_too() -> None:
    bare = reply("NXDOMAIN")
    calibration = calibrate(strategies.policy(), [], [bare, None])
    assert not calibration.gives_soa
    assert read_reply("n.x.com", "child", bare, calibration).reading is Reading.UNCLEAR
    assert calibrate(strategies.policy(), [], [bare, reply("NXDOMAIN", soa=(".", GENUINE))]).gives_soa
    assert calibrate(strategies.policy(), [], [None, reply("SERVFAIL")]).gives_soa


def test_refused_is_a_block_only_if_the_policy_refuses() -> None:
    calibration = calibrate(strategies.policy(action="refuse", fallback=()), [], [])
    assert read_reply("n.x.com", "apex", reply("REFUSED"), calibration).reading is Reading.BLOCKED


def test_the_garden_stands_for_a_block() -> None:
    garden = Garden(a="198.51.100.7", aaaa="2001:DB8:0::7", cname="Garden.org.")
    policy = Policy(schema=1, title="t", id="p", action=ActionChoice("walled-garden", (), garden))
    calibration = calibrate(policy, [], [])
    for data in (("A", "198.51.100.7"), ("AAAA", "2001:db8::7"), ("CNAME", "garden.org")):
        assert read_reply("n.x.com", "apex", reply("NOERROR", data), calibration).reading is Reading.BLOCKED
    assert read_reply("n.x.com", "apex", REAL, calibration).reading is Reading.OPEN


def test_the_canary_teaches_a_servers_own_block_address() -> None:
    own = reply("NOERROR", ("A", "10.0.0.2"))
    learned = calibrate(strategies.policy(), [own, None], [REAL, reply("NXDOMAIN", soa=(".", GENUINE))])
    assert read_reply("n.x.com", "apex", own, learned).reading is Reading.BLOCKED
    hijacking = calibrate(strategies.policy(), [own], [own])
    assert read_reply("n.x.com", "apex", own, hijacking).reading is Reading.OPEN


def question(name: str = "n.x.com", rdtype: str = "A", place: Place = "apex", *, blocked: bool = True) -> Question:
    return Question(Name(name), rdtype, place, Name("n.x.com"), blocked)


LEAKS = Limits(leaks=frozenset({"n.x.com"}))
OVER_BLOCKS = Limits(trees={"n.x.com": True}, over_blocks=frozenset({"n.x.com"}))


@pytest.mark.parametrize(
    ("asked", "answer", "limits", "outcome"),
    [
        (question(), BLOCKED[0][1], NONE, "blocked"),
        (question(), REAL, NONE, "leaked"),
        (question(), REAL, LEAKS, "declared"),
        (question(), REAL, OVER_BLOCKS, "leaked"),
        (question(), BLOCKED[0][1], LEAKS, "blocked"),
        (question(blocked=False), REAL, NONE, "open"),
        (question(blocked=False), BLOCKED[0][1], NONE, "over-blocked"),
        (question(blocked=False), BLOCKED[0][1], OVER_BLOCKS, "declared"),
        (question(blocked=False), BLOCKED[0][1], LEAKS, "over-blocked"),
        (question(), None, LEAKS, "inconclusive"),
        (question(blocked=False), reply("SERVFAIL"), NONE, "inconclusive"),
    ],
)
def test_outcomes(asked: Question, answer: Reply | None, limits: Limits, outcome: str) -> None:
    (finding,) = judge([asked], [answer], USUAL, limits=limits)
    assert finding.outcome == outcome
    assert needs_control(finding) == (outcome in ("inconclusive", "over-blocked"))


def outcomes(pairs: list[tuple[Question, Reply | None]]) -> list[str]:
    return [found.outcome for found in judge([q for q, _ in pairs], [r for _, r in pairs], USUAL)]


def test_nodata_without_soa_is_decided_by_other_answers_of_the_name() -> None:
    null = BLOCKED[0][1]
    assert outcomes([(question(), null), (question(rdtype="HTTPS"), reply())]) == ["blocked", "blocked"]
    assert outcomes([(question(), REAL), (question(rdtype="HTTPS"), reply())]) == ["leaked", "inconclusive"]
    child = question("fresh.n.x.com", place="child")
    assert outcomes([(question(), reply()), (child, reply("NXDOMAIN"))]) == ["blocked", "blocked"]
    assert outcomes([(question(), reply()), (child, REAL)]) == ["inconclusive", "leaked"]
    open_exception = (question(blocked=False), REAL)
    sloppy = (question(rdtype="TXT", blocked=False), reply())
    assert outcomes([open_exception, sloppy, (child, reply("NXDOMAIN"))])[1] == "inconclusive"


def test_extended_errors_decide_nothing_where_they_come_with_real_data() -> None:
    denied = reply("NXDOMAIN", soa=("x.com", GENUINE), ede=15)
    passed = (question("ok.x.com", blocked=False), reply("NOERROR", ("A", "192.0.2.1"), ede=15))
    nulled = (question("ok.x.com"), reply("NOERROR", ("A", "0.0.0.0"), ede=15))
    assert outcomes([(question(), denied), passed]) == ["leaked", "open"]
    assert outcomes([(question(), denied), nulled]) == ["blocked", "blocked"]


def settled(asked: Question, here: Reply | None, world: Reply | None, calibration: Calibration = USUAL) -> Finding:
    return judge([asked], [here], calibration, {asked: world})[0]


def test_a_control_resolver_settles_doubt() -> None:
    bare, denied = reply(), reply(soa=("x.com", GENUINE))
    assert settled(question(), bare, REAL).outcome == "blocked"
    assert settled(question(), bare, denied).outcome == "blocked"
    assert settled(question(), bare, bare).outcome == "inconclusive"
    assert settled(question(), bare, None).outcome == "inconclusive"
    assert settled(question(), reply("SERVFAIL"), REAL).outcome == "inconclusive"
    assert settled(question(), None, REAL).outcome == "inconclusive"
    strips = Calibration(gives_soa=False)
    assert settled(question(), reply("NXDOMAIN"), REAL, strips).outcome == "blocked"
    assert settled(question(), bare, denied, strips).outcome == "inconclusive"


def test_what_the_world_says_too_is_no_over_block() -> None:
    null = BLOCKED[0][1]
    lookalike = question("xn.x.com", place="look-alike", blocked=False)
    assert settled(lookalike, null, null).outcome == "inconclusive"
    assert settled(lookalike, null, REAL).outcome == "over-blocked"
    assert settled(lookalike, null, None).outcome == "over-blocked"
    assert settled(question(), null, null).outcome == "blocked"


def test_reasons_are_one_printable_line() -> None:
    hostile = Reply(1, "NXDOMAIN", frozenset(), ("n.x.com", "A"), ede=(Ede(15, "a\nb\x1b[2J" + "c" * 500),))
    why = judge([question()], [hostile], USUAL)[0].why
    assert why.isprintable()
    assert len(why) <= 120


SHAPES = [answer for _, answer in BLOCKED]


@given(strategies.rules(), st.sampled_from(SHAPES), st.integers(0), st.booleans())
def test_a_right_server_is_clean_and_one_wrong_answer_is_found(
    rules: tuple[Rule, ...], shape: Reply, at: int, wrong_is_leak: bool
) -> None:
    compiled = compile_selection(strategies.selection(rules), {})
    asked = questions(compiled, "fresh")

    def answer(blocked: bool) -> Reply:
        return shape if blocked else REAL

    # SOA owners in the shapes are made for one name; give every other name a denial that fits.
    replies: list[Reply | None] = [
        answer(q.blocked) if not shape.authority or not q.blocked else reply("NXDOMAIN") for q in asked
    ]
    assert {found.outcome for found in judge(asked, replies, USUAL)} <= {"blocked", "open"}
    index = at % len(asked)
    wrong = [*replies[:index], answer(False) if asked[index].blocked else reply("NXDOMAIN"), *replies[index + 1 :]]
    found = judge(asked, wrong, USUAL)
    assert found[index].outcome == ("leaked" if decide(compiled.owners, asked[index].name) else "over-blocked")
    assert sum(f.outcome in ("leaked", "over-blocked") for f in found) == 1
