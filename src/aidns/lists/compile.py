"""Anybody's lists, compiled: read block by block, sorted, reduced to the rules that are needed. [I/O: reads streams]"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from msgspec import Struct

from aidns.lists.keys import KNOWN, Marking, key_of
from aidns.lists.line import MAX_LINE, Syntax
from aidns.lists.parse import Parser
from aidns.lists.runs import Runs
from aidns.lists.sniff import BOM, SNIFFED, check_list, sniff
from aidns.lists.sweep import Compiled, Sweep
from aidns.lists.tally import Summary
from aidns.model import Rule
from aidns.names import MAX_LABEL, Name

BLOCK = 1 << 17
"""Octets read at once, after the first that tell the syntax: so few that what is made of them stays in a cache."""
_LOOSE = 1 << 16
"""Keys read one by one that are gathered before they become a run."""


class Input(Struct, frozen=True):
    """One list to read. `stream` is read to its end and stays open; `syntax` None means: find out."""

    source: str
    stream: BinaryIO
    syntax: Syntax | None = None
    exact: bool = False
    """Plain names mean themselves alone, not their trees."""
    allow: bool = False
    """Every name in it is an exception."""


class Compilation(Struct, frozen=True):
    """What some lists say together, and what was read from each."""

    compiled: Compiled
    inputs: tuple[Summary, ...]


def compile_lists(
    inputs: Iterable[Input],
    *,
    exact: bool = False,
    known: bool = False,
    rules: Iterable[Rule] = (),
    names: Iterable[Name] = (),
) -> Compilation:
    """Compile lists, and rules and known names besides, into the rules that are needed.

    `exact` says that most names are listed alone, which saves time; `known` keeps the names that a rule covers, for
    formats that can only list names.

    Raises DataError for what is no list.
    """
    runs = Runs()
    marking = Marking("exact" if exact else "subtree")
    loose = [key_of(rule.name, marking.letter(rule.scope, rule.blocks)) for rule in rules]
    loose += [key_of(name, KNOWN) for name in names]
    longest = max(MAX_LABEL, *map(len, loose)) if loose else MAX_LABEL
    summaries = []
    for one in inputs:
        first = one.stream.read(SNIFFED)
        check_list(first, one.source)
        syntax = one.syntax or sniff(first)
        parser = Parser(syntax, Marking(marking.usual, "exact" if one.exact else "subtree", one.allow))
        for block in blocks(first, one.stream, BLOCK):
            runs.add(parser.keys(block))
            loose += parser.take_found()
            if len(loose) >= _LOOSE:
                runs.add(sorted(loose))
                loose.clear()
        longest = max(longest, parser.longest)
        summaries.append(parser.tally.summary(one.source, syntax))
    runs.add(sorted(loose))
    sweep = Sweep(exact=exact, marked=runs.marked, known=known)
    for keys in runs.ranges():
        sweep.take(keys)
    return Compilation(sweep.result(longest), tuple(summaries))


def blocks(first: bytes, stream: BinaryIO, size: int) -> Iterator[bytes]:
    """Yield a stream, of which `first` was read already, in blocks of whole lines, each ended by a newline.

    A byte order mark in front is left out. Of a line that is too long, more than MAX_LINE octets remain, so that it
    is refused without being held.
    """
    rest = b""
    chunk = first.removeprefix(BOM)
    while chunk:
        end = chunk.rfind(b"\n") + 1
        if end:
            yield rest + chunk[:end]
            rest = chunk[end:]
        else:
            rest = (rest + chunk)[: MAX_LINE + 1]
        chunk = stream.read(size)
    if rest:
        yield rest + b"\n"
