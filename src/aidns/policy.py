"""What a policy selects: names to block, exceptions, and what was left out and why. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from aidns import names
from aidns.errors import DataError, UsageError
from aidns.model import Catalog, LeftOut, OwnedName, Policy, Rule, Scope, Selection, Selector, Service
from aidns.names import Name
from aidns.selectors import DEFAULT_SHARING, Match, matching_services, name_misses

EXPIRY_NOTICE = 14
"""Days before an exception ends from which on it is announced."""
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
    for field in ("measures", "dns_cannot", "exception", "block", "allow"):
        changes[field] = tuple(dict.fromkeys((*getattr(base, field), *getattr(child, field))))
    changes["select"] = msgspec.structs.replace(
        child.select,
        include=tuple(dict.fromkeys(base.select.include + child.select.include)),
        exclude=tuple(dict.fromkeys(base.select.exclude + child.select.exclude)),
        lookalikes=base.select.lookalikes or child.select.lookalikes,
        bypass=base.select.bypass or child.select.bypass,
    )
    changes["expires"] = child.expires  # an end date is one policy's own
    return msgspec.structs.replace(base, **changes)


def client_scopes(policy: Policy) -> tuple[str, ...]:
    """Return the names of the client scopes; one empty name when the policy has none."""
    return tuple(scope.name for scope in policy.scope) or ("",)


def is_expired(policy: Policy, today: dt.date) -> bool:
    """Tell whether the policy's last day has passed."""
    return policy.expires is not None and policy.expires < today


def select(catalog: Catalog, policy: Policy, today: dt.date, client_scope: str = "") -> Selection:
    """Decide each name for one client scope. `policy` is expanded.

    Raises UsageError for a scope that the policy has not.
    """
    if client_scope not in client_scopes(policy):
        raise UsageError(
            f"policy {policy.id!r} has no scope {client_scope!r}", tip=f"it has {', '.join(client_scopes(policy))}"
        )
    owned = _by_service(catalog)
    matches, unknown = matching_services(catalog, policy.select.include)
    blocks, left_out = _blocks(matches, policy.select.include, owned)
    excepted, ended, warnings = _exceptions(catalog, policy, today, client_scope, owned)
    rules = (
        *blocks,
        *_unofficial(catalog, policy, matches),
        *(Rule(names.parse(b.name), b.scope, True, "policy", b.reason, verdict_applies=False) for b in policy.block),
        *excepted,
    )
    blocked = {rule.name for rule in rules if rule.blocks}
    return Selection(
        policy=policy,
        client_scope=client_scope,
        rules=_unique(rules),
        known=tuple(
            sorted({o.name for o in catalog.names if _is_official(o)} | {r.name for r in rules}, key=names.sort_key)
        ),
        left_out=tuple(
            sorted({left for left in left_out if left.what not in blocked} | {*ended}, key=lambda e: (e.what, e.why))
        ),
        unknown=unknown,
        nameless=tuple(_nameless(catalog, policy, {rule.origin for rule in blocks})),
        warnings=(*_review_warning(policy, today), *warnings),
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


def _unofficial(catalog: Catalog, policy: Policy, matches: Iterable[Match]) -> Iterator[Rule]:
    select = policy.select
    imitated = {m.service.id for m in matches if select.lookalikes or select.include[m.selector].only_lookalikes}
    for entry in catalog.names:
        if entry.bypass and policy.select.bypass:
            yield Rule(entry.name, "exact", True, f"bypass:{entry.service}", entry.domain.note)
        elif entry.lookalike and entry.service in imitated:
            yield Rule(entry.name, entry.scope, True, f"lookalike:{entry.service}", entry.domain.breaks)


# ------------------------------------------------------------------ exceptions


def _exceptions(
    catalog: Catalog, policy: Policy, today: dt.date, client_scope: str, owned: Mapping[str, list[OwnedName]]
) -> tuple[list[Rule], list[LeftOut], list[str]]:
    rules: list[Rule] = []
    ended: list[LeftOut] = []
    warnings: list[str] = []
    every_sharing = ("exclusive", "vendor", "tenant")
    excluded, _ = matching_services(catalog, policy.select.exclude)
    for service, number in excluded:
        selector = policy.select.exclude[number]
        chosen = [e for e in owned.get(service.id, ()) if not name_misses(e, selector, every_sharing)]
        rules += [Rule(e.name, e.scope, False, service.id, "excluded by the policy") for e in chosen]
        if not selector.role:
            rules += _dependency_rules(catalog, service, "excluded by the policy", None, "")
    for entry in policy.exception:
        if entry.scopes and client_scope not in entry.scopes:
            continue
        label = ", ".join(entry.service)
        if _ended(entry.expires, today, label, ended, warnings):
            continue
        for service_id in entry.service:
            for own in owned.get(service_id, ()):
                rules.append(_allow(own.name, own.scope, service_id, entry.reason, entry.expires, entry.approved_by))
            if service_id in catalog.services:
                service = catalog.services[service_id]
                rules += _dependency_rules(catalog, service, entry.reason, entry.expires, entry.approved_by)
    for allow in policy.allow:
        if not _ended(allow.expires, today, allow.name, ended, warnings):
            rules.append(
                _allow(names.parse(allow.name), allow.scope, "policy", allow.reason, allow.expires, allow.approved_by)
            )
    return rules, ended, warnings


def _dependency_rules(
    catalog: Catalog, service: Service, reason: str, expires: dt.date | None, approved_by: str
) -> Iterator[Rule]:
    """Yield exceptions for what an allowed service needs; minimising drops those that nobody blocks."""
    listed = {entry.name: entry.scope for entry in catalog.names}
    for dependency in service.dependencies:
        name = names.parse(dependency.name)
        yield _allow(
            name, listed.get(name, "subtree"), service.id, f"needed by {service.title}: {reason}", expires, approved_by
        )


def _allow(name: Name, scope: Scope, origin: str, reason: str, expires: dt.date | None, approved_by: str) -> Rule:
    return Rule(name, scope, False, origin, reason, expires, approved_by)


def _ended(expires: dt.date | None, today: dt.date, label: str, ended: list[LeftOut], warnings: list[str]) -> bool:
    if expires is None:
        return False
    if expires < today:
        ended.append(LeftOut(label, f"exception ended on {expires}"))
        return True
    if expires - today <= dt.timedelta(days=EXPIRY_NOTICE):
        warnings.append(f"the exception for {label} ends on {expires}")
    return False


# ------------------------------------------------------------------ reports


def _review_warning(policy: Policy, today: dt.date) -> Iterator[str]:
    if policy.review_by and policy.review_by < today:
        yield f"policy {policy.id} was to be reviewed by {policy.review_by}"


def _nameless(catalog: Catalog, policy: Policy, with_names: set[str]) -> Iterator[str]:
    providers_with_names = {catalog.services[s].provider for s in with_names if s in catalog.services}
    selectors = [selector for selector in policy.select.include if not selector.only_lookalikes]
    wanted_providers = {p for s in selectors for p in (*s.provider, *s.provider_family)}
    wanted_services = {service for s in selectors for service in s.service}
    for provider in sorted(wanted_providers - providers_with_names):
        title = catalog.providers[provider].title if provider in catalog.providers else provider
        yield f"provider {title}"
    for service in sorted(wanted_services - with_names):
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
    from difflib import get_close_matches

    near = get_close_matches(text, list(known), n=3)
    return f"did you mean {', '.join(near)}?" if near else "aidns list policies shows them"
