"""Carry a plan out: a whole new build beside the old one, then one rename. [I/O]

    dist -> .dist/000013          the only thing that ever changes under readers
    .dist/000012 …                the three builds before, for rolling back
    .dist/.lock                   held while a plan is applied

To roll back, point `dist` at an earlier build (`ln -s .dist/000012 dist.new && mv -T dist.new dist`). The next build
starts from there and goes on with serials above every one that was ever handed out.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Literal

from msgspec import Struct

from aidns.errors import EnvironmentFault, UnsafeError
from aidns.publish.describe import reasons
from aidns.publish.manifest import encode
from aidns.publish.plan import Plan
from aidns.publish.published import MANIFEST
from aidns.publish.store import STATUS, builds, current_build, locked, store_of

KEPT = 3
"""Builds kept besides the current one."""

Outcome = Literal["published", "unchanged", "refused"]


class Receipt(Struct, frozen=True):
    """What `apply` did. `written` and `kept` are paths of lists, `pruned` ids of builds."""

    outcome: Outcome
    build: str
    checksum: str
    written: tuple[str, ...] = ()
    kept: int = 0
    pruned: tuple[str, ...] = ()


def apply(plan: Plan, out: Path) -> Receipt:
    """Make `out` what `plan` says, all or nothing; without changes only `status.json` is written.

    Raises UnsafeError when a guard stopped the plan (no list is touched), EnvironmentFault when the disk refuses or
    another build was published since the plan was made; the published build then stays as it was.
    """
    store = store_of(out)
    if plan.unsafe and plan.base:
        with _environment():
            _heartbeat(store / plan.base, plan, "refused")
    refuse_if_unsafe(plan)
    with _environment(), locked(store):
        if current_build(out) != plan.base:
            raise EnvironmentFault(f"another build of {out} was published meanwhile", tip="build again")
        if not plan.changes and plan.base:
            _heartbeat(store / plan.base, plan, "unchanged")
            return Receipt("unchanged", plan.base, plan.checksum)
        build = f"{int((builds(store) or ['0'])[-1]) + 1:06d}"
        _write_build(plan, store, build)
        _switch(out, store, build)
        return Receipt(
            outcome="published",
            build=build,
            checksum=plan.checksum,
            written=tuple(sorted(plan.texts)),
            kept=len(plan.manifest.files) - len(plan.texts),
            pruned=_prune(store, build),
        )


def refuse_if_unsafe(plan: Plan) -> None:
    """Raise UnsafeError with every reason when a guard stopped the plan."""
    if plan.unsafe:
        forcible = all(unsafe.forcible for unsafe in plan.unsafe)
        tip = "look at the names first; if they are right, say why with --force REASON" if forcible else ""
        raise UnsafeError("refused: nothing was published", reasons(plan.unsafe), tip=tip)


@contextmanager
def _environment() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EnvironmentFault(
            f"{error.filename or 'writing'}: {error.strerror or error}",
            tip="nothing was published; make room or mend the permissions and build again",
        ) from error


def _write_build(plan: Plan, store: Path, build: str) -> None:
    """Write the build under a name that no reader looks at, flush it to disk, then give it its own name."""
    fresh = store / ".new"
    shutil.rmtree(fresh, ignore_errors=True)  # left by a process that died
    try:
        fresh.mkdir()
        for file in plan.manifest.files:
            target = fresh / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            if file.path in plan.texts:
                target.write_bytes(plan.texts[file.path].encode())
            else:
                _link(store / plan.base / file.path, target)
        _write_index(plan, fresh)
        _heartbeat(fresh, plan, "published", build)
        _flush(fresh)
        fresh.rename(store / build)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def _write_index(plan: Plan, fresh: Path) -> None:
    """Write manifest.json, changes.json and SHA256SUMS (for `sha256sum --check`) over everything but the status."""
    index = {
        MANIFEST: encode(plan.manifest),
        "changes.json": encode({"schema": "aidns/changes/1", "since": plan.base, "changes": plan.changes}),
    }
    for name, data in index.items():
        (fresh / name).write_bytes(data)
    sums = {file.path: file.sha256 for file in plan.manifest.files}
    sums |= {name: sha256(data).hexdigest() for name, data in index.items()}
    (fresh / "SHA256SUMS").write_text("".join(f"{sums[path]}  {path}\n" for path in sorted(sums)))


def _link(source: Path, target: Path) -> None:
    """Give the published bytes a second name, or copy them where the file system has no hard links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _flush(fresh: Path) -> None:
    """Bring every file and directory to disk, so that the switch never points to what a power cut can lose."""
    for path in (*sorted(fresh.rglob("*")), fresh):
        _fsync(path)


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _switch(out: Path, store: Path, build: str) -> None:
    """Point `out` to the build with one rename (rename(2) replaces a link atomically)."""
    link = out.with_name(f".{out.name}.switch")
    try:
        link.unlink(missing_ok=True)
        link.symlink_to(f"{store.name}/{build}")
        link.replace(out)
        _fsync(out.parent)
    except BaseException:
        with suppress(OSError):
            link.unlink(missing_ok=True)
        if current_build(out) != build:
            shutil.rmtree(store / build, ignore_errors=True)
        raise


def _prune(store: Path, build: str) -> tuple[str, ...]:
    """Remove all but the newest builds; what cannot be removed today is tried again by the next build."""
    old = tuple(other for other in builds(store) if other != build)[:-KEPT]
    for other in old:
        shutil.rmtree(store / other, ignore_errors=True)
    return old


def _heartbeat(directory: Path, plan: Plan, outcome: Outcome, build: str = "") -> None:
    """Rewrite status.json: the one file that tells a quiet pipeline from a dead one."""
    manifest = plan.manifest
    state_at = manifest.verdicts.state_at
    status = {
        "schema": "aidns/status/1",
        "version": manifest.version,
        "last_run": manifest.built,
        "outcome": outcome,
        "build": build or plan.base,
        "checksum": plan.checksum,
        "state_at": state_at,
        "state_age": None if state_at is None else manifest.built - state_at,
        "failures": manifest.failures,
        "refused": reasons(plan.unsafe),
    }
    temporary = directory / f".{STATUS}"
    temporary.write_bytes(encode(status))
    temporary.replace(directory / STATUS)
