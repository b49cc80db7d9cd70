"""Ids and tables that are named exist."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from aidns.catalog.lint.finding import Finding, placed, service_path
from aidns.errors import DataError, did_you_mean
from aidns.model import Catalog, Policy
from aidns.policy import expand


def check(catalog: Catalog) -> Iterator[Finding]:
    """Yield references to providers, services, measures, policies and words that do not exist."""
    for provider in catalog.providers.values():
        path = f"providers/{provider.id}.toml"
        yield from _missing(path, "affiliates", "provider", provider.affiliates, catalog.providers)
    for service in catalog.services.values():
        path = service_path(service)
        yield from _missing(path, "provider", "provider", (service.provider,), catalog.providers)
        yield from _missing(path, "hosts_models_of", "provider", service.hosts_models_of, catalog.providers)
        if service.successor:
            yield from _missing(path, "successor", "service", (service.successor,), catalog.services)
        if service.status == "renamed" and not service.successor:
            yield Finding(path, "status", "is renamed without a successor", 'write successor = "service-id"')
    for (path, field), lookalike in placed(catalog, "lookalikes"):
        yield from _missing(path, f"{field}.imitates", "service", (lookalike.imitates,), catalog.services)
    for measure in catalog.measures.values():
        yield from _measure_targets(catalog, f"measures/{measure.id}.toml", measure.target)
    for policy in catalog.policies.values():
        yield from check_policy(policy, catalog)


def check_policy(policy: Policy, catalog: Catalog) -> Iterator[Finding]:
    """Yield what a policy names that does not exist."""
    path = f"policies/{policy.id}.toml"
    yield from _missing(path, "measures", "measure", policy.measures, catalog.measures)
    if policy.extends:
        yield from _missing(path, "extends", "policy", (policy.extends,), catalog.policies)
    for key in ("include", "exclude"):
        for i, selector in enumerate(getattr(policy.select, key)):
            field = f"select.{key}[{i}]"
            for label in ("provider", "provider_family", "hosts_models_of"):
                yield from _missing(path, f"{field}.{label}", "provider", getattr(selector, label), catalog.providers)
            yield from _missing(path, f"{field}.service", "service", selector.service, catalog.services)
            for label, section in (
                ("category", "category"), ("role", "role"), ("sharing", "sharing"), ("confidence", "confidence"),
                ("trains_default", "trains"), ("external_storage", "external_storage"), ("separable", "separable"),
            ):  # fmt: skip
                known = catalog.vocab.get(section, {})
                yield from _missing(path, f"{field}.{label}", f"[{section}] word", getattr(selector, label), known)
    for i, exception in enumerate(policy.exception):
        yield from _missing(path, f"exception[{i}].service", "service", exception.service, catalog.services)
        yield from _missing(path, f"exception[{i}].scopes", "scope", exception.scopes, _scopes(policy, catalog))


def _scopes(policy: Policy, catalog: Catalog) -> dict[str, object]:
    """Return the client scopes, those of the policies extended included where the policy has none of its own."""
    with suppress(DataError):  # what is wrong with `extends` is found elsewhere
        policy = expand(policy, catalog.policies)
    return {scope.name: scope for scope in policy.scope}


def _measure_targets(catalog: Catalog, path: str, targets: Iterable[str]) -> Iterator[Finding]:
    known: dict[str, Mapping[str, object]] = {
        "provider": catalog.providers,
        "service": catalog.services,
        "category": catalog.vocab.get("category", {}),
    }
    for target in targets:
        kind, colon, value = target.partition(":")
        if kind in known and colon:
            yield from _missing(path, "target", kind, (value,), known[kind])
        elif kind not in ("attribute", "nexus", "device") or not colon:
            tip = "write provider:ID, service:ID, category:WORD, nexus:CC or attribute:KEY=VALUE"
            yield Finding(path, "target", f"{target!r} is no target", tip)


def _missing(path: str, field: str, kind: str, used: Iterable[str], known: Mapping[str, object]) -> Iterator[Finding]:
    for word in used:
        if word not in known:
            yield Finding(path, field, f"there is no {kind} {word!r}", did_you_mean(word, known, _tip(kind, known)))


def _tip(kind: str, known: Mapping[str, object]) -> str:
    if kind == "scope":
        return f"the policy has {', '.join(known)}" if known else "the policy has no [[scope]]: leave it out"
    if kind.startswith("["):
        return f"the words are {', '.join(known)}" if len(known) <= 12 else f"vocab.toml has {len(known)} words"
    return f"write its file first, or one of {len(known)} that exist"
