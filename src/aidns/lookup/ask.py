"""Ask resolvers, all at once, each at its own pace; observations come out as answers come in. [I/O]"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Collection, Iterable, Sequence
from contextlib import suppress

from msgspec import Struct

from aidns.lookup.attempt import Attempt, Manners, Pace, Question, Schedule, Try
from aidns.lookup.outcome import Finding, classify
from aidns.lookup.resolver import Resolver
from aidns.lookup.transport import Exchange, Unusable
from aidns.model import Observation, Outcome
from aidns.names import Name
from aidns.wire import Reply

ROOT = Question(Name("."), "SOA")
"""What every resolver that works can answer."""


class Probe(Struct, frozen=True):
    """What a first look at a resolver showed."""

    resolver: Resolver
    answers: bool
    canaries: tuple[Name, ...] = ()
    """Those it answered positively: it runs these lists of ours."""
    unsettled: bool = False
    """No reply came to some canary."""
    trouble: str = ""

    @property
    def runs_our_list(self) -> bool:
        return bool(self.canaries) or self.unsettled


class Contact:
    """A resolver during one run: its exchange, its pace, and what the probe showed."""

    def __init__(self, resolver: Resolver, manners: Manners) -> None:
        self.resolver = resolver
        self.manners = manners
        self.exchange = Exchange(resolver)
        self.pace = Pace(resolver.rate)
        self.runs_our_list = False
        self.asked = 0
        self.settled = 0
        self.replied = False
        """Something other than failure came back: NOERROR or NXDOMAIN."""
        self.denies_all = False
        """It resolved nothing so far and denies even the root, as networks without Internet access do."""

    async def settle(self, question: Question, manners: Manners | None = None) -> tuple[Finding, Reply | None]:
        """Ask until the answer is final; return what it means, and the reply if there was one."""
        attempt = Attempt(question, self.resolver.transport, manners or self.manners)
        step = attempt.first()
        while True:
            await asyncio.sleep(step.pause + self.pace.wait(time.monotonic() + step.pause))
            finding, reply = await self._once(step)
            following = attempt.after(finding.outcome, truncated=reply is not None and "TC" in reply.flags)
            if following is None:
                self.settled += 1
                self.replied |= reply is not None and reply.rcode in ("NOERROR", "NXDOMAIN")
                self.denies_all &= not (finding.outcome.proves_existence or finding.outcome is Outcome.DENIED)
                return finding, reply
            step = following

    async def _once(self, step: Try) -> tuple[Finding, Reply | None]:
        name, rdtype = step.question.name, step.question.rdtype
        try:
            reply = await self.exchange.send(step)
        except TimeoutError as error:
            return Finding(Outcome.TIMEOUT, name, str(error)), None
        except Unusable as error:
            return Finding(Outcome.BROKEN, name, str(error)), None
        return classify(reply, name, rdtype, runs_our_list=self.runs_our_list), reply

    async def turn(self) -> None:
        """Wait until this resolver's pace allows another question."""
        await asyncio.sleep(max(0.0, self.pace.free_at - time.monotonic()))

    async def probe(self, canaries: Collection[Name]) -> Probe:
        """Find out within seconds whether the resolver answers and which of our lists it runs."""
        short = Manners(timeout=min(self.manners.probe_timeout, self.manners.timeout), pauses=(0.0,))
        (finding, root), *replies = await asyncio.gather(
            self.settle(ROOT, short), *(self.settle(Question(canary, "A"), short) for canary in canaries)
        )
        heard = [reply for _, reply in replies]
        # `example.` is reserved: whatever is positive there was made by this resolver (RFC 6761 §6.5).
        loaded = tuple(c for c, reply in zip(canaries, heard, strict=True) if reply and reply.rcode == "NOERROR")
        outcomes = {finding.outcome, *(found.outcome for found, _ in replies)}
        self.denies_all = outcomes - {Outcome.TIMEOUT, Outcome.BROKEN} == {Outcome.FILTERED}
        self.settled = 0
        answers = any((root, *heard))
        unsettled = answers and None in heard
        self.runs_our_list = bool(loaded) or unsettled
        return Probe(self.resolver, answers, loaded, unsettled, "" if answers else finding.detail)

    async def still_answers(self) -> bool:
        """Ask for the root once more."""
        return (await self.settle(ROOT))[1] is not None


async def probe(contacts: Iterable[Contact], canaries: Collection[Name]) -> list[Probe]:
    """Probe all resolvers at once."""
    return list(await asyncio.gather(*(contact.probe(canaries) for contact in contacts)))


async def ask(
    schedule: Schedule, contacts: Sequence[Contact], at: int, vantage: str = ""
) -> AsyncGenerator[tuple[Observation, ...], None]:
    """Ask everything on the schedule; yield what has come in since the last time. `at` dates every observation.

    A resolver that stops answering is set aside; no observation is made of what was then not asked.
    """
    arrived: asyncio.Queue[Observation | None] = asyncio.Queue()
    run = asyncio.create_task(_run(schedule, contacts, arrived, at, vantage))
    try:
        running = True
        while running:
            batch = [await arrived.get()]
            while not arrived.empty():
                batch.append(arrived.get_nowait())
            running = batch[-1] is not None
            if observations := tuple(seen for seen in batch if seen is not None):
                yield observations
        await run
    finally:
        run.cancel()
        with suppress(asyncio.CancelledError):
            await run


async def _run(
    schedule: Schedule,
    contacts: Sequence[Contact],
    arrived: asyncio.Queue[Observation | None],
    at: int,
    vantage: str,
) -> None:
    """Serve every resolver; at the end, however it comes, put None."""
    try:
        async with asyncio.TaskGroup() as group:
            for contact in contacts:
                group.create_task(_serve(schedule, contact, arrived, at, vantage))
    finally:
        arrived.put_nowait(None)


async def _serve(
    schedule: Schedule, contact: Contact, arrived: asyncio.Queue[Observation | None], at: int, vantage: str
) -> None:
    """Put one resolver's questions under way as they become ready."""

    async def settle(question: Question) -> None:
        finding, _ = await contact.settle(question)
        schedule.done(contact.resolver.id, question, finding.outcome)
        arrived.put_nowait(_observation(contact.resolver, question, finding, at, vantage))

    me = contact.resolver.id
    window = contact.manners.in_flight if contact.resolver.rate else contact.manners.in_flight_unpaced
    flying: set[asyncio.Task[None]] = set()
    async with asyncio.TaskGroup() as group:
        while True:
            if contact.denies_all and contact.settled >= contact.manners.trial:
                schedule.set_aside(me)
            if schedule.is_silent(me, contact.manners):
                if await contact.still_answers():
                    schedule.answers_again(me)
                else:
                    schedule.set_aside(me)
            question = schedule.next(me) if len(flying) < window else None
            if question is not None:
                contact.asked += 1
                flying.add(task := group.create_task(settle(question)))
                task.add_done_callback(flying.discard)
                await contact.turn()
            elif flying:
                await asyncio.wait(flying, return_when=asyncio.FIRST_COMPLETED)
            else:
                return


def _observation(resolver: Resolver, question: Question, finding: Finding, at: int, vantage: str) -> Observation:
    return Observation(
        name=question.name,
        rdtype=question.rdtype,
        resolver=resolver.id,
        outcome=finding.outcome,
        at=at,
        subject=finding.subject,
        detail=finding.detail,
        chain=finding.chain,
        data=finding.data,
        vantage=vantage,
        operator=resolver.operator,
    )
