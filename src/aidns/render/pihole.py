"""Pi-hole lists: `||d^` covers a name and everything below it, a plain name itself alone.

Measured on FTL 6.4.1: no modifier, inline comment or trailing blank survives; a subscribed allow entry beats any
block entry however deep. Pi-hole's blocking mode decides the answer.
"""

from __future__ import annotations

from aidns.model import BlockSet
from aidns.render.base import Action, Body, Format
from aidns.render.trees import blocks_alone, exceptions_alone


def lower(blockset: BlockSet, action: Action, zone_length: int) -> Body:
    """Return one row a blocked owner. Exceptions need the allow list beside it."""
    remedy = "blocks its exceptions unless the pihole-allow list is subscribed, too"
    return blocks_alone(blockset, exact=True, remedy=remedy)


def lower_allow(blockset: BlockSet, action: Action, zone_length: int) -> Body:
    """Return one row an exception."""
    return exceptions_alone(blockset)


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
