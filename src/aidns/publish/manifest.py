"""The manifest of a build: what each published file says, and what a build was told and refused.

A build's `manifest.json` is all that later builds, `diff` and readers elsewhere need: no list is ever parsed back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

import msgspec
from msgspec import Struct

from aidns.errors import EnvironmentFault, UnsafeError
from aidns.model import Artefact, Weakened
from aidns.names import Name, printable

SCHEMA: Literal["aidns/manifest/1"] = "aidns/manifest/1"

_PATH = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9._-]{0,99}/)+[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")


class Skipped(Struct, frozen=True, order=True):
    """A format that cannot express a policy, and why."""

    policy: str
    format: str
    why: str


class Failure(Struct, frozen=True, order=True):
    """A policy that could not be built (it expired, say): its published files stay as they are."""

    policy: str
    reason: str


class VerdictInfo(Struct, frozen=True):
    """What the state said about the catalogue's names. Times are Unix seconds.

    `counts` maps a standing to its number of names; `gone` holds every name that a verdict takes out of the lists,
    `unknown` every listed name that stays because nothing is known about it.
    """

    state_at: int | None = None
    """Last observation; None without any state."""
    counts: dict[str, int] = {}
    gone: tuple[Name, ...] = ()
    unknown: tuple[Name, ...] = ()


class Forced(Struct, frozen=True, order=True):
    """A guard that somebody overrode: where, for which names, why and when (Unix seconds)."""

    guard: str
    path: str
    names: tuple[str, ...]
    reason: str
    at: int


class File(Struct, frozen=True):
    """One published file. `digest` is the artefact's content digest, `sha256` that of the very bytes."""

    path: str
    policy: str
    client_scope: str
    format: str
    action: str
    digest: str
    sha256: str
    serial: int
    modified: int
    """When the content last changed, Unix seconds."""
    services: int
    names: int
    lines: int
    weakened: tuple[Weakened, ...] = ()
    clients: str = ""
    """For whom the file is, as its header says."""
    own: bool = False
    """True for a policy from outside the catalogue: a build of the catalogue leaves its files alone."""
    entries: tuple[str, ...] = ()


class Manifest(Struct, frozen=True):
    """What a build holds. `files` are sorted by path.

    `schema` has no default: a document without it must not pass for a build that holds nothing.
    """

    schema: Literal["aidns/manifest/1"]
    version: str = ""
    catalog: str = ""
    """Digest of the catalogue it was made from."""
    built: int = 0
    """Unix seconds."""
    checksum: str = ""
    """The plan's checksum."""
    files: tuple[File, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    failures: tuple[Failure, ...] = ()
    verdicts: VerdictInfo = VerdictInfo()
    forced: tuple[Forced, ...] = ()
    retired: dict[str, int] = {}
    """Path -> last serial handed out, where no file has it any more: removed or rolled back. Counting goes on there."""


NOTHING = Manifest(SCHEMA)
"""What is published before the first build."""


class Published(Struct, frozen=True):
    """What an output directory holds now."""

    build: str = ""
    """Id of the current build, empty where nothing is published."""
    manifest: Manifest = NOTHING
    damaged: frozenset[str] = frozenset()
    """Paths whose bytes are missing or differ from the manifest."""


class Desired(Struct, frozen=True):
    """What shall be published: everything a plan has to know besides what is there."""

    artefacts: tuple[Artefact, ...]
    skipped: tuple[Skipped, ...] = ()
    failures: tuple[Failure, ...] = ()
    verdicts: VerdictInfo = VerdictInfo()
    protected: tuple[Name, ...] = ()
    """Shared names that no list may block; without those that an entry covers with a reason (`covers_suffix`)."""
    must_stay: dict[str, tuple[Name, ...]] = {}
    """Policy id -> names its own `[[block]]` entries list."""
    catalog: str = ""
    """Digest of the catalogue."""
    notes: tuple[str, ...] = ()
    """What the user should hear: old state, exceptions about to end, names without a verdict."""


def previous(manifest: Manifest | None, path: str) -> tuple[str, int, int] | None:
    """Return (digest, serial, modified) of what was last published at `path`, None if nothing ever was.

    The digest is empty where only the serial counts on: for a file that is no longer published, and for one that was
    rolled back, since readers may hold its later serial and would ignore an earlier one.
    """
    if manifest is None:
        return None
    retired = manifest.retired.get(path)
    for file in manifest.files:
        if file.path == path:
            return (file.digest, file.serial, file.modified) if retired is None else ("", retired, file.modified)
    return None if retired is None else ("", retired, 0)


def check_paths(paths: Iterable[str]) -> None:
    """Check that every path is `<directory>/…/<file>` of plain words, once, and no file is another's directory.

    Raises UnsafeError: such a path could leave the output directory or hide a manifest.
    """
    seen: set[str] = set()
    folders: set[str] = set()
    for path in paths:
        if not _PATH.match(path):
            raise UnsafeError(
                f"{printable(path, 120)!r} is no path for a published file",
                tip="policy, scope and format ids consist of letters, digits, dots, hyphens and underscores",
            )
        if path in seen:
            raise UnsafeError(f"two files want the path {path!r}", tip="give the policies or scopes different ids")
        seen.add(path)
        parts = path.split("/")
        folders.update("/".join(parts[:depth]) for depth in range(1, len(parts)))
    if clash := sorted(seen & folders):
        raise UnsafeError(f"{clash[0]!r} would be a file and a directory", tip="rename the policy's scope")


def encode(value: object) -> bytes:
    """Return a value as one indented JSON document with a final newline; equal values give equal bytes."""
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"


def decode(data: bytes, where: str) -> Manifest:
    """Return the manifest in `data`, read from `where`.

    Raises EnvironmentFault when it is none, or names a path outside its directory.
    """
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
        check_paths(file.path for file in manifest.files)
    except (msgspec.MsgspecError, UnsafeError, UnicodeDecodeError) as error:
        raise EnvironmentFault(
            f"{where} is no manifest: {printable(str(error))}",
            tip="point the link at an earlier build, or move the directory away and build anew",
        ) from None
    return manifest
