"""`aidns pihole` against a stand-in that behaves as the real API was seen to behave."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import samples
from aidns.blockset import decide
from aidns.cli import main
from aidns.names import Name, ancestors
from aidns.pihole.plan import DEFAULT, Client, Group, Present, Subscribed, Target, plan
from samples import NOW
from tests.oracles import gravity
from tests.pihole import PiHole

Run = Callable[..., tuple[int, str, str]]
PASSWORD = "right horse"  # noqa: S105 - of the stand-in
BASE = "https://lists.example/dist"
OWN = """\
schema = 1
title = "Own"
extends = "office"
[[scope]]
name = "desks"
networks = ["10.0.0.0/8"]
[[scope]]
name = "research"
networks = ["10.1.0.0/16", "fd00:1::/32"]
"""
THEIRS = {"address": "https://ads.example/list", "type": "block", "groups": [0], "enabled": True, "comment": "ads"}


@pytest.fixture
def aidns(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run `aidns pihole` with the sample catalogue and an own policy as the console script does."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(NOW))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.toml").write_text(OWN, "utf-8")

    def run(url: str, *more: str, password: str = "", policy: str = "own.toml") -> tuple[int, str, str]:
        monkeypatch.setenv("PIHOLE_PASSWORD", password)
        common = ("--policy", policy, "--lists", BASE, "--catalog", str(samples.ROOT))
        monkeypatch.setattr(sys, "argv", ["aidns", "pihole", url, *common, *more])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capfd.readouterr()
        return int(end.value.code or 0), out, err

    return run


def groups_of(rows: list[dict[str, object]], key: str, pihole: PiHole) -> dict[str, list[str]]:
    names_ = {group["id"]: group["name"] for group in pihole.groups}
    return {str(row[key]): [names_[number] for number in row["groups"]] for row in rows}  # type: ignore[attr-defined]


def test_without_apply_nothing_is_changed(aidns: Run) -> None:
    with PiHole() as pihole:
        code, out, err = aidns(pihole.url)
        assert (code, pihole.writes) == (0, [])
    assert out.splitlines() == [
        "create group aidns:own:desks",
        "create group aidns:own:research",
        "add block list https://lists.example/dist/own/desks/pihole.txt for group aidns:own:desks",
        "add allow list https://lists.example/dist/own/desks/pihole-allow.txt for group aidns:own:desks",
        "add block list https://lists.example/dist/own/research/pihole.txt for group aidns:own:research",
        "add allow list https://lists.example/dist/own/research/pihole-allow.txt for group aidns:own:research",
        "add client 10.0.0.0/8 to group aidns:own:desks (and to Default, whose lists go on holding)",
        "add client 10.1.0.0/16 to group aidns:own:research (and to Default, whose lists go on holding)",
        "add client fd00:1::/32 to group aidns:own:research (and to Default, whose lists go on holding)",
    ]
    assert "nothing was changed" in err


def test_applied_twice_is_applied_once(aidns: Run) -> None:
    with PiHole(PASSWORD) as pihole:
        assert aidns(pihole.url, "--apply", password=PASSWORD)[0] == 0
        writes = list(pihole.writes)
        code, out, _ = aidns(pihole.url, "--apply", password=PASSWORD)
        assert (code, out, pihole.writes) == (0, "nothing to do\n", writes)
        assert groups_of(pihole.lists, "address", pihole) == {
            f"{BASE}/own/desks/pihole.txt": ["aidns:own:desks"],
            f"{BASE}/own/desks/pihole-allow.txt": ["aidns:own:desks"],
            f"{BASE}/own/research/pihole.txt": ["aidns:own:research"],
            f"{BASE}/own/research/pihole-allow.txt": ["aidns:own:research"],
        }
        assert groups_of(pihole.clients, "client", pihole) == {
            "10.0.0.0/8": ["Default", "aidns:own:desks"],
            "10.1.0.0/16": ["Default", "aidns:own:research"],
            "fd00:1::/32": ["Default", "aidns:own:research"],
        }
        assert [path for _, path in writes].count("/api/action/gravity") == 1
        assert pihole.sessions == set(), "a session was left open"


def test_each_client_is_answered_as_its_scope_says(aidns: Run) -> None:
    """From the groups of its narrowest network and the very lists, by Pi-hole's own rules of matching."""
    with PiHole() as pihole:
        pihole.lists.append(THEIRS | {"id": 7})
        assert aidns(pihole.url, "--apply")[0] == 0
        held = {client: pihole.subscribed(client) for client in ("10.2.3.4", "10.1.3.4", "fd00:1::5", "192.0.2.1")}
    assert all(THEIRS["address"] in lists["block"] for lists in held.values())
    assert held["192.0.2.1"] == {"block": {THEIRS["address"]}, "allow": set()}
    catalog = samples.catalog()
    own = samples.pipeline.find_policy(catalog, "own.toml")
    for client, scope in (("10.2.3.4", "desks"), ("10.1.3.4", "research"), ("fd00:1::5", "research")):
        prepared = samples.pipeline.prepare(catalog, own, NOW, samples.NOTHING, scope)
        made = [
            samples.pipeline.artefact(catalog, prepared, samples.FORMATS[fmt], samples.NOTHING, lambda _: (NOW, NOW))
            for fmt in ("pihole", "pihole-allow")
        ]
        texts = {f"{BASE}/{one.path}": one.text for one in made}
        block, allow = ("".join(texts.get(one, "") for one in held[client][kind]) for kind in ("block", "allow"))
        hole = gravity.PiHole(block, allow)
        lost = {name for loss in made[1].weakened for name in loss.names}
        asked = [name for known in prepared.blockset.known for name in (known, Name(f"x.{known}"))]
        asked = [name for name in asked if name in prepared.blockset.known or lost.isdisjoint(ancestors(name))]
        assert {n: hole.blocked(n) for n in asked} == {n: decide(prepared.blockset.minimal, n) for n in asked}


def test_what_changed_by_hand_is_put_right_and_the_rest_left(aidns: Run, tmp_path: Path) -> None:
    """A list back in Default or switched off, a client moved; comments, other lists, groups and clients stay."""
    with PiHole() as pihole:
        pihole.groups.append({"id": 9, "name": "kids", "enabled": True, "comment": None})
        pihole.lists.append(THEIRS | {"id": 7})
        pihole.clients.append({"client": "10.0.0.0/8", "groups": [9], "comment": "all", "id": 3})
        pihole.clients.append({"client": "AA:BB:CC:DD:EE:FF", "groups": [9], "comment": "tv", "id": 4})
        assert aidns(pihole.url, "--apply")[0] == 0
        theirs = copy.deepcopy((pihole.lists[0], pihole.clients[1]))
        pihole.lists[1] |= {"groups": [0, 9, *pihole.lists[1]["groups"]], "enabled": False, "comment": "mine"}
        (tmp_path / "own.toml").write_text(OWN.replace('"10.1.0.0/16", ', ""), "utf-8")
        code, out, err = aidns(pihole.url, "--apply")
        assert code == 0, err
        assert out.splitlines() == [
            f"change block list {BASE}/own/desks/pihole.txt: for group aidns:own:desks, switched on",
            "take client 10.1.0.0/16 out of the policy's groups: no scope names it",
        ]
        assert "client 10.1.0.0/16 in 10.0.0.0/8 has an entry of its own, so the group misses it" not in err
        assert groups_of(pihole.lists, "address", pihole)[f"{BASE}/own/desks/pihole.txt"] == ["kids", "aidns:own:desks"]
        assert (pihole.lists[1]["enabled"], pihole.lists[1]["comment"]) == (True, "mine")
        clients = groups_of(pihole.clients, "client", pihole)
        assert clients["10.0.0.0/8"] == ["kids", "aidns:own:desks"]
        assert clients["10.1.0.0/16"] == ["Default"]
        assert copy.deepcopy((pihole.lists[0] | {"status": theirs[0].get("status", 0)}, pihole.clients[1])) == theirs
        assert "has an entry of its own" in aidns(pihole.url)[2]


def test_a_policy_without_scopes_is_for_everybody(aidns: Run) -> None:
    with PiHole() as pihole:
        code, out, _ = aidns(pihole.url, "--apply", policy="open")
        assert code == 0
        assert {row["groups"][0] for row in pihole.lists} == {DEFAULT}
        assert [row["name"] for row in pihole.groups] == ["Default"]
        assert f"add block list {BASE}/open/pihole.txt for everybody" in out
        assert aidns(pihole.url, policy="open")[1] == "nothing to do\n"


def test_passwords_are_neither_shown_nor_guessed(aidns: Run) -> None:
    with PiHole(PASSWORD) as pihole:
        for password in ("", "wrong horse"):
            code, out, err = aidns(pihole.url, "--apply", password=password)
            assert (code, out) == (4, "")
            assert "PIHOLE_PASSWORD" in err
            assert "horse" not in err
        assert pihole.writes == []
        code, out, err = aidns(pihole.url, "-v", password=PASSWORD)
        assert (code, "horse" in out + err) == (0, False)


def test_a_refusal_under_a_status_of_success_is_seen(aidns: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with PiHole() as pihole:
        monkeypatch.setattr(pihole, "_change", lambda *_: "FOREIGN KEY constraint failed")
        code, _, err = aidns(pihole.url, "--apply")
        assert (code, "FOREIGN KEY constraint failed" in err) == (4, True)


def test_changes_that_do_not_stay_are_seen(aidns: Run) -> None:
    with PiHole() as pihole:
        pihole.deaf = True
        code, _, err = aidns(pihole.url, "--apply")
        assert (code, "did not create group aidns:own:desks" in err) == (4, True)


def test_a_list_that_gravity_cannot_fetch_is_told(aidns: Run) -> None:
    with PiHole(unreachable=[f"{BASE}/own/research/pihole.txt"]) as pihole:
        code, _, err = aidns(pihole.url, "--apply")
    assert code == 4
    assert f"{BASE}/own/research/pihole.txt could not be fetched" in err


@pytest.mark.parametrize("url", ["pi.hole", "ftp://pi.hole", "http://", "http://u:p@pi.hole", "http://pi.hole/admin?x"])
def test_what_is_no_address_of_a_pihole_is_refused(aidns: Run, url: str) -> None:
    assert aidns(url)[0] == 2


@pytest.mark.parametrize("base", ["lists.example", "https://a b", "https://x/#a", "https://u@x", "https://x/ü", "//x"])
def test_addresses_that_gravity_does_not_fetch_are_refused(aidns: Run, base: str) -> None:
    with PiHole() as pihole:
        code, _, err = aidns(pihole.url, "--lists", base)
        assert (code, pihole.writes) == (2, [])
        assert "Pi-hole fetches no list from" in err


def test_an_answer_of_something_else_is_no_pihole(aidns: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for said in ((200, b"<html>"), (200, {"lists": 1}), (302, b""), (500, b"\x1b[2J")):
        with PiHole() as pihole:
            monkeypatch.setattr(pihole, "answer", lambda *_, said=said: said)
            code, out, err = aidns(pihole.url, "--apply")
            assert (code, out) == (4, "")
            assert "\x1b" not in err
    code, _, err = aidns("http://127.0.0.1:9")
    assert code == 4
    assert "tip: give the address under which a browser here shows its pages" in err


def test_the_plan_as_json(aidns: Run) -> None:
    with PiHole() as pihole:
        code, out, _ = aidns(pihole.url, "--json")
    document = json.loads(out)
    assert (code, document["schema"], document["applied"]) == (0, "aidns/pihole/1", False)
    assert {step["kind"] for step in document["steps"]} == {"group", "list", "client"}
    with PiHole() as pihole:
        code, out, _ = aidns(pihole.url, "--json", "--apply")
        assert (code, json.loads(out)["applied"]) == (0, True)
        pihole.lists.clear()
        pihole.deaf = True
        assert aidns(pihole.url, "--json", "--apply")[:2] == (4, ""), "what failed was not applied"


# ------------------------------------------------------------------ the plan alone

TARGETS = (
    Target("aidns:p:one", (("block", "https://x/one"), ("allow", "https://x/one-allow")), ("10.0.0.0/8",)),
    Target("aidns:p:two", (("block", "https://x/two"),), ("10.1.0.0/16", "fd00::1")),
    Target("aidns:p:bare", (), ()),
)
GROUPS = (
    Group(0, "Default"),
    Group(1, "kids"),
    Group(2, "aidns:p:one"),
    Group(3, "aidns:p:gone"),
    Group(4, "aidns:q:a"),
)
IDS = st.lists(st.sampled_from([group.id for group in GROUPS]), unique=True).map(tuple)
ADDRESSES = st.sampled_from(("https://x/one", "https://x/two", "https://x/theirs"))
CLIENTS = st.sampled_from(
    ("10.0.0.0/8", "10.1.0.0/16", "fd00::1", "fd00::1/128", "10.1.2.3", "tv", "AA:BB:CC:DD:EE:FF")
)
PRESENT = st.builds(
    Present,
    st.just(GROUPS),
    st.lists(
        st.builds(Subscribed, ADDRESSES, st.sampled_from(("block", "allow")), IDS, st.booleans(), st.none()),
        unique_by=lambda one: (one.address, one.type),
    ).map(tuple),
    st.lists(st.builds(Client, CLIENTS, IDS), unique_by=lambda one: one.client.removesuffix("/128")).map(tuple),
)


def carried_out(present: Present, policy: str = "p") -> Present:
    """What a Pi-hole holds that did all steps."""
    groups, lists = list(present.groups), {(one.address, one.type): one for one in present.lists}
    clients = {one.client: one for one in present.clients}
    for step in plan(TARGETS, present, policy).steps:
        if step.kind == "group":
            groups.append(Group(len(groups), step.item))
            continue
        ids = {group.name: group.id for group in groups}
        held = (*step.keep, *((ids[step.join],) if step.join else ()))
        if step.kind == "list":
            assert step.exists == ((step.item, step.type) in lists)
            lists[step.item, step.type] = Subscribed(step.item, step.type, held)
        else:
            assert step.exists == (step.item in clients)
            clients[step.item] = Client(step.item, held)
    return Present(tuple(groups), tuple(lists.values()), tuple(clients.values()))


@given(PRESENT)
def test_a_plan_carried_out_leaves_nothing_to_do_and_others_alone(present: Present) -> None:
    after = carried_out(present)
    assert plan(TARGETS, after, "p").steps == ()
    ids = {group.name: group.id for group in after.groups}
    own = {number for name, number in ids.items() if name.startswith("aidns:p:")}
    for one in TARGETS:
        for kind, address in one.lists:
            found = next(entry for entry in after.lists if (entry.address, entry.type) == (address, kind))
            assert found.enabled and DEFAULT not in found.groups
            assert own.intersection(found.groups) == {ids[one.group]}
    ours = {pair[::-1] for one in TARGETS for pair in one.lists}
    assert [x for x in after.lists if (x.address, x.type) not in ours] == [
        x for x in present.lists if (x.address, x.type) not in ours
    ]
    before = {one.client: one.groups for one in present.clients}
    for entry in after.clients:
        assert {*before.get(entry.client, (DEFAULT,))} - own == {*entry.groups} - own


def test_names_of_other_policies_are_not_ours() -> None:
    """`aidns:p:` is no beginning of the groups of a policy called p2."""
    present = Present((*GROUPS, Group(5, "aidns:p2:one")), (), (Client("10.9.0.0/16", (4, 5)),))
    assert all(step.item != "10.9.0.0/16" for step in plan(TARGETS, present, "p").steps)
