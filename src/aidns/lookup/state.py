"""The memory of `check`: one SQLite file of spans that opens again however its writer ended. [I/O]"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from aidns.errors import EnvironmentFault
from aidns.lookup.spans import DAY, MAX_DAYS, from_observation, merge, merge_all, servers_of, span_key
from aidns.model import Observation, Outcome, Span

VERSION = 1
"""Layout of the file, kept as its user_version."""
APPLICATION_ID = 0x6169646E
"""Marks a file as ours (`aidn`), so that no other program's database is ever written to."""
BUSY_SECONDS = 10.0
"""How long to wait for another process that is writing."""
_BUSY_PAUSE = 0.01
"""Seconds between two tries."""

_KEY = ("name", "rdtype", "resolver", "vantage", "outcome", "subject", "chain", "servers")
_VALUES = ("operator", "first", "last", "n", "days", "detail", "data")
_ORDER = ("rdtype", "resolver", "vantage", "name", "outcome", "subject", "chain", "servers")
"""Of the same columns, as rows lie in the file: what is asked together lies together, and few pages are written."""
_COLUMNS = ", ".join((*_KEY, *_VALUES))
_SCHEMA = f"""
CREATE TABLE span (
  name TEXT NOT NULL, rdtype TEXT NOT NULL, resolver TEXT NOT NULL, vantage TEXT NOT NULL, outcome TEXT NOT NULL,
  subject TEXT NOT NULL, chain TEXT NOT NULL, servers TEXT NOT NULL, operator TEXT NOT NULL, first INTEGER NOT NULL,
  last INTEGER NOT NULL, n INTEGER NOT NULL, days TEXT NOT NULL, detail TEXT NOT NULL, data TEXT NOT NULL,
  PRIMARY KEY ({", ".join(_ORDER)})
) STRICT, WITHOUT ROWID
"""
_SELECT = f"SELECT {_COLUMNS} FROM span"  # noqa: S608 - constants
_FIND = f"{_SELECT} WHERE {' AND '.join(f'{column} = ?' for column in _KEY)}"
# What is known already is updated at once where an answer of one day simply comes later, as it nearly always does; then
# the texts are the answer's, and its day goes to the end of the newest ones. Everything else is left to `spans.merge`.
_ADD = f"""
INSERT INTO span ({_COLUMNS}) VALUES ({", ".join("?" * len((*_KEY, *_VALUES)))})
ON CONFLICT DO UPDATE SET
  operator = excluded.operator, detail = excluded.detail, data = excluded.data,
  last = excluded.last, n = n + excluded.n,
  days = CASE
    WHEN last / {DAY} = excluded.last / {DAY} THEN days
    ELSE rtrim(
        CASE WHEN json_array_length(days) < {MAX_DAYS} THEN days ELSE '[' || substr(days, instr(days, ',') + 1) END, ']'
      ) || ',' || ltrim(excluded.days, '[')
  END
WHERE last < excluded.first AND excluded.first / {DAY} = excluded.last / {DAY}
"""  # noqa: S608
_STORE = f"INSERT OR REPLACE INTO span ({_COLUMNS}) VALUES ({', '.join('?' * len((*_KEY, *_VALUES)))})"  # noqa: S608


_ENCODER = msgspec.json.Encoder()
_DAYS, _TEXTS = msgspec.json.Decoder(tuple[int, ...]), msgspec.json.Decoder(tuple[str, ...])
_OUTCOMES = {outcome.value: outcome for outcome in Outcome}


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
        seen = tuple(observations)
        with _faults(self.path), _transaction(self._db):
            if not self._add(map(_row_of_one, seen), len(seen)):
                self._merge(map(from_observation, seen))

    def merge(self, spans: Iterable[Span]) -> None:
        """Add what another memory holds, all or nothing; what is here stays. Raises EnvironmentFault."""
        with _faults(self.path), _transaction(self._db):
            self._merge(spans)

    def _merge(self, spans: Iterable[Span]) -> None:
        fresh = merge_all(spans)
        if self._add(map(_row, fresh.values()), len(fresh)):
            return
        for key, span in fresh.items():  # those that were added stay what they are
            fresh[key] = merge(_span(self._db.execute(_FIND, _key_row(span)).fetchone()), span)
        self._db.executemany(_STORE, map(_row, fresh.values()))

    def _add(self, rows: Iterable[tuple[Any, ...]], count: int) -> bool:
        """Add rows that are new or simply come later; tell whether all were."""
        before = self._db.total_changes
        self._db.executemany(_ADD, rows)
        return self._db.total_changes - before == count

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
            tip="move it away: check starts a new one, and every name stays listed until it is proven gone anew",
        ) from None
    except OSError as error:
        raise EnvironmentFault(
            f"cannot use the state file {path}: {error.strerror}", tip="name another with --state FILE"
        ) from None


def _spans(db: sqlite3.Connection) -> tuple[Span, ...]:
    return tuple(map(_span, db.execute(_SELECT)))


def _key_row(span: Span) -> tuple[str, ...]:
    name, rdtype, resolver, vantage, outcome, subject, chain, servers = span_key(span)
    return (name, rdtype, resolver, vantage, outcome, subject, _dump(chain), _dump(servers))


def _row(span: Span) -> tuple[Any, ...]:
    values = (span.operator, span.first, span.last, span.n, _dump(span.days), span.detail, _dump(span.data))
    return (*_key_row(span), *values)


def _row_of_one(seen: Observation) -> tuple[Any, ...]:
    """Return the row of the span that `from_observation` makes."""
    at = seen.at
    return (
        seen.name,
        seen.rdtype,
        seen.resolver,
        seen.vantage,
        seen.outcome._value_,
        seen.subject,
        _dump(seen.chain),
        _dump(servers_of(seen)),
        seen.operator,
        at,
        at,
        1,
        f"[{at // DAY}]",
        seen.detail,
        _dump(seen.data),
    )


def _span(row: tuple[Any, ...]) -> Span:
    name, rdtype, resolver, vantage, outcome, subject, chain, _, operator, first, last, n, days, detail, data = row
    return Span(
        name,
        rdtype,
        resolver,
        _OUTCOMES.get(outcome) or Outcome(outcome),
        subject,
        first,
        last,
        n,
        _DAYS.decode(days),
        detail,
        _TEXTS.decode(chain) if chain != "[]" else (),
        _TEXTS.decode(data) if data != "[]" else (),
        vantage,
        operator,
    )  # its name servers are those of its data


def _dump(value: tuple[Any, ...]) -> str:
    return _ENCODER.encode(value).decode() if value else "[]"
