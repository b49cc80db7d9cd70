"""What a policy decides, the block set it compiles to, and the files that are rendered from it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from aidns.model.entries import Scope
from aidns.model.policies import Policy
from aidns.names import Name


class Rule(Struct, frozen=True):
    """One decision about one owner name: block it or keep it reachable (exception)."""

    name: Name
    scope: Scope
    blocks: bool
    origin: str
    """Service id, `policy` for a name given inline, `list:1` for one of the policy's first list."""
    reason: str
    expires: dt.date | None = None
    approved_by: str = ""
    verdict_applies: bool = True
    """False for inline and listed names: an administrator's own name never leaves by a verdict."""


class LeftOut(Struct, frozen=True):
    """A name or service that a policy did not take, and why."""

    what: str
    why: str


class Selection(Struct, frozen=True):
    """What a policy decides for one client scope."""

    policy: Policy
    client_scope: str
    rules: tuple[Rule, ...]
    known: tuple[Name, ...]
    """Every name the catalogue and the policy know, for formats that can only list names."""
    left_out: tuple[LeftOut, ...]
    unknown: tuple[LeftOut, ...]
    """Services about which a selected fact is unknown."""
    nameless: tuple[str, ...]
    """Wanted providers and services for which the catalogue has no name."""
    warnings: tuple[str, ...] = ()


class Answer(Struct, frozen=True):
    """Whether an owner itself, and everything below it, is blocked."""

    self_blocked: bool
    below_blocked: bool


class Weakened(Struct, frozen=True):
    """Something a format cannot say. `direction` tells what goes wrong: a leak or an over-block."""

    what: Literal["subtree", "exact", "exception", "scope", "types"]
    direction: Literal["leak", "over-block"]
    count: int
    note: str
    names: tuple[Name, ...] = ()


class BlockSet(Struct, frozen=True):
    """The neutral result: every owner with its answers, and what each rule became.

    `owners` holds every listed owner, redundant ones included; `minimal` only those that differ from what their
    nearest listed ancestor already says.
    """

    policy: Policy
    client_scope: str
    owners: Mapping[Name, Answer]
    minimal: Mapping[Name, Answer]
    known: tuple[Name, ...]
    covered: tuple[tuple[Name, Name], ...]
    """(listed name, the owner above that already says the same)."""
    idle: tuple[Name, ...]
    """Exceptions without a block above them: nothing to except, so nothing is written."""
    gone: tuple[Name, ...]
    origins: Mapping[Name, str]
    canary: Name
    selection: Selection


class Artefact(Struct, frozen=True):
    """One rendered file: what it says, what it could not say, and how much of it there is."""

    policy: str
    client_scope: str
    format: str
    path: str
    """Relative path in `dist/`."""
    text: str
    digest: str
    """SHA-256 over the non-comment bytes with the serial left out, and the template's id."""
    serial: int
    services: int
    names: int
    lines: int
    weakened: tuple[Weakened, ...]
    action: str
    clients: str = ""
    """For whom the file is, as its header says; empty where the policy has no scopes."""
    entries: tuple[str, ...] = ()
    """The rules as the format sees them, sorted: what a plan compares."""
