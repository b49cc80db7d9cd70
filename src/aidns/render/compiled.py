"""Lists compiled without a catalogue, from their octets to the files. [I/O: reads streams and templates]"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from aidns import names
from aidns.blockset import canary
from aidns.lists.compile import Compilation, Input, compile_lists
from aidns.lists.tally import Summary
from aidns.model import ActionChoice, BlockSet, Policy, Selection
from aidns.names import Name
from aidns.render import bulk, header
from aidns.render.base import Format
from aidns.render.bulk import Document
from aidns.render.classes import MakeSet, Owners
from aidns.render.rpz import DEFAULT_ZONE_LENGTH

FALLBACK = ("null", "refuse")
"""Answers instead of the default action in formats that lack it, where the user named none."""
ORIGIN = "list"
_SHOWN = 8


def policy(name: str, action: str, fallback: tuple[str, ...] = ()) -> Policy:
    """Return the policy of compiled lists; `name` becomes the label of their canary.

    Raises InvalidName when it cannot.
    """
    names.parse(canary(name))
    return Policy(schema=1, title=name, id=name, action=ActionChoice(default=action, fallback=fallback))


def set_maker(of: Policy) -> MakeSet:
    """Return what makes block sets for a policy that selects nothing from a catalogue."""

    def make(owners: Owners, known: tuple[Name, ...]) -> BlockSet:
        return BlockSet(
            policy=of,
            client_scope="",
            owners=owners,
            minimal=owners,
            known=known,
            covered=(),
            idle=(),
            gone=(),
            origins=dict.fromkeys(owners, ORIGIN),
            canary=canary(of.id),
            selection=Selection(of, "", (), known, (), (), ()),
        )

    return make


class Made(Struct, frozen=True):
    """Compiled lists and their files, ready to be written."""

    policy: Policy
    compilation: Compilation
    documents: tuple[Document, ...]

    def blocks(self, document: Document, now: int) -> Iterator[bytes]:
        """Yield one of the files. `now` in Unix seconds is its serial, too."""
        return document.blocks(head(document, self.policy, self.compilation.inputs, now), now)


def compile_to(
    formats: Sequence[Format],
    inputs: Iterable[Input],
    of: Policy,
    *,
    exact: bool = False,
    zone_length: int = DEFAULT_ZONE_LENGTH,
) -> Made:
    """Compile lists once, for these formats.

    Raises Inexpressible, before anything is read or afterwards, when a format cannot say what is asked for,
    UnsafeError when nothing would be blocked, DataError for what is no list.
    """
    jobs = [bulk.start(fmt, set_maker(of), zone_length) for fmt in formats]
    compilation = compile_lists(inputs, exact=exact, known=any(map(bulk.lists_known, jobs)))
    return Made(of, compilation, tuple(bulk.document(job, compilation.compiled) for job in jobs))


def head(made: Document, of: Policy, inputs: Sequence[Summary], now: int) -> tuple[str, ...]:
    """Return the header as `Key: value` lines of printable ASCII.

    No line ends in something like a name, for some readers take the last word of any line.
    """
    sources = [names.printable(one.source, 60) for one in inputs]
    more = f" and {len(sources) - _SHOWN} more" if len(sources) > _SHOWN else ""
    fmt = made.fmt
    pairs = [
        ("Title", f"{of.title} ({fmt.title})"),
        ("Last modified", header.iso(now)),
        ("Version", str(now)),
        ("Syntax", f"{fmt.title}; covers {fmt.covers}"),
        ("Compiled from", f"{', '.join(sources[:_SHOWN])}{more} ({len(sources)} list(s))"),
        ("Action", header.action_word(made.action)),
        ("Counts", f"{made.names} names, {made.lines} lines"),
        header.canary_pair(fmt, set_maker(of)({}, ())),
        *(("Cannot express", f"{w.what} ({w.direction}), {w.count} name(s): {w.note}") for w in made.weakened),
        *(("Note", note) for note in made.notes),
    ]
    return tuple(names.ascii_line(f"{key}: {value}", 400) for key, value in pairs)


def spoken(compilation: Compilation) -> Iterator[str]:
    """Yield what was read, refused and left, for people."""
    for one in compilation.inputs:
        read = f"{_counted(one.lines, 'line')}, {_counted(one.names, 'name')}, {one.refused:,} refused"
        yield f"{names.printable(one.source)} ({one.syntax}): {read}"
        for refused in one.examples:
            text = f"{refused.text!r} " if refused.text else ""
            yield f"  line {refused.line}: {text}{refused.reason}"
        if one.refused > len(one.examples):
            yield f"  and {one.refused - len(one.examples):,} more; {_reasons(one.reasons)}"
    counts = compilation.compiled.counts
    said = {
        "repeated": counts.duplicates,
        "covered by a rule above": counts.covered,
        "undone by an exception": counts.overruled,
        "kept as exceptions": counts.exceptions,
        "left out as exceptions to no block": counts.idle,
    }
    rest = "".join(f", {count:,} {word}" for word, count in said.items() if count)
    yield f"together: {_counted(counts.names, 'name')}{rest}"


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def losses(made: Made) -> list[str]:
    """Return one line for each kind of rule that a format cannot keep whole."""
    return [
        f"{one.fmt.id}: {loss.count:,} {loss.what} rules ({loss.direction}): {names.printable(loss.note)}"
        for one in made.documents
        for loss in one.weakened
    ]


def _reasons(reasons: Mapping[str, int]) -> str:
    return "; ".join(f"{count:,} × {reason}" for reason, count in reasons.items())


def report(made: Made, paths: Sequence[str]) -> dict[str, object]:
    """Return the report as one JSON document; `paths` are where the files were written."""
    files = [
        {
            "path": path,
            "format": one.fmt.id,
            "action": one.action.name,
            "names": one.names,
            "lines": one.lines,
            "weakened": one.weakened,
        }
        for path, one in zip(paths, made.documents, strict=True)
    ]
    compilation = made.compilation
    return {
        "schema": "aidns/compile/1",
        "inputs": compilation.inputs,
        "counts": compilation.compiled.counts,
        "files": files,
    }
