"""RPZ: the zone, read back by a DNS library and asked as RFC 4592 says, answers as the reference does."""

from __future__ import annotations

import dns.name
import dns.rdatatype
import dns.zone
import msgspec
import pytest
from hypothesis import given

import samples
import strategies as draw
from aidns import names, pipeline
from aidns.blockset import close, compile_selection, decide, in_tree
from aidns.errors import UnsafeError
from aidns.model import Answer, BlockSet, Garden, Rule
from aidns.names import Name
from aidns.render.artefact import render
from aidns.render.base import Inexpressible
from aidns.render.formats import FORMATS
from aidns.render.rpz import MAX_OWNER
from samples import NOTHING, NOW, catalog

ORIGIN = dns.name.from_text("rpz.lab.")
TARGETS = {".": True, "*.": True, "rpz-passthru.": False}


def made(blockset: BlockSet, fmt: str = "rpz", zone_length: int = 63) -> str:
    return render(FORMATS[fmt], blockset, catalog(), {}, lambda _digest: (7, NOW), None, zone_length).text


def drawn(rules: tuple[Rule, ...], action: str = "nxdomain", fallback: tuple[str, ...] = ("null",)) -> BlockSet:
    return compile_selection(draw.selection(rules, draw.policy(action=action, fallback=fallback)), {})


def records(text: str) -> dict[str, list[tuple[str, str]]]:
    """The zone as dnspython reads it: relative owner -> (type, rdata)."""
    zone = dns.zone.from_text(text, ORIGIN, relativize=True)
    found: dict[str, list[tuple[str, str]]] = {}
    for owner, node in zone.items():
        for rdataset in node:
            kind = dns.rdatatype.to_text(rdataset.rdtype)
            data = [(kind, rdata.to_text(origin=ORIGIN, relativize=False)) for rdata in rdataset]
            found.setdefault(str(owner), []).extend(data)
    return found


def states(text: str) -> dict[str, bool]:
    """Owner -> blocks or lets pass, apex and canary left out."""
    found = {}
    for owner, data in records(text).items():
        if owner == "@" or "aidns-canary" in owner:
            continue
        kinds = {kind for kind, _ in data}
        found[owner] = TARGETS.get(data[0][1], True) if kinds == {"CNAME"} else True
        assert kinds <= {"A", "AAAA"} or (len(data) == 1 and kinds == {"CNAME"}), (owner, data)
    return found


def answer(zone: dict[str, bool], qname: str) -> bool:
    """Tell what a server does with a question: RFC 4592 §3.3, the closest encloser's wildcard or nothing."""
    if qname in zone:
        return zone[qname]
    existing = {above for owner in zone for above in (owner, *names.ancestors(owner))}
    for encloser in (qname, *names.ancestors(qname)):
        if encloser in existing:
            return encloser != qname and zone.get(f"*.{encloser}", False)
    return zone.get("*", False)


@given(draw.rules())
def test_the_zone_read_back_is_the_closed_block_set(rules: tuple[Rule, ...]) -> None:
    """Each owner of the closed set, with its wildcard in a listed tree, and nothing else."""
    blockset = drawn(rules)
    if not blockset.minimal:
        return
    closed = close(blockset.minimal)
    expected = {str(name): owner.self_blocked for name, owner in closed.items()}
    expected |= {f"*.{name}": owner.below_blocked for name, owner in closed.items() if in_tree(closed, name)}
    assert states(made(blockset)) == expected


@given(draw.rules())
def test_a_server_answers_as_the_reference_does(rules: tuple[Rule, ...]) -> None:
    """No hole behind an existing name, no wildcard where nothing is listed: for every name drawn to hurt."""
    blockset = drawn(rules)
    if not blockset.minimal:
        return
    zone = states(made(blockset))
    for probe in draw.probes(close(blockset.minimal)):
        assert answer(zone, probe) == decide(blockset.minimal, probe), probe


@given(draw.rules())
def test_the_exceptions_alone_are_those_of_the_whole(rules: tuple[Rule, ...]) -> None:
    """In front of the blocks the allow zone lets pass what the whole zone does; nested blocks it refuses."""
    blockset = drawn(rules)
    minimal = blockset.minimal
    open_trees = {name for name, owner in minimal.items() if owner == Answer(False, False)}
    blocks = [name for name, owner in minimal.items() if owner.self_blocked]
    nested = any(not open_trees.isdisjoint(names.ancestors(name)) for name in blocks)
    if nested:
        with pytest.raises(Inexpressible, match="below an exception"):
            made(blockset, "rpz-allow")
        return
    allow = states(made(blockset, "rpz-allow"))
    assert not any(allow.values())
    for name, owner in minimal.items():
        assert (name in allow) == (not owner.self_blocked)
        assert (f"*.{name}" in allow) == (not owner.self_blocked and not owner.below_blocked)


def test_the_apex_holds_soa_and_ns_alone() -> None:
    """A TXT or ZONEMD there breaks unbound's root priming; no $ORIGIN, so that any zone name will do."""
    for fmt in ("rpz", "rpz-allow"):
        text = samples.artefact("open", fmt).text
        apex = records(text)["@"]
        assert sorted(kind for kind, _ in apex) == ["NS", "SOA"]
        assert str(NOW) in dict(apex)["SOA"]
        assert dict(apex)["SOA"].split()[1] == "aidns.invalid."
        assert "$ORIGIN" not in text
        assert not [line for line in text.splitlines() if line[0] in " \t"]


def test_the_canary_answers_positively_whatever_the_action() -> None:
    """Its parent exists nowhere, so an address tells that the zone is loaded."""
    for policy_id in ("office", "open", "stricter", "garden", "garden-name", "guard"):
        found = records(samples.artefact(policy_id, "rpz").text)[f"{policy_id}.aidns-canary.example"]
        assert sorted(found) == [("A", "0.0.0.0"), ("AAAA", "::")]


@pytest.mark.parametrize(
    ("policy_id", "data"),
    [
        ("office", [("CNAME", ".")]),
        ("open", [("CNAME", "*.")]),
        ("stricter", [("A", "0.0.0.0"), ("AAAA", "::")]),
        ("garden", [("A", "192.0.2.10"), ("AAAA", "2001:db8::10")]),
        ("garden-name", [("CNAME", "blocked.office.example.")]),
    ],
)
def test_a_blocked_name_holds_the_records_of_its_action(policy_id: str, data: list[tuple[str, str]]) -> None:
    """At the name and at its wildcard alike."""
    found = records(samples.artefact(policy_id, "rpz").text)
    assert sorted(found["acme.example"]) == data
    assert sorted(found["*.acme.example"]) == data


@pytest.mark.parametrize("action", ["null", "walled-garden"])
def test_a_name_with_an_underscore_never_holds_an_address(action: str) -> None:
    """BIND would refuse the whole zone: the name is blocked negatively instead, and what lies below it, too."""
    rules = (
        Rule(Name("_a.example"), "subtree", True, "policy", "drawn"),
        Rule(Name("b._a.example"), "subtree", False, "policy", "drawn"),
        Rule(Name("c.b._a.example"), "exact", True, "policy", "drawn"),
        Rule(Name("a.example"), "subtree", True, "policy", "drawn"),
    )
    blockset = samples.with_garden(drawn(rules, action, ()), Garden(a="192.0.2.10"))
    found = records(made(blockset))
    for owner, data in found.items():
        if "_" in owner:
            assert {kind for kind, _ in data} == {"CNAME"}, owner
    assert found["a.example"][0][0] == "A"
    zone = states(made(blockset))
    for probe in draw.probes(blockset.minimal):
        assert answer(zone, probe) == decide(blockset.minimal, probe), probe


def long_name(octets: int) -> Name:
    """A name of that many octets, of short labels."""
    name = ("x." * octets)[: octets - 3].rstrip(".")
    name += "." + "y" * (octets - len(name) - 1)
    assert len(name) == octets
    return names.parse(name)


@pytest.mark.parametrize("zone_length", [4, 5, 9, 10, 63, 100, 200])
def test_owner_and_zone_name_together_fit_a_dns_name(zone_length: int) -> None:
    """The longest name that passes is the longest that a DNS name holds, the wildcard and the zone's name included."""
    zone = dns.name.from_text(long_name(zone_length))
    fits, too_long = long_name(MAX_OWNER - zone_length), long_name(MAX_OWNER - zone_length + 1)
    text = made(drawn((Rule(fits, "subtree", True, "policy", "drawn"),)), zone_length=zone_length)
    assert dns.name.from_text(f"*.{fits}", zone) in dns.zone.from_text(text, zone, relativize=False).nodes
    with pytest.raises(dns.name.NameTooLong):
        dns.name.from_text(f"*.{too_long}", zone)
    with pytest.raises(Inexpressible, match="longer than"):
        made(drawn((Rule(too_long, "subtree", True, "policy", "drawn"),)), zone_length=zone_length)


@pytest.mark.parametrize(("zone", "fits"), [("", False), ("rpz", True), ("rpz.", True), ("RPZ.Lab", True)])
def test_a_short_zone_name_makes_room(zone: str, fits: bool) -> None:
    """Without --zone a long one is expected; one label is a zone's name as well."""
    files = dict(samples.SOUND)
    files["policies/open.toml"] += f'\n[[block]]\nname = "{long_name(200)}"\nreason = "long"\n'
    whole = catalog(files)
    prepared = samples.prepared("open", whole)

    def run() -> str:
        return pipeline.artefact(whole, prepared, FORMATS["rpz"], NOTHING, lambda _digest: (7, NOW), None, zone).text

    if fits:
        assert long_name(200) in run()
    else:
        with pytest.raises(UnsafeError) as refusal:
            run()
        assert "--zone" in refusal.value.tip


@pytest.mark.parametrize("fmt", ["rpz", "rpz-allow"])
def test_the_canary_must_fit_the_zone_too(fmt: str) -> None:
    """Else no server loads the file; a zone of exceptions holds none."""
    blockset = msgspec.structs.replace(samples.prepared("open").blockset, canary=Name(long_name(150)))
    assert made(blockset, fmt, zone_length=MAX_OWNER - 150)
    if fmt == "rpz-allow":
        assert blockset.canary not in made(blockset, fmt, zone_length=MAX_OWNER - 149)
        return
    with pytest.raises(Inexpressible, match="longer than"):
        made(blockset, fmt, zone_length=MAX_OWNER - 149)


def test_a_zone_name_that_is_none_is_a_usage_error() -> None:
    """Blanks, wildcards and empty labels name no zone."""
    for zone in ("a b", "*.lab", "a..b", ".."):
        with pytest.raises(names.InvalidName):
            pipeline.artefact(
                catalog(), samples.prepared("open"), FORMATS["rpz"], NOTHING, lambda _digest: (7, NOW), None, zone
            )
