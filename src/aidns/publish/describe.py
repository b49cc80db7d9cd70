"""Plans and differences in words: lines for people, documents for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from aidns.model import Artefact
from aidns.names import printable
from aidns.publish.compare import EntryChange, FileChange
from aidns.publish.guards import Unsafe
from aidns.publish.manifest import Skipped
from aidns.publish.plan import Plan

SHOWN = 8
"""Names or lists given in one line before "and N more"."""

_SIGNS = {"added": "+", "removed": "-", "changed": "~", "repaired": "!"}


def change_lines(changes: Sequence[FileChange]) -> list[str]:
    """Return one line a file and, below it, one line a name that came, went or changed.

    The names of a file that is wholly new or gone are only counted.
    """
    lines: list[str] = []
    for change in changes:
        count = Counter(one.kind for one in change.entries)
        head = f"{_SIGNS[change.kind]} {printable(change.path)}"
        if change.kind in ("added", "removed"):
            lines.append(f"{head}  {change.kind}, {_counted(len(change.entries), 'name')}")
        elif change.kind == "repaired":
            lines.append(f"{head}  written again: its bytes were not the published ones")
        elif change.serial_before == change.serial_after:
            lines.append(f"{head}  tells anew for which clients it is, serial {change.serial_after} stays")
        else:
            serials = f"serial {change.serial_before} -> {change.serial_after}"
            lines.append(f"{head}  +{count['added']} -{count['removed']} ~{count['changed']}  {serials}")
            lines += [f"    {_entry_line(one)}" for one in change.entries]
    return lines


def plan_lines(plan: Plan) -> list[str]:
    """Return the plan for people: what changes and how much stays. What is in the way, `reasons` tells."""
    stay = len(plan.manifest.files) - sum(change.kind != "removed" for change in plan.changes)
    total = f"{_counted(len(plan.changes), 'list')} to change, {stay} to stay as published"
    if not plan.changes:
        total = f"nothing changes: {_counted(stay, 'list')} as published"
    left = [f"not made by this build, so they stay: {_some(plan.left_alone)} (--retire ID removes one's lists)"]
    return [*change_lines(plan.changes), total, *(left if plan.left_alone else [])]


def plan_document(plan: Plan) -> dict[str, object]:
    """Return the plan for programs: everything but the texts and the unchanged files."""
    return {
        "base": plan.base,
        "checksum": plan.checksum,
        "now": plan.manifest.built,
        "changes": plan.changes,
        "unsafe": plan.unsafe,
        "skipped": plan.manifest.skipped,
        "failures": plan.manifest.failures,
        "forced": plan.manifest.forced,
        "left_alone": plan.left_alone,
    }


def reasons(unsafe: Iterable[Unsafe]) -> tuple[str, ...]:
    """Return one line for each guard and set of names, however many lists they concern."""
    groups: dict[tuple[str, tuple[str, ...]], list[Unsafe]] = {}
    for one in unsafe:
        groups.setdefault((one.guard, one.names), []).append(one)
    lines = []
    for (guard, names), group in groups.items():
        what = f": {_some(names)}" if names else ""
        lines.append(f"[{guard}] {printable(group[0].message)}{what} (in {_some([one.path for one in group])})")
    return tuple(lines)


def skipped_lines(skipped: Iterable[Skipped]) -> list[str]:
    """Return one line for each policy and cause, naming the formats left out (a cause may begin with its format)."""
    groups: dict[tuple[str, str], list[str]] = {}
    for one in sorted(skipped):
        groups.setdefault((one.policy, one.why.removeprefix(f"{one.format} ")), []).append(one.format)
    return [f"{printable(policy)}: {', '.join(formats)}: {printable(why)}" for (policy, why), formats in groups.items()]


def weakened_summary(artefacts: Iterable[Artefact]) -> str:
    """Return one line that counts the lists with weakened rules by format, empty when there is none."""
    count = Counter(artefact.format for artefact in artefacts if artefact.weakened)
    formats = ", ".join(f"{printable(form)} {number}" for form, number in sorted(count.items()))
    return f"lists with rules that their format cannot keep whole: {formats} (-v says which)" if formats else ""


def weakened_lines(artefacts: Iterable[Artefact]) -> list[str]:
    """Return one line for each kind of rule that a list's format could not keep whole."""
    return [
        f"{printable(artefact.path)}: {one.count} {one.what} rules ({one.direction}): {printable(one.note)}"
        for artefact in artefacts
        for one in artefact.weakened
    ]


def _entry_line(one: EntryChange) -> str:
    said = " -> ".join(printable(side) for side in (one.before, one.after) if side)
    by = "  (by verdict)" if one.reason == "verdict" else ""
    return f"{_SIGNS[one.kind]} {printable(one.name)}  {said}{by}"


def _some(items: Sequence[str]) -> str:
    more = len(items) - SHOWN
    shown = ", ".join(printable(item, 80) for item in items[:SHOWN])
    return f"{shown} and {more} more" if more > 0 else shown


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
