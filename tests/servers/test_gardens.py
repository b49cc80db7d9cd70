"""Walled gardens, by address and by name: what each server answers with a list in each format that claims them."""

from __future__ import annotations

from pathlib import Path

import pytest

import strategies
from aidns.blockset import compile_selection
from aidns.catalog.load import load
from aidns.lab.kinds import KINDS
from aidns.lab.servers import start
from aidns.lab.upstream import Upstream
from aidns.model import ActionChoice, BlockSet, Garden, Policy, Rule
from aidns.names import Name
from aidns.render.artefact import render
from aidns.render.base import Inexpressible
from aidns.render.consumers import CONSUMERS
from aidns.render.formats import FORMATS
from aidns.stub import Endpoint, ask
from aidns.verify.questions import plan
from aidns.verify.run import verify

NAME = "wall.garden.net"
GARDENS = {
    "both": Garden(a="198.51.100.7", aaaa="2001:db8::7"),
    "four": Garden(a="198.51.100.7"),
    "six": Garden(aaaa="2001:db8::7"),
    "name": Garden(cname=NAME),
}
KINDS_WITH = [kind for kind in KINDS if "walled-garden" in FORMATS[KINDS[kind].format].actions]
CLAIMED = [
    (kind, garden)
    for kind in KINDS_WITH
    for garden in GARDENS
    if garden != "name" or "address" not in CONSUMERS[kind].seen.answers
]
"""Kind of server and garden, by what docs/formats.md says that it answers."""


def walled(garden: Garden, *, exceptions: bool = True) -> BlockSet:
    """A tree, an exact name and, where the server can, exceptions from both sides."""
    action = ActionChoice("walled-garden", (), garden)
    rules = [
        Rule(Name("tree.com"), "subtree", True, "policy", "test"),
        Rule(Name("one.shop.com"), "exact", True, "policy", "test"),
    ]
    if exceptions:
        rules += [
            Rule(Name("ok.tree.com"), "subtree", False, "policy", "test"),
            Rule(Name("in.ok.tree.com"), "subtree", True, "policy", "test"),
        ]
    policy = Policy(schema=1, title="t", id="p", action=action)
    return compile_selection(strategies.selection(tuple(rules), policy), {})


def written(kind: str, of: BlockSet, folder: Path) -> Path:
    path = folder / "list"
    made = render(FORMATS[KINDS[kind].format], of, load().catalog, {}, lambda _digest: (7, 7))
    path.write_text(made.text, "ascii")
    return path


def cases(pairs: list[tuple[str, str]]) -> list[object]:
    return [pytest.param(*pair, marks=pytest.mark.server(pair[0]), id="-".join(pair)) for pair in pairs]


@pytest.mark.parametrize(("kind", "garden"), cases(CLAIMED))
def test_people_are_sent_to_the_garden_and_nothing_leaks(kind: str, garden: str, tmp_path: Path) -> None:
    wall = GARDENS[garden]
    of = walled(wall, exceptions=KINDS[kind].forwards_exceptions)
    path = written(kind, of, tmp_path)
    with Upstream() as upstream, start(kind, [path], upstream=upstream.port, canary=of.canary) as server:
        report = verify(
            Endpoint("127.0.0.1", server.port), plan(of, "fresh"), formats=(KINDS[kind].format,), rate=0,
            control=Endpoint("127.0.0.1", upstream.port),
        )  # fmt: skip
        for name in ("tree.com", "x.tree.com", "deep.x.tree.com", "one.shop.com"):
            for rdtype, expected in (("A", wall.a), ("AAAA", wall.aaaa)):
                reply = ask(server.port, name, rdtype)
                if wall.cname:
                    assert reply.data("CNAME") == (wall.cname,), (name, rdtype)
                else:
                    assert reply.data(rdtype) == ((expected,) if expected else ()), (name, rdtype)
            assert ask(server.port, name, "TXT").rcode == "NOERROR"
        asked = set(upstream.seen_names())
    wrong = [f for f in report.findings if f.outcome not in ("blocked", "open")]
    assert (report.loaded, wrong) == (True, [])
    assert not {name for name in asked if name in ("tree.com", "one.shop.com") or name.endswith("x.tree.com")}


@pytest.mark.server("kresd-rpz")
def test_knot_resolver_ignores_a_garden_that_is_a_name_and_the_list_says_so(tmp_path: Path) -> None:
    of = walled(GARDENS["name"], exceptions=False)
    path = written("kresd-rpz", of, tmp_path)
    with Upstream() as upstream, start("kresd-rpz", [path], upstream=upstream.port, canary=of.canary) as server:
        assert ask(server.port, "x.tree.com").data("A") == ("192.0.2.1",)
    assert "Knot Resolver ignores a walled garden that is a name" in path.read_text("ascii")
    assert "Knot Resolver" not in written("kresd-rpz", walled(GARDENS["both"]), tmp_path).read_text("ascii")


@pytest.mark.parametrize("fmt", ["dnsmasq", "hosts", "dnsmasq-servers", "mikrotik", "windows-dns"])
def test_a_format_without_gardens_by_name_refuses_one(fmt: str) -> None:
    with pytest.raises(Inexpressible):
        render(FORMATS[fmt], walled(GARDENS["name"]), load().catalog, {}, lambda _digest: (7, 7))


def test_every_format_that_claims_gardens_is_tried() -> None:
    """csv and json hold what the policy says and are loaded by nobody."""
    claiming = {fmt.id for fmt in FORMATS.values() if "walled-garden" in fmt.actions and not fmt.allows}
    assert claiming == {KINDS[kind].format for kind, _ in CLAIMED} | {"csv", "json"}
