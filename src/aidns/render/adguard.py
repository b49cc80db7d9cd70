"""AdGuard Home: `||d^` is a tree, `|d^` a name alone, `@@` an exception, `$important` the next stronger layer.

Measured on AdGuard Home 0.107.66 and urlfilter 0.20.0: an exception beats every block, `$important` blocks beat plain
exceptions, `@@…$important` beats those. So two layers of blocks and exceptions inside one another can be said; a block
that lies deeper is declared as lost.

It cannot load a list for some clients alone, so the rules of a scope with networks say themselves for whom they hold:
`$client=10.1.0.0/16|10.2.0.0/16`. Measured: such a rule does not hold for anybody else.
"""

from __future__ import annotations

from msgspec import structs

from aidns.blockset import nearest
from aidns.model import BlockSet
from aidns.names import Name
from aidns.render.base import Action, Body, Format, Row, client_networks, loss
from aidns.render.trees import EXACT, SUBTREE, exceptions_alone, rule_entry

_LAYERS = 4
"""Blocks, exceptions, important blocks, important exceptions: each beats the one before, whatever its depth."""
_NOTHING = -1
_OVER_OTHERS = ("its exceptions (@@) hold against every other list of this AdGuard Home, too",)

_FOR_ALL = (
    "AdGuard Home loads a list for all its clients: give this scope networks, and each rule says for whom it holds"
)


def lower(blockset: BlockSet, action: Action, zone_length: int) -> Body:
    """Return one row a rule: `answer` is "block" or "pass", `below` its scope, `data` its modifiers.

    Layers are counted from the root: one more at each change from blocked to open or back, so that even ones block.
    """
    networks = client_networks(blockset)
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
            rows += [_row(name, tree, SUBTREE, networks)] if tree != outer else []
            rows += [_row(name, own, EXACT, networks)] if own != tree else []
        elif answer.self_blocked or answer.below_blocked:
            too_deep.append(name)
    return Body(
        rows=tuple(rows),
        entries=tuple(rule_entry(n, blockset.minimal[n]) for n in kept),
        weakened=loss("exact", "leak", too_deep, "lies more than four layers of blocks and exceptions deep"),
        notes=(
            *(_OVER_OTHERS if any(row.answer == "pass" for row in rows) else ()),
            *_for_whom(blockset, networks),
        ),
    )


def lower_allow(blockset: BlockSet, action: Action, zone_length: int) -> Body:
    """Return the exceptions alone, for an allowlist: it beats the rules of every blocklist."""
    body, networks = exceptions_alone(blockset), client_networks(blockset)
    rows = tuple(Row(row.name, row.answer, data=_modifiers(networks)) for row in body.rows)
    return structs.replace(body, rows=rows, notes=_for_whom(blockset, networks))


def _for_whom(blockset: BlockSet, networks: tuple[str, ...]) -> tuple[str, ...]:
    """Return what to know of a scope: its clients are in the rules, or nowhere."""
    if networks:
        return ("each rule holds for the clients of this scope alone ($client): load the file as any other",)
    if blockset.client_scope:
        return (_FOR_ALL,)
    return ()


def _blocks(layer: int) -> bool:
    return layer % 2 == 0


def _row(name: Name, layer: int, scope: str, networks: tuple[str, ...]) -> Row:
    return Row(name, "block" if _blocks(layer) else "pass", scope, _modifiers(networks, important=layer >= 2))


def _modifiers(networks: tuple[str, ...], *, important: bool = False) -> tuple[str, ...]:
    """Return what follows a pattern, as one text; none where nothing does."""
    said = [*(["important"] if important else []), *([f"client={'|'.join(networks)}"] if networks else [])]
    return (f"${','.join(said)}",) if said else ()


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
