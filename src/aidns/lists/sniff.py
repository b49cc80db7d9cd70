"""Which syntax a list is written in, by its first lines; what is no list at all is told apart. Pure."""

from __future__ import annotations

from itertools import islice

from aidns.errors import DataError
from aidns.lists.line import MAX_LINE, SYNTAXES, Entry, Syntax
from aidns.lists.text import READERS, Reader
from aidns.lists.zone import ZoneReader

SNIFFED = 65536
"""Octets looked at."""
BOM = b"\xef\xbb\xbf"
_LINES = 100
"""Lines looked at, comments left out."""
_NO_LIST = (
    (b"\x1f\x8b", "is compressed with gzip", "unpack it first"),
    (b"PK\x03\x04", "is a ZIP archive", "unpack it first"),
    (b"\xff\xfe", "is UTF-16", "convert it to UTF-8"),
    (b"\xfe\xff", "is UTF-16", "convert it to UTF-8"),
    (b"SQLite format 3", "is an SQLite database", "export the names, one a line"),
)
_PAGES = (b"<!doctype", b"<html", b"<?xml", b"<head")


def reader_for(syntax: Syntax) -> Reader:
    """Return a fresh reader of a syntax."""
    return ZoneReader() if syntax == "rpz" else READERS[syntax]


def check_list(head: bytes, source: str) -> None:
    """Refuse what cannot be a list, from its first octets: an error page must not add the names it mentions.

    Raises DataError.
    """
    for magic, what, tip in _NO_LIST:
        if head.startswith(magic):
            raise DataError(f"{source} {what}, not a list", tip=tip)
    if head.removeprefix(BOM).lstrip()[:16].lower().startswith(_PAGES):
        raise DataError(f"{source} is a web page, not a list", tip="look at it: servers send pages as error messages")


def sniff(head: bytes) -> Syntax:
    """Return the syntax that takes most of the first lines; of several, the one that refuses least, then the plainest.

    `head` is the beginning of the list; a line cut off at its end does no harm.
    """
    scores = _scores(head)
    return max(SYNTAXES, key=lambda syntax: scores[syntax])


def holds_names(head: bytes) -> bool:
    """Tell whether any syntax finds a name in the beginning of a list."""
    return any(entries for entries, _ in _scores(head).values())


def _scores(head: bytes) -> dict[Syntax, tuple[int, int]]:
    telling = (line for line in head.removeprefix(BOM).split(b"\n") if line.strip() and line[:1] not in b"#!;")
    lines = [line[:MAX_LINE].decode("utf-8", "replace") for line in islice(telling, _LINES)]
    return {syntax: _score(reader_for(syntax), lines) for syntax in SYNTAXES}


def _score(reader: Reader, lines: list[str]) -> tuple[int, int]:
    """Return (entries, minus refusals)."""
    items = [item for line in lines for item in reader(line)]
    entries = sum(isinstance(item, Entry) for item in items)
    return entries, entries - len(items)
