"""`aidns new service` through the outer door: questions, options, refusals, and files that lint has nothing against."""

from __future__ import annotations

import io
import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aidns.catalog.canon import canonical
from aidns.catalog.draft import slug
from aidns.cli import main
from samples import ROOT

Run = Callable[..., tuple[int, str, str]]
EPOCH = "1795305600"  # 2026-11-22
NOVA = Path("catalog/services/nova.toml")
EVIDENCE = ("vendor-document", "https://nova.example/terms", "2026-02-10", "the terms name it")
OPTIONS = (
    *("new", "service", "nova", "--title", "Nova", "--provider", "acme", "--category", "chat"),
    *("--domain", "nova.example:web", "--evidence", "nova.example", *EVIDENCE),
)


@pytest.fixture(autouse=True)
def checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder that holds a catalogue, as a checkout does."""
    shutil.copytree(ROOT, tmp_path / "catalog")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", EPOCH)


@pytest.fixture
def aidns(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str, answers: tuple[str, ...] = ()) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["aidns", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{answer}\n" for answer in answers)))
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    return run


def files() -> set[Path]:
    return set(Path("catalog").rglob("*.toml"))


def without(option: str, times: int = 1) -> Iterator[str]:
    """The options without one of them and its value."""
    rest = iter(OPTIONS)
    for word in rest:
        if word == option:
            for _ in range(times):
                next(rest)
        else:
            yield word


# ------------------------------------------------------------------ options alone


def test_options_alone_write_a_sound_canonical_file(aidns: Run) -> None:
    """No question is asked; the file's name is on stdout and nothing else."""
    assert aidns(*OPTIONS) == (0, "catalog/services/nova.toml\n", "")
    assert NOVA.read_text() == (
        'schema = 1\ntitle = "Nova"\nprovider = "acme"\ncategories = ["chat"]\n\n'
        '[[domains]]\nname = "nova.example"\nrole = "web"\nevidence = [\n'
        '  { kind = "vendor-document", url = "https://nova.example/terms", seen = 2026-02-10, '
        'says = "the terms name it" },\n]\n'
    )
    assert aidns("lint", "--catalog", "catalog")[0] == 0


def test_every_option_reaches_the_file(aidns: Run) -> None:
    """A provider that is new gets a file in which nothing is known yet."""
    weak = ("public-list", "https://lists.example.net/n", "undated", "lists it")
    code, out, err = aidns(
        *("new", "service", "nova", "--title", "Nova", "--provider", "nova-ltd", "--provider-title", "Nova Ltd"),
        *("--category", "chat", "--category", "search", "--homepage", "https://nova.example/"),
        *("--domain", "nova.example:web", "--domain", "x.nova-group.example:api:exact"),
        *("--breaks", "x.nova-group.example", "the group's shop"),
        *("--evidence", "nova.example", *EVIDENCE, "--evidence", "nova.example", *weak),
        *("--evidence", "x.nova-group.example", *weak),
    )
    assert (code, out, err) == (0, "catalog/services/nova.toml\ncatalog/providers/nova-ltd.toml\n", "")
    text = NOVA.read_text()
    assert 'categories = ["chat", "search"]\nhomepage = "https://nova.example/"\n' in text
    assert (
        'name = "x.nova-group.example"\nrole = "api"\nscope = "exact"\nsharing = "vendor"\n'
        'breaks = "the group\'s shop"\nconfidence = "low"\nevidence = [\n'
    ) in text
    unknown = '[{ value = ["unknown"], as_of = 2026-11-22 }]'
    assert Path("catalog/providers/nova-ltd.toml").read_text() == (
        f'schema = 1\ntitle = "Nova Ltd"\nregistered_in = {unknown}\nparent_in = {unknown}\norigin_in = {unknown}\n'
    )
    assert canonical("services/nova.toml", text) == text
    assert aidns("lint", "--catalog", "catalog")[0] == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("--category", "chatt"), "did you mean 'chat'?"),
        (("--provider", "acmee"), "there is no provider 'acmee'"),
        (("--homepage", "nova.example"), "is no web address"),
        (("--title", "Nova {{ x }}"), "template or zone-file syntax"),
        (("--domain", "co.uk:web"), "co.uk has no evidence|is a public suffix"),
        (("--domain", "beta.example:web"), "listed already"),
        (("--domain", "acme-fans.example:web"), "is listed, too"),
        (("--domain", "example.org:web"), "covers shared infrastructure"),
        (("--domain", "nova.example:wob"), "is no word of [role]"),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else "",
)
def test_options_that_lint_objects_to_write_nothing(aidns: Run, change: tuple[str, str], said: str) -> None:
    """Every objection is shown; what a new name breaks elsewhere counts, too."""
    before = files()
    option, value = change
    words = [*without(option), *change]
    if option == "--domain":
        words = [value.partition(":")[0] if word == "nova.example" else word for word in words]
    code, out, err = aidns(*words)
    assert (code, out) == (1, "")
    assert any(part in err for part in said.split("|")), err
    assert "nothing was written" in err
    assert files() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--domain", "nova.example"), "is no NAME:ROLE[:SCOPE]"),
        (("--domain", "nova.example:web:wide"), "is no NAME:ROLE[:SCOPE]"),
        (("--breaks", "other.example", "x"), "is none of the names given"),
        (("--evidence", "nova.example", "press", "https://x.example/", "soon", "s"), "is no date"),
        (("--evidence", "nova.example", "press", "https://x.example/", "2026-11-23", "s"), "has not come yet"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_options_that_make_no_sense_are_refused(aidns: Run, words: tuple[str, ...], said: str) -> None:
    """Exit 2, a tip, no file."""
    before = files()
    code, out, err = aidns(*OPTIONS, *words)
    assert (code, out) == (2, "")
    assert said in err and "tip: " in err
    assert files() == before


def test_nothing_is_overwritten(aidns: Run) -> None:
    """Neither a service that is loaded nor a file that is broken, and the provider's file stays unwritten with it."""
    assert aidns(*OPTIONS)[0] == 0
    text = NOVA.read_text()
    code, _, err = aidns(*OPTIONS)
    assert code == 2 and "there is a service 'nova' already" in err
    NOVA.write_text("schema =")
    code, _, err = aidns(*without("--provider"), "--provider", "nova-ltd", "--provider-title", "Nova Ltd")
    assert code == 2 and "is there already" in err
    assert NOVA.read_text() == "schema =" != text
    assert not Path("catalog/providers/nova-ltd.toml").exists()


def test_json_names_the_files(aidns: Run) -> None:
    """For a script that opens a pull request."""
    code, out, _ = aidns(*OPTIONS, "--json")
    assert code == 0
    assert json.loads(out) == {"schema": "aidns/new/1", "files": ["catalog/services/nova.toml"], "problems": []}


def test_the_last_catalogue_given_is_written_to(aidns: Run) -> None:
    """An overlay of one's own may refer to the one below it."""
    Path("mine").mkdir()
    assert aidns(*OPTIONS, "--catalog", "catalog", "--catalog", "mine")[:2] == (0, "mine/services/nova.toml\n")


def test_without_a_catalogue_nothing_is_asked(aidns: Run) -> None:
    """The one inside the program is not ours to write into."""
    shutil.rmtree("catalog")
    code, out, err = aidns("new", "service")
    assert (code, out) == (2, "")
    assert "--catalog DIR" in err and "Title" not in err


# ------------------------------------------------------------------ questions

ANSWERS = (
    *("Nova", "", "acme", "chat, search", "https://nova.example/"),
    *(
        "Nova.Example.",
        "",
        "web",
        "",
        "vendor-document",
        "https://nova.example/terms",
        "the terms name it",
        "2026-02-10",
    ),
    *("n", "n"),
)


def test_answers_write_the_same_file_as_options(aidns: Run) -> None:
    """The id is suggested from the title, names are brought into their one spelling."""
    code, out, _ = aidns("new", "service", answers=ANSWERS)
    assert (code, out) == (0, "catalog/services/nova.toml\n")
    asked = NOVA.read_text()
    NOVA.unlink()
    aidns(*OPTIONS, "--category", "search", "--homepage", "https://nova.example/")
    assert NOVA.read_text() == asked


def test_a_wrong_answer_is_objected_to_and_asked_again(aidns: Run) -> None:
    """Each by the rule of lint that would find it in the file."""
    code, out, err = aidns(
        *("new", "service"),
        answers=(
            *("Nova {{ x }}", "Nova", "acme-chat", "No Va", "nova", "accme", "n", "acme"),
            *("chatt", "", "chat", "nova", ""),
            *("co.uk", "cdn.example.org", "beta.example", "nova.example", "narrow", "subtree", "wob", "web", ""),
            *("hearsay", "press", "nova", "https://nova.example/", "a 'quoted' word", "2027-01-01", "undated"),
            *("y", "vendor-document", "https://nova.example/terms", "the terms", "2026-02-10", "n", "n"),
        ),
    )  # fmt: skip
    assert (code, out) == (0, "catalog/services/nova.toml\n")
    for objection in (
        *("template or zone-file syntax", "there is a service 'acme-chat' already", "'No Va' is no id"),
        *("There is no provider 'accme' yet (there is acme", "did you mean 'chat'?", "is no web address"),
        *("co.uk is a public suffix", "is shared infrastructure", "listed already", "it is subtree or exact"),
        *("'wob' is no word of [role]", "'hearsay' is no word of [evidence]", "2027-01-01 has not come yet"),
    ):
        assert objection in err, objection
    assert NOVA.read_text().count("kind = ") == 2
    assert aidns("lint", "--catalog", "catalog")[0] == 0


def test_a_new_provider_is_written_on_the_way(aidns: Run) -> None:
    """Its name is suggested from the service's title; its id must be one."""
    answers = ("Nova", "", "Bad Id", "nova-ltd", "y", "", *ANSWERS[3:])
    code, out, err = aidns("new", "service", answers=answers)
    assert (code, out) == (0, "catalog/services/nova.toml\ncatalog/providers/nova-ltd.toml\n")
    assert "'Bad Id' is no id" in err
    assert 'title = "Nova"' in Path("catalog/providers/nova-ltd.toml").read_text()


def test_only_what_options_leave_out_is_asked(aidns: Run) -> None:
    """Evidence for each name that has none, a home page, nothing else."""
    words = without("--evidence", 5)
    evidence = ("vendor-document", "https://nova.example/terms", "the terms name it", "2026-02-10", "n")
    code, out, err = aidns(*words, answers=("", *evidence))
    assert (code, out) == (0, "catalog/services/nova.toml\n")
    assert "Title" not in err and "Another name?" not in err
    asked = NOVA.read_text()
    NOVA.unlink()
    aidns(*OPTIONS)
    assert NOVA.read_text() == asked


def test_a_subtree_over_strangers_sites_is_asked_again(aidns: Run) -> None:
    """The name alone may be listed where all below it may not."""
    answers = list(ANSWERS)
    answers[5:7] = ["github.io", "subtree", "exact"]
    code, _, err = aidns("new", "service", answers=tuple(answers))
    assert code == 0
    assert "under which strangers publish" in err
    assert 'name = "github.io"\nrole = "web"\nscope = "exact"\n' in NOVA.read_text()


def test_answers_that_run_out_are_no_answers(aidns: Run) -> None:
    """Without a terminal nobody can be asked; nothing is written, and the message says what to do."""
    before = files()
    code, out, err = aidns("new", "service", answers=ANSWERS[:4])
    assert (code, out) == (2, "")
    assert "answers are missing" in err and "options" in err
    assert files() == before


def test_at_a_terminal_people_see_what_they_type(tmp_path: Path) -> None:
    """The questions on a real terminal, stdout apart from it."""
    leader, follower = pty.openpty()
    command = [Path(sys.executable).with_name("aidns"), "new", "service"]
    with subprocess.Popen(command, stdin=follower, stderr=follower, stdout=subprocess.PIPE, text=True) as program:
        os.close(follower)
        talk, answered = "", 0
        for answer in ANSWERS:
            while not talk[answered:].endswith(": "):
                talk += os.read(leader, 1 << 16).decode()
            answered = len(talk)
            os.write(leader, f"{answer}\n".encode())
        out, _ = program.communicate(timeout=60)
    os.close(leader)
    assert (program.returncode, out) == (0, "catalog/services/nova.toml\n")
    assert "Title: Nova\r\n" in talk and talk.endswith("Another name? [y/N]: ")
    assert "General assistant" not in talk and "Answers in conversation" in talk


@pytest.mark.parametrize(
    ("title", "made"), [("Nova X.1", "nova-x-1"), ("  ??Nova ", "nova"), ("深度求索", ""), ("x" * 70, "x" * 63)]
)
def test_ids_are_suggested_from_titles(title: str, made: str) -> None:
    """An id is what fits into a label; no transliteration is attempted."""
    assert slug(title) == made
