"""Start the servers that this machine has, each with the list it reads, and verify them. [I/O]

Every server runs in private, fed by an upstream that answers any name, so nothing leaves the machine. Servers are tried
in as many processes as there are cores.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache, partial
from multiprocessing import get_context

from msgspec.structs import replace

from aidns import pipeline
from aidns.errors import EnvironmentFault, UnsafeError, UsageError
from aidns.lab.kinds import KINDS, Kind
from aidns.lab.servers import missing
from aidns.model import Artefact, BlockSet, Catalog
from aidns.policy import NON_BLOCKING, client_scopes
from aidns.prove.attempt import Job, pack, try_one
from aidns.prove.matrix import Cell, Missing, Proof
from aidns.publish.serials import stamp
from aidns.render.base import choose_action
from aidns.render.formats import FORMATS, find_all

Progress = Callable[[int, int], object]


def prove(
    catalog: Catalog,
    policies: Sequence[str],
    formats: Sequence[str],
    memory: pipeline.Memory,
    now: int,
    nonce: str,
    progress: Progress | None = None,
) -> Proof:
    """Try every policy (none given: the shipped ones) in every format (none: all) on the servers of this machine.

    `nonce` is a label that nobody has asked before; `progress` is called with the numbers of lists tried and to try.
    Raises UsageError for a format that no server of the lab reads, EnvironmentFault when none of the servers is here,
    and what loading and compiling raise.
    """
    kinds = _kinds(formats)
    absent = tuple(Missing(kind.id, lacking, kind.package) for kind in kinds if (lacking := missing(kind.id)))
    present = [kind for kind in kinds if not missing(kind.id)]
    if not present:
        packages = " ".join(dict.fromkeys(package for one in absent for package in one.packages.split()))
        raise EnvironmentFault("none of these servers is on this machine", tip=f"apt-get install {packages}")
    entries = (
        entry
        for reference in policies or catalog.policies
        for entry in _entries(catalog, reference, present, memory, now, nonce)
    )
    return Proof(tuple(_try_all(entries, progress)), absent)


def _kinds(formats: Sequence[str]) -> list[Kind]:
    """Return the kinds of server that read these formats."""
    chosen = {fmt.id for fmt in find_all(formats)}
    kinds = [kind for kind in KINDS.values() if kind.format in chosen]
    if unread := [fmt for fmt in formats if fmt not in {kind.format for kind in kinds}]:
        readable = ", ".join(dict.fromkeys(kind.format for kind in KINDS.values()))
        raise UsageError(f"no server that can be started here reads {unread[0]}", tip=f"formats are {readable}")
    return kinds


def _entries(
    catalog: Catalog, reference: str, kinds: Sequence[Kind], memory: pipeline.Memory, now: int, nonce: str
) -> Iterator[Job | Cell]:
    """Yield a job for each server that one policy's lists can be tried on, else a cell that says why not."""
    policy = pipeline.find_policy(catalog, reference)
    scopes = client_scopes(policy)
    for scope in scopes:
        prepared = pipeline.prepare(catalog, policy, now, memory, scope)
        packed = pack(prepared.blockset, nonce)
        made = _maker(catalog, prepared, memory, now)
        label = f"{policy.id}/{scope}" if len(scopes) > 1 else policy.id
        for kind in kinds:
            cell = Cell(label, kind.id, kind.format)
            try:
                if why := _why_not(prepared.blockset, kind):
                    yield replace(cell, left_out=why)
                    continue
                artefact = made(kind.format)
            except UnsafeError as refusal:
                yield replace(cell, left_out=refusal.message)
            else:
                yield Job(replace(cell, weakened=artefact.weakened), artefact.text, packed)


def _maker(
    catalog: Catalog, prepared: pipeline.Prepared, memory: pipeline.Memory, now: int
) -> Callable[[str], Artefact]:
    """Return what renders a policy in a format, once for all servers that read it. It raises Inexpressible."""
    version = partial(stamp, None, "", now=now)
    return cache(lambda fmt: pipeline.artefact(catalog, prepared, FORMATS[fmt], memory, version))


def _why_not(blockset: BlockSet, kind: Kind) -> str:
    """Return why a list cannot be tried on a server, or nothing. Raises Inexpressible."""
    action = blockset.policy.action
    if action and action.default in NON_BLOCKING:
        return f"action {action.default} blocks nothing to prove"
    if not kind.forwards_exceptions and any(not answer.self_blocked for answer in blockset.minimal.values()):
        return "exceptions go past the rule that forwards, so they cannot be tried in private"
    garden = choose_action(FORMATS[kind.format], blockset).garden
    if garden.cname and not kind.follows_garden_names:
        return "a walled garden that is a name blocks nothing there, as the list says: give it addresses"
    return ""


def _try_all(entries: Iterable[Job | Cell], progress: Progress | None) -> list[Cell]:
    """Return the cells of all entries, in their order; jobs begin while others are still being rendered."""
    with ProcessPoolExecutor(os.cpu_count() or 1, get_context("spawn")) as pool:
        try:
            cells = [pool.submit(try_one, entry) if isinstance(entry, Job) else entry for entry in entries]
            jobs = [cell for cell in cells if not isinstance(cell, Cell)]
            for done, _ in enumerate(as_completed(jobs), 1):
                if progress:
                    progress(done, len(jobs))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
        return [cell if isinstance(cell, Cell) else cell.result() for cell in cells]
