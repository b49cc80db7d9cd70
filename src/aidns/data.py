"""Where the shipped catalogue and templates lie: inside the wheel, or beside `src/` in a checkout. [I/O]"""

from __future__ import annotations

import errno
import os
import stat
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from aidns.errors import EnvironmentFault

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


@cache
def shipped(what: str) -> Traversable:
    """Return the directory `catalog` or `templates` that came with this program.

    Raises EnvironmentFault when the installation is incomplete.
    """
    unpacked = Path(__file__).parent / "_data" / what
    if unpacked.is_dir():
        return unpacked
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "pyproject.toml").is_file() and (checkout / what).is_dir():
        return checkout / what
    from importlib.resources import files  # for a program that runs from an archive; costs as much as click

    packaged = files("aidns").joinpath("_data", what)
    if packaged.is_dir():
        return packaged
    raise EnvironmentFault(
        f"the shipped {what}/ directory is missing", tip="reinstall aidns, or name one with --catalog"
    )


def read_regular(file: Traversable | os.PathLike[str], most: int) -> bytes:
    """Return a file's octets, at most `most` and one more, by which a caller knows that there are too many.

    Raises OSError, also for a device, a pipe or a socket: it may never end, or never begin.
    """
    if not isinstance(file, os.PathLike):
        with file.open("rb") as stream:
            return stream.read(most + 1)
    handle = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe would wait for its writer
    try:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            raise OSError(errno.EINVAL, "is no regular file", os.fspath(file))
        return _read(handle, most + 1, about.st_size + 1)
    finally:
        os.close(handle)


def _read(handle: int, most: int, likely: int) -> bytes:
    parts = []
    while most and (part := os.read(handle, min(most, likely))):
        parts.append(part)
        most -= len(part)
    return b"".join(parts)


def is_installed(path: Path) -> bool:
    """Tell whether a path lies inside the installed program, where an upgrade undoes every change."""
    return path.resolve().is_relative_to(Path(__file__).resolve().parent)
