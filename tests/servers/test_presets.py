"""Every shipped policy, in every format that can express it, on the real server that reads it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from aidns import names, pipeline
from aidns.blockset import decide
from aidns.catalog.load import load
from aidns.lab.servers import start
from aidns.lab.upstream import Upstream
from aidns.model import Answer, Artefact, Catalog
from aidns.names import Name
from aidns.render.base import Inexpressible
from aidns.render.formats import FORMATS
from aidns.render.unbound import widen
from aidns.stub import ask_many

NOW = int(dt.datetime(2026, 11, 22, tzinfo=dt.UTC).timestamp())
TYPES = ("A", "AAAA", "HTTPS", "TXT", "MX")
NOTHING = pipeline.Memory({}, None)
POLICIES = sorted(load().catalog.policies)
WATCHING = ("advise-caution", "foreign-adversary-nexus", "watch-inquiry")
SERVERS = (
    ("unbound", "unbound"), ("unbound-rpz", "rpz"), ("bind-rpz", "rpz"), ("pdns-rpz", "rpz"), ("kresd-rpz", "rpz"),
    ("dnsmasq", "dnsmasq"), ("dnsmasq-servers", "dnsmasq-servers"), ("dnsmasq-hosts", "hosts"),
    ("dnsdist-cdb", "dnsdist-cdb"),
)  # fmt: skip


@cache
def catalog() -> Catalog:
    return load().catalog


@cache
def prepared(policy: str) -> pipeline.Prepared:
    return pipeline.prepare(catalog(), pipeline.find_policy(catalog(), policy), NOW, NOTHING)


def artefact(policy: str, fmt: str) -> Artefact:
    return pipeline.artefact(catalog(), prepared(policy), FORMATS[fmt], NOTHING, lambda _digest: (NOW, NOW))


def family(name: Name) -> list[Name]:
    """The name, a child, a deep child, a look-alike, its parent."""
    head, _, parent = name.partition(".")
    probes = [name, Name(f"fresh.{name}"), Name(f"a.b.fresh.{name}"), Name(f"not{head}.{parent}"), Name(parent)]
    return [probe for probe in probes if "." in probe and len(probe) <= names.MAX_NAME and len(head) < 60]


def combinations() -> Iterator[object]:
    """Every policy on every server; Knot Resolver without exceptions, because its passthru skips forwarding."""
    for policy in POLICIES:
        excepts = any(not answer.self_blocked for answer in prepared(policy).blockset.minimal.values())
        for kind, fmt in SERVERS:
            if kind != "kresd-rpz" or not excepts:
                yield pytest.param(policy, kind, fmt, marks=pytest.mark.server(kind), id=f"{policy}-{kind}")


@pytest.mark.parametrize(("policy", "kind", "fmt"), list(combinations()))
def test_preset_blocks_its_names_and_nothing_else(policy: str, kind: str, fmt: str, tmp_path: Path) -> None:
    """Each rule, below it, beside it, above it, in several types; and every other name of the catalogue.

    All is answered as the policy says, and nothing blocked leaks.
    """
    blockset = prepared(policy).blockset
    try:
        made = artefact(policy, fmt)
    except Inexpressible:
        assert policy in WATCHING or policy == "bypass-guard", f"{fmt} should express {policy}"
        return
    path = tmp_path / "list"
    path.write_text(made.text)
    expected = expectation(policy, fmt, made)
    near = dict.fromkeys(probe for name in blockset.minimal for probe in family(name))
    questions = [
        *((probe, rdtype) for probe in near for rdtype in (TYPES if probe in blockset.minimal else TYPES[:3])),
        *((name, "A") for name in blockset.known if name not in near),
    ]
    with Upstream() as upstream, start(kind, [path], upstream=upstream.port, canary=blockset.canary) as server:
        replies = ask_many(server.port, questions, tries=4)
        seen = set(upstream.seen)
    wrong = []
    for (name, rdtype), reply in zip(questions, replies, strict=True):
        passed = reply is not None and bool(set(reply.data(rdtype)) - {"0.0.0.0", "::"})
        if passed == expected(name, rdtype):
            wrong.append((name, rdtype, reply.rcode if reply else "no reply"))
    assert not wrong, f"{len(wrong)} of {len(questions)} wrong, such as {wrong[:5]}"
    leaked = [(name, rdtype) for name, rdtype in seen if expected(name, rdtype) and rdtype in TYPES]
    assert not leaked, f"the upstream saw {leaked[:5]}"


def expectation(policy: str, fmt: str, made: Artefact) -> Callable[[Name, str], bool]:
    """Return (name, rdtype) -> blocked, with what the format declares it cannot do."""
    blockset = prepared(policy).blockset
    if policy in WATCHING:
        return lambda name, rdtype: False
    if fmt == "hosts":
        listed = {entry.removeprefix("block exact ") for entry in made.entries}
        return lambda name, rdtype: name in listed and rdtype in ("A", "AAAA")
    owners: dict[Name, Answer] = widen(blockset)[0] if fmt == "unbound" else dict(blockset.minimal)
    return lambda name, rdtype: decide(owners, name)


@pytest.mark.parametrize("policy", POLICIES)
def test_pihole_lists_hold_exactly_the_policy(policy: str) -> None:
    """Gravity accepts every line of both lists, and together they block what the reference blocks."""
    from oracles.gravity import PiHole, judge

    blockset = prepared(policy).blockset
    if policy in WATCHING or policy == "bypass-guard":
        with pytest.raises(Inexpressible):
            artefact(policy, "pihole")
        return
    block, allow = artefact(policy, "pihole").text, artefact(policy, "pihole-allow").text
    for text, is_allow in ((block, False), (allow, True)):
        entries = [line for line in text.splitlines() if not line.startswith("# ")]
        judged = [judge(line.encode(), is_allow) for line in entries]
        assert all(invalid == 0 and len(accepted) == 1 for accepted, invalid in judged)
        assert len(set(entries)) == len(entries)
    hole = PiHole(block, allow)
    assert hole.blocked(blockset.canary)
    probes = dict.fromkeys(p for name in (*blockset.minimal, *blockset.known) for p in family(name))
    wrong = [name for name in probes if hole.blocked(name) != decide(blockset.minimal, name)]
    losses = [loss for loss in artefact(policy, "pihole-allow").weakened if loss.what == "exception"]
    if not losses:
        assert not wrong, wrong[:5]
    else:
        assert all(any(names.at_or_below(name, hole) for loss in losses for hole in loss.names) for name in wrong)


@pytest.mark.parametrize(
    ("kind", "fmt"),
    [pytest.param(k, f, marks=pytest.mark.server(k), id=k) for k, f in (("unbound", "unbound"), ("bind-rpz", "rpz"))],
)
def test_bypass_names_are_never_answered_with_an_address(kind: str, fmt: str, tmp_path: Path) -> None:
    """An address for use-application-dns.net would switch DNS over HTTPS on: every answer is negative."""
    made = artefact("bypass-guard", fmt)
    blockset = prepared("bypass-guard").blockset
    path = tmp_path / "list"
    path.write_text(made.text)
    with Upstream() as upstream, start(kind, [path], upstream=upstream.port, canary=blockset.canary) as server:
        replies = ask_many(server.port, [(name, t) for name in blockset.minimal for t in ("A", "AAAA", "HTTPS")])
    assert all(reply is not None and not reply.answers for reply in replies)


def test_watching_policies_render_for_unbound_alone() -> None:
    """Log-only is `inform`: no zone of such a file changes an answer."""
    for policy in WATCHING:
        zone_types = {
            line.rsplit(" ", 1)[1]
            for line in artefact(policy, "unbound").text.splitlines()
            if line.startswith("local-zone")
        }
        assert zone_types <= {"inform", "always_transparent", "transparent"}
