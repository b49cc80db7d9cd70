"""What a policy selects: names to block, exceptions, and what was left out and why. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Container, Iterable, Iterator, Mapping

import msgspec

from aidns import names
from aidns.allowances import allowances
from aidns.errors import DataError, UsageError, did_you_mean
from aidns.model import Catalog, LeftOut, OwnedName, Policy, Rule, Selection, Selector
from aidns.names import Name
from aidns.selectors import DEFAULT_SHARING, Match, matching_services, name_misses

NON_BLOCKING = ("log-only", "passthru")
ADDRESSED = frozenset({"null", "walled-garden"})
"""Actions that answer with an address. An address for a bypass name tells clients to go round this resolver."""


def expand(policy: Policy, policies: Mapping[str, Policy]) -> Policy:
    """Return the policy with everything it extends written out.

    Lists add to those of the policy extended; single values and scopes replace them where given.
    Raises DataError when an extended policy is missing or the chain runs in a circle.
    """
    chain = [policy]
    while parent_id := chain[-1].extends:
        if parent_id not in policies:
            raise DataError(
                f"policy {policy.id!r} extends {parent_id!r}, which does not exist", tip=_near(parent_id, policies)
            )
        if any(parent_id == link.id for link in chain):
            raise DataError(
                f"policy {policy.id!r} extends itself: {' → '.join(link.id for link in chain)} → {parent_id}"
            )
        chain.append(policies[parent_id])
    result = chain.pop()
    while chain:
        result = _extend(result, chain.pop())
    return result


def _extend(base: Policy, child: Policy) -> Policy:
    empty = Policy(schema=1, title=child.title)
    changes = {
        field: value
        for field in Policy.__struct_fields__
        if (value := getattr(child, field)) != getattr(empty, field) or field in ("id", "title")
    }
    for field in ("measures", "dns_cannot", "exception", "block", "allow", "list"):
        changes[field] = tuple(dict.fromkeys((*getattr(base, field), *getattr(child, field))))
    changes["select"] = msgspec.structs.replace(
        child.select,
        include=tuple(dict.fromkeys(base.select.include + child.select.include)),
        exclude=tuple(dict.fromkeys(base.select.exclude + child.select.exclude)),
        lookalikes=_told(child.select.lookalikes, base.select.lookalikes),
        bypass=_told(child.select.bypass, base.select.bypass),
    )
    changes["expires"] = child.expires  # an end date is one policy's own
    return msgspec.structs.replace(base, **changes)


def _told(child: bool | None, base: bool | None) -> bool | None:
    """Return what the child says, where it says anything."""
    return base if child is None else child


def client_scopes(policy: Policy) -> tuple[str, ...]:
    """Return the names of the client scopes; one empty name when the policy has none."""
    return tuple(scope.name for scope in policy.scope) or ("",)


def is_expired(policy: Policy, today: dt.date) -> bool:
    """Tell whether the policy's last day has passed."""
    return policy.expires is not None and policy.expires < today


def select(
    catalog: Catalog, policy: Policy, today: dt.date, client_scope: str = "", listed: Iterable[Rule] = ()
) -> Selection:
    """Decide each name for one client scope. `policy` is expanded, `listed` are the rules of its own lists.

    Raises UsageError for a scope that the policy has not.
    """
    if client_scope not in client_scopes(policy):
        scopes = ", ".join(scope.name for scope in policy.scope)
        tip = f"it has {scopes}" if scopes else "it has none: leave --scope out"
        raise UsageError(f"policy {policy.id!r} has no scope {client_scope!r}", tip=tip)
    owned = _by_service(catalog)
    matches, unknown = matching_services(catalog, policy.select.include)
    blocks, left_out = _blocks(matches, policy.select.include, owned)
    own = tuple(_own_blocks(catalog, policy, listed))
    allowed = allowances(catalog, policy, today, client_scope, owned)
    rules = (*own, *blocks, *_unofficial(catalog, policy, matches), *allowed.rules)
    blocked = {rule.name for rule in rules if rule.blocks}
    untaken = {left for left in left_out if left.what not in blocked}
    known = {entry.name for entry in catalog.names if _is_official(entry)} | {rule.name for rule in rules}
    return Selection(
        policy=policy,
        client_scope=client_scope,
        rules=_unique(rules),
        known=tuple(sorted(known, key=names.sort_key)),
        left_out=tuple(sorted(untaken | {*allowed.ended}, key=lambda left: (left.what, left.why))),
        unknown=(*unknown, *allowed.unknown),
        nameless=tuple(_nameless(catalog, policy, owned.keys())),
        warnings=(*_review_warning(policy, today), *_shared_warnings(catalog, policy), *allowed.warnings),
    )


# ------------------------------------------------------------------ blocks


def _blocks(
    matches: Iterable[Match], selectors: tuple[Selector, ...], owned: Mapping[str, list[OwnedName]]
) -> tuple[list[Rule], list[LeftOut]]:
    rules: list[Rule] = []
    left_out: list[LeftOut] = []
    for service, number in matches:
        if selectors[number].only_lookalikes:
            continue
        for entry in owned.get(service.id, ()):
            if why := name_misses(entry, selectors[number], DEFAULT_SHARING):
                left_out.append(LeftOut(entry.name, f"{service.id}: {why}"))
            else:
                rules.append(Rule(entry.name, entry.scope, True, service.id, f"{service.title}: {entry.domain.role}"))
    return rules, left_out


def _own_blocks(catalog: Catalog, policy: Policy, listed: Iterable[Rule]) -> Iterator[Rule]:
    """Yield an administrator's own names first: no verdict takes them out, and a bypass name stays one."""
    bypass = {entry.name: entry.service for entry in catalog.names if entry.bypass}
    inline = (
        Rule(names.parse(block.name), block.scope, True, "policy", block.reason, verdict_applies=False)
        for block in policy.block
    )
    for rule in (*inline, *listed):
        caught = rule.blocks and rule.name in bypass
        yield msgspec.structs.replace(rule, origin=f"bypass:{bypass[rule.name]}") if caught else rule


def _unofficial(catalog: Catalog, policy: Policy, matches: Iterable[Match]) -> Iterator[Rule]:
    select = policy.select
    imitated = {m.service.id for m in matches if select.lookalikes or select.include[m.selector].only_lookalikes}
    for entry in catalog.names:
        if entry.bypass and policy.select.bypass:
            yield Rule(entry.name, "exact", True, f"bypass:{entry.service}", entry.domain.note)
        elif entry.lookalike and entry.service in imitated:
            yield Rule(entry.name, entry.scope, True, f"lookalike:{entry.service}", entry.domain.breaks)


# ------------------------------------------------------------------ reports


def _review_warning(policy: Policy, today: dt.date) -> Iterator[str]:
    if policy.review_by and policy.review_by < today:
        yield f"policy {policy.id} was to be reviewed by {policy.review_by}"


def _shared_warnings(catalog: Catalog, policy: Policy) -> Iterator[str]:
    for block in policy.block:
        for shared in catalog.shared:
            if block.name == shared.name or (block.scope == "subtree" and names.at_or_below(shared.name, block.name)):
                yield f"[[block]] {block.name} takes {shared.name} away, which breaks {shared.breaks}"
                break


def _nameless(catalog: Catalog, policy: Policy, with_names: Container[str]) -> Iterator[str]:
    """Yield what the policy wants and the catalogue has no name of, however shared."""
    owners = {service.provider for service in catalog.services.values() if service.id in with_names}
    selectors = [selector for selector in policy.select.include if not selector.only_lookalikes]
    wanted_providers = {p for s in selectors for p in (*s.provider, *s.provider_family)}
    wanted_services = {service for s in selectors for service in s.service}
    for provider in sorted(wanted_providers - owners):
        title = catalog.providers[provider].title if provider in catalog.providers else provider
        yield f"provider {title}"
    for service in sorted(service for service in wanted_services if service not in with_names):
        title = catalog.services[service].title if service in catalog.services else service
        yield f"service {title}"


def _by_service(catalog: Catalog) -> dict[str, list[OwnedName]]:
    found: dict[str, list[OwnedName]] = {}
    for entry in catalog.names:
        if _is_official(entry):
            found.setdefault(entry.service, []).append(entry)
    return found


def _is_official(entry: OwnedName) -> bool:
    return not entry.lookalike and not entry.bypass


def _unique(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Keep one rule an owner, scope and direction, the first given, in label order."""
    first: dict[tuple[Name, str, bool], Rule] = {}
    for rule in rules:
        first.setdefault((rule.name, rule.scope, rule.blocks), rule)
    return tuple(sorted(first.values(), key=lambda r: (names.sort_key(r.name), r.scope, r.blocks)))


def _near(text: str, known: Iterable[str]) -> str:
    return did_you_mean(text, known, "aidns list policies shows them")
