"""Entries: the neutral lines of a list, so that lists of any format are compared and guarded alike.

An entry reads `block|allow subtree|exact NAME`; each name has one. `exact` gives what lies below the opposite answer:
a redundant entry, one that repeats what holds anyway, is never written. The canary is none of them.
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
    """Tell whether a list blocks `name`: the deepest listed name decides, an exact one by its opposite below."""
    if name in said:
        return said[name].startswith("block")
    words = next((said[above] for above in ancestors(name) if above in said), "allow subtree")
    return words in ("block subtree", "allow exact")
