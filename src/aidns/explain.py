"""Why a name is blocked, by whom, what breaks, and how to allow it. Pure; no network."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Literal

from msgspec import Struct

from aidns import names, psl
from aidns.blockset import compile_selection, decide, nearest
from aidns.model import BlockSet, Catalog, Evidence, LeftOut, OwnedName, Policy, Verdict
from aidns.names import Name
from aidns.policy import client_scopes, select


class Listed(Struct, frozen=True):
    """The catalogue's entry that a name falls under."""

    name: Name
    scope: str
    role: str
    sharing: str
    confidence: str
    breaks: str
    note: str
    kind: Literal["service", "lookalike", "bypass"]
    service: str
    service_title: str
    provider: str
    provider_title: str
    status: str
    separable_note: str
    evidence: tuple[Evidence, ...]


class Caught(Struct, frozen=True):
    """What one policy says about the name, and the owner that decides."""

    policy: str
    title: str
    client_scope: str
    answer: Literal["blocked", "excepted", "logged"]
    rule: Name
    measures: tuple[str, ...]


class Explanation(Struct, frozen=True):
    """Everything known about a name. `standing` is what checks found so far."""

    name: Name
    listed: tuple[Listed, ...]
    caught: tuple[Caught, ...]
    left_out: tuple[LeftOut, ...]
    """What policies that take the service say about leaving this name out: `what` names the policies."""
    needed_by: tuple[str, ...]
    shared: str
    rejected: str
    looks_like: tuple[Name, ...]
    standing: str
    allow: str


def explain(
    catalog: Catalog, name: Name, policies: Iterable[Policy], today: dt.date, verdicts: Mapping[Name, Verdict]
) -> Explanation:
    """Return what the catalogue and the policies, expanded, say about a name."""
    by_name = {entry.name: entry for entry in catalog.names}
    above = [
        by_name[a]
        for a in (name, *names.ancestors(name))
        if a in by_name and (a == name or by_name[a].scope == "subtree")
    ]
    blocksets = [
        compile_selection(select(catalog, policy, today, scope), verdicts)
        for policy in policies
        for scope in client_scopes(policy)
    ]
    caught = tuple(hit for blockset in blocksets if (hit := _caught(blockset, name)))
    return Explanation(
        name=name,
        listed=tuple(_listed(catalog, entry) for entry in above),
        caught=caught,
        left_out=_left_out([b for b in blocksets if not decide(b.minimal, name)], above),
        needed_by=tuple(_needed_by(catalog, name)),
        shared=_shared(catalog, name),
        rejected=_rejected(catalog, name),
        looks_like=() if above else tuple(_looks_like(catalog, name)),
        standing=_standing(name, above, verdicts),
        allow=_allow(name) if any(hit.answer == "blocked" for hit in caught) else "",
    )


def _caught(blockset: BlockSet, name: Name) -> Caught | None:
    policy = blockset.policy
    owner = name if name in blockset.minimal else nearest(blockset.minimal, name)
    if owner is None or not (decide(blockset.minimal, name) or _is_exception(blockset, owner)):
        return None
    logs = policy.action is not None and policy.action.default == "log-only"
    answer: Literal["blocked", "excepted", "logged"] = "excepted"
    if decide(blockset.minimal, name):
        answer = "logged" if logs else "blocked"
    return Caught(policy.id, policy.title, blockset.client_scope, answer, owner, policy.measures)


def _is_exception(blockset: BlockSet, owner: Name) -> bool:
    """Tell whether an owner that lets pass is an exception inside a blocked tree."""
    answer = blockset.minimal[owner]
    return not answer.self_blocked or (not answer.below_blocked and nearest(blockset.minimal, owner) is not None)


def _left_out(blocksets: Iterable[BlockSet], above: list[OwnedName]) -> tuple[LeftOut, ...]:
    wanted = {entry.name for entry in above}
    policies: dict[str, dict[str, None]] = {}
    for blockset in blocksets:
        for left in blockset.selection.left_out:
            if left.what in wanted:
                policies.setdefault(f"{left.what}, {left.why}", {})[blockset.policy.id] = None
    return tuple(LeftOut(", ".join(ids), why) for why, ids in policies.items())


def _listed(catalog: Catalog, entry: OwnedName) -> Listed:
    service = catalog.services.get(entry.service)
    provider = catalog.providers.get(service.provider) if service else None
    domain = entry.domain
    return Listed(
        name=entry.name, scope=domain.scope, role=domain.role, sharing=domain.sharing, confidence=domain.confidence,
        breaks=domain.breaks or (f"{service.title} ({domain.role})" if service else ""), note=domain.note,
        kind="lookalike" if entry.lookalike else "bypass" if entry.bypass else "service",
        service=entry.service, service_title=service.title if service else entry.service,
        provider=service.provider if service else "", provider_title=provider.title if provider else "",
        status=service.status if service else "", separable_note=service.separable_note if service else "",
        evidence=domain.evidence,
    )  # fmt: skip


def _needed_by(catalog: Catalog, name: Name) -> Iterable[str]:
    for service in catalog.services.values():
        for dependency in service.dependencies:
            if names.at_or_below(name, dependency.name):
                yield f"{service.title} needs {dependency.name}; without it: {dependency.breaks}"


def _shared(catalog: Catalog, name: Name) -> str:
    for above in (name, *names.ancestors(name)):
        for entry in catalog.shared:
            if entry.name == above and (above == name or entry.scope == "subtree"):
                return f"{entry.name} is {entry.what}; blocking it breaks {entry.breaks}"
    return ""


def _rejected(catalog: Catalog, name: Name) -> str:
    for entry in catalog.rejected:
        if entry.name == name or (entry.scope == "subtree" and names.at_or_below(name, entry.name)):
            return (
                f"{entry.name} was left out on {entry.decided}: {entry.reason}{'; ' + entry.note if entry.note else ''}"
            )
    return ""


def _looks_like(catalog: Catalog, name: Name) -> list[Name]:
    """Return listed names that a person may have meant, or that this one imitates."""
    own = psl.registrable_domain(name) or name
    label = own.partition(".")[0]
    same_label = [e.name for e in catalog.names if e.name.partition(".")[0] == label]
    listed = [entry.name for entry in catalog.names]
    close = [*get_close_matches(name, listed, n=3, cutoff=0.8), *get_close_matches(own, listed, n=3, cutoff=0.8)]
    part = [
        e.name
        for e in catalog.names
        if e.name.count(".") == 1 and len(e.name.partition(".")[0]) > 4 and e.name.partition(".")[0] in own
    ]
    return [Name(n) for n in dict.fromkeys([*same_label, *close, *part])][:5]


def _standing(name: Name, above: list[OwnedName], verdicts: Mapping[Name, Verdict]) -> str:
    for candidate in (name, *(entry.name for entry in above)):
        if candidate in verdicts:
            verdict = verdicts[candidate]
            return f"{candidate} is {verdict.standing}: {verdict.why}"
    return "never checked"


def _allow(name: Name) -> str:
    return f'[[allow]]\nname = "{name}"\nreason = "…"\nexpires = 2027-01-31   # optional'
