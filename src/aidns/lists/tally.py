"""What was read from one list, counted; of what was refused, the first few lines whole. Bounded memory."""

from __future__ import annotations

from collections import Counter

from msgspec import Struct

from aidns.lists.line import Refusal, Syntax

MAX_EXAMPLES = 10
MAX_REASONS = 40
"""Reasons counted apart; there are fewer, so that only hostile input meets this limit."""


class Refused(Struct, frozen=True):
    """One refused line."""

    line: int
    reason: str
    text: str


class Summary(Struct, frozen=True):
    """The tally of one list."""

    source: str
    syntax: Syntax
    lines: int
    names: int
    """Names read, repeats included."""
    refused: int
    reasons: dict[str, int]
    """Reason -> how often, the most frequent first."""
    examples: tuple[Refused, ...]
    """The first refused lines, in order."""


class Tally:
    """Counts what a parser meets."""

    def __init__(self) -> None:
        self.lines = 0
        self.names = 0
        self.refused = 0
        self._reasons: Counter[str] = Counter()
        self._examples: list[Refused] = []

    @property
    def is_full(self) -> bool:
        """Whether a later line is only counted, so that its number does not matter."""
        return len(self._examples) == MAX_EXAMPLES

    def refuse(self, line: int, refusal: Refusal) -> None:
        """Count a refusal. Lines may come out of order; 0 stands for one behind all examples there are."""
        self.refused += 1
        known = refusal.reason in self._reasons or len(self._reasons) < MAX_REASONS
        self._reasons[refusal.reason if known else "other reasons"] += 1
        if not self.is_full or 0 < line < self._examples[-1].line:
            self._examples.append(Refused(line, refusal.reason, refusal.text))
            self._examples.sort(key=lambda refused: refused.line)
            del self._examples[MAX_EXAMPLES:]

    def summary(self, source: str, syntax: Syntax) -> Summary:
        """Return what was counted."""
        reasons = dict(sorted(self._reasons.items(), key=lambda item: (-item[1], item[0])))
        return Summary(source, syntax, self.lines, self.names, self.refused, reasons, tuple(self._examples))
