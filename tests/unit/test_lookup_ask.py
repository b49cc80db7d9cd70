"""Asking a resolver that lies, over real sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

import pytest

from aidns.lookup.ask import Contact, Probe, ask
from aidns.lookup.attempt import GATED, Manners, Schedule
from aidns.lookup.resolver import Resolver, parse_resolver
from aidns.model import Observation, Outcome
from aidns.names import Name
from lying_server import LyingServer

API = Name("api.shop.com")
CANARIES = (Name("p.aidns-canary.example"), Name("q.aidns-canary.example"))
QUICK = Manners(timeout=0.15, pauses=(0.0,), probe_timeout=0.15)


def ask_all(
    resolvers: Sequence[Resolver], names: Sequence[Name], manners: Manners = QUICK, canaries: tuple[Name, ...] = ()
) -> tuple[list[Probe], list[Observation], Schedule]:
    """Probe and ask; return what the probes showed, every observation, and the schedule as it ended."""

    async def run() -> tuple[list[Probe], list[Observation], Schedule]:
        contacts = [Contact(resolver, manners) for resolver in resolvers]
        schedule = Schedule(names, (resolver.id for resolver in resolvers))
        probes = [await contact.probe(canaries) for contact in contacts]
        seen = [one async for batch in ask(schedule, contacts, at=7, vantage="here") for one in batch]
        for contact in contacts:
            await contact.exchange.close()
        return probes, seen, schedule

    return asyncio.run(run())


def answer_for(server: LyingServer, name: Name = API, rdtype: str = "A", manners: Manners = QUICK) -> Observation:
    """Return the observation of one question."""
    _, seen, _ = ask_all([parse_resolver(server.spec)], [name], manners)
    (found,) = (one for one in seen if (one.name, one.rdtype) == (name, rdtype))
    return found


def test_everything_about_an_answer_is_observed() -> None:
    with LyingServer() as server:
        server.data(API, "A", "192.0.2.2", "192.0.2.1")
        server.data(API, "HTTPS", "1 . alpn=h2")
        server.data("shop.com", "NS", "NS1.shop.com.", "ns2.shop.com.")
        _, seen, _ = ask_all([parse_resolver(server.spec)], [API])
    found = {(one.name, one.rdtype): one for one in seen}
    assert set(found) == {(API, "A"), ("shop.com", "NS"), *((API, rdtype) for rdtype in GATED)}
    me, both = server.spec, ("192.0.2.1", "192.0.2.2")
    assert found[API, "A"] == Observation(API, "A", me, Outcome.DATA, 7, API, data=both, vantage="here", operator=me)
    assert found[API, "AAAA"].outcome is Outcome.NODATA
    assert found[API, "HTTPS"].data == ('1 . alpn="h2"',)
    assert found["shop.com", "NS"].data == ("ns1.shop.com", "ns2.shop.com")


def test_every_question_is_asked_once() -> None:
    with LyingServer() as server:
        server.data(API, "A", "192.0.2.1")
        _, seen, _ = ask_all([parse_resolver(server.spec)], [API, Name("www.shop.com"), Name("shop.com")])
        asked = [(name, rdtype) for name, rdtype, _ in server.log if name != "."]
    assert len(asked) == len(set(asked)) == len(seen) == 3 + 1 + len(GATED)


def test_chains_are_followed() -> None:
    with LyingServer() as server:
        server.cname(API, "a.cdn.net", "b.cdn.net", address="192.0.2.1")
        found = answer_for(server)
        assert (found.outcome, found.subject, found.chain) == (Outcome.DATA, "b.cdn.net", ("a.cdn.net", "b.cdn.net"))
        server.cname(API, "a.cdn.net", rcode="NXDOMAIN", soa="cdn.net")
        found = answer_for(server)
        assert (found.outcome, found.subject, found.chain) == (Outcome.DENIED, "a.cdn.net", ("a.cdn.net",))


@pytest.mark.parametrize(
    ("rcode", "ede", "outcome"),
    [
        ("SERVFAIL", 22, Outcome.SERVFAIL),
        ("SERVFAIL", 15, Outcome.FILTERED),
        ("REFUSED", 0, Outcome.REFUSED),
        ("FORMERR", 0, Outcome.BROKEN),
    ],
)
def test_failures_are_told_apart(rcode: str, ede: int, outcome: Outcome) -> None:
    with LyingServer() as server:
        server.fail(API, rcode, ede=ede)
        found = answer_for(server)
    assert found.outcome is outcome
    assert rcode in found.detail
    assert not ede or f"EDE {ede}" in found.detail


def test_denials_with_and_without_doubt() -> None:
    with LyingServer() as server:
        server.nxdomain(API, soa="shop.com")
        assert answer_for(server).outcome is Outcome.DENIED
        server.nxdomain(API, soa=None)
        assert answer_for(server).outcome is Outcome.FILTERED
        server.nxdomain(API, soa="shop.com", policy="rpz.local")
        assert answer_for(server).outcome is Outcome.FILTERED
        server.nxdomain(API, soa="shop.com", rname="aidns.invalid.")
        assert answer_for(server).outcome is Outcome.FILTERED
        server.nxdomain(API, soa="shop.com", ede=17)
        assert answer_for(server).outcome is Outcome.FILTERED
        server.data(API, "A", "0.0.0.0")
        assert answer_for(server).outcome is Outcome.FILTERED


@pytest.mark.parametrize(("rcode", "times"), [("SERVFAIL", 1), ("REFUSED", 1)])
def test_a_failure_that_passes_is_not_remembered(rcode: str, times: int) -> None:
    with LyingServer() as server:
        server.data(API, "A", "192.0.2.1")
        server.fail(API, rcode, times=times)
        assert answer_for(server).outcome is Outcome.DATA


def test_lost_packets_are_sent_again() -> None:
    with LyingServer() as server:
        server.data(API, "A", "192.0.2.1")
        server.drop(API, times=2)
        assert answer_for(server).outcome is Outcome.DATA
        assert server.asked(API)[:3] == [("A", "udp")] * 3


def test_silence_is_a_timeout_after_every_try() -> None:
    with LyingServer() as server:
        server.drop(API)
        found = answer_for(server)
        assert (found.outcome, server.asked(API)) == (Outcome.TIMEOUT, [("A", "udp")] * QUICK.silent_tries)
    assert "0.15 s" in found.detail


def test_a_closed_port_is_a_timeout() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unread:
        unread.bind(("127.0.0.1", 0))
        resolver = parse_resolver(f"127.0.0.1:{unread.getsockname()[1]}")
    (probe,), _, _ = ask_all([resolver], [])
    assert not probe.answers
    assert probe.trouble


def test_a_truncated_answer_is_asked_over_tcp() -> None:
    with LyingServer() as server:
        server.data(API, "A", *(f"192.0.2.{i}" for i in range(1, 33)))
        server.truncate(API)
        found = answer_for(server)
        assert (found.outcome, len(found.data)) == (Outcome.DATA, 32)
        assert server.asked(API)[:2] == [("A", "udp"), ("A", "tcp")]


def test_a_reply_under_another_identifier_is_passed_over() -> None:
    with LyingServer() as server:
        server.data(API, "A", "192.0.2.1")
        server.wrong_id(API, then_right=True)
        assert answer_for(server).outcome is Outcome.DATA
        server.wrong_id(API, then_right=False)
        assert answer_for(server).outcome is Outcome.TIMEOUT


@pytest.mark.parametrize(
    "garbage", [b"", b"x", b"\0" * 12, b"\xff" * 40, b"\0\0\x81\x80\0\1\0\xff\0\0\0\0\xc0\x0c\0\1\0\1"]
)
def test_garbage_is_survived(garbage: bytes) -> None:
    with LyingServer() as server:
        server.lie(API, lambda _response, _transport: garbage)  # over UDP a forger may say anything: wait on
        assert answer_for(server).outcome is Outcome.TIMEOUT
        server.data(API, "A", "192.0.2.1")
        server.truncate(API, over_tcp=garbage)
        assert answer_for(server).outcome is Outcome.BROKEN


def test_hostile_text_comes_out_as_printable_lines() -> None:
    with LyingServer() as server:
        server.cname(API, "\\027[31mred\\010.evil.net", address="192.0.2.1")
        found = answer_for(server)
        assert found.chain[0].isprintable()
        server.fail(API, "SERVFAIL", ede=22, text="a\nb\x1b[2J")
        assert answer_for(server).detail.isprintable()


# ------------------------------------------------------------------ probes


def test_a_positive_canary_betrays_our_own_list() -> None:
    with LyingServer() as server:
        server.data(CANARIES[1], "A", "0.0.0.0")
        server.nxdomain(API, soa="shop.com")
        (probe,), seen, _ = ask_all([parse_resolver(server.spec)], [API], canaries=CANARIES)
    assert (probe.answers, probe.canaries, probe.runs_our_list) == (True, (CANARIES[1],), True)
    assert {one.outcome for one in seen} == {Outcome.FILTERED}


def test_a_canary_that_brings_no_reply_leaves_no_proof_either() -> None:
    with LyingServer() as server:
        server.drop(CANARIES[0])
        server.nxdomain(API, soa="shop.com")
        (probe,), seen, _ = ask_all([parse_resolver(server.spec)], [API], canaries=CANARIES)
    assert (probe.canaries, probe.unsettled, probe.runs_our_list) == ((), True, True)
    assert {one.outcome for one in seen} == {Outcome.FILTERED}


@pytest.mark.parametrize("rcode", ["REFUSED", "SERVFAIL"])
def test_a_canary_refused_is_not_loaded(rcode: str) -> None:
    with LyingServer() as server:
        for canary in CANARIES:
            server.fail(canary, rcode)
        (probe,), _, _ = ask_all([parse_resolver(server.spec)], [], canaries=CANARIES)
    assert (probe.answers, probe.runs_our_list) == (True, False)


def test_an_honest_resolver_has_no_canary() -> None:
    with LyingServer() as server:
        server.nxdomain(API, soa="shop.com")
        (probe,), seen, _ = ask_all([parse_resolver(server.spec)], [API], canaries=CANARIES)
    assert (probe.answers, probe.runs_our_list) == (True, False)
    assert {one.outcome for one in seen if one.name == API} == {Outcome.DENIED}


# ------------------------------------------------------------------ several resolvers, many names

MANY = tuple(Name(f"n{i}.shop.com") for i in range(120))


def test_a_resolver_that_falls_silent_is_set_aside_and_the_others_go_on() -> None:
    with LyingServer() as silent, LyingServer() as honest:
        for name in (*MANY, "shop.com"):
            silent.drop(name)
        silent.drop(".")
        manners = Manners(
            timeout=0.05, pauses=(0.0,), silent_tries=1, patience=5, in_flight_unpaced=10, probe_timeout=0.05
        )
        _, seen, schedule = ask_all([parse_resolver(silent.spec), parse_resolver(honest.spec)], MANY, manners)
    assert schedule.at(silent.spec).aside
    assert not schedule.at(honest.spec).aside
    by_resolver = {spec: [one for one in seen if one.resolver == spec] for spec in (silent.spec, honest.spec)}
    assert {one.outcome for one in by_resolver[silent.spec]} == {Outcome.TIMEOUT}
    assert len(by_resolver[silent.spec]) < 40
    assert len(by_resolver[honest.spec]) == len(MANY) + 1
    assert schedule.left == 0


def test_dead_names_do_not_set_a_resolver_aside() -> None:
    with LyingServer() as server:
        for name in MANY[:60]:
            server.drop(name)
        manners = Manners(timeout=0.05, pauses=(0.0,), silent_tries=1, patience=5, in_flight_unpaced=10)
        _, seen, schedule = ask_all([parse_resolver(server.spec)], MANY, manners)
    assert not schedule.at(server.spec).aside
    assert len(seen) == len(MANY) + 1


def test_a_resolver_that_denies_the_root_and_everything_is_set_aside_soon() -> None:
    with LyingServer() as server:
        server.nxdomain(".", soa=None)
        for name in (*MANY, "shop.com", *CANARIES):
            server.nxdomain(name, soa=None)
        manners = Manners(timeout=0.15, pauses=(0.0,), trial=5, in_flight_unpaced=10)
        _, seen, schedule = ask_all([parse_resolver(server.spec)], MANY, manners, CANARIES)
    assert schedule.at(server.spec).aside
    assert len(seen) < 40


def test_a_rate_spaces_packets_out() -> None:
    """Every packet reserves its moment, one that is sent again, too."""
    with LyingServer() as server:
        server.drop(API, times=1)
        resolver = parse_resolver(server.spec, rate=10)

        async def run() -> tuple[float, float]:
            contact = Contact(resolver, Manners(timeout=0.1, pauses=(0.0,)))
            schedule = Schedule([API, Name("www.shop.com")], [resolver.id])
            before = asyncio.get_running_loop().time()
            async for _ in ask(schedule, [contact], at=1):
                pass
            return (contact.throttle.free_at or 0) - before, 1 / contact.throttle.rate

        reserved, gap = asyncio.run(run())
    assert len(server.log) == 4
    assert reserved >= 4 * gap
