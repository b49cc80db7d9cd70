"""Where the builds of an output directory lie: `dist` is a symlink to `.dist/<build>` beside it. [I/O]

A build's id is a number that only grows.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aidns.errors import UnsafeError, UsageError

STATUS = "status.json"
_BUILD = re.compile(r"\d{6,12}\Z")


def store_of(out: Path) -> Path:
    """Return the directory that keeps the builds of `out`: `dist` has `.dist` beside it.

    Raises UsageError when `out` has no name of its own.
    """
    if out.name in ("", ".."):
        raise UsageError(f"--out {str(out)!r} names no directory of its own", tip="give a name such as dist")
    return out.with_name(f".{out.name}")


def builds(store: Path) -> list[str]:
    """Return the ids of the kept builds, oldest first."""
    if not store.is_dir():
        return []
    return sorted((path.name for path in store.iterdir() if _BUILD.match(path.name)), key=int)


def current_build(out: Path) -> str:
    """Return the id of the build that `out` points to, empty where there is no `out` yet.

    Raises UnsafeError when `out` is something that this program did not make.
    """
    if not os.path.lexists(out):
        return ""
    if not out.is_symlink():
        raise UnsafeError(
            f"{out} exists and is not a link to a build", tip="move it away, or choose another directory with --out"
        )
    target = Path(os.path.abspath(out.parent / out.readlink()))  # noqa: PTH100  lexical: the link itself counts
    if target.parent != Path(os.path.abspath(store_of(out))) or not _BUILD.match(target.name):  # noqa: PTH100
        raise UnsafeError(f"{out} points to {target}, which is no build of it", tip="remove the link, or use --out")
    return target.name


@contextmanager
def locked(store: Path) -> Iterator[None]:
    """Hold a store's lock; wait for another build to finish. The kernel frees it when a process dies."""
    store.mkdir(parents=True, exist_ok=True)
    with (store / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
