"""The block set: what minimising and closing must never change."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from aidns import names
from aidns.blockset import answers, close, compile_selection, decide, minimise
from aidns.model import Answer, Rule, Standing, Verdict
from aidns.names import Name
from tests import strategies as draw


def slow_reference(rules: tuple[Rule, ...], qname: str) -> bool:
    """The design's words, one by one: the deepest listed owner decides; there, an exception wins."""
    for owner in (qname, *names.ancestors(qname)):
        here = [r for r in rules if r.name == owner and (r.scope == "subtree" or owner == qname)]
        if here:
            return all(r.blocks for r in here)
    return False


@given(draw.rules())
def test_block_set_decides_as_the_rules_read(rules: tuple[Rule, ...]) -> None:
    """Compiled answers equal the plain reading of the rules for every name that could tell them apart."""
    blockset = compile_selection(draw.selection(rules), {})
    for probe in draw.probes(blockset.owners):
        assert decide(blockset.minimal, probe) == slow_reference(rules, probe), probe


@given(draw.rules())
def test_minimising_is_idempotent_and_keeps_every_answer(rules: tuple[Rule, ...]) -> None:
    """Dropping redundant owners changes no answer, and a second time drops nothing."""
    owners = answers(rules)
    kept = minimise(owners)
    assert minimise(kept) == kept
    assert all(decide(kept, probe) == decide(owners, probe) for probe in draw.probes(owners))


@given(draw.rules())
def test_minimal_owners_are_all_needed(rules: tuple[Rule, ...]) -> None:
    """Taking any owner out of a minimal set changes an answer."""
    kept = minimise(answers(rules))
    for name in kept:
        without = {other: answer for other, answer in kept.items() if other != name}
        changed = any(decide(without, p) != decide(kept, p) for p in (name, Name(f"fresh-child.{name}")))
        assert changed, name


@given(draw.rules())
def test_closing_keeps_every_answer(rules: tuple[Rule, ...]) -> None:
    """Writing out the names between listed ones changes no answer."""
    kept = minimise(answers(rules))
    closed = close(kept)
    assert kept.items() <= closed.items()
    assert all(decide(closed, probe) == decide(kept, probe) for probe in draw.probes(closed))


@given(draw.rules())
def test_closing_leaves_no_unlisted_name_between_two_listed_ones(rules: tuple[Rule, ...]) -> None:
    """In a listed tree every ancestor up to the tree's top is an owner, so no wildcard is cut short."""
    closed = close(minimise(answers(rules)))
    for name in closed:
        between = []
        for above in names.ancestors(name):
            if above in closed:
                assert not between or not closed[above].below_blocked, (name, above, between)
                break
            between.append(above)


@given(draw.rules(), st.randoms(use_true_random=False))
def test_order_of_rules_does_not_matter(rules: tuple[Rule, ...], rng: random.Random) -> None:
    """Shuffled input gives the same block set."""
    shuffled = list(rules)
    rng.shuffle(shuffled)
    assert (
        compile_selection(draw.selection(rules), {}).minimal
        == compile_selection(draw.selection(tuple(shuffled)), {}).minimal
    )


@given(draw.rules())
def test_nothing_vanishes(rules: tuple[Rule, ...]) -> None:
    """Every listed name is a rule, is covered by one, or is an exception with nothing to except."""
    blockset = compile_selection(draw.selection(rules), {})
    accounted = {*blockset.minimal, *(name for name, _ in blockset.covered), *blockset.idle}
    assert accounted == {rule.name for rule in rules}


@given(draw.rules())
def test_an_exception_is_kept_only_inside_a_block(rules: tuple[Rule, ...]) -> None:
    """What passes without us is never written: an allow entry elsewhere would open other people's lists."""
    kept = minimise(answers(rules))
    for name, answer in kept.items():
        if answer == Answer(False, False):
            assert decide({n: a for n, a in kept.items() if n != name}, name)


def test_a_gone_host_leaves_before_minimising() -> None:
    """A removable verdict drops the host; one that is not removable, and inline names, stay."""
    host, apex, own = Name("old.alpha.lab"), Name("alpha.lab"), Name("own.beta.lab")
    rules = (
        Rule(host, "subtree", True, "s", "r"),
        Rule(own, "subtree", True, "policy", "r", verdict_applies=False),
        Rule(apex, "exact", True, "s", "r"),
    )
    verdicts = {
        host: Verdict(host, Standing.GONE, 1, "proved", removable=True),
        own: Verdict(own, Standing.GONE, 1, "proved", removable=True),
        apex: Verdict(apex, Standing.GONE, 1, "proved", removable=False),
    }
    blockset = compile_selection(draw.selection(rules), verdicts)
    assert set(blockset.minimal) == {own, apex}
    assert blockset.gone == (host,)
    assert host not in blockset.known
