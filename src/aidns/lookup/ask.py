"""Ask resolvers, all at once, each at its own pace; observations come out as answers come in. [I/O]"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Sequence
from contextlib import suppress

import msgspec
from msgspec import Struct

from aidns.lookup.attempt import Manners, Question, Schedule
from aidns.lookup.drive import Drive, Settled
from aidns.lookup.outcome import Finding
from aidns.lookup.resolver import Resolver
from aidns.lookup.throttle import RoundTrip, Throttle
from aidns.lookup.transport import Exchange
from aidns.model import Observation, Outcome
from aidns.names import Name
from aidns.wire import Reply

ROOT = Question(Name("."), "SOA")
"""What every resolver that works can answer."""
BATCH, BATCH_SECONDS = 2000, 0.2
"""Observations are handed over when there are so many, or this time after the first of them: a run that is killed loses
no more than these."""


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
    """A resolver during one run: its streams, its pace, what the probe showed, and what was counted."""

    def __init__(self, resolver: Resolver, manners: Manners) -> None:
        self.resolver = resolver
        self.manners = manners
        self.exchange = Exchange(resolver)
        most = manners.in_flight_most if resolver.transport == "udp" else manners.in_flight_unpaced
        self.throttle = Throttle(resolver.rate, manners.in_flight_unpaced, most)
        self.trip = RoundTrip(manners.soft_timeout, min(manners.probe_timeout, manners.timeout))
        self.runs_our_list = False
        self.asked = 0
        self.settled = 0
        self.packets = self.again = 0
        """Packets sent, the probe's included, and those of them that were not the first for their question."""
        self.odd: Counter[str] = Counter()
        """What came over UDP and was no reply, by kind."""
        self.replied = False
        """Something other than failure came back: NOERROR or NXDOMAIN."""
        self.denies_all = False
        """It resolved nothing so far and denies even the root, as networks without Internet access do."""
        self._drive: Drive | None = None

    async def run(self, fresh: Callable[[], Question | None], settled: Settled, manners: Manners | None = None) -> None:
        """Ask what `fresh` returns until it returns None and all is settled; `settled` gets what each answer means."""

        def note(question: Question, finding: Finding, reply: Reply | None) -> None:
            self.settled += 1
            if not self.replied:
                self.replied = reply is not None and reply.rcode in ("NOERROR", "NXDOMAIN")
            if self.denies_all:
                self.denies_all = not (finding.outcome.proves_existence or finding.outcome is Outcome.DENIED)
            settled(question, finding, reply)

        drive = self._drive = Drive(
            self.resolver, self.exchange, manners or self.manners, self.throttle, self.trip, fresh, note,
            runs_our_list=self.runs_our_list,
        )  # fmt: skip
        try:
            await drive.run()
        finally:
            self.packets += drive.flow.sent
            self.again += drive.flow.again
            if drive.mux is not None:
                self.odd.update(drive.mux.odd)

    def leave(self) -> None:
        """Stop asking at once; what is under way is not waited for."""
        if self._drive is not None:
            self._drive.stop()

    async def probe(self, canaries: Collection[Name]) -> Probe:
        """Find out within seconds whether the resolver answers and which of our lists it runs."""
        short = msgspec.structs.replace(
            self.manners, timeout=min(self.manners.probe_timeout, self.manners.timeout), pauses=(0.0,)
        )
        found: dict[Question, tuple[Finding, Reply | None]] = {}
        questions = iter((ROOT, *(Question(canary, "A") for canary in canaries)))
        await self.run(
            lambda: next(questions, None), lambda asked, finding, reply: found.update({asked: (finding, reply)}), short
        )
        finding, root = found.pop(ROOT)
        # `example.` is reserved: whatever is positive there was made by this resolver (RFC 6761 §6.5).
        loaded = tuple(asked.name for asked, (_, reply) in found.items() if reply and reply.rcode == "NOERROR")
        outcomes = {finding.outcome, *(heard.outcome for heard, _ in found.values())}
        self.denies_all = outcomes - {Outcome.TIMEOUT, Outcome.BROKEN} == {Outcome.FILTERED}
        self.settled = 0
        replies = [reply for _, reply in found.values()]
        answers = any((root, *replies))
        unsettled = answers and None in replies
        self.runs_our_list = bool(loaded) or unsettled
        in_order = tuple(canary for canary in canaries if canary in loaded)
        return Probe(self.resolver, answers, in_order, unsettled, "" if answers else finding.detail)


async def probe(contacts: Iterable[Contact], canaries: Collection[Name]) -> list[Probe]:
    """Probe all resolvers at once."""
    return list(await asyncio.gather(*(contact.probe(canaries) for contact in contacts)))


async def ask(
    schedule: Schedule, contacts: Sequence[Contact], at: int, vantage: str = ""
) -> AsyncGenerator[tuple[Observation, ...], None]:
    """Ask everything on the schedule; yield what has come in, in batches. `at` dates every observation.

    A resolver that stops answering is set aside; no observation is made of what was then not asked or not answered.
    """
    arrived = _Basket()
    services = [_Service(schedule, contact, arrived, at, vantage) for contact in contacts]
    run = asyncio.create_task(_run(services, arrived))
    try:
        while not run.done():
            with suppress(TimeoutError):
                async with asyncio.timeout(BATCH_SECONDS):
                    await arrived.full.wait()
            if observations := arrived.empty():
                yield observations
        await run
        if observations := arrived.empty():
            yield observations
    finally:
        run.cancel()
        with suppress(asyncio.CancelledError):
            await run


async def _run(services: Sequence[_Service], arrived: _Basket) -> None:
    """Serve every resolver; at the end, however it comes, let the rest be handed over."""
    try:
        async with asyncio.TaskGroup() as group:
            for service in services:
                group.create_task(service.contact.run(service.fresh, service.settled))
    finally:
        arrived.full.set()


class _Basket:
    """Observations until they are handed over."""

    def __init__(self) -> None:
        self.full = asyncio.Event()
        self._seen: list[Observation] = []

    def put(self, seen: Observation) -> None:
        self._seen.append(seen)
        if len(self._seen) >= BATCH:
            self.full.set()

    def empty(self) -> tuple[Observation, ...]:
        self.full.clear()
        seen = tuple(self._seen)
        self._seen.clear()
        return seen


class _Service:
    """Hands one resolver's questions out, takes the answers, and notices when to leave it alone."""

    def __init__(self, schedule: Schedule, contact: Contact, arrived: _Basket, at: int, vantage: str) -> None:
        self.contact, self.arrived, self.at, self.vantage = contact, arrived, at, vantage
        self.queue = schedule.at(contact.resolver.id)
        self.checking = False
        """It was silent for long, and must answer for the root before it is asked more."""

    def fresh(self) -> Question | None:
        """Return the next question, if there is one now."""
        if self.checking:
            return None
        contact, queue = self.contact, self.queue
        if contact.denies_all and contact.settled >= contact.manners.trial:
            queue.set_aside()
        if queue.silent and queue.is_silent(contact.manners):
            self.checking = True
            return ROOT
        question = queue.next()
        if question is not None:
            contact.asked += 1
        return question

    def settled(self, question: Question, finding: Finding, reply: Reply | None) -> None:
        """Take a final answer."""
        if question is ROOT:
            self.checking = False
            if reply is not None:
                self.queue.silent = 0  # it answers, although some names brought no reply
            else:
                self.queue.set_aside()
                self.contact.leave()
            return
        self.queue.done(question, finding.outcome)
        resolver = self.contact.resolver
        seen = Observation(
            question.name, question.rdtype, resolver.id, finding.outcome, self.at, finding.subject, finding.detail,
            finding.chain, finding.data, self.vantage, resolver.operator,
        )  # fmt: skip
        self.arrived.put(seen)
