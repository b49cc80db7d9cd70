"""Files that came with this program, in the wheel or beside `src/`, the user's folders, how files are read. [I/O]"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from aidns.errors import EnvironmentFault

if TYPE_CHECKING:
    from hashlib import blake2b
    from importlib.resources.abc import Traversable

PACKAGE = Path(__file__).parent
_MAX_OCTETS = 1 << 30
_XDG_DEFAULTS = {"cache": ".cache", "state": ".local/state"}
_DEPTH = 4
"""Folders looked into; neither code, nor the catalogue, nor published lists lie deeper."""


@cache
def shipped(what: str) -> Traversable:
    """Return the directory `catalog` or `templates` that came with this program.

    Raises EnvironmentFault when the installation is incomplete.
    """
    unpacked = PACKAGE / "_data" / what
    if unpacked.is_dir():
        return unpacked
    checkout = PACKAGE.resolve().parents[1]
    if (checkout / "pyproject.toml").is_file() and (checkout / what).is_dir():
        return checkout / what
    from importlib.resources import files  # for a program that runs from an archive; costs as much as click

    packaged = files("aidns").joinpath("_data", what)
    if packaged.is_dir():
        return packaged
    raise EnvironmentFault(
        f"the shipped {what}/ directory is missing", tip="reinstall aidns, or name one with --catalog"
    )


def user_folder(kind: Literal["cache", "state"]) -> Path:
    """Return this program's folder for what it keeps (XDG Base Directory Specification: relative paths are ignored).

    Raises EnvironmentFault for a user without home directory.
    """
    variable = f"XDG_{kind.upper()}_HOME"
    named = Path(os.environ.get(variable, ""))
    try:
        return (named if named.is_absolute() else Path.home() / _XDG_DEFAULTS[kind]) / "aidns"
    except RuntimeError:
        raise EnvironmentFault("this user has no home directory", tip=f"set HOME or {variable}") from None


@cache
def program() -> bytes:
    """Return a digest of all that decides what this program makes of the same files: code, Python, packages beside it.

    The code itself is read, for in a checkout it changes while its version stands. Raises OSError.
    """
    from hashlib import blake2b

    found = blake2b(repr((sys.version, sorted(_packages()))).encode(), digest_size=32)
    for path, file in sorted(files_below(PACKAGE, ".py"), key=lambda pair: pair[0]):
        add_file(found, path, file)
    return found.digest()


def add_file(found: blake2b, path: str, file: os.PathLike[str]) -> None:
    """Add a file's path and octets to a digest. Raises OSError."""
    data = read_regular(file, _MAX_OCTETS)
    found.update(f"\0{path}\0{len(data)}\0".encode())
    found.update(data)


def files_below(base: os.PathLike[str], ending: str, path: str = "") -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield (relative path, file) of the files with this ending, a few folders deep; hidden ones are left out.

    The path of a symlink ends in `@`. Raises OSError.
    """
    with os.scandir(base) as items:
        for item in items:
            if item.name.startswith((".", "__pycache__")):
                continue
            if item.is_dir():
                if path.count("/") < _DEPTH:
                    yield from files_below(item, ending, f"{path}{item.name}/")
            elif item.name.endswith(ending):
                yield f"{path}{item.name}{'@' if item.is_symlink() else ''}", item


def _packages() -> Iterator[str]:
    """Yield what is installed where this program looks, each with its version."""
    for folder in sys.path:
        try:
            yield from (item.name for item in os.scandir(folder or ".") if item.name.endswith("-info"))
        except OSError:
            continue


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
    while most and (part := os.read(handle, min(most, likely))):  # some file systems give less before the end
        parts.append(part)
        most -= len(part)
    return b"".join(parts)


def is_installed(path: Path) -> bool:
    """Tell whether a path lies inside the installed program, where an upgrade undoes every change."""
    return path.resolve().is_relative_to(PACKAGE.resolve())
