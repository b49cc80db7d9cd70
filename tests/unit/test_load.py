"""Loading: which directories count, what lies over what, what stays when something is broken."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aidns.catalog.files import MAX_FILE, digest
from aidns.catalog.load import load, load_or_fail, load_policy
from aidns.errors import DataError
from samples import ROOT, SOUND, catalog, loaded

OVERLAY = """\
schema = 1
title = "Intranet bot"
provider = "deepseek"
categories = ["chat"]

[[domains]]
name = "bot.intranet.example"
role = "web"
evidence = [{ kind = "vendor-document", url = "https://intranet.example/bot", seen = "undated", says = "ours" }]
"""


def write(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")
    return root


def test_without_a_directory_the_shipped_catalogue_is_loaded() -> None:
    """What came with the program."""
    shipped = load_or_fail()
    assert "deepseek" in shipped.services
    assert "deepseek-org" in shipped.policies


def test_a_directory_without_catalog_toml_lies_over_the_shipped_one(tmp_path: Path) -> None:
    """An administrator's own services join the shipped ones."""
    write(tmp_path, {"services/intranet-bot.toml": OVERLAY})
    both = load([tmp_path])
    assert both.problems == ()
    assert {"intranet-bot", "deepseek"} <= both.catalog.services.keys()
    assert "bot.intranet.example" in {entry.name for entry in both.catalog.names}
    assert both.catalog.digest != load().catalog.digest


def test_a_file_replaces_the_shipped_one_of_the_same_path(tmp_path: Path) -> None:
    """Overlaying a service is overlaying the whole of it."""
    write(tmp_path, {"services/deepseek.toml": OVERLAY})
    both = load_or_fail([tmp_path])
    assert both.services["deepseek"].title == "Intranet bot"
    assert "deepseek.com" not in {entry.name for entry in both.names}


def test_a_directory_that_is_no_catalogue_is_not_passed_over(tmp_path: Path) -> None:
    """Neither one without any file to read, nor files that lie deeper than a catalogue has any."""
    (one,) = load([tmp_path]).problems
    assert (one.rule, one.level, one.file, one.message) == (
        "unknown-file",
        "error",
        str(tmp_path),
        "holds no .toml file",
    )
    write(tmp_path, {"services/more/intranet-bot.toml": OVERLAY, ".git/x/y.toml": "", "a/b/c/d.toml": ""})
    (one,) = load([tmp_path]).problems
    assert one.file.endswith("services/more/intranet-bot.toml")
    assert one.message == "lies too deep to be read"


def test_a_file_that_is_none_or_never_ends_is_not_read(tmp_path: Path) -> None:
    """Devices, pipes, and what is larger than any file of a catalogue."""
    write(tmp_path, {"services/large.toml": "x" * (MAX_FILE + 1)})
    (tmp_path / "services" / "zero.toml").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "services" / "pipe.toml")
    found = {Path(one.file).name: one.message for one in load([tmp_path]).problems}
    assert found == {
        "large.toml": f"has more than {MAX_FILE} octets",
        "pipe.toml": "cannot be read: is no regular file",
        "zero.toml": "cannot be read: is no regular file",
    }


def test_a_directory_with_catalog_toml_stands_alone(tmp_path: Path) -> None:
    """Nothing of the shipped catalogue is left."""
    alone = load([write(tmp_path, SOUND)])
    assert alone.problems == ()
    assert alone.catalog.services.keys() == catalog().services.keys()
    assert "deepseek-org" not in alone.catalog.policies


def test_later_directories_lie_over_earlier_ones(tmp_path: Path) -> None:
    """The last word wins, and everything before the last that stands alone is left out."""
    first = write(tmp_path / "1", {"services/gamma-hub.toml": OVERLAY})
    second = write(
        tmp_path / "2", {"services/gamma-hub.toml": SOUND["services/beta-search.toml"].replace("Beta S", "S")}
    )
    assert load([ROOT, first]).catalog.services["gamma-hub"].title == "Intranet bot"
    assert load([first, ROOT]).catalog.services["gamma-hub"].title == "Gamma Hub"
    assert load([ROOT, first, second]).catalog.services["gamma-hub"].title == "Search"
    assert load([ROOT, second, first]).catalog.services["gamma-hub"].title == "Intranet bot"


def test_only_toml_files_of_folders_one_deep_are_read(tmp_path: Path) -> None:
    """Editors' leftovers, schemas and notes beside the data are no data."""
    junk = {"schema/x.schema.json": "{", "services/.hidden.toml": "=", "services/a.toml~": "=", "notes.md": "#"}
    junk |= {".git/config.toml": "=", ".git/hooks/x.toml": "="}
    assert load([write(tmp_path, {**SOUND, **junk})]).problems == ()


def test_an_overlay_may_not_list_a_name_again(tmp_path: Path) -> None:
    """A name has one owner, across directories as well."""
    write(tmp_path, {"services/intranet-bot.toml": OVERLAY.replace("bot.intranet.example", "deepseek.com")})
    (problem,) = load([tmp_path]).problems
    assert problem.rule == "name-unique"
    assert problem.file == str(tmp_path / "services/intranet-bot.toml")
    assert "deepseek.toml" in problem.message
    with pytest.raises(DataError) as refusal:
        load_or_fail([tmp_path])
    assert refusal.value.problems == (problem,)
    assert refusal.value.tip


def test_patterns_are_expanded_and_names_sorted_by_label() -> None:
    """Each region makes a name; a tree stays together, its top first."""
    names = [entry.name for entry in catalog().names]
    assert {"eu-1-ai.acme-cloud.example", "us-1-ai.acme-cloud.example"} <= set(names)
    assert names.index("acme.example") < names.index("api.acme.example")
    assert not any("{" in name for name in names)
    assert len(set(names)) == len(names)


def test_lookalikes_and_bypass_names_are_marked() -> None:
    """So that no selection takes them for a service's own."""
    marked = {e.name: (e.lookalike, e.bypass, e.scope) for e in catalog().names}
    assert marked["acme-free.example"] == (True, False, "subtree")
    assert marked["use-other-dns.example"] == (False, True, "exact")
    assert marked["acme.example"] == (False, False, "subtree")


def test_the_digest_is_of_paths_and_texts_alone() -> None:
    """The same files in another order are the same catalogue; one letter, or a file's name, is another."""
    same = dict(sorted(SOUND.items(), reverse=True))
    assert loaded(same).catalog.digest == catalog().digest
    moved = {path.replace("rejected/misc", "rejected/more"): text for path, text in SOUND.items()}
    assert loaded(moved).catalog.digest != catalog().digest
    assert digest(loaded({**SOUND, "vocab.toml": SOUND["vocab.toml"] + " "}).sources) != catalog().digest


def test_order_of_files_does_not_matter() -> None:
    """What is made of a catalogue never depends on the order in which a disk lists it."""
    other = loaded(dict(sorted(SOUND.items(), reverse=True))).catalog
    assert other.names == catalog().names
    assert dict(other.services) == dict(catalog().services)


@pytest.mark.parametrize(
    ("name", "text", "rule", "field"),
    [
        ("own.toml", "title = ", "toml-syntax", ""),
        ("own.toml", 'title = "x"\n', "type", ""),
        ("Own Policy.toml", 'schema = 1\ntitle = "x"\n', "id-form", ""),
        ("own.toml", 'schema = 1\ntitle = "x"\nblocks = []\n', "type", "blocks"),
    ],
)
def test_an_own_policy_file_is_judged_like_any_other(
    name: str, text: str, rule: str, field: str, tmp_path: Path
) -> None:
    """The same rules of form, the same kind of message."""
    path = tmp_path / name
    path.write_text(text, "utf-8")
    _, source, problems = load_policy(path)
    assert source.shown == str(path)
    assert [(p.rule, p.field, p.file) for p in problems] == [(rule, field, str(path))]


def test_an_own_policy_has_its_files_name(tmp_path: Path) -> None:
    """`~/lists/our-office.toml` is the policy `our-office`."""
    path = tmp_path / "our-office.toml"
    path.write_text('schema = 1\ntitle = "Ours"\nextends = "deepseek-org"\n', "utf-8")
    policy, _, problems = load_policy(path)
    assert problems == ()
    assert policy is not None
    assert (policy.id, policy.title) == ("our-office", "Ours")
