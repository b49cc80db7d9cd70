"""A plan is a pure value: what changes and why, what stays, and what no build may do by itself."""

from __future__ import annotations

import random
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidns.errors import EnvironmentFault, UnsafeError, UsageError
from aidns.model import Artefact, Weakened
from aidns.names import Name
from aidns.publish.compare import compare
from aidns.publish.describe import change_lines, plan_lines, reasons
from aidns.publish.manifest import (
    SCHEMA,
    Desired,
    Failure,
    File,
    Manifest,
    Published,
    Skipped,
    VerdictInfo,
    check_paths,
    decode,
    encode,
)
from aidns.publish.plan import Plan, Request, plan
from aidns.publish.serials import is_newer
from tests.unit.publish_samples import NOW, Shop, artefact, hosts

REQUEST = Request(version="1.0", catalogue=("deepseek-org", "all-genai"))


def published_by(first: Plan) -> Published:
    return Published(build="000001", manifest=first.manifest)


def first_plan(*names: str, form: str = "pihole") -> Plan:
    return plan(Published(), Desired((artefact(names, form=form),)), REQUEST, NOW)


def second_plan(before: Plan, names: list[str], request: Request = REQUEST, **desired: object) -> Plan:
    published = published_by(before)
    after = artefact(names, published=published.manifest, now=NOW + 60)
    return plan(published, Desired((after,), **desired), request, NOW + 60)  # type: ignore[arg-type]


def guards_of(planned: Plan) -> set[str]:
    return {unsafe.guard for unsafe in planned.unsafe}


# ------------------------------------------------------------------ changes


@given(st.sets(st.sampled_from(hosts(12)), min_size=1), st.sets(st.sampled_from(hosts(12)), min_size=1))
def test_a_plan_names_exactly_the_entries_that_differ(old: set[str], new: set[str]) -> None:
    changes = second_plan(first_plan(*old), sorted(new)).changes
    entries = [one for change in changes for one in change.entries]
    assert {one.name for one in entries if one.kind == "added"} == new - old
    assert {one.name for one in entries if one.kind == "removed"} == old - new
    assert bool(changes) == (old != new)


def test_a_name_that_is_now_excepted_counts_as_changed() -> None:
    published = published_by(first_plan("a.example", "b.example"))
    after = artefact(["a.example"], allow=["b.example"], published=published.manifest)
    (change,) = plan(published, Desired((after,)), REQUEST, NOW).changes
    assert [(one.name, one.kind, one.before, one.after) for one in change.entries] == [
        ("b.example", "changed", "block subtree", "allow subtree")
    ]


def test_a_name_leaves_and_returns_by_verdict_or_by_edit() -> None:
    gone = VerdictInfo(gone=(Name("b.example"),))
    without = second_plan(
        first_plan("a.example", "b.example", "www.b.example", "c.example"), ["a.example"], verdicts=gone
    )
    reasons_given = {one.name: one.reason for one in without.changes[0].entries}
    assert reasons_given == {"b.example": "verdict", "www.b.example": "verdict", "c.example": "edit"}
    back = second_plan(without, ["a.example", "b.example", "d.example"])
    assert {one.name: one.reason for one in back.changes[0].entries} == {"b.example": "verdict", "d.example": "edit"}


def test_a_changed_header_alone_plans_nothing() -> None:
    published = published_by(first_plan("a.example"))
    after = artefact(["a.example"], header="another", published=published.manifest, now=NOW + 60)
    planned = plan(published, Desired((after,)), REQUEST, NOW + 60)
    assert planned.changes == ()
    assert planned.texts == {}
    assert planned.manifest.files == published.manifest.files


def test_the_order_of_artefacts_changes_no_byte_of_the_manifest() -> None:
    lists = [artefact(hosts(3), policy=policy, form=form) for policy in "pqr" for form in ("pihole", "rpz")]
    skipped = [Skipped("s", form, "log-only") for form in ("hosts", "rpz")]
    plans = set()
    for seed in range(5):
        random.Random(seed).shuffle(lists)
        random.Random(seed).shuffle(skipped)
        planned = plan(Published(), Desired(tuple(lists), tuple(skipped)), REQUEST, NOW)
        plans.add((encode(planned.manifest), encode(planned.changes), planned.checksum))
    assert len(plans) == 1


def test_the_checksum_is_that_of_the_effect_not_of_the_moment() -> None:
    desired = Desired((artefact(["a.example"]),))
    later = Desired((artefact(["a.example"], now=NOW + 9),))
    other = Desired((artefact(["b.example"]),))
    checksums = [plan(Published(), d, REQUEST, NOW).checksum for d in (desired, later, other)]
    assert checksums[0] == checksums[1] != checksums[2]


# ------------------------------------------------------------------ what stays


def both_policies(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path / "dist", {(p, f): hosts(9) for p in ("deepseek-org", "all-genai") for f in ("pihole", "rpz")})
    shop.build()
    return shop


def test_files_outside_the_chosen_policies_stay(tmp_path: Path) -> None:
    shop = both_policies(tmp_path)
    shop.lists = {("deepseek-org", "pihole"): hosts(8)}
    changes = shop.plan(everything=False).changes
    assert [(change.path, change.kind) for change in changes] == [
        ("deepseek-org/pihole.txt", "changed"),
        ("deepseek-org/rpz.txt", "removed"),
    ]


def test_files_outside_the_chosen_formats_stay(tmp_path: Path) -> None:
    shop = both_policies(tmp_path)
    shop.lists = {("deepseek-org", "pihole"): hosts(8), ("all-genai", "pihole"): hosts(9)}
    assert [change.path for change in shop.plan(formats=("pihole",)).changes] == ["deepseek-org/pihole.txt"]


def test_a_policy_that_left_the_catalogue_leaves_the_output(tmp_path: Path) -> None:
    shop = both_policies(tmp_path)
    shop.lists = {("deepseek-org", form): hosts(9) for form in ("pihole", "rpz")}
    changes = shop.plan().changes
    assert {(change.path, change.kind) for change in changes} == {
        ("all-genai/pihole.txt", "removed"),
        ("all-genai/rpz.txt", "removed"),
    }


def test_a_policy_that_left_the_catalogue_is_named_before_its_lists_go(tmp_path: Path) -> None:
    shop = both_policies(tmp_path)
    shop.lists = {("deepseek-org", form): hosts(9) for form in ("pihole", "rpz")}
    assert {(unsafe.guard, unsafe.names) for unsafe in shop.plan().unsafe} == {("policy-left", ("all-genai",))}
    (reason,) = reasons(shop.plan().unsafe)
    assert "all-genai (in all-genai/pihole.txt, all-genai/rpz.txt)" in reason
    assert "--catalog" in reason
    forced = shop.plan(force="dropped")
    assert forced.unsafe == ()
    assert {one.guard for one in forced.manifest.forced} == {"policy-left"}
    assert shop.plan(everything=False).unsafe == ()


def test_a_build_of_the_catalogue_leaves_an_own_policy_alone() -> None:
    own = plan(Published(), Desired((artefact(["a.example"], policy="mine"),)), REQUEST, NOW)
    assert own.manifest.files[0].own
    after = plan(published_by(own), Desired((artefact(["b.example"]),)), REQUEST, NOW)
    assert [file.policy for file in after.manifest.files] == ["deepseek-org", "mine"]


def with_own_policy() -> Published:
    """Published: one of the catalogue's policies, one of an administrator's own."""
    both = (artefact(["a.example"], policy="mine"), artefact(["b.example"]))
    return published_by(plan(Published(), Desired(both), REQUEST, NOW))


@pytest.mark.parametrize("everything", [True, False])
def test_an_own_policy_whose_file_is_gone_stays_and_is_told_until_it_is_retired(everything: bool) -> None:
    published, desired = with_own_policy(), Desired((artefact(["b.example"]),))
    request = msgspec.structs.replace(REQUEST, everything=everything)
    kept = plan(published, desired, request, NOW + 1)
    assert (kept.changes, kept.left_alone) == ((), ("mine",))
    assert any("mine (--retire" in line for line in plan_lines(kept))
    gone = plan(published, desired, msgspec.structs.replace(request, retire=("mine",)), NOW + 1)
    assert (gone.unsafe, gone.left_alone) == ((), ())
    assert [(change.path, change.kind) for change in gone.changes] == [("mine/pihole.txt", "removed")]
    assert [file.policy for file in gone.manifest.files] == ["deepseek-org"]
    again = Desired((artefact(["c.example"], policy="mine", published=gone.manifest, now=NOW + 2),))
    (back,) = plan(published_by(gone), again, REQUEST, NOW + 2).manifest.files[-1:]
    assert is_newer(back.serial, NOW), "a list that comes back goes on with its serials"


def test_a_policy_that_left_the_catalogue_can_be_retired_by_name(tmp_path: Path) -> None:
    shop = both_policies(tmp_path)
    shop.lists = {("deepseek-org", form): hosts(9) for form in ("pihole", "rpz")}
    planned = shop.plan(retire=("all-genai",))
    assert planned.unsafe == ()
    assert {change.policy for change in planned.changes} == {"all-genai"}


@pytest.mark.parametrize("retired", ["nobodys", "deepseek-org", "a\nb"])
def test_what_is_not_there_or_still_made_cannot_be_retired(retired: str) -> None:
    desired = Desired((artefact(["b.example"]),))
    with pytest.raises(UsageError) as caught:
        plan(with_own_policy(), desired, msgspec.structs.replace(REQUEST, retire=(retired,)), NOW + 1)
    assert caught.value.tip and "\n" not in caught.value.message


def test_the_files_of_a_failed_policy_stay_and_others_are_built(tmp_path: Path) -> None:
    shop = both_policies(tmp_path)
    shop.lists = {("deepseek-org", form): hosts(8) for form in ("pihole", "rpz")}
    shop.failures = {"all-genai": "expired on 2026-01-01"}
    planned = shop.plan()
    assert {change.path for change in planned.changes} == {"deepseek-org/pihole.txt", "deepseek-org/rpz.txt"}
    assert len(planned.manifest.files) == 4
    assert planned.manifest.failures == (Failure("all-genai", "expired on 2026-01-01"),)


def test_a_format_that_can_no_longer_express_its_policy_loses_its_file() -> None:
    published = published_by(first_plan("a.example"))
    planned = plan(published, Desired((), (Skipped("deepseek-org", "pihole", "log-only"),)), REQUEST, NOW)
    assert [change.kind for change in planned.changes] == ["removed"]
    assert planned.manifest.retired == {"deepseek-org/pihole.txt": NOW}


# ------------------------------------------------------------------ guards


def test_a_list_that_blocks_only_what_lies_below_a_name_is_not_empty() -> None:
    """`allow exact` at a name whose tree is blocked: the front page stays, nothing else."""
    planned = plan(Published(), Desired((entries_of("allow exact example.ai"),)), REQUEST, NOW)
    assert planned.unsafe == ()
    assert guards_of(plan(Published(), Desired((entries_of("allow subtree example.ai"),)), REQUEST, NOW)) == {"empty"}


def entries_of(*entries: str) -> Artefact:
    return msgspec.structs.replace(artefact(["a.example"]), entries=entries)


@pytest.mark.parametrize(
    ("total", "leaving", "stopped"),
    [(100, 5, False), (100, 6, True), (120, 6, False), (119, 6, True), (6, 5, False), (6, 6, True)],
)
def test_removals_by_verdict_stop_above_five_names_and_five_percent(total: int, leaving: int, stopped: bool) -> None:
    names = hosts(total)
    gone = VerdictInfo(gone=tuple(map(Name, names[:leaving])))
    planned = second_plan(first_plan(*names), [*names[leaving:], "new.example"], verdicts=gone)
    assert ("verdict-removals" in guards_of(planned)) == stopped


def test_a_list_that_would_vanish_by_verdict_is_stopped_too() -> None:
    names = hosts(9)
    desired = Desired(
        (), (Skipped("deepseek-org", "pihole", "no name left"),), verdicts=VerdictInfo(gone=tuple(map(Name, names)))
    )
    assert "verdict-removals" in guards_of(plan(published_by(first_plan(*names)), desired, REQUEST, NOW))


def test_any_number_of_removals_by_edit_passes() -> None:
    assert second_plan(first_plan(*hosts(100)), hosts(3)).unsafe == ()


def test_the_first_build_is_exempt_from_guards_about_loss() -> None:
    gone = VerdictInfo(gone=tuple(map(Name, hosts(100))))
    desired = Desired((artefact(["a.example"]),), verdicts=gone, must_stay={"deepseek-org": (Name("b.example"),)})
    assert plan(Published(), desired, REQUEST, NOW).unsafe == ()


@pytest.mark.parametrize("gone", ["www.own.example", "own.example"])
def test_a_name_of_the_policy_itself_never_leaves_by_verdict(gone: str) -> None:
    before = first_plan("a.example", gone)
    must_stay = {"deepseek-org": (Name("www.own.example"),)}
    verdicts = VerdictInfo(gone=(Name(gone),))
    assert guards_of(second_plan(before, ["a.example"], must_stay=must_stay, verdicts=verdicts)) == {"must-stay"}
    assert second_plan(before, ["a.example"], verdicts=verdicts).unsafe == ()
    assert second_plan(before, ["a.example"], must_stay=must_stay).unsafe == (), "an edit is reported, not stopped"


def test_a_name_that_a_broader_rule_covers_has_stayed() -> None:
    before = first_plan("a.example", "www.own.example")
    must_stay = {"deepseek-org": (Name("www.own.example"),)}
    assert second_plan(before, ["a.example", "own.example"], must_stay=must_stay).unsafe == ()


@pytest.mark.parametrize("rule", ["cdn.example", "example.cdn.example"])
def test_a_protected_name_equalled_or_covered_is_stopped_even_at_first(rule: str) -> None:
    desired = Desired((artefact([rule]),), protected=(Name("example.cdn.example"), Name("other.example")))
    (unsafe,) = plan(Published(), desired, REQUEST, NOW).unsafe
    assert (unsafe.guard, unsafe.names) == ("protected", ("example.cdn.example",))


def test_a_rule_below_a_protected_name_and_an_exception_at_it_pass() -> None:
    below = artefact(["tenant.cdn.example", "wide.example"], allow=["cdn.wide.example"])
    desired = Desired((below,), protected=(Name("cdn.example"), Name("cdn.wide.example")))
    assert plan(Published(), desired, REQUEST, NOW).unsafe == ()


def test_an_empty_block_list_is_stopped_whatever_the_force_and_an_empty_allow_list_passes() -> None:
    desired = Desired((artefact([], allow=["a.example"]), artefact([], form="pihole-allow")))
    planned = plan(Published(), desired, Request(version="1", force="because"), NOW)
    assert [(unsafe.guard, unsafe.path) for unsafe in planned.unsafe] == [("empty", "deepseek-org/pihole.txt")]


def test_a_serial_that_does_not_follow_is_stopped() -> None:
    published = published_by(first_plan("a.example"))
    stale = artefact(["b.example"], published=None, now=NOW - 60)
    assert guards_of(plan(published, Desired((stale,)), REQUEST, NOW)) == {"serial"}


def test_strict_stops_weakened_rules() -> None:
    weak = Weakened("subtree", "leak", 2, "hosts lists names only", (Name("a.example"),))
    desired = Desired((artefact(["a.example"], form="hosts", weakened=(weak,)),))
    assert plan(Published(), desired, REQUEST, NOW).unsafe == ()
    assert guards_of(plan(Published(), desired, Request(version="1", strict=True), NOW)) == {"weakened"}


def test_force_overrides_and_the_manifest_says_which_and_why() -> None:
    names = hosts(100)
    gone = VerdictInfo(gone=tuple(map(Name, names[:50])))
    forced = second_plan(first_plan(*names), names[50:], Request(version="1", force="vendor\nmoved"), verdicts=gone)
    assert forced.unsafe == ()
    (override,) = forced.manifest.forced
    assert (override.guard, override.reason, override.at) == ("verdict-removals", "vendor moved", NOW + 60)
    assert override.names == tuple(names[:50])


def test_force_without_need_leaves_no_trace() -> None:
    assert second_plan(first_plan("a.example"), ["b.example"], Request(version="1", force="why")).manifest.forced == ()


def test_an_override_for_a_protected_name_stands_until_it_is_no_longer_needed() -> None:
    protected = (Name("cdn.example"), Name("other.example"))
    first = plan(
        Published(), Desired((artefact(["cdn.example"]),), protected=protected), Request(version="1", force="ours"), NOW
    )
    again = second_plan(first, ["cdn.example", "a.example"], protected=protected)
    assert again.unsafe == ()
    assert again.manifest.forced == first.manifest.forced
    more = second_plan(again, ["cdn.example", "other.example"], protected=protected)
    assert [unsafe.names for unsafe in more.unsafe] == [("other.example",)]
    assert second_plan(again, ["a.example"], protected=protected).manifest.forced == ()


def test_a_damaged_file_is_made_anew_with_its_serial() -> None:
    before = first_plan("a.example")
    published = Published("000001", before.manifest, frozenset({"deepseek-org/pihole.txt"}))
    planned = plan(
        published, Desired((artefact(["a.example"], published=before.manifest, now=NOW + 5),)), REQUEST, NOW + 5
    )
    assert [change.kind for change in planned.changes] == ["repaired"]
    assert list(planned.texts) == ["deepseek-org/pihole.txt"]
    assert planned.manifest.files == before.manifest.files


def test_a_damaged_file_that_this_build_does_not_make_is_stopped() -> None:
    before = first_plan("a.example")
    published = Published("000001", before.manifest, frozenset({"deepseek-org/pihole.txt"}))
    failed = Desired((), failures=(Failure("deepseek-org", "expired"),))
    assert guards_of(plan(published, failed, REQUEST, NOW)) == {"damaged"}


# ------------------------------------------------------------------ hostile input


@pytest.mark.parametrize(
    "path",
    [
        "../x/pihole.txt", "p/../../x", "/etc/passwd", "p//x", "p/.", "p/..", ".git/config", "p/.htaccess",
        "manifest.json", "p/x\n", "p/a\nb", "p/a b", "p\\x", "p/\x1b[2J", "", "p/", "p/" + "x" * 101,
        "é/x", "p/x\x00",
    ],
)  # fmt: skip
def test_a_path_that_could_leave_or_disturb_the_output_is_refused(path: str) -> None:
    with pytest.raises(UnsafeError):
        check_paths([path])
    with pytest.raises(UnsafeError):
        plan(Published(), Desired((artefact(["a.example"], path=path or "/"),)), REQUEST, NOW)


@pytest.mark.parametrize("paths", [["p/x", "p/x"], ["p/x", "p/x/y"]])
def test_two_files_never_share_a_path(paths: list[str]) -> None:
    with pytest.raises(UnsafeError):
        check_paths(paths)


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_accepted_path_leaves_the_directory(one: str, two: str) -> None:
    path = f"{one}/{two}"
    try:
        check_paths([path])
    except UnsafeError:
        return
    assert Path("/out", path).resolve().is_relative_to("/out/")
    assert path.isprintable()
    assert not path.startswith("/")


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b'{"schema":"aidns/manifest/2"}', b"\xff", b'{"schema":"aidns/manifest/1","files":3}'],
)
def test_what_is_no_manifest_is_refused(data: bytes) -> None:
    with pytest.raises(EnvironmentFault):
        decode(data, "m")


def test_a_manifest_that_names_a_path_outside_is_refused() -> None:
    file = File("../../etc/passwd", "p", "", "pihole", "", "", "", 1, 1, 0, 0, 0)
    with pytest.raises(EnvironmentFault):
        decode(encode(Manifest(SCHEMA, files=(file,))), "m")


def test_a_manifest_survives_writing_and_reading() -> None:
    manifest = first_plan(*hosts(3)).manifest
    assert decode(encode(manifest), "m") == manifest


def test_control_characters_never_reach_what_people_read() -> None:
    evil = "x\x1b]0;pwned\x07\n+ fake"
    old = Manifest(
        SCHEMA,
        files=(File(f"p/{evil}", evil, "", evil, "", "d", "", 1, 1, 0, 0, 0, entries=(f"block subtree {evil}",)),),
    )
    new = Manifest(SCHEMA, files=(msgspec.structs.replace(old.files[0], digest="e", entries=(f"{evil} subtree b",)),))
    lines = change_lines(compare(old, new))
    assert lines
    assert all(line.isprintable() for line in lines)


# ------------------------------------------------------------------ words


def test_a_plan_reads_file_by_file_and_name_by_name() -> None:
    gone = VerdictInfo(gone=(Name("b.example"),))
    planned = second_plan(first_plan("a.example", "b.example"), ["a.example", "c.example"], verdicts=gone)
    assert plan_lines(planned) == [
        f"~ deepseek-org/pihole.txt  +1 -1 ~0  serial {NOW} -> {NOW + 60}",
        "    - b.example  block subtree  (by verdict)",
        "    + c.example  block subtree",
        "1 list to change, 0 to stay as published",
    ]
    assert plan_lines(second_plan(first_plan("a.example"), ["a.example"])) == ["nothing changes: 1 list as published"]


def test_one_reason_is_given_once_for_many_lists() -> None:
    lists = tuple(artefact(["cdn.example"], policy=policy) for policy in "abcdefghij")
    planned = plan(Published(), Desired(lists, protected=(Name("cdn.example"),)), REQUEST, NOW)
    (reason,) = reasons(planned.unsafe)
    assert reason.startswith("[protected] shared infrastructure would be blocked: cdn.example (in a/pihole.txt, ")
    assert reason.endswith(" and 2 more)")
