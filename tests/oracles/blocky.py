"""An oracle of how blocky reads a block list; nothing of the renderer is used.

Written from observations of the list parser and string caches of blocky 0.34, `fixtures/blocky-0.34.txt`.
"""

from __future__ import annotations

import ipaddress
import re

import idna

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,63}(?:\.[a-zA-Z0-9_-]{1,63})*\.?")
_ADBLOCK = re.compile(r"\|\|([^|^*$/]+)\^?")


class Blocky:
    """A blocky with one deny list."""

    def __init__(self, text: str) -> None:
        self.exact: set[str] = set()
        self.trees: set[str] = set()
        self.patterns: list[re.Pattern[str]] = []
        self.count = self.errors = 0
        for line in text.split("\n"):
            self._read(line.strip())

    def _read(self, line: str) -> None:
        if re.fullmatch(r"/.+/", line):
            self.patterns.append(re.compile(line[1:-1]))
            self.count += 1
            return
        words = [] if line.startswith(("!", "[")) else line.partition("#")[0].split()
        if len(words) > 1 and _is_address(words[0]):
            words = words[1:]
        elif len(words) > 1:
            words = [line]
        for word in words:
            self._add(word)

    def _add(self, word: str) -> None:
        adblock = _ADBLOCK.fullmatch(word)
        word = (adblock[1] if adblock else word).lower()
        tree = word.startswith("*.")
        name = word.removeprefix("*.")
        if not name.isascii():
            name = _a_label(name)
        if not _NAME.fullmatch(name):
            self.errors += 1
            return
        self.count += 1
        (self.trees if tree else self.exact).add(name)

    def blocked(self, name: str) -> bool:
        """Tell whether the list blocks a name."""
        labels = name.lower().split(".")
        return (
            name.lower() in self.exact
            or any(".".join(labels[i:]) in self.trees for i in range(len(labels)))
            or any(pattern.search(name) for pattern in self.patterns)
        )


def _a_label(name: str) -> str:
    try:
        return idna.encode(name).decode()
    except idna.IDNAError:
        return ""


def _is_address(word: str) -> bool:
    try:
        ipaddress.ip_address(word)
    except ValueError:
        return False
    return True
