"""From what is published and what shall be to a plan: a value that can be shown, checked and applied."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from aidns.errors import UsageError
from aidns.model import Artefact
from aidns.names import printable
from aidns.publish import guards
from aidns.publish.compare import FileChange, compare
from aidns.publish.guards import Unsafe
from aidns.publish.manifest import SCHEMA, Desired, File, Forced, Manifest, Published, check_paths
from aidns.publish.serials import is_newer


class Request(Struct, frozen=True):
    """What a build was asked for."""

    version: str
    """Of the program; goes into the manifest."""
    catalogue: tuple[str, ...] = ()
    """Ids of the catalogue's policies."""
    everything: bool = True
    """False when `--policy` chose some policies: the files of all others stay."""
    formats: tuple[str, ...] = ()
    """Chosen formats, empty for all: the files of all others stay."""
    strict: bool = False
    force: str = ""
    """Why guards are to be overridden."""
    retire: tuple[str, ...] = ()
    """Policies whose published files go."""


class Plan(Struct, frozen=True):
    """What `apply` will do. `texts` holds the files to write; all others of the manifest are kept byte by byte."""

    base: str
    """Id of the build that it starts from, empty for none."""
    manifest: Manifest
    texts: Mapping[str, str]
    changes: tuple[FileChange, ...]
    unsafe: tuple[Unsafe, ...]
    left_alone: tuple[str, ...] = ()
    """An administrator's own policies that this build does not make: their files stay until they are retired."""

    @property
    def checksum(self) -> str:
        """SHA-256 of what would change, whenever that is: the same for a dry run and the run after it."""
        return self.manifest.checksum


def plan(published: Published, desired: Desired, request: Request, now: int) -> Plan:
    """Return the plan that turns `published` into `desired`; pure, `now` in Unix seconds.

    Kept untouched: files outside the request, and all files of a policy that failed. An artefact whose digest is the
    published one, and which is for the same clients, keeps its published bytes, whatever else its header says now.

    Raises UnsafeError for a path that leaves its directory or is used twice, UsageError for a policy to retire that
    has no files or would be built again.
    """
    _check_retired(published.manifest, desired, request)
    failed = {failure.policy for failure in desired.failures}
    artefacts = [artefact for artefact in desired.artefacts if artefact.policy not in failed]
    old = {file.path: file for file in published.manifest.files}
    rendered = [_file(artefact, old.get(artefact.path), published, request, now) for artefact in artefacts]
    kept = [file for file in old.values() if _stays(file, desired, request)]
    check_paths(file.path for file in (*rendered, *kept))
    whole = [file for file in kept if file.path not in published.damaged]
    target = Manifest(
        schema=SCHEMA,
        version=request.version,
        catalog=desired.catalog,
        built=now,
        files=tuple(sorted((*rendered, *whole), key=lambda file: file.path)),
        skipped=tuple(sorted(desired.skipped)),
        failures=tuple(sorted(desired.failures)),
        verdicts=desired.verdicts,
    )
    changes = compare(published.manifest, target, published.damaged)
    found = (
        *guards.check(published.manifest, rendered, changes, desired, strict=request.strict),
        *_lost(kept, published),
        *guards.vanished(changes, desired, (*request.catalogue, *request.retire)),
    )
    unsafe, forced = _override(found, published.manifest, request, now)
    changed = {change.path for change in changes}
    return Plan(
        base=published.build,
        manifest=msgspec.structs.replace(
            target,
            checksum=_checksum(published.build, target, changes, unsafe),
            forced=forced,
            retired=_retired(published.manifest, target),
        ),
        texts={artefact.path: artefact.text for artefact in artefacts if artefact.path in changed},
        changes=changes,
        unsafe=unsafe,
        left_alone=tuple(sorted({file.policy for file in kept if file.own} - _made(desired))),
    )


def _file(artefact: Artefact, before: File | None, published: Published, request: Request, now: int) -> File:
    same = before is not None and (before.digest, before.serial) == (artefact.digest, artefact.serial)
    if before is not None and same and _is_as_published(artefact, before, published):
        return before
    return File(
        path=artefact.path,
        policy=artefact.policy,
        client_scope=artefact.client_scope,
        format=artefact.format,
        action=artefact.action,
        digest=artefact.digest,
        sha256=hashlib.sha256(artefact.text.encode()).hexdigest(),
        serial=artefact.serial,
        modified=before.modified if before is not None and same else now,
        services=artefact.services,
        names=artefact.names,
        lines=artefact.lines,
        weakened=artefact.weakened,
        clients=artefact.clients,
        own=artefact.policy not in request.catalogue,
        entries=artefact.entries,
    )


def _is_as_published(artefact: Artefact, before: File, published: Published) -> bool:
    """Tell whether what is published is whole, and for the same clients: else it is written again, serial and all."""
    return artefact.path not in published.damaged and artefact.clients == before.clients


def _stays(file: File, desired: Desired, request: Request) -> bool:
    """Tell whether a published file is none of this build's business, or its policy failed."""
    if file.policy in request.retire:
        return False
    if any(failure.policy == file.policy for failure in desired.failures):
        return True
    made = {artefact.policy for artefact in desired.artefacts} | {skipped.policy for skipped in desired.skipped}
    in_scope = file.policy in made or (request.everything and not file.own)
    return not in_scope or bool(request.formats and file.format not in request.formats)


def _check_retired(published: Manifest, desired: Desired, request: Request) -> None:
    """Raise UsageError where retiring would do nothing, or not for long."""
    there = sorted({file.policy for file in published.files})
    here = _made(desired) | {*request.catalogue}
    for policy in request.retire:
        if policy not in there:
            tip = f"published are {', '.join(map(printable, there))}" if there else "nothing is published yet"
            raise UsageError(f"no lists of a policy {printable(policy)!r} are published", tip=tip)
        if policy in here:
            tip = "leave it out of --policy, or, if it is the catalogue's, publish others by --policy"
            raise UsageError(f"policy {printable(policy)!r} is there: a build would publish it again", tip=tip)


def _made(desired: Desired) -> set[str]:
    """Return the policies that this build is about."""
    left_out = {one.policy for one in desired.skipped} | {one.policy for one in desired.failures}
    return {one.policy for one in desired.artefacts} | left_out


def _lost(kept: Sequence[File], published: Published) -> tuple[Unsafe, ...]:
    message = "the file is damaged on disk, and this build does not make it anew"
    return tuple(Unsafe("damaged", file.path, message) for file in kept if file.path in published.damaged)


def _override(
    found: Sequence[Unsafe], published: Manifest, request: Request, now: int
) -> tuple[tuple[Unsafe, ...], tuple[Forced, ...]]:
    """Return what stays unsafe, and the overrides, old and new, that the manifest is to name."""
    unsafe, standing = guards.still_standing(found, published.forced)
    if not request.force:
        return unsafe, standing
    reason = printable(request.force)
    new = [Forced(u.guard, u.path, u.names, reason, now) for u in unsafe if u.forcible]
    return tuple(u for u in unsafe if not u.forcible), tuple(sorted((*standing, *new)))


def _retired(old: Manifest, new: Manifest) -> dict[str, int]:
    """Return the serials that count on without a file: of removed files, and of rolled-back ones that stay."""
    now_at = {file.path: file.serial for file in new.files}
    last = {file.path: file.serial for file in old.files} | old.retired
    return {
        path: serial for path, serial in sorted(last.items()) if path not in now_at or is_newer(serial, now_at[path])
    }


def _checksum(base: str, target: Manifest, changes: Sequence[FileChange], unsafe: Sequence[Unsafe]) -> str:
    # Serials and times are left out: they follow from the clock, and the same plan may be made again later.
    what = (
        base,
        [(file.path, file.digest, file.clients) for file in target.files],
        [(change.path, change.kind, change.entries) for change in changes],
        unsafe,
    )
    return hashlib.sha256(msgspec.json.encode(what)).hexdigest()
