"""When to send what to one resolver: its pace, time-outs, another try, TCP after truncation, back-off. Pure.

Nothing here sends, waits or reads a clock: a shell asks `Flow.next` for tries until there is none, reports what came of
each, and calls `Flow.expire` when time has passed. Moments are monotonic seconds. The rules, and why:

- The rate is limited, not the slots. Names that nobody answers for would hold slots and hold the rest up.
- After the soft time-out, `2·srtt + 4·var` and twice that for each further try, another try is due; the first one's
  reply stays good until the hard time-out, so that a slow answer is not lost.
- Of what is sent, a quarter are tries that are due again, at once: put behind all fresh questions they become the tail.
- A packet counts as lost when a later try was answered. Silence alone says nothing: dead names must slow nothing down.
- Where much is lost, rate and window shrink, and what was silent meanwhile is tried more often before it counts.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, Literal

from msgspec import Struct

from aidns.lookup.attempt import Manners, Question
from aidns.lookup.resolver import Transport
from aidns.lookup.throttle import RoundTrip, Throttle
from aidns.model import Outcome

FAILURES = (Outcome.SERVFAIL, Outcome.REFUSED, Outcome.BROKEN)
"""What may pass."""
RETRY_SHARE = 4
"""One of so many packets is a try that is due again."""
MOST_EXCUSES = 2
"""Cuts for each of which a question gets all its tries again."""


class Attempt(Struct, eq=False, gc=False):
    """One question to one resolver, until its answer is final."""

    question: Question
    transport: Transport | Literal["tcp"]
    began: float
    cuts: int
    """Cuts of rate and window before it began."""
    tries: int = 0
    flying: int = 0
    """Tries whose reply would still be good."""
    failures: int = 0
    queued: bool = False
    """Another try is to be sent."""
    settled: bool = False
    said: Any = None
    """The shell's note of the last failure."""


class Try(Struct, eq=False, gc=False):
    """One message to send, and at most `timeout` seconds to wait for its reply."""

    question: Question
    number: int
    transport: Transport | Literal["tcp"]
    timeout: float
    attempt: Attempt
    at: float
    overdue: bool = False
    """The soft time-out has passed."""
    ended: bool = False
    """A reply came, or the hard time-out."""
    answered: bool = False


class Flow:
    """What is under way at one resolver. `fresh` returns the next question, None when there is none now."""

    def __init__(
        self,
        transport: Transport,
        manners: Manners,
        throttle: Throttle,
        trip: RoundTrip,
        fresh: Callable[[], Question | None],
    ) -> None:
        self.transport, self.manners, self.throttle, self.trip = transport, manners, throttle, trip
        self.open = 0
        """Questions begun and not settled."""
        self.pipe = 0
        """Packets on the way: neither answered nor overdue."""
        self.sent = self.again = 0
        """Packets sent, and those of them that were not the first for their question."""
        self._fresh = fresh
        self._due: deque[Attempt] = deque()
        self._later: list[tuple[float, int, Attempt]] = []
        self._soft: list[deque[Try]] = [deque()]
        """Packets on the way by the number of their try, oldest first: one time-out holds for each queue."""
        self._hard: list[tuple[float, int, Try]] = []
        self._serial = count()
        self._turn = 0
        self._dry = False

    # ------------------------------------------------------------------ sending

    def next(self, now: float) -> Try | None:
        """Return the next try to send now; None when there is nothing to send, or not yet."""
        throttle = self.throttle
        if self.pipe >= throttle.window or (throttle.rate and throttle.wait(now) > 0):
            return None
        attempt = self._choose(now)
        self._dry = attempt is None
        if attempt is None:
            return None
        if throttle.rate:
            throttle.spend(now)
        attempt.tries = number = attempt.tries + 1
        attempt.flying += 1
        self.pipe += 1
        self.sent += 1
        transport = attempt.transport
        one = Try(attempt.question, number, transport, self.manners.timeout, attempt, now)
        if transport == "udp":
            if len(self._soft) < number:
                self._soft.append(deque())
            self._soft[number - 1].append(one)
        return one

    def _choose(self, now: float) -> Attempt | None:
        while self._later and self._later[0][0] <= now:
            self._due.append(heapq.heappop(self._later)[2])
        if self._due:
            self._turn += 1
            if self._turn % RETRY_SHARE == 0 and (attempt := self._next_due()) is not None:
                return attempt
        if self.open < self.manners.open_most and (question := self._fresh()) is not None:
            self.open += 1
            return Attempt(question, self.transport, now, self.throttle.cuts)
        return self._next_due()

    def _next_due(self) -> Attempt | None:
        while self._due:
            attempt = self._due.popleft()
            attempt.queued = False
            if not attempt.settled:
                self.again += attempt.tries > 0
                return attempt
        return None

    def wake(self, now: float) -> float | None:
        """Return when `next` or `expire` has something to do, if nothing is heard before; None for never."""
        moments = [queue[0].at + self._soft_timeout(level) for level, queue in enumerate(self._soft) if queue]
        if self._hard:
            moments.append(self._hard[0][0])
        if self.pipe < self.throttle.window:
            allowed = now + self.throttle.wait(now)
            if self._due or not self._dry:
                moments.append(allowed)
            elif self._later:
                moments.append(max(allowed, self._later[0][0]))
        return min(moments, default=None)

    @property
    def idle(self) -> bool:
        """Nothing is under way and `fresh` had nothing more."""
        return self._dry and not self.open

    # ------------------------------------------------------------------ what came of it

    def heard(self, one: Try, outcome: Outcome, now: float, *, truncated: bool = False) -> bool:
        """Take note of a reply; tell whether it is the question's final answer.

        A truncated reply says nothing but: ask over TCP (RFC 7766 §5). A broken answer over TCP is tried there again.
        """
        attempt = self._end(one)
        one.answered = True
        failed = outcome in FAILURES
        if one.transport == "udp" and not failed:
            self.trip.add(now - one.at)
        if attempt.settled:
            return False
        self.throttle.heard(now, self.pipe, self.trip)
        if truncated and attempt.transport == "udp":
            attempt.transport = "tcp"
            attempt.tries = attempt.failures = 0
            self._queue(attempt, now)
            return False
        if failed:
            attempt.failures += 1
            if attempt.failures < self.manners.refused_tries:
                if not attempt.flying and not attempt.queued:
                    self._queue(attempt, now + self._pause(attempt))
                return False
        elif attempt.failures or one.number > 1:
            self.throttle.lost(attempt.began)
        self._settle(attempt)
        return True

    def lost(self, one: Try, now: float) -> bool:
        """Take note that no reply came within the hard time-out; tell whether that is the question's final answer."""
        attempt = self._end(one)
        if attempt.settled or attempt.flying or attempt.queued:
            return False
        if attempt.tries < self._patience(attempt):
            self._queue(attempt, now + (0.0 if one.transport == "udp" else self._pause(attempt)))
            return False
        self._settle(attempt)
        return True

    def expire(self, now: float) -> Iterator[Attempt]:
        """Queue another try for what is overdue; yield the questions whose last try brought nothing."""
        for level, queue in enumerate(self._soft):
            if not queue:
                continue
            limit = now - self._soft_timeout(level)
            while queue and (queue[0].ended or queue[0].at <= limit):
                one = queue.popleft()
                if not one.ended:
                    self._overdue(one, now)
        while self._hard and self._hard[0][0] <= now:
            one = heapq.heappop(self._hard)[2]
            if not one.ended and self.lost(one, now):
                yield one.attempt

    def abandon(self) -> None:
        """Forget everything that is under way."""
        self._due.clear()
        self._later.clear()
        self._soft = [deque()]
        self._hard.clear()
        self.open = self.pipe = 0

    def _overdue(self, one: Try, now: float) -> None:
        attempt = one.attempt
        one.overdue = True
        self.pipe -= 1
        heapq.heappush(self._hard, (one.at + one.timeout, next(self._serial), one))
        if not attempt.settled and not attempt.queued and attempt.tries < self._patience(attempt):
            self._queue(attempt, now)

    def _end(self, one: Try) -> Attempt:
        attempt = one.attempt
        one.ended = True
        attempt.flying -= 1
        if not one.overdue:
            self.pipe -= 1
        return attempt

    def _settle(self, attempt: Attempt) -> None:
        attempt.settled = True
        self.open -= 1
        self._dry = False  # an answer may free questions

    def _queue(self, attempt: Attempt, at: float) -> None:
        attempt.queued = True
        heapq.heappush(self._later, (at, next(self._serial), attempt))

    def _soft_timeout(self, level: int) -> float:
        return min(self.trip.soft * (1 << level), self.manners.timeout)

    def _pause(self, attempt: Attempt) -> float:
        return self.manners.pauses[min(attempt.tries, len(self.manners.pauses)) - 1]

    def _patience(self, attempt: Attempt) -> int:
        """Tries sent while much was lost are no verdict."""
        return self.manners.silent_tries * (1 + min(MOST_EXCUSES, self.throttle.cuts - attempt.cuts))
