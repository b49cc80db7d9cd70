"""A policy whose own lists are too large to make each name a rule: merged and written in blocks. [I/O: reads lists]

The catalogue's rules keep their origins and losses; listed names are written by shapes (render/bulk.py). There is no
plan for such a file, for a plan names every change: `aidns render` alone writes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from msgspec import Struct, structs

from aidns import pipeline, psl
from aidns.blockset import is_gone
from aidns.errors import UnsafeError
from aidns.lists import own
from aidns.lists.compile import Compilation, compile_lists
from aidns.lists.sweep import set_apart
from aidns.model import BlockSet, Catalog, Policy
from aidns.names import Name
from aidns.pipeline import Memory, Prepared
from aidns.render import bulk, header
from aidns.render.base import Body, Format
from aidns.render.bulk import Document
from aidns.render.classes import MakeSet, Owners
from aidns.render.rpz import zone_length


class Merged(Struct, frozen=True):
    """A file ready to be written."""

    catalog: Catalog
    memory: Memory
    base: Prepared
    """The policy without its lists."""
    document: Document
    notes: tuple[str, ...]

    def blocks(self, now: int) -> Iterator[bytes]:
        """Yield the file. `now` in Unix seconds is its serial, too."""
        made = self.document
        body = Body(rows=made.rows, entries=(), weakened=made.weakened, notes=made.notes)
        head = header.lines(
            made.fmt,
            self.base.blockset,
            made.action,
            body,
            self.catalog,
            self.memory.verdicts,
            now,
            now,
            made.lines,
            made.names,
        )
        return made.blocks(head, now)


def merge(
    catalog: Catalog,
    policy: Policy,
    fmt: Format,
    now: int,
    memory: Memory,
    client_scope: str | None = None,
    template: Path | None = None,
    zone: str = "",
) -> Merged:
    """Return one policy and its lists in one format.

    Raises Inexpressible when the format cannot express it, UnsafeError when the policy has expired, a list is
    missing or none, a public suffix is listed, or nothing would be blocked.
    """
    base = pipeline.prepare(catalog, structs.replace(policy, list=()), now, memory, client_scope)
    job = bulk.start(fmt, _set_maker(policy, base.blockset), zone_length(zone), template, base.blockset)
    with ExitStack() as stack:
        compilation = compile_lists(
            own.open_lists(policy.list, stack),
            known=bulk.lists_known(job),
            rules=[rule for rule in base.selection.rules if not is_gone(rule, memory.verdicts)],
            names=base.blockset.known,
        )
    _refuse_suffixes(compilation)
    owners = {rule.name for rule in base.selection.rules}
    document = bulk.document(job, set_apart(compilation.compiled, owners))
    return Merged(catalog, memory, base, document, (*base.notes, *own.notes(policy.list, compilation.inputs, now)))


def _set_maker(policy: Policy, base: BlockSet) -> MakeSet:
    listed = own.origin(0) if len(policy.list) == 1 else "list"

    def make(owners: Owners, known: tuple[Name, ...]) -> BlockSet:
        return structs.replace(
            base,
            owners=owners,
            minimal=owners,
            known=known,
            origins={name: base.origins.get(name, listed) for name in owners},
        )

    return make


def _refuse_suffixes(compilation: Compilation) -> None:
    """Raise UnsafeError when a list blocks a public suffix: it would take every name of its registry."""
    suffixes = psl.icann_suffixes()
    answers = compilation.compiled
    caught = [name for names in (answers.trees, answers.exacts, answers.nested) for name in names if name in suffixes]
    if caught:
        more = f" and {len(caught) - 1} more" if len(caught) > 1 else ""
        raise UnsafeError(f"a list holds the public suffix {caught[0]}{more}", tip="take it out of the list")
