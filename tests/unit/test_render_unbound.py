"""unbound's local zones, read as unbound.conf(5) says: the longest listed name decides."""

from __future__ import annotations

import re

import pytest
from hypothesis import given

import samples
import strategies as draw
from aidns import names
from aidns.blockset import compile_selection, decide
from aidns.errors import UnsafeError
from aidns.model import BlockSet, Rule
from aidns.names import Name
from aidns.render.artefact import render
from aidns.render.formats import FORMATS
from aidns.render.unbound import widen
from samples import NOW, catalog, content

NEGATIVE = {"always_nxdomain", "always_nodata", "always_null", "always_refuse", "redirect"}


class Zones:
    """The local zones of a file: `types` of each name, `data` of the names with local-data."""

    def __init__(self, text: str) -> None:
        first, *lines = content(text)
        assert first == "server:"
        self.types: dict[str, str] = {}
        self.data: dict[str, list[str]] = {}
        for line in lines:
            zone = re.fullmatch(r'local-zone: "([a-z0-9_.-]+)\." ([a-z_]+)', line)
            data = re.fullmatch(r'local-data: "([a-z0-9_.-]+)\. ([A-Z0-9]+ [^"]+)"', line)
            assert zone or data, line
            if zone:
                assert zone[1] not in self.types, "unbound takes the first of two zones and warns"
                self.types[zone[1]] = zone[2]
            elif data:
                assert self.types.get(data[1]), "data without its zone would make one of another type"
                self.data.setdefault(data[1], []).append(data[2])

    def blocks(self, qname: str) -> bool:
        """Tell whether a question is answered here: an always-zone blocks, a transparent one answers its own data."""
        for owner in (qname, *names.ancestors(qname)):
            if kind := self.types.get(owner):
                return kind in NEGATIVE or (kind == "transparent" and qname in self.data)
        return False


def drawn(rules: tuple[Rule, ...]) -> tuple[BlockSet, Zones, list[Name]] | None:
    """A block set, its zones, and the exceptions that the file declares to open more than they should.

    None where nothing is left to block: then there is no list, and UnsafeError says so.
    """
    blockset = compile_selection(draw.selection(rules, draw.policy()), {})
    if not any(answer.self_blocked for answer in widen(blockset)[0].values()):
        with pytest.raises(UnsafeError, match=r"blocks nothing|nothing that policy .* is left in unbound"):
            render(FORMATS["unbound"], blockset, catalog(), {}, lambda _digest: (7, NOW))
        return None
    made = render(FORMATS["unbound"], blockset, catalog(), {}, lambda _digest: (7, NOW))
    opened = [n for loss in made.weakened if (loss.what, loss.direction) == ("exception", "leak") for n in loss.names]
    return blockset, Zones(made.text), opened


@given(draw.rules())
def test_local_zones_answer_as_the_reference_does(rules: tuple[Rule, ...]) -> None:
    """Every name drawn to hurt, but for what lies below an exact exception: that is declared, and a leak only."""
    if not (made := drawn(rules)):
        return
    blockset, zones, opened = made
    for probe in draw.probes(blockset.owners):
        expected = decide(blockset.minimal, probe)
        if zones.blocks(probe) != expected:
            assert expected, probe
            assert any(names.at_or_below(probe, hole) and probe != hole for hole in opened), probe


@given(draw.rules(exact=False))
def test_without_exact_rules_nothing_is_lost(rules: tuple[Rule, ...]) -> None:
    """Trees in trees are what local zones are made for."""
    if not (made := drawn(rules)):
        return
    blockset, zones, opened = made
    assert opened == []
    assert all(zones.blocks(p) == decide(blockset.minimal, p) for p in draw.probes(blockset.owners))


@given(draw.rules())
def test_a_listed_name_below_an_opened_exception_keeps_its_answer(rules: tuple[Rule, ...]) -> None:
    """Only names that nobody listed are opened by the widening."""
    if not (made := drawn(rules)):
        return
    blockset, zones, _ = made
    for name in blockset.owners:
        assert zones.blocks(name) == decide(blockset.owners, name), name


@pytest.mark.parametrize(
    ("policy", "tree", "exact"),
    [
        ("office", "always_nxdomain", ["A 0.0.0.0", "AAAA ::"]),
        ("open", "always_nodata", [r"TYPE65280 \# 0"]),
        ("stricter", "always_null", ["A 0.0.0.0", "AAAA ::"]),
        ("garden", "redirect", ["A 192.0.2.10", "AAAA 2001:db8::10"]),
        ("watch", "inform", None),
    ],
)
def test_each_action_has_its_zone_type_and_data(policy: str, tree: str, exact: list[str] | None) -> None:
    """A tree answers by its type; an exact name is transparent below and answers by its data."""
    zones = Zones(samples.artefact(policy, "unbound").text)
    assert zones.types["acme.example"] == tree
    assert zones.data.get("acme.platform.example") == exact
    assert zones.types["acme.platform.example"] == ("transparent" if exact else "inform")
    assert zones.data.get("acme.example") == (exact if tree == "redirect" else None)


def test_a_garden_by_name_is_a_redirect_with_an_alias() -> None:
    """For the whole tree."""
    zones = Zones(samples.artefact("garden-name", "unbound").text)
    assert zones.types["acme.example"] == "redirect"
    assert zones.data["acme.example"] == ["CNAME blocked.office.example."]


def test_names_that_must_not_have_an_address_have_none() -> None:
    """Bypass names and names with an underscore answer negatively, whatever the policy's action."""
    for policy, name in (("guard", "use-other-dns.example"), ("stricter", "_ai.acme-cloud.example")):
        zones = Zones(samples.artefact(policy, "unbound").text)
        assert zones.types[name] == "transparent"
        assert zones.data[name] == [r"TYPE65280 \# 0"]


def test_exact_names_that_answer_otherwise_are_noted() -> None:
    """NXDOMAIN for one name alone is nothing unbound can say: the header counts those that answer null instead."""
    note = "# Note: 2 exact name(s) answer with the null address instead of nxdomain\n"
    assert note in samples.artefact("office", "unbound").text
    for policy in ("open", "stricter", "garden", "guard"):
        assert "# Note" not in samples.artefact(policy, "unbound").text


def test_logging_blocks_nothing_and_tells_what_it_logs_too_much() -> None:
    """`inform` zones; an exact name is logged with everything below it."""
    made = samples.artefact("watch", "unbound")
    zones = Zones(made.text)
    assert set(zones.types.values()) == {"inform", "transparent"}
    assert [name for name, kind in zones.types.items() if kind == "transparent"] == ["watch.aidns-canary.example"]
    assert [(loss.what, loss.direction, loss.count) for loss in made.weakened] == [("exact", "over-block", 2)]
