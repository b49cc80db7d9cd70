"""Memories in files: state files and JSON Lines, told apart by what they hold. [I/O]"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from aidns.errors import EnvironmentFault
from aidns.lookup.jsonl import dump, load
from aidns.lookup.state import State, read_spans
from aidns.model import Span

STREAM = Path("-")
"""Standard input or output."""
SUFFIX = ".jsonl"
"""Files so named are written as JSON Lines, others as state files."""

_MAGIC = b"SQLite format 3\0"


def read_memory(path: Path) -> tuple[Span, ...]:
    """Return the spans of a state file or of JSON Lines, `-` for standard input.

    Raises EnvironmentFault when it is missing or no sound state file, DataError for lines that are no spans.
    """
    if path == STREAM:
        return load(sys.stdin.buffer, "standard input")
    try:
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) == _MAGIC:
                return read_spans(path)
            file.seek(0)
            return load(file, str(path))
    except OSError as error:
        raise EnvironmentFault(
            f"cannot read {path}: {error.strerror}", tip="name state files or JSON Lines that `check` or `merge` wrote"
        ) from None


def write_memory(path: Path, spans: Iterable[Span]) -> int:
    """Add spans to what a file holds, `-` for standard output, and return how many it holds then.

    Raises EnvironmentFault when it cannot be written; then it stays as it was.
    """
    if path == STREAM:
        lines = list(dump(spans))
        sys.stdout.writelines(lines)
        return len(lines)
    if path.suffix == SUFFIX:
        lines = list(dump([*spans, *(read_memory(path) if path.exists() else ())]))
        _replace(path, lines)
        return len(lines)
    with State(path) as state:
        state.merge(spans)
        return len(state.compact())


def _replace(path: Path, lines: Iterable[str]) -> None:
    """Write a file beside the old one and put it in its place, so that no reader ever sees half of it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.writelines(lines)
                file.flush()
                os.fchmod(file.fileno(), 0o644)
                os.fsync(file.fileno())
            Path(beside).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(beside).unlink()
            raise
    except OSError as error:
        raise EnvironmentFault(f"cannot write {path}: {error.strerror}") from None
