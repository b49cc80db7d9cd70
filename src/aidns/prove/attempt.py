"""Try one list on one server: start it in private, verify it, stop it. [I/O]

Runs in processes of its own, so it imports nothing that loads or renders.
"""

from __future__ import annotations

import pickle
import tempfile
from functools import lru_cache
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from aidns.errors import EnvironmentFault
from aidns.lab.servers import start
from aidns.lab.upstream import Upstream
from aidns.model import BlockSet
from aidns.names import printable
from aidns.prove.matrix import Cell, from_report
from aidns.stub import LOOPBACK, Endpoint
from aidns.verify.questions import Plan, plan
from aidns.verify.run import verify


class Job(Struct, frozen=True):
    """One list to be tried on one server."""

    cell: Cell
    text: str
    packed: bytes
    """What to ask, from `pack`: the jobs of a policy share it, and each process makes its plan once."""


def pack(blockset: BlockSet, nonce: str) -> bytes:
    """Return a block set and a label that nobody has asked before as what jobs carry."""
    return pickle.dumps((blockset, nonce))


@lru_cache(1)
def _planned(packed: bytes) -> Plan:
    return plan(*pickle.loads(packed))  # noqa: S301 - made by `pack` in the process that started this one


def try_one(job: Job) -> Cell:
    """Start the server of one job with its list, verify it and return what was found."""
    planned = _planned(job.packed)
    with tempfile.TemporaryDirectory(prefix="aidns-prove-") as folder:
        path = Path(folder) / "list"
        path.write_text(job.text, "ascii")
        canary = planned.blockset.canary
        try:
            with (
                Upstream() as upstream,
                start(job.cell.server, [path], upstream=upstream.port, canary=canary) as server,
            ):
                report = verify(
                    Endpoint(LOOPBACK, server.port),
                    planned,
                    formats=(job.cell.format,),
                    control=Endpoint(LOOPBACK, upstream.port),
                    rate=0,
                )
        except EnvironmentFault as fault:
            return replace(job.cell, failed=printable(fault.message, 500))
    return from_report(job.cell, report)
