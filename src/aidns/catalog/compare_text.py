"""How two catalogues differ, as Markdown that a bot can post. Pure.

What stands in a catalogue may come from a stranger's pull request: free text is escaped, so that it neither links,
mentions nor breaks out of its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from aidns.catalog.compare import CatalogChange, Change, EntryChange, PolicyChange, ServiceChange
from aidns.names import printable

SHOWN_NAMES = 40
"""Names of one service given before "and N more"."""
SHOWN_FIRST = 8
"""Names of one policy given before "and N more"."""
LIMIT = 60_000
"""Characters: GitHub takes comments of 65,536."""

_MARKUP = re.compile(r"([\\`*_\[\]|~$])")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;", "#": "&#35;"})
_BARE_LINK = re.compile(r":(?=//)|\.(?<=www\.)", re.IGNORECASE)
"""What makes a link of an address without any markup."""
_SAYS = {"added": "new", "removed": "gone", "changed": "changed", "renamed": "renamed"}


def markdown(change: CatalogChange) -> str:
    """Return the differences as Markdown; one line where there is none."""
    if not change:
        return "The catalogue says the same.\n"
    sizes = ", ".join(f"{what} {_count(before, after)}" for what, (before, after) in change.sizes.items())
    sections = (
        ("Services", [line for one in change.services for line in _service(one)]),
        ("Policies", [_policy(one) for one in change.policies]),
        ("Providers", list(_entries(change.providers))),
        ("Measures", list(_entries(change.measures))),
        *((title, list(_entries(change.others[key]))) for key, title in _OTHERS.items()),
    )
    lines = ["### Catalogue changes", "", sizes]
    for title, found in sections:
        lines += ["", f"#### {title}", "", *found] if found else []
    return _within_limit(lines)


_OTHERS = {
    "shared": "Shared infrastructure",
    "lookalikes": "Look-alikes",
    "bypass": "Bypass names",
    "rejected": "Names left out",
}


def _service(one: ServiceChange) -> Iterator[str]:
    was = f" from {_code(one.was)}" if one.was else ""
    facts = "" if one.kind in ("added", "removed") else _fields(one.changes)
    yield f"- **{_text(one.title)}** ({_code(one.id)}) {_SAYS[one.kind]}{was}{facts}"
    for change in one.names[:SHOWN_NAMES]:
        yield f"  - {_name(change)}"
    if (more := len(one.names) - SHOWN_NAMES) > 0:
        yield f"  - and {more} more names"


def _name(one: EntryChange) -> str:
    if one.kind == "changed":
        return f"{_code(one.id)}{_fields(one.changes)}"
    side = {change.field: change.after or change.before for change in one.changes}
    said = ", ".join(_text(side[key]) for key in ("role", "scope", "sharing", "evidence") if side.get(key))
    low = ", low confidence" if side.get("confidence") == "low" else ""
    return f"{_code(one.id)} {_SAYS[one.kind]}: {said}{low}"


def _entries(changes: Sequence[EntryChange]) -> Iterator[str]:
    for kind in ("added", "removed"):
        if ids := [one.id for one in changes if one.kind == kind]:
            yield f"- {_SAYS[kind]} {len(ids)}: {_some(ids, SHOWN_NAMES)}"
    yield from (f"- {_code(one.id)}{_fields(one.changes)}" for one in changes if one.kind == "changed")


def _fields(changes: Sequence[Change]) -> str:
    said = "; ".join(f"{one.field} {_text(one.before) or '—'} → {_text(one.after) or '—'}" for one in changes)
    return f": {said}" if said else ""


def _policy(one: PolicyChange) -> str:
    scope = f", scope {_code(one.client_scope)}" if one.client_scope else ""
    head = f"- {_code(one.policy)}{scope} {'' if one.kind == 'changed' else _SAYS[one.kind] + ', '}"
    parts = [f"{_count(one.before, one.after)} names"]
    parts += [f"newly blocked {len(one.blocked)}: {_some(one.blocked, SHOWN_FIRST)}"] if one.blocked else []
    parts += [f"no longer blocked {len(one.passed)}: {_some(one.passed, SHOWN_FIRST)}"] if one.passed else []
    return head + "; ".join(parts)


def _some(listed: Sequence[str], most: int) -> str:
    more = len(listed) - most
    shown = ", ".join(_code(name) for name in listed[:most])
    return f"{shown} and {more} more" if more > 0 else shown


def _within_limit(lines: Sequence[str]) -> str:
    """Return the lines as a text; those beyond the limit are only counted."""
    size = 0
    for i, line in enumerate(lines):
        size += len(line) + 1
        if size > LIMIT:
            return "\n".join((*lines[:i], "", f"… and {len(lines) - i} more lines")) + "\n"
    return "\n".join(lines) + "\n"


def _count(before: int, after: int) -> str:
    return str(after) if before == after else f"{before} → {after}"


def _code(text: str) -> str:
    """Return an id or a name as code; what could end the code is left out."""
    return f"`{printable(text, 260).replace('`', '')}`"


def _text(text: str) -> str:
    """Return free text without any meaning in Markdown."""
    plain = printable(text, 300).translate(_ENTITIES)
    return _MARKUP.sub(r"\\\1", _BARE_LINK.sub(lambda found: f"&#{ord(found[0])};", plain))
