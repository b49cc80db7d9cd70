"""How two catalogues differ in what they say, by service, name, policy and fact, however it is written. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeVar

from msgspec import Struct

from aidns import names
from aidns.blockset import compile_selection, decide
from aidns.model import BlockSet, Catalog, DataHandling, Fact, OwnedName, Policy, Service
from aidns.names import Name
from aidns.policy import client_scopes, expand, select

Kind = Literal["added", "removed", "renamed", "changed"]
Facts = Mapping[str, str]
"""Field -> what an entry says there, as words; empty where it says nothing."""

T = TypeVar("T")


class Change(Struct, frozen=True):
    """One field that says something else; empty where it says nothing."""

    field: str
    before: str
    after: str


class EntryChange(Struct, frozen=True):
    """An entry that came, went or changed. A new one has its fields as changes from nothing, one that went none."""

    id: str
    kind: Kind
    changes: tuple[Change, ...] = ()


class ServiceChange(Struct, frozen=True):
    """A service that came, went, was renamed from the id `was`, or changed, in its facts or its names."""

    id: str
    title: str
    kind: Kind
    was: str
    changes: tuple[Change, ...]
    names: tuple[EntryChange, ...]


class PolicyChange(Struct, frozen=True):
    """What a policy blocks now and did not, and the reverse, for one client scope. Counts are of listed names."""

    policy: str
    client_scope: str
    kind: Kind
    before: int
    after: int
    blocked: tuple[Name, ...]
    passed: tuple[Name, ...]


class CatalogChange(Struct, frozen=True):
    """Everything that differs. `sizes` are services, names and providers, before and after."""

    sizes: Mapping[str, tuple[int, int]]
    services: tuple[ServiceChange, ...]
    providers: tuple[EntryChange, ...]
    measures: tuple[EntryChange, ...]
    policies: tuple[PolicyChange, ...]
    others: Mapping[str, tuple[EntryChange, ...]]
    """`shared`, `lookalikes`, `bypass`, `rejected` -> what came, went or changed, by name."""

    def __bool__(self) -> bool:
        entries = (self.services, self.providers, self.measures, self.policies)
        return any(entries) or any(self.others.values())


def compare(base: Catalog, new: Catalog, today: dt.date) -> CatalogChange:
    """Return how `new` differs from `base`; `today` decides which exceptions of policies still hold."""
    return CatalogChange(
        sizes={
            "services": (len(base.services), len(new.services)),
            "names": (len(_owned(base)), len(_owned(new))),
            "providers": (len(base.providers), len(new.providers)),
        },
        services=_services(base, new),
        providers=_entries(base.providers, new.providers, _provider_facts),
        measures=_entries(base.measures, new.measures, _measure_facts),
        policies=_policies(base, new, today),
        others={
            key: _entries(_by_name(getattr(base, key)), _by_name(getattr(new, key)), _other_facts)
            for key in ("shared", "lookalikes", "bypass", "rejected")
        },
    )


# ------------------------------------------------------------------ services and their names


def _services(base: Catalog, new: Catalog) -> tuple[ServiceChange, ...]:
    renamed = _renamed(base, new)
    now_called = {was: service_id for service_id, was in renamed.items()}
    before = {str(e.name): _name_facts(e, now_called.get(e.service, e.service)) for e in _owned(base)}
    after = {str(e.name): _name_facts(e, e.service) for e in _owned(new)}
    changed: dict[str, list[EntryChange]] = {}
    for change in _entries(before, after, dict):
        changed.setdefault((after.get(change.id) or before[change.id])["service"], []).append(change)
    found = []
    for service_id in sorted({*new.services, *base.services} - now_called.keys()):
        was = renamed.get(service_id, service_id)
        old, now = base.services.get(was), new.services.get(service_id)
        listed = tuple(sorted(changed.get(service_id, ()), key=lambda c: names.sort_key(c.id)))
        facts = _changes(_service_facts(old) if old else {}, _service_facts(now) if now else {})
        title = (now or old or Service(1, service_id, "", ())).title
        kind: Kind = "renamed" if was != service_id else "added" if not old else "changed" if now else "removed"
        if kind != "changed" or facts or listed:
            found.append(ServiceChange(service_id, title, kind, was if was != service_id else "", facts, listed))
    return tuple(found)


def _renamed(base: Catalog, new: Catalog) -> dict[str, str]:
    """Return new id -> old id of services that are the same by their names, or by their title where they have none."""
    gone = base.services.keys() - new.services.keys()
    came = new.services.keys() - base.services.keys()
    before, after = _by_service(base), _by_service(new)
    found: dict[str, str] = {}
    for service_id in sorted(came):
        for was in sorted(gone - set(found.values())):
            old, now = before.get(was, frozenset()), after.get(service_id, frozenset())
            same_title = base.services[was].title == new.services[service_id].title
            if 2 * len(old & now) > len(old | now) or (same_title and not old | now):
                found[service_id] = was
                break
    return found


def _owned(catalog: Catalog) -> list[OwnedName]:
    return [entry for entry in catalog.names if not entry.lookalike and not entry.bypass]


def _by_service(catalog: Catalog) -> dict[str, frozenset[Name]]:
    found: dict[str, set[Name]] = {}
    for entry in _owned(catalog):
        found.setdefault(entry.service, set()).add(entry.name)
    return {service_id: frozenset(listed) for service_id, listed in found.items()}


# ------------------------------------------------------------------ policies


def _policies(base: Catalog, new: Catalog, today: dt.date) -> tuple[PolicyChange, ...]:
    before, after = _blocksets(base, today), _blocksets(new, today)
    found = []
    for key in sorted(before.keys() | after.keys()):
        old, now = before.get(key), after.get(key)
        was, now_blocked = _blocked(old), _blocked(now)
        blocked = tuple(name for name in now_blocked if old is None or not decide(old.owners, name))
        passed = tuple(name for name in was if now is None or not decide(now.owners, name))
        kind: Kind = "added" if old is None else "removed" if now is None else "changed"
        if kind != "changed" or blocked or passed:
            found.append(PolicyChange(*key, kind, len(was), len(now_blocked), blocked, passed))
    return tuple(found)


def _blocksets(catalog: Catalog, today: dt.date) -> dict[tuple[str, str], BlockSet]:
    """Return (policy, client scope) -> block set, with nothing known about which names are gone."""
    wholes: Iterable[Policy] = (expand(policy, catalog.policies) for policy in catalog.policies.values())
    return {
        (whole.id, scope): compile_selection(select(catalog, whole, today, scope), {})
        for whole in wholes
        for scope in client_scopes(whole)
    }


def _blocked(blockset: BlockSet | None) -> list[Name]:
    """Return the listed names that are blocked, those that another one covers included."""
    return [name for name, answer in blockset.owners.items() if answer.self_blocked] if blockset else []


# ------------------------------------------------------------------ entries and their facts


def _entries(before: Mapping[str, T], after: Mapping[str, T], facts: Callable[[T], Facts]) -> tuple[EntryChange, ...]:
    """Return the entries that came, went or say something else, by id."""
    found = []
    for entry_id in sorted(before.keys() | after.keys()):
        old = facts(before[entry_id]) if entry_id in before else {}
        now = facts(after[entry_id]) if entry_id in after else {}
        kind: Kind = "added" if entry_id not in before else "changed" if entry_id in after else "removed"
        changes = _changes(old, now)
        if changes or kind != "changed":
            found.append(EntryChange(entry_id, kind, changes))
    return tuple(found)


def _changes(before: Facts, after: Facts) -> tuple[Change, ...]:
    fields = dict.fromkeys((*before, *after))
    return tuple(
        Change(field, before.get(field, ""), after.get(field, ""))
        for field in fields
        if before.get(field, "") != after.get(field, "")
    )


def _name_facts(entry: OwnedName, service: str) -> dict[str, str]:
    domain = entry.domain
    kinds = ", ".join(dict.fromkeys(item.kind for item in domain.evidence))
    return {
        "service": service, "role": domain.role, "scope": domain.scope, "sharing": domain.sharing,
        "breaks": domain.breaks, "confidence": domain.confidence, "evidence": kinds,
    }  # fmt: skip


def _service_facts(service: Service) -> Facts:
    facts = _words(service, "provider", "categories", "homepage", "status", "successor", "separable", "hosts_models_of")
    return {
        "title": service.title,
        **facts,
        **{key: _current(getattr(service.data, key)) for key in DataHandling.__struct_fields__},
    }


def _provider_facts(provider: Any) -> Facts:
    facts = _words(provider, "title", "legal_names", "affiliates")
    return {**facts, **{key: _current(getattr(provider, key)) for key in ("registered_in", "parent_in", "origin_in")}}


def _measure_facts(measure: Any) -> Facts:
    return _words(measure, "title", "who", "country", "target", "strength", "status", "since", "until")


def _other_facts(entry: Any) -> Facts:
    fields = ("scope", "class", "kind", "imitates", "reason", "breaks")
    return {field: str(getattr(entry, "klass" if field == "class" else field, "")) for field in fields}


def _words(entry: Any, *fields: str) -> dict[str, str]:
    values = {field: getattr(entry, field) for field in fields}
    return {
        field: ", ".join(value) if isinstance(value, tuple) else "" if value is None else str(value)
        for field, value in values.items()
    }


def _current(facts: tuple[Fact, ...]) -> str:
    return ", ".join(facts[0].value) if facts else ""


def _by_name(entries: Iterable[Any]) -> dict[str, Any]:
    return {entry.name: entry for entry in entries}
