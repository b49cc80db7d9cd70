"""What a format is: a template, the rows it is given, the actions it knows, and what it cannot express."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from aidns.blockset import decide
from aidns.errors import DataError, UnsafeError
from aidns.model import BlockSet, ClientScope, Garden, Weakened
from aidns.names import Name, ascii_line, parse, printable
from aidns.policy import ADDRESSED

SERVER_DEFINED = "server-defined"
"""The consumer's own setting decides the answer; that weakens nothing."""


class Inexpressible(UnsafeError):
    """This format cannot say what the policy asks for; others may."""


class EmptyList(UnsafeError):
    """Nothing would be blocked: an empty list would quietly end all protection."""


class Action(Struct, frozen=True):
    """The answer chosen for blocked names in one format."""

    name: str
    garden: Garden = Garden()


class Row(Struct, frozen=True):
    """One owner as a template sees it. What `answer` and `below` hold is the format's own business."""

    name: Name
    answer: str = ""
    below: str = ""
    data: tuple[str, ...] = ()


class Body(Struct, frozen=True):
    """What a format makes of a block set: rows for the template, neutral entries for plans, and losses.

    An entry is `block|allow subtree|exact NAME`.
    """

    rows: tuple[Row, ...]
    entries: tuple[str, ...]
    weakened: tuple[Weakened, ...] = ()
    notes: tuple[str, ...] = ()
    """What a reader of the file should know besides."""


class Format(Struct, frozen=True):
    """A format's declaration.

    `lower` turns a block set, an action and the octets of a zone's name into a body; it may raise Inexpressible.
    """

    id: str
    title: str
    consumers: tuple[str, ...]
    template: str
    file_name: str
    comment: str
    actions: tuple[str, ...]
    """Actions it can answer with; empty when the consumer decides (server-defined)."""
    lower: Callable[[BlockSet, Action, int], Body]
    zoned: bool = False
    """A zone file, which a consumer loads under a name of its own."""
    allows: bool = False
    """An allow list: it accompanies a block list and may hold nothing but its canary."""
    covers: str = ""
    """One sentence: names and types that a listed name covers in this format."""
    install: str = ""
    canary: str = "answers 0.0.0.0 and ::"
    """What happens to the canary where this file is loaded."""


def choose_action(fmt: Format, blockset: BlockSet) -> Action:
    """Return the action this format gives the policy's names: the default, else the first fallback it knows.

    Raises Inexpressible when the format can express none of them: weaker is not decided silently; DataError for a
    policy without an action.
    """
    choice = blockset.policy.action
    if choice is None:
        raise DataError(f"policy {blockset.policy.id} has no [action]", tip='write default = "nxdomain" there')
    wanted = (choice.default, *choice.fallback)
    negative = bypass_names(blockset)
    if choice.default == "log-only" and "log-only" not in fmt.actions:
        raise Inexpressible(
            f"{fmt.id} cannot log without blocking", tip="use --format unbound, or choose a blocking action"
        )
    if negative and (not fmt.actions or "nxdomain" not in fmt.actions):
        raise Inexpressible(
            f"{fmt.id} cannot promise a negative answer for {negative[0]} and {len(negative) - 1} more",
            ["an address there tells clients to bypass this resolver, or delays them"],
            tip="use --format unbound or rpz",
        )
    if negative and (addressed := ADDRESSED.intersection(wanted)):
        raise Inexpressible(
            f"{negative[0]} must never be answered with an address, as {' and '.join(sorted(addressed))} would",
            tip="keep bypass names in a policy of their own, with default = 'nxdomain' and no other fallback",
        )
    if not fmt.actions:
        return Action(SERVER_DEFINED)
    for name in wanted:
        if name in fmt.actions:
            return Action(name, sound(choice.walled_garden))
    raise Inexpressible(
        f"{fmt.id} cannot answer with {' or '.join(wanted)}",
        tip=f"it knows {', '.join(fmt.actions)}: name one under fallback in the policy's [action], or as --action",
    )


def check_rows(rows: tuple[Row, ...]) -> None:
    """Let nothing but names and single lines of ASCII near a template: the last gate before it. Raises DataError."""
    for row in rows:
        try:
            parse(row.name)
        except ValueError as error:
            raise DataError(f"a list can hold no such name: {error}") from None
        for text in (row.answer, row.below, *row.data):
            if not (text.isascii() and text.isprintable()):
                raise DataError(f"a line for {row.name} cannot hold {ascii_line(text, 80)!r}")


def sound(garden: Garden) -> Garden:
    """Return the garden if it holds addresses and a name and nothing else. Raises DataError."""
    try:
        if garden.a:
            ipaddress.IPv4Address(garden.a)
        if garden.aaaa and ipaddress.IPv6Address(garden.aaaa).scope_id is not None:
            raise ValueError("an address with a scope is good on one link alone")
        if garden.cname:
            parse(garden.cname)
    except ValueError as error:
        raise DataError(f"the walled garden is no address or name: {printable(str(error))}") from None
    return garden


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def client_networks(blockset: BlockSet) -> tuple[str, ...]:
    """Return the networks of the block set's client scope in canonical form; none where it names none.

    What lies in a narrower network of another scope is that scope's own, so it is cut out.
    Raises DataError for what is no network: a consumer might read it as something else.
    """
    scopes = blockset.policy.scope
    own = [net for scope in scopes if scope.name == blockset.client_scope for net in _networks(scope)]
    others = [net for scope in scopes if scope.name != blockset.client_scope for net in _networks(scope)]
    parts = [part for net in own for part in _without(net, sorted(others, key=lambda other: other.prefixlen))]
    return tuple(str(n.network_address if n.num_addresses == 1 else n) for n in dict.fromkeys(parts))


def _networks(scope: ClientScope) -> list[Network]:
    try:
        if any("%" in text for text in scope.networks):
            raise ValueError("a network on one link alone")
        return [ipaddress.ip_network(text) for text in scope.networks]
    except ValueError as error:
        raise DataError(f"scope {ascii_line(scope.name)}: {printable(str(error))}") from None


def _without(network: Network, others: list[Network]) -> list[Network]:
    """Return what is left of a network without the narrower ones in it; `others` are sorted, the widest first."""
    left: list[Any] = [network]
    for other in others:
        around = next((p for p in left if p.version == other.version and other != network and other.subnet_of(p)), None)
        if around:
            at = left.index(around)
            left[at : at + 1] = sorted(around.address_exclude(other))
    return left


def bypass_names(blockset: BlockSet) -> list[Name]:
    """Return the bypass names that are blocked: only ever answered negatively, whatever the policy's action."""
    chosen = (rule.name for rule in blockset.selection.rules if rule.blocks and rule.origin.startswith("bypass:"))
    return [name for name in dict.fromkeys(chosen) if decide(blockset.minimal, name)]


def listed_canary(fmt: Format, blockset: BlockSet) -> Name:
    """Return the canary a list holds: an allow list another than the block list's, which it would undo."""
    return parse(f"allow.{blockset.canary}") if fmt.allows else blockset.canary


def entry(name: Name, *, blocks: bool, exact: bool) -> str:
    """Return a rule in the notation of plans."""
    return f"{'block' if blocks else 'allow'} {'exact' if exact else 'subtree'} {name}"


def loss(what: Any, direction: Any, names: list[Name], note: str) -> tuple[Weakened, ...]:
    """Return the report of one kind of loss; empty when no name is concerned."""
    return (Weakened(what, direction, len(names), note, tuple(names)),) if names else ()
