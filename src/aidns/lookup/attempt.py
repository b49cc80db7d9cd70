"""What to ask next: tries, back-off, TCP after truncation, types that wait for A, resolvers set aside. Pure.

Nothing here sends, waits or reads a clock: a shell asks `Schedule` for questions and `Attempt` for tries, reports what
came of them, and may be of any kind.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Set
from typing import Literal

from msgspec import Struct

from aidns import psl
from aidns.lookup.resolver import Transport
from aidns.model import Outcome
from aidns.names import Name

FIRST = "A"
GATED = ("AAAA", "HTTPS")
"""Types asked only where A proved that the name exists: five types of a dead name teach nothing."""
ZONE = "NS"
"""Type asked once for each registrable domain."""


class Manners(Struct, frozen=True):
    """How to ask. Times in seconds."""

    timeout: float = 2.0
    """Time one try may take."""
    pauses: tuple[float, ...] = (0.25, 1.0)
    """Back-off before the second and each later try."""
    silent_tries: int = 3
    """Tries where no reply comes."""
    refused_tries: int = 2
    """Tries where SERVFAIL, REFUSED or something broken comes: those may pass."""
    patience: int = 25
    """Questions in a row without any reply after which a resolver must show that it still answers."""
    trial: int = 25
    """Answers by which a resolver that denies the root must have resolved something."""
    in_flight: int = 256
    """Questions under way at a resolver with a rate: more than rate times time-out, or dead names hold the rest up."""
    in_flight_unpaced: int = 64
    """Questions under way at one without: small servers drop what is beyond about a hundred."""
    probe_timeout: float = 1.0
    """Time one try may take before the run, when it is not known whether anybody answers."""


class Question(Struct, frozen=True):
    """A name and a type, to be asked of one resolver."""

    name: Name
    rdtype: str


class Try(Struct, frozen=True):
    """One message to send: after `pause` seconds, and then at most `timeout` seconds for the reply."""

    question: Question
    number: int
    transport: Transport | Literal["tcp"]
    timeout: float
    pause: float = 0.0


class Attempt:
    """One question to one resolver, until its answer is final."""

    def __init__(self, question: Question, transport: Transport, manners: Manners) -> None:
        self.question = question
        self.manners = manners
        self.transport: Transport | Literal["tcp"] = transport
        self.number = 1

    def first(self) -> Try:
        """Return the first try."""
        return self._try(0.0)

    def after(self, outcome: Outcome, *, truncated: bool = False) -> Try | None:
        """Return what to try next after a try ended so, None when its answer is final.

        A truncated reply says nothing but: ask over TCP (RFC 7766 §5). A broken answer over TCP is tried there again.
        """
        if truncated and self.transport == "udp":
            self.transport = "tcp"
            return self._try(0.0)
        if self.number >= self._tries(outcome):
            return None
        pause = self.manners.pauses[min(self.number, len(self.manners.pauses)) - 1]
        self.number += 1
        return self._try(pause)

    def _tries(self, outcome: Outcome) -> int:
        if outcome is Outcome.TIMEOUT:
            return self.manners.silent_tries
        if outcome in (Outcome.SERVFAIL, Outcome.REFUSED, Outcome.BROKEN):
            return self.manners.refused_tries
        return 0

    def _try(self, pause: float) -> Try:
        return Try(self.question, self.number, self.transport, self.manners.timeout, pause)


class Pace:
    """Spaces sending out: at most `rate` a second, 0 for no limit."""

    def __init__(self, rate: float) -> None:
        self.gap = 1 / rate if rate else 0.0
        self.free_at = 0.0

    def wait(self, clock: float) -> float:
        """Reserve the next moment to send and return how many seconds it is after `clock` (monotonic seconds)."""
        moment = max(clock, self.free_at)
        self.free_at = moment + self.gap
        return moment - clock


class Schedule:
    """Which question comes next at each resolver.

    A of all names first, then NS of their zones; AAAA and HTTPS as A shows that the name exists. What `proven` holds
    is not asked. Each resolver gets each question at most once.
    """

    def __init__(
        self, names: Iterable[Name], resolvers: Iterable[str], proven: Set[tuple[str, str, str]] = frozenset()
    ) -> None:
        listed = tuple(dict.fromkeys(names))
        zones = tuple(dict.fromkeys(zone for name in listed if (zone := psl.registrable_domain(name)) is not None))
        self._queues = {resolver: _Queue(resolver, listed, zones, proven) for resolver in resolvers}

    @property
    def left(self) -> int:
        """Questions that may still be asked, the waiting ones included."""
        return sum(queue.left for queue in self._queues.values())

    def next(self, resolver: str) -> Question | None:
        """Return the next question for a resolver; None when there is none now (answers may free more)."""
        queue = self._queues[resolver]
        return queue.ready.popleft() if queue.ready else None

    def done(self, resolver: str, question: Question, outcome: Outcome) -> None:
        """Take note of a final answer."""
        queue = self._queues[resolver]
        queue.silent = queue.silent + 1 if outcome is Outcome.TIMEOUT else 0
        if question.rdtype == FIRST:
            gated = queue.waiting.pop(question.name, ())
            if outcome.proves_existence and not queue.aside:
                queue.ready.extend(gated)

    def is_silent(self, resolver: str, manners: Manners) -> bool:
        """Tell whether a resolver should show that it still answers."""
        queue = self._queues[resolver]
        return not queue.aside and queue.silent >= manners.patience

    def answers_again(self, resolver: str) -> None:
        """Take note that a resolver answers, although some names brought no reply."""
        self._queues[resolver].silent = 0

    def is_aside(self, resolver: str) -> bool:
        """Tell whether a resolver was set aside."""
        return self._queues[resolver].aside

    def set_aside(self, resolver: str) -> None:
        """Ask this resolver nothing more."""
        queue = self._queues[resolver]
        queue.aside = True
        queue.ready.clear()
        queue.waiting.clear()


class _Queue:
    """The questions for one resolver."""

    def __init__(
        self, resolver: str, listed: tuple[Name, ...], zones: tuple[Name, ...], proven: Set[tuple[str, str, str]]
    ) -> None:
        self.ready: deque[Question] = deque()
        self.waiting: dict[Name, tuple[Question, ...]] = {}
        self.silent = 0
        self.aside = False
        free: list[Question] = []
        for name in listed:
            gated = tuple(Question(name, rdtype) for rdtype in GATED if (name, rdtype, resolver) not in proven)
            if (name, FIRST, resolver) in proven:
                free.extend(gated)
            else:
                self.ready.append(Question(name, FIRST))
                self.waiting[name] = gated
        self.ready.extend(Question(zone, ZONE) for zone in zones if (zone, ZONE, resolver) not in proven)
        self.ready.extend(free)

    @property
    def left(self) -> int:
        return len(self.ready) + sum(map(len, self.waiting.values()))
