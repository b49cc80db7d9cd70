"""The shape of the source: who may import whom, who may touch the world, how long things may get.

Read with `ast`, so that a breach is found where it is written and not where it happens to be run.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src" / "aidns"

LAYERS: tuple[tuple[str, ...], ...] = (
    ("errors", "rdata"),
    ("data", "names", "wire"),
    ("psl", "stub"),
    ("model",),
    ("evidence",),
    ("selectors", "blockset", "verdict", "lookup"),
    ("allowances", "lists"),
    ("policy",),
    ("catalog", "explain"),
    ("render",),
    ("publish", "verify", "lab", "listing", "showing", "statusing", "candidates", "audit"),
    ("pipeline", "statistics"),
    ("prove", "merging", "pihole"),
    ("cli",),
    ("__main__",),
)
"""Units (top-level modules and packages), lowest first: a unit imports from itself and from lower lines only."""
RANK = {unit: rank for rank, line in enumerate(LAYERS) for unit in line}

HOMES = {
    "asyncio": ("aidns.lookup",),
    "click": ("aidns.cli",),
    "dns": ("aidns.lookup.transport",),
    "idna": ("aidns.names",),
    "jinja2": ("aidns.render.artefact",),
    "publicsuffixlist": ("aidns.psl",),
    "requests": ("aidns.lists.fetch", "aidns.lookup.redirects"),
    "socket": ("aidns.lab", "aidns.lookup.redirects", "aidns.lookup.udp", "aidns.stub"),
    "sqlite3": ("aidns.lookup.state",),
    "ssl": ("aidns.lookup.transport",),
    "subprocess": ("aidns.lab",),
    "tomli": ("aidns.catalog.reader",),
}
"""Libraries that live in one place, so that replacing one is an edit of one place."""

MAX_MODULE, MAX_FUNCTION, MAX_COMMAND = 300, 50, 20
"""Lines: of a module, of a function without its docstring, of a command's body."""

TOUCHES_WORLD = {
    *("open", "print", "input"),
    *("read_text", "read_bytes", "write_text", "write_bytes", "iterdir", "glob", "rglob", "mkdir", "unlink", "rename"),
    *("exists", "is_file", "is_dir", "is_symlink", "stat", "touch", "symlink_to", "hardlink_to", "readlink"),
    *("urlopen", "getenv", "expanduser", "cwd", "sleep"),
}
"""Names of calls that read or change something outside the program."""
CLOCKS = {("time", "time"), ("time", "time_ns"), ("datetime", "now"), ("datetime", "utcnow"), ("date", "today")}
CLOCK_HOME = "aidns.cli.base"
IO_MARK = re.compile(r"\[I/O(: [^\]]+)?\]$")


def module_name(path: Path) -> str:
    parts = path.relative_to(SRC.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(SRC.rglob("*.py"))}
every_module = pytest.mark.parametrize("module", MODULES)


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def first_line(module: str) -> str:
    return (ast.get_docstring(tree(module)) or "").partition("\n")[0]


def unit(module: str) -> str:
    """The top-level module or package below `aidns` that holds it; empty for `aidns` itself."""
    return module.partition("aidns.")[2].partition(".")[0]


def imports(module: str) -> Iterator[str]:
    """Yield what a module imports at run time, imports inside functions included."""
    for node in without_type_checking(tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{module} has a relative import"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in MODULES else node.module


def without_type_checking(node: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree, leaving out what stands below `if TYPE_CHECKING:`."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING"):
            yield from without_type_checking(child)


def functions(module: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(function: ast.FunctionDef | ast.AsyncFunctionDef, *, body_only: bool = False) -> int:
    """Lines of a function without its docstring; `body_only` leaves out its signature, too."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    if not body:
        return 0
    lines = (function.end_lineno or 0) - body[0].lineno + 1
    return lines if body_only else lines + function.body[0].lineno - function.lineno


@every_module
def test_a_unit_imports_only_from_lower_layers(module: str) -> None:
    """Everything below the command line can be used and tested without what is above it."""
    own = unit(module)
    if not own:
        return
    assert own in RANK, f"give {own} a place in LAYERS"
    higher = {
        name
        for name in imports(module)
        if name.startswith("aidns.") and unit(name) != own and RANK[unit(name)] >= RANK[own]
    }
    assert not higher, f"{module} imports from its own layer or above"


@every_module
def test_a_library_is_used_in_its_home_only(module: str) -> None:
    """dnspython, Jinja, click and the like each live in one place."""
    strays = {
        name
        for name in imports(module)
        if (homes := HOMES.get(name.partition(".")[0]))
        and not any(module == home or module.startswith(home + ".") for home in homes)
    }
    assert not strays


def test_declared_dependencies_are_those_that_are_imported() -> None:
    """No package is installed for nothing, and none is used that somebody else's dependency happens to bring."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {re.split(r"[<>=\[; ]", one)[0] for one in project["dependencies"]}
    used = {name.partition(".")[0] for module in MODULES for name in imports(module)}
    outside = {"dnspython" if name == "dns" else name for name in used} - {"aidns"}
    from sys import stdlib_module_names

    assert declared == outside - stdlib_module_names


@every_module
def test_only_marked_modules_touch_the_world(module: str) -> None:
    """A module that reads files, sockets or the environment says [I/O] in the first line of its docstring."""
    if IO_MARK.search(first_line(module)) or unit(module) == "cli":
        return
    calls = {name for node in ast.walk(tree(module)) if isinstance(node, ast.Call) and (name := called(node))}
    worldly = {"os", "shutil", "socket", "subprocess", "sqlite3", "tempfile", "asyncio"} & {*imports(module)}
    assert not calls & TOUCHES_WORLD and not worldly, "mark the module [I/O], or hand the value in"


def called(node: ast.Call) -> str:
    """The last word of what is called."""
    match node.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


@every_module
def test_one_clock(module: str) -> None:
    """`aidns.cli.base.now` reads the clock; everything else is told what time it is."""
    read = {
        (owner, node.attr)
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Attribute)
        and (owner := node.value.id if isinstance(node.value, ast.Name) else getattr(node.value, "attr", ""))
    }
    assert not read & CLOCKS or module == CLOCK_HOME


@every_module
def test_nothing_prints_behind_the_command_line(module: str) -> None:
    """Data and talk go through click, which knows stdout from stderr and colours from pipes."""
    assert "print" not in {called(node) for node in ast.walk(tree(module)) if isinstance(node, ast.Call)}


@every_module
def test_sizes(module: str) -> None:
    """A module can be read in one sitting, a function in one glance, a command's body is a table of contents."""
    assert len(MODULES[module].read_text(encoding="utf-8").splitlines()) <= MAX_MODULE
    assert {f.name: length(f) for f in functions(module) if length(f) > MAX_FUNCTION} == {}
    if module.endswith("_command"):
        bodies = {f.name: length(f, body_only=True) for f in functions(module) if f.name == "command"}
        assert {name: lines for name, lines in bodies.items() if lines > MAX_COMMAND} == {}


@every_module
def test_what_is_public_is_documented(module: str) -> None:
    """Every module, and every class and function without a leading underscore at its top level, says what it is."""
    assert first_line(module)
    silent = [
        node.name
        for node in tree(module).body
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert not silent


def test_layers_name_what_exists() -> None:
    """A unit that is gone leaves the table, too."""
    assert set(RANK) == {unit(module) for module in MODULES} - {""}
