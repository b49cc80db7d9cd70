"""Copies of lists from web addresses, one file each: a line about it, then the list. [I/O: the cache directory]

The file's name is the digest of the address, its time of change is when the server last confirmed it. A copy is
replaced by one rename, so readers see the old one or the new one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct

from aidns.data import user_folder

MAX_OCTETS = 256 << 20
"""Of a list; five million names take some 100 MB."""
_MAX_ABOUT = 8192


class About(Struct, frozen=True):
    """What is known about a copy. `fetched` in Unix seconds."""

    url: str
    fetched: int
    etag: str = ""
    modified: str = ""
    """Last-Modified, as the server wrote it."""


class Copy(Struct, frozen=True):
    """A copy on disk. `confirmed` in Unix seconds: when it was fetched, or the server said that nothing has changed."""

    path: Path
    about: About
    confirmed: int


def directory() -> Path:
    """Return where copies are kept: `lists` below the XDG cache directory."""
    return user_folder("cache") / "lists"


def find(url: str, folder: Path) -> Copy | None:
    """Return the copy of a list; None when it was never fetched, or what is there cannot be read."""
    path = _path(url, folder)
    try:
        with path.open("rb") as stream:
            about = msgspec.json.decode(stream.readline(_MAX_ABOUT), type=About)
            confirmed = int(os.fstat(stream.fileno()).st_mtime)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None
    return Copy(path, about, confirmed) if about.url == url else None


def read(copy: Copy) -> BinaryIO:
    """Return the list itself, open at its first octet."""
    stream = copy.path.open("rb")
    stream.readline(_MAX_ABOUT)
    return stream


def store(about: About, blocks: Iterable[bytes], folder: Path) -> Copy:
    """Write a copy in place of the one there is. What `blocks` raises leaves that one as it was."""
    folder.mkdir(parents=True, exist_ok=True)
    path = _path(about.url, folder)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with fresh.open("xb") as stream:
            stream.write(msgspec.json.encode(about) + b"\n")
            for block in blocks:
                stream.write(block)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    return confirm(Copy(path, about, about.fetched), about.fetched)


def confirm(copy: Copy, now: int) -> Copy:
    """Note that the server has said that nothing changed."""
    os.utime(copy.path, (now, now))
    return msgspec.structs.replace(copy, confirmed=now)


def _path(url: str, folder: Path) -> Path:
    return folder / f"{hashlib.sha256(url.encode()).hexdigest()[:32]}.list"
