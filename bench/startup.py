"""How long `aidns` takes to start and to do little, over an interpreter that does nothing.

    .venv/bin/python bench/startup.py [--runs N]

Every round runs the empty interpreter and each command once, in turn, so that a busy machine slows all alike; the cost
of a command in a round is its time minus the empty interpreter's in the same round. Printed: the median of these costs
in milliseconds, of CPU time (user and system) and by the clock, the middle half by the clock, and the ratio of CPU time
to the empty interpreter's. Caches are filled before: the second run of each command counts.

Goals, by the clock on an idle machine on which the empty interpreter takes 10 ms: `--version` at most 1.5 times as
long, `--help` 60 ms over it, a build with nothing to do 80 ms, a shipped policy in every format half a second.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles

AIDNS = str(Path(sys.executable).with_name("aidns"))
COMMANDS = {
    "aidns --version": ["--version"],
    "aidns --help": ["--help"],
    "aidns explain --help": ["explain", "--help"],
    "aidns list formats": ["list", "formats"],
    "aidns explain chat.deepseek.com": ["explain", "chat.deepseek.com"],
    "aidns render (deepseek-org, rpz)": ["render", "--policy", "deepseek-org", "--format", "rpz"],
    "a policy in every format, planned": ["build", "--dry-run", "--policy", "deepseek-org", "--out", "none"],
    "a build with nothing to do": ["build"],
}
EMPTY = [sys.executable, "-c", "pass"]
Cost = tuple[float, float]
"""Milliseconds of CPU and by the clock."""


def cost(command: list[str], folder: str) -> Cost:
    """Run a command and return what it cost. Raises CalledProcessError when it fails."""
    start = time.perf_counter()
    environment = {**os.environ, "XDG_STATE_HOME": folder, "XDG_CACHE_HOME": folder}
    child = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)
    return 1000 * (used.ru_utime + used.ru_stime), 1000 * (time.perf_counter() - start)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=21)
    runs = parser.parse_args().runs
    costs: dict[str, list[Cost]] = {name: [] for name in COMMANDS}
    empty: list[Cost] = []
    with tempfile.TemporaryDirectory() as folder:
        for command in [EMPTY, *([AIDNS, *words] for words in COMMANDS.values())] * 2:
            cost(command, folder)  # the first run fills caches, the second build changes nothing
        for _ in range(runs):
            empty.append(cost(EMPTY, folder))
            for name, words in COMMANDS.items():
                costs[name].append(cost([AIDNS, *words], folder))
    cpu, clock = (median(one[kind] for one in empty) for kind in (0, 1))
    print(f"start-up, {runs} paired runs, ms over `python -c pass` ({cpu:.0f} ms of CPU, {clock:.0f} by the clock)")
    for name, measured in costs.items():
        over = [(one[0] - none[0], one[1] - none[1]) for one, none in zip(measured, empty, strict=True)]
        ratio = median(one[0] / none[0] for one, none in zip(measured, empty, strict=True))
        low, middle, high = quantiles((wall for _, wall in over), n=4)
        half = f"(middle half {low:.0f} to {high:.0f})"
        print(f"  {name:<34} {median(c for c, _ in over):6.0f} CPU {middle:6.0f} clock {half:<28} {ratio:5.2f} x CPU")


if __name__ == "__main__":
    main()
