"""How long the steps of the main job take on the shipped catalogue, in one process.

    .venv/bin/python bench/load.py [--runs N]

Printed: the median of each step in milliseconds, and what it worked on.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median

from aidns import pipeline
from aidns.catalog.lint import lint
from aidns.catalog.load import load, load_or_fail

NOW = 1_800_000_000


def milliseconds(work: Callable[[], object], runs: int) -> float:
    """Return the median time of `runs` calls."""
    measured = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        measured.append((time.perf_counter() - start) * 1000)
    return median(measured)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    pipeline.load_sound()  # keeps it
    loaded = load()
    catalog = loaded.catalog
    size = f"{len(catalog.services)} services, {len(catalog.names)} names, {len(catalog.policies)} policies"
    print(f"main job, median of {runs} runs, ms; {size}")
    steps: dict[str, Callable[[], object]] = {
        "load": load,
        "load what is kept": load_or_fail,
        "lint": lambda: lint(loaded),
        "select, compile and render everything": lambda: pipeline.build_artefacts(catalog, (), (), NOW, None, None),
    }
    for name, work in steps.items():
        print(f"  {name:<38} {milliseconds(work, runs):7.0f}")


if __name__ == "__main__":
    main()
