"""Thousands of questions under way at one resolver over UDP, without a task, future or timer for any of them. [I/O]

A reply is believed only if it comes to the socket that asked (connected, so that the kernel drops strangers'), repeats
the identifier, and repeats the question octet by octet in the random case it was asked in (draft-vixie-dnsext-dns0x20).
A socket sends a few hundred queries and is then replaced by one on another port; within a socket no identifier is ever
used twice, so a late or repeated reply is never taken for another question's. All else is counted and passed over.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import time
from collections import Counter, deque
from collections.abc import Callable
from functools import lru_cache

from aidns import wire
from aidns.lookup.flow import Try

QUERIES_PER_SOCKET = 512
PACKETS_PER_TURN = 256
"""Read at one go from one socket, so that no resolver starves the others."""
OLD_SOCKETS = 200
"""Kept at most until their last replies came or are overdue."""
_RANDOM_OCTETS = 16384
_RECEIVE_BUFFER = 1 << 20
_RCODES_WITHOUT_QUESTION = frozenset((1, 2, 4, 5))
"""Failures that some servers report with the header alone."""
NAMES_KEPT = 1 << 14
"""Names in wire form that are kept: each is asked about several times, of several resolvers."""
_LETTERS = bytes(0x20 if 0x61 <= octet <= 0x7A else 0 for octet in range(256))

Heard = Callable[[Try, wire.Reply | None, bool], None]
"""Gets the reply to a try, None when it cannot be read, and whether to ask again over TCP."""


class Mux:
    """The sockets to one resolver. `odd` counts what came and was no reply, by kind."""

    def __init__(self, host: str, port: int, linger: float, heard: Heard, after: Callable[[], None]) -> None:
        """`heard` is called for each reply, `after` when those at hand are done. `linger`: the hard time-out."""
        self.odd: Counter[str] = Counter()
        self.trouble = ""
        """What the kernel last said about sending or receiving."""
        self._heard, self._after, self._linger = heard, after, linger
        self._family, self._address = _numeric(host, port)
        self._old: deque[_Socket] = deque()
        self._now: _Socket | None = None
        self._random = b""
        self._at = _RANDOM_OCTETS

    def send(self, one: Try) -> None:
        """Send a try. A packet that does not leave counts as lost on the way."""
        try:
            here = self._now if self._now is not None and self._now.idents else self._replace()
            ident = here.idents.pop()
            asked = self._mixed_case(one)
            here.tries[ident] = one, asked
            here.waiting += 1
            here.sent_at = one.at
            here.socket.send(wire.query_of(ident, asked))
        except BlockingIOError:
            self.odd["not sent, buffer full"] += 1
        except OSError as error:
            self.trouble = error.strerror or str(error)

    def close(self) -> None:
        """Close every socket."""
        while self._old:
            self._close(self._old.popleft())
        if self._now is not None:
            self._close(self._now)
            self._now = None

    def _replace(self) -> _Socket:
        """Open the next socket; close old ones that nothing more is expected from."""
        if self._now is not None:
            self._old.append(self._now)
            self._now = None
        overdue = time.monotonic() - self._linger
        kept = [one for one in self._old if one.waiting and one.sent_at > overdue][-OLD_SOCKETS:]
        for one in set(self._old) - set(kept):
            self._close(one)
        self._old = deque(kept)
        self._now = opened = _Socket(self._family, self._address)
        asyncio.get_running_loop().add_reader(opened.socket, self._drain, opened)
        return opened

    def _close(self, one: _Socket) -> None:
        asyncio.get_running_loop().remove_reader(one.socket)
        one.socket.close()

    def _mixed_case(self, one: Try) -> bytes:
        """Return the question with letters in random case: bits that a forger must guess, for nothing."""
        name, letters, size = _name_and_letters(one.question.name)
        at = self._at
        if at + size > _RANDOM_OCTETS:
            self._random, at = os.urandom(_RANDOM_OCTETS), 0
        self._at = at + size
        mixed = name ^ (letters & int.from_bytes(self._random[at : at + size]))
        return mixed.to_bytes(size) + wire.type_and_class(one.question.rdtype)

    # ------------------------------------------------------------------ receiving

    def _drain(self, here: _Socket) -> None:
        receive, take = here.socket.recv, self._take
        for _ in range(PACKETS_PER_TURN):
            try:
                packet = receive(wire.PAYLOAD + 1)
            except BlockingIOError:
                break
            except OSError as error:  # an earlier packet met a closed port; others may be on their way
                self.trouble = error.strerror or str(error)
                continue
            take(here, packet)
        self._after()

    def _take(self, here: _Socket, packet: bytes) -> None:
        if len(packet) < 12 or not packet[2] & 0x80:
            self.odd["malformed"] += 1
            return
        found = here.tries.get(packet[0] << 8 | packet[1])
        if found is None:
            self.odd["wrong identifier"] += 1
            return
        one, asked = found
        if one.ended:
            self.odd["duplicate" if one.answered else "late"] += 1
            return
        cut = bool(packet[2] & 2)
        if not packet.startswith(asked, 12) or len(packet) > wire.PAYLOAD:
            packet, cut = self._mended(packet, asked)
            if not packet:
                return
        here.waiting -= 1
        reply = None
        if not cut:
            try:
                reply = wire.parse(packet, (one.question.name, one.question.rdtype))
            except wire.MessageError:
                self.odd["malformed"] += 1
        self._heard(one, reply, cut)

    def _mended(self, packet: bytes, asked: bytes) -> tuple[bytes, bool]:
        """Return an odd packet as it may be read, and whether to ask again over TCP; nothing where it is no reply."""
        if not packet.startswith(asked, 12):
            if packet[4:6] == b"\0\0" and packet[3] & 15 in _RCODES_WITHOUT_QUESTION:
                return packet[:4] + struct.pack("!HHHH", 1, 0, 0, 0) + asked, bool(packet[2] & 2)
            if packet[12 : 12 + len(asked)].lower() == asked.lower():
                self.odd["wrong case"] += 1  # a forger's, or a server's that keeps no case: TCP tells
                return packet[:12], True
            self.odd["wrong question"] += 1
            return b"", False
        self.odd["oversize"] += 1
        return packet[: wire.PAYLOAD], True


class _Socket:
    """A connected socket with its random identifiers, and the tries sent from it with the question as it was sent."""

    def __init__(self, family: int, address: tuple[object, ...]) -> None:
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self.socket.setblocking(False)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            self.socket.connect(address)
        except OSError:
            self.socket.close()
            raise
        drawn = struct.unpack(f"!{QUERIES_PER_SOCKET}H", os.urandom(2 * QUERIES_PER_SOCKET))
        self.idents = list(dict.fromkeys(drawn))
        self.tries: dict[int, tuple[Try, bytes]] = {}
        self.waiting = 0
        self.sent_at = 0.0


@lru_cache(NAMES_KEPT)
def _name_and_letters(name: str) -> tuple[int, int, int]:
    """Return a name in wire form as a number, the bits in it that make a letter large or small, and its length."""
    octets = wire.encode_name(name)
    return int.from_bytes(octets), int.from_bytes(octets.translate(_LETTERS)), len(octets)


def _numeric(host: str, port: int) -> tuple[int, tuple[object, ...]]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)
    return found[0][0], found[0][4]
