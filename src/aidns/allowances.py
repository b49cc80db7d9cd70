"""What a policy keeps reachable: excluded and excepted services with what they need, and an admin's own names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

from msgspec import Struct

from aidns import names
from aidns.model import Catalog, LeftOut, OwnedName, Policy, Rule, Scope, Service
from aidns.names import Name
from aidns.selectors import matching_services, name_misses

EXPIRY_NOTICE = 14
"""Days before an exception ends from which on it is announced."""
_EVERY_SHARING = ("exclusive", "vendor", "tenant")


class Allowances(Struct, frozen=True):
    """Exceptions as rules, those that ended, services about which an excluded fact is unknown, what to tell."""

    rules: tuple[Rule, ...]
    ended: tuple[LeftOut, ...]
    unknown: tuple[LeftOut, ...]
    warnings: tuple[str, ...]


class _Grant(Struct, frozen=True):
    reason: str
    expires: dt.date | None = None
    approved_by: str = ""

    def rule(self, name: Name, scope: Scope, origin: str, why: str = "") -> Rule:
        return Rule(name, scope, False, origin, why or self.reason, self.expires, self.approved_by)


def allowances(
    catalog: Catalog, policy: Policy, today: dt.date, client_scope: str, owned: Mapping[str, list[OwnedName]]
) -> Allowances:
    """Return the exceptions of a policy, expanded, for one client scope. `owned` holds each service's names."""
    rules: list[Rule] = []
    ended: list[LeftOut] = []
    warnings: list[str] = []
    matches, unknown = matching_services(catalog, policy.select.exclude)
    excluded = _Grant("excluded by the policy")
    for service, number in matches:
        selector = policy.select.exclude[number]
        chosen = [e for e in owned.get(service.id, ()) if not name_misses(e, selector, _EVERY_SHARING)]
        rules += [excluded.rule(e.name, e.scope, service.id) for e in chosen]
        if not selector.role:
            rules += _needs(catalog, policy, service, excluded, [])  # a preset's own choice is no news
    for entry in policy.exception:
        applies = not entry.scopes or client_scope in entry.scopes
        if not applies or _ended(entry.expires, today, ", ".join(entry.service), ended, warnings):
            continue
        grant = _Grant(entry.reason, entry.expires, entry.approved_by)
        for service_id in entry.service:
            rules += [grant.rule(own.name, own.scope, service_id) for own in owned.get(service_id, ())]
            if service_id in catalog.services:
                rules += _needs(catalog, policy, catalog.services[service_id], grant, warnings)
    for allow in policy.allow:
        if not _ended(allow.expires, today, allow.name, ended, warnings):
            grant = _Grant(allow.reason, allow.expires, allow.approved_by)
            rules.append(grant.rule(names.parse(allow.name), allow.scope, "policy"))
    return Allowances(tuple(rules), tuple(ended), tuple(_untold(unknown)), tuple(dict.fromkeys(warnings)))


def _untold(unknown: tuple[LeftOut, ...]) -> Iterator[LeftOut]:
    """Yield what an exclusion could not decide: matching services reports it in the words of an inclusion."""
    for left in unknown:
        fact, _, taken = left.why.partition(": ")
        yield LeftOut(left.what, f"{fact}: {'excepted' if taken == 'blocked' else 'not excepted'}")


def _needs(catalog: Catalog, policy: Policy, service: Service, grant: _Grant, warnings: list[str]) -> Iterator[Rule]:
    """Yield exceptions for what an allowed service needs; minimising drops those that nobody blocks.

    A name that the policy itself blocks stays blocked: the administrator's own word is the stronger one.
    """
    listed = {entry.name: entry for entry in catalog.names}
    own = {block.name for block in policy.block}
    for dependency in service.dependencies:
        name = names.parse(dependency.name)
        if name in own:
            warnings.append(f"{service.id} is allowed but needs {name}, which [[block]] keeps blocked")
            continue
        owner = listed.get(name)
        if owner and owner.service != service.id:
            warnings.append(f"allowing {service.id} opens {name} of {owner.service}, too: it needs it")
        scope: Scope = owner.scope if owner else "subtree"
        yield grant.rule(name, scope, service.id, f"needed by {service.title}: {grant.reason}")


def _ended(expires: dt.date | None, today: dt.date, label: str, ended: list[LeftOut], warnings: list[str]) -> bool:
    if expires is None:
        return False
    if expires < today:
        ended.append(LeftOut(label, f"exception ended on {expires}"))
        return True
    if expires - today <= dt.timedelta(days=EXPIRY_NOTICE):
        warnings.append(f"the exception for {label} ends on {expires}")
    return False
