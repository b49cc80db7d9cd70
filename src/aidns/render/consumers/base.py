"""What a consumer is: a program that reads our files, what it was seen to do with them, how to make it load them."""

from __future__ import annotations

from msgspec import Struct

UNKNOWN = "not measured"


class Snippet(Struct, frozen=True):
    """A piece of configuration, ready to be copied."""

    where: str
    """Where it belongs, as half a sentence."""
    text: str
    language: str = ""


class Seen(Struct, frozen=True):
    """What the consumer was seen to do; each value a few words for a table."""

    subdomains: str = UNKNOWN
    types: str = UNKNOWN
    cname: str = UNKNOWN
    """Is a name blocked that is an alias (CNAME) of a blocked one?"""
    exceptions: str = UNKNOWN
    answers: str = UNKNOWN


class Consumer(Struct, frozen=True):
    """A program, or one way of loading lists into it."""

    id: str
    """The id of the lab's kind of server, where the lab can start it."""
    title: str
    formats: tuple[str, ...]
    versions: str
    measured: str = ""
    """Versions that were tried; empty when only its manual or source was read."""
    seen: Seen = Seen()
    path: str = ""
    """Where the snippets expect the list."""
    before: tuple[str, ...] = ()
    """What to do before the snippets count: a check, a conversion."""
    snippets: tuple[Snippet, ...] = ()
    after: tuple[str, ...] = ()
    """What makes the consumer read a new list, and what to know."""
