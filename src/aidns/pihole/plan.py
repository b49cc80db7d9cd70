"""What a Pi-hole should hold for one policy, and the steps from what it holds to that. Pure.

Pi-hole binds lists to clients by groups. A client that has an entry of its own is in its own groups alone, so a network
that is entered here stays in `Default`, too: the lists that everybody has go on holding for it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

from msgspec import Struct

from aidns.errors import UsageError
from aidns.names import printable
from aidns.pipeline import Prepared
from aidns.render.artefact import path_of
from aidns.render.base import Network
from aidns.render.pihole import PIHOLE, PIHOLE_ALLOW
from aidns.render.trees import exceptions_alone

DEFAULT = 0
"""Id of the group that every client without an entry is in; its name can be changed."""
_ADDRESS = re.compile(r"(?:https?|file)://[A-Za-z0-9:/?&%=~._()*+,;-]+")
"""What gravity fetches (its own check, read in Pi-hole 6.2.2)."""


class Target(Struct, frozen=True):
    """One client scope: its group (none for a policy without scopes), its lists as (type, address), its networks."""

    group: str
    lists: tuple[tuple[str, str], ...]
    networks: tuple[str, ...] = ()


class Group(Struct, frozen=True):
    """A group as the API tells it."""

    id: int
    name: str
    enabled: bool = True


class Subscribed(Struct, frozen=True):
    """A list as the API tells it."""

    address: str
    type: str
    groups: tuple[int, ...] = ()
    enabled: bool = True
    comment: str | None = None
    status: int = 0
    """After a run of gravity: 1 updated, 2 unchanged, 3 failed but an old copy is used, 4 failed."""
    invalid_domains: int = 0


class Client(Struct, frozen=True):
    """A client as the API tells it: an address, a network, or a name of another kind."""

    client: str
    groups: tuple[int, ...] = ()
    comment: str | None = None


class Present(Struct, frozen=True):
    """What a Pi-hole holds now."""

    groups: tuple[Group, ...]
    lists: tuple[Subscribed, ...] = ()
    clients: tuple[Client, ...] = ()


class Step(Struct, frozen=True):
    """One change. Its groups are the ids in `keep` and, once it exists, the group `join`."""

    kind: Literal["group", "list", "client"]
    item: str
    says: str
    exists: bool = False
    type: str = ""
    keep: tuple[int, ...] = ()
    join: str = ""
    comment: str = ""


class Plan(Struct, frozen=True):
    """The steps in their order, and what somebody should look at."""

    steps: tuple[Step, ...]
    notes: tuple[str, ...]


def target(prepared: Prepared, base: str) -> Target:
    """Return what one client scope of a policy wants, with its lists below the address `base`.

    A scope that blocks nothing has no lists, but its clients are not those of a wider scope. The allow list is wanted
    only where it holds an exception: it lifts blocks of every other list, too.
    Raises UsageError for an address that Pi-hole would not fetch.
    """
    blockset = prepared.blockset
    scope = next((scope for scope in blockset.policy.scope if scope.name == blockset.client_scope), None)
    wanted = [("block", PIHOLE)] if prepared.blocks else []
    wanted += [("allow", PIHOLE_ALLOW)] if wanted and exceptions_alone(blockset).rows else []
    lists = tuple((kind, f"{base.rstrip('/')}/{path_of(fmt, blockset)}") for kind, fmt in wanted)
    for _, address in lists:
        if not _ADDRESS.fullmatch(address):
            tip = "http://, https:// or file://, and plain characters after it: no blanks, @, #, quotes or umlauts"
            raise UsageError(f"Pi-hole fetches no list from {printable(address)!r}", tip=tip)
    if scope is None:
        return Target("", lists)
    return Target(f"{_prefix(blockset.policy.id)}{scope.name}", lists, scope.networks)


def plan(targets: Sequence[Target], present: Present, policy: str) -> Plan:
    """Return the steps that make `present` hold the targets of a policy; none when it does."""
    ids = {group.name: group.id for group in present.groups}
    own = {number for name, number in ids.items() if name.startswith(_prefix(policy))}
    steps = (
        *(_group(one, policy) for one in targets if one.group and one.group not in ids),
        *(step for one in targets for step in _lists(one, present, ids, own, policy)),
        *(step for one in targets for step in _clients(one, present, ids, own, policy)),
        *_leaving(targets, present, own),
    )
    return Plan(steps, tuple(_notes(targets, present, ids, own)))


def trouble(targets: Iterable[Target], lists: Iterable[Subscribed]) -> list[str]:
    """Return what gravity could not do with the targets' lists."""
    ours = {address for one in targets for _, address in one.lists}
    found = []
    for one in lists:
        if one.address in ours and one.status not in (1, 2):
            found.append(f"{printable(one.address)} could not be fetched")
        elif one.address in ours and one.invalid_domains:
            found.append(f"{printable(one.address)} holds {one.invalid_domains} entries that Pi-hole cannot read")
    return found


def _prefix(policy: str) -> str:
    return f"aidns:{policy}:"


def _group(one: Target, policy: str) -> Step:
    return Step("group", one.group, f"create group {one.group}", comment=f"aidns policy {policy}")


def _lists(one: Target, present: Present, ids: dict[str, int], own: set[int], policy: str) -> Iterator[Step]:
    """Yield a step for each list that is not there, is off, or is not in its scope's group and in no other of ours."""
    here = ids.get(one.group, -1) if one.group else DEFAULT
    where = f"group {one.group}" if one.group else "everybody"
    for kind, address in one.lists:
        found = next((entry for entry in present.lists if (entry.address, entry.type) == (address, kind)), None)
        # A list for some clients that stays in Default holds for everybody.
        others = () if found is None else tuple(g for g in found.groups if g not in own | {here, DEFAULT})
        keep = others if one.group else (DEFAULT, *others)
        if found is None:
            says = f"add {kind} list {address} for {where}"
        elif not found.enabled or {*found.groups} != {*others, here}:
            says = f"change {kind} list {address}: for {where}{', switched on' if not found.enabled else ''}"
        else:
            continue
        comment = f"aidns policy {policy}" if found is None or found.comment is None else found.comment
        yield Step("list", address, says, found is not None, kind, keep, one.group, comment)


def _clients(one: Target, present: Present, ids: dict[str, int], own: set[int], policy: str) -> Iterator[Step]:
    here = ids.get(one.group, -1)
    for text in one.networks:
        found = next((entry for entry in present.clients if _network(entry.client) == _network(text)), None)
        if found is None:
            says = f"add client {text} to group {one.group} (and to Default, whose lists go on holding)"
            yield Step("client", text, says, False, "", (DEFAULT,), one.group, f"aidns policy {policy}")
        elif {*found.groups} & own != {here}:
            keep = tuple(group for group in found.groups if group not in own)
            says = f"change client {text}: to group {one.group}"
            yield Step("client", found.client, says, True, "", keep, one.group, found.comment or "")


def _leaving(targets: Sequence[Target], present: Present, own: set[int]) -> Iterator[Step]:
    """Yield a step for each client that is in a group of the policy's though no scope has its network any more."""
    wanted = {_network(text) for one in targets for text in one.networks}
    for entry in present.clients:
        if own.intersection(entry.groups) and _network(entry.client) not in wanted:
            keep = tuple(group for group in entry.groups if group not in own)
            says = f"take client {printable(entry.client)} out of the policy's groups: no scope names it"
            yield Step("client", entry.client, says, True, "", keep, "", entry.comment or "")


def _notes(targets: Sequence[Target], present: Present, ids: dict[str, int], own: set[int]) -> Iterator[str]:
    for one in targets:
        if one.group and not one.networks:
            yield f"group {one.group} gets no clients: its scope names no networks"
        for entry in present.clients:
            inside = [text for text in one.networks if _lies_in(entry.client, text)]
            if inside and not own.intersection(entry.groups):
                yield f"client {printable(entry.client)} in {inside[0]} has an entry of its own, so the group misses it"
    names = {one.group for one in targets}
    for group in present.groups:
        if group.id in own and group.name not in names:
            yield f"group {printable(group.name)} is of no scope any more: remove it, and lists that are in it alone"
        elif group.name in names and not group.enabled:
            yield f"group {printable(group.name)} is switched off: its lists hold for nobody"


def _network(text: str) -> Network | str:
    """Return the network that a client is; the text itself for one of another kind."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return text


def _lies_in(client: str, text: str) -> bool:
    """Tell whether a client is an address or a network inside another, and not the same."""
    inner: Any = _network(client)
    outer = ipaddress.ip_network(text)
    return not isinstance(inner, str) and inner.version == outer.version and inner != outer and inner.subnet_of(outer)
