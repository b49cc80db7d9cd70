"""Pi-hole: what gravity takes from our lists, and what it then blocks, by an oracle made from a real one's verdicts."""

from __future__ import annotations

import pytest
from hypothesis import example, given

import samples
import strategies as draw
from aidns import names
from aidns.blockset import compile_selection, decide
from aidns.model import Artefact, BlockSet, Rule
from aidns.names import Name
from aidns.render.artefact import render
from aidns.render.formats import FORMATS
from golden_files import CASES, refusal_of
from oracles.gravity import PiHole, judge
from samples import NOW, catalog, content

POLICIES = [policy for policy, fmt in CASES if fmt == "pihole" and not refusal_of(policy, fmt)]


def drawn(rules: tuple[Rule, ...]) -> tuple[BlockSet, Artefact, Artefact]:
    blockset = compile_selection(draw.selection(rules, draw.policy()), {})
    block, allow = (
        render(FORMATS[fmt], blockset, catalog(), {}, lambda _digest: (7, NOW)) for fmt in ("pihole", "pihole-allow")
    )
    return blockset, block, allow


def lines_of(made: Artefact) -> list[tuple[bytes, bool]]:
    return [(line.encode(), made.format == "pihole-allow") for line in made.text.splitlines()]


def rule(name: str, scope: str, *, blocks: bool) -> Rule:
    return Rule(Name(name), scope, blocks, "policy", "drawn")  # type: ignore[arg-type]


NESTED = (
    rule("alpha.lab", "subtree", blocks=True),
    rule("a.alpha.lab", "subtree", blocks=False),
    rule("b.a.alpha.lab", "subtree", blocks=True),
    rule("c.a.alpha.lab", "exact", blocks=True),
    rule("c.b.a.alpha.lab", "subtree", blocks=False),
)


@given(draw.rules())
@example(NESTED)
def test_both_lists_block_what_the_reference_says(rules: tuple[Rule, ...]) -> None:
    """But for the declared losses: unlisted names below an exception that lies above a block stay blocked."""
    if not compile_selection(draw.selection(rules), {}).minimal:
        return
    blockset, block, allow = drawn(rules)
    hole = PiHole(block.text, allow.text)
    narrowed = {name for loss in allow.weakened for name in loss.names}
    for probe in draw.probes(blockset.owners):
        expected = decide(blockset.minimal, probe)
        if hole.blocked(probe) != expected:
            assert not expected, f"{probe} leaks"
            assert probe not in blockset.known
            assert any(names.at_or_below(probe, name) for name in narrowed), probe


@given(draw.rules())
@example(NESTED)
def test_the_block_list_alone_never_leaks(rules: tuple[Rule, ...]) -> None:
    """Without the allow list it blocks its exceptions, as it declares, and nothing else too much."""
    if not compile_selection(draw.selection(rules), {}).minimal:
        return
    blockset, block, _ = drawn(rules)
    hole = PiHole(block.text)
    declared = {name for loss in block.weakened for name in loss.names}
    for probe in draw.probes(blockset.owners):
        expected = decide(blockset.minimal, probe)
        assert hole.blocked(probe) or not expected, f"{probe} leaks"
        if hole.blocked(probe) and not expected:
            assert any(names.at_or_below(probe, name) for name in declared), probe


@given(draw.rules(exceptions=False))
def test_blocks_alone_need_no_allow_list(rules: tuple[Rule, ...]) -> None:
    """Nothing is weakened, nothing excepted: the allow list holds its canary and no more."""
    blockset, block, allow = drawn(rules)
    assert block.weakened == allow.weakened == ()
    assert content(allow.text) == [f"allow.{blockset.canary}"]
    hole = PiHole(block.text)
    assert all(hole.blocked(p) == decide(blockset.minimal, p) for p in draw.probes(blockset.owners))


@given(draw.rules())
@example(NESTED)
def test_gravity_takes_every_line_as_it_is_meant(rules: tuple[Rule, ...]) -> None:
    """A comment yields nothing, any other line exactly one entry, the line itself; none twice, none invalid."""
    if not compile_selection(draw.selection(rules), {}).minimal:
        return
    _, block, allow = drawn(rules)
    for made in (block, allow):
        seen = set()
        for line, is_allow in lines_of(made):
            accepted, invalid = judge(line, is_allow)
            assert invalid == 0
            assert accepted == ([] if line.startswith(b"# ") else [line])
            assert not seen & set(accepted)
            seen |= set(accepted)


@pytest.mark.parametrize("policy", POLICIES)
def test_the_samples_policies_are_read_whole(policy: str) -> None:
    """Titles with colons and brackets in a comment are no entries; the canaries are."""
    for fmt in ("pihole", "pihole-allow"):
        made = samples.artefact(policy, fmt)
        for line, is_allow in lines_of(made):
            accepted, invalid = judge(line, is_allow)
            assert (len(accepted), invalid) == ((0, 0) if line.startswith(b"#") else (1, 0)), line
    hole = PiHole(samples.artefact(policy, "pihole").text, samples.artefact(policy, "pihole-allow").text)
    assert hole.blocked(f"{policy}.aidns-canary.example")


def test_a_block_below_an_exception_costs_its_unknown_names() -> None:
    """The known ones are allowed one by one; the loss is declared with the name of the exception."""
    allow = samples.artefact("office", "pihole-allow")
    assert content(allow.text)[1:] == ["help.acme.example", "status.acme.example"]
    (loss,) = allow.weakened
    assert (loss.what, loss.direction, loss.names) == ("exception", "over-block", ("help.acme.example",))
    hole = PiHole(samples.artefact("office", "pihole").text, allow.text)
    assert not hole.blocked("help.acme.example")
    assert hole.blocked("below.help.acme.example")
    assert hole.blocked("unlisted.help.acme.example")


def test_the_consumer_decides_the_answer() -> None:
    """Pi-hole's blocking mode is the administrator's: no action is written, and none counts as weakened."""
    for policy in ("open", "stricter", "garden"):
        assert samples.artefact(policy, "pihole").action == "server-defined"
    same = {tuple(content(samples.artefact(p, "pihole").text)[1:]) for p in ("open", "garden")}
    assert len(same) == 1
