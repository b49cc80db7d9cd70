"""Why a name is blocked, by whom, what breaks, and how to allow it. [I/O: reads the policies' own lists]"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Literal

from msgspec import Struct, structs

from aidns import names, psl
from aidns.blockset import compile_selection, decide, nearest
from aidns.lists.own import rules_about
from aidns.model import BlockSet, Catalog, Evidence, LeftOut, OwnedName, Policy, Rule, Selection, Verdict
from aidns.names import Name
from aidns.policy import client_scopes, select

ALLOWED_FOR = dt.timedelta(days=90)
"""How long the exception lasts that is offered for copying."""


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
    origin: str = ""
    """Where the rule comes from: a service's id, `policy` for one written there, `list:1` for its first own list."""
    reason: str = ""
    approved_by: str = ""
    expires: dt.date | None = None
    source: str = ""
    """The path or address of the own list that the rule comes from."""


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
    catalog: Catalog,
    name: Name,
    policies: Iterable[Policy],
    today: dt.date,
    verdicts: Mapping[Name, Verdict],
) -> Explanation:
    """Return what the catalogue and the policies, expanded and with their own lists, say about a name.

    Never asks the network. Raises UnsafeError when a list of a policy is missing or was never fetched.
    """
    by_name = {entry.name: entry for entry in catalog.names}
    above = [
        by_name[a]
        for a in (name, *names.ancestors(name))
        if a in by_name and (a == name or by_name[a].scope == "subtree")
    ]
    blocksets = [
        compile_selection(_about(name, select(catalog, policy, today, scope, listed)), verdicts)
        for policy in policies
        for listed in [rules_about(policy.list, name) if policy.list else ()]
        for scope in client_scopes(policy)
    ]
    hits = [(blockset, _caught(blockset, name)) for blockset in blocksets]
    caught = tuple(hit for _, hit in hits if hit)
    return Explanation(
        name=name,
        listed=tuple(_listed(catalog, entry) for entry in above),
        caught=caught,
        left_out=_left_out([blockset for blockset, hit in hits if hit is None], above),
        needed_by=tuple(_needed_by(catalog, name)),
        shared=_shared(catalog, name),
        rejected=_rejected(catalog, name),
        looks_like=() if above else tuple(_looks_like(catalog, name)),
        standing=_standing(name, above, verdicts),
        allow=_allow(name, today) if any(hit.answer == "blocked" for hit in caught) else "",
    )


def _about(name: Name, selection: Selection) -> Selection:
    """Return a selection without the rules that say nothing about the name: an answer depends on no other owners.

    Rules that no block set can hold stay, to be refused.
    """
    owners = {name, *names.ancestors(name)}
    rules = tuple(r for r in selection.rules if r.name in owners or names.at_or_below(r.name, names.CANARY_PARENT))
    return structs.replace(selection, rules=rules, known=())


def _caught(blockset: BlockSet, name: Name) -> Caught | None:
    """Return what the policy says about the name; None where it neither blocks it nor excepts it from a block."""
    policy = blockset.policy
    rules = _rules_over(blockset, name)
    blocked = decide(blockset.minimal, name)
    if not any(rule.blocks for rule in rules):
        return None
    through = rules[0].name
    answer: Literal["blocked", "excepted", "logged"] = "excepted"
    if blocked:
        logs = policy.action is not None and policy.action.default == "log-only"
        answer = "logged" if logs else "blocked"
        # The list holds the highest of several owners that say the same.
        through = name if name in blockset.minimal else nearest(blockset.minimal, name) or through
    rule = next((rule for rule in rules if rule.name == through), rules[0])
    return Caught(
        policy=policy.id, title=policy.title, client_scope=blockset.client_scope, answer=answer, rule=through,
        measures=policy.measures, origin=rule.origin, reason=rule.reason, approved_by=rule.approved_by,
        expires=rule.expires, source=_source(policy, rule.origin),
    )  # fmt: skip


def _source(policy: Policy, origin: str) -> str:
    kind, _, number = origin.partition(":")
    if kind != "list":
        return ""
    own = policy.list[int(number) - 1]
    return own.path or own.url


def _rules_over(blockset: BlockSet, name: Name) -> list[Rule]:
    """Return the rules that cover the name, the one that decides first: deepest owner, there exceptions first."""
    at: dict[Name, list[Rule]] = {}
    for rule in blockset.selection.rules:
        if (rule.scope == "subtree" or rule.name == name) and not (rule.blocks and rule.name in blockset.gone):
            at.setdefault(rule.name, []).append(rule)
    owners = (owner for owner in (name, *names.ancestors(name)) if owner in at)
    return [rule for owner in owners for rule in sorted(at[owner], key=lambda rule: rule.blocks)]


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


def _allow(name: Name, today: dt.date) -> str:
    until = today + min(ALLOWED_FOR, dt.date.max - today)
    return f'[[allow]]\nname = "{name}"\nreason = "…"\nexpires = {until}   # optional'
