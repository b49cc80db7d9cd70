"""Read what an output directory holds. [I/O]

`dist` is a symlink to `.dist/<build>` beside it; a build's id is a number that only grows.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from aidns.errors import EnvironmentFault, UnsafeError, UsageError
from aidns.publish.manifest import NOTHING, Manifest, Published, decode
from aidns.publish.serials import is_newer

MANIFEST = "manifest.json"
_BUILD = re.compile(r"\d{6,12}\Z")


def store_of(out: Path) -> Path:
    """Return the directory that keeps the builds of `out`: `dist` has `.dist` beside it.

    Raises UsageError when `out` has no name of its own.
    """
    if out.name in ("", ".."):
        raise UsageError(f"--out {str(out)!r} names no directory of its own", tip="give a name such as dist")
    return out.with_name(f".{out.name}")


def builds(store: Path) -> list[str]:
    """Return the ids of the kept builds, oldest first."""
    if not store.is_dir():
        return []
    return sorted((path.name for path in store.iterdir() if _BUILD.match(path.name)), key=int)


def current_build(out: Path) -> str:
    """Return the id of the build that `out` points to, empty where there is no `out` yet.

    Raises UnsafeError when `out` is something that this program did not make.
    """
    if not os.path.lexists(out):
        return ""
    if not out.is_symlink():
        raise UnsafeError(
            f"{out} exists and is not a link to a build", tip="move it away, or choose another directory with --out"
        )
    target = Path(os.path.abspath(out.parent / out.readlink()))  # noqa: PTH100  lexical: the link itself counts
    if target.parent != Path(os.path.abspath(store_of(out))) or not _BUILD.match(target.name):  # noqa: PTH100
        raise UnsafeError(f"{out} points to {target}, which is no build of it", tip="remove the link, or use --out")
    return target.name


def read(out: Path) -> Published:
    """Return the current build of `out`, with the serials that its other kept builds used up.

    Raises UnsafeError when `out` is not ours, EnvironmentFault when its build cannot be read: taking that for
    "nothing published" would switch the guards off.
    """
    build = current_build(out)
    store = store_of(out)
    manifest = read_manifest(store / build) if build else NOTHING
    used = _serials(store / other for other in builds(store) if other != build)
    own = {file.path: file.serial for file in manifest.files}
    retired = dict(manifest.retired)
    for path, serial in used:
        if is_newer(serial, retired.get(path, own.get(path, serial - 1))):
            retired[path] = serial
    manifest = msgspec.structs.replace(manifest, retired=dict(sorted(retired.items())))
    damaged = frozenset(file.path for file in manifest.files if not _is_whole(store / build / file.path, file.sha256))
    return Published(build=build, manifest=manifest, damaged=damaged)


def read_manifest(where: Path) -> Manifest:
    """Return the manifest of a build's directory, of a link to one, or in a file.

    Raises EnvironmentFault when there is none.
    """
    path = where / MANIFEST if where.is_dir() else where
    try:
        data = path.read_bytes()
    except OSError as error:
        raise EnvironmentFault(
            f"{path}: {error.strerror}", tip="a build has a manifest.json; point the link at an earlier build"
        ) from None
    return decode(data, str(path))


def _serials(directories: Iterable[Path]) -> list[tuple[str, int]]:
    """Return (path, serial) of every file in the builds that can be read; a damaged old build is no hindrance."""
    found = []
    for directory in directories:
        try:
            manifest = read_manifest(directory)
        except EnvironmentFault:
            continue
        found += [(file.path, file.serial) for file in manifest.files]
    return found


def _is_whole(path: Path, sha256: str) -> bool:
    try:
        return not path.is_symlink() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    except OSError:
        return False
