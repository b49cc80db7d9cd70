"""The catalogue's files as texts: which directories, which files, how large. [I/O]"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from aidns.data import read_regular, shipped
from aidns.model import Problem

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    Item = Traversable | os.DirEntry[str]
    """A file or directory; an entry of a directory that was read knows its kind without asking the disk again."""

MAX_FILE = 1 << 20
"""Octets of one catalogue file; more is a mistake or an attack."""


class Source(Struct, frozen=True):
    """One file as read: where a person finds it, and its text."""

    shown: str
    text: str


def read_all(directories: Sequence[Path], problems: list[Problem]) -> dict[str, Source]:
    """Return relative path -> file of the directories laid over each other; unreadable files become problems.

    A directory that holds `catalog.toml` stands alone; others lie over the shipped catalogue. A file replaces the
    file of the same path below it.
    """
    sources: dict[str, Source] = {}
    for base in _bases(directories):
        sources.update(_read(base, problems))
    return sources


def _bases(directories: Sequence[Path]) -> list[Traversable]:
    alone = [i for i, directory in enumerate(directories) if (directory / "catalog.toml").is_file()]
    return list(directories[alone[-1] :]) if alone else [shipped("catalog"), *directories]


def _read(base: Traversable, problems: list[Problem]) -> dict[str, Source]:
    found: dict[str, Source] = {}
    top = _relative_to_here(str(base)) if isinstance(base, Path) else "catalog"
    files = sorted(_toml_files(base), key=lambda pair: pair[0])
    for path, file in files:
        shown = path if top == "." else f"{top}/{path}"
        if path.count("/") > 1:
            tip = "a catalogue has files and folders of files, no deeper ones"
            problems.append(Problem("unknown-file", shown, 0, "", "lies too deep to be read", tip))
        elif (text := read_text(file, shown, problems)) is not None:
            found[path] = Source(shown, text)
    if not files:
        tip = "is it the directory of a catalogue?"
        problems.append(Problem("unknown-file", top, 0, "", "holds no .toml file", tip))
    return found


def _toml_files(base: Item, prefix: str = "") -> Iterator[tuple[str, Item]]:
    """Yield the files with their relative paths, down to one folder deeper than those that a catalogue has."""
    items: Iterable[Item] = os.scandir(base) if isinstance(base, os.PathLike) else base.iterdir()
    for item in items:
        if item.name.startswith("."):
            continue
        if item.is_dir():
            if prefix.count("/") < 2:
                yield from _toml_files(item, f"{prefix}{item.name}/")
        elif item.name.endswith(".toml"):
            yield prefix + item.name, item


def _relative_to_here(path: str) -> str:
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except ValueError:
        return path


def read_text(file: Traversable | os.PathLike[str], shown: str, problems: list[Problem]) -> str | None:
    """Return a file's text; None, with a problem noted, when it cannot be read, is too large or is not UTF-8."""

    def fault(message: str, tip: str) -> None:
        problems.append(Problem("unreadable-file", shown, 0, "", message, tip))

    try:
        data = read_regular(file, MAX_FILE)
    except OSError as error:
        fault(f"cannot be read: {error.strerror}", "is it there, and may you read it?")
        return None
    if len(data) > MAX_FILE:
        fault(f"has more than {MAX_FILE} octets", "split it, or is it another file?")
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        fault(f"is not UTF-8 at octet {error.start}", "save it as UTF-8")
        return None


def digest(sources: Mapping[str, Source]) -> str:
    """Return the SHA-256 of every path and text."""
    state = hashlib.sha256()
    for path in sorted(sources):
        state.update(f"{path}\0{sources[path].text}\0".encode())
    return state.hexdigest()
