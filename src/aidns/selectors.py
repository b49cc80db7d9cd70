"""Which services and names a selector takes, in three values: yes, no, and the catalogue does not know. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from aidns.model import Catalog, Fact, LeftOut, OwnedName, Provider, Selector, Service

DEFAULT_SHARING = ("exclusive", "tenant")
"""What a selector takes unless it says otherwise: names on which nothing but the service depends."""

Truth = bool | None
"""None: the catalogue does not know."""


class Match(NamedTuple):
    """A service that a selector, by number, takes."""

    service: Service
    selector: int


def matching_services(catalog: Catalog, selectors: Iterable[Selector]) -> tuple[list[Match], tuple[LeftOut, ...]]:
    """Return the services that any selector takes, and those about which a selected fact is unknown."""
    matches: list[Match] = []
    unknown: list[LeftOut] = []
    for number, selector in enumerate(selectors):
        family = _family(catalog.providers, selector.provider_family)
        for service in catalog.services.values():
            truth, fact = _service_matches(service, catalog.providers.get(service.provider), selector, family)
            if truth or (truth is None and selector.unknown == "match"):
                matches.append(Match(service, number))
            if truth is None and selector.unknown != "skip":
                taken = "blocked" if selector.unknown == "match" else "not blocked"
                unknown.append(LeftOut(service.id, f"{fact} is unknown: {taken}"))
    return matches, tuple(dict.fromkeys(sorted(unknown, key=lambda left: left.what)))


def _service_matches(
    service: Service, provider: Provider | None, selector: Selector, family: frozenset[str]
) -> tuple[Truth, str]:
    """Return whether the service matches, and the first fact that is unknown."""
    if (
        (selector.provider and service.provider not in selector.provider)
        or (selector.provider_family and service.provider not in family)
        or (selector.service and service.id not in selector.service)
        or (selector.category and set(selector.category).isdisjoint(service.categories))
        or (selector.hosts_models_of and set(selector.hosts_models_of).isdisjoint(service.hosts_models_of))
        or (selector.separable and service.separable not in selector.separable)
    ):
        return False, ""
    registered = provider.registered_in if provider else ()
    parent = provider.parent_in if provider else ()
    origin = provider.origin_in if provider else ()
    facts = (
        ("registered_in", selector.registered_in, (registered,)),
        ("parent_in", selector.parent_in, (parent,)),
        ("origin_in", selector.origin_in, (origin,)),
        ("storage", selector.storage_in, (service.data.storage,)),
        ("nexus", selector.nexus_in, (registered, parent, origin, service.data.storage)),
        ("trains_default", selector.trains_default, (service.data.trains_default,)),
        ("external_storage", selector.external_storage, (service.data.external_storage,)),
    )
    unknown = ""
    for label, wanted, sources in facts:
        truth = _any_holds(wanted, sources) if wanted else True
        if truth is False:
            return False, ""
        if truth is None:
            unknown = unknown or label
    return (None, unknown) if unknown else (True, "")


def _any_holds(wanted: tuple[str, ...], sources: Iterable[tuple[Fact, ...]]) -> Truth:
    truths = [_holds(wanted, facts) for facts in sources]
    return True if True in truths else None if None in truths else False


def _holds(wanted: tuple[str, ...], facts: tuple[Fact, ...]) -> Truth:
    values = facts[0].value if facts else ("unknown",)
    if not set(wanted).isdisjoint(values):
        return True
    return None if "unknown" in values else False


def name_misses(entry: OwnedName, selector: Selector, default_sharing: tuple[str, ...]) -> str:
    """Return why a selector does not take this name of a service it matches; empty when it takes it."""
    domain = entry.domain
    if selector.role and domain.role not in selector.role:
        return f"role {domain.role} not asked for"
    if domain.sharing not in (selector.sharing or default_sharing):
        return f"shared ({domain.sharing}); blocking it breaks {domain.breaks}"
    if selector.confidence and domain.confidence not in selector.confidence:
        return f"confidence {domain.confidence} not asked for"
    return ""


def _family(providers: Mapping[str, Provider], wanted: tuple[str, ...]) -> frozenset[str]:
    """Return the providers and everyone affiliated with them, however far."""
    family = set(wanted)
    while True:
        near = {a for p in family if p in providers for a in providers[p].affiliates}
        near |= {p.id for p in providers.values() if not family.isdisjoint(p.affiliates)}
        if near <= family:
            return frozenset(family)
        family |= near
