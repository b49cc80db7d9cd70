"""The command line through its outer door: what goes to stdout, what to stderr, and the exit code."""

from __future__ import annotations

import datetime as dt
import json
import os
import pty
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aidns.cli import COMMANDS, main
from aidns.cli.explain_command import describe
from aidns.cli.list_command import WHAT
from aidns.explain import explain
from aidns.model import Standing, Verdict
from aidns.names import Name
from aidns.render.artefact import MAX_TEMPLATE
from aidns.render.formats import FORMATS
from properties.hostile import BREAKING, places, planted, toml
from samples import NOW, ROOT, SOUND, TODAY, artefact, catalog

AIDNS = [sys.executable, "-c", "from aidns.cli import main; main()"]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def aidns(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run a command as the console script does; the sample is the catalogue unless `shipped`."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(NOW))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))

    def run(*arguments: str, shipped: bool = False) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["aidns", *([] if shipped else ["--catalog", str(ROOT)]), *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    return run


def broken(tmp_path: Path, **changes: str) -> str:
    """A catalogue with other texts in some of its files."""
    for path, text in {**SOUND, **changes}.items():
        (tmp_path / "catalog" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "catalog" / path).write_text(text, "utf-8")
    return str(tmp_path / "catalog")


# ------------------------------------------------------------------ help and usage


def test_help_names_every_command(aidns: Run) -> None:
    """On stdout, with exit code 0; each command has help of its own."""
    code, out, _ = aidns("--help", shipped=True)
    assert code == 0
    for command in COMMANDS:
        assert f"  {command} " in out
        code, own, _ = aidns(command, "--help", shipped=True)
        assert code == 0
        assert own.startswith(f"Usage: aidns {command} ")


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (("lst",), "list"),
        (("lnt",), "lint"),
        (("explan", "acme.example"), "explain"),
        (("list", "domans"), "domains"),
        (("show", "acme-cht"), "acme-chat"),
        (("show", "acme-chatt", "--kind", "service"), "acme-chat"),
        (("render", "--policy", "offfice", "--format", "rpz"), "office"),
        (("render", "--policy", "office", "--format", "piehole"), "pihole"),
        (("render", "--policy", "office", "--format", "rpz", "--scope", "reserch"), "research"),
        (("explain", "acme.example", "--policy", "opne"), "open"),
    ],
)
def test_a_misspelt_word_is_answered_with_a_near_one(arguments: tuple[str, ...], near: str, aidns: Run) -> None:
    """Exit code 2, nothing on stdout, and the word that was meant on stderr."""
    code, out, err = aidns(*arguments)
    assert (code, out) == (2, "")
    assert near in err
    assert "Traceback" not in err


def test_a_suggestion_is_made_once(aidns: Run) -> None:
    """A provider and a service of one name are one suggestion."""
    err = aidns("show", "deepsek", shipped=True)[2]
    assert err.count("'deepseek'") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nonsense",),
        ("list",),
        ("render",),
        ("render", "--policy", "office"),
        ("render", "--format", "rpz"),
        ("explain",),
        ("explain", "not a name"),
        ("explain", "192.0.2.1"),
        ("show",),
        ("--color", "sometimes", "lint"),
        ("--catalog", "/nowhere/at/all", "lint"),
        ("render", "--policy", "open", "--format", "rpz", "--zone", "a b"),
        ("render", "--policy", "open", "--format", "rpz", "--template", "/nowhere"),
        ("lint", "--no-such-option"),
        ("verify", ".x", "--policy", "open"),
        ("verify", "a..b", "--policy", "open"),
        ("verify", "a" * 300, "--policy", "open"),
        ("render", "--policy", "-", "--format", "rpz"),
        ("render", "--policy", "open", "--format", "rpz", "--template", "-"),
        ("build", "--out", "-"),
        ("build", "--policy", "open", "--policy", "-"),
        ("render", "--policy", "open", "--format", "hosts", "--zone", "rpz"),
        ("compile", "--format", "hosts", "--format", "edl", "--zone", "rpz", "/dev/null"),
    ],
)
def test_a_command_line_that_makes_no_sense(arguments: tuple[str, ...], aidns: Run) -> None:
    """Exit code 2, a message on stderr."""
    code, out, err = aidns(*arguments)
    assert code == 2
    assert "Traceback" not in err
    assert out == "" or not arguments
    assert err or not arguments


@pytest.mark.parametrize("epoch", ["yesterday", "-1", "1e9", "9" * 20])
def test_a_clock_that_is_none_is_a_usage_error(epoch: str, aidns: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """SOURCE_DATE_EPOCH holds Unix seconds that a calendar knows."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    code, out, err = aidns("render", "--policy", "open", "--format", "hosts")
    assert (code, out) == (2, "")
    assert "SOURCE_DATE_EPOCH" in err


# ------------------------------------------------------------------ lint


def test_lint_of_a_sound_catalogue(aidns: Run) -> None:
    """Nothing on stdout, the count on stderr, exit code 0; the shipped one likewise."""
    assert aidns("lint") == (0, "", "4 services, 13 names, 7 policies: 0 error(s), 0 warning(s)\n")
    code, out, _ = aidns("lint", shipped=True)
    assert (code, out) == (0, "")
    assert aidns("-q", "lint") == (0, "", "")


def test_lint_prints_each_problem_on_a_line(aidns: Run, tmp_path: Path) -> None:
    """On stdout, with file, line, rule and tip; exit code 1."""
    where = broken(tmp_path, **{"services/gamma-hub.toml": SOUND["services/gamma-hub.toml"].replace('"web"', '"wep"')})
    code, out, err = aidns("--catalog", where, "lint")
    assert code == 1
    assert out.startswith(f"{where}/services/gamma-hub.toml:9: error [vocab-word] domains[0].role: 'wep'")
    assert "Tip: did you mean 'web'?" in out
    assert err.endswith("1 error(s), 0 warning(s)\n")


def test_lint_in_json(aidns: Run, tmp_path: Path) -> None:
    """The same problems with the same fields, and the same exit code."""
    where = broken(tmp_path, **{"catalog.toml": SOUND["catalog.toml"] + 'extra = "x"\n'})
    code, out, _ = aidns("--catalog", where, "--json", "lint")
    document = json.loads(out)
    assert (code, document["schema"]) == (1, "aidns/lint/1")
    (problem,) = document["problems"]
    assert {key: problem[key] for key in ("rule", "file", "line", "field", "level")} == {
        "rule": "type", "file": f"{where}/catalog.toml", "line": 6, "field": "extra", "level": "error",
    }  # fmt: skip
    assert problem["tip"]


# ------------------------------------------------------------------ list and show


@pytest.mark.parametrize("what", WHAT)
def test_each_list_in_json_has_exactly_one_list(what: str, aidns: Run) -> None:
    """`{"schema": "aidns/list-X/1", "X": […]}`, and a row in the table for each object."""
    code, out, _ = aidns("list", what, "--json")
    document = json.loads(out)
    assert code == 0
    assert document.pop("schema") == f"aidns/list-{what}/1"
    assert list(document) == [what]
    assert document[what]
    code, table, err = aidns("list", what)
    assert (code, err) == (0, "")
    assert len(table.splitlines()) == len(document[what])


def test_list_domains_gives_what_programs_join_on(aidns: Run) -> None:
    """Patterns expanded; look-alikes and bypass names marked; name, scope, role, sharing and service in each."""
    rows = {row["name"]: row for row in json.loads(aidns("list", "domains", "--json")[1])["domains"]}
    assert rows.keys() == {entry.name for entry in catalog().names}
    assert all({"name", "scope", "role", "sharing", "service"} <= row.keys() for row in rows.values())
    assert rows["acme.platform.example"]["scope"] == "exact"
    assert rows["eu-1-ai.acme-cloud.example"]["service"] == "acme-chat"
    assert rows["acme-free.example"]["lookalike"] is True
    assert rows["use-other-dns.example"]["bypass"] is True
    assert "lookalike" not in rows["acme.example"]
    assert rows["acme.example"]["evidence"] == "vendor-document"


def test_a_list_in_a_pipe_is_tab_separated_without_a_header(aidns: Run) -> None:
    """For cut and awk; no cell holds a tab of its own."""
    code, out, _ = aidns("list", "domains")
    rows = [line.split("\t") for line in out.splitlines()]
    assert code == 0
    assert len({len(row) for row in rows}) == 1
    assert "name" not in rows[0]
    (tenant,) = (row for row in rows if row[0] == "acme.platform.example")
    assert {"exact", "app", "tenant", "acme-chat", "normal", "vendor-document"} <= set(tenant)


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    """`aidns list domains | head -1`: no traceback, no message."""
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", '"$@" | head -1', "-", *AIDNS, "list", "domains"],
        capture_output=True, text=True, check=False, env={**os.environ, "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1
    assert done.returncode == 0


def test_show_gives_an_entry_whole(aidns: Run) -> None:
    """For people as an outline, for programs as the same keys as in the file."""
    code, out, _ = aidns("show", "acme-chat")
    assert code == 0
    assert out.startswith("service acme-chat\n")
    assert "  title: Acme Chat\n" in out
    assert "    - name: acme.example\n" in out
    (entry,) = json.loads(aidns("show", "acme-chat", "--json")[1])["entries"]
    assert (entry["kind"], entry["id"], entry["domains"][0]["name"]) == ("service", "acme-chat", "acme.example")
    assert entry["domains"][1]["evidence"][0]["seen"] == "undated"


def test_show_writes_out_what_a_policy_extends(aidns: Run) -> None:
    """`stricter` holds what `open` selects."""
    (entry,) = json.loads(aidns("show", "stricter", "--json")[1])["entries"]
    assert [selector["service"] for selector in entry["select"]["include"]] == [["acme-chat"], ["beta-search"]]


@pytest.mark.parametrize("entry", ["acme", "office", "kr-samples-2026-01", "rpz"])
def test_show_finds_every_kind(entry: str, aidns: Run) -> None:
    """Providers, policies, measures and formats by the same command."""
    code, out, _ = aidns("show", entry)
    assert code == 0
    assert entry in out.splitlines()[0]
    assert json.loads(aidns("show", entry, "--json")[1])["schema"] == "aidns/show/1"


def test_a_terminal_without_a_sign_is_shown_another(tmp_path: Path) -> None:
    """A name that it cannot show ends no command."""
    done = subprocess.run(
        [*AIDNS, "--catalog", str(ROOT), "show", "acme-chat"], capture_output=True, check=False,
        env={**os.environ, "HOME": str(tmp_path), "PYTHONIOENCODING": "latin-1"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert "also_known_as: Acmé ??\n".encode("latin-1") in done.stdout


@pytest.mark.parametrize("command", [("render", "--policy", "open", "--format", "hosts"), ("explain", "acme.example")])
def test_a_state_file_that_is_not_there_is_named(command: tuple[str, ...], aidns: Run) -> None:
    """A misspelt option must not pass for a name that was never checked; the default file may be missing."""
    code, _, err = aidns(*command, "--state", "typo.sqlite")
    assert code == 0
    assert "there is no state file 'typo.sqlite'" in err
    assert "state file" not in aidns(*command)[2]


# ------------------------------------------------------------------ explain


def explained(aidns: Run, name: str, *more: str) -> tuple[str, dict[str, Any]]:
    code, out, _ = aidns("explain", name, *more)
    assert code == 0
    code, document, _ = aidns("explain", name, "--json", *more)
    found = json.loads(document)
    assert (code, found["schema"]) == (0, "aidns/explain/1")
    return out, found["explanation"]


def test_explain_a_listed_name(aidns: Run) -> None:
    """Service, provider, role, evidence, what breaks, each policy with its measures, and how to allow it."""
    out, found = explained(aidns, "api.acme.example")
    assert out.startswith("api.acme.example: is listed\n")
    assert [entry["name"] for entry in found["listed"]] == ["api.acme.example", "acme.example"]
    first = found["listed"][0]
    assert (first["service"], first["provider"], first["role"]) == ("acme-chat", "acme", "api")
    assert first["evidence"][0]["url"] == "https://docs.acme.example/api"
    answers = {(hit["policy"], hit["client_scope"]): hit["answer"] for hit in found["caught"]}
    assert answers[("office", "desks")] == answers[("office", "research")] == answers[("open", "")] == "blocked"
    assert answers[("watch", "")] == "logged"
    assert ("guard", "") not in answers
    assert {hit["rule"] for hit in found["caught"]} == {"acme.example"}
    assert "blocked by policy office, scope desks through acme.example" in out
    assert 'name = "api.acme.example"' in out
    tomllib.loads(found["allow"])


def test_explain_a_name_below_a_listed_one(aidns: Run) -> None:
    """Which parent matched; case, a final dot and a U-label are no fault of a person."""
    out, found = explained(aidns, "A.B.Acme.Example.")
    assert out.startswith("a.b.acme.example: falls under acme.example (subtree)\n")
    assert found["name"] == "a.b.acme.example"
    assert explained(aidns, "bücher.acme.example")[1]["name"] == "xn--bcher-kva.acme.example"


def test_explain_an_exact_name_and_what_lies_below_it(aidns: Run) -> None:
    """A tenant's name is listed; what lies below it is not."""
    assert explained(aidns, "acme.platform.example")[1]["listed"]
    _, below = explained(aidns, "sub.acme.platform.example")
    assert below["listed"] == []
    assert below["caught"] == []


def test_explain_an_exception(aidns: Run) -> None:
    """Excepted by the policy that says so, blocked by those that do not."""
    out, found = explained(aidns, "help.acme.example", "--policy", "office", "--policy", "garden")
    assert {hit["policy"]: hit["answer"] for hit in found["caught"]} == {"office": "excepted", "garden": "blocked"}
    assert "excepted by policy office, scope desks through help.acme.example" in out


def test_explain_an_exception_says_why_by_whom_and_until_when(aidns: Run) -> None:
    """The rule that decides is told whole, that of a service with the service."""
    out, found = explained(aidns, "www.help.acme.example", "--policy", "office")
    hit = found["caught"][0]
    told = [hit[key] for key in ("rule", "origin", "reason", "approved_by", "expires")]
    assert told == ["help.acme.example", "policy", "manuals", "CISO", "2027-01-31"]
    assert "): manuals, approved by CISO, until 2027-01-31\n" in out
    out, found = explained(aidns, "beta.example", "--policy", "office")
    assert {hit["client_scope"]: hit["answer"] for hit in found["caught"]} == {
        "desks": "blocked",
        "research": "excepted",
    }
    assert "scope research through beta.example" in out
    assert "service beta-search: project 12, approved by CISO, until 2027-02-28" in out


def test_explain_an_exception_at_a_blocked_name_itself(aidns: Run, tmp_path: Path) -> None:
    """Nothing of the pair reaches a list, yet it is told, and as an exception alone."""
    own = tmp_path / "ours.toml"
    allow = '[[allow]]\nname = "{}"\nreason = "sales"\n'
    both = allow.format("acme.example") + allow.format("acme-group.example")
    own.write_text(f'schema = 1\ntitle = "x"\nextends = "open"\n{both}', "utf-8")
    out, found = explained(aidns, "shop.acme.example", "--policy", str(own))
    assert [(hit["answer"], hit["rule"], hit["reason"]) for hit in found["caught"]] == [
        ("excepted", "acme.example", "sales")
    ]
    assert found["left_out"] == []
    assert "no policy blocks it" not in out
    _, idle = explained(aidns, "acme-group.example", "--policy", str(own))
    assert idle["caught"] == []


def test_explain_offers_an_exception_for_ninety_days(aidns: Run) -> None:
    """From today, whenever that is."""
    _, found = explained(aidns, "acme.example")
    assert tomllib.loads(found["allow"])["allow"][0]["expires"] == TODAY + dt.timedelta(days=90)


def test_explain_a_name_left_out_says_why(aidns: Run) -> None:
    """A name that the vendor's other business shares: no policy without that sharing takes it, and says what breaks."""
    out, found = explained(aidns, "acme-group.example", "--policy", "open")
    assert found["caught"] == []
    assert "the shop" in out
    assert "no policy blocks it" in out


def test_explain_a_near_miss(aidns: Run) -> None:
    """Not listed; looks like what a person may have meant, or what it imitates."""
    out, found = explained(aidns, "acme-chat.example")
    assert found["listed"] == []
    assert out.startswith("acme-chat.example: not listed; looks like ")
    for name in ("acme.exmaple", "accme.example", "acme.example.net"):
        assert "acme.example" in explained(aidns, name)[1]["looks_like"], name
    assert explained(aidns, "completely-unrelated.org")[1]["looks_like"] == []


def test_explain_shared_rejected_and_needed_names(aidns: Run) -> None:
    """Infrastructure of everybody, what was left out and when, and who needs a name."""
    out, found = explained(aidns, "x.cdn.example.org")
    assert "many sites" in found["shared"]
    assert found["shared"] in out
    out, found = explained(aidns, "www.acme-fans.example")
    assert found["rejected"] == "acme-fans.example was left out on 2026-03-01: not-generative-ai; a fan club"
    assert found["rejected"] in out
    _, found = explained(aidns, "login.beta.example")
    assert found["needed_by"] == ["Acme Chat needs login.beta.example; without it: sign-in"]


def test_explain_bypass_and_lookalike_names(aidns: Run) -> None:
    """What kind of name it is, and which policy takes it."""
    _, found = explained(aidns, "use-other-dns.example")
    assert (found["listed"][0]["kind"], [hit["policy"] for hit in found["caught"]]) == ("bypass", ["guard"])
    _, found = explained(aidns, "acme-free.example")
    assert (found["listed"][0]["kind"], [hit["policy"] for hit in found["caught"]]) == ("lookalike", ["stricter"])


def test_explain_says_what_checks_found() -> None:
    """Of the name itself, else of the listed name above it; without a check, that there was none."""
    apex = Name("acme.example")
    verdicts = {apex: Verdict(apex, Standing.LIVE, 1, "answered 2026-11-20")}
    for name, standing in (
        (apex, "acme.example is live: answered 2026-11-20"),
        (Name("a.acme.example"), "acme.example is live: answered 2026-11-20"),
        (Name("beta.example"), "never checked"),
    ):
        found = explain(catalog(), name, [], TODAY, verdicts)
        assert found.standing == standing
        assert f"checked: {standing}" in list(describe(found))


def test_explain_reads_an_own_policy(aidns: Run, tmp_path: Path) -> None:
    """A file of one's own beside the shipped ids."""
    own = tmp_path / "ours.toml"
    own.write_text(
        'schema = 1\ntitle = "x"\nextends = "open"\n[[block]]\nname = "own.example"\nreason = "r"\n', "utf-8"
    )
    _, found = explained(aidns, "www.own.example", "--policy", str(own))
    assert [(hit["policy"], hit["answer"], hit["rule"]) for hit in found["caught"]] == [
        ("ours", "blocked", "own.example")
    ]


# ------------------------------------------------------------------ render


def test_render_prints_the_list_and_nothing_else(aidns: Run) -> None:
    """On stdout, byte for byte; what the format weakens and what was never checked on stderr."""
    code, out, err = aidns("render", "--policy", "office", "--format", "pihole")
    assert code == 0
    assert out == artefact("office", "pihole").text
    assert "no name has been checked yet" in err
    assert "exception rules (over-block)" in err


def test_render_takes_scope_zone_template_and_json(aidns: Run, tmp_path: Path) -> None:
    """The options of the command reach the list."""
    out = aidns("render", "--policy", "office", "--format", "rpz", "--scope", "research", "--zone", "rpz")[1]
    assert out == artefact("office", "rpz", scope="research").text
    template = tmp_path / "own.j2"
    template.write_text("{% for row in rows %}\n{{ row.name }}\n{% endfor %}\n", "utf-8")
    out = aidns("render", "--policy", "open", "--format", "hosts", "--template", str(template))[1]
    assert "acme.example\n" in out
    assert "0.0.0.0" not in out
    document = json.loads(aidns("render", "--policy", "open", "--format", "rpz", "--json")[1])
    assert document["schema"] == "aidns/artefact/1"
    assert document["artefact"]["text"] == artefact("open", "rpz").text


def test_a_template_is_a_regular_file_of_bounded_size(aidns: Run, tmp_path: Path) -> None:
    """A device never ends, a pipe that nobody writes to never begins."""
    os.mkfifo(tmp_path / "pipe.j2")
    (tmp_path / "large.j2").write_text("x" * (MAX_TEMPLATE + 1))
    for template in ("/dev/zero", str(tmp_path / "pipe.j2"), str(tmp_path / "large.j2")):
        code, out, err = aidns("render", "--policy", "open", "--format", "hosts", "--template", template)
        assert (code in (1, 4), out) == (True, "")
        assert "regular file" in err or "octets" in err


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--policy", "watch", "--format", "rpz"), "cannot log without blocking"),
        (("--policy", "guard", "--format", "pihole"), "cannot promise a negative answer"),
        (("--policy", "guard", "--format", "hosts"), "cannot promise a negative answer"),
        (("--policy", "office", "--format", "rpz-allow"), "below an exception"),
        (("--policy", "office", "--format", "pihole", "--strict"), "weakens"),
        (("--policy", "open", "--format", "windows-dns"), "cannot answer with nodata or null"),
    ],
)
def test_what_is_refused_leaves_stdout_empty(arguments: tuple[str, ...], why: str, aidns: Run) -> None:
    """Exit code 3, the reason and a tip on stderr: a shell redirect then holds nothing that looks like a list."""
    code, out, err = aidns("render", *arguments)
    assert (code, out) == (3, "")
    assert why in err
    assert "\ntip: " in err
    assert aidns("render", *arguments, "--json")[:2] == (3, "")


def test_an_expired_policy_is_refused(aidns: Run, tmp_path: Path) -> None:
    """Exit code 3 after its last day."""
    own = tmp_path / "ours.toml"
    block = '[[block]]\nname = "own.example"\nreason = "r"\n'
    own.write_text(f'schema = 1\ntitle = "x"\nextends = "open"\n{block}', "utf-8")
    _, found = explained(aidns, "www.own.example", "--policy", str(own))
    (hit,) = found["caught"]
    assert (hit["policy"], hit["answer"], hit["rule"]) == ("ours", "blocked", "own.example")


# ------------------------------------------------------------------ colours and terminals


def on_a_terminal(*arguments: str, **environment: str) -> bytes:
    """What the command prints on a terminal of its own."""
    parent, child = pty.openpty()
    env = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    process = subprocess.Popen(
        [*AIDNS, *arguments], stdin=child, stdout=child, stderr=child, env={**env, **environment}, close_fds=True
    )
    os.close(child)
    found = b""
    while True:
        try:
            more = os.read(parent, 65536)
        except OSError:  # Linux: the other end is closed
            break
        if not more:
            break
        found += more
    process.wait()
    os.close(parent)
    return found


def test_colours_appear_on_a_terminal_unless_unwanted() -> None:
    """NO_COLOR and --color never hold for tables and for errors alike."""
    for words in (("list", "formats"), ("show", "no-such-entry")):
        command = ("--catalog", str(ROOT), *words)
        assert b"\x1b[" in on_a_terminal(*command, TERM="xterm")
        assert b"\x1b[" not in on_a_terminal(*command, TERM="xterm", NO_COLOR="1")
        assert b"\x1b[" not in on_a_terminal("--color", "never", *command, TERM="xterm")


def test_colours_stay_out_of_pipes_unless_wanted(aidns: Run) -> None:
    """`--color always` before or behind the command."""
    assert "\x1b[" not in "".join(aidns("explain", "acme.example")[1:])
    assert aidns("--color", "always", "explain", "acme.example")[1].startswith("\x1b[1macme.example\x1b[0m: is listed")
    assert aidns("explain", "--color", "always", "acme.example")[1].startswith("\x1b[1macme.example")
    assert "\x1b[31merror" in aidns("--color", "always", "show", "nothing")[2]


def test_nothing_that_a_terminal_obeys_is_shown(aidns: Run, tmp_path: Path) -> None:
    """A catalogue that lint never saw: blanks stand where controls stood, in tables, outlines and explanations."""
    commands = [("list", what) for what in WHAT] + [("show", "acme-chat"), ("show", "acme"), ("lint",)]
    commands += [("explain", name) for name in ("api.acme.example", "x.cdn.example.org", "www.acme-fans.example")]
    free = ("title", "note", "says", "breaks", "separable_note", "also_known_as", "legal_names", "what", "who")
    for label in ("escape", "right-to-left", "newline and directive"):
        files = {}
        for path, text in SOUND.items():
            raw = tomllib.loads(text)
            for place in list(places(path, raw)):
                if place.key in free and path != "vocab.toml":
                    raw = planted(raw, place.path, BREAKING[label])
            files[path] = toml(raw)
        where = broken(tmp_path / label.replace(" ", "-"), **files)
        for command in commands:
            _, out, err = aidns("--catalog", where, *command)
            assert out, command
            for line in (out + err).split("\n"):
                assert line.replace("\t", " ").isprintable(), (command, line)
            assert not [line for line in out.split("\n") if line.startswith(("$INCLUDE", "||evil"))], command


def test_the_help_costs_no_heavy_import() -> None:
    """What only some commands need is imported there: dnspython, jinja2, requests, sqlite3, msgspec."""
    code = (
        "import sys, contextlib, io\nfrom aidns.cli import main\nsys.argv = ['aidns', '--help']\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n    main()\n"
        "print(sorted({'dns', 'jinja2', 'requests', 'sqlite3', 'msgspec', 'idna'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_the_version_costs_no_import_at_all(aidns: Run, option: str) -> None:
    """It is told before click is there, in the same words."""
    code = (
        "import sys\nfrom aidns.__main__ import main\nmain()\n"
        "print(sorted({'click', 're', 'pathlib', 'aidns.cli'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, option], capture_output=True, text=True, check=True)
    said = aidns(option)[1]
    assert done.stdout == f"{said}[]\n"
    module = [sys.executable, "-m", "aidns"]
    assert subprocess.run([*module, option], capture_output=True, text=True, check=True).stdout == said
    assert subprocess.run([*module, "list", "policy"], capture_output=True, check=False).returncode == 2


def test_every_format_can_be_asked_for(aidns: Run) -> None:
    """The ids that `aidns list formats` shows are those that `render` takes."""
    listed = [row["id"] for row in json.loads(aidns("list", "formats", "--json")[1])["formats"]]
    assert listed == list(FORMATS)
    for fmt in listed:
        assert aidns("render", "--policy", "open", "--format", fmt)[0] in (0, 3)
