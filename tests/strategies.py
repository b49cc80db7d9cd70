"""What property tests draw: names that nest, rules over them, hostile text."""

from __future__ import annotations

from hypothesis import strategies as st

from aidns import names
from aidns.model import ActionChoice, Policy, Rule, Selection
from aidns.names import Name

LABELS = ("a", "b", "c", "x-1", "_dmarc", "l" * 63)
APEXES = ("alpha.lab", "beta.lab", "co.beta.lab")


def nested_names(depth: int = 4) -> st.SearchStrategy[Name]:
    """Names up to `depth` labels below few apexes, so that they often lie in one another."""
    labels = st.lists(st.sampled_from(LABELS), max_size=depth)
    return st.builds(lambda below, apex: Name(".".join([*below, apex])), labels, st.sampled_from(APEXES)).filter(
        lambda name: len(name) <= 180
    )


def rules(*, exceptions: bool = True, exact: bool = True, min_size: int = 1) -> st.SearchStrategy[tuple[Rule, ...]]:
    """Rule sets with at least one block."""
    one = st.builds(
        Rule,
        name=nested_names(),
        scope=st.sampled_from(("subtree", "exact") if exact else ("subtree",)),
        blocks=st.booleans() if exceptions else st.just(True),
        origin=st.just("policy"),
        reason=st.just("drawn"),
    )
    return st.lists(one, min_size=min_size, max_size=12).map(tuple).filter(lambda rs: any(r.blocks for r in rs))


def policy(policy_id: str = "drawn", action: str = "nxdomain", fallback: tuple[str, ...] = ("null",)) -> Policy:
    """A policy that holds nothing but its action."""
    return Policy(schema=1, title="drawn", id=policy_id, action=ActionChoice(default=action, fallback=fallback))


def selection(rule_set: tuple[Rule, ...], of: Policy | None = None, known: tuple[Name, ...] = ()) -> Selection:
    """A selection of just these rules."""
    every = tuple(sorted({*known, *(rule.name for rule in rule_set)}, key=names.sort_key))
    return Selection(of or policy(), "", rule_set, every, (), (), ())


def probes(owners: object) -> list[Name]:
    """Names drawn to hurt: each owner, its ancestors, a child, a deep child, a sibling, a look-alike."""
    found: dict[Name, None] = {}
    for name in owners:  # type: ignore[attr-defined]
        for probe in (name, f"child.{name}", f"deep.child.{name}", f"x{name}", *names.ancestors(name)):
            if probe.count(".") and len(probe) <= 240:
                found[Name(probe)] = None
        head, _, parent = name.partition(".")
        found[Name(f"sib-{head[:40]}.{parent}")] = None
    return list(found)
