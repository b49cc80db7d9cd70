"""The memory of `check`: one SQLite file of batches of spans that opens again however its writer ended. [I/O]

Each batch of answers is one row: SQLite makes it whole or absent and lets several write, and what the batches say
together, `spans.merge` knows. `State.compact` puts them into few.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from aidns.errors import EnvironmentFault
from aidns.lookup.spans import from_observation, merge_all
from aidns.model import Observation, Outcome, Span
from aidns.names import Name

VERSION = 2
"""Layout of the file, kept as its user_version."""
APPLICATION_ID = 0x6169646E
"""Marks a file as ours (`aidn`), so that no other program's database is ever written to."""
BUSY_SECONDS = 10.0
"""How long to wait for another process that is writing."""
_BUSY_PAUSE = 0.01
"""Seconds between two tries."""

BATCH = 2000
"""Spans in a row at most, so that little more than the spans themselves is in memory at once."""

_SCHEMA = "CREATE TABLE batch (id INTEGER PRIMARY KEY, spans TEXT NOT NULL) STRICT"
_SELECT = "SELECT spans FROM batch ORDER BY id"
_STORE = "INSERT INTO batch (spans) VALUES (?)"
_FORGET = "DELETE FROM batch"
_COUNT = "SELECT count(*) FROM batch"

_Row = tuple[
    Name, str, str, Outcome, Name, int, int, int, tuple[int, ...], str, tuple[str, ...], tuple[str, ...], str, str
]
"""A span's fields in order: a batch is a JSON array of such arrays."""
_ENCODER, _DECODER = msgspec.json.Encoder(), msgspec.json.Decoder(tuple[_Row, ...])
_ANEW = "move it away: check starts a new one, and every name stays listed until it is proven gone anew"


class State:
    """An open state file. Use as a context manager."""

    def __init__(self, path: Path) -> None:
        """Open `path`, made anew when it does not exist.

        Raises EnvironmentFault when it is damaged, foreign, of a newer version, or cannot be written.
        """
        self.path = path
        with _faults(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
            try:
                _patiently(lambda: _prepare(self._db, path))
            except BaseException:
                self._db.close()
                raise

    def __enter__(self) -> State:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def record(self, observations: Iterable[Observation]) -> None:
        """Add observations, all or none; those added before change nothing. Raises EnvironmentFault."""
        self.merge(map(from_observation, observations))

    def merge(self, spans: Iterable[Span]) -> None:
        """Add what another memory holds, all or nothing; what is here stays. Raises EnvironmentFault."""
        batches = list(_batches(spans))
        with _faults(self.path), _transaction(self._db):
            self._db.executemany(_STORE, batches)

    def compact(self) -> tuple[Span, ...]:
        """Put the batches into as few as hold them, quicker to read, and return every span. Raises EnvironmentFault."""
        with _faults(self.path), _transaction(self._db):
            spans = _spans(self._db)
            batches = self._db.execute(_COUNT).fetchone()[0]
            if (batches - 1) * BATCH >= len(spans):
                self._db.execute(_FORGET)
                self._db.executemany(_STORE, _batches(spans))
            return spans

    def spans(self) -> tuple[Span, ...]:
        """Return every span. Raises EnvironmentFault."""
        with _faults(self.path):
            return _spans(self._db)


def read_spans(path: Path) -> tuple[Span, ...]:
    """Return every span of a state file, which is neither made nor changed; none when there is no such file.

    Raises EnvironmentFault when it is damaged, foreign, or of a newer version.
    """
    if not path.exists():
        return ()
    with (
        _faults(path),
        closing(sqlite3.connect(f"{path.absolute().as_uri()}?{_access(path)}", timeout=BUSY_SECONDS, uri=True)) as db,
    ):
        if _is_new(db):
            return ()
        _check_version(db, path)
        return _spans(db)


def _access(path: Path) -> str:
    """Return how to open a file for reading.

    SQLite reads a log with the help of a file beside it. Where that cannot be made, only a running writer's can be
    used, and without a writer there is no log.
    """
    if os.access(path.parent, os.W_OK):
        return "mode=rw"
    return "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"


def _patiently(work: Callable[[], None]) -> None:
    """Do what another process keeps from being done for a moment: not everywhere does SQLite wait by itself."""
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return work()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(_BUSY_PAUSE)


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    """Create the table in an empty file; make sure that any other file is ours."""
    if not _is_new(db):
        _check_version(db, path)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")  # a killed process loses nothing, a power cut at most the last answers
    with _transaction(db):
        if _is_new(db):
            db.execute(_SCHEMA)
            db.execute(f"PRAGMA user_version = {VERSION}")
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        _check_version(db, path)


def _is_new(db: sqlite3.Connection) -> bool:
    tables = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    return not tables and not _pragma(db, "user_version") and not _pragma(db, "application_id")


def _check_version(db: sqlite3.Connection, path: Path) -> None:
    if _pragma(db, "application_id") != APPLICATION_ID:
        raise EnvironmentFault(f"{path} is another program's database", tip="name the state file with --state FILE")
    version = _pragma(db, "user_version")
    if version > VERSION:
        raise EnvironmentFault(
            f"{path} was written by a newer aidns (layout {version}, this one knows {VERSION})",
            tip="update aidns, or name another file with --state FILE",
        )
    if version < VERSION:
        raise EnvironmentFault(
            f"{path} was written by an aidns before its first release (layout {version}, this one knows {VERSION})",
            tip=_ANEW,
        )


def _pragma(db: sqlite3.Connection, name: str) -> int:
    return int(db.execute(f"PRAGMA {name}").fetchone()[0])


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


@contextmanager
def _faults(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system say into an EnvironmentFault."""
    try:
        yield
    except sqlite3.OperationalError as error:  # locked, read-only, disk full, no permission
        raise EnvironmentFault(
            f"cannot use the state file {path}: {error}", tip="name another with --state FILE"
        ) from None
    except (sqlite3.DatabaseError, msgspec.MsgspecError, ValueError) as error:
        raise EnvironmentFault(
            f"the state file {path} is damaged: {error}",
            tip=_ANEW,
        ) from None
    except OSError as error:
        raise EnvironmentFault(
            f"cannot use the state file {path}: {error.strerror}", tip="name another with --state FILE"
        ) from None


def _spans(db: sqlite3.Connection) -> tuple[Span, ...]:
    kept: dict[Any, Any] = {}
    rows = (row for (text,) in db.execute(_SELECT) for row in _DECODER.decode(text))
    return tuple(merge_all(_span(row, kept.setdefault) for row in rows).values())


def _span(row: _Row, one: Callable[[Any, Any], Any]) -> Span:
    """Return the span of a row. Equal values are kept once: most come again and again.

    Not so its outcome, which equals a text that somebody may have chosen.
    """
    left, outcome, right = row[:3], row[3], row[4:]
    fields = (*map(one, left, left), outcome, *map(one, right, right))
    return Span(*fields)


def _batches(spans: Iterable[Span]) -> Iterator[tuple[str]]:
    """Yield batches as they stand in the file."""
    rows = map(msgspec.structs.astuple, spans)
    while batch := list(islice(rows, BATCH)):
        yield (_ENCODER.encode(batch).decode(),)
