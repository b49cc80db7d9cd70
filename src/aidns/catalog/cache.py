"""Sound catalogues, parsed and judged before: so that no file is parsed twice. [I/O: the cache directory]

An entry is found by a digest over the path and every octet of each of the catalogue's files, and over whatever decides
what they mean: this program's own code, Python, the packages beside it. So it cannot go stale; times and sizes of files
say nothing here. Only catalogues without an error are kept. An entry is plain JSON, read into
the types of the catalogue, with a digest of its own, and its names pass the gate again. Whatever is wrong with it, or
with the directory, means that the files are parsed anew; an entry that others could have written is not looked at.
"""

from __future__ import annotations

import datetime as dt
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec

from aidns import names
from aidns.catalog.files import Source
from aidns.data import program, read_regular, user_folder
from aidns.errors import UsageError
from aidns.model import Catalog, SeenDate

KEPT = 8
"""Entries kept: the last ones written."""
_MAX_OCTETS = 64 << 20


def directory() -> Path:
    """Return where entries are kept: `catalog` below the XDG cache directory."""
    return user_folder("cache") / "catalog"


def find(sources: Mapping[str, Source], folder: Path) -> Catalog | None:
    """Return the catalogue that these files were found to make; None when they never were, or the entry is no good."""
    try:
        path = _path(sources, folder)
        about = path.lstat()
        others = about.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if not stat.S_ISREG(about.st_mode) or about.st_uid != os.geteuid() or others:
            return None
        data = read_regular(path, _MAX_OCTETS)
        check, _, body = data.partition(b"\n")
        if len(data) > _MAX_OCTETS or check != _check(path, body):
            return None
        catalog = msgspec.json.decode(body, type=Catalog, dec_hook=_decode)
        for entry in catalog.names:
            names.parse(entry.name)
    except (OSError, ValueError, UsageError, RecursionError):  # msgspec's errors are ValueErrors
        return None
    return catalog


def store(sources: Mapping[str, Source], catalog: Catalog, folder: Path) -> None:
    """Keep a catalogue without errors, in place of the oldest entry; nothing happens where the disk refuses."""
    with suppress(OSError):
        path = _path(sources, folder)
        body = msgspec.json.encode(catalog, enc_hook=str)
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            fresh.write_bytes(_check(path, body) + b"\n" + body)
            fresh.chmod(0o600)
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
        entries = sorted(folder.glob("*.json"), key=lambda entry: entry.lstat().st_mtime)
        for old in entries[:-KEPT]:
            old.unlink(missing_ok=True)


def _path(sources: Mapping[str, Source], folder: Path) -> Path:
    """Raises OSError where this program cannot read itself."""
    state = blake2b(program(), digest_size=20)
    for path, source in sources.items():  # their order is that of the catalogue's tables
        text = source.text.encode()
        state.update(f"{path}\0{len(text)}\0".encode() + text)
    return folder / f"{state.hexdigest()}.json"


def _check(path: Path, body: bytes) -> bytes:
    """Return the digest of an entry, its name included."""
    return blake2b(path.name.encode() + body, digest_size=32).hexdigest().encode()


def _decode(to: type, value: Any) -> SeenDate:
    """Raises ValueError for what is no date."""
    if to is not SeenDate:
        raise ValueError("unknown type")
    return _seen(value)


@cache
def _seen(text: str) -> SeenDate:
    return SeenDate(None if text == "undated" else dt.date.fromisoformat(text))
