"""The slow, defining way to read and compile lists: line by line, by the reader and the block set alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from aidns import names
from aidns.lists.line import MAX_LINE, SHOWN, Entry, Refusal, Syntax
from aidns.lists.sniff import reader_for
from aidns.model import Answer
from aidns.names import Name

Read = tuple[Counter[Entry], list[tuple[int, str, str]]]
"""Entries with how often they were read, and refusals as (line, reason, text)."""


def read(data: bytes, syntax: Syntax) -> Read:
    """Read a whole list."""
    reader = reader_for(syntax)
    entries: Counter[Entry] = Counter()
    refused: list[tuple[int, str, str]] = []
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    for number, octets in enumerate(lines, 1):
        for item in _items(octets.removesuffix(b"\r"), reader):
            if isinstance(item, Entry):
                entries[item] += 1
            else:
                refused.append((number, item.reason, item.text))
    return entries, refused


def _items(octets: bytes, reader) -> Iterable[Entry | Refusal]:  # type: ignore[no-untyped-def]
    if len(octets) > MAX_LINE:
        text = octets[:MAX_LINE].decode("utf-8", "replace").lower()
        return (Refusal("is longer than any name needs", names.printable(text, SHOWN)),)
    try:
        return reader(octets.decode("utf-8"))
    except UnicodeDecodeError:
        return (Refusal("is not UTF-8", names.printable(octets.decode("utf-8", "replace").lower(), SHOWN)),)


def owners(entries: Iterable[tuple[Entry, bool]], *, exact: bool) -> dict[Name, Answer]:
    """Return every listed owner with its answers; each entry comes with whether its list is an allow list.

    The semantics of `blockset.answers`, written once more for rules that cover only what lies below a name.
    """
    said: dict[Name, list[tuple[str, bool]]] = {}
    for entry, allow in entries:
        kind = ("exact" if exact else "subtree") if entry.kind == "plain" else entry.kind
        said.setdefault(entry.name, []).append((kind, entry.blocks and not allow))
    found: dict[Name, Answer] = {}
    for name in sorted(said, key=names.sort_key):
        above = next((found[a].below_blocked for a in names.ancestors(name) if a in found), False)
        itself = [blocks for kind, blocks in said[name] if kind in ("exact", "subtree")]
        below = [blocks for kind, blocks in said[name] if kind == "below"]
        below = below or [blocks for kind, blocks in said[name] if kind == "subtree"]
        found[name] = Answer(all(itself) if itself else above, all(below) if below else above)
    return found
