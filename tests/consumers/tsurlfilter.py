"""AdGuard's own DNS engine, from npm, in a folder of its own.

Its licence (GPL-3.0) keeps it out of everything that is shipped: it is a tool for tests alone.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent / "adguard"
INSTALLED = Path(__file__).parents[2] / ".lab" / "adguard"
_LIMIT = 60
"""Seconds that npm may take."""


@cache
def missing() -> str:
    """Install the engine where it is not yet; return why that failed, or nothing."""
    if not shutil.which("node") or not shutil.which("npm"):
        return "node and npm are not installed"
    if _version() == _wanted():
        return ""
    INSTALLED.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, INSTALLED)
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=0", "--fetch-timeout=20000")
    try:
        done = subprocess.run(
            ["npm", "ci", *quiet], cwd=INSTALLED, capture_output=True, text=True, timeout=_LIMIT, check=False
        )
    except subprocess.TimeoutExpired:
        return f"npm took more than {_LIMIT} s"
    return "" if done.returncode == 0 else f"npm ci failed: {done.stderr.strip()[-300:]}"


def match(text: str, names: Sequence[str]) -> list[str]:
    """Return BLOCK, ALLOW, HOST or - for each name, under the rules of one list."""
    done = subprocess.run(
        ["node", str(HERE / "match.mjs"), str(INSTALLED)],
        input=json.dumps({"list": text, "names": names}),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def _wanted() -> str:
    return str(json.loads((HERE / "package.json").read_text("utf-8"))["dependencies"]["@adguard/tsurlfilter"])


def _version() -> str:
    package = INSTALLED / "node_modules" / "@adguard" / "tsurlfilter" / "package.json"
    return str(json.loads(package.read_text("utf-8"))["version"]) if package.exists() else ""
