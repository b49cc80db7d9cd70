"""Which line of a TOML file holds a key: parsers keep no positions, and a message without a line is half a message."""

from __future__ import annotations

import re
from collections import Counter

_TABLE = re.compile(r"\s*\[(?P<path>[^\[\]]+)\]\s*(?:#.*)?$")
_ARRAY_TABLE = re.compile(r"\s*\[\[(?P<path>[^\[\]]+)\]\]\s*(?:#.*)?$")
_KEY = re.compile(r"\s*(?P<key>[A-Za-z0-9_.\"'-]+)\s*=\s*(?P<value>.*)$")
_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'[^']*'")
_LONG = ('"""', "'''")
"""What opens and closes a string of several lines."""


def index(text: str) -> dict[str, int]:
    """Return path -> line, counted from 1, for the canonical style: one key a line, one inline table a line.

    Paths look like `domains[2].evidence[0]`; what lies deeper is found through `find`.
    """
    lines: dict[str, int] = {}
    counts: Counter[str] = Counter()
    prefix = ""
    open_key = ""
    depth = 0
    closing = ""
    for number, line in enumerate(text.split("\n"), 1):
        if closing:
            closing = "" if closing in line else closing
            continue
        bare = _STRING.sub("''", line).partition("#")[0]
        if depth > 0:
            if bare.lstrip().startswith("{"):
                lines.setdefault(f"{open_key}[{counts[open_key]}]", number)
                counts[open_key] += 1
            depth += bare.count("[") - bare.count("]")
            continue
        if array := _ARRAY_TABLE.match(line):
            name = array["path"].strip()
            prefix = f"{name}[{counts[name]}]"
            counts[name] += 1
            lines[prefix] = number
        elif table := _TABLE.match(line):
            prefix = table["path"].strip()
            lines.setdefault(prefix, number)
        elif key := _KEY.match(line):
            open_key = f"{prefix}.{key['key']}".lstrip(".").replace('"', "")
            lines[open_key] = number
            closing = next((m for m in _LONG if key["value"].startswith(m) and m not in key["value"][3:]), "")
            depth = 0 if closing else max(0, bare.count("[") - bare.count("]"))
    return lines


def find(lines: dict[str, int], path: str) -> int:
    """Return the line of `path` or of the nearest part above it; 0 when nothing of it is known."""
    while path:
        if path in lines:
            return lines[path]
        cut = max(path.rfind("."), path.rfind("["))
        path = path[:cut] if cut > 0 else ""
    return 0
