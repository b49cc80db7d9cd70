"""README and docs/ say what the program does: sessions are replayed, and names in the text are looked up."""

from __future__ import annotations

import ast
import difflib
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from aidns.catalog.load import load
from aidns.cli import COMMANDS, cli
from aidns.pipeline import find_policy
from aidns.render.formats import FORMATS
from require import skip_or_fail
from tests import documents
from tests.documents import PAGES, ROOT, SESSION, commands

README = (ROOT / "README.md").read_text(encoding="utf-8")
TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in PAGES}
SRC = ROOT / "src" / "aidns"
MAX_README = 260

every_page = pytest.mark.parametrize("page", TEXTS)


@every_page
def test_sessions_and_tables_are_real(page: str) -> None:
    """What a page shows as output of a command is its output."""
    text = TEXTS[page]
    if lacking := documents.needs_server(text):
        skip_or_fail(f"not installed: {', '.join(lacking)}")
    now = documents.refreshed(text)
    diff = "\n".join(
        difflib.unified_diff(text.splitlines(), now.splitlines(), page, "what is printed now", lineterm="")
    )
    assert now == text, f"`make docs` writes it anew\n{diff}"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_shown_and_has_help(command: str) -> None:
    """README or docs/commands.md shows each command with its output, and each explains itself and its options."""
    pages = README + (ROOT / "docs" / "commands.md").read_text("utf-8")
    shown = [line for session in SESSION.findall(pages) for line in commands(session)]
    assert any(re.search(rf"\baidns {command}\b", line) for line in shown)
    found = CliRunner().invoke(cli, [command, "--help"])
    assert found.exit_code == 0
    listed = cli.get_command(None, command)  # type: ignore[arg-type]
    assert listed is not None and listed.help
    assert [p.name for p in listed.params if getattr(p, "help", "") is None and p.param_type_name == "option"] == []


def test_readme_can_be_read_at_once() -> None:
    """It stays short; more belongs into docs/."""
    assert len(README.splitlines()) <= MAX_README


def test_readme_names_every_format_and_policy() -> None:
    """Who looks for a format or a policy finds it."""
    wanted = {*FORMATS, *load().catalog.policies}
    assert {name for name in wanted if f"`{name}`" not in README} == set()


def test_own_policy_of_the_readme_is_sound(tmp_path: Path) -> None:
    """The example can be copied: it loads without a problem, extends a preset and has what the text says it has."""
    ((name, text),) = documents.FILE.findall(README)
    (tmp_path / name).write_text(text, encoding="utf-8")
    loaded = load()
    policy = find_policy(loaded.catalog, str(tmp_path / name))
    assert tomllib.loads(text)["extends"] in loaded.catalog.policies
    assert policy.allow and policy.exception and policy.block
    assert all(allow.expires for allow in policy.allow) and all(exception.expires for exception in policy.exception)


@every_page
def test_make_targets_exist(page: str) -> None:
    """`make x` in a text is a target of the Makefile, documented by `make help`."""
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)\b(?=[`\s]*(?:$|[`#(=]))", TEXTS[page], re.MULTILINE)) <= targets
    assert set(re.findall(r"`make ([a-z-]+)", TEXTS[page])) <= targets


def test_make_alone_lists_what_people_need() -> None:
    """Bare `make` changes nothing and names every door."""
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    wanted = [
        "help",
        "setup",
        "lists",
        "lint",
        "test",
        "test-servers",
        "bench",
        "smoke",
        "fmt",
        "check",
        "docs",
        "clean",
    ]
    assert {target for target in wanted if not re.search(rf"^  make {target} +\S", listed, re.MULTILINE)} == set()


def test_the_program_names_pages_that_exist() -> None:
    """A page of docs/ that a message, a help text or a comment sends people to is there."""
    source = "".join(path.read_text(encoding="utf-8") for path in SRC.rglob("*.py"))
    named = set(re.findall(r"\bdocs/[\w-]+\.md\b", source))
    assert {page for page in named if not (ROOT / page).exists()} == set()


@every_page
def test_links_lead_somewhere(page: str) -> None:
    """A link to a file of the repository finds it."""
    folder = (ROOT / page).parent
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", TEXTS[page])
    assert [target for target in targets if not (folder / target).exists()] == []


@every_page
def test_options_exist(page: str) -> None:
    """`--option` after `aidns command`, in a session or in the text, is one of that command's."""
    for command, rest in re.findall(r"\baidns ([a-z]+)\b([^`\n|&;]*)", TEXTS[page]):
        if (found := cli.get_command(None, command)) is None:  # type: ignore[arg-type]
            continue
        known = {option for param in found.params for option in param.opts} | {"--help"}
        assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", rest)) <= known, f"aidns {command}"


def test_lifecycle_names_what_exists() -> None:
    """Every `module.name` of docs/lifecycle.md is there, so that a reader can go and look."""
    named = set(re.findall(r"`([a-z_]+(?:\.[A-Za-z_]+)+)`", TEXTS["docs/lifecycle.md"]))
    named = {name for name in named if not name.endswith((".py", ".toml", ".j2", ".json"))}
    assert len(named) > 30
    assert {name for name in named if not _exists(name)} == set()


def _exists(dotted: str) -> bool:
    """Tell whether `package.module.name` or `module.Class` exists below src/aidns, by reading the source."""
    *parts, last = dotted.split(".")
    folder = SRC.joinpath(*parts)
    if folder.joinpath(f"{last}.py").exists() or folder.joinpath(last, "__init__.py").exists():
        return True
    for module in (folder.with_suffix(".py"), folder / "__init__.py"):
        if module.exists():
            tree = ast.parse(module.read_text(encoding="utf-8"))
            defined = {
                node.name
                for node in tree.body
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            }
            imported = {
                alias.asname or alias.name
                for node in tree.body
                if isinstance(node, ast.ImportFrom)
                for alias in node.names
            }
            if last in defined | imported:
                return True
    return False


def test_dependencies_are_explained() -> None:
    """docs/dependencies.md has a row for each run-time dependency, and none for another."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {re.split(r"[<>=\[; ]", one)[0] for one in project["dependencies"]}
    table = re.findall(r"^\| ([a-z0-9]+) \|", TEXTS["docs/dependencies.md"], re.MULTILINE)
    assert set(table) - {"package"} == declared


@pytest.mark.parametrize("document", ["docs/dependencies.md", "docs/lifecycle.md"])
def test_named_files_exist(document: str) -> None:
    """Paths of the source in a text exist."""
    paths = re.findall(r"`((?:[a-z_]+/)+[\w.-]*|[a-z_]+\.py)`", TEXTS[document])
    roots = (SRC, ROOT)
    assert [path for path in paths if not any((root / path).exists() for root in roots)] == []
