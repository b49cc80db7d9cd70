"""`check` in shards, from several places and with a look at sites; `merge`, `status` and `candidates` after it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import dns.message
import dns.rdatatype
import dns.rrset
import pytest
from msgspec.structs import replace

from aidns import psl
from aidns.catalog.load import load
from aidns.lab.upstream import Upstream
from aidns.lookup.attempt import GATED, Manners
from aidns.lookup.extras import ZONE_TYPES, wildcard_parents
from aidns.lookup.files import read_memory
from aidns.lookup.resolver import parse_resolver
from aidns.lookup.run import Task, run
from aidns.lookup.state import State, read_spans
from aidns.model import WEB, Observation, Outcome, Span
from aidns.names import Name
from lying_server import Lie, LyingServer, unknown
from samples import NOW, SOUND

DAY = 86400
ZONE, HOST = "acme.example", "api.acme.example"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def aidns(tmp_path: Path) -> Run:
    """Run a command on the sample catalogue, `days` after the first day; `preamble` is Python that runs before."""
    for path, text in SOUND.items():
        (tmp_path / "catalog" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "catalog" / path).write_text(text, "utf-8")

    def call(command: str, *arguments: str, days: int = 0, preamble: str = "") -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"XDG_STATE_HOME": str(tmp_path), "SOURCE_DATE_EPOCH": str(NOW + days * DAY)}
        fixed = [command, "--catalog", str(tmp_path / "catalog")]
        program = [sys.executable, "-c", f"{preamble}\nfrom aidns.cli import main; main()", *fixed, *arguments]
        return subprocess.run(program, env=environment, capture_output=True, text=True, check=False)

    return call


def tell(server: LyingServer) -> None:
    server.data(ZONE, "A", "192.0.2.1")
    server.data(ZONE, "NS", "ns1.acme.example.")
    server.data(ZONE, "HTTPS", "1 svc.acme-new.example. alpn=h2")
    server.data("gamma.example", "A", "192.0.2.3")
    server.cname("login.beta.example", "login.vendor-cloud.example", address="192.0.2.9")


def outline(spans: tuple[Span, ...]) -> set[Span]:
    """The spans without what chance decides: which random label a denial was for is not remembered."""
    return {replace(span, n=0) for span in spans}


def test_three_machines_that_share_the_work_know_what_one_knows(aidns: Run, tmp_path: Path) -> None:
    with LyingServer() as server:
        tell(server)
        checks = ("--resolver", server.spec, "--state")
        asked = []
        for shard in ("1/3", "2/3", "3/3"):
            done = aidns("check", *checks, str(tmp_path / f"{shard[0]}.sqlite"), "--shard", shard, "--json")
            asked.append(json.loads(done.stdout)["resolvers"][0]["asked"])
        whole = json.loads(aidns("check", *checks, str(tmp_path / "whole.sqlite"), "--json").stdout)
    assert sum(asked) == whole["resolvers"][0]["asked"], "nothing is asked twice"
    parts = [str(tmp_path / f"{n}.sqlite") for n in (3, 1, 2, 1)]
    assert aidns("merge", str(tmp_path / "all.jsonl"), *parts).returncode == 0
    assert aidns("merge", str(tmp_path / "all.sqlite"), str(tmp_path / "all.jsonl")).returncode == 0
    expected = read_spans(tmp_path / "whole.sqlite")
    for name in ("all.jsonl", "all.sqlite"):
        assert outline(read_memory(tmp_path / name)) == outline(expected)
    for command in ("status", "candidates"):
        found = {
            aidns(command, "--state", str(tmp_path / name), "--json").stdout for name in ("all.sqlite", "whole.sqlite")
        }
        assert len(found) == 1


def test_places_are_remembered_and_each_asks_for_itself(aidns: Run, tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite"
    with LyingServer() as server:
        tell(server)
        for place in ("eu-1", "us-1"):
            aidns("check", "--resolver", server.spec, "--state", str(state), "--vantage", place, ZONE)
        assert Counter(rdtype for rdtype, _ in server.asked(ZONE))["A"] == 2
    assert {span.vantage for span in read_spans(state)} == {"eu-1", "us-1"}
    assert "at us-1" in aidns("status", "--state", str(state), "--explain", ZONE).stdout


@pytest.mark.parametrize(
    "arguments", [("--shard", "4/3"), ("--shard", "x"), ("--vantage", "a b"), ("--vantage", "\x1b")]
)
def test_nonsense_is_a_usage_error(aidns: Run, arguments: tuple[str, ...]) -> None:
    assert aidns("check", "--resolver", "127.0.0.1:9", *arguments).returncode == 2


def test_a_site_on_this_machine_is_never_visited(aidns: Run, tmp_path: Path) -> None:
    """A listed name that leads to loopback: the look is remembered with its reason, and nothing is concluded."""
    state = tmp_path / "state.sqlite"
    with LyingServer() as server:
        tell(server)
        lookup = f"[(2, 1, 6, '', ('127.0.0.1', {server.port}))]"
        to_loopback = f"import socket; socket.getaddrinfo = lambda *_, **__: {lookup}"
        done = aidns("check", "--resolver", server.spec, "--state", str(state), "--http", ZONE, preamble=to_loopback)
        assert server.streams == 0
    assert done.returncode == 0, done.stderr
    (seen,) = (span for span in read_spans(state) if span.rdtype == WEB)
    assert (seen.name, seen.outcome) == (ZONE, Outcome.TIMEOUT)
    assert "127.0.0.1, which is not public" in seen.detail


def test_status_tells_what_changed_what_is_suspect_and_what_came_back(aidns: Run) -> None:
    with LyingServer() as one, LyingServer() as other:
        both = ("--resolver", one.spec, "--resolver", other.spec, HOST, ZONE, "gamma.example")
        for server in (one, other):
            tell(server)
            server.data(HOST, "A", "192.0.2.1")
        aidns("check", *both)
        for server in (one, other):
            server.nxdomain(HOST, soa=ZONE)
        aidns("check", *both, days=1)
        text = aidns("status", days=1).stdout
        assert f"{HOST}: live → suspect" in text
        assert "gone on 2026-11-30 at the earliest, forgotten on 2026-12-24" in text
        one.data(HOST, "A", "192.0.2.1")
        aidns("check", *both, days=2)
    done = aidns("status", "--json", days=2)
    document = json.loads(done.stdout)
    assert document["schema"] == "aidns/status/1"
    assert [(one["name"], one["before"], one["after"]) for one in document["status"]["changes"]] == [
        (HOST, "suspect", "live")
    ]
    assert document["status"]["returned"] == [[HOST, "2026-11-24"]]
    assert {"name": HOST, "flag": "disputed"}.items() <= document["status"]["flagged"][0].items()
    story = aidns("status", "--explain", "API.acme.example.", days=2).stdout
    assert story.startswith(f"{HOST}: live")
    assert len([line for line in story.splitlines() if " A denied " in line and "SOA acme.example" in line]) == 2


def test_what_is_planted_is_found_and_nothing_else(aidns: Run) -> None:
    """A parked, an expired and a wildcard zone, bad signatures, an alias into nothing, a filter, a dispute."""

    def zone_with_wildcard(response: dns.message.Message, transport: str) -> dns.message.Message | bytes | None:
        name = response.question[0].name.to_text(omit_final_dot=True).lower()
        if name.endswith(".acme-cloud.example"):
            return serve("192.0.2.5")(response, transport)
        return unknown()(response, transport)

    with LyingServer() as one, LyingServer() as other:
        for server in (one, other):
            server.lie("*", zone_with_wildcard)
            server.data("gamma.example", "NS", "ns7.parked.example.org.")
            server.data("gamma.example", "A", "192.0.2.3")
            server.data(ZONE, "A", "192.0.2.1")
            server.data(ZONE, "NS", "ns1.acme.example.")
            server.data(ZONE, "DS", "1 13 2 " + "00" * 32)
            server.fail("acme-group.example", "SERVFAIL", ede=6)
            server.cname(HOST, "x.cdn.example.org", rcode="NXDOMAIN", soa="example.org")
            server.nxdomain("blogspot.com", soa="com", ede=15)
            server.data("beta.example", "A", "192.0.2.6")
            server.cname("login.beta.example", "new.net", address="192.0.2.6")
        other.nxdomain("login.beta.example", soa="beta.example")
        aidns("check", "--resolver", one.spec, "--resolver", other.spec)
    found = json.loads(aidns("status", "--json").stdout)["status"]
    cloud = ("_ai", "eu-1-ai", "us-1-ai")
    assert {(one["flag"], one["name"]) for one in found["flagged"]} == {
        *(("expired", name) for name in ("acme-free.example", "acme.platform.example")),
        *(("wildcard", f"{host}.acme-cloud.example") for host in cloud),
        ("parked", "gamma.example"),
        ("bogus", "acme-group.example"),
        ("disputed", "login.beta.example"),
    }
    assert {one["name"] for one in found["suspects"]} == {"acme-free.example", "acme.platform.example"}
    assert found["counts"] == {"live": 7, "suspect": 2, "parked": 1, "unknown": 1, "filtered": 1}

    def facts(name: str) -> dict[str, object]:
        told = json.loads(aidns("status", "--explain", name, "--json").stdout)
        return dict(told["history"]["facts"])

    assert facts(ZONE)["dnssec"] == "signed"
    assert facts(HOST)["shared"] == ["x.cdn.example.org: content delivery of many sites"]
    assert facts("blogspot.com")["filtered_by"] == sorted([one.spec, other.spec])


def serve(address: str) -> Lie:
    def say(response: dns.message.Message, _transport: str) -> dns.message.Message:
        asked = response.question[0]
        if asked.rdtype == dns.rdatatype.A:
            response.answer.append(dns.rrset.from_text(asked.name, 60, "IN", "A", address))
        return response

    return say


def test_status_without_memory_makes_none(aidns: Run, tmp_path: Path) -> None:
    done = aidns("status")
    assert (done.returncode, "nothing has been heard yet" in done.stdout) == (0, True)
    assert not (tmp_path / "aidns").exists()
    assert aidns("status", "--explain", "not a name").returncode == 2
    assert "history: nothing" in aidns("status", "--explain", "new.net").stdout


def test_hostile_memories_reach_no_terminal(aidns: Run, tmp_path: Path) -> None:
    name, bad = Name(HOST), "\x1b[2J\r\nfoo"
    with State(tmp_path / "state.sqlite") as state:
        state.record([Observation(name, "A", bad, Outcome.DATA, NOW, name, bad, (bad,), (bad,), bad, bad)])
    for arguments in (("status",), ("status", "--explain", HOST), ("candidates",)):
        done = aidns(*arguments, "--state", str(tmp_path / "state.sqlite"))
        assert done.returncode == 0
        assert all(line.replace("\t", "").isprintable() for line in done.stdout.split("\n"))


def test_candidates_are_listed_by_service(aidns: Run, tmp_path: Path) -> None:
    with LyingServer() as server:
        tell(server)
        aidns("check", "--resolver", server.spec)
    rows = [line.split("\t") for line in aidns("candidates").stdout.splitlines()]
    assert [row[:4] for row in rows] == [
        ["acme-chat", "svc.acme-new.example", "https", ZONE],
        ["beta-search", "login.vendor-cloud.example", "cname", "login.beta.example"],
    ]
    document = json.loads(aidns("candidates", "--json").stdout)
    assert document["schema"] == "aidns/candidates/1"
    assert list(document["candidates"]) == ["acme-chat", "beta-search"]


def test_merge_refuses_what_is_no_memory_and_leaves_everything(aidns: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text('{"schema": "aidns/span/1"}\nfoo\n')
    done = aidns("merge", str(tmp_path / "out.sqlite"), str(tmp_path / "bad.jsonl"))
    assert (done.returncode, "bad.jsonl:1" in done.stderr, "bad.jsonl:2" in done.stderr) == (1, True, True)
    assert aidns("merge", str(tmp_path / "out.sqlite"), str(tmp_path / "nothing.sqlite")).returncode == 4
    assert not (tmp_path / "out.sqlite").exists()


@pytest.mark.slow
def test_a_night_over_the_shipped_catalogue_asks_what_is_due_and_nothing_twice(tmp_path: Path) -> None:
    names = tuple(entry.name for entry in load().catalog.names if not entry.bypass)
    zones = {psl.registrable_domain(name) for name in names} - {None}
    with Upstream() as upstream, State(tmp_path / "state.sqlite") as state:
        resolver = parse_resolver(f"127.0.0.1:{upstream.port}")
        task = Task(names, (resolver,), (Name("office.aidns-canary.example"),), NOW, Manners(timeout=5.0))
        asked = run(state, state.spans(), task, lambda settled, left: None).asked[resolver.id]
        spans = state.spans()
        due = {(name, rdtype) for name in names for rdtype in ("A", *GATED)}
        due |= {(str(zone), rdtype) for zone in zones for rdtype in ZONE_TYPES}
        due |= {(f"*.{parent}", "A") for parent in wildcard_parents(names)}
        assert {(span.name, span.rdtype) for span in spans} == due
        assert {span.n for span in spans} == {1}
        assert asked == len(spans) == len(due)
        assert run(state, state.spans(), task, lambda settled, left: None).asked == {}, "all of it was proven just now"
        assert state.spans() == spans
