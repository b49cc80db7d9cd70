"""`kill -9` at any moment: what was finished is remembered, the file opens, and the next run goes on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aidns.lookup.ask import BATCH, BATCH_SECONDS
from aidns.lookup.state import read_spans
from responder import Responder
from samples import NOW

KILLS = int(os.environ.get("AIDNS_KILLS", "5"))
"""`make bench-check` sets 50."""
NAMES = 120 * KILLS
RATE = 2000
CODE = """\
import sys
from pathlib import Path
from aidns.lookup.attempt import Manners
from aidns.lookup.resolver import parse_resolver
from aidns.lookup.run import Task, run
from aidns.lookup.state import State
from aidns.names import Name
from aidns.psl import registrable_domain
port, path, names, rate, at = sys.argv[1:]
task = Task(
    names=tuple(Name(f"n{i}.s{i}.com") for i in range(int(names))),
    resolvers=(parse_resolver(f"127.0.0.1:{port}", float(rate)),), canaries=(), at=int(at), manners=Manners(),
)
registrable_domain("a.com")  # reads its list
print("ready", flush=True)
with State(Path(path)) as state:
    run(state, state.spans(), task, lambda settled, left: print(settled, flush=True))
"""
"""Prints how many observations each batch held, once it is recorded."""


@pytest.fixture(scope="module")
def responder() -> Iterator[Responder]:
    with Responder() as running:
        yield running


def start(responder: Responder, state: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CODE, str(responder.port), str(state), str(NAMES), str(RATE), str(NOW)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def killed_after(seconds: float, responder: Responder, state: Path) -> int:
    """Kill a run so many seconds after it began; return how many observations it had reported as recorded."""
    process = start(responder, state)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(seconds)
    os.kill(process.pid, signal.SIGKILL)
    reported = process.communicate()[0].split("\n")[:-1]
    return sum(map(int, reported))


def test_a_run_that_is_killed_keeps_what_it_finished(responder: Responder, tmp_path: Path) -> None:
    """The file is whole after each, and holds no less than was reported; nothing proven is asked again."""
    state = tmp_path / "state"
    luck = random.Random(KILLS)
    held = 0
    for _ in range(KILLS):
        reported = killed_after(luck.uniform(0.0, 1.0), responder, state)
        spans = read_spans(state)
        assert len(spans) >= held + reported
        assert len({(span.name, span.rdtype) for span in spans}) == len(spans), "each question was settled once"
        assert len(spans) <= held + reported + 2 * (BATCH + RATE * BATCH_SECONDS), "more than batches not yet reported"
        held = len(spans)
    assert held
    with start(responder, state) as last:
        rest = sum(map(int, last.communicate()[0].split("\n")[1:-1]))
    assert last.returncode == 0
    assert len(read_spans(state)) == held + rest, "the next run asks what is left, and only that"
