"""AdGuard Home: `||d^` is a tree, `|d^` a name alone, `@@` an exception, `$important` the next stronger layer.

Measured on AdGuard Home 0.107.66 and urlfilter 0.20.0: an exception beats every block, `$important` blocks beat plain
exceptions, `@@…$important` beats those. So two layers of blocks and exceptions inside one another can be said; what
lies deeper is declared.
"""

from __future__ import annotations

from aidns import names
from aidns.blockset import nearest
from aidns.model import BlockSet
from aidns.names import Name
from aidns.render.base import Action, Body, Format, Row, loss
from aidns.render.trees import exceptions_alone, rule_entry

_LAYERS = 4
"""Blocks, exceptions, important blocks, important exceptions: each beats the one before, whatever its depth."""


def lower(blockset: BlockSet, action: Action, zone_length: int) -> Body:
    """Return one row a rule: `answer` is "block" or "pass", `below` "subtree" or "exact", `data` its modifiers."""
    layers = {name: _layer(blockset, name) for name in blockset.minimal}
    rows: list[Row] = []
    too_deep: list[Name] = []
    for name, answer in blockset.minimal.items():
        own, tree = layers[name]
        if max(own, tree) >= _LAYERS:
            too_deep.append(name)
            continue
        if answer.self_blocked == answer.below_blocked:
            rows.append(_row(name, tree, "subtree"))
        else:
            if _changes(blockset, name, answer.below_blocked):
                rows.append(_row(name, tree, "subtree"))
            rows.append(_row(name, own, "exact"))
    blocked = [n for n in too_deep if blockset.minimal[n].self_blocked]
    passed = [n for n in too_deep if not blockset.minimal[n].self_blocked]
    note = "lies more than four layers of blocks and exceptions deep"
    kept = [n for n in blockset.minimal if n not in too_deep]
    return Body(
        rows=tuple(rows),
        entries=tuple(rule_entry(n, blockset.minimal[n]) for n in kept),
        weakened=(*loss("exact", "leak", blocked, note), *loss("exception", "over-block", passed, note)),
    )


def lower_allow(blockset: BlockSet, action: Action, zone_length: int) -> Body:
    """Return the exceptions alone, for an allowlist: it beats the rules of every blocklist."""
    return exceptions_alone(blockset)


def _layer(blockset: BlockSet, name: Name) -> tuple[int, int]:
    """Return the layers of the owner itself and of what lies below it: one more at each change on the way down."""
    path = [name, *(a for a in names.ancestors(name) if a in blockset.minimal)]
    layer, state = -1, False
    for owner in reversed(path):
        answer = blockset.minimal[owner]
        own = layer + 1 if answer.self_blocked != state else layer
        if owner == name:
            below = layer + 1 if answer.below_blocked != state else layer
            if answer.self_blocked != answer.below_blocked:
                own = max(own, below + 1) if answer.below_blocked != state else own
            return own, below
        if answer.below_blocked != state:
            layer, state = layer + 1, answer.below_blocked
    raise AssertionError("a listed name lies on its own path")


def _changes(blockset: BlockSet, name: Name, below: bool) -> bool:
    above = nearest(blockset.minimal, name)
    return below != (above is not None and blockset.minimal[above].below_blocked)


def _row(name: Name, layer: int, scope: str) -> Row:
    return Row(name, "block" if layer % 2 == 0 else "pass", scope, ("$important",) if layer >= 2 else ())


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
