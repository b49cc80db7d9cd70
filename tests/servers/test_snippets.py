"""The snippets of docs/formats.md make the real servers block what the list says, and nothing else."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest

import strategies
from aidns import wire
from aidns.blockset import compile_selection, decide
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
from aidns.verify.questions import plan
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
NETWORKS = ("127.0.0.1/32", "127.0.0.3/32")
"""Of two scopes; the lab asks from the first."""


def for_each_scope(kind: str, number: int, *own: str) -> Callable[[Setup], list[str]]:
    """Return the snippet once for each list, with names of its own in place of `own`, and its scope's network."""

    def texts(setup: Setup) -> list[str]:
        found = []
        for i, (network, name) in enumerate(zip(NETWORKS, setup.lists, strict=True)):
            text = CONSUMERS[kind].snippets[number].text
            for word in own:
                text = text.replace(word, f"{word[:-1]}{i}{word[-1]}")
            found.append(text.replace(CONSUMERS[kind].path, setup.path(name)).replace(SOME_CLIENTS, network))
        return found

    return texts


def unbound_views(setup: Setup) -> dict[str, str]:
    texts = for_each_scope("unbound", 1, '"restricted"')(setup)
    for name in setup.lists:
        subprocess.run(["sed", "-i", "/^server:/d", setup.path(name)], check=True)
    return {"unbound.conf": settings("unbound", setup)["unbound.conf"] + "".join(texts)}


def unbound_tags(setup: Setup) -> dict[str, str]:
    texts = for_each_scope("unbound-rpz", 1, '"aidns"', '"rpz.aidns."')(setup)
    return {"unbound.conf": settings("unbound-rpz", setup)["unbound.conf"] + "".join(texts)}


def bind_views(setup: Setup) -> dict[str, str]:
    views = [text.partition('view "others"') for text in for_each_scope("bind-rpz", 2, '"restricted"')(setup)]
    text = "".join(view for view, _, _ in views) + "".join(views[0][1:])
    return {"named.conf": _without_policy(setup, "") + text}


def kresd_views(setup: Setup) -> dict[str, str]:
    head, forward, tail = settings("kresd-rpz", setup)["kresd.conf"].partition("policy.add(policy.all")
    return {"kresd.conf": head + "".join(for_each_scope("kresd-rpz", 1)(setup)) + forward + tail}


FOR_SCOPES = {
    "unbound": unbound_views,
    "unbound-rpz": unbound_tags,
    "bind-rpz": bind_views,
    "kresd-rpz": kresd_views,
}


def rendered(kind: str, folder: Path, rules: Sequence[Rule] = RULES, name: str = "list") -> tuple[Path, BlockSet]:
    rules = tuple(rule for rule in rules if rule.blocks or KINDS[kind].forwards_exceptions)
    action = "null" if KINDS[kind].format == "hosts" else "nxdomain"
    blockset = compile_selection(strategies.selection(rules, strategies.policy(action=action)), {})
    path = folder / name
    made = render(FORMATS[KINDS[kind].format], blockset, load().catalog, {}, lambda _digest: (7, 7))
    path.write_text(made.text, "ascii")
    return path, blockset


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=pytest.mark.server(kind)) for kind in CASES])
def test_the_snippet_blocks_what_the_list_says(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "shown", msgspec.structs.replace(KINDS[kind], id="shown", config=CASES[kind]))
    path, blockset = rendered(kind, tmp_path)
    with Upstream() as upstream, start("shown", [path], upstream=upstream.port, canary=blockset.canary) as server:
        report = verify(
            Endpoint("127.0.0.1", server.port), plan(blockset, "fresh"), formats=(KINDS[kind].format,), rate=0
        )
    assert report.loaded
    assert (report.counts["leaked"], report.counts["over-blocked"], report.counts["inconclusive"]) == (0, 0, 0)
    assert report.counts["blocked"] > 3


OTHER_SCOPE = (
    Rule(Name("tree.com"), "subtree", True, "policy", "test"),
    Rule(Name("bush.com"), "subtree", True, "policy", "test"),
    Rule(Name("in.tree.com"), "subtree", False, "policy", "test"),
)


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=pytest.mark.server(kind)) for kind in FOR_SCOPES])
def test_each_scope_gets_its_own_list_and_the_others_none(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KINDS, "shown", msgspec.structs.replace(KINDS[kind], id="shown", config=FOR_SCOPES[kind]))
    (path, first), (other, second) = rendered(kind, tmp_path), rendered(kind, tmp_path, OTHER_SCOPE, "other")
    asked = ("x.tree.com", "x.ok.tree.com", "x.in.tree.com", "in.ok.tree.com", "bush.com", "one.shop.com")
    with Upstream() as upstream, start("shown", [path, other], upstream=upstream.port, canary=first.canary) as server:
        passing = {
            client: {name for name in asked if ask_from(client, server.port, name) == ("192.0.2.1",)}
            for client in ("127.0.0.1", "127.0.0.2", "127.0.0.3")
        }
    assert passing == {
        "127.0.0.1": {name for name in asked if not decide(first.minimal, name)},
        "127.0.0.2": {*asked},
        "127.0.0.3": {name for name in asked if not decide(second.minimal, name)},
    }
    assert passing["127.0.0.1"] != passing["127.0.0.3"]


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
