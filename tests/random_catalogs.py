"""Random catalogues and policies, names drawn to hurt, and a slow reading of what a policy says about a name.

The slow reading shares nothing with the program but the types: it walks up from the name that is asked for.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Sequence

from aidns import names
from aidns.model import (
    ActionChoice,
    Catalog,
    CatalogInfo,
    ClientScope,
    Dependency,
    Domain,
    Garden,
    InlineAllow,
    InlineBlock,
    OwnedName,
    Policy,
    Provider,
    Select,
    Selector,
    Service,
    ServiceException,
)
from aidns.names import Name

LABELS = ("a", "b", "c", "x-1", "_u", "xn--bcher-kva", "nx-d", "0", "l" * 63)
ROLES = ("web", "api", "auth")
CATEGORIES = ("chat", "image")
GARDEN = Garden(a="198.51.100.7", aaaa="2001:db8::7")
LONGEST = 241
"""Octets of the longest owner that fits below a policy zone called `rpz.aidns` with `*.` before it."""
TODAY = dt.date(2026, 11, 22)
_SHARING = ("exclusive", "exclusive", "exclusive", "tenant", "vendor")


def draw_catalog(rng: random.Random, apexes: Sequence[str]) -> Catalog:
    """Return a catalogue of a dozen services whose names lie in one another, up to five deep."""
    owned: dict[Name, OwnedName] = {}
    for apex in apexes:
        for _ in range(rng.randint(1, 7)):
            name, service = draw_name(rng, apex), f"service{rng.randrange(12)}"
            sharing = rng.choice(_SHARING)
            scope = "exact" if sharing == "tenant" else rng.choice(("subtree", "subtree", "exact"))
            owned[name] = OwnedName(
                name, Domain(name=name, role=rng.choice(ROLES), scope=scope, sharing=sharing), service
            )  # type: ignore[arg-type]
    by_service = {
        f"service{i}": [one.domain for one in owned.values() if one.service == f"service{i}"] for i in range(12)
    }
    services = {
        service: Service(
            schema=1,
            title=service,
            provider=f"provider{rng.randrange(4)}",
            categories=(rng.choice(CATEGORIES),),
            domains=tuple(domains),
            dependencies=tuple(
                Dependency(name=rng.choice(list(owned)), breaks="much") for _ in range(rng.randrange(3))
            ),
            id=service,
        )
        for service, domains in by_service.items()
    }
    return Catalog(
        info=CatalogInfo(
            schema=1, title="drawn", homepage="https://example.net/", issues="https://example.net/", license="CC-BY-4.0"
        ),
        providers={f"provider{i}": Provider(schema=1, title=f"provider{i}", id=f"provider{i}") for i in range(4)},
        services=services,
        measures={}, policies={}, vocab={}, shared=(), regions={}, parking=(), rejected=(), lookalikes=(), bypass=(),
        waivers=(),
        names=tuple(owned[name] for name in sorted(owned, key=names.sort_key)),
    )  # fmt: skip


def draw_name(rng: random.Random, apex: str) -> Name:
    """Return a name up to four labels below an apex, now and then the longest that a policy zone can hold."""
    labels = [rng.choice(LABELS) for _ in range(rng.randint(0, 4))]
    while len(".".join([*labels, apex])) > LONGEST:
        labels.pop()
    if rng.random() < 0.04:
        while (room := LONGEST - len(".".join([*labels, apex])) - 1) > 0:
            labels.insert(0, "z" * min(63, room))
    return names.parse(".".join([*labels, apex]))


def draw_policy(rng: random.Random, catalog: Catalog, apexes: Sequence[str], action: str) -> Policy:
    """Return a policy that selects, excludes, excepts for some clients, and blocks and allows names of its own."""
    listed = [one.name for one in catalog.names]

    def selector() -> Selector:
        return rng.choice(
            (
                Selector(service=tuple(rng.sample(list(catalog.services), 3))),
                Selector(provider=(f"provider{rng.randrange(4)}",)),
                Selector(category=(rng.choice(CATEGORIES),), role=(rng.choice(ROLES),)),
                Selector(category=(rng.choice(CATEGORIES),), sharing=("exclusive", "vendor")),
            )
        )

    def own() -> Name:
        return rng.choice(listed) if rng.random() < 0.5 else draw_name(rng, rng.choice(apexes))

    def scope() -> str:
        return rng.choice(("subtree", "exact"))

    return Policy(
        schema=1,
        title="drawn",
        id="drawn",
        select=Select(
            include=tuple(selector() for _ in range(rng.randint(1, 3))),
            exclude=tuple(selector() for _ in range(rng.randrange(2))),
        ),
        action=ActionChoice(default=action, fallback=tuple(rng.sample(("null", "nxdomain"), 2)), walled_garden=GARDEN),
        scope=(ClientScope(name="staff"), ClientScope(name="guests")),
        exception=tuple(
            ServiceException(
                service=(rng.choice(list(catalog.services)),), reason="drawn", scopes=rng.choice(((), ("staff",)))
            )
            for _ in range(rng.randrange(3))
        ),
        block=tuple(InlineBlock(name=own(), reason="drawn", scope=scope()) for _ in range(rng.randint(2, 8))),  # type: ignore[arg-type]
        allow=tuple(InlineAllow(name=own(), reason="drawn", scope=scope()) for _ in range(rng.randint(0, 8))),  # type: ignore[arg-type]
    )


def says(catalog: Catalog, policy: Policy, scope: str, qname: str) -> bool:
    """Tell whether a policy blocks a name: the deepest listed owner decides, and there an exception wins.

    What an allowed service merely needs is no exception where the policy blocks that very name itself.
    """
    for owner in (qname, *names.ancestors(qname)):
        here = [blocks for tree, blocks in _rules(catalog, policy, scope, owner) if tree or owner == qname]
        if here:
            return all(here)
    return False


def _rules(catalog: Catalog, policy: Policy, scope: str, owner: str) -> Iterator[tuple[bool, bool]]:
    """Yield (with all below it?, blocks?) of everything that the policy says about one owner."""
    for one in catalog.names:
        if one.name == owner and any(
            _takes(chosen, catalog.services[one.service], one, default=("exclusive", "tenant"))
            for chosen in policy.select.include
        ):
            yield one.scope == "subtree", True
    for entry in (*policy.block, *policy.allow):
        if entry.name == owner:
            yield entry.scope == "subtree", isinstance(entry, InlineBlock)
    for service in catalog.services.values():
        excluding = [e for e in policy.select.exclude if _takes(e, service, None, default=())]
        excepting = [e for e in policy.exception if service.id in e.service and (not e.scopes or scope in e.scopes)]
        for one in catalog.names:
            if one.name != owner:
                continue
            taken = any(_takes(e, service, one, default=("exclusive", "vendor", "tenant")) for e in excluding)
            if one.service == service.id and (excepting or taken):
                yield one.scope == "subtree", False
        needed = owner in {need.name for need in service.dependencies} - {block.name for block in policy.block}
        if needed and (excepting or any(not e.role for e in excluding)):
            listed = [one for one in catalog.names if one.name == owner]
            yield all(one.scope == "subtree" for one in listed), False


def _takes(selector: Selector, service: Service, one: OwnedName | None, default: tuple[str, ...]) -> bool:
    """Tell whether a selector takes a service, and one of its names if that is given."""
    of_service = (
        (not selector.service or service.id in selector.service)
        and (not selector.provider or service.provider in selector.provider)
        and (not selector.category or bool({*selector.category} & {*service.categories}))
    )
    if one is None or not of_service:
        return of_service
    return (not selector.role or one.domain.role in selector.role) and one.domain.sharing in (
        selector.sharing or default
    )


def draw_probes(rng: random.Random, owners: Sequence[Name]) -> dict[Name, str]:
    """Return names drawn to hurt and what each is: seen from every owner, up, down and beside."""
    found: dict[Name, str] = {}
    for owner in owners:
        head, _, parent = owner.partition(".")
        around = (
            (owner, "owner"),
            *((above, "ancestor") for above in names.ancestors(owner)),
            (f"k{rng.randrange(999)}.{owner}", "child"),
            (f"nx-{rng.randrange(999)}.{owner}", "child that does not exist"),
            (f"_t.a.b.{owner}", "deep child"),
            ("m" * 63 + f".{owner}", "child of 63 octets"),
            ("n" * max(1, min(63, 252 - len(owner))) + f".{owner}", "longest child"),
            (f"sib{rng.randrange(99)}.{parent}", "sibling"),
            (f"x{head[:62]}.{parent}", "look-alike"),
            (f"y{owner.removesuffix('.lab')[-40:].lstrip('.-')}.lab", "look-alike"),
            (f"{owner}.example.net", "look-alike"),
        )
        for name, place in around:
            if "." in name and len(name) <= names.MAX_NAME and len(name.partition(".")[0]) <= names.MAX_LABEL:
                found.setdefault(Name(name), place)
    return found
