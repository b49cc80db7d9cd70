"""Thousands of questions under way, a server that behaves badly, forgers: what is believed, and what is counted."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from aidns import wire
from aidns.lookup import udp
from aidns.lookup.ask import Contact, ask, probe
from aidns.lookup.attempt import Manners, Schedule
from aidns.lookup.resolver import parse_resolver
from aidns.model import Observation, Outcome
from aidns.names import Name
from lying_server import LyingServer
from responder import Responder

QUICK = Manners(timeout=0.5, soft_timeout=0.1, pauses=(0.0,), probe_timeout=0.5)
SLOW = ("duplicate", "late")
"""What a busy machine makes of honest replies."""


def ask_all(spec: str, names: Sequence[str], manners: Manners = QUICK) -> tuple[dict[str, Observation], Contact]:
    """Ask for A of all names; return the observations by name, and the contact as it was left."""

    async def run() -> tuple[dict[str, Observation], Contact]:
        contact = Contact(parse_resolver(spec), manners)
        await probe([contact], ())
        schedule = Schedule(map(Name, names), [contact.resolver.id], gated=(), zone=())
        found = {seen.name: seen async for batch in ask(schedule, [contact], at=1) for seen in batch}
        await contact.exchange.close()
        return dict(found), contact

    return asyncio.run(run())


def names_of(kind: str, count: int = 3) -> list[str]:
    return [f"{kind}-{i}.shop.com" for i in range(count)]


@pytest.fixture(scope="module")
def responder() -> Iterator[Responder]:
    with Responder() as running:
        yield running


@pytest.mark.parametrize(
    ("kind", "outcome", "odd"),
    [
        ("badid", Outcome.TIMEOUT, "wrong identifier"),
        ("badq", Outcome.TIMEOUT, "wrong question"),
        ("twice", Outcome.DATA, "duplicate"),
        ("garbage", Outcome.BROKEN, "malformed"),
        ("huge", Outcome.DATA, "oversize"),
        ("tc", Outcome.DATA, ""),
        ("chain", Outcome.DATA, ""),
        ("onceservfail", Outcome.DATA, ""),
        ("refused", Outcome.REFUSED, ""),
        ("dead", Outcome.TIMEOUT, ""),
        ("null", Outcome.FILTERED, ""),
    ],
)
def test_what_comes_is_survived_and_counted(responder: Responder, kind: str, outcome: Outcome, odd: str) -> None:
    good = names_of("good", 50)
    found, contact = ask_all(responder.spec, [*names_of(kind), *good])
    assert {found[name].outcome for name in names_of(kind)} == {outcome}
    assert {found[name].outcome for name in good} == {Outcome.DATA}
    if odd:
        assert contact.odd[odd] >= 3
    assert kind in ("garbage", "badid") or set(contact.odd) <= {odd, *SLOW}


def test_every_answer_is_its_own_questions_whatever_is_lost_and_late() -> None:
    """Over many sockets and identifiers, with loss and delay, no name gets another one's fate."""
    kinds = ("live", "nx", "null", "nodata")
    names = [f"{kinds[i % 4]}-{i}.shop.com" for i in range(6000)]
    with Responder(delay=0.01, loss=0.01) as responder:
        found, contact = ask_all(responder.spec, names, Manners())
    expected = dict(zip(kinds, (Outcome.DATA, Outcome.DENIED, Outcome.FILTERED, Outcome.NODATA), strict=True))
    assert {name: seen.outcome for name, seen in found.items()} == {n: expected[n.partition("-")[0]] for n in names}
    assert contact.again > 0
    assert contact.packets > len(names) > udp.QUERIES_PER_SOCKET


# ------------------------------------------------------------------ a server made of one function

Answer = Callable[[bytes, tuple[str, int]], Sequence[bytes]]


@contextmanager
def serving(answer: Answer) -> Iterator[tuple[str, socket.socket]]:
    """Run a server that sends what `answer` makes of a query and its sender."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            while query := (received := server.recvfrom(4096))[0]:
                for reply in answer(query, received[1]):
                    server.sendto(reply, received[1])

        thread = threading.Thread(target=serve)
        thread.start()
        port = server.getsockname()[1]
        yield f"127.0.0.1:{port}", server
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", ("127.0.0.1", port))
        thread.join()


def reply_to(query: bytes, address: bytes = b"\xc0\0\2\1") -> bytes:
    end = query.index(0, 12) + 5
    record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + address
    return query[:2] + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0) + query[12:end] + record


def test_a_forgers_reply_from_elsewhere_is_not_believed() -> None:
    """It knows everything but the server's address; the kernel drops it, because the socket is connected."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as forger:
        forger.bind(("127.0.0.1", 0))

        def answer(query: bytes, client: tuple[str, int]) -> list[bytes]:
            forger.sendto(reply_to(query, b"\x06\x06\x06\x06"), client)
            return [reply_to(query)]

        with serving(answer) as (spec, _):
            found, _ = ask_all(spec, ["www.shop.com"])
    assert found["www.shop.com"].data == ("192.0.2.1",)


def test_names_are_asked_in_random_case_from_many_ports_under_many_identifiers() -> None:
    seen: list[tuple[bytes, int, bytes]] = []

    def answer(query: bytes, client: tuple[str, int]) -> list[bytes]:
        seen.append((query[:2], client[1], query[12:28]))
        return [reply_to(query)]

    with serving(answer) as (spec, _):
        found, contact = ask_all(spec, [f"n{i:04}.shop.com" for i in range(1200)])
    assert {one.outcome for one in found.values()} == {Outcome.DATA}
    assert set(contact.odd) <= set(SLOW)
    assert len({port for _, port, _ in seen}) >= 3
    assert len({ident for ident, _, _ in seen}) > 1000
    assert len({name[6:] for _, _, name in seen}) > 50, "`shop.com` in many cases"
    ports = Counter((ident, port) for ident, port, _ in seen)
    assert max(ports.values()) == 1, "no identifier twice from one port"


def test_a_reply_in_another_case_is_asked_again_over_tcp() -> None:
    """It may be a forger's, or a server's that keeps no case: TCP tells, and either way the name gets its answer."""
    with LyingServer() as server:
        server.data("www.shop.com", "A", "192.0.2.1")
        honest = server.respond

        def lower(query: bytes, transport: str) -> bytes | None:
            reply = honest(query, transport)
            return reply.lower() if reply and transport == "udp" else reply

        server.respond = lower  # type: ignore[method-assign]
        found, contact = ask_all(server.spec, ["www.shop.com"])
        assert server.asked("www.shop.com")[-1] == ("A", "tcp")
    assert found["www.shop.com"].data == ("192.0.2.1",)
    assert contact.odd["wrong case"] >= 1


@pytest.mark.parametrize(("rcode", "outcome"), [(1, Outcome.BROKEN), (5, Outcome.REFUSED), (3, Outcome.TIMEOUT)])
def test_a_failure_without_its_question_is_one_and_a_denial_is_not(rcode: int, outcome: Outcome) -> None:
    """Some servers report failures with the header alone; nobody denies a name so."""

    def answer(query: bytes, _: tuple[str, int]) -> list[bytes]:
        if b"\3www" not in query.lower():
            return [reply_to(query)]
        return [query[:2] + struct.pack("!HHHHH", 0x8180 | rcode, 0, 0, 0, 0)]

    with serving(answer) as (spec, _):
        found, _ = ask_all(spec, ["www.shop.com"])
    assert found["www.shop.com"].outcome is outcome


def test_a_reply_larger_than_allowed_is_fetched_over_tcp() -> None:
    with Responder() as responder:
        found, _ = ask_all(responder.spec, ["huge-a.shop.com"])
    assert found["huge-a.shop.com"].outcome is Outcome.DATA
    assert responder.counts["queries over TCP"] == 1


def test_a_closed_port_is_told() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unread:
        unread.bind(("127.0.0.1", 0))
        spec = f"127.0.0.1:{unread.getsockname()[1]}"
    found, contact = ask_all(spec, ["www.shop.com"])
    assert found == {} or {one.outcome for one in found.values()} == {Outcome.TIMEOUT}
    assert not contact.replied


def test_an_address_that_this_machine_cannot_reach_is_no_answer() -> None:
    """A broadcast address is refused by the kernel before a packet leaves."""
    found, contact = ask_all("255.255.255.255", ["www.shop.com"])
    assert {one.outcome for one in found.values()} <= {Outcome.TIMEOUT}
    assert not contact.replied


def test_a_query_fits_the_reader() -> None:
    """The question in random case is the one that was meant."""
    asked = wire.question("www.shop.com", "HTTPS")
    assert wire.read_question(wire.query_of(7, asked.replace(b"shop", b"sHoP")))[:2] == ("www.shop.com", 65)
