"""Every server answers every name as the reference does, whatever the rules.

Random rule sets hold blocks and exceptions, exact and subtree, nested up to four deep. A name passes when the
upstream's data comes back; everything else is a block.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

import strategies
from aidns.blockset import compile_selection, decide
from aidns.catalog.load import load
from aidns.lab.servers import start
from aidns.lab.upstream import Upstream
from aidns.model import BlockSet
from aidns.names import Name
from aidns.render.artefact import render
from aidns.render.formats import FORMATS
from aidns.render.unbound import widen
from aidns.stub import ask_many
from servers import rule_sets

SEED = int(os.environ.get("AIDNS_SEED", "20250205"))
SETS = int(os.environ.get("AIDNS_RULE_SETS", "250"))
TYPES = ("A", "AAAA", "HTTPS", "TXT", "MX")

CASES = (
    ("unbound", "unbound", "nxdomain"),
    ("unbound", "unbound", "null"),
    ("unbound", "unbound", "nodata"),
    ("unbound-rpz", "rpz", "nxdomain"),
    ("bind-rpz", "rpz", "nxdomain"),
    ("bind-rpz", "rpz", "nodata"),
    ("pdns-rpz", "rpz", "nxdomain"),
    ("pdns-rpz", "rpz", "nodata"),
    ("kresd-rpz", "rpz", "nxdomain"),
)


def block_set(rng: random.Random, action: str, *, exceptions: bool) -> tuple[BlockSet, list[Name]]:
    rules = rule_sets.draw(rng, SETS, exceptions=exceptions)
    # RPZ cannot give addresses to underscore owners on BIND; the null action is drawn for unbound alone.
    selection = strategies.selection(rules, strategies.policy(action=action))
    return compile_selection(selection, {}), rule_sets.probes(rng, rules)


@pytest.mark.parametrize(
    ("kind", "fmt", "action"), [pytest.param(*case, marks=pytest.mark.server(case[0])) for case in CASES]
)
def test_server_agrees_with_the_reference_on_every_name(kind: str, fmt: str, action: str, tmp_path: Path) -> None:
    """Nothing differs from the reference for any name drawn to hurt, beyond what is declared."""
    rng = random.Random(SEED)
    # Knot Resolver's passthru skips forwarding, so it proves blocks alone.
    blockset, probes = block_set(rng, action, exceptions=kind != "kresd-rpz")
    artefact = render(FORMATS[fmt], blockset, load().catalog, {}, lambda _digest: (7, 7))
    path = tmp_path / "list"
    path.write_text(artefact.text)
    expected = widen(blockset)[0] if fmt == "unbound" else blockset.minimal
    questions = [(name, rng.choice(TYPES)) for name in probes]
    with Upstream() as upstream, start(kind, [path], upstream=upstream.port, canary=blockset.canary) as server:
        replies = ask_many(server.port, questions, tries=4)
        seen = upstream.seen_names()
    wrong = [
        (name, rdtype, decide(expected, name))
        for (name, rdtype), reply in zip(questions, replies, strict=True)
        if reply is None or decide(expected, name) == bool(reply.data(rdtype) and not is_null(reply.data(rdtype)))
    ]
    assert not wrong, f"seed {SEED}: {len(wrong)} of {len(questions)} differ, such as {wrong[:5]}"
    leaked = [name for name in seen if decide(expected, name)]
    assert not leaked, f"seed {SEED}: the upstream saw blocked names such as {leaked[:5]}"


def test_what_unbound_weakens_is_what_it_declares() -> None:
    """Where unbound's list differs from the reference, it is below an exact exception that the artefact declares."""
    rng = random.Random(SEED)
    blockset, probes = block_set(rng, "nxdomain", exceptions=True)
    artefact = render(FORMATS["unbound"], blockset, load().catalog, {}, lambda _digest: (7, 7))
    declared = {
        name
        for loss in artefact.weakened
        if (loss.what, loss.direction) == ("exception", "leak")
        for name in loss.names
    }
    widened = widen(blockset)[0]
    differing = [name for name in probes if decide(widened, name) != decide(blockset.minimal, name)]
    assert differing, "the draw holds no exact exception inside a tree: it proves nothing"
    for name in differing:
        assert decide(blockset.minimal, name) and any(name.endswith(f".{hole}") for hole in declared), name


def is_null(data: tuple[str, ...]) -> bool:
    """Tell a null answer from the upstream's data."""
    return set(data) <= {"0.0.0.0", "::"}
