"""What each format says that it cannot express: losses to expect, neither leaks nor over-blocks. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection

from aidns import names
from aidns.blockset import nearest
from aidns.errors import UsageError
from aidns.model import BlockSet
from aidns.names import Name, printable

Loss = Callable[[BlockSet, Name, str, bool], bool]
"""(block set, name, rdtype, blocked by the policy) -> whether the format declares that it answers otherwise."""


def declared(formats: Collection[str], blockset: BlockSet, name: Name, rdtype: str, blocked: bool) -> bool:
    """Tell whether the formats loaded together declare that the server's answer will differ from the policy's.

    Raises UsageError for an unknown format.
    """
    for unknown in (name for name in formats if name not in LOSSES):
        tip = f"one of {', '.join(LOSSES)}"
        raise UsageError(f"nothing is known of what format {printable(unknown, 40)!r} cannot express", tip=tip)
    if {"pihole", "pihole-allow"} <= set(formats):
        return _pihole_pair(blockset, name, rdtype, blocked)
    losses = [LOSSES[format_id] for format_id in formats]
    return bool(losses) and all(loss(blockset, name, rdtype, blocked) for loss in losses)


def _nothing(_blockset: BlockSet, _name: Name, _rdtype: str, _blocked: bool) -> bool:
    return False


def _hosts(blockset: BlockSet, name: Name, rdtype: str, blocked: bool) -> bool:
    """Hosts files hold addresses of exact names: those known, and `www.` of each tree's apex."""
    tree = blockset.owners.get(Name(name.removeprefix("www.")))
    listed = name in blockset.owners or name in blockset.known or bool(tree and tree.below_blocked)
    return blocked and (rdtype not in ("A", "AAAA") or not listed)


def _unbound(blockset: BlockSet, name: Name, _rdtype: str, blocked: bool) -> bool:
    """An exact exception inside a blocked tree opens the tree below it: a transparent zone has no edge downwards."""
    above = nearest(blockset.minimal, name)
    if not blocked or name in blockset.minimal or above is None:
        return False
    answer = blockset.minimal[above]
    return answer.below_blocked and not answer.self_blocked


def _pihole(blockset: BlockSet, name: Name, _rdtype: str, blocked: bool) -> bool:
    """A blocklist alone holds no exceptions, so they stay blocked."""
    owners = (blockset.owners.get(owner) for owner in (name, *names.ancestors(name)))
    return not blocked and any(answer is not None and answer.below_blocked for answer in owners)


def _pihole_pair(blockset: BlockSet, name: Name, rdtype: str, blocked: bool) -> bool:
    """An allow entry beats every block entry, so an exception with a block below it opens its known names alone."""
    above = name if name in blockset.owners else nearest(blockset.owners, name)
    if not _pihole(blockset, name, rdtype, blocked) or name in blockset.known or above is None or above == name:
        return False
    return any(answer.self_blocked and names.at_or_below(owner, above) for owner, answer in blockset.owners.items())


LOSSES: dict[str, Loss] = {
    "pihole": _pihole,
    "pihole-allow": _nothing,
    "unbound": _unbound,
    "rpz": _nothing,
    "rpz-allow": _nothing,
    "hosts": _hosts,
}
"""Format id -> the losses it declares."""
