"""Publishing is all or nothing: a whole new build, one switch, and nothing at all where nothing changed."""

from __future__ import annotations

import fcntl
import json
import os
import resource
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aidns.errors import AidnsError, EnvironmentFault, UnsafeError, UsageError
from aidns.publish.apply import Receipt, apply
from aidns.publish.manifest import decode
from aidns.publish.published import read, read_manifest
from aidns.publish.serials import is_newer
from aidns.publish.store import builds
from tests.unit.publish_samples import DAY, NOW, Shop, hosts, sums_hold, tree


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(
        tmp_path / "dist", {(p, f): hosts(20) for p in ("deepseek-org", "all-genai") for f in ("pihole", "rpz")}
    )


def status(out: Path) -> dict[str, object]:
    document: dict[str, object] = json.loads((out / "status.json").read_bytes())
    return document


@contextmanager
def file_size_limit(octets: int) -> Iterator[None]:
    """Let every write beyond `octets` of a file fail, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


# ------------------------------------------------------------------ what a build holds


def test_a_build_holds_its_lists_an_index_and_sums_that_coreutils_accept(shop: Shop) -> None:
    receipt = shop.build()
    assert receipt.outcome == "published"
    assert str(shop.out.readlink()) == ".dist/000001"
    assert sorted(tree(shop.out)) == [
        "SHA256SUMS",
        "all-genai/pihole.txt",
        "all-genai/rpz.txt",
        "changes.json",
        "deepseek-org/pihole.txt",
        "deepseek-org/rpz.txt",
        "manifest.json",
    ]
    assert sums_hold(shop.out)
    assert status(shop.out)["outcome"] == "published"


def test_a_flipped_bit_breaks_the_sums(shop: Shop) -> None:
    shop.build()
    with (shop.out / "deepseek-org/rpz.txt").open("r+b") as list_:
        list_.write(b"!")
    assert not sums_hold(shop.out)


def test_files_are_readable_by_everybody_the_umask_lets(shop: Shop) -> None:
    old = os.umask(0o022)
    try:
        shop.build()
    finally:
        os.umask(old)
    assert {oct(path.stat().st_mode & 0o777) for path in shop.out.resolve().rglob("*") if path.is_file()} == {"0o644"}
    assert oct(shop.out.resolve().stat().st_mode & 0o777) == "0o755"


def test_changes_are_kept_for_programs(shop: Shop) -> None:
    shop.build()
    shop.lists["deepseek-org", "pihole"] = hosts(19)
    shop.build(NOW + DAY)
    document = json.loads((shop.out / "changes.json").read_bytes())
    assert (document["schema"], document["since"]) == ("aidns/changes/1", "000001")
    (change,) = document["changes"]
    assert change["path"] == "deepseek-org/pihole.txt"
    assert change["entries"] == [{"name": "h019.example.ai", "before": "block subtree", "after": "", "reason": "edit"}]


def test_shuffled_input_gives_the_same_bytes(shop: Shop, tmp_path: Path) -> None:
    shop.build()
    other = Shop(tmp_path / "other", {key: names[::-1] for key, names in reversed(shop.lists.items())})
    other.build()
    assert tree(shop.out) == tree(other.out)


# ------------------------------------------------------------------ nothing new, nothing written


def test_a_second_build_writes_nothing_but_the_heartbeat(shop: Shop) -> None:
    shop.build()
    store = shop.out.with_name(".dist")

    def marks() -> dict[str, tuple[int, int, int]]:
        paths = [shop.out, *store.rglob("*"), *shop.out.resolve().iterdir()]
        facts = {str(path): path.lstat() for path in paths if path.name != "status.json" and not path.is_dir()}
        return {path: (fact.st_ino, fact.st_mtime_ns, fact.st_ctime_ns) for path, fact in facts.items()}

    before = marks()
    shop.header = "a newer program, a later day"
    assert shop.build(NOW + DAY) == Receipt("unchanged", "000001", shop.plan(NOW).checksum)
    after = marks()
    # Opening the lock changes none of its marks.
    assert after == before
    assert (status(shop.out)["last_run"], status(shop.out)["outcome"]) == (NOW + DAY, "unchanged")


def test_the_heartbeat_tells_the_age_of_the_state_and_failures(shop: Shop) -> None:
    shop.build()
    shop.failures = {"all-genai": "expired on 2026-01-01"}
    shop.build(NOW + DAY)
    assert status(shop.out)["state_age"] == 60
    assert status(shop.out)["failures"] == [{"policy": "all-genai", "reason": "expired on 2026-01-01"}]


def test_unchanged_files_are_the_same_file_and_changed_ones_another(shop: Shop) -> None:
    shop.build()
    first = shop.out.resolve()
    shop.lists["deepseek-org", "rpz"] = hosts(21)
    receipt = shop.build(NOW + DAY)
    assert (receipt.written, receipt.kept) == (("deepseek-org/rpz.txt",), 3)
    same = {path: (shop.out / path).samefile(first / path) for path in tree(first) if "/" in path}
    assert [path for path, is_same in same.items() if not is_same] == ["deepseek-org/rpz.txt"]
    assert sums_hold(shop.out)
    assert sums_hold(first)


def test_serials_and_times_move_with_their_content_only(shop: Shop) -> None:
    shop.build()
    shop.lists["deepseek-org", "rpz"] = hosts(21)
    shop.build(NOW + DAY)
    moved = {file.path: (file.serial, file.modified) for file in read(shop.out).manifest.files}
    assert moved.pop("deepseek-org/rpz.txt") == (NOW + DAY, NOW + DAY)
    assert set(moved.values()) == {(NOW, NOW)}


# ------------------------------------------------------------------ failing writes


def test_a_disk_that_fills_up_leaves_the_old_build_whole(shop: Shop) -> None:
    shop.build()
    before = tree(shop.out)
    shop.lists["deepseek-org", "pihole"] = hosts(5000)
    plan = shop.plan(NOW + DAY)
    with file_size_limit(20_000), pytest.raises(EnvironmentFault) as fault:
        apply(plan, shop.out)
    assert fault.value.exit_code == 4
    assert tree(shop.out) == before
    assert sorted(path.name for path in shop.out.with_name(".dist").iterdir()) == [".lock", "000001"]
    assert apply(plan, shop.out).outcome == "published"


def test_a_first_build_that_fails_leaves_no_output(shop: Shop) -> None:
    plan = shop.plan()
    with file_size_limit(10), pytest.raises(EnvironmentFault):
        apply(plan, shop.out)
    assert not os.path.lexists(shop.out)
    assert builds(shop.out.with_name(".dist")) == []


def test_a_place_that_cannot_be_written_is_an_environment_fault(shop: Shop) -> None:
    shop.out.with_name(".dist").write_text("a file in the way")
    with pytest.raises(EnvironmentFault):
        shop.build()


def test_what_a_killed_build_left_behind_is_swept_away(shop: Shop) -> None:
    shop.build()
    left = shop.out.with_name(".dist") / ".new" / "p"
    left.mkdir(parents=True)
    (left / "half.txt").write_text("half")
    shop.out.with_name(".dist.switch").symlink_to("nowhere")
    shop.lists["deepseek-org", "rpz"] = hosts(21)
    shop.build(NOW + DAY)
    assert sorted(path.name for path in shop.out.with_name(".dist").iterdir()) == [".lock", "000001", "000002"]
    assert not any("half" in path for path in tree(shop.out))
    assert not os.path.lexists(shop.out.with_name(".dist.switch"))


def test_a_build_killed_at_any_moment_leaves_a_whole_one(shop: Shop) -> None:
    shop.build()
    endless = (
        "import sys, itertools, pathlib; from tests.unit.publish_samples import Shop, hosts, NOW\n"
        "for n in itertools.count(1):\n"
        "    lists = {(p, str(f)): hosts(200 + n) for p in ('deepseek-org', 'all-genai') for f in range(5)}\n"
        "    Shop(pathlib.Path(sys.argv[1]), lists).build(NOW + n)\n"
        "    print(n, flush=True)\n"
    )
    for rounds in (1, 2, 3):
        child = subprocess.Popen(
            [sys.executable, "-c", endless, str(shop.out)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
        )
        assert child.stdout is not None
        for _ in range(rounds):
            assert child.stdout.readline()
        child.kill()
        child.communicate()
        assert sums_hold(shop.out)
        assert read(shop.out).damaged == frozenset()
    assert shop.build(NOW + DAY).outcome == "published"
    assert sums_hold(shop.out)


def test_a_file_system_without_hard_links_gets_copies(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(source: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted", str(target))

    shop.build()
    monkeypatch.setattr(os, "link", no_links)
    shop.lists["deepseek-org", "rpz"] = hosts(21)
    shop.build(NOW + DAY)
    assert sums_hold(shop.out)


# ------------------------------------------------------------------ damage


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_text("# cut")])
def test_a_damaged_list_is_written_again_and_only_that_one(shop: Shop, harm: Callable[[Path], object]) -> None:
    shop.build()
    before = tree(shop.out)
    harm(shop.out / "deepseek-org/rpz.txt")
    receipt = shop.build(NOW + DAY)
    assert receipt.written == ("deepseek-org/rpz.txt",)
    lists = [path for path in before if "/" in path]
    assert [tree(shop.out)[path] for path in lists] == [before[path] for path in lists]
    assert sums_hold(shop.out)


def test_a_list_replaced_by_a_link_counts_as_damaged(shop: Shop, tmp_path: Path) -> None:
    shop.build()
    path = shop.out / "deepseek-org/rpz.txt"
    (tmp_path / "copy").write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(tmp_path / "copy")
    assert read(shop.out).damaged == {"deepseek-org/rpz.txt"}


@pytest.mark.parametrize("content", [None, "", "{}", '{"schema": "aidns/manifest/9"}'])
def test_a_build_without_its_manifest_is_never_taken_for_a_first_build(shop: Shop, content: str | None) -> None:
    shop.build()
    manifest = shop.out / "manifest.json"
    manifest.unlink() if content is None else manifest.write_text(content)
    with pytest.raises(EnvironmentFault):
        shop.build(NOW + DAY)


def test_a_link_to_a_build_that_is_gone_is_never_taken_for_a_first_build(shop: Shop) -> None:
    shop.build()
    shutil.rmtree(shop.out.resolve())
    with pytest.raises(EnvironmentFault):
        shop.build(NOW + DAY)


# ------------------------------------------------------------------ somebody else's directory


def test_a_real_directory_in_the_way_is_left_alone(shop: Shop) -> None:
    shop.out.mkdir()
    (shop.out / "thesis.tex").write_text("years of work")
    with pytest.raises(UnsafeError) as refusal:
        shop.build()
    assert "--out" in refusal.value.tip
    assert tree(shop.out) == {"thesis.tex": b"years of work"}


@pytest.mark.parametrize("target", ["elsewhere", ".dist/../elsewhere", ".dist", ".dist/latest", "/tmp"])  # noqa: S108
def test_a_link_to_anything_but_a_build_is_left_alone(shop: Shop, target: str) -> None:
    shop.out.symlink_to(target)
    with pytest.raises(UnsafeError):
        shop.build()
    assert str(shop.out.readlink()) == target


@pytest.mark.parametrize("out", [".", "..", "/"])
def test_an_output_without_a_name_of_its_own_is_a_usage_error(out: str) -> None:
    with pytest.raises((UsageError, UnsafeError)):
        read(Path(out))


# ------------------------------------------------------------------ old builds and rolling back


def test_three_builds_before_the_current_one_are_kept(shop: Shop) -> None:
    for day in range(7):
        shop.lists["deepseek-org", "rpz"] = hosts(20 + day)
        receipt = shop.build(NOW + day * DAY)
    assert builds(shop.out.with_name(".dist")) == ["000004", "000005", "000006", "000007"]
    assert receipt.pruned == ("000003",)
    assert all(sums_hold(shop.out.with_name(".dist") / build) for build in builds(shop.out.with_name(".dist")))


def point_back(out: Path, build: str) -> None:
    out.unlink()
    out.symlink_to(f".dist/{build}")


def test_rolling_back_is_one_switch_and_the_next_build_goes_on_above_every_serial(shop: Shop) -> None:
    shop.build()
    before = tree(shop.out)
    shop.lists["deepseek-org", "rpz"] = ["mistake.example"]
    shop.build(NOW + DAY)
    point_back(shop.out, "000001")
    assert tree(shop.out) == before
    assert sums_hold(shop.out)

    # Readers may hold the mistake with its later serial: the old content must go out with a newer one.
    shop.lists["deepseek-org", "rpz"] = hosts(20)
    receipt = shop.build(NOW + DAY)
    assert (receipt.build, receipt.written) == ("000003", ("deepseek-org/rpz.txt",))
    files = {file.path: file for file in read(shop.out).manifest.files}
    assert files["deepseek-org/rpz.txt"].serial == NOW + DAY + 1
    assert files["all-genai/rpz.txt"].serial == NOW
    assert shop.build(NOW + DAY).outcome == "unchanged"


def test_serials_survive_rolling_back_a_policy_that_then_fails(shop: Shop) -> None:
    shop.build()
    shop.lists["deepseek-org", "rpz"] = ["mistake.example"]
    shop.build(NOW + DAY)
    point_back(shop.out, "000001")
    shop.failures = {"deepseek-org": "expired"}
    for day in range(2, 9):  # until the build with the later serial is long pruned
        shop.lists["all-genai", "rpz"] = hosts(20 + day)
        shop.build(NOW + DAY)
    shop.failures = {}
    shop.lists["deepseek-org", "rpz"] = hosts(20)
    shop.build(NOW + DAY)
    serial = next(file.serial for file in read(shop.out).manifest.files if file.path == "deepseek-org/rpz.txt")
    assert is_newer(serial, NOW + DAY)


def test_a_list_that_returns_after_many_builds_goes_on_counting(shop: Shop) -> None:
    shop.build()
    names = shop.lists.pop(("deepseek-org", "rpz"))
    for day in range(6):
        shop.lists["all-genai", "rpz"] = hosts(30 + day)
        shop.build(NOW)
    shop.lists["deepseek-org", "rpz"] = names
    shop.build(NOW)
    serial = next(file.serial for file in read(shop.out).manifest.files if file.path == "deepseek-org/rpz.txt")
    assert serial == NOW + 1


def test_without_the_link_the_kept_builds_still_tell_the_serials(shop: Shop) -> None:
    shop.build()
    shop.out.unlink()
    receipt = shop.build(NOW)
    assert receipt.build == "000002"
    assert {file.serial for file in read(shop.out).manifest.files} == {NOW + 1}


# ------------------------------------------------------------------ several at once


def test_a_plan_made_before_another_build_was_published_is_refused(shop: Shop) -> None:
    shop.build()
    shop.lists["deepseek-org", "rpz"] = hosts(21)
    early = shop.plan(NOW + DAY)
    shop.lists["deepseek-org", "rpz"] = hosts(22)
    shop.build(NOW + DAY)
    before = tree(shop.out)
    with pytest.raises(EnvironmentFault):
        apply(early, shop.out)
    assert tree(shop.out) == before


def test_builds_at_the_same_time_publish_one_after_the_other_or_not_at_all(shop: Shop) -> None:
    shop.build()
    shops = [Shop(shop.out, shop.lists | {("deepseek-org", "rpz"): hosts(21 + number)}) for number in range(6)]
    start = threading.Barrier(len(shops))
    receipts: list[Receipt] = []
    errors: list[AidnsError] = []

    def run(one: Shop) -> None:
        start.wait()
        try:
            receipts.append(one.build(NOW + DAY))
        except EnvironmentFault as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in shops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(receipts) + len(errors) == len(shops)
    assert receipts
    assert len({receipt.build for receipt in receipts}) == len(receipts)
    assert sums_hold(shop.out)
    kept = builds(shop.out.with_name(".dist"))
    assert all(sums_hold(shop.out.with_name(".dist") / build) for build in kept)
    assert shop.out.resolve().name == max(receipt.build for receipt in receipts)


def test_a_reader_never_meets_half_a_build(shop: Shop) -> None:
    shop.build()
    done = threading.Event()
    torn: list[str] = []

    def follow() -> None:
        while not done.is_set():
            build = shop.out.resolve(strict=True)  # as a server does for each request or run
            manifest = decode((build / "manifest.json").read_bytes(), "m")
            torn.extend(file.path for file in manifest.files if not (build / file.path).is_file())

    reader = threading.Thread(target=follow)
    reader.start()
    try:
        for day in range(3):  # no more builds than are kept: a reader may finish with the one it began with
            shop.lists["deepseek-org", "rpz"] = hosts(2000 + day)
            shop.build(NOW + day * DAY)
    finally:
        done.set()
        reader.join()
    assert torn == []


def test_the_output_is_there_at_every_moment(shop: Shop) -> None:
    shop.lists = {("p", "rpz"): hosts(1)}
    shop.build()
    done = threading.Event()
    missing: list[int] = []

    def look() -> None:
        while not done.is_set():
            if not os.path.lexists(shop.out):
                missing.append(1)

    reader = threading.Thread(target=look)
    reader.start()
    try:
        for number in range(60):
            shop.lists = {("p", "rpz"): hosts(2 + number % 2)}
            shop.build(NOW + number)
    finally:
        done.set()
        reader.join()
    assert missing == []


def test_a_build_waits_while_another_holds_the_lock(shop: Shop) -> None:
    shop.build()
    shop.lists["deepseek-org", "rpz"] = hosts(21)
    plan = shop.plan(NOW + DAY)
    waiting = threading.Thread(target=apply, args=(plan, shop.out))
    with shop.out.with_name(".dist").joinpath(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting.start()
        waiting.join(timeout=0.3)
        assert waiting.is_alive()
        assert shop.out.resolve().name == "000001"
    waiting.join()
    assert shop.out.resolve().name == "000002"


def test_manifests_are_read_from_links_builds_and_files(shop: Shop) -> None:
    shop.build()
    ways = [shop.out, shop.out.resolve(), shop.out / "manifest.json"]
    assert len({read_manifest(way).checksum for way in ways}) == 1
    with pytest.raises(EnvironmentFault):
        read_manifest(shop.out / "deepseek-org")
