"""`aidns fix` through the outer door: what it mends, what it leaves, what it prints, how it exits."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from aidns.cli import main
from samples import ROOT, SOUND

Run = Callable[..., tuple[int, str, str]]
GAMMA = "services/gamma-hub.toml"


@pytest.fixture
def aidns(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run the program in a folder that holds a catalogue, as a checkout does."""
    shutil.copytree(ROOT, tmp_path / "catalog")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["aidns", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    return run


def texts(folder: str = "catalog") -> dict[str, str]:
    return {str(f.relative_to(folder)): f.read_text("utf-8") for f in sorted(Path(folder).rglob("*.toml"))}


def plant(file: str, old: str, new: str) -> None:
    path = Path("catalog", file)
    assert path.read_text("utf-8").count(old) == 1
    path.write_text(path.read_text("utf-8").replace(old, new), encoding="utf-8")


def test_check_prints_what_would_change_and_changes_nothing(aidns: Run) -> None:
    """A difference on stdout, the number of files on stderr, exit 1."""
    before = texts()
    code, out, err = aidns("fix", "--check")
    assert code == 1
    assert f"+++ catalog/{GAMMA} (fixed)\n" in out
    assert '\n+  { kind = "public-list", url = "https://lists.example.net/gamma"' in out
    assert "file(s) would change" in err
    assert texts() == before


def test_fix_writes_what_check_showed_and_then_there_is_nothing_left(aidns: Run) -> None:
    """The files' names on stdout; a second run finds nothing, and the catalogue says what it said."""
    _, shown, _ = aidns("fix", "--check")
    code, out, _ = aidns("fix")
    assert code == 0
    assert set(out.splitlines()) == {line.split()[1] for line in shown.splitlines() if line.startswith("--- ")}
    assert aidns("fix", "--check") == (0, "", f"0 of {len(SOUND)} file(s) would change\n")
    assert aidns("lint", "--catalog", "catalog")[0] == 0
    assert [path.name for path in Path("catalog").rglob(".*")] == []


SECOND_WAIVER = """\
schema = 1

[[waiver]]
rule = "evidence"
file = "services/gamma-hub.toml"
field = "domains[0]"
reason = "none"
decided = 2026-03-01
"""
FIXABLE = {
    "name-form": (GAMMA, 'name = "gamma.example"', 'name = "Gamma.EXAMPLE."', 'name = "gamma.example"'),
    "name-form of another script": (GAMMA, '"gamma.example"', '"bücher.example"', 'name = "xn--bcher-kva.example"'),
    "id-form": (GAMMA, "schema = 1", 'schema = 1\nid = "gamma"', "schema = 1\ntitle"),
    "confidence": ("services/acme-chat.toml", 'confidence = "low"\nevidence = [{ kind = "press", url = "https://news'
                   '.example.net/group"', 'evidence = [{ kind = "press", url = "https://news.example.net/group"',
                   'breaks = "the shop"\nconfidence = "low"'),
    "sharing-breaks": ("services/acme-chat.toml", 'scope = "exact"\nsharing = "tenant"', 'sharing = "tenant"',
                       'scope = "exact"\nsharing = "tenant"'),
    "public-suffix": ("services/acme-chat.toml", 'note = "the apex"', 'covers_suffix = "why?"', 'l"\nevidence = [\n'),
    "text-clean": (GAMMA, 'title = "Gamma Hub"', "title = 'The \"Gamma\"\tHub'", "title = \"The 'Gamma' Hub\""),
    "waiver-needed": ("waivers.toml", "schema = 1", SECOND_WAIVER, "schema = 1\n\n[[waiver]]\nrule"),
}  # fmt: skip


@pytest.mark.parametrize("rule", FIXABLE)
def test_what_needs_no_judgement_is_mended(aidns: Run, rule: str) -> None:
    """Lint finds the fault and says who mends it; after the fix it finds nothing of the kind."""
    file, old, new, mended = FIXABLE[rule]
    aidns("fix")
    rule_id = rule.partition(" ")[0]
    before = Path("catalog", file).read_text("utf-8")
    if old not in before:  # canonical by now: evidence has lines of its own
        old, new = (text.replace("evidence = [{", "evidence = [\n  {") for text in (old, new))
    plant(file, old, new)
    _, found, _ = aidns("lint", "--catalog", "catalog")
    assert f"[{rule_id}]" in found and "`aidns fix` does it" in found
    assert aidns("fix")[1] == f"catalog/{file}\n"
    assert mended in Path("catalog", file).read_text("utf-8")
    assert f"[{rule_id}]" not in aidns("lint", "--catalog", "catalog")[1]


def test_what_needs_a_person_is_left_and_counted(aidns: Run) -> None:
    """No guess replaces a word that the vocabulary does not know."""
    plant(GAMMA, '["hub"]', '["hubb"]')
    code, _, err = aidns("fix")
    assert code == 0
    assert "1 problem(s) are left to a person" in err
    assert '["hubb"]' in Path("catalog", GAMMA).read_text("utf-8")


def test_a_file_that_is_no_toml_is_left_as_it_is(aidns: Run) -> None:
    """It is named, the others are mended, and the exit code says that something is wrong."""
    plant(GAMMA, "schema = 1", "schema =")
    broken = Path("catalog", GAMMA).read_text("utf-8")
    code, out, err = aidns("fix")
    assert code == 1
    assert "left as it is" in err and "toml-syntax" in err
    assert out.count("\n") > 5
    assert Path("catalog", GAMMA).read_text("utf-8") == broken


def test_paths_narrow_what_is_mended(aidns: Run) -> None:
    """A file, and a folder."""
    before = texts()
    code, out, err = aidns("fix", f"catalog/{GAMMA}", "catalog/rejected")
    assert (code, set(out.split())) == (0, {f"catalog/{GAMMA}", "catalog/rejected/misc.toml"})
    assert "2 of 2 file(s) mended" in err
    assert {path for path, text in texts().items() if before[path] != text} == {GAMMA, "rejected/misc.toml"}


def test_a_policy_of_ones_own_is_mended_where_it_lies(aidns: Run) -> None:
    """No catalogue has to be near."""
    policy = Path("own.toml")
    policy.write_text("title = 'Own'\nschema=1\n[action]\n[[block]]\nname='Exact.Example.'\nreason='mine'\n")
    Path("catalog").rename("elsewhere")
    assert aidns("fix", "--check", "own.toml")[0] == 1
    assert aidns("fix", "own.toml")[:2] == (0, "own.toml\n")
    assert policy.read_text() == (
        'schema = 1\ntitle = "Own"\n\n[action]\n\n[[block]]\nname = "Exact.Example."\nreason = "mine"\n'
    )


def test_a_stranger_that_is_no_policy_is_refused(aidns: Run) -> None:
    """A service's file out of its catalogue would be taken for something else."""
    shutil.copy(ROOT / GAMMA, "gamma-hub.toml")
    before = Path("gamma-hub.toml").read_text("utf-8")
    code, out, err = aidns("fix", "gamma-hub.toml")
    assert (code, out) == (1, "")
    assert "is no policy" in err and "--catalog DIR" in err
    assert Path("gamma-hub.toml").read_text("utf-8") == before


def test_json_lists_files_with_their_differences(aidns: Run) -> None:
    """For a bot that makes suggestions."""
    code, out, _ = aidns("fix", "--check", "--json", f"catalog/{GAMMA}")
    document = json.loads(out)
    assert code == 1
    assert (document["schema"], [one["file"] for one in document["files"]]) == ("aidns/fix/1", [f"catalog/{GAMMA}"])
    assert document["files"][0]["diff"].startswith("--- ")


def test_without_a_catalogue_there_is_nothing_to_fix(aidns: Run) -> None:
    """The one inside the program is not ours to change."""
    shutil.rmtree("catalog")
    code, _, err = aidns("fix")
    assert code == 2
    assert "--catalog DIR" in err


def test_the_installed_catalogue_is_never_written(aidns: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even when it is named."""
    monkeypatch.setattr("aidns.data.PACKAGE", Path.cwd())
    code, _, err = aidns("fix", "--catalog", "catalog")
    assert code == 2
    assert "belongs to the installed program" in err


def test_a_mended_file_keeps_its_mode(aidns: Run) -> None:
    """It is written aside and put in place at once."""
    file = Path("catalog", GAMMA)
    file.chmod(0o640)
    aidns("fix")
    assert file.stat().st_mode & 0o777 == 0o640
    assert file.read_text("utf-8") != SOUND[GAMMA]
