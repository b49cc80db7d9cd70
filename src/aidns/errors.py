"""Errors a user can meet, each with its exit code.

AidnsError
├── UsageError        2  the command or its arguments make no sense
├── DataError         1  the catalogue, a policy or a list is wrong; carries every problem
├── UnsafeError       3  refused: the result would not be what the user needs
└── EnvironmentFault  4  no resolver, disk full, missing file or program
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aidns.model import Problem


class AidnsError(Exception):
    """Base of every error that ends a command with a message instead of a traceback."""

    exit_code = 1

    def __init__(self, message: str, *, tip: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.tip = tip


class UsageError(AidnsError):
    """The command line or an argument makes no sense."""

    exit_code = 2


class DataError(AidnsError):
    """Input data is wrong. `problems` holds every fault found, not the first only."""

    exit_code = 1

    def __init__(self, message: str, problems: Sequence[Problem] = (), *, tip: str = "") -> None:
        super().__init__(message, tip=tip)
        self.problems = tuple(problems)


class UnsafeError(AidnsError):
    """Refused by a guard: writing this would not give the user what the policy says. `reasons` lists why."""

    exit_code = 3

    def __init__(self, message: str, reasons: Sequence[str] = (), *, tip: str = "") -> None:
        super().__init__(message, tip=tip)
        self.reasons = tuple(reasons)


class EnvironmentFault(AidnsError):
    """Something outside failed: no resolver answers, the disk is full, a program is missing."""

    exit_code = 4


def did_you_mean(word: str, known: Iterable[str], otherwise: str) -> str:
    """Return the tip for a word that is none of those known: those that are near, else `otherwise`."""
    from difflib import get_close_matches  # only who mistypes waits for it

    near = get_close_matches(word, list(known), n=3)
    return f"did you mean {', '.join(map(repr, near))}?" if near else otherwise
