"""Many random rule sets, each below an apex of its own, so that one server start proves them all."""

from __future__ import annotations

import random

from aidns import names
from aidns.model import Rule
from aidns.names import Name

LABELS = ("a", "b", "c", "x-1", "_u", "l" * 63)


def draw(rng: random.Random, sets: int, *, exceptions: bool = True) -> tuple[Rule, ...]:
    """Return rules of `sets` rule sets: blocks and exceptions, exact and subtree, nested up to four deep."""
    rules: list[Rule] = []
    for number in range(sets):
        apex = f"s{number}.lab"
        for _ in range(rng.randint(1, 7)):
            depth = rng.randint(0, 4)
            name = ".".join([*(rng.choice(LABELS[:5] if depth > 2 else LABELS) for _ in range(depth)), apex])
            blocks = not exceptions or rng.random() < 0.6
            rules.append(Rule(names.parse(name), rng.choice(("subtree", "exact")), blocks, "policy", "drawn"))
    return tuple(rules)


def probes(rng: random.Random, rules: tuple[Rule, ...]) -> list[Name]:
    """Return names drawn to hurt: owners, every ancestor, children, deep children, siblings, look-alikes."""
    found: dict[Name, None] = {}
    for name in dict.fromkeys(rule.name for rule in rules):
        head, _, parent = name.partition(".")
        for probe in (
            name, f"k{rng.randrange(999)}.{name}", f"a.b.{name}", f"_t.{name}", f"x{head[:60]}.{parent}",
            f"sib{rng.randrange(99)}.{parent}",
            f"y{name.removesuffix('.lab')[-40:].lstrip('.-')}x.lab",
            *names.ancestors(name),
        ):  # fmt: skip
            if probe.count(".") and len(probe) <= 253 and all(len(label) <= 63 for label in probe.split(".")):
                found[Name(probe)] = None
    return list(found)
