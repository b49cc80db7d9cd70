"""What the audit says about a policy zone is what the servers do.

Random rule sets are written as people write them, name and wildcard, without closing the gaps between them.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from aidns.audit.collateral import Protected
from aidns.audit.holes import Hole, holes
from aidns.audit.run import audit
from aidns.lab.servers import start
from aidns.lab.upstream import Upstream
from aidns.names import ancestors
from aidns.stub import ask_many
from require import skip_or_fail
from servers import rule_sets
from tests.consumers import tsurlfilter
from tests.oracles.adguard import ALLOW, BLOCK, NOTHING

SEED = int(os.environ.get("AIDNS_SEED", "20250205"))
SETS = 150
CANARY = "audit.aidns-canary.example"


def naive_zone(rng: random.Random) -> dict[str, bool]:
    """Owners of rules as they come: a tree is `x` and `*.x`, sometimes `*.x` alone, an exact rule `x`."""
    owners: dict[str, bool] = {}
    for rule in rule_sets.draw(rng, SETS):
        if rule.scope == "exact" or rng.random() < 0.8:
            owners.setdefault(rule.name, rule.blocks)
        if rule.scope == "subtree":
            owners.setdefault(f"*.{rule.name}", rule.blocks)
    return owners


def write(path: Path, owners: dict[str, bool]) -> Path:
    records = "".join(f"{owner} CNAME {'.' if blocks else 'rpz-passthru.'}\n" for owner, blocks in owners.items())
    path.write_text(f"$TTL 60\n@ SOA localhost. x. 1 60 60 60 60\n@ NS localhost.\n{CANARY} A 0.0.0.0\n{records}")
    return path


def intended(owners: dict[str, bool], name: str) -> bool:
    """Longest match: what the author of the list means."""
    if name in owners:
        return owners[name]
    return next((owners[f"*.{above}"] for above in ancestors(name) if f"*.{above}" in owners), False)


def may_pass(found: list[Hole], name: str, kind: str) -> bool:
    """Tell whether a hole of this server reaches a name."""
    above = set(ancestors(name))
    at = any(hole.node == name and hole.bind == name for hole in found) and kind == "bind-rpz"
    return at or any(hole.node in above and hole.kind != "star" for hole in found)


@pytest.mark.parametrize("kind", [pytest.param(k, marks=pytest.mark.server(k)) for k in ("unbound-rpz", "bind-rpz")])
def test_each_hole_passes_and_the_rest_is_blocked(kind: str, tmp_path: Path) -> None:
    """The name shown for a hole gets the upstream's data; a blocked name that no hole reaches gets none."""
    rng = random.Random(SEED)
    owners = naive_zone(rng)
    found = list(holes(owners))
    assert {hole.kind for hole in found} == {"owner", "exception", "empty", "star"}, "the draw lacks a kind of hole"
    shown = [name for hole in found if (name := hole.bind if kind == "bind-rpz" else hole.unbound)]
    below = [hole.unbound for hole in found if hole.unbound]
    drawn = rule_sets.probes(rng, rule_sets.draw(random.Random(SEED), SETS))
    closed = [name for name in drawn if intended(owners, name) and not may_pass(found, name, kind)]
    assert len(shown) > 100 and len(closed) > 200
    leaks = list(dict.fromkeys([*shown, *below]))
    with (
        Upstream() as upstream,
        start(kind, [write(tmp_path / "zone", owners)], upstream=upstream.port, canary=CANARY) as server,
    ):
        replies = ask_many(server.port, [(name, "A") for name in (*leaks, *closed)], tries=4)
    passed = {
        name: bool(reply and reply.data("A")) for name, reply in zip((*leaks, *closed), replies, strict=True) if reply
    }
    assert len(passed) == len({*leaks, *closed}), "some were not answered"
    assert not [name for name in leaks if not passed[name]], f"seed {SEED}: said to pass, and blocked"
    assert not [name for name in closed if passed[name]], f"seed {SEED}: said to be blocked, and passes"


@pytest.mark.server("pdns-rpz")
def test_powerdns_has_no_holes(tmp_path: Path) -> None:
    """It takes the longest match, so that every hole of the other two is blocked there."""
    owners = naive_zone(random.Random(SEED))
    shown = sorted({name for hole in holes(owners) for name in (hole.bind, hole.unbound) if name})
    with (
        Upstream() as upstream,
        start("pdns-rpz", [write(tmp_path / "zone", owners)], upstream=upstream.port, canary=CANARY) as server,
    ):
        replies = ask_many(server.port, [(name, "A") for name in shown], tries=4)
    assert not [name for name, reply in zip(shown, replies, strict=True) if reply is None or reply.data("A")]


@pytest.mark.parametrize("zone", ["com", "*.com"])
@pytest.mark.parametrize(
    "kind", [pytest.param(k, marks=pytest.mark.server(k)) for k in ("unbound-rpz", "bind-rpz", "pdns-rpz", "kresd-rpz")]
)
def test_an_owner_of_one_label_blocks_a_top_level_domain(kind: str, zone: str, tmp_path: Path) -> None:
    path = write(tmp_path / "zone", {zone: True})
    with Upstream() as upstream, start(kind, [path], upstream=upstream.port, canary=CANARY) as server:
        replies = ask_many(server.port, [("shop.com", "A"), ("shop.org", "A")], tries=4)
    passed = [bool(reply and reply.data("A")) for reply in replies]
    assert passed == [zone == "com", True]
    found = audit(path.read_bytes(), "list", Protected({}, {}), syntax="rpz").findings
    assert "rpz-top-level" in {finding.id for finding in found}


@pytest.mark.server("dnsmasq")
@pytest.mark.parametrize(("line", "reaches"), [("address=/#/192.0.2.66", True), ("local=/#/", False)])
def test_a_sharp_between_slashes_is_every_name(line: str, reaches: bool, tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text(f"address=/{CANARY}/0.0.0.0\nserver=/ready.example.net/#\n{line}\n", "ascii")
    with Upstream() as upstream, start("dnsmasq", [path], upstream=upstream.port, canary=CANARY) as server:
        (reply,) = ask_many(server.port, [("shop.org", "A")], tries=4)
    assert reply and (reply.data("A") == ("192.0.2.66",)) == reaches
    found = audit(path.read_bytes(), "list", Protected({}, {}), syntax="dnsmasq").findings
    assert ("every-name" in {finding.id for finding in found}) == reaches


@pytest.mark.parametrize(
    ("line", "fault", "said"),
    [
        ("||*^", "adguard-everything", [BLOCK, BLOCK]),
        ("@@||*.*^$important", "adguard-everything", [ALLOW, ALLOW]),
        ("/.*/", "adguard-everything", [BLOCK, BLOCK]),
        ("||*.com^", "adguard-top-level", [BLOCK, NOTHING]),
        ("*.com", "adguard-top-level", [BLOCK, NOTHING]),
        (".com^", "adguard-top-level", [BLOCK, NOTHING]),
        ("||*^$third-party", "", [NOTHING, NOTHING]),
        (".com^$script", "", [NOTHING, NOTHING]),
        ("||*.shop.com^", "", [NOTHING, NOTHING]),
    ],
)
def test_patterns_too_wide_are_what_adguards_engine_takes_them_for(line: str, fault: str, said: list[str]) -> None:
    if why := tsurlfilter.missing():
        skip_or_fail(why)
    text = f"{line}\n||other.net^\n"
    assert tsurlfilter.match(text, ["shop.com", "shop.org"]) == said
    found = {finding.id for finding in audit(text.encode(), "list", Protected({}, {}), syntax="adblock").findings}
    assert found & {"adguard-everything", "adguard-top-level"} == ({fault} if fault else set())
