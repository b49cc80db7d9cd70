"""A resolver in a process of its own that is fast, and bad as told: delay, loss, rate cap, dead and failing names.

    with Responder(delay=0.05, loss=0.02) as responder:
        check("--resolver", responder.spec)
    responder.counts["queries"]

What a name gets depends on the beginning of its first label (`BEHAVIOURS`), else on its hash and the shares of dead and
failing names; whatever is left is alive. The same `seed` meets the same luck: which packet is lost depends on the
question and on how often it was asked, not on the order in which packets arrive.
"""

from __future__ import annotations

import json
import selectors
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter, deque
from pathlib import Path
from types import TracebackType

BEHAVIOURS = (
    "nx", "nodata", "dead", "servfail", "refused", "slowfail", "slow", "tc", "null", "chain", "rotate", "badid", "badq",
    "twice", "garbage", "huge", "onceservfail",
)  # fmt: skip
"""Written with a `-` behind: `nx-a.shop.com`. slowfail: SERVFAIL after 1.5 s; tc: whole over TCP only."""
SLOW = 1.5
_A, _AAAA, _NS, _CNAME, _SOA, _HTTPS = 1, 28, 2, 5, 6, 65
_OWNER = b"\xc0\x0c"
_RDATA = {
    _A: b"\xc0\0\2\1",
    _AAAA: bytes.fromhex("20010db8000000000000000000000001"),
    _NS: b"\3ns1\xc0\x0c",
    _SOA: b"\3ns1\xc0\x0c\4host\xc0\x0c" + struct.pack("!IIIII", 1, 3600, 600, 86400, 60),
    _HTTPS: b"\0\1\0\0\1\0\3\2h2",
}
_RESERVED = b"\7example\0"
"""Nothing exists below it (RFC 6761 §6.5): whoever answers there runs a list with a canary."""
_ROOT_SOA = b"\0" + struct.pack("!HHIH", _SOA, 1, 60, 22) + b"\0\0" + struct.pack("!IIIII", 1, 3600, 600, 86400, 60)


class Responder:
    """A responder while the `with` block runs. `spec` is how `--resolver` names it; `counts` are filled at its end.

    `delay` in seconds, `loss` as a share of packets each way, `cap` in queries a second beyond which it says nothing,
    `dead` and `servfail` as shares of the names.
    """

    def __init__(
        self, *, delay: float = 0.0, loss: float = 0.0, cap: float = 0.0, dead: float = 0.0, servfail: float = 0.0,
        seed: int = 1,
    ) -> None:  # fmt: skip
        options = {"delay": delay, "loss": loss, "cap": cap, "dead": dead, "servfail": servfail, "seed": seed}
        self._command = [sys.executable, str(Path(__file__).resolve()), json.dumps(options)]
        self.counts: dict[str, int] = {}
        self.port = 0

    @property
    def spec(self) -> str:
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Responder:
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        self.counts = json.loads(self._process.communicate()[0])


class _Server:
    def __init__(self, options: dict[str, float]) -> None:
        self.delay, self.cap, self.seed = options["delay"], options["cap"], int(options["seed"])
        self.loss, self.dead, self.servfail = (int(options[key] * 2**32) for key in ("loss", "dead", "servfail"))
        self.counts: Counter[str] = Counter()
        self.seen: Counter[bytes] = Counter()
        self.soon: deque[tuple[float, bytes, object]] = deque()
        self.slow: deque[tuple[float, bytes, object]] = deque()
        self.tokens, self.filled_at = self.cap * 0.1, time.monotonic()
        self.tcp = socket.socket()
        self.tcp.bind(("127.0.0.1", 0))
        self.tcp.listen(128)
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 23)
        self.udp.bind(self.tcp.getsockname())
        self.udp.setblocking(False)

    # ------------------------------------------------------------------ what to say

    def fate(self, question: bytes) -> str:
        """Return how the name of a question, in lower case, is treated."""
        label = question[1 : 1 + question[0]].split(b"-")[0].decode("latin-1")
        if b"-" in question[1 : 1 + question[0]] and label in BEHAVIOURS:
            return label
        if question[:-4].endswith(_RESERVED):
            return "nx"
        if self.dead or self.servfail:
            luck = zlib.crc32(question[:-4], self.seed)
            if luck < self.dead:
                return "dead"
            if luck < self.dead + self.servfail:
                return "slowfail"
        return ""

    def say(self, query: bytes, fate: str, *, stream: bool = False) -> bytes:
        end = query.index(0, 12) + 5
        rdtype = query[end - 3]
        flags, answers, authority, count = 0x8180, b"", b"", 0
        if fate == "tc" and not stream:
            flags |= 0x0200
        elif fate in ("servfail", "slowfail", "refused", "onceservfail"):
            flags |= 5 if fate == "refused" else 2
        elif fate == "nx":
            flags, authority = flags | 3, _ROOT_SOA
        elif fate == "nodata":
            authority = _ROOT_SOA
        elif rdata := _RDATA.get(rdtype):
            if fate == "null":
                rdata = bytes(len(rdata))
            elif fate == "rotate":
                rdata = rdata[:-1] + bytes((self.counts["queries"] % 250 + 1,))
            owner = _OWNER
            if fate == "chain":
                answers = _OWNER + struct.pack("!HHIH", _CNAME, 1, 60, 6) + b"\3cdn\xc0\x0c"
                owner, count = (end + 12).to_bytes(2), 1
                owner = bytes((0xC0 | owner[0], owner[1]))
            answers += owner + struct.pack("!HHIH", rdtype, 1, 60, len(rdata)) + rdata
            count += 1
        header = query[:2] + struct.pack("!HHHHH", flags, 1, count, 1 if authority else 0, 0)
        return header + query[12:end] + answers + authority

    # ------------------------------------------------------------------ when to say it

    def take(self, query: bytes, client: object, now: float) -> None:
        self.counts["queries"] += 1
        if self.cap:
            self.tokens = min(self.cap * 0.1, self.tokens + (now - self.filled_at) * self.cap)
            self.filled_at = now
            if self.tokens < 1:
                self.counts["over cap"] += 1
                return
            self.tokens -= 1
        question = query[12 : query.index(0, 12) + 5].lower()
        times = 0
        if self.loss:
            times = self.seen[question] = self.seen[question] + 1
            luck = zlib.crc32(question + times.to_bytes(4), self.seed ^ 0x5BD1E995)
            if luck < 2 * self.loss:  # on the way there or back
                self.counts["lost"] += 1
                return
        fate = self.fate(question)
        if fate == "dead":
            self.counts["dead"] += 1
            return
        if fate == "onceservfail":
            self.seen[question] += 1
            fate = fate if self.seen[question] == 1 else ""
        for reply in self.spoil(self.say(query, fate), fate):
            slow = fate in ("slow", "slowfail")
            (self.slow if slow else self.soon).append((now + self.delay + (SLOW if slow else 0), reply, client))

    def spoil(self, reply: bytes, fate: str) -> list[bytes]:
        """Return what is sent in place of an honest reply, or beside it."""
        match fate:
            case "badid":
                return [bytes((reply[0] ^ 1,)) + reply[1:]]
            case "badq":
                return [reply[:13] + b"!" + reply[14:]]
            case "twice":
                return [reply, reply]
            case "garbage":
                return [b"", b"x" * 11, reply[:20] + b"\xff" * 40, reply[:6] + b"\xff" * 6 + reply[12:]]
            case "huge":
                return [reply + bytes(20000)]
        return [reply]

    def run(self) -> None:
        selector = selectors.DefaultSelector()
        selector.register(self.udp, selectors.EVENT_READ)
        threading.Thread(target=self.serve_streams, daemon=True).start()
        while True:
            now = time.monotonic()
            due = min((queue[0][0] for queue in (self.soon, self.slow) if queue), default=now + 1)
            selector.select(max(0.0, due - now))
            now = time.monotonic()
            try:
                for _ in range(256):
                    self.take(*self.udp.recvfrom(4096), now)
            except BlockingIOError:
                pass
            for queue in (self.soon, self.slow):
                while queue and queue[0][0] <= now:
                    _, reply, client = queue.popleft()
                    self.udp.sendto(reply, client)

    def serve_streams(self) -> None:
        while True:
            connection, _ = self.tcp.accept()
            threading.Thread(target=self.serve_stream, args=(connection,), daemon=True).start()

    def serve_stream(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            while len(head := stream.read(2)) == 2:
                query = stream.read(int.from_bytes(head))
                self.counts["queries over TCP"] += 1
                reply = self.say(query, self.fate(query[12 : query.index(0, 12) + 5].lower()), stream=True)
                connection.sendall(len(reply).to_bytes(2) + reply)


def main() -> None:
    """Serve until SIGTERM, then print what was counted."""
    server = _Server(json.loads(sys.argv[1]))

    def stop(_signal: int, _frame: object) -> None:
        print(json.dumps(server.counts), flush=True)
        sys.exit()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print(server.udp.getsockname()[1], flush=True)
    server.run()


if __name__ == "__main__":
    main()
