"""Every format, read by the program it is for or by an oracle of it, answers every name as the reference does.

Random rule sets hold blocks and exceptions, exact and subtree, nested up to four deep. Where a consumer differs from
the reference, the artefact must declare a loss at or above the name, in that direction; and what it lists must be what
the consumer does, name by name.
"""

from __future__ import annotations

import csv
import io
import json
import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest

import strategies
from aidns import names
from aidns.blockset import compile_selection, decide
from aidns.catalog.load import load
from aidns.errors import UnsafeError
from aidns.lab.kinds import KINDS
from aidns.lab.servers import check_file, start
from aidns.lab.upstream import Upstream
from aidns.model import ActionChoice, Artefact, BlockSet, ClientScope, Garden, Policy, Rule
from aidns.names import Name
from aidns.publish.entries import blocks, by_name
from aidns.render.artefact import render
from aidns.render.base import Inexpressible
from aidns.render.formats import FORMATS
from aidns.stub import ask_many
from require import skip_or_fail
from servers import rule_sets
from tests.consumers import libc, squid, tsurlfilter
from tests.oracles.adguard import ALLOW, BLOCK, NOTHING, AdGuard
from tests.oracles.blocky import Blocky
from tests.oracles.gravity import PiHole
from tests.oracles.manuals import DnscryptProxy, Edl, RouterOs, Suffixes, WindowsDns

SEED = int(os.environ.get("AIDNS_SEED", "20250205"))
SETS = int(os.environ.get("AIDNS_RULE_SETS", "150"))
TYPES = ("A", "AAAA", "HTTPS", "TXT", "MX")
GARDEN = Garden(a="198.51.100.7", aaaa="2001:db8::7")
UPSTREAM = {"192.0.2.1", "2001:db8::1"}
CATALOG = load().catalog

Reader = Callable[[Sequence[Name]], list[bool]]
"""Names -> is each blocked."""


def drawn(action: str = "nxdomain", *, exceptions: bool = True, nested: bool = True, sets: int = SETS) -> BlockSet:
    """Compile random rule sets; `nested` False leaves out those in which a block lies below an exception."""
    rng = random.Random(SEED)
    rules = rule_sets.draw(rng, sets, exceptions=exceptions)
    if not nested:
        bad = {_apex(rule.name) for rule in rules if rule.blocks and _below_exception(rule, rules)}
        rules = tuple(rule for rule in rules if _apex(rule.name) not in bad)
    policy = Policy(
        schema=1,
        title="drawn",
        id="drawn",
        action=ActionChoice(default=action, fallback=("null", "refuse"), walled_garden=GARDEN),
    )
    known = tuple(Name(f"{label}.{rule.name}") for rule in rules for label in ("www", "k") if len(rule.name) < 200)
    return compile_selection(strategies.selection(rules, policy, known), {})


def _apex(name: str) -> str:
    return ".".join(name.split(".")[-2:])


def _below_exception(rule: Rule, rules: Sequence[Rule]) -> bool:
    return any(not other.blocks and names.at_or_below(rule.name, other.name) for other in rules)


def made(fmt: str, blockset: BlockSet) -> Artefact:
    return render(FORMATS[fmt], blockset, CATALOG, {}, lambda _digest: (7, 7))


def probes(blockset: BlockSet) -> list[Name]:
    rng = random.Random(SEED + 1)
    rules = tuple(Rule(name, "subtree", True, "policy", "drawn") for name in blockset.owners)
    return [*dict.fromkeys((*rule_sets.probes(rng, rules), *blockset.known))]


def agrees(blockset: BlockSet, artefacts: Sequence[Artefact], read: Reader) -> None:
    """Compare a consumer with the reference, and each difference with the losses that the artefacts declare."""
    asked = probes(blockset)
    answers = dict(zip(asked, read(asked), strict=True))
    losses = [loss for artefact in artefacts for loss in artefact.weakened]
    leaks = {name for loss in losses if loss.direction == "leak" for name in loss.names}
    over_blocks = {name for loss in losses if loss.direction == "over-block" for name in loss.names}
    wrong = [
        (name, blocked)
        for name, blocked in answers.items()
        if blocked != decide(blockset.minimal, name)
        and (over_blocks if blocked else leaks).isdisjoint((name, *names.ancestors(name)))
    ]
    assert not wrong, f"seed {SEED}: {len(wrong)} of {len(asked)} differ without being declared: {wrong[:5]}"
    if len(artefacts) == 1 and not FORMATS[artefacts[0].format].allows:
        said = by_name(artefacts[0].entries)
        other = [(name, blocked) for name, blocked in answers.items() if blocked != blocks(said, name)]
        assert not other, f"seed {SEED}: {len(other)} of {len(asked)} differ from the list's entries: {other[:5]}"
    assert sum(answers.values()) > len(asked) / 20 and not all(answers.values()), "the draw proves nothing"


# ------------------------------------------------------------------ DNS servers

SERVERS = (
    *(("dnsmasq", action) for action in ("nxdomain", "null", "walled-garden")),
    ("dnsmasq-servers", "nxdomain"),
    ("dnsmasq-hosts", "null"),
    ("dnsdist-cdb", "nxdomain"),
    *(("unbound", action) for action in ("refuse", "walled-garden")),
    *((kind, action) for kind in ("unbound-rpz", "bind-rpz", "pdns-rpz") for action in ("null", "walled-garden")),
)
"""Kind of server and action; test_random_rules has others for unbound and policy zones."""


@pytest.mark.parametrize(
    ("kind", "action"), [pytest.param(*case, marks=pytest.mark.server(case[0]), id="-".join(case)) for case in SERVERS]
)
def test_server_reads_its_format(kind: str, action: str, tmp_path: Path) -> None:
    blockset = drawn(action)
    artefact = made(KINDS[kind].format, blockset)
    agrees(blockset, [artefact], lambda asked: served(kind, artefact.text, blockset.canary, asked, tmp_path))


def served(kind: str, text: str, canary: Name, asked: Sequence[Name], folder: Path, allow: str = "") -> list[bool]:
    """Ask a real server; a name passes when the upstream's data comes back."""
    path, allow_path = folder / "list", folder / "allow"
    path.write_text(text, "ascii")
    allow_path.write_text(allow, "ascii")
    rng = random.Random(SEED)
    types = ("A", "AAAA") if KINDS[kind].format == "hosts" else TYPES
    questions = [(name, rng.choice(types)) for name in asked]
    with (
        Upstream() as upstream,
        start(kind, [path], upstream=upstream.port, canary=canary, allow=allow_path if allow else None) as server,
    ):
        replies = ask_many(server.port, questions, tries=4)
        marks = {*UPSTREAM, f'"upstream-{upstream.port}"', "10 mail.example.net"}
    assert all(replies), f"{replies.count(None)} questions without a reply"
    return [
        not any(data in marks or rdtype == "HTTPS" for data in reply.data(rdtype))
        for (_, rdtype), reply in zip(questions, replies, strict=True)
        if reply
    ]


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.server(kind)) for kind in ("unbound-rpz", "bind-rpz", "pdns-rpz")]
)
def test_allow_zone_opens_its_exceptions_alone(kind: str, tmp_path: Path) -> None:
    """In front of somebody's zone that blocks all, a name passes exactly where the policy makes an exception."""
    blockset = drawn(nested=False)
    artefact = made("rpz-allow", blockset)
    excepted = by_name(artefact.entries)
    everything = "".join(f"{owner} CNAME .\n" for owner in ("lab", "*.lab"))
    zone = f"$TTL 60\n@ SOA localhost. x.invalid. 1 60 60 60 60\n@ NS localhost.\n{everything}c.example A 0.0.0.0\n"
    asked = [name for name in probes(blockset) if name.endswith(".lab")]
    blocked = served(kind, zone, Name("c.example"), asked, tmp_path, artefact.text)
    passed = [name for name, is_blocked in zip(asked, blocked, strict=True) if not is_blocked]
    assert {*passed} == {
        name
        for name in asked
        if name in excepted or any(excepted.get(above) == "allow subtree" for above in names.ancestors(name))
    }
    assert len(passed) > 100


def test_allow_zone_refuses_a_block_below_an_exception() -> None:
    with pytest.raises(Inexpressible, match="below an exception"):
        made("rpz-allow", drawn())


def test_checkers_of_the_servers_have_nothing_to_say(tmp_path: Path) -> None:
    """The consumer's own checker accepts what is rendered from random rules, without a warning."""
    for kind in (kind for kind in KINDS.values() if kind.check):
        path = tmp_path / kind.id
        path.write_text(made(kind.format, drawn("null" if kind.format == "hosts" else "nxdomain")).text, "ascii")
        assert check_file(kind.id, path) == (0, ""), kind.id


# ------------------------------------------------------------------ other programs


def test_squid_denies_what_its_list_says(tmp_path: Path) -> None:
    if why := squid.missing():
        skip_or_fail(why)
    blockset = drawn(sets=40)
    artefact = made("squid", blockset)
    tmp_path.chmod(0o755)
    assert squid.complaints(artefact.text, tmp_path) == []
    with squid.running(artefact.text, tmp_path) as port:
        agrees(blockset, [artefact], lambda asked: squid.denied(port, asked))
        assert squid.denied(port, [blockset.canary]) == [True]


def test_libc_reads_the_hosts_file(tmp_path: Path) -> None:
    if why := libc.missing():
        pytest.skip(why)  # a matter of rights in a container, which nothing installs
    blockset = drawn("null")
    artefact = made("hosts", blockset)
    path = tmp_path / "hosts"
    path.write_text(Path("/etc/hosts").read_text("utf-8") + artefact.text, "utf-8")  # appended, as the page says

    def read(asked: Sequence[Name]) -> list[bool]:
        found = libc.addresses(path, asked, tmp_path)
        assert set().union(*found.values()) == {"0.0.0.0", "::"}
        return [name in found for name in asked]

    agrees(blockset, [artefact], read)


def test_adguards_own_engine_reads_the_list() -> None:
    """A second engine of the same makers agrees, but for names with an underscore, which it does not see."""
    if why := tsurlfilter.missing():
        skip_or_fail(why)
    blockset = drawn()
    artefact = made("adguard", blockset)
    guard, said = AdGuard(artefact.text), tsurlfilter.match(artefact.text, asked := probes(blockset))
    other = [n for n, word in zip(asked, said, strict=True) if "_" not in n and guard.blocked(n) != (word == BLOCK)]
    assert not other, f"seed {SEED}: {len(other)} of {len(asked)} differ from the oracle: {other[:5]}"
    assert said.count(BLOCK) > 100 < said.count(ALLOW)


@pytest.mark.parametrize("fmt", ["adguard", "adguard-allow"])
def test_adguards_compiler_of_lists_keeps_every_line(fmt: str) -> None:
    """All but names with an underscore, which it takes for mistakes; AdGuard Home itself reads them."""
    if why := tsurlfilter.missing():
        skip_or_fail(why)
    for text in (made(fmt, drawn()).text, made(fmt, scoped("10.0.0.0/8", "10.1.0.0/16")).text):
        kept = {*tsurlfilter.validated(text)}
        assert [line for line in text.split("\n") if line not in kept and "_" not in line] == []
        assert len(kept) > 30


def scoped(network: str, other: str) -> BlockSet:
    """Return random rules for the clients of one network, in which the other scope's narrower one lies."""
    scopes = (ClientScope(name="wide", networks=(network,)), ClientScope(name="narrow", networks=(other,)))
    blockset = drawn(sets=40)
    policy = msgspec.structs.replace(blockset.policy, scope=scopes)
    return msgspec.structs.replace(blockset, policy=policy, client_scope="wide")


@pytest.mark.parametrize(
    ("network", "other", "inside", "outside"),
    [
        ("10.0.0.0/8", "10.1.0.0/16", ("10.0.0.1", "10.255.255.255"), ("10.1.2.3", "192.0.2.1", "fd00::1")),
        ("fd00:20::/32", "fd00:20:1::1", ("fd00:20:1::2",), ("fd00:20:1::1", "fd00:21::1", "10.0.0.1")),
    ],
)
def test_adguards_rules_hold_for_the_clients_of_their_scope(
    network: str, other: str, inside: tuple[str, ...], outside: tuple[str, ...]
) -> None:
    """As the policy says within the scope; for everybody else the list is as good as absent, exceptions included."""
    blockset = scoped(network, other)
    block, allow = made("adguard", blockset), made("adguard-allow", blockset)
    guard, others = AdGuard(block.text), AdGuard("||lab^\n", allow.text)
    asked = probes(blockset)
    for client in inside:
        agrees(blockset, [block], _each(lambda name, client=client: guard.blocked(name, client)))  # type: ignore[misc]
        assert any(not others.blocked(name, client) for name in asked if name.endswith(".lab"))
    for client in outside:
        assert {guard.blocks.match(name, client) for name in asked} == {NOTHING}
        assert {others.allows.match(name, client) for name in asked} == {NOTHING}
    if why := tsurlfilter.missing():
        skip_or_fail(why)
    plain = [name for name in asked if "_" not in name]
    for client in (*inside, *outside):
        assert tsurlfilter.match(block.text, plain, client) == [guard.blocks.match(name, client) for name in plain]


# ------------------------------------------------------------------ oracles

ORACLES: dict[str, Callable[[str], Reader]] = {
    "adguard": lambda text: _each(AdGuard(text).blocked),
    "domains": lambda text: _each(Blocky(text).blocked),
    "wildcard": lambda text: _each(Blocky(text).blocked),
    "dnscrypt-proxy": lambda text: _each(DnscryptProxy(text).blocked),
    "domains-wild": lambda text: _each(DnscryptProxy(text).blocked),
    "technitium": lambda text: _each(Suffixes(text).blocked),
    "mikrotik": lambda text: _each(RouterOs(text).blocked),
    "windows-dns": lambda text: _each(WindowsDns(text).blocked),
    "edl": lambda text: _each(Edl(text).blocked),
    "pihole": lambda text: _each(PiHole(text).blocked),
}


def _each(blocked: Callable[[str], bool]) -> Reader:
    return lambda asked: [blocked(name) for name in asked]


@pytest.mark.parametrize("fmt", ORACLES)
def test_oracle_reads_the_list(fmt: str) -> None:
    blockset = drawn()
    artefact = made(fmt, blockset)
    read = ORACLES[fmt](artefact.text)
    agrees(blockset, [artefact], read)
    assert read([blockset.canary, Name(f"other.{blockset.canary}")])[0]


def test_exact_names_mean_the_same_to_everybody() -> None:
    """`domains` in Pi-hole and AdGuard; the latter takes a name with an underscore for part of a name."""
    blockset = drawn()
    artefact = made("domains", blockset)
    agrees(blockset, [artefact], _each(PiHole(artefact.text).blocked))
    guard, said = AdGuard(artefact.text), by_name(artefact.entries)
    assert all(guard.blocked(name) == blocks(said, name) for name in probes(blockset) if "_" not in name)


def test_pihole_allow_gives_the_exceptions_back() -> None:
    """The block list, which knows no exceptions, and the allow list together say what the policy says."""
    blockset = drawn()
    block, allow = made("pihole", blockset), made("pihole-allow", blockset)
    hole = PiHole(block.text, allow.text)
    agrees(blockset, [allow], _each(hole.blocked))
    assert hole.blocked(blockset.canary)


def test_adguard_allow_opens_its_exceptions_alone() -> None:
    """Where somebody's list blocks everything, a name passes exactly where the policy makes an exception."""
    blockset = drawn()
    allow = made("adguard-allow", blockset)
    guard = AdGuard("||lab^\n", allow.text)
    lost = {name for loss in allow.weakened for name in loss.names}
    for name in (name for name in probes(blockset) if name.endswith(".lab")):
        above = (name, *names.ancestors(name))
        in_tree = any(one in blockset.minimal and blockset.minimal[one].below_blocked for one in above)
        excepted = in_tree and not decide(blockset.minimal, name)
        assert guard.blocked(name) != excepted or (excepted and not lost.isdisjoint(above)), name


# ------------------------------------------------------------------ data


def test_csv_and_json_hold_the_block_set() -> None:
    blockset = drawn()
    rows = csv.DictReader(io.StringIO(made("csv", blockset).text))
    document = json.loads(made("json", blockset).text)
    expected = [(n, _word(a.self_blocked), _word(a.below_blocked)) for n, a in blockset.minimal.items()]
    assert [(row["name"], row["itself"], row["below"]) for row in rows] == expected
    assert [(rule["name"], rule["itself"], rule["below"]) for rule in document["rules"]] == expected


def _word(blocked: bool) -> str:
    return "block" if blocked else "pass"


# ------------------------------------------------------------------ what cannot be said


def test_adguard_declares_blocks_that_lie_too_deep() -> None:
    """Five layers: the innermost block is lost, and the loss is declared as a leak; nothing else is."""
    chain = ["a.lab", "b.a.lab", "c.b.a.lab", "d.c.b.a.lab", "e.d.c.b.a.lab", "f.e.d.c.b.a.lab"]
    rules = tuple(Rule(Name(n), "subtree", i % 2 == 0, "policy", "test") for i, n in enumerate(chain))
    blockset = compile_selection(strategies.selection(rules), {})
    artefact = made("adguard", blockset)
    assert [(loss.what, loss.direction, loss.names) for loss in artefact.weakened] == [("exact", "leak", (chain[4],))]
    guard = AdGuard(artefact.text)
    assert [guard.blocked(f"x.{name}") for name in chain] == [True, False, True, False, False, False]


def test_dnsmasq_refuses_a_garden_that_is_a_name() -> None:
    """`address=` takes addresses alone: without this the garden would silently become NXDOMAIN."""
    policy = Policy(
        schema=1,
        title="t",
        id="p",
        action=ActionChoice(default="walled-garden", walled_garden=Garden(cname="wall.example.net")),
    )
    rules = (Rule(Name("a.lab"), "subtree", True, "policy", "test"),)
    with pytest.raises(Inexpressible, match="name"):
        made("dnsmasq", compile_selection(strategies.selection(rules, policy), {}))


@pytest.mark.server("bind-rpz")
def test_bind_loses_labels_of_names_that_do_not_fit_the_zone(tmp_path: Path) -> None:
    """What BIND then takes for the listed name itself is declared; one octet less, and nothing is lost."""
    for octets, lost in ((180, True), (179, False)):
        owner = Name(".".join(("e" * (octets - 137), "f" * 63, "g" * 63, "tree.lab")))
        assert len(owner) == octets
        rules = (
            Rule(Name("tree.lab"), "subtree", True, "policy", "test"),
            Rule(owner, "exact", False, "policy", "test"),
        )
        blockset = compile_selection(strategies.selection(rules), {})
        artefact = render(FORMATS["rpz"], blockset, CATALOG, {}, lambda _digest: (7, 7), zone_length=len("rpz.aidns"))
        asked = [owner, Name(f"x.{owner}"), Name(f"{'h' * 63}.{owner}")]
        assert served("bind-rpz", artefact.text, blockset.canary, asked, tmp_path) == [False, True, not lost]
        assert [(loss.what, loss.direction, loss.names) for loss in artefact.weakened] == (
            [("exception", "leak", (owner,))] if lost else []
        )


def test_every_format_is_read_by_somebody_here() -> None:
    """A new format needs a consumer or an oracle before it can be shipped."""
    served_formats = {KINDS[kind].format for kind, _ in SERVERS} | {"rpz-allow"}
    allow_lists = {"pihole-allow", "adguard-allow"}
    assert {*FORMATS} == {*ORACLES, *served_formats, *allow_lists, "squid", "csv", "json"}


@pytest.mark.parametrize("fmt", [fmt for fmt in FORMATS if not FORMATS[fmt].allows and fmt not in ("csv", "json")])
def test_a_list_that_blocks_nothing_is_never_rendered(fmt: str) -> None:
    rules = (Rule(Name("a.lab"), "subtree", False, "policy", "test"),)
    with pytest.raises(UnsafeError):
        made(fmt, compile_selection(strategies.selection(rules), {}))
