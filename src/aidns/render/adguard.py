"""AdGuard Home: `||d^` is a tree, `|d^` a name alone, `@@` an exception, `$important` the next stronger layer.

Measured on AdGuard Home 0.107.66 and urlfilter 0.20.0: an exception beats every block, `$important` blocks beat plain
exceptions, `@@…$important` beats those. So two layers of blocks and exceptions inside one another can be said; a block
that lies deeper is declared as lost.
"""

from __future__ import annotations

from aidns.blockset import nearest
from aidns.model import BlockSet
from aidns.names import Name
from aidns.render.base import Action, Body, Format, Row, loss
from aidns.render.trees import EXACT, SUBTREE, exceptions_alone, rule_entry

_LAYERS = 4
"""Blocks, exceptions, important blocks, important exceptions: each beats the one before, whatever its depth."""
_NOTHING = -1


def lower(blockset: BlockSet, action: Action, zone_length: int) -> Body:
    """Return one row a rule: `answer` is "block" or "pass", `below` its scope, `data` its modifiers.

    Layers are counted from the root: one more at each change from blocked to open or back, so that even ones block.
    """
    rows: list[Row] = []
    kept: list[Name] = []
    too_deep: list[Name] = []
    trees: dict[Name, int] = {}
    """Listed name -> layer in force below it."""
    for name, answer in blockset.minimal.items():
        above = nearest(blockset.minimal, name)
        outer = trees[above] if above else _NOTHING
        trees[name] = tree = outer + (answer.below_blocked != _blocks(outer))
        own = tree + (answer.self_blocked != answer.below_blocked)
        if own < _LAYERS:
            kept.append(name)
            rows += [_row(name, tree, SUBTREE)] if tree != outer else []
            rows += [_row(name, own, EXACT)] if own != tree else []
        elif answer.self_blocked or answer.below_blocked:
            too_deep.append(name)
    return Body(
        rows=tuple(rows),
        entries=tuple(rule_entry(n, blockset.minimal[n]) for n in kept),
        weakened=loss("exact", "leak", too_deep, "lies more than four layers of blocks and exceptions deep"),
        notes=("its exceptions (@@) hold against every other list of this AdGuard Home, too",)
        if any(row.answer == "pass" for row in rows)
        else (),
    )


def lower_allow(blockset: BlockSet, action: Action, zone_length: int) -> Body:
    """Return the exceptions alone, for an allowlist: it beats the rules of every blocklist."""
    return exceptions_alone(blockset)


def _blocks(layer: int) -> bool:
    return layer % 2 == 0


def _row(name: Name, layer: int, scope: str) -> Row:
    return Row(name, "block" if _blocks(layer) else "pass", scope, ("$important",) if layer >= 2 else ())


ADGUARD = Format(
    id="adguard",
    title="AdGuard filter list, complete alone",
    consumers=("AdGuard Home (measured: 0.107.66, urlfilter 0.20.0)",),
    template="adguard.j2",
    file_name="adguard.txt",
    comment="!",
    actions=(),
    lower=lower,
    covers="`||name^`: the name and everything below it, every type; `|name^`: itself alone",
    install="Filters, DNS blocklists, Add blocklist",
)
ADGUARD_ALLOW = Format(
    id="adguard-allow",
    title="AdGuard allowlist of the exceptions",
    consumers=ADGUARD.consumers,
    template="adguard-allow.j2",
    file_name="adguard-allow.txt",
    comment="!",
    actions=(),
    lower=lower_allow,
    allows=True,
    covers="an exception, in every list of this AdGuard Home",
    install="Filters, DNS allowlists, Add allowlist: only where another list blocks what this policy allows",
)
