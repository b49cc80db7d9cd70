"""A build that changed nothing is not made again: told in the same words, and made anew whenever anything differs."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aidns import pipeline
from aidns.cli import main
from aidns.errors import UnsafeError
from aidns.lookup.state import State
from aidns.model import Catalog, Observation, Outcome, Policy
from aidns.names import Name
from aidns.publish import standstill
from samples import NOW, ROOT

Run = Callable[..., tuple[int, str, str]]
BUILD = ("--catalog", "catalog", "build", "--format", "rpz", "--format", "hosts")
DAY = 86400


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One item for each build that was made."""
    found: list[int] = []
    real = pipeline.build_artefacts

    def counted(*arguments: object) -> object:
        found.append(1)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "build_artefacts", counted)
    return found


@pytest.fixture
def aidns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the program in a folder with a catalogue; `at` seconds after the first run."""
    shutil.copytree(ROOT, tmp_path / "catalog")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def run(*arguments: str, at: int = 0) -> tuple[int, str, str]:
        monkeypatch.setenv("SOURCE_DATE_EPOCH", str(NOW + at))
        monkeypatch.setattr("sys.argv", ["aidns", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return int(str(end.value.code or 0)), out, err

    return run


@pytest.fixture
def still(aidns: Run, made: list[int]) -> Run:
    """The same after two builds, of which the second changed nothing."""
    assert aidns(*BUILD)[0] == 0
    assert "nothing changes" in aidns(*BUILD, at=1)[1]
    made.clear()
    return aidns


def status() -> dict[str, object]:
    found: dict[str, object] = json.loads(Path("dist/status.json").read_bytes())
    return found


def test_it_is_told_in_the_same_words_and_noted(still: Run, made: list[int]) -> None:
    """Standard output, standard error, exit code and status.json, octet by octet."""
    again = [still(*BUILD, at=5), Path("dist/status.json").read_bytes()]
    assert not made
    Path(".dist/.unchanged.json").unlink()
    assert again == [still(*BUILD, at=5), Path("dist/status.json").read_bytes()]
    assert made
    quiet = still("-q", *BUILD, at=6)
    assert still("-q", *BUILD, at=6) == quiet and len(made) == 1
    assert status()["last_run"] == NOW + 6


def same_size(path: str) -> None:
    """Change one letter of a file, and neither its size nor its times."""
    file = Path(path)
    about, text = file.stat(), file.read_text("utf-8")
    file.write_text(text.replace("e", "f", 1), "utf-8")
    os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns))


def a_list() -> str:
    return str(next(path for path in sorted(Path("dist").resolve().rglob("*.zone")) if path.is_file()))


def as_a_link() -> None:
    path = Path(a_list())
    path.rename("elsewhere")
    path.symlink_to(Path("elsewhere").resolve())


def remembered() -> None:
    Path("state/aidns").mkdir(parents=True)
    sqlite3.connect("state/aidns/state.sqlite").close()
    Path("state/aidns/state.sqlite-wal").write_bytes(b"x")


def other_networks() -> None:
    """Change for whom a scope is, and nothing that is answered."""
    office = Path("catalog/policies/office.toml")
    office.write_text(office.read_text("utf-8").replace("10.20.0.0/16", "10.21.0.0/16"), "utf-8")


Ending = tuple[int, bool, str]
"""Exit code, whether a build was made, and what was told."""
SAME: Ending = (0, True, "nothing changes: 13 lists as published")
REPAIRED: Ending = (0, True, "written again: its bytes were not the published ones")
CHANGES: dict[str, tuple[Callable[[], object], Ending]] = {
    "a letter of the catalogue": (
        lambda: same_size("catalog/services/beta-search.toml"),
        (1, False, "`schema` is missing"),  # no catalogue, no build
    ),
    "a file of the catalogue": (
        lambda: Path("catalog/lookalikes/more.toml").write_text("schema = 1\n", "utf-8"),
        SAME,
    ),
    "a file less": (
        lambda: next(iter(Path("catalog/bypass").iterdir())).unlink(),
        (3, True, "these policies were not built"),
    ),
    "the networks of a scope": (other_networks, (0, True, "2 lists to change, 11 to stay as published")),
    "a letter of a list": (lambda: same_size(a_list()), REPAIRED),
    "a list less": (lambda: Path(a_list()).unlink(), REPAIRED),
    "a list that is a link": (as_a_link, REPAIRED),
    "the manifest": (lambda: same_size("dist/manifest.json"), (4, False, "is no manifest")),
    "another build": (lambda: shutil.copytree(".dist/000001", ".dist/000002"), SAME),
    "what check remembers": (remembered, SAME),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_differs_the_build_is_made(still: Run, made: list[int], change: str) -> None:
    """Or refused, each time for its own reason: never told from memory."""
    act, (code, built, told) = CHANGES[change]
    act()
    ended, out, err = still(*BUILD, at=2)
    assert (ended, bool(made)) == (code, built)
    assert told in out + err


def test_for_whom_a_file_is_stands_in_it_under_the_same_serial(still: Run) -> None:
    """Its scope tells for whom to load it: other networks mean another file, though no answer of it changed."""
    file = Path("dist/office/desks/rpz.zone")
    before = file.read_text("utf-8")
    other_networks()
    code, out, _ = still(*BUILD, at=DAY)
    assert code == 0
    assert "~ office/desks/rpz.zone  tells anew for which clients it is, serial" in out
    assert file.read_text("utf-8") == before.replace("10.20.0.0/16", "10.21.0.0/16")
    assert "in 10.21.0.0/16" in file.read_text("utf-8")
    assert "nothing changes" in still(*BUILD, at=DAY + 1)[1]


def test_a_damaged_list_is_repaired(still: Run) -> None:
    good = Path(a_list()).read_bytes()
    same_size(a_list())
    assert "written again" in still(*BUILD, at=2)[1]
    assert Path(a_list()).read_bytes() == good


@pytest.mark.parametrize(
    "more",
    [
        ("--strict",),
        ("--format", "csv"),
        ("--policy", "office"),
        ("--force", "why"),
        ("--dry-run",),
        ("--state", "x"),
        ("-v",),
        ("--json",),
        ("--catalog", "overlay"),
    ],
)
def test_another_question_is_another_build(still: Run, made: list[int], more: tuple[str, ...]) -> None:
    Path("overlay/lookalikes").mkdir(parents=True)
    Path("overlay/lookalikes/more.toml").write_text("schema = 1\n", "utf-8")
    still(*BUILD, *more, at=2)
    assert made


def test_another_day_or_program_is_another_build(still: Run, made: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Exceptions end, and what is installed decides what templates make."""
    still(*BUILD, at=DAY)
    assert len(made) == 1
    still(*BUILD, at=DAY + 1)
    assert len(made) == 1
    monkeypatch.setattr(standstill, "program", lambda: b"another")
    still(*BUILD, at=DAY + 2)
    assert len(made) == 2


def test_a_policy_of_ones_own_is_always_made(aidns: Run, made: list[int]) -> None:
    """Its lists may lie anywhere."""
    Path("mine.toml").write_text('schema = 1\ntitle = "Mine"\nextends = "office"\n', "utf-8")
    for at in range(4):
        assert aidns(*BUILD, "--policy", "mine.toml", at=at)[0] == 0
    assert len(made) == 4
    assert not Path(".dist/.unchanged.json").exists()


def test_a_failure_is_told_each_time(aidns: Run, made: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    real = pipeline.prepare

    def refuse(catalog: Catalog, policy: Policy, *rest: Any) -> pipeline.Prepared:
        if policy.id == "office":
            raise UnsafeError("its lists cannot be had")
        return real(catalog, policy, *rest)

    monkeypatch.setattr(pipeline, "prepare", refuse)
    assert [aidns(*BUILD, at=at)[0] for at in range(4)] == [3] * 4
    assert len(made) == 4


@given(data=st.data())
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_as_good_as_nothing(tmp_path: Path, data: st.DataObject) -> None:
    """A flipped, lost or added octet anywhere."""
    out = tmp_path / "dist"
    if not out.exists():
        (tmp_path / ".dist" / "000001").mkdir(parents=True)
        out.symlink_to(".dist/000001")
        (out / "status.json").write_text('{"state_at": null, "last_run": 1}', "utf-8")
    standstill.keep(out, "fingerprint", "printed", [(True, "said")])
    told = standstill.find(out, "fingerprint", 2)
    assert told and (told.printed, told.said) == ("printed", ((True, "said"),))
    assert standstill.find(out, "another", 2) is standstill.find(out, "", 2) is None
    path = tmp_path / ".dist" / ".unchanged.json"
    good = path.read_bytes()
    at = data.draw(st.integers(0, len(good) - 1))
    other = bytes((good[at] ^ data.draw(st.integers(1, 255)),))
    for bad in (good[:at] + other + good[at + 1 :], good[:at], good[:at] + other + good[at:], good + other):
        path.write_bytes(bad)
        assert standstill.find(out, "fingerprint", 2) is None


def test_a_note_that_counts_days_is_not_told_on_the_next(tmp_path: Path) -> None:
    (tmp_path / ".dist" / "000001").mkdir(parents=True)
    (tmp_path / "dist").symlink_to(".dist/000001")
    (tmp_path / "dist" / "status.json").write_text(f'{{"state_at": {NOW}, "last_run": {NOW + DAY - 9}}}', "utf-8")
    standstill.keep(tmp_path / "dist", "x", "", [(False, "it stays")])
    assert standstill.find(tmp_path / "dist", "x", NOW + DAY - 1)
    assert standstill.find(tmp_path / "dist", "x", NOW + DAY) is None


def test_a_build_that_another_one_published_is_not_touched(still: Run) -> None:
    """Between looking and noting."""
    told = standstill.find(Path("dist"), json.loads(record())["fingerprint"], NOW + 2)
    assert told
    shutil.copytree(".dist/000001", ".dist/000002")
    Path("dist").unlink()
    Path("dist").symlink_to(".dist/000002")
    before = Path("dist/status.json").read_bytes()
    with pytest.raises(OSError, match="another build"):
        standstill.note(Path("dist"), told, NOW + 2)
    assert Path("dist/status.json").read_bytes() == before


def record() -> bytes:
    return Path(".dist/.unchanged.json").read_bytes().partition(b"\n")[2]


def test_what_was_told_cannot_move_a_terminal(still: Run) -> None:
    path = Path(".dist/.unchanged.json")
    forged = json.loads(record())
    forged["said"][0][1] = forged["printed"] = "\x1b[2Jevil\nline"
    body = json.dumps(forged).encode()
    path.write_bytes(standstill._check(body) + b"\n" + body)
    code, out, err = still(*BUILD, at=2)
    assert code == 0 and "evil" in out and "\x1b" not in out + err


def test_a_build_warns_of_the_age_of_what_check_remembers(aidns: Run, tmp_path: Path) -> None:
    """From the eighth day on, whether the build is made or nothing has changed; never earlier."""
    host = Name("api.acme.example")
    (tmp_path / "state" / "aidns").mkdir(parents=True)
    with State(tmp_path / "state" / "aidns" / "state.sqlite") as state:
        state.record([Observation(host, "A", "9.9.9.9", Outcome.DATA, NOW, host, data=("192.0.2.1",))])
    warned = {}
    for days in (0, 7, 8, 8, 30):
        code, _, err = aidns(*BUILD, at=days * DAY + 1)
        assert code == 0
        warned.setdefault(days, []).append(f"warning: names were last checked {days} days ago" in err)
        assert ("last checked" in err) == warned[days][-1]
    assert warned == {0: [False], 7: [True], 8: [True, True], 30: [True]}
