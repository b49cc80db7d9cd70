"""How two builds differ: file by file, name by name, each with the reason."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal

from msgspec import Struct

from aidns.names import ancestors, sort_key
from aidns.publish.entries import by_name
from aidns.publish.manifest import File, Manifest

Reason = Literal["verdict", "edit"]
"""Why a name came or went: what resolvers said, or an edit of the catalogue or a policy."""


class EntryChange(Struct, frozen=True):
    """What is said about one name before and after (`block subtree`, say): empty where it is not listed."""

    name: str
    before: str
    after: str
    reason: Reason

    @property
    def kind(self) -> Literal["added", "removed", "changed"]:
        if not self.before:
            return "added"
        return "changed" if self.after else "removed"


class FileChange(Struct, frozen=True):
    """What becomes of one file. Serials are 0 where the file is absent.

    `repaired` means that its content stays, but its bytes on disk were not those of the manifest; `changed` under one
    serial, that its header tells anew for which clients it is.
    """

    path: str
    policy: str
    client_scope: str
    format: str
    kind: Literal["added", "removed", "changed", "repaired"]
    serial_before: int
    serial_after: int
    entries: tuple[EntryChange, ...]


def compare(old: Manifest, new: Manifest, damaged: Collection[str] = ()) -> tuple[FileChange, ...]:
    """Return every file that differs, by path. `damaged` paths count as repaired where the content stays."""
    before = {file.path: file for file in old.files}
    after = {file.path: file for file in new.files}
    left, back = frozenset(new.verdicts.gone), frozenset(old.verdicts.gone) - frozenset(new.verdicts.gone)
    changes = []
    for path in sorted(before.keys() | after.keys()):
        one, two = before.get(path), after.get(path)
        if one and two and (one.digest, one.serial, one.clients) == (two.digest, two.serial, two.clients):
            if path in damaged:
                changes.append(_change(one, two, "repaired", ()))
            continue
        kind: Literal["added", "removed", "changed"] = "changed" if one and two else "added" if two else "removed"
        changes.append(_change(one, two, kind, tuple(_entry_changes(one, two, left, back))))
    return tuple(changes)


def _change(
    one: File | None,
    two: File | None,
    kind: Literal["added", "removed", "changed", "repaired"],
    entries: tuple[EntryChange, ...],
) -> FileChange:
    file = two or one
    assert file is not None
    return FileChange(
        path=file.path,
        policy=file.policy,
        client_scope=file.client_scope,
        format=file.format,
        kind=kind,
        serial_before=one.serial if one else 0,
        serial_after=two.serial if two else 0,
        entries=entries,
    )


def _entry_changes(
    one: File | None, two: File | None, left: Collection[str], back: Collection[str]
) -> Iterable[EntryChange]:
    old, new = by_name(one.entries if one else ()), by_name(two.entries if two else ())
    for name in sorted(old.keys() | new.keys(), key=sort_key):
        before, after = old.get(name, ""), new.get(name, "")
        if before != after:
            verdicts = left if not after else back if not before else frozenset()
            yield EntryChange(name, before, after, "verdict" if _at_or_below_any(name, verdicts) else "edit")


def _at_or_below_any(name: str, apexes: Collection[str]) -> bool:
    # A list that names `www.` of a gone name, or its known children, loses them with it.
    return name in apexes or any(above in apexes for above in ancestors(name))
