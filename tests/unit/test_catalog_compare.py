"""How two catalogues differ: what is said of services, names, policies and facts, and that nothing else is."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from aidns.catalog.canon import canonical
from aidns.catalog.compare import CatalogChange, Change, EntryChange, PolicyChange, compare
from aidns.catalog.compare_text import LIMIT, markdown
from aidns.cli import main
from samples import ROOT, SOUND, TODAY, catalog

BETA, GAMMA, ACME = "services/beta-search.toml", "services/gamma-hub.toml", "services/acme-chat.toml"
NOTHING = compare(catalog(), catalog(), TODAY)
MORE = """
[[domains]]
name = "beta-two.example"
role = "api"
evidence = [{ kind = "vendor-document", url = "https://beta.example/allow", seen = 2026-02-10, says = "the second" }]
"""


def changed(file: str, old: str, new: str) -> dict[str, str]:
    assert SOUND[file].count(old) == 1
    return {**SOUND, file: SOUND[file].replace(old, new)}


def difference(files: dict[str, str], base: dict[str, str] = SOUND) -> CatalogChange:
    return compare(catalog(base), catalog(files), TODAY)


def renamed(new: str) -> dict[str, str]:
    files = {path: text.replace("beta-search", new) for path, text in SOUND.items() if path != BETA}
    return {**files, f"services/{new}.toml": SOUND[BETA]}


# ------------------------------------------------------------------ what differs


def test_a_catalogue_does_not_differ_from_itself() -> None:
    """And false is how a script asks."""
    assert not NOTHING
    assert markdown(NOTHING) == "The catalogue says the same.\n"


def test_form_is_no_difference() -> None:
    """Files that only were put into canonical form say the same."""
    assert difference({path: canonical(path, text) for path, text in SOUND.items()}) == NOTHING


def test_a_new_name_shows_at_its_service_and_in_each_policy_that_takes_it() -> None:
    """Other services and other policies are silent."""
    found = difference({**SOUND, BETA: SOUND[BETA] + MORE})
    (service,) = found.services
    (name,) = service.names
    assert (service.id, service.kind, service.changes, name.id, name.kind) == (
        "beta-search", "changed", (), "beta-two.example", "added",
    )  # fmt: skip
    assert {change.field: change.after for change in name.changes} == {
        "service": "beta-search", "role": "api", "scope": "subtree", "sharing": "exclusive", "confidence": "normal",
        "evidence": "vendor-document",
    }  # fmt: skip
    assert found.policies == (
        PolicyChange("stricter", "", "changed", 10, 11, ("beta-two.example",), ()),
        PolicyChange("watch", "", "changed", 9, 10, ("beta-two.example",), ()),
    )
    assert found.sizes["names"] == (11, 12)


@pytest.mark.parametrize(
    ("file", "old", "new", "field", "before", "after"),
    [
        (BETA, 'role = "auth"', 'role = "app"', "role", "auth", "app"),
        (BETA, 'role = "auth"', 'role = "auth"\nscope = "exact"', "scope", "subtree", "exact"),
        (BETA, 'role = "auth"', 'role = "auth"\nconfidence = "low"', "confidence", "normal", "low"),
        (BETA, 'role = "auth"', 'role = "auth"\nsharing = "vendor"', "sharing", "exclusive", "vendor"),
        (BETA, 'says = "sign-in" }', 'says = "x" }, { kind = "press", url = "u", seen = 2026-01-01, says = "y" }',
         "evidence", "vendor-document", "vendor-document, press"),
    ],
)  # fmt: skip
def test_what_is_said_of_a_name(file: str, old: str, new: str, field: str, before: str, after: str) -> None:
    """One field of one name."""
    (service,) = difference(changed(file, old, new)).services
    assert service.names == (EntryChange("login.beta.example", "changed", (Change(field, before, after),)),)


@pytest.mark.parametrize(
    ("file", "old", "new", "change"),
    [
        (BETA, '"Beta Search"', '"Beta"', Change("title", "Beta Search", "Beta")),
        (BETA, '"search", "chat"', '"search"', Change("categories", "search, chat", "search")),
        (BETA, 'status = "active"', 'status = "retired"', Change("status", "active", "retired")),
        (BETA, '["US"]', '["KR"]', Change("storage", "US", "KR")),
    ],
)
def test_what_is_said_of_a_service(file: str, old: str, new: str, change: Change) -> None:
    """A fact that policies select on, or that people read."""
    (service,) = difference(changed(file, old, new)).services
    assert (service.kind, service.changes, service.names) == ("changed", (change,), ())


def test_a_source_that_says_the_same_is_no_difference() -> None:
    """Another address for the same fact changes no list."""
    assert not difference(changed(BETA, "https://beta.example/privacy", "https://beta.example/terms"))


def test_a_service_that_goes_and_one_that_comes() -> None:
    """With their names, and what that does to policies."""
    without = {path: text for path, text in SOUND.items() if path != GAMMA}
    gone, came = difference(without), difference(SOUND, without)
    assert [(s.id, s.kind, [(n.id, n.kind) for n in s.names]) for s in gone.services] == [
        ("gamma-hub", "removed", [("gamma.example", "removed")])
    ]
    assert [(s.id, s.kind, [(n.id, n.kind) for n in s.names]) for s in came.services] == [
        ("gamma-hub", "added", [("gamma.example", "added")])
    ]
    assert {(p.policy, p.client_scope, p.passed) for p in gone.policies} == {
        ("office", scope, ("gamma.example",)) for scope in ("desks", "research")
    }
    assert {(p.policy, p.client_scope, p.blocked) for p in came.policies} == {
        ("office", scope, ("gamma.example",)) for scope in ("desks", "research")
    }


def test_a_service_under_another_id_is_renamed_not_new() -> None:
    """Known by its names; what merely follows from the rename is not repeated at each of them."""
    found = difference(renamed("beta-answers"))
    assert [(s.id, s.was, s.kind, s.names) for s in found.services] == [("beta-answers", "beta-search", "renamed", ())]
    assert found.policies == ()


def test_a_name_that_moves_to_another_service_says_so() -> None:
    """It is neither new nor gone."""
    block = SOUND[BETA][SOUND[BETA].index('[[domains]]\nname = "login') : SOUND[BETA].index("[[dependencies]]")]
    files = {**SOUND, BETA: SOUND[BETA].replace(block, ""), GAMMA: f"{SOUND[GAMMA]}\n{block}"}
    (service,) = difference(files).services
    assert (service.id, service.names) == (
        "gamma-hub", (EntryChange("login.beta.example", "changed", (Change("service", "beta-search", "gamma-hub"),)),),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("part", "file", "old", "new", "entry"),
    [
        ("providers", "providers/gamma.toml", 'parent_in = [{ value = ["unknown"]', 'parent_in = [{ value = ["KR"]',
         EntryChange("gamma", "changed", (Change("parent_in", "unknown", "KR"),))),
        ("measures", "measures/kr-samples-2026-01.toml", 'status = "in-force"', 'status = "lifted"',
         EntryChange("kr-samples-2026-01", "changed", (Change("status", "in-force", "lifted"),))),
        ("shared", "shared.toml", 'breaks = "many sites"', 'breaks = "most sites"',
         EntryChange("cdn.example.org", "changed", (Change("breaks", "many sites", "most sites"),))),
        ("rejected", "rejected/misc.toml", '"acme-fans.example"', '"acme-fan.example"',
         EntryChange("acme-fans.example", "removed", (Change("scope", "subtree", ""),
                                                     Change("reason", "not-generative-ai", "")))),
        ("lookalikes", "lookalikes/misc.toml", 'imitates = "acme-chat"', 'imitates = "beta-search"',
         EntryChange("acme-free.example", "changed", (Change("imitates", "acme-chat", "beta-search"),))),
    ],
    ids=lambda value: value if value in ("providers", "measures", "shared", "rejected", "lookalikes") else "",
)  # fmt: skip
def test_what_is_said_of_the_rest(part: str, file: str, old: str, new: str, entry: EntryChange) -> None:
    """Facts of providers, measures, infrastructure, decisions and look-alikes."""
    found = difference(changed(file, old, new))
    assert entry in (getattr(found, part, None) or found.others[part])
    assert found.services == ()


def test_policies_are_compared_by_what_they_block() -> None:
    """A name that stays blocked through another one above it is no difference."""
    without_login = SOUND[BETA].replace('name = "login.beta.example"', 'name = "signin.beta.example"')
    found = difference({**SOUND, BETA: without_login})
    assert [service.id for service in found.services] == ["beta-search"]
    assert "stricter" not in {policy.policy for policy in found.policies}


# ------------------------------------------------------------------ in words


def test_markdown_tells_it_by_service_and_policy() -> None:
    """What a reviewer reads first."""
    text = markdown(difference({**SOUND, BETA: SOUND[BETA].replace('"US"', '"KR"') + MORE}))
    assert text == (
        "### Catalogue changes\n\nservices 4, names 11 → 12, providers 5\n\n#### Services\n\n"
        "- **Beta Search** (`beta-search`) changed: storage US → KR\n"
        "  - `beta-two.example` new: api, subtree, exclusive, vendor-document\n\n#### Policies\n\n"
        "- `stricter` 10 → 11 names; newly blocked 1: `beta-two.example`\n"
        "- `watch` 9 → 10 names; newly blocked 1: `beta-two.example`\n"
    )


HOSTILE = '"[x](https://evil.example) @everyone <img src=x> #1 `code` | www.evil.example *b* $m$ &lt; ~~s~~ _i_"'


def unescaped(text: str) -> str:
    """What is left that Markdown could read as its own: escapes and the parts that we write are taken out."""
    ours = ("### Catalogue changes", "#### Services", "- **", "** (`beta-search`) changed:")
    text = re.sub(r"\\[\\`*_\[\]|~$]|&(?:amp|lt|gt|#\d+);", "", text)
    for part in ours:
        text = text.replace(part, "")
    return text


def test_texts_of_strangers_have_no_meaning_in_markdown() -> None:
    """A title in a pull request neither links, mentions, nor breaks out of its line."""
    text = unescaped(markdown(difference(changed(BETA, '"Beta Search"', HOSTILE))))
    assert "everyone" in text and "evil.example" in text
    assert [meaning for meaning in (*"[]@<>#`|*$&~_\\", "://", "www.") if meaning in text] == []


@given(st.text(max_size=80))
def test_any_title_stays_in_its_line(title: str) -> None:
    """Whatever stands there, the number of lines is the same, and nothing is left that Markdown reads."""
    base = catalog()
    services = {**base.services, "beta-search": replace(base.services["beta-search"], title=f"{title}x")}
    text = markdown(compare(base, replace(base, services=services), TODAY))
    assert len(text.splitlines()) == 7
    assert not set("[]@<>#`|*$&~_\\") & set(unescaped(text))


def test_what_is_too_long_for_a_comment_is_counted() -> None:
    """The cut is at a line's end, and says how much is left out."""
    entries = tuple(EntryChange(f"p{i}", "changed", (Change("title", "a" * 200, "b" * 200),)) for i in range(400))
    text = markdown(CatalogChange({}, (), entries, (), (), dict.fromkeys(NOTHING.others, ())))
    assert LIMIT - 1000 < len(text) < LIMIT + 100
    assert text.splitlines()[-1].startswith("… and ")


# ------------------------------------------------------------------ through the outer door


@pytest.fixture
def aidns(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["aidns", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    return run


@pytest.fixture
def newer(tmp_path: Path) -> str:
    """A catalogue with one more name than the samples."""
    for path, text in {**SOUND, BETA: SOUND[BETA] + MORE}.items():
        file = tmp_path / "new" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return str(tmp_path / "new")


def test_diff_compares_the_catalogue_in_use_with_the_base(
    aidns: Callable[..., tuple[int, str, str]], newer: str
) -> None:
    """Markdown on stdout; --exit-code tells a script."""
    code, out, _ = aidns("diff", "--base", str(ROOT), "--catalog", newer)
    assert code == 0
    assert out == markdown(difference({**SOUND, BETA: SOUND[BETA] + MORE}))
    assert aidns("diff", "--base", str(ROOT), "--catalog", newer, "--exit-code")[0] == 1
    same = aidns("diff", "--base", newer, "--catalog", newer, "--exit-code")
    assert same[:2] == (0, "The catalogue says the same.\n")


def test_diff_of_catalogues_as_a_document(aidns: Callable[..., tuple[int, str, str]], newer: str) -> None:
    """For a bot that words it itself."""
    document = json.loads(aidns("diff", "--base", str(ROOT), "--catalog", newer, "--json")[1])
    assert (document["schema"], document["differs"]) == ("aidns/catalog-diff/1", True)
    assert document["changes"]["services"][0]["names"][0]["id"] == "beta-two.example"


def test_catalogues_and_builds_are_not_mixed(aidns: Callable[..., tuple[int, str, str]], newer: str) -> None:
    """OLD and NEW are builds."""
    code, _, err = aidns("diff", "--base", newer, newer)
    assert code == 2
    assert "one or the other" in err
