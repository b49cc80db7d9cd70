"""How long `aidns prove` takes for one policy of 2,000 rules on every server of this machine.

    .venv/bin/python bench/prove.py [--rules N] [--rounds N]

First the whole command: seconds by the clock and of CPU, all processes and servers together. Then each server alone,
from its start to its end: seconds by the clock, of CPU for asking and judging and for the server itself, and questions
a second. Printed are medians.

Goal for the whole command: 10 s by the clock on an idle machine of two cores on which `python -c pass` takes 10 ms.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from statistics import median

from synthetic import lines

from aidns import names, pipeline, psl
from aidns.lab.kinds import KINDS
from aidns.lab.servers import available
from aidns.prove.attempt import Job, pack, try_one
from aidns.prove.matrix import Cell
from aidns.render.formats import FORMATS

AIDNS = str(Path(sys.executable).with_name("aidns"))
POLICY = """\
schema = 1
title = "Names drawn for a measurement"
[action]
default = "nxdomain"
fallback = ["null"]
[[list]]
path = "names.txt"
reason = "measured"
"""


def write_policy(folder: Path, rules: int) -> Path:
    """Write a policy of so many rules and return its path."""
    drawn = dict.fromkeys(line.lower() for line in lines(4 * rules) if is_listed(line.lower()))
    (folder / "names.txt").write_text("\n".join(islice(drawn, rules)) + "\n", encoding="ascii")
    path = folder / "measured.toml"
    path.write_text(POLICY, encoding="ascii")
    return path


def is_listed(text: str) -> bool:
    """Tell whether a list may hold this name."""
    try:
        return not psl.is_public_suffix(names.parse(text))
    except names.InvalidName:
        return False


def whole(policy: Path, rounds: int) -> None:
    """Print what the command takes. Raises CalledProcessError when it fails."""
    clock, cpu = [], []
    command = [AIDNS, "prove", "--policy", str(policy), "--state", str(policy.with_name("none"))]
    for _ in range(rounds):
        start = time.perf_counter()
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise subprocess.CalledProcessError(child.returncode, command)
        clock.append(time.perf_counter() - start)
        cpu.append(used.ru_utime + used.ru_stime)
    print(f"aidns prove, median of {rounds}: {median(clock):.1f} s by the clock, {median(cpu):.1f} s of CPU\n")


def each(policy: Path, rounds: int) -> None:
    """Print what each server takes."""
    catalog, memory = pipeline.load_sound(), pipeline.Memory({}, None)
    prepared = pipeline.prepare(catalog, pipeline.find_policy(catalog, str(policy)), int(time.time()), memory)
    packed = pack(prepared.blockset, "aidns-measured")
    print("server              clock      CPU  server's CPU  questions   a second")
    for kind in filter(available, KINDS):
        fmt = FORMATS[KINDS[kind].format]
        text = pipeline.artefact(catalog, prepared, fmt, memory, lambda _digest: (1, 1)).text
        costs = []
        for _ in range(rounds):
            before = spent()
            cell = try_one(Job(Cell("measured", kind, fmt.id), text, packed))
            costs.append([now - then for now, then in zip(spent(), before, strict=True)])
        clock, own, servers = map(median, zip(*costs, strict=True))
        asked = sum(cell.counts.values())
        print(f"{kind:<16} {clock:6.2f} s {own:6.2f} s      {servers:6.2f} s  {asked:9,}  {asked / clock:9,.0f}")


def spent() -> tuple[float, float, float]:
    """Return seconds by the clock, of this process's CPU, and of that of its children that have ended."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter(), own.ru_utime + own.ru_stime, children.ru_utime + children.ru_stime


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rules", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="aidns-bench-") as folder:
        policy = write_policy(Path(folder), asked.rules)
        whole(policy, asked.rounds)
        each(policy, asked.rounds)


if __name__ == "__main__":
    main()
