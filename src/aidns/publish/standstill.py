"""A build that changed nothing, remembered, so that the very same build need not be made again. [I/O]

`.dist/.unchanged.json` holds what that build told, and its fingerprint: a digest over every octet that such a build
depends on. These are the catalogue's files, what `check` remembers, this program, its templates and the versions of
what is installed beside it, the UTC day, the options, and what is published. The octets count, never times or sizes of
files. Whoever could write that file could publish lists; whatever is wrong with it means that the build is made.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any

from aidns.data import add_file, files_below, program, read_regular, shipped
from aidns.names import printable
from aidns.publish.store import STATUS, builds, current_build, locked, store_of

_RECORD = ".unchanged.json"
_UNREAD = (STATUS, "changes.json")
"""Of a published build: what no build reads."""
_MAX_OCTETS = 1 << 24
"""Of the record."""
_DAY = 86400


class Told:
    """What a build that changed nothing printed, said (each text with whether it was a warning), and noted."""

    def __init__(self, printed: str, said: Sequence[tuple[bool, str]], status: dict[str, Any]) -> None:
        self.printed = printed
        self.said = tuple(said)
        self.status = status


def fingerprint(out: Path, catalogs: Sequence[Path], state: Path, options: Sequence[object], now: int) -> str:
    """Return the digest over all that a build of the catalogue's policies depends on.

    Empty where nothing is published yet or something cannot be read. Raises UnsafeError and UsageError as a build does.
    """
    build = current_build(out)
    if not build:
        return ""
    store = store_of(out)
    found = blake2b(repr((str(out), list(options), now // _DAY, build, builds(store))).encode(), digest_size=32)
    try:
        found.update(program())
        catalogue = ((root, ".toml") for root in (shipped("catalog"), *catalogs))
        for root, ending in ((shipped("templates"), ""), *catalogue, (store / build, "")):
            if not isinstance(root, os.PathLike):
                return ""  # in an archive
            for path, file in sorted(files_below(root, ending), key=lambda pair: pair[0]):
                if path not in _UNREAD:
                    add_file(found, path, file)
            found.update(b"\0\0")
        for part in (state, state.with_name(f"{state.name}-wal")):
            if part.exists():
                add_file(found, part.name, part)
    except OSError:
        return ""
    return found.hexdigest()


def find(out: Path, found: str, now: int) -> Told | None:
    """Return what the same build told, if it changed nothing when it was made last."""
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        check, _, body = read_regular(store_of(out) / _RECORD, _MAX_OCTETS).partition(b"\n")
        record = json.loads(body) if check == _check(body) else {}
        status, said = record["status"], [(bool(warning), str(text)) for warning, text in record["said"]]
        same = found and said and record["fingerprint"] == found
        if same and _days(status, now) == _days(status, status["last_run"]):
            return Told(str(record["printed"]), said, status)
    return None


def keep(out: Path, found: str, printed: str, said: Sequence[tuple[bool, str]]) -> None:
    """Remember a build that changed nothing and has just noted so in its status."""
    store = store_of(out)
    fresh = store / f"{_RECORD}.{os.getpid()}"
    with suppress(OSError, ValueError):
        status = json.loads((store / current_build(out) / STATUS).read_bytes())
        record = {"fingerprint": found, "printed": printed, "said": said, "status": status}
        body = json.dumps(record).encode()
        fresh.write_bytes(_check(body) + b"\n" + body)
        fresh.replace(store / _RECORD)


def note(out: Path, told: Told, now: int) -> None:
    """Write the status that the build itself would write. Raises OSError, also when another build was published."""
    store = store_of(out)
    at = told.status["state_at"]
    status = {**told.status, "last_run": now, "outcome": "unchanged", "state_age": None if at is None else now - at}
    with locked(store):
        if current_build(out) != status.get("build"):
            raise OSError("another build was published")
        fresh = store / current_build(out) / f".{STATUS}"
        fresh.write_text(json.dumps(status, indent=1, ensure_ascii=False) + "\n", "utf-8")
        fresh.replace(fresh.with_name(STATUS))


def line(text: str) -> str:
    """Return a remembered text as one that may be printed."""
    return printable(text, len(text) + 1)


def _check(body: bytes) -> bytes:
    return blake2b(body, digest_size=32).hexdigest().encode()


def _days(status: dict[str, Any], now: int) -> int | None:
    """Return how old what `check` remembers is, as far as a build tells it."""
    return None if status["state_at"] is None else (now - status["state_at"]) // _DAY
