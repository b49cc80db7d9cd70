"""The stub resolver believes only matching replies, sends lost queries again, and keeps the order of questions."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from aidns import stub, wire
from aidns.errors import UsageError
from aidns.lab.upstream import Upstream
from aidns.stub import Endpoint, ask, ask_many, parse_endpoint

Handler = Callable[[bytes, int], list[bytes]]
"""(query, how many came before) -> messages to send back."""


@contextmanager
def peer(handler: Handler) -> Iterator[int]:
    """A UDP peer that answers as told; yields its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))

        def serve() -> None:
            for count in range(1000):
                message, client = sock.recvfrom(4096)
                if not message:
                    return
                for reply in handler(message, count):
                    sock.sendto(reply, client)

        thread = threading.Thread(target=serve)
        thread.start()
        yield sock.getsockname()[1]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", sock.getsockname())
        thread.join()


def _echo(query: bytes, flags: int = 0x8180) -> bytes:
    end = wire.read_question(query)[2]
    return query[:2] + flags.to_bytes(2) + b"\0\1" + bytes(6) + query[12:end]


def test_replies_come_in_the_order_of_the_questions() -> None:
    questions = [(f"n{i}.com", rdtype) for i in range(300) for rdtype in ("A", "TXT")]
    with Upstream() as upstream:
        for tcp in (False, True):
            replies = ask_many(upstream.port, questions, tcp=tcp)
            assert [reply.question for reply in replies if reply] == questions
    assert upstream.seen.count(("n7.com", "A")) == 2


def test_a_lost_query_is_sent_again() -> None:
    with peer(lambda query, count: [_echo(query)] if count else []) as port:
        assert ask_many(port, [("x.com", "A")], timeout=0.05)[0] is not None


def test_silence_is_none_or_a_timeout() -> None:
    with peer(lambda query, count: []) as port:
        assert ask_many(port, [("x.com", "A"), ("y.com", "A")], timeout=0.02, tries=2) == [None, None]
        with pytest.raises(TimeoutError, match=r"x\.com A"):
            ask(port, "x.com", timeout=0.02)


def test_a_closed_port_is_silence() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    for tcp in (False, True):
        assert ask_many(port, [("x.com", "A")] * 3, tcp=tcp, timeout=0.02, tries=2) == [None] * 3


def test_forged_replies_are_not_believed() -> None:
    def forge(query: bytes, _count: int) -> list[bytes]:
        wrong_id = bytes((query[0] ^ 1,)) + _echo(query, 0x8185)[1:]
        wrong_name = _echo(query, 0x8185).replace(b"\x01x\x03com", b"\x01y\x03com")
        return [b"junk", wrong_id, wrong_name, query, _echo(query)]

    with peer(forge) as port:
        assert ask(port, "x.com").rcode == "NOERROR"


def test_what_comes_back_truncated_is_asked_over_tcp() -> None:
    with Upstream() as upstream:
        genuine = upstream.answer
        # Over UDP the upstream now sets TC; its TCP answers have no such bit.
        upstream.answer = lambda message: _truncated_once(genuine(message), upstream)  # type: ignore[method-assign]
        reply = ask_many(upstream.port, [("x.com", "A")])[0]
    assert reply is not None
    assert "TC" not in reply.flags
    assert upstream.seen == [("x.com", "A")] * 2


def _truncated_once(reply: bytes, upstream: Upstream) -> bytes:
    return reply[:2] + bytes((reply[2] | 2,)) + reply[3:] if len(upstream.seen) == 1 else reply


def test_what_waits_for_tcp_replies_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """With more questions left than may be in flight, nothing is done until a reply comes."""
    looks = iter(range(10_000))

    class Slow(Upstream):
        def answer(self, message: bytes) -> bytes:
            time.sleep(0.05)
            return super().answer(message)

    def select_counted(*waited_for: Any) -> Any:
        next(looks)
        return select.select(*waited_for)

    monkeypatch.setattr(stub, "select", SimpleNamespace(select=select_counted))
    with Slow() as upstream:
        replies = ask_many(upstream.port, [(f"n{i}.com", "A") for i in range(18)], tcp=True, timeout=30)
    assert None not in replies
    assert next(looks) < 100


def test_case_and_final_dot_do_not_matter() -> None:
    with Upstream() as upstream:
        assert ask(upstream.port, "WWW.Example.COM.").question == ("www.example.com", "A")
        assert ask(upstream.port, ".", "NS").question == (".", "NS")


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("10.0.0.53", Endpoint("10.0.0.53", 53)),
        ("10.0.0.53:5353", Endpoint("10.0.0.53", 5353)),
        ("::1", Endpoint("::1", 53)),
        ("[::1]:5353", Endpoint("::1", 5353)),
        ("[::1]", Endpoint("::1", 53)),
        ("pihole.lan:54", Endpoint("pihole.lan", 54)),
    ],
)
def test_servers_are_written_as_usual(text: str, endpoint: Endpoint) -> None:
    assert parse_endpoint(text) == endpoint
    assert parse_endpoint(str(endpoint)) == endpoint


@pytest.mark.parametrize(
    "text", ["", ":53", "10.0.0.53:", "a:b", "a:0", "a:65536", "https://x/dns-query", "a b", "[::1]53x"]
)
def test_anything_else_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="is no server"):
        parse_endpoint(text)


def test_a_host_without_address_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no address"):
        ask(53, "x.com", host="no-such-host.invalid")
