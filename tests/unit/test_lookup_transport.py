"""The way to a resolver: its address, its connections, and what this machine is set up with."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from pathlib import Path

import dns.asyncresolver
import dns.edns
import dns.message
import dns.resolver
import pytest
import trustme

from aidns import wire
from aidns.errors import EnvironmentFault
from aidns.lookup import transport
from aidns.lookup.attempt import Question
from aidns.lookup.flow import Attempt, Try
from aidns.lookup.outcome import classify
from aidns.lookup.resolver import parse_resolver
from aidns.lookup.transport import Exchange, Unusable, reply_of, system_resolvers
from aidns.names import Name
from lying_server import LyingServer

NAME = Name("www.shop.com")


def numbered(number: int, timeout: float = 1.0) -> Try:
    question = Question(NAME, "A")
    return Try(question, number, "tls", timeout, Attempt(question, "tls", 0.0, 0), 0.0)


def test_the_machines_resolvers_are_read(tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    path.write_text("search x.test\nnameserver 10.0.0.53\nnameserver 9.9.9.9\nnameserver 10.0.0.53\noptions edns0\n")
    found = system_resolvers(None, str(path))
    assert [(r.id, r.rate) for r in found] == [("10.0.0.53", 0), ("9.9.9.9", 50)]
    assert {r.rate for r in system_resolvers(7, str(path))} == {7}


@pytest.mark.parametrize("text", ["", "# nothing\noptions edns0\n", None])
def test_a_machine_without_resolver_says_so(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "resolv.conf"
    if text is not None:
        path.write_text(text)
    with pytest.raises(EnvironmentFault, match="no resolver") as fault:
        system_resolvers(None, str(path))
    assert "--resolver" in fault.value.tip


@pytest.fixture
def phone_book(monkeypatch: pytest.MonkeyPatch) -> Iterator[LyingServer]:
    """The server that this machine asks for the addresses of resolvers."""
    with LyingServer() as server:
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers, resolver.port, resolver.search = ["127.0.0.1"], server.port, []
        monkeypatch.setattr(dns.asyncresolver, "default_resolver", resolver)
        yield server


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[trustme.CA]:
    """A certificate authority that this process trusts."""
    made = trustme.CA()
    made.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    transport._tls_context.cache_clear()
    yield made
    transport._tls_context.cache_clear()


def tls_server(authority: trustme.CA, answers_per_stream: int = 0) -> LyingServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("dns.office.test").configure_cert(context)
    server = LyingServer(context, answers_per_stream)
    server.data(NAME, "A", "192.0.2.1")
    return server


def ask(spec: str, tries: int, timeout: float = 1.0) -> list[tuple[str, ...]]:
    """Send tries one after the other over one exchange; return the data of each."""

    async def run() -> list[tuple[str, ...]]:
        exchange = Exchange(parse_resolver(spec))
        try:
            return [(await exchange.send(numbered(n, timeout))).data("A") for n in range(1, tries + 1)]
        finally:
            await exchange.close()

    return asyncio.run(run())


@pytest.mark.parametrize(("answers_per_stream", "streams"), [(0, 1), (1, 5), (2, 3)])
def test_a_connection_is_kept_and_replaced_when_the_server_closes_it(
    authority: trustme.CA, answers_per_stream: int, streams: int
) -> None:
    with tls_server(authority, answers_per_stream) as server:
        assert ask(f"tls://{server.spec}#dns.office.test", 5) == [("192.0.2.1",)] * 5
        assert server.streams == streams


def test_a_resolver_is_found_by_host_name(phone_book: LyingServer, authority: trustme.CA) -> None:
    phone_book.data("dns.office.test", "A", "127.0.0.1")
    with tls_server(authority) as server:
        assert ask(f"tls://dns.office.test:{server.port}", 2) == [("192.0.2.1",)] * 2
    assert len(phone_book.asked("dns.office.test")) == 2, "A and AAAA once"


def test_each_address_of_a_host_is_tried_in_turn(phone_book: LyingServer) -> None:
    phone_book.data("dns.office.test", "A", "127.0.0.3", "127.0.0.2")
    exchange = Exchange(parse_resolver("tls://dns.office.test"))

    async def addresses() -> list[str]:
        return [await exchange._address(number) for number in (1, 2, 3)]

    first, second, third = asyncio.run(addresses())
    assert {first, second} == {"127.0.0.2", "127.0.0.3"}
    assert third == first


def test_a_host_without_address_is_no_answer_and_asked_for_once(phone_book: LyingServer) -> None:
    async def run() -> int:
        exchange = Exchange(parse_resolver("tls://dns.office.test"))
        for number in (1, 2):
            with pytest.raises(TimeoutError, match=r"no address of dns\.office\.test"):
                await exchange.send(numbered(number))
            asked.append(len(phone_book.log))
        return len(asked)

    asked: list[int] = []
    asyncio.run(run())
    assert asked[0] == asked[1] > 0


def test_a_server_without_tls_is_no_answer() -> None:
    with LyingServer() as server, pytest.raises(TimeoutError):
        ask(f"tls://{server.spec}", 1, timeout=0.3)


def test_a_certificate_nobody_trusts_is_no_reply() -> None:
    with tls_server(trustme.CA()) as server, pytest.raises(Unusable, match="TLS"):
        ask(f"tls://{server.spec}#dns.office.test", 1)


def test_garbage_over_tls_is_no_reply_and_ends_the_connection(authority: trustme.CA) -> None:
    with tls_server(authority) as server:
        server.lie(NAME, lambda _response, _transport: b"garbage")
        for _ in range(2):
            with pytest.raises(Unusable):
                ask(f"tls://{server.spec}#dns.office.test", 1)


# ------------------------------------------------------------------ two decoders, one meaning

MESSAGES = {
    "data": "opcode QUERY\nrcode NOERROR\nflags QR RD RA\n;QUESTION\nWWW.shop.com. IN A\n"
    ";ANSWER\nwww.SHOP.com. 60 IN CNAME a.cdn.net.\na.cdn.net. 60 IN A 192.0.2.2\na.cdn.net. 60 IN A 192.0.2.1\n",
    "null": "rcode NOERROR\nflags QR\n;QUESTION\nwww.shop.com. IN A\n;ANSWER\nwww.shop.com. 60 IN A 0.0.0.0\n",
    "denied": "rcode NXDOMAIN\nflags QR\n;QUESTION\nwww.shop.com. IN A\n"
    ";AUTHORITY\nshop.com. 60 IN SOA ns.shop.com. h.shop.com. 1 2 3 4 5\n",
    "denied by the root": "rcode NXDOMAIN\nflags QR\n;QUESTION\nwww.shop.com. IN A\n"
    ";AUTHORITY\n. 60 IN SOA a. b. 1 2 3 4 5\n",
    "policy zone": "rcode NXDOMAIN\nflags QR\n;QUESTION\nwww.shop.com. IN A\n"
    ";ADDITIONAL\nrpz.office. 60 IN SOA a. b. 1 2 3 4 5\n",
    "own zone": "rcode NXDOMAIN\nflags QR\n;QUESTION\nwww.shop.com. IN A\n"
    ";AUTHORITY\nshop.com. 60 IN SOA ns.shop.com. AIDNS.invalid. 1 2 3 4 5\n",
    "chain with odd labels": "rcode NXDOMAIN\nflags QR\n;QUESTION\nwww.shop.com. IN A\n"
    ";ANSWER\nwww.shop.com. 60 IN CNAME a\\032b\\.c.net.\n;AUTHORITY\nnet. 60 IN SOA a. b. 1 2 3 4 5\n",
    "servfail": "rcode SERVFAIL\nflags QR\n;QUESTION\nwww.shop.com. IN A\n",
}


@pytest.mark.parametrize("ede", [None, 15, 19, 22])
@pytest.mark.parametrize("text", MESSAGES.values(), ids=MESSAGES)
def test_both_decoders_read_the_same(text: str, ede: int | None) -> None:
    message = dns.message.from_text(text)
    if ede:
        message.use_edns(0, options=[dns.edns.EDEOption(ede, "why")])
    wire_form = message.to_wire()
    by_dnspython = reply_of(dns.message.from_wire(wire_form), numbered(1))
    by_hand = wire.parse(wire_form)
    assert classify(by_dnspython, NAME, "A") == classify(by_hand, NAME, "A")
