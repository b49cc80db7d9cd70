"""What an audit finds: faults that can be, those that are, counted, with the first few places. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from aidns.names import printable

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""Gravest first. Notes tell what a list cannot do or who cannot read it; they are no fault of the list."""
MAX_EXAMPLES = 5
"""Places kept of each finding; all are counted."""
SHOWN = 100
"""Characters shown of a list's own text."""


class Fault(Struct, frozen=True):
    """Something that can be wrong with a list. `consumers` tells who is concerned and what each does."""

    id: str
    severity: Severity
    says: str
    consumers: tuple[str, ...]
    tip: str = ""


class Example(Struct, frozen=True):
    """One place of a finding. `line` counts from 1, 0 where the text does not stand in the file as it is shown."""

    line: int
    name: str
    detail: str = ""


class Finding(Struct, frozen=True):
    """A fault that a list has, how often, and the first places."""

    id: str
    severity: Severity
    message: str
    consumers: tuple[str, ...]
    tip: str
    count: int
    examples: tuple[Example, ...]


class Findings:
    """Collects findings in bounded memory: everything is counted, the first places are kept."""

    def __init__(self) -> None:
        self._counts: dict[Fault, int] = {}
        self._examples: dict[Fault, list[Example]] = {}

    def add(self, fault: Fault, name: str, line: int | Callable[[], int], detail: str = "") -> None:
        """Count a fault. `line` may be a function, which is called only if the place is kept; any text is hostile."""
        self._counts[fault] = self._counts.get(fault, 0) + 1
        examples = self._examples.setdefault(fault, [])
        full = len(examples) == MAX_EXAMPLES
        if full and not (isinstance(line, int) and 0 < line < examples[-1].line):
            return
        number = line if isinstance(line, int) else line()
        examples.append(Example(number, printable(name, SHOWN), printable(detail, SHOWN)))
        examples.sort(key=lambda example: example.line)
        del examples[MAX_EXAMPLES:]

    def found(self) -> tuple[Finding, ...]:
        """Return the findings, the gravest and then the most frequent first."""
        order = sorted(
            self._counts, key=lambda fault: (SEVERITIES.index(fault.severity), -self._counts[fault], fault.id)
        )
        return tuple(self._finding(fault) for fault in order)

    def _finding(self, fault: Fault) -> Finding:
        return Finding(
            id=fault.id,
            severity=fault.severity,
            message=fault.says,
            consumers=fault.consumers,
            tip=fault.tip,
            count=self._counts[fault],
            examples=tuple(self._examples[fault]),
        )
