"""`aidns prove`: load each list into the real server that reads it, in private, and verify it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aidns.cli.base import AidnsCommand, App, no_dash, now, pass_app, state_file
from aidns.errors import UsageError

if TYPE_CHECKING:
    from aidns.prove.matrix import Proof


@click.command("prove", cls=AidnsCommand)
@click.option(
    "--policy",
    "policies",
    multiple=True,
    metavar="ID|FILE",
    callback=no_dash,
    help="Only this policy; repeat for more.",
)
@click.option("--format", "formats", multiple=True, metavar="ID", help="Only this format; repeat for more.")
@click.option("--state", type=click.Path(path_type=Path), metavar="FILE", help="What `check` remembers.")
@click.option(
    "--report",
    "reports",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also write a report: FILE.md as a page, FILE.json as data. Repeat.",
)
@pass_app
def command(
    app: App, policies: tuple[str, ...], formats: tuple[str, ...], state: Path | None, reports: tuple[Path, ...]
) -> int:
    """Start the DNS servers of this machine in private, load each list, and ask about every rule.

    Nothing of the machine's own servers is read or touched, and no question leaves the machine. Servers that are not
    installed are named, with the packages that hold them.

    \b
    blocked, open   as the policy says
    leaked          blocked by the policy, but not by this server with this list
    over-blocked    not blocked by the policy, but by this server
    declared        a loss that the format declares

    Exit codes: 1 when something leaks, is over-blocked or a server refuses its list, 4 when no server is installed.
    """
    import secrets

    from aidns import pipeline
    from aidns.prove.matrix import document, table
    from aidns.prove.run import prove

    _check_reports(reports)
    at, nonce = now(), f"aidns-{secrets.token_hex(4)}"
    catalog = pipeline.load_sound(app.catalog_dirs)
    memory = pipeline.remember(catalog, state_file(app, state), at)
    progress = _show_progress if sys.stderr.isatty() and app.verbosity >= 0 else None
    proof = prove(catalog, policies, formats, memory, at, nonce, progress)
    _refuse_the_empty(proof)
    for path in reports:
        _write_report(path, proof)
    app.print_json(document(proof)) if app.json else click.echo(table(proof))
    return 0 if proof.clean else 1


def _refuse_the_empty(proof: Proof) -> None:
    if not proof.tried:
        raise UsageError("there is nothing to prove", tip=proof.cells[0].left_out if proof.cells else "")


def _check_reports(reports: tuple[Path, ...]) -> None:
    for path in reports:
        if path.suffix not in (".md", ".json"):
            raise UsageError(f"no report can be written to {path.name!r}", tip="name it FILE.md or FILE.json")


def _write_report(path: Path, proof: Proof) -> None:
    import msgspec

    from aidns.prove.matrix import document, markdown

    data = msgspec.json.format(msgspec.json.encode(document(proof), enc_hook=str), indent=2).decode() + "\n"
    path.write_text(markdown(proof) if path.suffix == ".md" else data, encoding="utf-8")


def _show_progress(done: int, total: int) -> None:
    click.echo(f"\rtried {done} of {total} lists", err=True, nl=done == total)
