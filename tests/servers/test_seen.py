"""The table of docs/formats.md says what the real servers do: what it says of each is measured here, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

import strategies
from aidns.blockset import compile_selection
from aidns.catalog.load import load
from aidns.lab.kinds import KINDS
from aidns.lab.servers import Server, start
from aidns.lab.upstream import Upstream
from aidns.model import BlockSet, Rule
from aidns.names import Name
from aidns.render.artefact import render
from aidns.render.consumers import CONSUMERS
from aidns.render.formats import FORMATS
from aidns.stub import ask

APEX, BELOW, ALIAS = Name("tree.com"), Name("deep.in.tree.com"), Name("cloak.shop.net")
TYPES = ("A", "AAAA", "HTTPS", "SVCB", "MX", "TXT", "NS", "SOA", "TYPE257", "TYPE65280", "DS")
ANSWERS = {
    "nxdomain": "NXDOMAIN", "nodata": "NODATA", "null": "null", "refuse": "REFUSED", "walled-garden": "garden",
    "log-only": "log only",
}  # fmt: skip
BY_KIND = [pytest.param(kind, marks=pytest.mark.server(kind)) for kind in KINDS]


def blocked(server: Server, upstream: Upstream, name: str, rdtype: str = "A") -> bool:
    """Tell whether the server keeps a question to itself; an alias is blocked when its addresses do not come back."""
    upstream.seen.clear()
    reply = ask(server.port, name, rdtype)
    if name == ALIAS:
        return "192.0.2.1" not in {record.data for record in reply.answers}
    return (name, rdtype) not in upstream.seen


def compiled(kind: str) -> BlockSet:
    action = "null" if KINDS[kind].format == "hosts" else "nxdomain"
    rules = (Rule(APEX, "subtree", True, "policy", "test"),)
    return compile_selection(strategies.selection(rules, strategies.policy(action=action)), {})


def types_of(found: set[str]) -> str:
    """Say which types are covered, in the words of the table."""
    if found == {*TYPES}:
        return "all"
    if found == {*TYPES} - {"DS"}:
        return "all but DS at the listed name"
    return " and ".join(sorted(found))


@pytest.mark.parametrize("kind", BY_KIND)
def test_the_table_says_what_the_server_does(kind: str, tmp_path: Path) -> None:
    of, path = compiled(kind), tmp_path / "list"
    made = render(FORMATS[KINDS[kind].format], of, load().catalog, {}, lambda _digest: (7, 7))
    path.write_text(made.text, "ascii")
    with (
        Upstream(cnames={ALIAS: APEX}) as upstream,
        start(kind, [path], upstream=upstream.port, canary=of.canary) as server,
    ):
        below = blocked(server, upstream, BELOW)
        types = {rdtype for rdtype in TYPES if blocked(server, upstream, APEX, rdtype)}
        alias = [blocked(server, upstream, ALIAS) for _ in range(2)]
    cname = {(True, True): "yes", (True, False): "on the first question only", (False, False): "no"}
    seen = CONSUMERS[kind].seen
    assert (seen.subdomains, seen.types, seen.cname) == (
        "all" if below else "none but the listed",
        types_of(types),
        cname[alias[0], alias[1]],
    )


@pytest.mark.parametrize("kind", [kind for kind in KINDS if FORMATS[KINDS[kind].format].actions])
def test_the_table_names_the_answers_that_the_format_gives(kind: str) -> None:
    """Each of them is tried by test_formats, test_gardens and test_verify."""
    said = CONSUMERS[kind].seen.answers.partition(";")[0].removesuffix(" by address").split(", ")
    assert said == [ANSWERS[action] for action in FORMATS[KINDS[kind].format].actions]
