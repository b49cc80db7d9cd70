"""Compiled lists equal the block set of their rules: same owners, same answers, nothing more."""

from __future__ import annotations

import io
import random
from collections import Counter

import pytest

from aidns import names
from aidns.blockset import answers, decide, minimise
from aidns.errors import DataError
from aidns.lists import compile as compiling
from aidns.lists import runs
from aidns.lists.compile import Input, compile_lists
from aidns.lists.line import SYNTAXES, Entry
from aidns.lists.sweep import Compiled
from aidns.model import Answer, Rule
from aidns.names import Name
from list_lines import lines
from oracles import lists as oracle

ROUNDS = 200
Read = list[tuple[Entry, bool]]


def drawn_inputs(rng: random.Random, *, exact: bool) -> tuple[list[Input], Read]:
    """Draw up to three lists, some of exceptions, and what the definition reads from them."""
    inputs: list[Input] = []
    read: Read = []
    for number in range(rng.choice((1, 1, 2, 3))):
        syntax, allow = rng.choice(SYNTAXES), rng.random() < 0.35
        data = b"".join(lines(rng, syntax, rng.choice((0, 5, 30, 100))))
        data = data.removesuffix(b"\n") if rng.random() < 0.3 else data
        try:
            compiling.check_list(data, "drawn")
        except DataError:
            continue
        inputs.append(Input(f"list {number}", io.BytesIO(data), syntax, exact, allow))
        read += [(entry, allow) for entry in oracle.read(data, syntax)[0].elements()]
    return inputs, read


def owners_of(compiled: Compiled) -> dict[Name, Answer]:
    owners = dict(compiled.nested)
    for found, answer in ((compiled.trees, Answer(True, True)), (compiled.exacts, Answer(True, False))):
        for name in found:
            assert name not in owners, f"{name} is there twice"
            owners[name] = answer
    assert compiled.trees.count + compiled.exacts.count + len(compiled.nested) == len(owners)
    return owners


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks and ranges so small that a drawn list has many."""
    monkeypatch.setattr(runs, "RANGE", 200)
    monkeypatch.setattr(compiling, "SNIFFED", 150)
    monkeypatch.setattr(compiling, "BLOCK", 300)
    monkeypatch.setattr(compiling, "_LOOSE", 20)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("exact", [False, True])
def test_compiled_lists_equal_the_block_set_of_their_rules(seed: int, exact: bool) -> None:
    """Owners and answers are those of `minimise`, and every rule read is accounted for."""
    rng = random.Random(f"{seed} {exact}")
    for _ in range(ROUNDS):
        inputs, read = drawn_inputs(rng, exact=exact)
        compiled = compile_lists(inputs, exact=rng.random() < 0.5, known=rng.random() < 0.5).compiled
        owners = oracle.owners(read, exact=exact)
        needed = minimise(owners)
        assert owners_of(compiled) == needed
        counts = compiled.counts
        assert counts.names == len(read)
        assert counts.covered + counts.idle + counts.overruled == len(owners) - len(needed)
        assert counts.exceptions == sum(not answer.self_blocked for answer in needed.values())
        kinds = {(e.name, _kind(e, exact), e.blocks and not allow) for e, allow in read}
        assert counts.duplicates == len(read) - len(kinds)


def _kind(entry: Entry, exact: bool) -> str:
    return ("exact" if exact else "subtree") if entry.kind == "plain" else entry.kind


@pytest.mark.parametrize("seed", range(4))
def test_no_blocked_name_that_was_listed_is_forgotten(seed: int) -> None:
    """With `known`, every listed name that is blocked is an owner, or is kept as covered, once."""
    rng = random.Random(seed)
    for _ in range(ROUNDS):
        inputs, read = drawn_inputs(rng, exact=seed % 2 == 0)
        compiled = compile_lists(inputs, known=True).compiled
        owners = oracle.owners(read, exact=seed % 2 == 0)
        covered = Counter([*compiled.covered, *compiled.covered_www, *compiled.trees, *compiled.exacts])
        covered.update(compiled.nested_known)
        assert set(covered.values()) <= {1}
        assert {name for name in owners if decide(minimise(owners), name)} <= set(covered)
        trees = set(compiled.trees)
        assert all(name.startswith("www.") and name[4:] in trees for name in compiled.covered_www)
        assert not any(name.startswith("www.") and name[4:] in trees for name in compiled.covered)


@pytest.mark.parametrize("seed", range(3))
def test_blocks_without_an_object_touch_no_other_rule(seed: int) -> None:
    """No other owner lies below a tree that is written in blocks, and no tree above an exact name of them."""
    rng = random.Random(seed)
    for _ in range(ROUNDS):
        compiled = compile_lists(drawn_inputs(rng, exact=False)[0]).compiled
        trees, every = set(compiled.trees), set(owners_of(compiled))
        assert not any(above in trees for name in every for above in names.ancestors(name))
        tops = {name for name, answer in compiled.nested.items() if answer.below_blocked}
        assert not any(above in tops for name in compiled.exacts for above in names.ancestors(name))


def test_the_oracle_agrees_with_the_block_set_on_ordinary_rules() -> None:
    """Where rules are subtrees and exact names, the oracle is `blockset.answers` itself."""
    rng = random.Random(7)
    for _ in range(ROUNDS):
        _, read = drawn_inputs(rng, exact=False)
        plain = [(entry, allow) for entry, allow in read if entry.kind != "below"]
        rules = [
            Rule(e.name, "exact" if e.kind == "exact" else "subtree", e.blocks and not allow, "list:1", "drawn")
            for e, allow in plain
        ]
        assert oracle.owners(plain, exact=False) == answers(rules)


def test_rules_and_known_names_join_the_lists() -> None:
    """A catalogue's rules are compiled with the lists; a known name is kept where a tree covers it."""
    inputs = [Input("own", io.BytesIO(b"alpha.lab\nkept.beta.lab\n"), "domains")]
    rules = [
        Rule(Name("beta.lab"), "subtree", True, "service", "catalogue"),
        Rule(Name("free.alpha.lab"), "exact", False, "policy", "needed"),
    ]
    known = [Name("app.beta.lab"), Name("elsewhere.lab")]
    compiled = compile_lists(inputs, known=True, rules=rules, names=known).compiled
    assert owners_of(compiled) == {
        "alpha.lab": Answer(True, True),
        "free.alpha.lab": Answer(False, True),
        "beta.lab": Answer(True, True),
    }
    assert set(compiled.covered) == {"app.beta.lab", "kept.beta.lab"}
    assert compiled.counts.names == 4
