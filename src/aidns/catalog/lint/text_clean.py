"""Free text is one printable line and never looks like syntax of a file it may end up in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from aidns import names
from aidns.catalog.lint.finding import Finding, placed
from aidns.model import Catalog, Fix, SeenDate

MAX_TEXT = 1000
"""Characters of one text; more belongs into docs/."""

_SYNTAX = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|#\}|\$(?:INCLUDE|GENERATE|ORIGIN|TTL)\b", re.IGNORECASE)
_QUOTES = ('"', "\\")
_TIP = "write plain text on one line; ' instead of a double quote"


def check(catalog: Catalog) -> Iterator[Finding]:
    """Yield texts with line breaks, controls, quotes, template syntax or zone-file directives."""
    for folder in ("providers", "services", "measures", "policies"):
        for subject, entry in getattr(catalog, folder).items():
            yield from check_entry(f"{folder}/{subject}.toml", entry)
    for path, key, field in (
        ("shared.toml", "shared", "shared"),
        ("parking.toml", "parking", "parking"),
        ("waivers.toml", "waivers", "waiver"),
    ):
        for i, entry in enumerate(getattr(catalog, key)):
            yield from check_entry(path, entry, f"{field}[{i}]")
    for folder in ("rejected", "lookalikes", "bypass"):
        for (path, field), entry in placed(catalog, folder):
            yield from check_entry(path, entry, field)
    yield from check_entry("catalog.toml", catalog.info)
    for key, table in catalog.regions.items():
        yield from check_entry("regions.toml", table, key)
    for section, words in catalog.vocab.items():
        for text in (section, *words, *words.values()):
            if why := unclean(text):
                yield Finding("vocab.toml", section, why, _TIP)


def check_entry(path: str, entry: msgspec.Struct, field: str = "") -> Iterator[Finding]:
    """Yield the unclean texts of one entry, however deep they lie."""
    if not _may_be_unclean(entry):
        return
    for place, text in _texts(entry, field):
        if why := unclean(text):
            tidied = names.printable(text.replace('"', "'"), MAX_TEXT)
            fix = Fix(place, tidied) if len(text) <= MAX_TEXT and not unclean(tidied) else None
            yield Finding(path, place, why, _TIP, fix=fix)


def unclean(text: str) -> str:
    """Return what is wrong with a text; empty when it is clean."""
    if not text.isprintable():
        return "holds a line break or control character"
    if found := _SYNTAX.search(text):
        return f"holds {found[0]!r}, which is template or zone-file syntax"
    if any(c in text for c in _QUOTES):
        return "holds a double quote or backslash"
    if len(text) > MAX_TEXT:
        return f"has {len(text)} characters, more than {MAX_TEXT}"
    return ""


def _may_be_unclean(entry: msgspec.Struct) -> bool:
    """Tell whether a look at each text of an entry is needed: one look at all of it at once clears nearly every one.

    JSON writes a backslash before quotes, backslashes and controls; its own braces can only raise a false alarm.
    """
    whole = msgspec.json.encode(entry, enc_hook=str).decode()
    return (
        not whole.isprintable()
        or "\\" in whole
        or _SYNTAX.search(whole) is not None
        or max(map(len, whole.split('"'))) > MAX_TEXT
    )


def _texts(value: Any, field: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield field, value
    elif isinstance(value, tuple):
        for i, item in enumerate(value):
            yield from _texts(item, f"{field}[{i}]")
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            if name != "id":
                yield from _texts(getattr(value, name), f"{field}.{name}".lstrip("."))
    else:
        assert value is None or isinstance(value, (bool, int, SeenDate)) or hasattr(value, "isoformat")
