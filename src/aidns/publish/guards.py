"""Guards: what must not be published by itself. Each compares what shall be with what is there.

Edits of the catalogue and of policies are reported, never stopped, save that a policy vanishes: a forgotten option
looks the same. What has no published predecessor cannot lose names. Nothing here reads or writes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from aidns.names import ancestors
from aidns.publish.compare import FileChange
from aidns.publish.entries import blocks, by_name
from aidns.publish.manifest import Desired, File, Forced, Manifest, previous
from aidns.publish.serials import is_newer

MOST_NAMES = 5
"""So many names may leave a list by verdict, whatever its size …"""
MOST_PERCENT = 5
"""… and so many of a hundred: a guard stops what exceeds both."""

NEVER_FORCED = frozenset({"empty", "serial", "damaged"})
"""Guards against results that nobody can want."""
STANDING = frozenset({"protected"})
"""Guards whose override holds for the same names in later builds, so that nobody forces every night."""


class Unsafe(Struct, frozen=True, order=True):
    """One reason not to publish: which guard, where, for which names."""

    guard: str
    path: str
    message: str
    names: tuple[str, ...] = ()

    @property
    def forcible(self) -> bool:
        """Whether `--force REASON` overrides it."""
        return self.guard not in NEVER_FORCED


def check(
    published: Manifest, files: Sequence[File], changes: Sequence[FileChange], desired: Desired, *, strict: bool
) -> tuple[Unsafe, ...]:
    """Return what every guard says about `files` (the rendered ones), in order of guard and path.

    `strict` also stops rules that a format had to weaken.
    """
    old = {file.path: file for file in published.files}
    found = [*_verdict_removals(old, changes)]
    by_verdict = {change.path: _left_by_verdict(change) for change in changes}
    for file in files:
        found += _empty(file)
        found += _protected(file, desired)
        found += _must_stay(old.get(file.path), file, desired, by_verdict.get(file.path, ()))
        found += _serial(published, old.get(file.path), file)
        found += _weakened(file) if strict else ()
    return tuple(sorted(found))


def vanished(changes: Iterable[FileChange], desired: Desired, catalogue: Collection[str]) -> Iterable[Unsafe]:
    """Yield the lists that would go because the catalogue does not hold their policy: its overlay may be forgotten."""
    known = {*catalogue, *(skipped.policy for skipped in desired.skipped), *(one.policy for one in desired.artefacts)}
    message = (
        "the policy left the catalogue (or its --catalog was forgotten); its lists would vanish (--retire ID agrees)"
    )
    for change in changes:
        if change.kind == "removed" and change.policy not in known:
            yield Unsafe("policy-left", change.path, message, (change.policy,))


def still_standing(found: Iterable[Unsafe], forced: Iterable[Forced]) -> tuple[tuple[Unsafe, ...], tuple[Forced, ...]]:
    """Return what no earlier override covers, and the earlier overrides that are still needed."""
    granted = {(one.guard, one.path, name): one for one in forced if one.guard in STANDING for name in one.names}
    open_: list[Unsafe] = []
    used: set[Forced] = set()
    for unsafe in found:
        covered = {name for name in unsafe.names if (unsafe.guard, unsafe.path, name) in granted}
        used.update(granted[unsafe.guard, unsafe.path, name] for name in covered)
        left = tuple(name for name in unsafe.names if name not in covered)
        if left or not covered:
            open_.append(replace(unsafe, names=left))
    return tuple(open_), tuple(sorted(used))


def _verdict_removals(old: Mapping[str, File], changes: Sequence[FileChange]) -> Iterable[Unsafe]:
    for change in changes:
        names = _left_by_verdict(change)
        if len(names) <= MOST_NAMES:
            continue
        total = len(old[change.path].entries)
        if len(names) * 100 > total * MOST_PERCENT:
            message = f"{len(names)} of {total} names would leave by verdict (limit {MOST_NAMES} and {MOST_PERCENT} %)"
            yield Unsafe("verdict-removals", change.path, message, names)


def _empty(file: File) -> Iterable[Unsafe]:
    # Allow lists are published even without a rule: a vanished address would leave readers with a stale copy.
    # `allow exact` is a block of all that lies below the name.
    blocking = any(entry.startswith(("block", "allow exact")) for entry in file.entries)
    if not file.format.endswith("-allow") and not blocking:
        yield Unsafe("empty", file.path, "the list would block nothing")


def _protected(file: File, desired: Desired) -> Iterable[Unsafe]:
    said = by_name(file.entries)
    caught = tuple(name for name in desired.protected if blocks(said, name))
    if caught:
        yield Unsafe("protected", file.path, "shared infrastructure would be blocked", caught)


def _left_by_verdict(change: FileChange) -> tuple[str, ...]:
    return tuple(one.name for one in change.entries if one.kind == "removed" and one.reason == "verdict")


def _must_stay(old: File | None, file: File, desired: Desired, gone: Iterable[str]) -> Iterable[Unsafe]:
    """A name that the policy's own `[[block]]` lists and that the published file blocked never leaves by verdict."""
    if old is None:
        return
    before, after, left = by_name(old.entries), by_name(file.entries), frozenset(gone)
    own = (name for name in desired.must_stay.get(file.policy, ()) if not left.isdisjoint((name, *ancestors(name))))
    lost = tuple(name for name in own if blocks(before, name) and not blocks(after, name))
    if lost:
        yield Unsafe("must-stay", file.path, "names that the policy itself lists would leave by verdict", lost)


def _serial(published: Manifest, old: File | None, file: File) -> Iterable[Unsafe]:
    """A list whose serial does not move on never reaches a secondary (RFC 1982, RFC 1996 §3.11)."""
    before = previous(published, file.path)
    if (
        before
        and (not old or (old.digest, old.serial) != (file.digest, file.serial))
        and not is_newer(file.serial, before[1])
    ):
        yield Unsafe("serial", file.path, f"serial {file.serial} does not follow {before[1]}")


def _weakened(file: File) -> Iterable[Unsafe]:
    for one in file.weakened:
        message = f"{file.format} cannot keep {one.count} {one.what} rules ({one.direction}): {one.note}"
        yield Unsafe("weakened", file.path, message, one.names)
