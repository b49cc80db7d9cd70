"""`aidns build` and `aidns diff` through the outer door: what they print, what they refuse, how they exit."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from aidns.cli import main
from aidns.model import Weakened
from aidns.names import Name
from aidns.publish.manifest import Desired, Manifest, Skipped
from tests.unit.publish_samples import DAY, NOW, Shop, hosts, sums_hold, tree

Run = Callable[..., tuple[int, str, str]]


class Compiler:
    """Stands where a catalogue is compiled, so that each test says itself what comes out of that."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.more: dict[str, Any] = {}
        self.asked: tuple[Sequence[str], Sequence[str]] = ((), ())

    def build_artefacts(
        self,
        catalog: object,
        policies: Sequence[str],
        formats: Sequence[str],
        now: int,
        state: Path,
        published: Manifest,
    ) -> Desired:
        self.asked = (policies, formats)
        return msgspec.structs.replace(self.shop.desired(published, now), **self.more)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.chdir(tmp_path)
    return Shop(Path("dist"), {(p, f): hosts(100) for p in ("deepseek-org", "all-genai") for f in ("pihole", "rpz")})


@pytest.fixture
def compiler(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Compiler:
    stand = Compiler(shop)
    catalog = SimpleNamespace(policies={"deepseek-org": None, "all-genai": None})
    pipeline = SimpleNamespace(build_artefacts=stand.build_artefacts, load_sound=lambda dirs: catalog)
    monkeypatch.setitem(sys.modules, "aidns.pipeline", pipeline)
    monkeypatch.setattr("aidns.publish.standstill.find", lambda *_: None)  # what comes out is told here alone
    return stand


@pytest.fixture
def aidns(compiler: Compiler, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str, now: int = NOW) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["aidns", *arguments])
        monkeypatch.setenv("SOURCE_DATE_EPOCH", str(now))
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    return run


# ------------------------------------------------------------------ build


def test_build_publishes_and_says_so(aidns: Run, shop: Shop) -> None:
    code, out, err = aidns("build")
    assert code == 0
    assert "+ deepseek-org/rpz.txt  added, 100 names" in out
    assert "published build 000001 as dist: 4 written, 0 kept" in err
    assert sums_hold(shop.out)


def test_build_again_says_that_nothing_changes(aidns: Run) -> None:
    aidns("build")
    code, out, err = aidns("build", now=NOW + DAY)
    assert (code, out) == (0, "nothing changes: 4 lists as published\n")
    assert "only its status.json was written" in err


def test_dry_run_prints_the_plan_and_writes_nothing(aidns: Run, shop: Shop, tmp_path: Path) -> None:
    code, dry, _ = aidns("build", "--dry-run")
    assert code == 0
    assert list(tmp_path.iterdir()) == []
    _, wet, _ = aidns("build")
    assert dry == wet


def test_json_holds_plan_and_receipt_and_nothing_else_is_on_stdout(aidns: Run) -> None:
    _, dry, _ = aidns("build", "--json", "--dry-run")
    code, out, _ = aidns("build", "--json")
    document = json.loads(out)
    assert code == 0
    assert document["schema"] == "aidns/build/1"
    assert document["receipt"]["outcome"] == "published"
    assert len(document["plan"]["changes"]) == 4
    assert json.loads(dry) == {**document, "receipt": None}


def test_policies_and_formats_reach_the_compiler_and_narrow_what_may_change(
    aidns: Run, shop: Shop, compiler: Compiler
) -> None:
    aidns("build")
    shop.lists = {("deepseek-org", "rpz"): hosts(99)}
    code, out, _ = aidns("build", "--policy", "deepseek-org", "--format", "rpz", now=NOW + DAY)
    assert (code, compiler.asked) == (0, (("deepseek-org",), ("rpz",)))
    assert "1 list to change, 3 to stay as published" in out
    assert len(tree(shop.out)) == 4 + 3


def test_out_names_another_place(aidns: Run, tmp_path: Path) -> None:
    assert aidns("build", "--out", "www/lists/ai")[0] == 0
    assert sums_hold(tmp_path / "www/lists/ai")
    assert (tmp_path / "www/lists/.ai/000001").is_dir()


def test_notes_skipped_formats_and_weakened_rules_are_told_on_stderr(aidns: Run, compiler: Compiler) -> None:
    weak = Weakened("subtree", "leak", 2, "names only", (Name("a.example"),))
    artefacts = compiler.shop.desired(Manifest("aidns/manifest/1"), NOW).artefacts
    compiler.more = {
        "notes": ("no name has been\nchecked yet",),
        "skipped": tuple(Skipped("watch-inquiry", form, f"{form} cannot log") for form in ("rpz", "hosts")),
        "artefacts": (msgspec.structs.replace(artefacts[0], weakened=(weak,)), *artefacts[1:]),
    }
    code, _, err = aidns("build", "-v")
    assert code == 0
    assert "warning: no name has been checked yet" in err
    assert "skipped: watch-inquiry: hosts, rpz: cannot log" in err
    assert "warning: lists with rules that their format cannot keep whole: pihole 1" in err
    assert "weakened: deepseek-org/pihole.txt: 2 subtree rules (leak): names only" in err


def test_a_failed_policy_keeps_its_lists_others_are_built_and_the_exit_code_is_three(aidns: Run, shop: Shop) -> None:
    aidns("build")
    before = tree(shop.out)
    shop.lists = {("deepseek-org", form): hosts(98) for form in ("pihole", "rpz")}
    shop.failures = {"all-genai": "expired on 2026-01-01"}
    code, _, err = aidns("build", now=NOW + DAY)
    after = tree(shop.out)
    assert code == 3
    assert "all-genai: expired on 2026-01-01" in err
    assert "set a new `expires`" in err
    assert after["all-genai/rpz.txt"] == before["all-genai/rpz.txt"]
    assert after["deepseek-org/rpz.txt"] != before["deepseek-org/rpz.txt"]
    assert json.loads((shop.out / "status.json").read_bytes())["failures"]


def test_the_tip_for_a_failed_policy_fits_its_reason(aidns: Run, shop: Shop) -> None:
    shop.failures = {"office": "policy office blocks nothing"}
    code, _, err = aidns("build")
    assert code == 3
    assert "expires" not in err
    assert "tip: aidns render --policy ID" in err


# ------------------------------------------------------------------ guards


def names_gone(compiler: Compiler) -> None:
    compiler.shop.gone = hosts(6)
    compiler.shop.lists = {key: hosts(100)[6:] for key in compiler.shop.lists}


def own_name_lost(compiler: Compiler) -> None:
    compiler.shop.lists = {key: hosts(99) for key in compiler.shop.lists}
    compiler.shop.gone = hosts(100)[99:]
    compiler.more = {"must_stay": {"deepseek-org": (Name(hosts(100)[99]),)}}


def protected_caught(compiler: Compiler) -> None:
    compiler.shop.lists["deepseek-org", "rpz"] = [*hosts(100), "cdn.example"]
    compiler.shop.protected = ["edge.cdn.example"]


def list_empty(compiler: Compiler) -> None:
    compiler.shop.lists["deepseek-org", "rpz"] = []


GUARDS = {
    "verdict-removals": names_gone,
    "must-stay": own_name_lost,
    "protected": protected_caught,
    "empty": list_empty,
}


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("how", [(), ("--json",), ("--dry-run",)])
def test_a_guard_stops_the_build_and_no_list_is_touched(
    guard: str, how: tuple[str, ...], aidns: Run, shop: Shop, compiler: Compiler
) -> None:
    aidns("build")
    before = tree(shop.out)
    GUARDS[guard](compiler)
    code, out, err = aidns("build", *how, now=NOW + DAY)
    assert code == 3
    assert f"[{guard}]" in err
    assert tree(shop.out) == before
    if "--json" in how:
        document = json.loads(out)
        assert {unsafe["guard"] for unsafe in document["plan"]["unsafe"]} == {guard}
        assert document["receipt"] is None
    heartbeat = json.loads((shop.out / "status.json").read_bytes())
    assert heartbeat["outcome"] == ("published" if "--dry-run" in how else "refused")


@pytest.mark.parametrize("guard", [guard for guard in GUARDS if guard != "empty"])
def test_force_overrides_a_guard_and_its_reason_is_published(
    guard: str, aidns: Run, shop: Shop, compiler: Compiler
) -> None:
    aidns("build")
    GUARDS[guard](compiler)
    assert aidns("build", "--force", "checked by hand", now=NOW + DAY)[0] == 0
    forced = json.loads((shop.out / "manifest.json").read_bytes())["forced"]
    assert {(one["guard"], one["reason"]) for one in forced} == {(guard, "checked by hand")}


def test_force_never_publishes_an_empty_list(aidns: Run, shop: Shop, compiler: Compiler) -> None:
    aidns("build")
    list_empty(compiler)
    code, _, err = aidns("build", "--force", "please")
    assert code == 3
    assert "--force" not in err


def test_strict_refuses_weakened_rules(aidns: Run, compiler: Compiler) -> None:
    weak = Weakened("subtree", "leak", 2, "names only", (Name("a.example"),))
    artefacts = compiler.shop.desired(Manifest("aidns/manifest/1"), NOW).artefacts
    compiler.more = {"artefacts": (msgspec.structs.replace(artefacts[0], weakened=(weak,)),)}
    assert aidns("build", "--strict", "--dry-run")[0] == 3
    assert aidns("build", "--dry-run")[0] == 0


def test_a_refused_first_build_leaves_nothing_behind(aidns: Run, compiler: Compiler, tmp_path: Path) -> None:
    protected_caught(compiler)
    assert aidns("build")[0] == 3
    assert list(tmp_path.iterdir()) == []


def test_somebody_elses_directory_is_refused_with_a_tip(aidns: Run, tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    code, _, err = aidns("build")
    assert code == 3
    assert "tip: move it away, or choose another directory with --out" in err


def test_a_full_disk_exits_four(aidns: Run, tmp_path: Path) -> None:
    (tmp_path / ".dist").write_text("a file where the builds go")
    code, _, err = aidns("build")
    assert code == 4
    assert "Traceback" not in err


# ------------------------------------------------------------------ diff


def test_diff_shows_what_a_build_would_change_and_writes_nothing(aidns: Run, shop: Shop) -> None:
    aidns("build")
    assert aidns("diff", "--exit-code") == (0, "nothing differs\n", "")
    shop.lists["deepseek-org", "rpz"] = [*hosts(99), "new.example"]
    status = (shop.out / "status.json").read_bytes()
    code, out, _ = aidns("diff", now=NOW + DAY)
    assert (code, out.splitlines()) == (
        0,
        [
            f"~ deepseek-org/rpz.txt  +1 -1 ~0  serial {NOW} -> {NOW + DAY}",
            "    - h099.example.ai  block subtree",
            "    + new.example  block subtree",
        ],
    )
    assert aidns("diff", "--exit-code")[0] == 1
    assert (shop.out / "status.json").read_bytes() == status


def test_diff_of_two_builds_needs_no_catalogue(aidns: Run, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    aidns("build")
    shop.lists["deepseek-org", "rpz"] = hosts(99)
    aidns("build", now=NOW + DAY)
    monkeypatch.delitem(sys.modules, "aidns.pipeline")
    monkeypatch.setitem(sys.modules, "aidns.pipeline", None)  # any import of it fails from here on
    for old, new in [(".dist/000001", "dist"), (".dist/000001/manifest.json", ".dist/000002")]:
        code, out, _ = aidns("diff", old, new, "--json", "--exit-code")
        (change,) = json.loads(out)["changes"]
        assert (code, change["path"]) == (1, "deepseek-org/rpz.txt")
        assert [(one["name"], one["after"]) for one in change["entries"]] == [("h099.example.ai", "")]
    assert aidns("diff", "dist", "dist", "--exit-code")[0] == 0


def test_diff_of_one_build_compares_it_with_what_would_be_built(aidns: Run, shop: Shop) -> None:
    aidns("build")
    shop.lists["deepseek-org", "rpz"] = hosts(99)
    aidns("build", now=NOW + DAY)
    _, out, _ = aidns("diff", ".dist/000001")
    assert out.startswith("~ deepseek-org/rpz.txt  +0 -1 ~0")


def test_diff_of_what_is_no_build_says_so(aidns: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    code, _, err = aidns("diff", "empty", "empty")
    assert code == 4
    assert "manifest.json" in err
