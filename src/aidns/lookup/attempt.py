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
        self._queues = {resolver: Queue(resolver, questions, proven) for resolver in resolvers}

    @property
    def left(self) -> int:
        """Questions that may still be asked, the waiting ones included."""
        return sum(queue.left for queue in self._queues.values())

    def at(self, resolver: str) -> Queue:
        """Return what is asked of a resolver. Raises KeyError."""
        return self._queues[resolver]


class _Questions(Struct, frozen=True):
    """What is asked of every resolver."""

    names: tuple[Name, ...]
    gated: tuple[str, ...]
    zone: tuple[Question, ...]


class Queue:
    """The questions for one resolver: which comes next, and whether it should be asked at all."""

    def __init__(self, resolver: str, questions: _Questions, proven: Set[tuple[str, str, str]]) -> None:
        self._resolver, self._types, self._proven = resolver, questions.gated, proven
        self.silent = 0
        """Questions in a row that brought no usable reply."""
        self.aside = False
        """It is asked nothing more."""
        free: list[Question] = []
        self._waiting: set[Name] = set()
        self._ready: deque[Question] = deque()
        for name in questions.names:
            if (name, FIRST, resolver) in proven:
                free.extend(self._gated(name))
            else:
                self._ready.append(Question(name, FIRST))
                self._waiting.add(name)
        self._ready.extend(one for one in questions.zone if (one.name, one.rdtype, resolver) not in proven)
        self._ready.extend(free)
        self._owed = sum(len(self._gated(name)) for name in self._waiting)
        """Questions of the names that wait."""

    @property
    def left(self) -> int:
        """Questions that may still be asked, the waiting ones included."""
        return len(self._ready) + self._owed

    def next(self) -> Question | None:
        """Return the next question; None when there is none now (answers may free more)."""
        return self._ready.popleft() if self._ready else None

    def done(self, question: Question, outcome: Outcome) -> None:
        """Take note of a final answer."""
        if outcome is Outcome.TIMEOUT or outcome is Outcome.BROKEN:
            self.silent += 1
        elif self.silent:
            self.silent = 0
        if question.rdtype == FIRST and question.name in self._waiting:
            self._waiting.discard(question.name)
            freed = self._gated(question.name)
            self._owed -= len(freed)
            if outcome.proves_existence and not self.aside:
                self._ready.extend(freed)

    def is_silent(self, manners: Manners) -> bool:
        """Tell whether the resolver should show that it still answers."""
        return self.silent >= manners.patience and not self.aside

    def set_aside(self) -> None:
        """Ask nothing more."""
        self.aside = True
        self._ready.clear()
        self._waiting.clear()
        self._owed = 0

    def _gated(self, name: Name) -> list[Question]:
        """Return what is asked of a name that exists."""
        types = self._types
        if self._proven:
            types = tuple(rdtype for rdtype in types if (name, rdtype, self._resolver) not in self._proven)
        return [Question(name, rdtype) for rdtype in types]
