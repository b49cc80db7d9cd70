"""One run of `check`: probe the resolvers, ask what is due, record every answer as it comes. [I/O]"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing

from msgspec import Struct

from aidns.errors import EnvironmentFault
from aidns.lookup.ask import Contact, Probe, ask, probe
from aidns.lookup.attempt import Manners, Schedule
from aidns.lookup.extras import ZONE_TYPES, Shard, as_recorded, plan
from aidns.lookup.resolver import Resolver, parse_resolvers
from aidns.lookup.spans import proven
from aidns.lookup.state import State
from aidns.lookup.transport import require_https, system_resolvers
from aidns.model import Span
from aidns.names import Name

Tick = Callable[[int, int], object]
"""Called with the questions settled since the last call and those still to ask."""


class Task(Struct, frozen=True):
    """What to find out: names, from whom, and the canaries that betray a resolver running our own list."""

    names: tuple[Name, ...]
    resolvers: tuple[Resolver, ...]
    canaries: tuple[Name, ...]
    at: int
    """Unix seconds that date the whole run."""
    manners: Manners = Manners()
    everything: bool = False
    """Ask what was proven recently, too."""
    vantage: str = ""
    """Where this is seen from: answers differ by country."""
    shard: Shard = Shard()
    """Which part of the names is asked about here."""


class Traffic(Struct, frozen=True):
    """What went to one resolver and came back: questions, packets, packets that were sent again, oddities by kind."""

    asked: int = 0
    packets: int = 0
    again: int = 0
    odd: dict[str, int] = {}


class Tally(Struct, frozen=True):
    """What a run did, by resolver; `set_aside` names those that fell silent."""

    probes: tuple[Probe, ...]
    traffic: dict[str, Traffic]
    set_aside: tuple[str, ...] = ()

    @property
    def asked(self) -> dict[str, int]:
        """The questions put to each resolver."""
        return {resolver: traffic.asked for resolver, traffic in self.traffic.items()}


def choose_resolvers(specs: Sequence[str], rate: float | None = None) -> tuple[Resolver, ...]:
    """Return the resolvers of `specs`, this machine's own when there are none.

    Raises UsageError for a bad spec, EnvironmentFault when none is set up or DNS over HTTPS is not installed.
    """
    resolvers = parse_resolvers(specs, rate) if specs else system_resolvers(rate)
    if any(resolver.transport == "https" for resolver in resolvers):
        require_https()
    return resolvers


def run(state: State, before: Iterable[Span], task: Task, tick: Tick) -> Tally:
    """Carry out a run; `before` is what the state holds. What was recorded stays, whatever happens.

    Raises EnvironmentFault when no resolver gave a usable answer (none at all: within 5 seconds).
    """
    known = frozenset() if task.everything else proven(before, task.at, task.vantage)
    resolvers = [resolver.id for resolver in task.resolvers]
    due = plan(task.names, resolvers, known, task.at, task.shard)
    schedule = Schedule(due.names, resolvers, due.settled, zone=ZONE_TYPES, extra=due.extra)
    if not schedule.left:
        return Tally((), {})
    return asyncio.run(_run(state, task, schedule, tick))


async def _run(state: State, task: Task, schedule: Schedule, tick: Tick) -> Tally:
    contacts = [Contact(resolver, task.manners) for resolver in task.resolvers]
    try:
        probes = await probe(contacts, task.canaries)
        there = [contact for contact, seen in zip(contacts, probes, strict=True) if seen.answers]
        if not there:
            raise _nobody("; ".join(f"{seen.resolver.id}: {seen.trouble}" for seen in probes))
        for contact in contacts:
            if contact not in there:
                schedule.at(contact.resolver.id).set_aside()
        async with aclosing(ask(schedule, there, task.at, task.vantage)) as arriving:
            async for observations in arriving:
                state.record(map(as_recorded, observations))
                tick(len(observations), schedule.left)
    finally:
        for contact in contacts:
            await contact.exchange.close()
    aside = tuple(contact.resolver.id for contact in there if schedule.at(contact.resolver.id).aside)
    if not any(contact.replied and not (contact.denies_all and contact.resolver.id in aside) for contact in there):
        raise _nobody("failures and denials of everything, even the root, are all that came")
    traffic = {
        contact.resolver.id: Traffic(contact.asked, contact.packets, contact.again, dict(contact.odd))
        for contact in contacts
    }
    return Tally(tuple(probes), traffic, aside)


def _nobody(why: str) -> EnvironmentFault:
    return EnvironmentFault(
        f"no resolver answered ({why})",
        tip="what is known stays as it is; name a resolver that this machine reaches: --resolver 9.9.9.9",
    )
