"""Block sets for the tests of `verify`."""

from __future__ import annotations

import strategies
from aidns.blockset import compile_selection
from aidns.model import BlockSet, Policy, Rule
from aidns.names import Name, parse


def blockset(*rules: tuple[str, str, bool], known: tuple[str, ...] = (), policy: Policy | None = None) -> BlockSet:
    """Compile (name, scope, blocks) triples; `known` names are known besides."""
    made = tuple(Rule(parse(n), scope, blocks, "policy", "test") for n, scope, blocks in rules)  # type: ignore[arg-type]
    return compile_selection(strategies.selection(made, policy, tuple(Name(n) for n in known)), {})
