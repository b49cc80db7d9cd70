"""How long `aidns` takes to start, over an interpreter that does nothing.

    .venv/bin/python bench/startup.py [--runs N]

Every round runs the empty interpreter and each command once, in turn, so that a busy machine slows all alike; the cost
of a command in a round is its time minus the empty interpreter's in the same round. Printed: the median, and the
middle half, of those costs in milliseconds. The goal for `--help` is at most 60 ms.
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
    "aidns --version": [AIDNS, "--version"],
    "aidns --help": [AIDNS, "--help"],
    "aidns explain --help": [AIDNS, "explain", "--help"],
    "aidns list formats": [AIDNS, "list", "formats"],
    "aidns explain chat.deepseek.com": [AIDNS, "explain", "chat.deepseek.com"],
    "aidns render (deepseek-org, rpz)": [AIDNS, "render", "--policy", "deepseek-org", "--format", "rpz"],
}
EMPTY = [sys.executable, "-c", "pass"]


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """Run a command and return how long it took. Raises CalledProcessError when it fails."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=21)
    runs = parser.parse_args().runs
    costs: dict[str, list[float]] = {name: [] for name in COMMANDS}
    empty = []
    with tempfile.TemporaryDirectory() as state:
        environment = {**os.environ, "XDG_STATE_HOME": state}
        for command in (EMPTY, *COMMANDS.values()):  # the first run of each fills caches
            seconds(command, environment)
        for _ in range(runs):
            empty.append(seconds(EMPTY, environment))
            for name, command in COMMANDS.items():
                costs[name].append(seconds(command, environment) - empty[-1])
    print(f"start-up, {runs} paired runs, ms over `python -c pass` ({median(empty) * 1000:.0f} ms)")
    for name, measured in costs.items():
        low, middle, high = (value * 1000 for value in quantiles(measured, n=4))
        print(f"  {name:<33} {middle:6.0f}   (middle half {low:.0f} to {high:.0f})")


if __name__ == "__main__":
    main()
