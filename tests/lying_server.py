"""A resolver on loopback that lies as told: by name it drops, fails, refuses, truncates, forges, filters.

    with LyingServer() as server:
        server.data("api.shop.com", "A", "192.0.2.1")
        server.nxdomain("gone.shop.com", soa="shop.com")

What it was not told about does not exist, and the root says so, unless it was told of the name `*`. The root itself
exists. UDP and TCP share a port.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from types import TracebackType

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from aidns.lab.upstream import bind_both

TTL = 60
Lie = Callable[[dns.message.Message, str], "dns.message.Message | bytes | None"]
"""Gets a response without content and the transport, returns what to send: None for silence."""


class LyingServer:
    """A server while the `with` block runs. `log` holds every question: name, rdtype, transport.

    With `tls`, streams are encrypted; each ends after `answers_per_stream` answers, 0 for never.
    """

    def __init__(self, tls: ssl.SSLContext | None = None, answers_per_stream: int = 0) -> None:
        self.log: list[tuple[str, str, str]] = []
        self.streams = 0
        self._tls = tls
        self._answers_per_stream = answers_per_stream
        self._lies: dict[tuple[str, str], Lie] = {}
        self._seen: Counter[tuple[str, str]] = Counter()
        self._udp, self._tcp = bind_both()
        self.port: int = self._udp.getsockname()[1]
        self.spec = f"127.0.0.1:{self.port}"
        self._stopped = False
        self.data(".", "SOA", ". . 1 1800 900 604800 86400")

    # -------------------------------------------------------------- what to say

    def lie(self, name: str, lie: Lie, rdtype: str = "*") -> None:
        """Answer questions for a name so, whatever it was told before; or those of one type."""
        if rdtype == "*":
            self._lies = {key: known for key, known in self._lies.items() if key[0] != name}
        self._lies[name, rdtype] = lie

    def data(self, name: str, rdtype: str, *data: str) -> None:
        """Serve records; other types of the name are NODATA."""
        self._lies.setdefault((name, "*"), nodata())
        self.lie(name, _adding(name, rdtype, *data), rdtype)

    def cname(self, *chain: str, rcode: str = "NOERROR", soa: str = "", address: str = "") -> None:
        """Serve a chain of aliases for its first name, whose last has `address`, or nothing, or is denied by `soa`."""

        def say(response: dns.message.Message, _transport: str) -> dns.message.Message:
            for owner, target in pairwise(chain):
                _add(response.answer, owner, "CNAME", f"{target}.")
            if address and response.question[0].rdtype == dns.rdatatype.A:
                _add(response.answer, chain[-1], "A", address)
            if soa:
                _add(response.authority, soa, "SOA", _soa(soa))
            response.set_rcode(dns.rcode.from_text(rcode))
            return response

        self.lie(chain[0], say)

    def nxdomain(
        self, name: str, soa: str | None = ".", *, rname: str = "hostmaster.invalid.", policy: str = "", ede: int = 0
    ) -> None:
        """Deny a name with the SOA of `soa` (None: without), perhaps with a policy zone's SOA or an extended error."""

        def say(response: dns.message.Message, _transport: str) -> dns.message.Message:
            response.set_rcode(dns.rcode.NXDOMAIN)
            if soa is not None:
                _add(response.authority, soa, "SOA", _soa(soa, rname))
            if policy:
                _add(response.additional, policy, "SOA", _soa(policy))
            return _extended(response, ede, "told to")

        self.lie(name, say)

    def fail(self, name: str, rcode: str, *, ede: int = 0, text: str = "told to", times: int = 0) -> None:
        """Answer with an rcode alone; the first `times` times, if given, and then as told before."""

        def say(response: dns.message.Message, _transport: str) -> dns.message.Message:
            response.set_rcode(dns.rcode.from_text(rcode))
            return _extended(response, ede, text)

        self._at_first(name, say, times)

    def drop(self, name: str, times: int = 0) -> None:
        """Say nothing; the first `times` times, if given, and then as told before."""
        self._at_first(name, lambda _response, _transport: None, times)

    def truncate(self, name: str, over_tcp: bytes | None = None) -> None:
        """Say over UDP only that the answer is too long; over TCP what was told before, or these octets."""
        honest = self._lies[name, "A"]

        def say(response: dns.message.Message, transport: str) -> dns.message.Message | bytes | None:
            if transport == "tcp":
                return honest(response, transport) if over_tcp is None else over_tcp
            response.flags |= dns.flags.TC
            return response

        self.lie(name, say, "A")

    def wrong_id(self, name: str, *, then_right: bool) -> None:
        """Send a denial under another identifier, and then the honest answer or nothing."""
        honest = self._lies[name, "A"]

        def say(response: dns.message.Message, transport: str) -> dns.message.Message | bytes | None:
            forged = dns.message.from_wire(response.to_wire())
            forged.id ^= 1
            forged.set_rcode(dns.rcode.NXDOMAIN)
            _add(forged.authority, ".", "SOA", _soa("."))
            self._udp.sendto(forged.to_wire(), self._client)
            return honest(response, transport) if then_right else None

        self.lie(name, say, "A")

    def _at_first(self, name: str, first: Lie, times: int) -> None:
        before = {key: lie for key, lie in self._lies.items() if key[0] == name}
        for key in {*before, (name, "*")}:
            after = before.get(key, unknown())
            self._lies[key] = first if not times else self._counting(key, first, after, times)

    def _counting(self, key: tuple[str, str], first: Lie, after: Lie, times: int) -> Lie:
        def say(response: dns.message.Message, transport: str) -> dns.message.Message | bytes | None:
            self._seen[key] += 1
            return (first if self._seen[key] <= times else after)(response, transport)

        return say

    # -------------------------------------------------------------- serving

    def respond(self, wire: bytes, transport: str) -> bytes | None:
        """Return what to send for a query; nothing for what is none."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        rdtype = dns.rdatatype.to_text(question.rdtype)
        self.log.append((name, rdtype, transport))
        response = dns.message.make_response(query, recursion_available=True)
        keys = ((name, rdtype), (name, "*"), ("*", "*"))
        lie = next((self._lies[key] for key in keys if key in self._lies), unknown())
        said = lie(response, transport)
        return said.to_wire() if isinstance(said, dns.message.Message) else said

    def asked(self, name: str) -> list[tuple[str, str]]:
        """Return type and transport of every question for a name, in order."""
        return [(rdtype, transport) for asked, rdtype, transport in self.log if asked == name]

    def __enter__(self) -> LyingServer:
        self._tcp.listen(64)
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._serve_udp, self._serve_tcp)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped = True
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", ("127.0.0.1", self.port))
        with socket.create_connection(("127.0.0.1", self.port)):
            pass
        for thread in self._threads:
            thread.join()
        self._udp.close()
        self._tcp.close()

    def _serve_udp(self) -> None:
        while True:
            wire, self._client = self._udp.recvfrom(65535)
            if self._stopped:
                return
            if (reply := self.respond(wire, "udp")) is not None:
                self._udp.sendto(reply, self._client)

    def _serve_tcp(self) -> None:
        while True:
            connection, _ = self._tcp.accept()
            if self._stopped:
                connection.close()
                return
            threading.Thread(target=self._serve_stream, args=(connection,), daemon=True).start()

    def _serve_stream(self, connection: socket.socket) -> None:
        self.streams += 1
        with suppress(OSError), connection:
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as stream:
                answered = 0
                while len(head := stream.read(2)) == 2:
                    if (reply := self.respond(stream.read(int.from_bytes(head)), "tcp")) is None:
                        return
                    connection.sendall(struct.pack("!H", len(reply)) + reply)
                    answered += 1
                    if answered == self._answers_per_stream:
                        return


def nodata() -> Lie:
    """The name exists, without data of the type asked."""

    def say(response: dns.message.Message, _transport: str) -> dns.message.Message:
        zone = response.question[0].name.to_text()
        _add(response.authority, zone, "SOA", _soa(zone))
        return response

    return say


def unknown() -> Lie:
    """The root denies the name."""

    def say(response: dns.message.Message, _transport: str) -> dns.message.Message:
        response.set_rcode(dns.rcode.NXDOMAIN)
        _add(response.authority, ".", "SOA", _soa("."))
        return response

    return say


def _adding(name: str, rdtype: str, *data: str) -> Lie:
    def say(response: dns.message.Message, _transport: str) -> dns.message.Message:
        _add(response.answer, name, rdtype, *data)
        return response

    return say


def _add(section: list[dns.rrset.RRset], owner: str, rdtype: str, *data: str) -> None:
    section.append(dns.rrset.from_text(dns.name.from_text(owner), TTL, "IN", rdtype, *data))


def _soa(zone: str, rname: str = "hostmaster.invalid.") -> str:
    return f"ns.{zone.rstrip('.') or 'root'}. {rname} 1 3600 600 86400 60"


def _extended(response: dns.message.Message, code: int, text: str) -> dns.message.Message:
    if code:
        response.use_edns(0, options=[dns.edns.EDEOption(code, text)])
    return response
