"""Ask a server on loopback as `check` does, without the command around it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aidns.lookup.ask import Contact, Probe, ask
from aidns.lookup.attempt import Manners, Schedule
from aidns.lookup.resolver import parse_resolver
from aidns.model import Observation
from aidns.names import Name


def ask_as_check_does(
    port: int, names: Sequence[Name], canaries: Sequence[Name], at: int = 0
) -> tuple[Probe, list[Observation]]:
    """Return what the probe showed and every observation of one run."""

    async def run() -> tuple[Probe, list[Observation]]:
        resolver = parse_resolver(f"127.0.0.1:{port}")
        contact = Contact(resolver, Manners(timeout=1.0))
        probe = await contact.probe(canaries)
        schedule = Schedule(names, [resolver.id])
        return probe, [seen async for batch in ask(schedule, [contact], at) for seen in batch]

    return asyncio.run(run())
