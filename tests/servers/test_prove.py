"""`prove` on the real servers: clean where lists are right, and a fault where one is not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from aidns.lab import servers
from aidns.lab.kinds import KINDS
from aidns.prove import run
from aidns.prove.attempt import Job, pack, try_one
from aidns.prove.matrix import Cell
from aidns.render.formats import FORMATS
from tests.servers.test_verify import compiled, rendered

POLICY = """\
schema = 1
title = "An administrator's own"
[action]
default = "nxdomain"
fallback = ["null"]
[[block]]
name = "tree.com"
reason = "test"
[[allow]]
name = "ok.tree.com"
reason = "test"
"""


def job(kind: str, text: str) -> Job:
    return Job(Cell("p", kind, KINDS[kind].format), text, pack(compiled("nxdomain"), "fresh"))


def aidns(*arguments: str) -> subprocess.CompletedProcess[str]:
    main = "from aidns.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", main, "prove", *arguments], capture_output=True, text=True, check=False
    )


@pytest.fixture
def policy(tmp_path: Path) -> str:
    path = tmp_path / "mine.toml"
    path.write_text(POLICY, "utf-8")
    return str(path)


@pytest.mark.server("kresd-rpz", "bind-rpz")
def test_a_garden_by_name_is_left_out_where_it_blocks_nothing(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    garden = 'default = "walled-garden"\nwalled_garden = { cname = "wall.example.net" }\n'
    path.write_text(POLICY.partition("[[allow]]")[0].replace('default = "nxdomain"\n', garden), "utf-8")
    done = aidns("--policy", str(path), "--format", "rpz")
    assert (done.returncode, done.stderr) == (0, "")
    assert "left out: mine on kresd-rpz: a walled garden that is a name blocks nothing there" in done.stdout
    assert "bind-rpz" in done.stdout


@pytest.mark.server(*KINDS)
def test_command_proves_a_policy_on_every_server(policy: str, tmp_path: Path) -> None:
    page, data = tmp_path / "proof.md", tmp_path / "proof.json"
    done = aidns("--policy", policy, "--report", str(page), "--report", str(data))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].endswith("nothing leaks, nothing is over-blocked")
    told = json.loads(data.read_text("utf-8"))
    assert [cell["server"] for cell in told["cells"]] == [*KINDS]
    assert [cell["server"] for cell in told["cells"] if cell["left_out"]] == ["kresd-rpz"]
    assert all(cell["counts"]["blocked"] >= 2 for cell in told["cells"] if not cell["left_out"])
    assert "| mine | bind-rpz | rpz |" in page.read_text("utf-8")


@pytest.mark.server("unbound")
def test_formats_choose_the_servers_and_json_goes_to_stdout(policy: str) -> None:
    done = aidns("--policy", policy, "--format", "unbound", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["clean"], [cell["server"] for cell in told["cells"]]) == (0, True, ["unbound"])


@pytest.mark.server("bind-rpz")
def test_a_hole_in_a_list_is_a_leak() -> None:
    text = rendered("rpz", compiled("nxdomain")).replace("*.nx-gone.org CNAME .\n", "")
    cell = try_one(job("bind-rpz", text))
    assert not cell.clean
    assert {fault.outcome for fault in cell.faults} == {"leaked"}
    assert all(fault.question.name.endswith(".nx-gone.org") for fault in cell.faults)


@pytest.mark.server("pdns-rpz")
def test_a_name_too_many_is_an_over_block() -> None:
    text = rendered("rpz", compiled("nxdomain")) + "xtree.com CNAME .\n"
    cell = try_one(job("pdns-rpz", text))
    assert [(fault.outcome, fault.question.name) for fault in cell.faults] == [("over-blocked", "xtree.com")]


@pytest.mark.server("unbound")
def test_a_list_that_a_server_refuses_is_a_fault() -> None:
    cell = try_one(job("unbound", rendered("unbound", compiled("nxdomain")) + 'local-zone: "a..b." deny\n'))
    assert not cell.clean
    assert "ended by itself" in cell.failed


def test_without_any_server_it_says_what_to_install(policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from aidns import pipeline
    from aidns.errors import EnvironmentFault

    monkeypatch.setattr(servers, "_PATHS", ())
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(EnvironmentFault) as caught:
        run.prove(pipeline.load_sound(), [policy], ["rpz"], pipeline.Memory({}, None), 1795305600, "fresh")
    assert caught.value.exit_code == 4
    assert caught.value.tip == "apt-get install unbound bind9 bind9-utils pdns-recursor knot-resolver"


@pytest.mark.server("unbound")
def test_the_upstream_settles_what_the_server_leaves_open() -> None:
    """unbound denies an exact name without saying who it is: only the upstream knows that the name has data."""
    done = aidns("--policy", "bypass-guard", "--format", "unbound", "--json")
    (cell,) = json.loads(done.stdout)["cells"]
    assert (done.returncode, cell["counts"]["leaked"], cell["counts"]["inconclusive"]) == (0, 0, 0)
    assert cell["counts"]["blocked"] > 50


@pytest.mark.server("unbound")
def test_what_cannot_be_proved_is_an_error_of_usage(policy: str, tmp_path: Path) -> None:
    watching = aidns("--policy", "watch-inquiry", "--format", "unbound")
    assert (watching.returncode, watching.stdout) == (2, "")
    assert "nothing to prove" in watching.stderr and "log-only" in watching.stderr
    unread = aidns("--policy", policy, "--format", "adguard")
    assert unread.returncode == 2
    assert "no server that can be started here reads adguard" in unread.stderr
    assert aidns("--policy", policy, "--report", str(tmp_path / "x.pdf")).returncode == 2


def test_every_kind_of_server_reads_a_format_that_exists() -> None:
    assert all(kind.format in FORMATS and kind.package for kind in KINDS.values())
