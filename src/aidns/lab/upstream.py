"""An authoritative server that answers any name and remembers every question, for servers under test. [I/O]

An upstream that answers everything hides leaks, so this one also denies, as the real world does: names whose first
label begins with `nx-` do not exist, those with `nodata-` have no data, and nothing below `example.` exists (RFC 6761
§6.5) but what it is told to serve.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Collection, Mapping
from types import TracebackType

from aidns import wire
from aidns.names import at_or_below

_TTL = 60
_IN = 1
_NOERROR, _NXDOMAIN = 0, 3
_MAX_CHAIN = 16
_HTTPS = wire.TYPES["HTTPS"]
_ALIAS_MODE = struct.pack("!H", 0)
_SERVICE_MODE = struct.pack("!HB", 1, 0) + bytes.fromhex("0001000302") + b"h2"
"""Priority 1, target `.`, alpn h2 (RFC 9460 §2)."""
_EVERYWHERE = {
    wire.TYPES["A"]: socket.inet_aton("192.0.2.1"),
    wire.TYPES["AAAA"]: socket.inet_pton(socket.AF_INET6, "2001:db8::1"),
    wire.TYPES["MX"]: struct.pack("!H", 10) + wire.encode_name("mail.example.net"),
    _HTTPS: _SERVICE_MODE,
}
"""Rdtype -> what every name has of it."""
_EDNS = struct.pack("!BHHIH", 0, wire.TYPES["OPT"], wire.PAYLOAD, 0, 0)
_HEAD = struct.Struct("!HHHHH")
_FIXED = struct.Struct("!HHIH")
_TO_QUESTION = b"\xc0\x0c"
"""A pointer to the name of the question (RFC 1035 §4.1.4)."""
_NOBODYS = wire.encode_name("ns.example.net") + wire.encode_name("hostmaster.example.net")


class Upstream:
    """A recording server on 127.0.0.1, UDP and TCP, while the `with` block runs.

    `cnames` maps an alias to its target; the answer holds both. `https` maps a name to the host that its HTTPS record
    leads to (AliasMode, RFC 9460 §2.4.2). `serve` names trees that exist below `example.`.
    Every TXT answer holds `upstream-<port>`, so that a client can tell which upstream its answer came from.
    """

    def __init__(
        self,
        *,
        cnames: Mapping[str, str] | None = None,
        https: Mapping[str, str] | None = None,
        serve: Collection[str] = (),
    ) -> None:
        self.cnames = dict(cnames or {})
        self.https = dict(https or {})
        self.serve = tuple(serve)
        self.seen: list[tuple[str, str]] = []
        """Every question that arrived, in order: lower-case name and rdtype."""
        self._udp, self._tcp = bind_both()
        self.port: int = self._udp.getsockname()[1]
        text = f"upstream-{self.port}".encode()
        self._everywhere = {**_EVERYWHERE, wire.TYPES["TXT"]: bytes((len(text),)) + text}
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Upstream:
        self._tcp.listen(64)
        for target in (self._serve_udp, self._serve_tcp):
            self._threads.append(threading.Thread(target=target, daemon=True))
            self._threads[-1].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        # A blocked accept or recv only ends when something arrives.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", self._udp.getsockname())
        with socket.create_connection(self._tcp.getsockname()):
            pass
        for thread in self._threads:
            thread.join()
        self._udp.close()
        self._tcp.close()

    def seen_names(self) -> set[str]:
        """Every name that was asked."""
        return {name for name, _ in self.seen}

    def answer(self, message: bytes) -> bytes:
        """Return the response to one query, and remember its question. Raises wire.MessageError."""
        asked, number, end = wire.read_question(message)
        self.seen.append((asked, wire.type_text(number)))
        name, answers = self._follow(asked, number) if asked in self.cnames else (asked, [])
        is_alias = bool(answers) and name == asked  # and the question was for the CNAME itself
        exists = self._exists(name)
        data = None if is_alias or not exists else self._data(name, number)
        if data is not None:
            answers.append(_record(_TO_QUESTION if name == asked else wire.encode_name(name), number, data))
        authority = b"" if is_alias or data is not None else _soa(self._zone(name))
        # QR, AA and RA set, RD and CD copied: good enough for those who expect an authority and for forwarders.
        flags = 0x8480 | int.from_bytes(message[2:4]) & 0x0110 | (_NOERROR if exists else _NXDOMAIN)
        edns = _EDNS if message[10:12] != b"\0\0" else b""
        head = _HEAD.pack(flags, 1, len(answers), bool(authority), bool(edns))
        return b"".join((message[:2], head, message[12:end], *answers, authority, edns))

    def _follow(self, name: str, number: int) -> tuple[str, list[bytes]]:
        """Return the end of the alias chain and the CNAME records on the way; a CNAME query stops at the first."""
        records: list[bytes] = []
        while name in self.cnames and len(records) < _MAX_CHAIN:
            target = self.cnames[name]
            records.append(_record(wire.encode_name(name), wire.TYPES["CNAME"], wire.encode_name(target)))
            if number == wire.TYPES["CNAME"]:
                break
            name = target
        return name, records

    def _exists(self, name: str) -> bool:
        if name.startswith("nx-"):
            return False
        return not name.endswith(".example") or any(at_or_below(name, tree) for tree in self.serve)

    def _zone(self, name: str) -> str:
        """The zone whose SOA a negative answer carries; one that denies a name lies above it (RFC 2308 §2.1)."""
        if self._exists(name):
            return ".".join(name.split(".")[-2:])
        return "." if at_or_below(name, "example") else ".".join(name.split(".")[1:][-2:])

    def _data(self, name: str, number: int) -> bytes | None:
        """Return what an existing name has of a type, if anything."""
        if name.startswith("nodata-"):
            return None
        if number == _HTTPS and name in self.https:
            return _ALIAS_MODE + wire.encode_name(self.https[name])
        return self._everywhere.get(number)

    def _serve_udp(self) -> None:
        while not self._stopped.is_set():
            message, client = self._udp.recvfrom(65535)
            try:
                self._udp.sendto(self.answer(message), client)
            except (wire.MessageError, OSError):
                continue

    def _serve_tcp(self) -> None:
        while not self._stopped.is_set():
            connection, _ = self._tcp.accept()
            threading.Thread(target=self._serve_connection, args=(connection,), daemon=True).start()

    def _serve_connection(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            connection.settimeout(10)
            try:
                while len(head := stream.read(2)) == 2:
                    reply = self.answer(stream.read(int.from_bytes(head)))
                    connection.sendall(struct.pack("!H", len(reply)) + reply)
            except (wire.MessageError, OSError):
                return


def bind_both() -> tuple[socket.socket, socket.socket]:
    """Return a UDP and a TCP socket bound to the same free port of 127.0.0.1."""
    while True:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        udp.bind(("127.0.0.1", 0))
        try:
            tcp.bind(udp.getsockname())
        except OSError:
            udp.close()
            tcp.close()
            continue
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        return udp, tcp


def _record(owner: bytes, number: int, data: bytes) -> bytes:
    return b"".join((owner, _FIXED.pack(number, _IN, _TTL, len(data)), data))


def _soa(zone: str) -> bytes:
    times = struct.pack("!IIIII", 1, 3600, 600, 86400, _TTL)
    return _record(wire.encode_name(zone), wire.TYPES["SOA"], _NOBODYS + times)
