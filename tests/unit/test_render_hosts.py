"""hosts files: every known name that is blocked is written out, and nothing else."""

from __future__ import annotations

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

import samples
import strategies as draw
from aidns.blockset import compile_selection, decide
from aidns.model import Artefact, BlockSet, Rule
from aidns.names import Name
from aidns.render.artefact import render
from aidns.render.formats import FORMATS
from samples import NOW, catalog, content


def drawn(rules: tuple[Rule, ...], known: tuple[Name, ...] = ()) -> tuple[BlockSet, Artefact] | None:
    """A block set and its file; None where no name is left that a hosts file can hold."""
    blockset = compile_selection(draw.selection(rules, draw.policy(), known), {})
    if not any("_" not in name and decide(blockset.minimal, name) for name in blockset.known):
        return None
    return blockset, render(FORMATS["hosts"], blockset, catalog(), {}, lambda _digest: (7, NOW))


def entries(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in content(text):
        address, name = line.split(" ")
        ipaddress.ip_address(address)
        found.setdefault(name, []).append(address)
    return found


@given(draw.rules(), st.lists(draw.nested_names(), max_size=8).map(tuple))
def test_every_known_blocked_name_is_there_and_nothing_else(rules: tuple[Rule, ...], known: tuple[Name, ...]) -> None:
    """Complete over all names known here, each with both null addresses; what is excepted is not there."""
    if not (made := drawn(rules, known)):
        return
    blockset, artefact = made
    found = entries(artefact.text)
    assert found.pop(blockset.canary) == ["0.0.0.0", "::"]
    assert all(addresses == ["0.0.0.0", "::"] for addresses in found.values())
    assert all(decide(blockset.minimal, name) for name in found)
    missing = {n for n in blockset.known if decide(blockset.minimal, n)} - found.keys()
    assert all("_" in name for name in missing)
    assert all(name in blockset.known or name.startswith("www.") for name in found)


@given(draw.rules())
def test_the_www_of_each_blocked_tree_is_there(rules: tuple[Rule, ...]) -> None:
    """The one name below an apex that people are sure to type."""
    if not (made := drawn(rules)):
        return
    blockset, artefact = made
    found = entries(artefact.text)
    for name, answer in blockset.minimal.items():
        www = f"www.{name}"
        if answer.below_blocked and "_" not in name and decide(blockset.minimal, www):
            assert www in found or name.startswith("www.")


@given(draw.rules())
def test_what_a_hosts_file_cannot_say_is_declared(rules: tuple[Rule, ...]) -> None:
    """Trees, types, and names with an underscore, each with the names it concerns: leaks all, never an over-block."""
    if not (made := drawn(rules)):
        return
    blockset, artefact = made
    losses = {(loss.what, loss.direction): set(loss.names) for loss in artefact.weakened}
    trees = {name for name, answer in blockset.minimal.items() if answer.below_blocked}
    underscored = {n for n in blockset.known if "_" in n and decide(blockset.minimal, n)}
    assert losses.get(("subtree", "leak"), set()) == trees
    assert losses.get(("exact", "leak"), set()) >= underscored
    assert losses[("types", "leak")] == set(entries(artefact.text)) - {blockset.canary}
    assert {direction for _, direction in losses} == {"leak"}


def test_the_sample_is_complete_and_says_what_it_leaves_out() -> None:
    """Patterns expanded, covered names written out, the exceptions left out, the underscore declared."""
    made = samples.artefact("office", "hosts")
    found = entries(made.text)
    for name in ("api.acme.example", "us-1-ai.acme-cloud.example", "login.beta.example", "www.acme.example"):
        assert name in found
    for name in ("help.acme.example", "status.acme.example", "_ai.acme-cloud.example", "www.help.acme.example"):
        assert name not in found
    assert "Cannot express: exact (leak), 1 name(s): a name with an underscore" in made.text
    assert "Cannot express: types (leak)" in made.text
