"""A policy's own lists: rules like its inline names when they are small, written in blocks when they are not."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from aidns import pipeline
from aidns.blockset import decide
from aidns.errors import DataError, UnsafeError
from aidns.explain import explain
from aidns.lists import cache, own
from aidns.lists.cache import About
from aidns.merging import merge
from aidns.model import OwnList, Policy, Standing, Verdict
from aidns.names import Name
from aidns.render.base import Inexpressible
from aidns.render.formats import FORMATS
from properties.hostile import BREAKING
from samples import NOTHING, NOW, TODAY, catalog

URL = "https://lists.example.net/list.txt"
HEAD = 'schema = 1\ntitle = "Mine"\nextends = "office"\n'
ALONE = 'schema = 1\ntitle = "Lists alone"\n[action]\ndefault = "nxdomain"\nfallback = ["null"]\n'
SUFFIX_LIST = "co.uk\n"


@pytest.fixture(autouse=True)
def private_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def policy(tmp_path: Path, *lists: str, head: str = HEAD) -> Policy:
    """Write a policy with these [[list]] tables and load it as every command does."""
    text = head + "".join(f"[[list]]\n{one}\n" for one in lists)
    (tmp_path / "mine.toml").write_text(text, "utf-8")
    return pipeline.find_policy(catalog(), str(tmp_path / "mine.toml"))


def prepared(of: Policy, now: int = NOW) -> pipeline.Prepared:
    return pipeline.prepare(catalog(), of, now, NOTHING)


def listed(path: str, **more: str) -> str:
    keys = {"path": f'"{path}"', "reason": '"ours"', **more}
    return "\n".join(f"{key} = {value}" for key, value in keys.items())


def test_names_of_a_list_are_blocked_and_excepted_as_inline_names_are(tmp_path: Path) -> None:
    """Paths are relative to the policy's file; plain names mean what `scope` says; no verdict takes them out."""
    (tmp_path / "block.txt").write_text("tree.example\nx..y\n", "utf-8")
    (tmp_path / "exact.txt").write_text("0.0.0.0 alone.example\n", "utf-8")
    (tmp_path / "allow.txt").write_text("||ok.tree.example^\n", "utf-8")
    made = prepared(
        policy(tmp_path, listed("block.txt"), listed("exact.txt", scope='"exact"'), listed("allow.txt", blocks="false"))
    )
    answers = {name: decide(made.blockset.minimal, name) for name in ("a.tree.example", "a.ok.tree.example")}
    assert answers == {"a.tree.example": True, "a.ok.tree.example": False}
    assert decide(made.blockset.minimal, "alone.example") and not decide(made.blockset.minimal, "a.alone.example")
    origins = {rule.name: (rule.origin, rule.verdict_applies) for rule in made.selection.rules}
    assert origins[Name("tree.example")] == ("list:1", False)
    assert origins[Name("ok.tree.example")] == ("list:3", False)
    assert any("1 refused" in note and "line 2" in note and "x..y" in note for note in made.notes)


def test_a_zone_needs_both_records_for_a_tree(tmp_path: Path) -> None:
    """`x` alone is exact, with `*.x` a tree; `*.x` alone cannot be said by a policy and is reported."""
    (tmp_path / "zone").write_text("a.example CNAME .\n*.a.example CNAME .\nb.example CNAME .\n*.c.example CNAME .\n")
    made = prepared(policy(tmp_path, listed("zone", syntax='"rpz"')))
    rules = {rule.name: rule.scope for rule in made.selection.rules if rule.origin == "list:1"}
    assert rules == {"a.example": "subtree", "b.example": "exact"}
    assert any("c.example" in note for note in made.notes)


def test_a_public_suffix_in_a_list_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(SUFFIX_LIST + "sound.example\n", "utf-8")
    made = prepared(policy(tmp_path, listed("list.txt")))
    assert Name("co.uk") not in made.blockset.owners
    assert any("co.uk" in note and "public suffix" in note for note in made.notes)


def test_a_copy_is_read_and_its_age_told(tmp_path: Path) -> None:
    of = policy(tmp_path, f'url = "{URL}"\nreason = "theirs"')
    with pytest.raises(UnsafeError, match="never fetched"):
        prepared(of)
    cache.store(About(URL, NOW), [b"theirs.example\n"], cache.directory())
    assert Name("theirs.example") in prepared(of).blockset.owners
    assert not any("fetched" in note for note in prepared(of).notes)
    assert any("8 days ago" in note for note in prepared(of, NOW + 8 * 86400).notes)


def test_a_missing_or_wrong_list_stops_the_policy(tmp_path: Path) -> None:
    with pytest.raises(UnsafeError, match="does not exist"):
        prepared(policy(tmp_path, listed("gone.txt")))
    (tmp_path / "page.txt").write_text("<html>a.example", "utf-8")
    with pytest.raises(UnsafeError, match="not a list"):
        prepared(policy(tmp_path, listed("page.txt")))


@pytest.mark.parametrize(
    ("table", "field"),
    [
        ('reason = "no place"', "list[0]"),
        ('reason = "two"\npath = "a"\nurl = "https://a.example/"', "list[0]"),
        ('reason = "x"\nurl = "ftp://a.example/"', "list[0].url"),
        ('reason = "x"\nurl = "https://u:p@a.example/"', "list[0].url"),
        ('reason = "x"\nurl = "https://10.0.0.1/"', "list[0].url"),
        ('reason = "x"\nurl = "https://[::1"', "list[0].url"),
        ('path = "a"', "list[0]"),
        ('reason = "x"\npath = "a"\nsyntax = "regex"', "list[0].syntax"),
    ],
)
def test_faults_of_a_list_are_found(tmp_path: Path, table: str, field: str) -> None:
    with pytest.raises(DataError) as caught:
        policy(tmp_path, table)
    assert field in [problem.field for problem in caught.value.problems]


@pytest.mark.parametrize("text", BREAKING.values(), ids=BREAKING)
@pytest.mark.parametrize("key", ["reason", "path", "url", "syntax", "scope"])
def test_no_text_of_a_list_can_break_out(tmp_path: Path, key: str, text: str) -> None:
    """What breaks out of a comment or a terminal's line is found in every key, as in all other texts."""
    keys = {"reason": "ours", "path": "list.txt", key: text} | ({"path": ""} if key == "url" else {})
    with pytest.raises(DataError):
        policy(tmp_path, "\n".join(f"{name} = {json.dumps(value)}" for name, value in keys.items()))


def test_a_policy_of_lists_alone_is_a_policy(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("only.example\n", "utf-8")
    assert set(prepared(policy(tmp_path, listed("list.txt"), head=ALONE)).blockset.minimal) == {"only.example"}


def test_a_canary_of_another_list_is_not_carried_along(tmp_path: Path) -> None:
    """A published list of ours is somebody's own list: its canary must not join theirs."""
    (tmp_path / "list.txt").write_text("other.aidns-canary.example\nsound.example\n", "utf-8")
    rules = own.read_rules((OwnList(path=str(tmp_path / "list.txt"), reason="theirs"),), NOW).rules
    assert [rule.name for rule in rules] == ["sound.example"]


def test_explain_knows_listed_names_of_lists_of_any_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "MAX_OCTETS", 10)
    (tmp_path / "list.txt").write_text("".join(f"host{n}.example\n" for n in range(50)), "utf-8")
    of = policy(tmp_path, listed("list.txt"))
    with pytest.raises(UnsafeError, match="too many names"):
        prepared(of)
    asked = Name("deep.host7.example")
    assert [rule.name for rule in own.rules_about(of.list, asked)] == ["host7.example"]
    found = explain(catalog(), asked, [of], TODAY, {})
    assert {(caught.rule, caught.origin) for caught in found.caught} == {("host7.example", "list:1")}


def test_explain_says_of_every_name_what_the_lists_make_of_it(tmp_path: Path) -> None:
    """Blocks and exceptions of lists, nested in one another and in the catalogue's, with the list and its reason."""
    (tmp_path / "deny.txt").write_text("tree.example\nin.ok.tree.example\nacme.example\n", "utf-8")
    (tmp_path / "allow.txt").write_text("ok.tree.example\nok.acme.example\nidle.example\n", "utf-8")
    of = policy(tmp_path, listed("deny.txt"), listed("allow.txt", blocks="false", reason='"theirs"'))
    minimal = prepared(of).blockset.minimal
    told = {}
    for name in (
        "tree.example",
        "ok.tree.example",
        "in.ok.tree.example",
        "ok.acme.example",
        "idle.example",
        "x.example",
    ):
        for asked in (Name(name), Name(f"deep.{name}")):
            caught = explain(catalog(), asked, [of], TODAY, {}).caught[:1]
            assert decide(minimal, asked) == any(hit.answer == "blocked" for hit in caught), asked
            told[asked] = [(hit.answer, Path(hit.source).name, hit.reason) for hit in caught]
    assert told[Name("tree.example")] == told[Name("deep.tree.example")] == [("blocked", "deny.txt", "ours")]
    assert told[Name("deep.ok.tree.example")] == [("excepted", "allow.txt", "theirs")]
    assert told[Name("in.ok.tree.example")] == [("blocked", "deny.txt", "ours")]
    assert told[Name("ok.acme.example")] == [("excepted", "allow.txt", "theirs")]
    assert told[Name("idle.example")] == told[Name("x.example")] == []
    (tmp_path / "deny.txt").unlink()
    with pytest.raises(UnsafeError, match="does not exist"):
        explain(catalog(), Name("tree.example"), [of], TODAY, {})


# ------------------------------------------------------------------ large lists


def lines_of(text: str) -> Counter[str]:
    """The lines without the version, and without the numbers that stand for their order."""
    numbers = re.findall(r"^Add-Rule (\d+) ", text, re.MULTILINE)
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
    lines = re.sub(r"^Add-Rule \d+ ", "", text, flags=re.MULTILINE).splitlines()
    return Counter(line for line in lines if "Version" not in line)


@pytest.mark.parametrize("fmt", FORMATS)
def test_large_lists_are_merged_to_the_same_file(tmp_path: Path, fmt: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written in blocks or rule by rule: same header, same lines."""
    names = [f"{'www.' if n % 5 == 0 else ''}{'x_' if n % 7 == 0 else ''}host{n}.example" for n in range(60)]
    (tmp_path / "list.txt").write_text(
        "\n".join([*names, "www.host1.example", "deep.acme.example", "platform.example", ""]), "utf-8"
    )
    of = policy(tmp_path, listed("list.txt"), listed("list.txt", scope='"exact"'))
    of_one = policy(tmp_path, listed("list.txt"))
    alone = policy(tmp_path, listed("list.txt"), head=ALONE)
    for one, zone in ((of, ""), (of_one, "rpz.example"), (alone, "")):
        made = prepared(one)
        try:
            small = pipeline.artefact(catalog(), made, FORMATS[fmt], NOTHING, lambda _: (NOW, NOW), None, zone).text
        except Inexpressible as refusal:
            with pytest.raises(Inexpressible, match=refusal.message[:20]):
                merge(catalog(), one, FORMATS[fmt], NOW, NOTHING, None, None, zone)
            continue
        large = b"".join(merge(catalog(), one, FORMATS[fmt], NOW, NOTHING, None, None, zone).blocks(NOW)).decode()
        assert difference(fmt, lines_of(small), lines_of(large), several=one is of) == ({}, {})


def difference(
    fmt: str, small: Counter[str], large: Counter[str], *, several: bool = False
) -> tuple[Counter[str], Counter[str]]:
    """Compare files of rules in another order; liveness counts the catalogue's names alone where lists are large."""

    def told(lines: Counter[str]) -> Counter[str]:
        kept = (line for line in lines.elements() if "Liveness" not in line)
        if several:  # which of them a name comes from is told where there is one
            kept = (line.replace("list:1", "list").replace("list:2", "list") for line in kept)
        return Counter(line.rstrip(",") if fmt == "json" else line for line in kept)  # the last rule has no comma

    return told(small) - told(large), told(large) - told(small)


def test_a_host_that_is_gone_leaves_a_large_policy_too(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("other.example\n", "utf-8")
    of = policy(tmp_path, listed("list.txt"))
    rules = prepared(of).selection.rules
    kept = {rule.name for rule in rules if not (rule.blocks and rule.verdict_applies)}
    gone = next(rule.name for rule in rules if rule.name not in kept)
    memory = pipeline.Memory({gone: Verdict(gone, Standing.GONE, 1, "proved", removable=True)}, NOW)
    small = pipeline.prepare(catalog(), of, NOW, memory)
    text = pipeline.artefact(catalog(), small, FORMATS["csv"], memory, lambda _: (NOW, NOW)).text
    large = b"".join(merge(catalog(), of, FORMATS["csv"], NOW, memory).blocks(NOW)).decode()
    assert gone not in small.blockset.owners
    assert difference("csv", lines_of(text), lines_of(large)) == ({}, {})


def test_a_public_suffix_in_a_large_list_stops_it(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(SUFFIX_LIST, "utf-8")
    with pytest.raises(UnsafeError, match=r"co\.uk"):
        merge(catalog(), policy(tmp_path, listed("list.txt")), FORMATS["rpz"], NOW, NOTHING)


def test_what_is_said_of_large_lists(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("a.example\nx..y\n", "utf-8")
    made = merge(catalog(), policy(tmp_path, listed("list.txt")), FORMATS["rpz"], NOW, NOTHING)
    assert any("1 refused" in note for note in made.notes)
