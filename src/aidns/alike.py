"""Replies that say the same of different names, read once. Pure.

A server answers every blocked name with the same octets behind the question: an SOA, an extended error. Reading them
takes longer than all else that is done with such a reply.
"""

from __future__ import annotations

from functools import lru_cache

from aidns import wire

_ONLY_OPT = 11
"""Octets of an OPT record without options: read sooner than looked up."""
_LONGEST = 512
"""Octets behind a question that may come again."""
_POINTER = 0xC0
_TO_QUESTION = b"\xc0\x0c"


def parse_alike(message: bytes, asked: tuple[str, str], end: int) -> wire.Reply:
    """Read a response as `wire.parse` does; `end` is where its question ends. Raises MessageError."""
    if end + _ONLY_OPT < len(message) < end + _LONGEST and message[end] < _POINTER:
        like = _read(message[2:12], end, message[end:])
        if like:
            ident = int.from_bytes(message[:2])
            return wire.Reply(
                ident, like.rcode, like.flags, asked, like.answers, like.authority, like.additional, like.ede
            )
    return wire.parse(message, asked)


@lru_cache(1024)
def _read(head: bytes, end: int, tail: bytes) -> wire.Reply | None:
    """Return the reply to a question that is not told, or None where what follows it points into it."""
    if _TO_QUESTION in tail:
        return None
    pointers_to_nowhere = b"\xff" * (end - 17) + b"\0\xff\xff\xff\xff"
    try:
        return wire.parse(b"\0\0" + head + pointers_to_nowhere + tail, ("", ""))
    except wire.MessageError:
        return None
