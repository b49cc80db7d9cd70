"""Entries: the neutral lines of a list, so that lists of any format are compared and guarded alike.

An entry reads `block|allow subtree|exact NAME`; each name has one. The canary is none of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aidns.names import ancestors, sort_key

Said = Mapping[str, str]
"""Name -> what its entry says about it: `block subtree`, say."""


def by_name(entries: Iterable[str]) -> Said:
    """Return what entries say, by name in label order."""
    said = {name: words for words, _, name in (entry.rpartition(" ") for entry in entries)}
    return {name: said[name] for name in sorted(said, key=sort_key)}


def blocks(said: Said, name: str) -> bool:
    """Tell whether a list blocks `name`: its own entry decides, else the nearest subtree above."""
    nearest = said.get(name) or next(
        (said[above] for above in ancestors(name) if said.get(above, "").endswith("subtree")), ""
    )
    return nearest.startswith("block")
