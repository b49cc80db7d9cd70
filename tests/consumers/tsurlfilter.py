"""AdGuard's own DNS engine, and its compiler of lists, from npm, in a folder of their own.

Their licence (GPL-3.0) keeps them out of everything that is shipped: they are tools for tests alone.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent / "adguard"
INSTALLED = Path(__file__).parents[2] / ".lab" / "adguard"


def missing() -> str:
    """Return why this machine cannot, or nothing; `make servers` installs the engine."""
    if not shutil.which("node"):
        return "node is not installed"
    stamp = INSTALLED / ".installed"
    same = stamp.exists() and stamp.read_bytes() == (HERE / "package-lock.json").read_bytes()
    return "" if same else "AdGuard's engine is not installed: make servers"


def match(text: str, names: Sequence[str], client: str = "") -> list[str]:
    """Return BLOCK, ALLOW, HOST or - for each name, under the rules of one list, asked by a client's address."""
    done = subprocess.run(
        ["node", str(HERE / "match.mjs"), str(INSTALLED)],
        input=json.dumps({"list": text, "names": names, "client": client}),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def validated(text: str) -> list[str]:
    """Return the lines of a list that hostlist-compiler keeps when it validates them, as AdGuard's registry does."""
    done = subprocess.run(
        ["node", str(HERE / "validate.mjs"), str(INSTALLED)],
        input=json.dumps({"list": text}),
        capture_output=True,
        text=True,
        check=True,
    )
    return [str(line) for line in json.loads(done.stdout)]
