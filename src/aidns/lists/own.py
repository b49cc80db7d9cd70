"""A policy's own lists, read from files and from the cache. [I/O]"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from msgspec import Struct

from aidns import psl
from aidns.errors import DataError, UnsafeError
from aidns.lists import cache
from aidns.lists.cache import Copy
from aidns.lists.compile import BLOCK, Input, blocks
from aidns.lists.keys import MARK, Marking, key_of, name_of
from aidns.lists.line import Refusal
from aidns.lists.parse import Parser
from aidns.lists.sniff import SNIFFED, check_list, sniff
from aidns.lists.tally import Summary, Tally
from aidns.model import OwnList, Rule, Scope
from aidns.names import Name, ancestors, printable

MAX_OCTETS = 1 << 20
"""Of all lists of a policy together, up to which each name becomes a rule of its own: some 50,000 names."""
STALE = 7 * 86400
"""Seconds after which a copy is worth a warning."""


class Listed(Struct, frozen=True):
    """What a policy's lists say: rules, what was read from each list, and what a user should know."""

    rules: tuple[Rule, ...] = ()
    summaries: tuple[Summary, ...] = ()
    notes: tuple[str, ...] = ()


def origin(index: int) -> str:
    """Return what names of a policy's list at `index` come from."""
    return f"list:{index + 1}"


def is_large(lists: Sequence[OwnList], folder: Path | None = None) -> bool:
    """Tell whether lists hold too much to make each name a rule. Raises UnsafeError when one is missing."""
    return sum(_place(own, folder)[0].stat().st_size for own in lists) > MAX_OCTETS


def read_rules(lists: Sequence[OwnList], now: int, folder: Path | None = None) -> Listed:
    """Return the rules of a policy's lists; `now` in Unix seconds judges the age of copies.

    Raises UnsafeError when a list is missing, was never fetched or is none, and when all are too large together.
    """
    if is_large(lists, folder):
        raise UnsafeError(
            f"the policy's own lists have more than {MAX_OCTETS >> 20} MiB: too many names to plan each of them",
            tip="aidns render and aidns compile write lists of any size",
        )
    rules: list[Rule] = []
    summaries: list[Summary] = []
    with ExitStack() as stack:
        for index, (own, one) in enumerate(zip(lists, open_lists(lists, stack, folder), strict=True)):
            found, summary = _read(own, one, index)
            rules += found
            summaries.append(summary)
    return Listed(tuple(rules), tuple(summaries), notes(lists, summaries, now, folder))


def rules_about(lists: Sequence[OwnList], name: Name, folder: Path | None = None) -> tuple[Rule, ...]:
    """Return the rules of lists of any size that decide about one name.

    Raises UnsafeError when a list is missing, was never fetched or is none.
    """
    wanted = frozenset(key_of(one, "") for one in (name, *ancestors(name)))
    with ExitStack() as stack:
        opened = zip(lists, open_lists(lists, stack, folder), strict=True)
        return tuple(rule for index, (own, one) in enumerate(opened) for rule in _read(own, one, index, wanted)[0])


def open_lists(lists: Iterable[OwnList], stack: ExitStack, folder: Path | None = None) -> Iterator[Input]:
    """Open each list when it is its turn; the stack closes it. Raises UnsafeError when one is missing."""
    for own in lists:
        path, copy = _place(own, folder)
        stream = stack.enter_context(cache.read(copy) if copy else path.open("rb"))
        yield Input(own.path or own.url, stream, own.syntax or None, own.scope == "exact", not own.blocks)


def notes(
    lists: Iterable[OwnList], summaries: Iterable[Summary], now: int, folder: Path | None = None
) -> tuple[str, ...]:
    """Return what a user should know: copies that are old, lists of which something was refused."""
    found = []
    for own, one in zip(lists, summaries, strict=True):
        where = printable(one.source)
        _, copy = _place(own, folder)
        if copy and now - copy.confirmed > STALE:
            found.append(f"list {where} was last fetched {(now - copy.confirmed) // 86400} days ago")
        if one.refused:
            first = max(one.examples, key=lambda refused: (refused.line > 0, -refused.line))
            at = f"in line {first.line} " if first.line else ""
            found.append(f"list {where}: {one.refused} refused; {at}{first.text!r} {first.reason}")
    return tuple(found)


def _place(own: OwnList, folder: Path | None) -> tuple[Path, Copy | None]:
    """Return where a list lies, and the copy it is. Raises UnsafeError."""
    if own.path:
        path = Path(own.path)
        if not path.is_file():
            raise UnsafeError(f"list {printable(own.path)} does not exist", tip="mend its path in the policy")
        return path, None
    copy = cache.find(own.url, cache.directory() if folder is None else folder)
    if copy is None:
        raise UnsafeError(
            f"list {printable(own.url)} was never fetched", tip="aidns fetch --policy FILE fetches a policy's lists"
        )
    return copy.path, copy


def _read(own: OwnList, one: Input, index: int, wanted: frozenset[str] | None = None) -> tuple[list[Rule], Summary]:
    """Return the rules of a list, of these bare keys alone if given, in the order of its names."""
    first = one.stream.read(SNIFFED)
    try:
        check_list(first, printable(one.source))
    except DataError as error:
        raise UnsafeError(error.message, tip=error.tip) from None
    syntax = one.syntax or sniff(first)
    parser = Parser(syntax, Marking("subtree", own.scope, one.allow))
    keys: list[str] = []
    for some in blocks(first, one.stream, BLOCK):
        read = (*parser.keys(some), *parser.take_found())
        keys += read if wanted is None else (key for key in read if key.partition(MARK)[0] in wanted)
    said: dict[tuple[str, bool], str] = {}
    for key in sorted(keys):
        base, _, letter = key.partition(MARK)
        letter = letter or "S"
        where = (base, letter.isupper())
        said[where] = said.get(where, "") + letter.upper()
    rules = [
        Rule(name_of(base), scope, blocks, origin(index), own.reason, verdict_applies=False)
        for (base, blocks), letters in said.items()
        if (scope := _scope(name_of(base), letters, blocks, parser.tally))
    ]
    return rules, parser.tally.summary(one.source, syntax)


def _scope(name: Name, letters: str, blocks: bool, tally: Tally) -> Scope | None:
    """Return the scope of a rule; None, counted as a refusal, for one that no policy can hold."""
    tree = "S" in letters or {"E", "B"} <= {*letters}
    if not tree and "E" not in letters:
        tally.refuse(0, Refusal("is listed without itself: only what is below it", name))
        return None
    if blocks and psl.is_public_suffix(name):
        tally.refuse(0, Refusal("is a public suffix", name))
        return None
    return "subtree" if tree else "exact"
