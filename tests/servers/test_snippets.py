"""The snippets of docs/formats.md make the real servers block what the list says, and nothing else."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

import strategies
from aidns import wire
from aidns.blockset import compile_selection
from aidns.catalog.load import load
from aidns.lab.kinds import KINDS, Setup
from aidns.lab.servers import start
from aidns.lab.upstream import Upstream
from aidns.model import BlockSet, Rule
from aidns.names import Name
from aidns.render.artefact import render
from aidns.render.consumers import CONSUMERS
from aidns.render.docs import consumers_of
from aidns.render.formats import FORMATS
from aidns.stub import Endpoint
from aidns.verify.run import verify
from tests.documents import ROOT

RULES = (
    Rule(Name("tree.com"), "subtree", True, "policy", "test"),
    Rule(Name("ok.tree.com"), "subtree", False, "policy", "test"),
    Rule(Name("in.ok.tree.com"), "subtree", True, "policy", "test"),
    Rule(Name("one.shop.com"), "exact", True, "policy", "test"),
)
SOME_CLIENTS = "10.1.0.0/16"
"""The network in snippets that bind a list to some clients."""


def settings(kind: str, setup: Setup) -> dict[str, str]:
    """Return the lab's own configuration of a kind without any list: port, upstream, no privileges."""
    return KINDS[kind].config(msgspec.structs.replace(setup, lists=()))


def snippets(kind: str, setup: Setup, *numbers: int) -> str:
    """Return snippets of a consumer with the paths and the network of this test."""
    consumer = CONSUMERS[kind]
    text = "".join(consumer.snippets[number].text for number in numbers)
    assert consumer.path in text
    return text.replace(consumer.path, setup.path(setup.lists[0])).replace(SOME_CLIENTS, "127.0.0.1/32")


def appended(kind: str, file: str, number: int = 0) -> Callable[[Setup], dict[str, str]]:
    return lambda setup: {file: settings(kind, setup)[file] + snippets(kind, setup, number)}


def bind_options(setup: Setup) -> dict[str, str]:
    policy, zone = CONSUMERS["bind-rpz"].snippets[0].text, snippets("bind-rpz", setup, 1)
    return {"named.conf": _without_policy(setup, policy) + zone}


def bind_views(setup: Setup) -> dict[str, str]:
    return {"named.conf": _without_policy(setup, "") + snippets("bind-rpz", setup, 2)}


def _without_policy(setup: Setup, instead: str) -> str:
    whole = settings("bind-rpz", setup)["named.conf"]
    text, count = re.subn(r"  response-policy .*?;\n(?=\};)", instead, whole, flags=re.DOTALL)
    assert count == 1
    return text


def kresd(setup: Setup) -> dict[str, str]:
    head, forward, tail = settings("kresd-rpz", setup)["kresd.conf"].partition("policy.add(policy.all")
    return {"kresd.conf": head + snippets("kresd-rpz", setup, 0) + forward + tail}


def pdns(setup: Setup) -> dict[str, str]:
    return settings("pdns-rpz", setup) | {"rpz.lua": snippets("pdns-rpz", setup, 0)}


CASES: dict[str, Callable[[Setup], dict[str, str]]] = {
    "unbound": appended("unbound", "unbound.conf"),
    "unbound-rpz": appended("unbound-rpz", "unbound.conf"),
    "bind-rpz": bind_options,
    "pdns-rpz": pdns,
    "kresd-rpz": kresd,
    "dnsmasq": appended("dnsmasq", "dnsmasq.conf"),
    "dnsmasq-servers": appended("dnsmasq-servers", "dnsmasq.conf"),
    "dnsmasq-hosts": appended("dnsmasq-hosts", "dnsmasq.conf"),
    "dnsdist-cdb": KINDS["dnsdist-cdb"].config,
}
FOR_SOME_CLIENTS = {"unbound-rpz": appended("unbound-rpz", "unbound.conf", 1), "bind-rpz": bind_views}


def rendered(kind: str, folder: Path) -> tuple[Path, BlockSet]:
    rules = RULES if KINDS[kind].forwards_exceptions else tuple(rule for rule in RULES if rule.blocks)
    action = "null" if KINDS[kind].format == "hosts" else "nxdomain"
    blockset = compile_selection(strategies.selection(rules, strategies.policy(action=action)), {})
    path = folder / "list"
    made = render(FORMATS[KINDS[kind].format], blockset, load().catalog, {}, lambda _digest: (7, 7))
    path.write_text(made.text, "ascii")
    return path, blockset


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=pytest.mark.server(kind)) for kind in CASES])
def test_the_snippet_blocks_what_the_list_says(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "shown", msgspec.structs.replace(KINDS[kind], id="shown", config=CASES[kind]))
    path, blockset = rendered(kind, tmp_path)
    with Upstream() as upstream, start("shown", [path], upstream=upstream.port, canary=blockset.canary) as server:
        report = verify(
            Endpoint("127.0.0.1", server.port), blockset, nonce="fresh", formats=(KINDS[kind].format,), rate=0
        )
    assert report.loaded
    assert (report.counts["leaked"], report.counts["over-blocked"], report.counts["inconclusive"]) == (0, 0, 0)
    assert report.counts["blocked"] > 3


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=pytest.mark.server(kind)) for kind in FOR_SOME_CLIENTS])
def test_the_snippet_for_some_clients_leaves_the_others_alone(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KINDS, "shown", msgspec.structs.replace(KINDS[kind], id="shown", config=FOR_SOME_CLIENTS[kind]))
    path, blockset = rendered(kind, tmp_path)
    with Upstream() as upstream, start("shown", [path], upstream=upstream.port, canary=blockset.canary) as server:
        restricted = {name: ask_from("127.0.0.1", server.port, name) for name in ("x.tree.com", "x.ok.tree.com")}
        others = {name: ask_from("127.0.0.2", server.port, name) for name in ("x.tree.com", "x.ok.tree.com")}
    assert restricted == {"x.tree.com": (), "x.ok.tree.com": ("192.0.2.1",)}
    assert others == {"x.tree.com": ("192.0.2.1",), "x.ok.tree.com": ("192.0.2.1",)}


def ask_from(source: str, port: int, name: str) -> tuple[str, ...]:
    """Return the addresses of a name that a client with another address is given."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.bind((source, 0))
        sock.sendto(wire.query(1, name, "A"), ("127.0.0.1", port))
        return wire.parse(sock.recv(4096)).data("A")


def test_every_server_of_the_lab_has_a_snippet_that_is_tried() -> None:
    assert {*CASES} == {*KINDS} == {id_ for id_, consumer in CONSUMERS.items() if id_ in KINDS and consumer.snippets}


def test_every_format_has_a_reader_and_every_heading_is_unique() -> None:
    """A second heading of one name would catch the links of the first."""
    assert all(consumers_of(fmt) for fmt in FORMATS)
    headings = re.findall(r"^#+ (.*)$", (ROOT / "docs" / "formats.md").read_text("utf-8"), re.MULTILINE)
    assert len({heading.lower() for heading in headings}) == len(headings)


def test_snippets_shown_elsewhere_are_the_same() -> None:
    """docs/servers.md shows each snippet in its own words' context, never another version of it."""
    page = (ROOT / "docs" / "servers.md").read_text("utf-8")
    shown = re.findall(r"<!-- tried: [\w-]+ -->\n```\w*\n(.*?)```", page, re.DOTALL)
    declared = {snippet.text for consumer in CONSUMERS.values() for snippet in consumer.snippets}
    assert [text for text in shown if text not in declared] == []
