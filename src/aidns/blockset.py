"""Compile a selection into a block set: the neutral result that every format renders, and the reference all must equal.

A block set maps an owner name to two answers: is the owner itself blocked, is what lies below it blocked. A subtree
rule sets both; an exact rule sets the first and inherits the second from the nearest listed ancestor. At one owner an
exception wins over a block for what both cover; otherwise the deepest listed owner decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aidns import names
from aidns.errors import DataError
from aidns.model import Answer, BlockSet, Rule, Selection, Verdict
from aidns.names import CANARY_PARENT, Name

Owners = Mapping[Name, Answer]


def compile_selection(selection: Selection, verdicts: Mapping[Name, Verdict]) -> BlockSet:
    """Return the block set of a selection. Blocked hosts with a removable verdict leave before anything else.

    Raises DataError for a rule about the names of canaries: a list cannot both block and answer them.
    """
    if clash := next((r.name for r in selection.rules if names.at_or_below(r.name, CANARY_PARENT)), None):
        raise DataError(f"{clash} belongs to canaries", tip=f"nothing at or below {CANARY_PARENT} can be listed")
    rules = [rule for rule in selection.rules if not is_gone(rule, verdicts)]
    owners = answers(rules)
    gone = {rule.name for rule in selection.rules} - owners.keys()
    minimal = minimise(owners)
    return BlockSet(
        policy=selection.policy,
        client_scope=selection.client_scope,
        owners=owners,
        minimal=minimal,
        known=tuple(sorted({*selection.known, *owners} - gone, key=names.sort_key)),
        covered=tuple((n, above) for n in owners if n not in minimal and (above := nearest(minimal, n))),
        idle=tuple(n for n in owners if n not in minimal and nearest(minimal, n) is None),
        gone=tuple(sorted(gone, key=names.sort_key)),
        origins={rule.name: rule.origin for rule in rules},
        canary=canary(selection.policy.id),
        selection=selection,
    )


def canary(policy_id: str) -> Name:
    """Return the name by which a server shows that it has loaded this policy's list."""
    return names.parse(f"{policy_id}.{CANARY_PARENT}")


def answers(rules: Iterable[Rule]) -> dict[Name, Answer]:
    """Return every listed owner with its answers, in label order, ancestors first."""
    by_owner: dict[Name, list[Rule]] = {}
    for rule in rules:
        by_owner.setdefault(rule.name, []).append(rule)
    owners: dict[Name, Answer] = {}
    for name in sorted(by_owner, key=names.sort_key):
        here = by_owner[name]
        trees = [rule for rule in here if rule.scope == "subtree"]
        below = all(rule.blocks for rule in trees) if trees else inherited(owners, name)
        owners[name] = Answer(all(rule.blocks for rule in here), below)
    return owners


def minimise(owners: Owners) -> dict[Name, Answer]:
    """Drop each owner that says what its nearest listed ancestor already says; without one, everything passes.

    Keeps every name's answer, and is idempotent.
    """
    kept: dict[Name, Answer] = {}
    for name in sorted(owners, key=names.sort_key):
        above = inherited(kept, name)
        if owners[name] != Answer(above, above):
            kept[name] = owners[name]
    return kept


def close(owners: Owners) -> dict[Name, Answer]:
    """Write out every unlisted ancestor between a listed name and the listed tree it lies in.

    A name below another makes the labels between them exist, and an existing name stops the wildcard above it
    (RFC 4592 §2.2.2, §3.3.1): without this, an RPZ zone has holes. Keeps every name's answer.
    """
    closed: dict[Name, Answer] = {}
    for name in sorted(owners, key=names.sort_key):
        above = nearest(owners, name)
        if above is not None and in_tree(owners, above):
            state = owners[above].below_blocked
            for between in names.ancestors(name):
                if between == above:
                    break
                closed[between] = Answer(state, state)
        closed[name] = owners[name]
    return {name: closed[name] for name in sorted(closed, key=names.sort_key)}


def decide(owners: Owners, qname: str) -> bool:
    """Tell whether `qname` is blocked: the reference for every format."""
    here = owners.get(names.Name(qname))
    return here.self_blocked if here else inherited(owners, qname)


def inherited(owners: Owners, name: str) -> bool:
    """Tell whether what lies below the nearest listed proper ancestor is blocked."""
    above = nearest(owners, name)
    return above is not None and owners[above].below_blocked


def nearest(owners: Owners, name: str) -> Name | None:
    """Return the nearest listed proper ancestor."""
    return next((above for above in names.ancestors(name) if above in owners), None)


def in_tree(owners: Owners, name: str) -> bool:
    """Tell whether `name`, listed, blocks what lies below it, or lies below a listed name that does."""
    return owners[Name(name)].below_blocked or any(
        above in owners and owners[above].below_blocked for above in names.ancestors(name)
    )


def is_gone(rule: Rule, verdicts: Mapping[Name, Verdict]) -> bool:
    """Tell whether a verdict takes this rule out: a block of a host that is proved to be gone."""
    verdict = verdicts.get(rule.name)
    return rule.blocks and rule.verdict_applies and verdict is not None and verdict.removable
