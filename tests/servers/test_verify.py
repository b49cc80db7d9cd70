"""`verify` clears every right server, and finds what is wrong with a wrong one."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
import pytest

from aidns.catalog.load import load
from aidns.errors import EnvironmentFault
from aidns.lab.kinds import KINDS, Setup
from aidns.lab.servers import start
from aidns.lab.upstream import Upstream
from aidns.model import ActionChoice, BlockSet, Garden, Policy
from aidns.names import Name
from aidns.render.artefact import render
from aidns.render.formats import FORMATS
from aidns.stub import Endpoint, ask
from aidns.verify.questions import plan
from aidns.verify.report import Report
from aidns.verify.run import verify
from tests.unit.verify_samples import blockset

RULES = (
    ("tree.com", "subtree", True),
    ("ok.tree.com", "subtree", False),
    ("deep.in.ok.tree.com", "subtree", True),
    ("far.off.tree.com", "exact", False),
    ("one.shop.com", "exact", True),
    ("nx-gone.org", "subtree", True),
    ("nodata-bare.org", "subtree", True),
)
BLOCKS_ONLY = tuple(rule for rule in RULES if rule[2])
GARDEN = Garden(a="198.51.100.7", aaaa="2001:db8::7")
CASES = [
    (kind, fmt, action)
    for kind, fmt, actions in (
        ("unbound", "unbound", ("nxdomain", "nodata", "null", "refuse", "walled-garden")),
        ("unbound-rpz", "rpz", ("nxdomain", "nodata", "null", "walled-garden")),
        ("bind-rpz", "rpz", ("nxdomain", "nodata", "null", "walled-garden")),
        ("pdns-rpz", "rpz", ("nxdomain", "nodata", "null", "walled-garden")),
        ("kresd-rpz", "rpz", ("nxdomain", "nodata", "null", "walled-garden")),
        ("dnsmasq-hosts", "hosts", ("null",)),
    )
    for action in actions
]


def compiled(action: str, *, exceptions: bool = True) -> BlockSet:
    policy = Policy(schema=1, title="t", id="p", action=ActionChoice(action, (), GARDEN))
    return blockset(*(RULES if exceptions else BLOCKS_ONLY), policy=policy)


def rendered(fmt: str, of: BlockSet) -> str:
    return render(FORMATS[fmt], of, load().catalog, {}, lambda _digest: (7, 7)).text


@contextmanager
def serving(
    kind: str, text: str, folder: Path, canary: str = "p.aidns-canary.example"
) -> Iterator[tuple[Endpoint, Upstream]]:
    path = folder / "list"
    path.write_text(text, "ascii")
    with Upstream() as upstream, start(kind, [path], upstream=upstream.port, canary=canary) as server:
        yield Endpoint("127.0.0.1", server.port), upstream


def run(
    server: Endpoint, of: BlockSet, *formats: str, aliases: Sequence[Name] = (), control: Endpoint | None = None
) -> Report:
    return verify(server, plan(of, "fresh", aliases), formats=formats, rate=0, control=control)


@pytest.mark.parametrize(
    ("kind", "fmt", "action"), [pytest.param(*case, marks=pytest.mark.server(case[0])) for case in CASES]
)
def test_a_right_server_is_clean(kind: str, fmt: str, action: str, tmp_path: Path) -> None:
    """In every format and action; Knot Resolver without exceptions, because its passthru skips forwarding."""
    of = compiled(action, exceptions=kind != "kresd-rpz")
    with serving(kind, rendered(fmt, of), tmp_path) as (server, upstream):
        report = run(server, of, fmt)
        assert (report.clean, report.loaded) == (True, True)
        assert report.counts["inconclusive"] == 0, [f for f in report.findings if f.outcome == "inconclusive"]
        assert report.counts["blocked"] > 20 or fmt == "hosts"
        asked = {(f.question.name, f.question.rdtype) for f in report.findings if f.outcome == "blocked"}
        assert not asked & set(upstream.seen)


@pytest.mark.server("dnsmasq-hosts")
def test_what_a_format_declares_leaks_only_where_it_was_not_named(tmp_path: Path) -> None:
    of = compiled("null")
    with serving("dnsmasq-hosts", rendered("hosts", of), tmp_path) as (server, _):
        named, unnamed = run(server, of, "hosts"), run(server, of)
    assert (named.counts["leaked"], unnamed.counts["leaked"]) == (0, named.counts["declared"])
    assert {f.question.rdtype for f in unnamed.findings if f.question.place == "apex" and f.outcome == "leaked"} == {
        "HTTPS",
        "TXT",
    }


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.server(kind)) for kind in ("unbound-rpz", "bind-rpz")]
)
def test_holes_of_a_zone_without_closure_are_found(kind: str, tmp_path: Path) -> None:
    """RFC 4592: `far.off.tree.com` makes `off.tree.com` exist, and its relatives slip through."""
    of = compiled("nxdomain")
    open_zone = "".join(
        line
        for line in rendered("rpz", of).splitlines(keepends=True)
        if not line.startswith(("off.tree", "*.off.tree"))
    )
    with serving(kind, open_zone, tmp_path) as (server, _):
        report = run(server, of, "rpz")
    leaked = {(f.question.name, f.question.place) for f in report.findings if f.outcome == "leaked"}
    assert ("fresh.off.tree.com", "child") in leaked
    assert leaked <= {("fresh.off.tree.com", "child"), ("off.tree.com", "between")}


@pytest.mark.server("pdns-rpz")
def test_a_missing_wildcard_and_a_suffix_match_without_dot_are_found(tmp_path: Path) -> None:
    of = compiled("nxdomain", exceptions=False)
    text = rendered("rpz", of).replace("*.nx-gone.org CNAME .\n", "xnodata-bare.org CNAME .\n")
    with serving("pdns-rpz", text, tmp_path) as (server, _):
        report = run(server, of)
    wrong = {(f.question.name, f.outcome) for f in report.findings if f.outcome in ("leaked", "over-blocked")}
    assert wrong == {
        ("fresh.nx-gone.org", "leaked"),
        ("fresh.fresh.nx-gone.org", "leaked"),
        ("xnodata-bare.org", "over-blocked"),
    }


@pytest.mark.server("unbound")
def test_a_server_with_another_list_has_not_loaded_this_one(tmp_path: Path) -> None:
    text = rendered("unbound", compiled("nxdomain")).replace("p.aidns-canary", "q.aidns-canary").replace("tree", "bush")
    with serving("unbound", text, tmp_path, canary="q.aidns-canary.example") as (server, _):
        report = run(server, compiled("nxdomain"), "unbound")
    assert (report.loaded, report.clean) == (False, False)


@pytest.mark.server("bind-rpz")
def test_a_dead_upstream_proves_nothing(tmp_path: Path) -> None:
    of = compiled("nxdomain")
    path = tmp_path / "list"
    path.write_text(rendered("rpz", of), "ascii")
    with ExitStack() as life:
        upstream = life.enter_context(Upstream())
        with start("bind-rpz", [path], upstream=upstream.port, canary=of.canary) as server:
            life.close()
            with pytest.raises(EnvironmentFault, match=r"control name example\.com does not resolve"):
                run(Endpoint("127.0.0.1", server.port), of)


CLOAK, SERVICE = Name("cloak.shop.net"), Name("service.shop.net")
"""Names that the policy does not list: one is an alias of a blocked one, the HTTPS record of the other leads there."""
LOOKS_AT_ALIASES = {"bind-rpz": True, "pdns-rpz": True, "unbound": False, "kresd-rpz": False, "dnsmasq": False}


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=pytest.mark.server(kind)) for kind in LOOKS_AT_ALIASES])
def test_names_that_lead_to_blocked_ones_are_found(kind: str, tmp_path: Path) -> None:
    of, fmt, path = compiled("nxdomain", exceptions=kind != "kresd-rpz"), KINDS[kind].format, tmp_path / "list"
    path.write_text(rendered(fmt, of), "ascii")
    with (
        Upstream(cnames={CLOAK: "tree.com"}, https={SERVICE: "x.tree.com"}) as upstream,
        start(kind, [path], upstream=upstream.port, canary=of.canary) as server,
    ):
        address = Endpoint("127.0.0.1", server.port)
        unnamed, named = (run(address, of, *formats, aliases=(CLOAK, SERVICE)) for formats in ((), (fmt,)))
    assert named.clean or LOOKS_AT_ALIASES[kind]
    for report, passes in ((unnamed, "leaked"), (named, "declared")):
        told = {(f.question.name, f.question.rdtype): f for f in report.findings if f.question.place == "alias"}
        assert told[CLOAK, "A"].outcome == ("blocked" if LOOKS_AT_ALIASES[kind] else passes)
        assert told[SERVICE, "A"].outcome == "open"
        assert told[SERVICE, "HTTPS"].outcome == passes, "no server looks there"
        assert told[SERVICE, "HTTPS"].why == "leads to x.tree.com, which is blocked (HTTPS 0)"


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        pytest.param(kind, action, marks=pytest.mark.server(kind))
        for kind, action in (("dnsmasq", "nxdomain"), ("dnsmasq", "null"), ("dnsmasq-servers", "nxdomain"))
    ],
)
def test_an_alias_leaves_a_blocked_name_in_dnsmasqs_cache(
    kind: str, action: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the snippet switches the cache off, and without that the list leaks."""
    of, path, whole = compiled(action), tmp_path / "list", KINDS[kind].config
    path.write_text(rendered(KINDS[kind].format, of), "ascii")

    def cached(setup: Setup) -> dict[str, str]:
        return {name: text.replace("cache-size=0\n", "") for name, text in whole(setup).items()}

    monkeypatch.setitem(KINDS, "cached", msgspec.structs.replace(KINDS[kind], id="cached", config=cached))
    answers = {}
    for chosen in (kind, "cached"):
        with (
            Upstream(cnames={CLOAK: "tree.com"}) as upstream,
            start(chosen, [path], upstream=upstream.port, canary=of.canary) as server,
        ):
            said = [ask(server.port, name).data("A") for name in ("tree.com", CLOAK, "tree.com")]
            answers[chosen] = said[0], said[2]
    null = ("0.0.0.0",) if action == "null" else ()
    assert answers == {kind: (null, null), "cached": (null, ("192.0.2.1",))}


@pytest.mark.server("bind-rpz")
def test_a_neighbour_that_leads_to_a_blocked_name_is_not_blocked_too_much(tmp_path: Path) -> None:
    """`shop.com` lies above a listed name and is an alias of another: the control resolver shows that."""
    of, path = compiled("nxdomain"), tmp_path / "list"
    path.write_text(rendered("rpz", of), "ascii")
    exact = next(name for name, answer in of.owners.items() if answer.self_blocked and not answer.below_blocked)
    above = Name(exact.partition(".")[2])
    with (
        Upstream(cnames={above: "tree.com"}) as upstream,
        start("bind-rpz", [path], upstream=upstream.port, canary=of.canary) as server,
    ):
        address, world = Endpoint("127.0.0.1", server.port), Endpoint("127.0.0.1", upstream.port)
        told = {f.question.name: f for f in run(address, of, "rpz", control=world).findings if f.question.rdtype == "A"}
    assert (told[above].outcome, told[above].question.blocked) == ("blocked", False)
    assert "it leads to tree.com" in told[above].why


POLICY = """\
schema = 1
title = "An administrator's own"
[action]
default = "nxdomain"
[[block]]
name = "tree.com"
reason = "test"
[[allow]]
name = "ok.tree.com"
reason = "test"
"""


def aidns(*arguments: str) -> subprocess.CompletedProcess[str]:
    main = "from aidns.cli import main; main()"
    return subprocess.run([sys.executable, "-c", main, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.server("unbound")
def test_the_command_says_it_in_its_exit_code_and_on_stdout(tmp_path: Path) -> None:
    policy = tmp_path / "mine.toml"
    policy.write_text(POLICY, "utf-8")
    bare = tmp_path / "catalog"
    bare.mkdir()
    for name in ("catalog.toml", "vocab.toml"):
        shutil.copy(Path(__file__).parents[2] / "catalog" / name, bare)
    common = ("--policy", str(policy), "--state", str(tmp_path / "none.sqlite"), "--catalog", str(bare))
    made = aidns("render", "--format", "unbound", *common)
    assert made.returncode == 0, made.stderr
    with serving("unbound", made.stdout, tmp_path, canary="mine.aidns-canary.example") as (server, upstream):
        options = (str(server), *common)
        clean = aidns("verify", *options)
        assert clean.returncode == 0, clean.stderr
        assert "list is loaded" in clean.stdout
        assert "leaked              0" in clean.stdout
        told = aidns("verify", *options, "--format", "unbound", "--json")
        assert json.loads(told.stdout)["formats"] == ["unbound"]
        leaking = aidns("verify", f"127.0.0.1:{upstream.port}", *options[1:], "--control", str(server))
        assert leaking.returncode == 1
        assert "NOT LOADED" in leaking.stdout
        broken = aidns("verify", *options, "--control-name", "nx-a.org")
        assert (broken.returncode, broken.stdout) == (4, "")
        assert "control name nx-a.org does not resolve" in broken.stderr
        assert aidns("verify", *options, "--format", "nonsense").returncode == 2
        assert aidns("verify", "no server", *options[1:]).returncode == 2
