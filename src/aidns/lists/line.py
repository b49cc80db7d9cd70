"""What a line of a list says: names it lists, or why a name in it is refused. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from msgspec import Struct

from aidns import names
from aidns.errors import UsageError
from aidns.names import CANARY_PARENT, MAX_LABEL, MAX_NAME, InvalidName, Name

Syntax = Literal["domains", "hosts", "adblock", "dnsmasq", "rpz"]
SYNTAXES: tuple[Syntax, ...] = ("domains", "hosts", "adblock", "dnsmasq", "rpz")
Kind = Literal["plain", "subtree", "exact", "below"]
"""What a line lists: `plain` is a name alone, of which the reader of the list decides whether it means its tree."""

MAX_LINE = 4096
"""Octets of a line; no name, however it is written, needs more."""
SHOWN = 80
"""Characters of a refused text that a report repeats."""


class Entry(Struct, frozen=True):
    """One name as a line lists it. `blocks` is False for an exception."""

    name: Name
    kind: Kind
    blocks: bool = True


class Refusal(Struct, frozen=True):
    """A name, or a whole line, that is not taken. `reason` completes "it …" and is the same for the same fault."""

    reason: str
    text: str


Item = Entry | Refusal

_QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_PLAIN_LABEL = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")
_OCTETS = re.compile(r"\d+ octets")
_SHOWN_NAME = re.compile(rf"(?:{_QUOTED})[: ]*")


def chosen_syntax(text: str) -> Syntax:
    """Return the syntax of this id. Raises UsageError with those that exist."""
    for syntax in SYNTAXES:
        if syntax == text:
            return syntax
    raise UsageError(f"there is no list syntax {names.printable(text)!r}", tip=f"known are {', '.join(SYNTAXES)}")


def canonical(text: str) -> Name:
    """Return what `names.normalise` returns, quicker for U-labels that come again.

    UTS 46 maps, and RFC 5891 §4 checks, each label by itself; full stops of other scripts, and labels that are not
    sound alone, are left to `normalise`, whose message then counts.

    Raises InvalidName.
    """
    if text.isascii():
        return names.normalise(text)
    try:
        labels = [_a_label(label) for label in text.strip().removesuffix(".").split(".")]
    except InvalidName:
        return names.normalise(text)
    joined = ".".join(labels)
    return names.parse(joined) if len(joined) <= MAX_NAME else names.normalise(text)


@lru_cache(maxsize=8192)
def _a_label(label: str) -> str:
    """Raises InvalidName for what is not surely one sound label of an internationalised name."""
    if label.isascii():
        if len(label) > MAX_LABEL or not _PLAIN_LABEL.fullmatch(label):
            raise InvalidName("IDNA may refuse it")
        return label.lower()
    found = names.to_a_label(label)
    if "." in found or label != label.strip():
        raise InvalidName("more than one label")
    return names.parse(f"{found}.x").removesuffix(".x")


def listed(text: str, kind: Kind, *, blocks: bool = True) -> tuple[Item, ...]:
    """Return the entry for a name as somebody wrote it, or its refusal by the gate that all names pass.

    Nothing for a canary: it shows that a list of ours is loaded, and must not be carried into another.
    """
    try:
        name = canonical(text)
    except InvalidName as error:
        return (Refusal(_reason(error.message), shown(text.strip().removesuffix("."))),)
    return () if names.at_or_below(name, CANARY_PARENT) else (Entry(name, kind, blocks),)


def shown(text: str) -> str:
    """Return refused text as a report may repeat it: in lower case, as the names in a list are."""
    return names.printable(text.lower(), SHOWN)


def _reason(message: str) -> str:
    """Return the gate's message without the name it is about, so that like faults can be counted."""
    message = _SHOWN_NAME.sub("", message, count=1)
    message = _SHOWN_NAME.sub("", message, count=1)
    return _OCTETS.sub("too many octets", message.partition(":")[0])
