"""A fast stub resolver for one server: one question, or thousands in flight over one socket. [I/O]

It asks exactly the server it is given and believes only replies that repeat identifier and question.
"""

from __future__ import annotations

import math
import re
import secrets
import select
import socket
import time
from array import array
from collections import deque
from collections.abc import Iterator, Sequence

from msgspec import Struct

from aidns import wire
from aidns.errors import UsageError
from aidns.names import printable

Query = tuple[str, str]
"""Name and rdtype."""
LOOPBACK = "127.0.0.1"
_ENDPOINT = re.compile(
    r"(?:\[(?P<bracketed>[^]\s/]+)\]|(?P<host>[^][\s/:]+))(?::(?P<port>\d{1,5}))?|[0-9A-Fa-f.]*(?::[0-9A-Fa-f.]*){2,}(?:%\w+)?"
)
_TCP_WINDOW = 16
"""Queries in flight on one TCP connection: few, because servers limit them (RFC 7766 §6.2.1)."""


class Endpoint(Struct, frozen=True):
    """Address and port of a DNS server."""

    host: str
    port: int = 53

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_endpoint(text: str) -> Endpoint:
    """Read `HOST`, `HOST:PORT`, an IPv6 address, or `[IPv6]:PORT`. Raises UsageError."""
    found = _ENDPOINT.fullmatch(text)
    port = int(found["port"] or 53) if found else 0
    if not found or not 0 < port < 65536:
        tip = "write an address: 10.0.0.53, 10.0.0.53:5353 or [fd00::53]:53"
        raise UsageError(f"{printable(text, 80)!r} is no server", tip=tip)
    return Endpoint(found["bracketed"] or found["host"] or text, port)


def ask(
    port: int,
    name: str,
    rdtype: str = "A",
    *,
    host: str = LOOPBACK,
    tcp: bool = False,
    timeout: float = 2.0,
    dnssec_ok: bool = False,
) -> wire.Reply:
    """Ask once, over UDP or TCP. Raises TimeoutError when no matching reply came within `timeout` seconds."""
    flight = _Flight([(name, rdtype)], port, host, tries=1, timeout=timeout, dnssec_ok=dnssec_ok)
    reply = (flight.over_tcp() if tcp else flight.over_udp())[0]
    if reply is None:
        raise TimeoutError(f"no reply from {host} port {port} to {name} {rdtype}")
    return reply


def ask_many(
    port: int,
    questions: Sequence[Query],
    *,
    host: str = LOOPBACK,
    tcp: bool = False,
    window: int = 64,
    timeout: float = 1.0,
    tries: int = 3,
    rate: float = 0,
) -> list[wire.Reply | None]:
    """Ask all questions, `window` in flight, at most `rate` a second (0: no limit); None where no reply came.

    A lost UDP query is sent again after `timeout` seconds, `tries` times in all; what comes back truncated is asked
    again over TCP (RFC 7766 §5).
    """
    flight = _Flight(questions, port, host, window=window, timeout=timeout, tries=tries, rate=rate)
    if tcp:
        return flight.over_tcp()
    replies = flight.over_udp()
    cut = [i for i, reply in enumerate(replies) if reply and "TC" in reply.flags]
    if cut:
        again = _Flight([questions[i] for i in cut], port, host, timeout=timeout, tries=tries, rate=rate).over_tcp()
        for i, reply in zip(cut, again, strict=True):
            replies[i] = reply
    return replies


class _Flight:
    """The questions of one call: which wait, which are in flight, what came back."""

    def __init__(
        self,
        questions: Sequence[Query],
        port: int,
        host: str,
        *,
        window: int = 64,
        timeout: float = 1.0,
        tries: int = 3,
        rate: float = 0,
        dnssec_ok: bool = False,
    ) -> None:
        self.questions = [(name.lower().rstrip(".") or ".", rdtype) for name, rdtype in questions]
        self.asked = [wire.question(*question) for question in self.questions]
        self.window, self.timeout, self.tries, self.dnssec_ok = window, timeout, tries, dnssec_ok
        self.gap = 1 / rate if rate else 0.0
        self.next_at = time.monotonic()
        self.idents = _random_numbers()
        self.replies: list[wire.Reply | None] = [None] * len(questions)
        self.waiting = deque(range(len(questions)))
        self.sent = [0] * len(questions)
        self.flying: dict[int, tuple[int, float]] = {}
        """Identifier -> (question's index, deadline); deadlines ascend in order of insertion."""
        self.host, self.port = host, port

    def over_udp(self) -> list[wire.Reply | None]:
        family, address = _resolve(self.host, self.port)
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.connect(address)
            sock.setblocking(False)
            while self.waiting or self.flying:
                for message in self._due(self.window):
                    try:
                        sock.send(message)
                    except OSError:
                        break  # full, or the port is closed: the deadline decides
                select.select([sock], [], [], self._patience(self.window))
                self._drain(sock)
                self._expire()
        return self.replies

    def over_tcp(self) -> list[wire.Reply | None]:
        """Ask over as many connections as the server makes us open; give up after `tries` without a reply."""
        barren = 0
        while self.waiting and barren < self.tries:
            left = len(self.waiting)
            self._one_connection()
            self.waiting.extendleft(index for index, _ in reversed(self.flying.values()))
            self.flying.clear()
            barren = barren + 1 if len(self.waiting) == left else 0
        return self.replies

    def _one_connection(self) -> None:
        try:
            with socket.create_connection((self.host, self.port), self.timeout) as sock:
                buffer = b""
                while self.waiting or self.flying:
                    if due := b"".join(len(message).to_bytes(2) + message for message in self._due(_TCP_WINDOW)):
                        sock.sendall(due)
                    if not select.select([sock], [], [], self._patience(_TCP_WINDOW))[0]:
                        if self._first_deadline() <= time.monotonic():
                            return
                        continue
                    received = sock.recv(65536)
                    if not received:
                        return
                    buffer = self._take_frames(buffer + received)
        except OSError:
            return

    def _due(self, window: int) -> Iterator[bytes]:
        """Yield the queries to send now; each is noted as in flight before."""
        now = time.monotonic()
        waiting, flying = self.waiting, self.flying
        while waiting and len(flying) < window and now >= self.next_at:
            self.next_at = max(self.next_at, now - 0.1) + self.gap
            while (ident := next(self.idents)) in flying:
                pass
            index = waiting.popleft()
            self.sent[index] += 1
            flying[ident] = (index, now + self.timeout)
            yield wire.query_of(ident, self.asked[index], dnssec_ok=self.dnssec_ok)

    def _patience(self, window: int) -> float:
        """Seconds until something must be done even if nothing arrives."""
        now = time.monotonic()
        moments = [self._first_deadline()] if self.flying else []
        if self.waiting and len(self.flying) < window:
            moments.append(self.next_at)
        return max(0.0, min(moments, default=now) - now)

    def _first_deadline(self) -> float:
        return next(iter(self.flying.values()), (0, math.inf))[1]

    def _drain(self, sock: socket.socket) -> None:
        while True:
            try:
                self._take(sock.recv(65535))
            except ConnectionRefusedError:
                continue  # an earlier query met a closed port; others may be on their way
            except OSError:
                return

    def _take_frames(self, buffer: bytes) -> bytes:
        while len(buffer) >= 2 and len(buffer) >= 2 + (length := int.from_bytes(buffer[:2])):
            self._take(buffer[2 : 2 + length])
            buffer = buffer[2 + length :]
        return buffer

    def _take(self, message: bytes) -> None:
        index, _ = self.flying.get(int.from_bytes(message[:2]), (None, 0.0))
        if index is None:
            return
        asked = self.questions[index]
        try:  # nearly every server repeats the question octet by octet: then it need not be read
            reply = wire.parse(message, asked if message.startswith(self.asked[index], 12) else None)
        except wire.MessageError:
            return
        if reply.question != asked:
            return
        del self.flying[reply.id]
        self.replies[index] = reply

    def _expire(self) -> None:
        now = time.monotonic()
        for ident in [ident for ident, (_, deadline) in self.flying.items() if deadline <= now]:
            index, _ = self.flying.pop(ident)
            if self.sent[index] < self.tries:
                self.waiting.append(index)


def _random_numbers() -> Iterator[int]:
    """Yield numbers of 16 bits that nobody can guess, drawn many at once: each draw is a call of the system."""
    while True:
        yield from array("H", secrets.token_bytes(512))


def _resolve(host: str, port: int) -> tuple[int, tuple[object, ...]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except socket.gaierror as error:
        raise UsageError(f"{printable(host, 80)!r} has no address: {error.strerror}") from None
    except UnicodeError:  # an empty label, or one that is too long
        raise UsageError(f"{printable(host, 80)!r} is no host name", tip="write an address") from None
    return found[0][0], found[0][4]
