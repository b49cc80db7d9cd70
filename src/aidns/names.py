"""Owner names: one canonical form, one gate for all formats.

A `Name` is a lower-case A-label name without trailing dot. Everything that compares, sorts or prints a name
takes a `Name`; only `parse` makes one from text.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import NewType

from aidns.errors import UsageError

Name = NewType("Name", str)

CANARY_PARENT = "aidns-canary.example"
"""Canaries live here: `example.` is reserved (RFC 6761 §6.5), so nothing outside answers positively."""
MAX_NAME = 253
"""Octets of a name in text form without the final dot (RFC 1035 §2.3.4: 255 on the wire)."""
MAX_LABEL = 63
"""Octets of a label (RFC 1035 §2.3.4)."""
RPZ_TRIGGERS = ("rpz-ip", "rpz-client-ip", "rpz-nsdname", "rpz-nsip")
"""Top-level labels that no name has: a policy zone takes what stands before them for an address or a name server
(draft-vixie-dnsop-dns-rpz §4)."""

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\Z")
_CANONICAL = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+"
    rf"(?!(?:[0-9]+|{'|'.join(RPZ_TRIGGERS)})\Z)"
    r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\Z"
)
"""A name that nothing is wrong with."""


class InvalidName(UsageError, ValueError):
    """The text is no owner name we would publish; `message` says why, `tip` what to write instead."""


def parse(text: str) -> Name:
    """Return `text` as a canonical name.

    Accepts only the canonical form itself, so that a stored name and its published form never differ:
    lower-case A-labels of `[a-z0-9_-]`, 1 to 63 octets, no hyphen at an edge, at least two labels, no trailing dot,
    no wildcard, not an IP address, top-level label neither all digits nor one of RPZ_TRIGGERS, at most 253 octets.

    Raises InvalidName.
    """
    if _CANONICAL.match(text):
        return Name(text)
    raise _fault(text)


def _fault(text: str) -> InvalidName:
    """Return the first reason why a text is no canonical name, by the order in which a person would look."""
    shown = printable(text, 80)
    if not text:
        return InvalidName("empty name", tip="write a name such as example.com")
    if not text.isascii():
        return InvalidName(f"{shown!r} is not ASCII", tip=_a_label_tip(text))
    if text != text.lower():
        return InvalidName(f"{shown!r} has upper-case letters", tip=f"write {printable(text.lower(), 80)!r}")
    if text.endswith("."):
        return InvalidName(f"{shown!r} ends with a dot", tip="leave the final dot out")
    if "*" in text:
        return InvalidName(f"{shown!r} has a wildcard", tip='write the name below the star, with scope = "subtree"')
    if _is_address(text):
        return InvalidName(f"{shown!r} is an IP address", tip="a DNS list holds names only")
    if len(text) > MAX_NAME:
        return InvalidName(f"{shown!r} has {len(text)} octets", tip=f"a name has at most {MAX_NAME}")
    labels = text.split(".")
    for label in labels:
        if not label:
            return InvalidName(f"{shown!r} has an empty label", tip="look for a doubled or leading dot")
        if len(label) > MAX_LABEL:
            return InvalidName(f"{shown!r} has a label of {len(label)} octets", tip=f"a label has at most {MAX_LABEL}")
        if not _LABEL.match(label):
            return InvalidName(
                f"{shown!r}: label {printable(label, 63)!r} is not made of a-z 0-9 _ - or has a hyphen at an edge",
                tip="a name alone: no scheme, path, port, quotes or blanks",
            )
    if len(labels) < 2:
        return InvalidName(f"{shown!r} has one label only", tip="a top-level domain is never blocked as a whole")
    if labels[-1] in RPZ_TRIGGERS:
        return InvalidName(f"{shown!r} is a trigger of policy zones", tip="list names, not addresses or name servers")
    return InvalidName(f"{shown!r} has an all-digit top-level label", tip="is it an IP address?")


def normalise(text: str) -> Name:
    """Return what a person typed as a canonical name: case, a final dot and U-labels are accepted (UTS 46).

    Raises InvalidName.
    """
    text = text.strip().removesuffix(".")
    if not text.isascii():
        text = to_a_label(text)
    return parse(text.lower())


def ancestors(name: str) -> Iterator[Name]:
    """Yield the proper ancestors, nearest first, the top-level label last."""
    while True:
        _, dot, name = name.partition(".")
        if not dot:
            return
        yield Name(name)


def at_or_below(name: str, apex: str) -> bool:
    """Tell whether `name` equals `apex` or lies below it."""
    return name == apex or name.endswith("." + apex)


def sort_key(name: str) -> tuple[str, ...]:
    """Key that sorts by labels from the right, so that a tree stays together and parents come first."""
    return tuple(reversed(name.split(".")))


def printable(text: str, limit: int = 200) -> str:
    """Return free text as one printable line of at most `limit` characters.

    CR, LF, other controls and Unicode line or format separators become blanks: text from outside can then
    neither end a comment line nor move a terminal's cursor.
    """
    if len(text) <= limit and text.isprintable() and " " not in text:
        return text  # nearly always
    line = " ".join(visible(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def visible(text: str) -> str:
    """Return text of the same length and spacing in which a blank stands for whatever is not printable."""
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def ascii_line(text: str, limit: int = 200) -> str:
    """Return free text as one line of printable ASCII, for files whose readers know nothing else."""
    line = " ".join(printable(text, max(limit, len(text))).encode("ascii", "replace").decode("ascii").split())
    return line if len(line) <= limit else (line[: max(limit - 3, 0)] + "...")[:limit]


def _is_address(text: str) -> bool:
    text = text.strip("[]")
    if ":" not in text and not text[-1:].isdigit():
        return False  # nearly always, and ipaddress takes its time to say so
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _a_label_tip(text: str) -> str:
    try:
        return f"write its A-label form {to_a_label(text)!r}"
    except InvalidName:
        return "write its A-label (xn--) form"


def to_a_label(text: str) -> str:
    """Return text that is not ASCII as UTS 46 maps it and RFC 5891 writes it; `parse` has still to judge it.

    Raises InvalidName.
    """
    import idna  # imported here: only names outside ASCII need its tables

    try:
        return idna.encode(text, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise InvalidName(
            f"{printable(text, 80)!r} is no internationalised name: {error}", tip="check its spelling"
        ) from None
