"""Read what an output directory holds. [I/O]"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from aidns.errors import EnvironmentFault
from aidns.publish.manifest import NOTHING, Manifest, Published, decode
from aidns.publish.serials import is_newer
from aidns.publish.store import builds, current_build, store_of

MANIFEST = "manifest.json"


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
