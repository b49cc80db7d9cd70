"""Pi-hole lists: `||d^` covers a name and everything below it, a plain name itself alone.

Measured on FTL 6.4.1: no modifier, inline comment or trailing blank survives; a subscribed allow entry beats any
block entry however deep. Pi-hole's blocking mode decides the answer.
"""

from __future__ import annotations

from aidns import names
from aidns.blockset import decide, nearest
from aidns.model import BlockSet
from aidns.names import Name
from aidns.render.base import Action, Body, Format, Row, entry, loss


def lower(blockset: BlockSet, action: Action, zone_length: int) -> Body:
    """Return one row a blocked owner: `answer` is "subtree" or "exact". Exceptions need the allow list beside it."""
    blocked = {
        name: answer
        for name, answer in blockset.minimal.items()
        if (answer.self_blocked or answer.below_blocked) and not _covered_by_tree(blockset, name)
    }
    rows = tuple(Row(name, "subtree" if answer.below_blocked else "exact") for name, answer in blocked.items())
    excepted = [name for name, answer in blockset.minimal.items() if not answer.self_blocked]
    return Body(
        rows=rows,
        entries=tuple(entry(row.name, blocks=True, exact=row.answer == "exact") for row in rows),
        weakened=loss(
            "exception", "over-block", excepted, "blocks its exceptions unless the pihole-allow list is subscribed, too"
        ),
    )


def lower_allow(blockset: BlockSet, action: Action, zone_length: int) -> Body:
    """Return one row an exception. One with a block below it is written as its known names, each exactly."""
    rows: dict[Name, Row] = {}
    narrowed: list[Name] = []
    for name, answer in blockset.minimal.items():
        if answer.self_blocked:
            continue
        if answer.below_blocked:
            rows[name] = Row(name, "exact")
        elif _block_below(blockset, name):
            narrowed.append(name)
            for known in blockset.known:
                if names.at_or_below(known, name) and not decide(blockset.minimal, known):
                    rows.setdefault(known, Row(known, "exact"))
        else:
            rows[name] = Row(name, "subtree")
    ordered = tuple(rows[name] for name in sorted(rows, key=names.sort_key))
    return Body(
        rows=ordered,
        entries=tuple(entry(row.name, blocks=False, exact=row.answer == "exact") for row in ordered),
        weakened=loss(
            "exception",
            "over-block",
            narrowed,
            "lies above a block, so only its known names are allowed, not what else lies below it",
        ),
    )


def _covered_by_tree(blockset: BlockSet, name: Name) -> bool:
    """Tell whether a tree above is written already: Pi-hole has no longest match, so a deeper block adds nothing."""
    above = nearest(blockset.minimal, name)
    while above is not None:
        if blockset.minimal[above].below_blocked:
            return True
        above = nearest(blockset.minimal, above)
    return False


def _block_below(blockset: BlockSet, name: Name) -> bool:
    return any(
        (answer.self_blocked or answer.below_blocked) and other != name and names.at_or_below(other, name)
        for other, answer in blockset.minimal.items()
    )


PIHOLE = Format(
    id="pihole",
    title="Pi-hole blocklist",
    consumers=("Pi-hole ≥ 5.22 (grammar measured on FTL 6.4.1)",),
    template="pihole.j2",
    file_name="pihole.txt",
    comment="#",
    actions=(),
    lower=lower,
    covers="`||name^`: the name and everything below it, every type; a plain name: itself alone",
    install="add the file's address under Lists as a blocklist, then update gravity",
)
PIHOLE_ALLOW = Format(
    id="pihole-allow",
    title="Pi-hole allowlist of the exceptions",
    consumers=("Pi-hole ≥ 6.0 (grammar measured on FTL 6.4.1)",),
    template="pihole-allow.j2",
    file_name="pihole-allow.txt",
    comment="#",
    actions=(),
    lower=lower_allow,
    allows=True,
    covers="an exception, in every list of this Pi-hole",
    install="add the file's address under Lists as an allowlist, then update gravity",
)
