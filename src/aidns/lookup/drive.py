"""The shell around `Flow`: sends what it says, tells it what came, and classifies answers. [I/O]

One timer for each resolver, no task for a question over UDP.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from aidns.lookup.attempt import Manners, Question
from aidns.lookup.flow import Attempt, Flow, Try
from aidns.lookup.outcome import Finding, classify
from aidns.lookup.resolver import Resolver
from aidns.lookup.throttle import RoundTrip, Throttle
from aidns.lookup.transport import Exchange, Unusable
from aidns.lookup.udp import Mux
from aidns.model import Outcome
from aidns.wire import Reply

TICK = 0.004
"""Seconds between two looks at the clock while a rate holds packets back: at high rates several leave at once."""

Settled = Callable[[Question, Finding, Reply | None], None]


class Drive:
    """Questions under way at one resolver until `fresh` has no more and all are settled."""

    def __init__(
        self,
        resolver: Resolver,
        exchange: Exchange,
        manners: Manners,
        throttle: Throttle,
        trip: RoundTrip,
        fresh: Callable[[], Question | None],
        settled: Settled,
        *,
        runs_our_list: bool = False,
    ) -> None:
        self.flow = Flow(resolver.transport, manners, throttle, trip, fresh)
        self.mux = (
            Mux(resolver.host, resolver.port, manners.timeout, self._reply, self._pump) if _is_udp(resolver) else None
        )
        self._exchange, self._manners, self._settled = exchange, manners, settled
        self._runs_our_list = runs_our_list
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Send and receive until everything is settled."""
        try:
            self._pump()
            await self._done
        finally:
            self.stop()
            if self.mux is not None:
                self.mux.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def stop(self) -> None:
        """Leave what is under way, as when a resolver has fallen silent."""
        if self._timer is not None:
            self._timer.cancel()
        if not self._done.done():
            self._done.set_result(None)

    # ------------------------------------------------------------------ sending

    def _pump(self) -> None:
        """Do all that is due, and set the timer for what comes next."""
        if self._done.done():
            return
        try:
            now = time.monotonic()
            for attempt in self.flow.expire(now):
                self._settle(attempt, *self._silence(attempt))
            while not self._done.done() and (one := self.flow.next(now)) is not None:
                self._send(one)
            if self._done.done():
                return
            if self.flow.idle:
                self.stop()
            else:
                self._set_timer(now)
        except BaseException as error:  # in a callback: nobody else would hear of it
            self._fail(error)

    def _set_timer(self, now: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if (moment := self.flow.wake(now)) is not None:
            delay = max(TICK, moment - now)
            self._timer = asyncio.get_running_loop().call_later(delay, self._pump)

    def _send(self, one: Try) -> None:
        if one.transport == "udp" and self.mux is not None:
            self.mux.send(one)
        else:
            self._tasks.add(task := asyncio.get_running_loop().create_task(self._exchanged(one)))
            task.add_done_callback(self._tasks.discard)

    async def _exchanged(self, one: Try) -> None:
        """Carry out a try over a stream."""
        try:
            reply = await self._exchange.send(one)
        except TimeoutError as error:
            if self.flow.lost(one, time.monotonic()):
                self._settle(one.attempt, *self._silence(one.attempt, str(error)))
        except Unusable as error:
            self._outcome(one, Finding(Outcome.BROKEN, one.question.name, str(error)), None)
        else:
            self._reply(one, reply, truncated=False)
        self._pump()

    # ------------------------------------------------------------------ receiving

    def _reply(self, one: Try, reply: Reply | None, truncated: bool) -> None:
        question = one.question
        if reply is not None:
            finding = classify(reply, question.name, question.rdtype, runs_our_list=self._runs_our_list)
        else:
            finding = Finding(Outcome.BROKEN, question.name, "malformed reply")
        self._outcome(one, finding, reply, truncated)

    def _outcome(self, one: Try, finding: Finding, reply: Reply | None, truncated: bool = False) -> None:
        attempt = one.attempt
        if self.flow.heard(one, finding.outcome, time.monotonic(), truncated=truncated):
            self._settle(attempt, finding, reply)
        elif not attempt.settled and not truncated:
            attempt.said = finding, reply

    def _silence(self, attempt: Attempt, why: str = "") -> tuple[Finding, Reply | None]:
        """What is said of a question whose last try brought nothing: the last failure, if there was one."""
        if attempt.said is not None:
            finding, reply = attempt.said
            return finding, reply
        why = why or f"no reply within {self._manners.timeout:g} s"
        if self.mux is not None and self.mux.trouble:
            why += f": {self.mux.trouble}"
        return Finding(Outcome.TIMEOUT, attempt.question.name, why), None

    def _settle(self, attempt: Attempt, finding: Finding, reply: Reply | None) -> None:
        try:
            self._settled(attempt.question, finding, reply)
        except BaseException as error:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if not self._done.done():
            self._done.set_exception(error)


def _is_udp(resolver: Resolver) -> bool:
    return resolver.transport == "udp"
