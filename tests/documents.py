"""The parts of README.md and docs/ that a machine writes: outputs of commands, and tables.

    python -m tests.documents      write them all anew (`make docs`)

A block fenced as `console` is a session: after each line that begins with `$ ` stands what the command really prints,
standard output and error together. The commands of one page run in one folder that is empty at first; a file that the
page shows after `<!-- file: NAME -->` lies in it. Between `<!-- table: NAME -->` and `<!-- end -->` stands a table.

What would differ from run to run is fixed: the time by SOURCE_DATE_EPOCH, and the two addresses below. A real unbound
with the lists that the page has built answers for SERVER, an upstream that knows every name for RESOLVER.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType

from aidns import blockset
from aidns.catalog.load import load_or_fail
from aidns.lab.servers import missing, start
from aidns.lab.upstream import Upstream
from aidns.listing import LISTINGS
from aidns.render.docs import formats_page
from aidns.render.formats import FORMATS
from aidns.statistics import listing as statistics_listing
from aidns.statistics import statistics

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
EPOCH = 1795305600
"""2026-11-22 00:00 UTC."""
SERVER = "10.0.0.53"
RESOLVER = "192.0.2.53"
POLICY = "deepseek-org"
"""What the server at SERVER has loaded, as an unbound local-zone list."""

SESSION = re.compile(r"(?<=^```console\n)(.*?)(?=^```$)", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^<!-- file: (\S+) -->\n+```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TABLE = re.compile(r"(?<=^<!-- table: )([\w-]+)( -->\n).*?(?=^<!-- end -->$)", re.MULTILINE | re.DOTALL)


class Sandbox:
    """A folder and an environment in which the commands of one page run, and the servers they talk to."""

    def __init__(self, files: dict[str, str]) -> None:
        self._stack = ExitStack()
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="aidns-docs-")))
        self.home = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="aidns-docs-")))
        for name, text in files.items():
            (self.folder / name).write_text(text, encoding="utf-8")
        self._ports: dict[str, int] = {}

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def run(self, command: str) -> str:
        """Return what a command prints, with the addresses that the page shows."""
        real = {address: f"127.0.0.1:{self._port(address)}" for address in (SERVER, RESOLVER) if address in command}
        for shown, address in real.items():
            command = command.replace(shown, address)
        environment = {
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))),
            "HOME": str(self.home),
            "XDG_STATE_HOME": str(self.home),
            "SOURCE_DATE_EPOCH": str(EPOCH),
            "COLUMNS": "100",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
        }
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            check=False,
        )
        printed = done.stdout
        for shown, address in real.items():
            printed = printed.replace(address, shown)
        return printed.replace(f"{self.home}/", "~/.local/state/")

    def _port(self, address: str) -> int:
        if address not in self._ports:
            upstream = self._stack.enter_context(Upstream())
            self._ports[address] = upstream.port
            if address == SERVER:
                lists = [self.folder / "dist" / POLICY / "unbound.conf"]
                canary = blockset.canary(POLICY)
                server = self._stack.enter_context(start("unbound", lists, upstream=upstream.port, canary=canary))
                self._ports[address] = server.port
        return self._ports[address]


def needs_server(text: str) -> tuple[str, ...]:
    """Return the programs that a page's sessions need and this machine lacks."""
    return missing("unbound") if any(SERVER in session for session in SESSION.findall(text)) else ()


def refreshed(text: str) -> str:
    """Return a page with its sessions run and its tables made anew."""
    with Sandbox(dict(FILE.findall(text))) as sandbox:
        text = SESSION.sub(lambda match: "".join(_replayed(match[0], sandbox)), text)
    return TABLE.sub(lambda match: f"{match[1]}{match[2]}{TABLES[match[1]]()}\n", text)


def commands(session: str) -> list[str]:
    """Return the commands of a session; one that ends in a backslash goes on in the next line."""
    found: list[str] = []
    lines = iter(session.splitlines())
    for line in lines:
        if line.startswith("$ "):
            command = line[2:]
            while command.endswith("\\"):
                command += "\n" + next(lines)
            found.append(command)
    return found


def _replayed(session: str, sandbox: Sandbox) -> Iterator[str]:
    for command in commands(session):
        printed = sandbox.run(command)
        yield f"$ {command}\n{printed}" + ("" if printed.endswith("\n") or not printed else "\n")


def formats_table() -> str:
    """Return the formats: id, file, consumers and what a listed name covers."""
    rows = [
        (f"`{f.id}`", f"`{f.file_name}`", "<br>".join(f.consumers), f.covers.replace("||", r"\|\|"))
        for f in FORMATS.values()
    ]
    return _table(("format", "file", "works with", "covers"), rows)


def policies_table() -> str:
    """Return the shipped policies: id, title, action."""
    rows = [(f"`{p['id']}`", p["title"], p["action"]) for p in LISTINGS["policies"](load_or_fail()).objects]
    return _table(("policy", "what it is for", "action"), rows)


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, ("---",) * len(header), *rows))


STATISTICS = {
    "all": ("all",),
    "category": ("category",),
    "country": ("registered in", "parent in"),
    "names": ("role", "scope", "sharing", "confidence"),
    "evidence": ("strongest evidence",),
    "unknown": ("unknown",),
    "measures": ("measure status", "measure strength"),
}
"""Table of docs/catalog.md -> groups of `aidns list --stats`."""


def statistics_table(*groups: str) -> str:
    """Return the numbers of some groups; what tells rows apart is a column, what all of them share the header."""
    listing = statistics_listing(row for row in statistics(load_or_fail()) if row.group in groups)
    of = {row[3] for row in listing.rows}
    header = ("by", "", "count", "of", "share") if len(of) > 1 else ("by", "", *of, "", "share")
    kept = [i for i in range(5) if len({row[i] for row in listing.rows}) > 1 or i == 1]
    rows = [tuple(row[i].replace("_", " ") for i in kept) for row in listing.rows]
    return _table(tuple(header[i] for i in kept), rows)


TABLES: dict[str, Callable[[], str]] = {
    "formats": formats_table,
    "formats-page": lambda: f"\n{formats_page()}\n",
    "policies": policies_table,
    **{f"stats-{name}": partial(statistics_table, *groups) for name, groups in STATISTICS.items()},
}


def main() -> None:
    """Write every page anew."""
    for page in PAGES:
        before = page.read_text(encoding="utf-8")
        after = refreshed(before)
        if after != before:
            page.write_text(after, encoding="utf-8")
            sys.stderr.write(f"{page.relative_to(ROOT)}: rewritten\n")


if __name__ == "__main__":
    main()
