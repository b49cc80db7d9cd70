"""Keys: names turned round, so that sorting them puts a tree together and a tree's apex first. Pure.

A key is the reversed name with SEP for each dot. SEP sorts below every octet of a name; a dot would not: `-` sorts
before it, so `foo-bar.com` would come between `foo.com` and `x.foo.com`. A rule that is not the usual kind of its
compilation carries a mark: MARK and a letter behind the key. MARK sorts below SEP, so marked keys of a name stand
between the bare one and those below the name.
"""

from __future__ import annotations

from msgspec import Struct

from aidns.lists.line import Kind
from aidns.names import Name

SEP = "\x01"
MARK = "\x00"
END = "\x02"
"""Sorts above SEP and below every octet of a name: key + END is the first string behind the key's tree."""

KNOWN = "K"
"""Letter of a name that no rule is about, but that formats which can only list names should list if it is blocked."""
_LETTERS: dict[tuple[Kind, bool], str] = {
    ("subtree", True): "S",
    ("exact", True): "E",
    ("below", True): "B",
    ("subtree", False): "s",
    ("exact", False): "e",
    ("below", False): "b",
}


class Marking(Struct, frozen=True):
    """How one input's entries become keys.

    `usual` is what a bare key of the compilation blocks, `plain` what a plain name of this input means; `allow` turns
    every entry into an exception.
    """

    usual: Kind = "subtree"
    plain: Kind = "subtree"
    allow: bool = False

    def letter(self, kind: Kind, blocks: bool) -> str:
        """Return the letter of an entry's mark; empty for the usual kind, whose keys are bare."""
        wanted = self.plain if kind == "plain" else kind
        blocks = blocks and not self.allow
        return "" if blocks and wanted == self.usual else _LETTERS[wanted, blocks]


def key_of(name: Name, letter: str) -> str:
    """Return the key of a name, with a mark unless `letter` is empty."""
    key = name.replace(".", SEP)[::-1]
    return f"{key}{MARK}{letter}" if letter else key


def name_of(key: str) -> Name:
    """Return the name of a bare key."""
    return Name(key[::-1].replace(SEP, "."))
