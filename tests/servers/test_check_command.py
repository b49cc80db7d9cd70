"""`aidns check` as people run it: what it says, what it remembers, how it exits."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aidns.lookup.attempt import GATED
from aidns.lookup.state import read_spans
from aidns.model import Outcome
from lying_server import LyingServer
from samples import NOW, SOUND

DAY = 86400
ZONE, HOST = "acme.example", "api.acme.example"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def check(tmp_path: Path) -> Run:
    """Run `aidns check` on the sample catalogue with a state of its own, `days` after the first day."""
    for path, text in SOUND.items():
        (tmp_path / "catalog" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "catalog" / path).write_text(text, "utf-8")

    def run(*arguments: str, days: int = 0, stderr: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"XDG_STATE_HOME": str(tmp_path), "SOURCE_DATE_EPOCH": str(NOW + days * DAY)}
        fixed = ["check", "--catalog", str(tmp_path / "catalog"), "--timeout", "0.3"]
        command = [sys.executable, "-c", "from aidns.cli import main; main()", *fixed, *arguments]
        return subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=stderr, text=True, check=False)

    return run


def state_of(tmp_path: Path) -> Path:
    return tmp_path / "aidns" / "state.sqlite"


def verdicts(run: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    return {verdict["name"]: verdict for verdict in json.loads(run.stdout)["verdicts"]}


def test_a_run_says_what_it_found_and_remembers_it(check: Run, tmp_path: Path) -> None:
    with LyingServer() as server:
        server.data(HOST, "A", "192.0.2.1")
        done = check("--resolver", server.spec)
    assert (done.returncode, done.stdout) == (0, "")
    assert "2 live" in done.stderr, "the host and the domain above it"
    assert "suspect" in done.stderr
    assert {span.name for span in read_spans(state_of(tmp_path))} >= {ZONE, HOST}


def test_every_listed_name_is_asked_but_bypass_names(check: Run) -> None:
    with LyingServer() as server:
        names = set(verdicts(check("--resolver", server.spec, "--json")))
        asked = {name for name, _, _ in server.log}
    assert names <= asked
    assert "acme-free.example" in names
    assert "use-other-dns.example" not in names | asked
    assert any(name.endswith(".aidns-canary.example") for name in asked)


def test_json_tells_everything(check: Run) -> None:
    with LyingServer() as server:
        server.data(HOST, "A", "192.0.2.1")
        done = check("--resolver", server.spec, "--json", HOST, "WWW.Acme.Example.")
    document = json.loads(done.stdout)
    assert document["schema"] == "aidns/check/1"
    assert document["at"] == NOW
    assert document["counts"] == {"live": 1, "suspect": 1}
    assert document["changes"][0] | {"why": ""} == {"name": HOST, "before": "unknown", "after": "live", "why": ""}
    (resolver,) = document["resolvers"]
    assert set(resolver.pop("odd")) <= {"duplicate", "late"}
    assert resolver.pop("packets") - resolver.pop("again") >= 9, "the probe's included"
    assert document["resolvers"] == [
        {
            "id": server.spec, "operator": server.spec, "answers": True, "canaries": [], "trouble": "", "asked": 9,
            "set_aside": False,
        }
    ]  # fmt: skip
    assert [verdict["name"] for verdict in document["verdicts"]] == [HOST, "www.acme.example"]


def test_a_host_denied_for_a_week_by_two_operators_goes_and_comes_back(check: Run) -> None:
    with LyingServer() as one, LyingServer() as other:
        for server in (one, other):
            server.data(ZONE, "A", "192.0.2.1")
            server.data(HOST, "A", "192.0.2.1")
        both = ("--resolver", one.spec, "--resolver", other.spec, "--json", HOST, ZONE)
        assert verdicts(check(*both))[HOST]["standing"] == "live"
        for server in (one, other):
            server.nxdomain(HOST, soa=ZONE)
        for days, standing in ((1, "suspect"), (5, "suspect"), (8, "gone")):
            found = verdicts(check(*both, days=days))
            assert (found[HOST]["standing"], found[HOST]["removable"]) == (standing, standing == "gone")
            assert found[ZONE]["standing"] == "live"
        one.data(HOST, "A", "192.0.2.1")
        assert verdicts(check(*both, days=8))[HOST]["standing"] == "live"


def test_a_registrable_domain_is_flagged_and_stays(check: Run) -> None:
    with LyingServer() as one, LyingServer() as other:
        both = ("--resolver", one.spec, "--resolver", other.spec, "--json", ZONE)
        for days in (0, 4, 8):
            found = verdicts(check(*both, days=days))[ZONE]
    assert (found["standing"], found["removable"], found["flags"]) == ("gone", False, ["registrable"])


def test_a_dead_network_changes_nothing_and_exits_4(check: Run, tmp_path: Path) -> None:
    with LyingServer() as server:
        server.data(HOST, "A", "192.0.2.1")
        check("--resolver", server.spec)
    before = read_spans(state_of(tmp_path))
    done = check("--resolver", server.spec, days=1)
    assert (done.returncode, done.stdout) == (4, "")
    assert f"no resolver answered ({server.spec}: no reply within" in done.stderr
    assert "tip:" in done.stderr
    assert read_spans(state_of(tmp_path)) == before


@pytest.mark.parametrize("rcode", ["SERVFAIL", "REFUSED"])
def test_a_resolver_that_only_fails_exits_4_and_removes_nothing(check: Run, tmp_path: Path, rcode: str) -> None:
    with LyingServer() as server:
        server.fail("*", rcode)
        server.fail(".", rcode)
        done = check("--resolver", server.spec)
    assert done.returncode == 4
    assert {str(span.outcome) for span in read_spans(state_of(tmp_path))} == {rcode.lower()}


def test_one_dead_resolver_beside_a_good_one_is_only_worth_a_warning(check: Run) -> None:
    with LyingServer() as dead:
        pass
    with LyingServer() as server:
        done = check("--resolver", dead.spec, "--resolver", server.spec, HOST)
    assert done.returncode == 0
    assert f"warning: {dead.spec} does not answer" in done.stderr


def test_what_was_proven_today_is_not_asked_again_unless_told(check: Run) -> None:
    with LyingServer() as server:
        server.data(HOST, "A", "192.0.2.1")
        server.data(HOST, "HTTPS", "1 . alpn=h2")
        server.data(ZONE, "NS", "ns1.acme.example.")
        check("--resolver", server.spec, HOST)
        server.log.clear()
        done = check("--resolver", server.spec, HOST)
        assert (done.returncode, server.log) == (0, [])
        check("--resolver", server.spec, HOST, days=1)
        assert len(server.asked(HOST)) == 1 + len(GATED)
        server.log.clear()
        check("--resolver", server.spec, "--all", HOST, days=1)
        assert len(server.asked(HOST)) == 1 + len(GATED)


def test_exit_code_tells_whether_a_verdict_changed(check: Run) -> None:
    with LyingServer() as server:
        server.data(HOST, "A", "192.0.2.1")
        check_host = ("--resolver", server.spec, "--exit-code", HOST)
        assert check(*check_host).returncode == 1
        assert check(*check_host, days=1).returncode == 0
        server.nxdomain(HOST, soa=ZONE)
        done = check(*check_host, days=2)
        assert done.returncode == 1
        assert f"{HOST}: live → suspect" in done.stderr
        assert check(*check_host[:-2], HOST, days=3).returncode == 0


def test_proof_that_grew_old_is_a_change(check: Run) -> None:
    """Compared with what the last run said then, not with what its answers are worth today."""
    with LyingServer() as one, LyingServer() as other:
        both = ("--resolver", one.spec, "--resolver", other.spec, "--exit-code", HOST)
        for days in (0, 4, 8):
            check(*both, days=days)
        for server in (one, other):
            server.fail(HOST, "SERVFAIL")
        assert check(*both, days=12).returncode == 0
        done = check(*both, days=20)
    assert done.returncode == 1
    assert f"{HOST}: gone → suspect" in done.stderr


def test_canaries_of_shipped_and_own_policies_are_looked_for(check: Run, tmp_path: Path) -> None:
    own = tmp_path / "my-own.toml"
    own.write_text('schema = 1\ntitle = "Mine"\nextends = "office"\n', "utf-8")
    with LyingServer() as server:
        server.data("my-own.aidns-canary.example", "A", "0.0.0.0")
        done = check("--resolver", server.spec, "--policy", str(own), "--json", HOST)
        assert "runs our own list (my-own.aidns-canary.example)" in done.stderr
        assert verdicts(done)[HOST]["standing"] == "filtered"
        done = check("--resolver", server.spec, "--json", HOST, days=1)
        assert verdicts(done)[HOST]["standing"] == "suspect"


@pytest.mark.parametrize(
    "arguments",
    [("--resolver", "dns.quad9.net"), ("--timeout", "0"), ("--rate", "-1"), ("not a name",), ("--policy", "nowhere")],
)
def test_nonsense_is_a_usage_error(check: Run, arguments: tuple[str, ...]) -> None:
    assert check(*arguments).returncode == 2


def test_a_damaged_state_file_is_reported_and_left_alone(check: Run, tmp_path: Path) -> None:
    path = tmp_path / "mine.sqlite"
    path.write_text("no database, but long enough to be looked at " * 30)
    with LyingServer() as server:
        done = check("--resolver", server.spec, "--state", str(path))
    assert done.returncode == 4
    assert "damaged" in done.stderr
    assert "Traceback" not in done.stderr
    assert path.read_text().startswith("no database")


def test_answers_from_the_future_are_pointed_out(check: Run) -> None:
    with LyingServer() as server:
        server.data(HOST, "A", "192.0.2.1")
        check("--resolver", server.spec, HOST, days=100)
        done = check("--resolver", server.spec, HOST)
    assert "dated in the future" in done.stderr


def test_hostile_answers_reach_no_terminal(check: Run) -> None:
    with LyingServer() as server:
        server.fail(HOST, "SERVFAIL", ede=22, text="\x1b[2Jfoo\r\nbar")
        server.cname("www.acme.example", "\\027[2J.evil.net", rcode="NXDOMAIN", soa="evil.net")
        done = check("--resolver", server.spec, "-v", HOST, "www.acme.example")
    assert all(line.isprintable() for line in done.stderr.splitlines())
    assert "\x1b" not in done.stderr


def test_quiet_says_nothing(check: Run) -> None:
    with LyingServer() as server:
        done = check("--resolver", server.spec, "-q", HOST)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_state_file_of_two_runs_holds_the_outcomes_of_both(check: Run, tmp_path: Path) -> None:
    with LyingServer() as server:
        check("--resolver", server.spec, HOST)
        server.data(HOST, "A", "192.0.2.1")
        check("--resolver", server.spec, HOST, days=1)
    found = {(str(span.outcome), span.first) for span in read_spans(state_of(tmp_path)) if span.name == HOST}
    assert {(Outcome.DENIED.value, NOW), (Outcome.DATA.value, NOW + DAY)} <= found


def test_a_bar_is_shown_on_a_terminal_only(check: Run) -> None:
    with LyingServer() as server:
        assert "asking" not in check("--resolver", server.spec, HOST).stderr
        master, terminal = pty.openpty()
        done = check("--resolver", server.spec, HOST, stderr=terminal, days=1)
        os.close(terminal)
        shown = os.read(master, 65536).decode()
        os.close(master)
    assert done.returncode == 0
    assert "asking" in shown
    assert "5/5" in shown
