"""What to ask: which question comes next at each resolver, types that wait for A, resolvers set aside. Pure.

Nothing here sends, waits or reads a clock. `flow` decides when a question is sent, and how often.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence, Set

from msgspec import Struct

from aidns import psl
from aidns.model import Outcome
from aidns.names import Name

FIRST = "A"
GATED = ("AAAA", "HTTPS", "SVCB")
"""Types asked only where A proved that the name exists: five types of a dead name teach nothing."""
ZONE = ("NS",)
"""Types asked once for each registrable domain."""


class Manners(Struct, frozen=True):
    """How to ask. Times in seconds."""

    timeout: float = 2.0
    """Hard time-out: how long the reply to one try is waited for."""
    soft_timeout: float = 0.2
    """Least silence after which another try is sent; the first one's reply is still good until its hard time-out."""
    pauses: tuple[float, ...] = (0.25, 1.0)
    """Back-off before the second and each later try, where the first one failed."""
    silent_tries: int = 3
    """Tries where no reply comes."""
    refused_tries: int = 2
    """Tries where SERVFAIL, REFUSED or something broken comes: those may pass."""
    patience: int = 25
    """Questions in a row without a usable reply after which a resolver must show that it still answers."""
    trial: int = 25
    """Answers by which a resolver that denies the root must have resolved something."""
    in_flight_unpaced: int = 64
    """Packets at first under way at a resolver without rate: small servers drop what is beyond about a hundred."""
    in_flight_most: int = 2048
    """Packets under way at one without rate that has shown that it keeps up."""
    open_most: int = 16384
    """Questions begun and not settled: more than rate times hard time-out, or dead names hold the rest up."""
    probe_timeout: float = 1.0
    """Hard time-out before the run, when it is not known whether anybody answers."""


class Question(Struct, frozen=True, gc=False):
    """A name and a type, to be asked of one resolver."""

    name: Name
    rdtype: str


class Schedule:
    """Which question comes next at each resolver.

    A of all names first, then the zone types once for each registrable domain; the gated types as A shows that the name
    exists. `extra` questions wait for nothing. What `proven` holds is not asked. Each resolver gets each question at
    most once.
    """

    def __init__(
        self,
        names: Iterable[Name],
        resolvers: Iterable[str],
        proven: Set[tuple[str, str, str]] = frozenset(),
        *,
        gated: Sequence[str] = GATED,
        zone: Sequence[str] = ZONE,
        extra: Iterable[Question] = (),
    ) -> None:
        listed = tuple(dict.fromkeys(names))
        zones = dict.fromkeys(map(psl.registrable_domain, listed)) if zone else {}
        once = (*(Question(apex, rdtype) for apex in zones if apex is not None for rdtype in zone), *extra)
        questions = _Questions(listed, tuple(gated), once)
        self._queues = {resolver: _Queue(resolver, questions, proven) for resolver in resolvers}

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
        if outcome is Outcome.TIMEOUT or outcome is Outcome.BROKEN:
            queue.silent += 1
        elif queue.silent:
            queue.silent = 0
        if question.rdtype == FIRST and question.name in queue.waiting:
            queue.waiting.discard(question.name)
            freed = queue.gated(question.name)
            queue.owed -= len(freed)
            if outcome.proves_existence and not queue.aside:
                queue.ready.extend(freed)

    def is_silent(self, resolver: str, manners: Manners) -> bool:
        """Tell whether a resolver should show that it still answers."""
        queue = self._queues[resolver]
        return queue.silent >= manners.patience and not queue.aside

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
        queue.owed = 0


class _Questions(Struct, frozen=True):
    """What is asked of every resolver."""

    names: tuple[Name, ...]
    gated: tuple[str, ...]
    zone: tuple[Question, ...]


class _Queue:
    """The questions for one resolver."""

    def __init__(self, resolver: str, questions: _Questions, proven: Set[tuple[str, str, str]]) -> None:
        self.resolver = resolver
        self.types = questions.gated
        self.proven = proven
        self.waiting: set[Name] = set()
        self.silent = 0
        self.aside = False
        free: list[Question] = []
        self.ready: deque[Question] = deque()
        for name in questions.names:
            if (name, FIRST, resolver) in proven:
                free.extend(self.gated(name))
            else:
                self.ready.append(Question(name, FIRST))
                self.waiting.add(name)
        self.ready.extend(one for one in questions.zone if (one.name, one.rdtype, resolver) not in proven)
        self.ready.extend(free)
        self.owed = sum(len(self.gated(name)) for name in self.waiting)
        """Questions of the names that wait."""

    def gated(self, name: Name) -> list[Question]:
        """Return what is asked of a name that exists."""
        return [Question(name, rdtype) for rdtype in self.types if (name, rdtype, self.resolver) not in self.proven]

    @property
    def left(self) -> int:
        return len(self.ready) + self.owed
