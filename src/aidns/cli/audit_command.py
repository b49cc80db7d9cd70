"""`aidns audit`: what is wrong with anybody's list."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from aidns.cli.base import AidnsCommand, App, pass_app
from aidns.errors import UsageError

MAX_OCTETS = 1 << 30
"""Octets of one list: more than any list that a server could hold."""


@click.command("audit", cls=AidnsCommand)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True), metavar="FILE...")
@click.option("--as", "syntax", metavar="SYNTAX", help="Its syntax; found out by default.")
@click.option("--previous", type=click.Path(path_type=Path), metavar="FILE", help="An older edition of the list.")
@click.option("--zone", default="", metavar="NAME", help="The name that a policy zone is loaded as.")
@pass_app
def command(app: App, files: tuple[Path, ...], syntax: str | None, previous: Path | None, zone: str) -> int:
    """Find holes, faults and collateral in anybody's list, by what real servers make of it.

    FILE is a list, `-` reads stdin. SYNTAX is one of domains, hosts, adblock, dnsmasq, rpz, unbound.

    Errors let names pass, break a server or hit bystanders; warnings waste or confuse; notes tell what a list is.
    Nothing is asked on the network, and nothing in a list is run.

    Exit codes: 1 when a list has errors or warnings, 4 when a file cannot be read.
    """
    from aidns.audit import report
    from aidns.audit.run import audit, find_syntax, protected_names

    told = find_syntax(syntax) if syntax else None
    _check_previous(files, previous)
    protected = protected_names(app.load())
    old = _octets(previous) if previous else None
    audits = [audit(_octets(f), str(f), protected, syntax=told, zone=zone, previous=old) for f in files]
    app.print_json(report.document(audits)) if app.json else click.echo(report.text(audits))
    return 0 if all(one.clean for one in audits) else 1


def _check_previous(files: tuple[Path, ...], previous: Path | None) -> None:
    if previous and len(files) > 1:
        raise UsageError("--previous is about one list", tip="audit one FILE at a time with it")


def _octets(path: Path) -> bytes:
    """Return a list's octets. Raises UsageError for one that is too big, OSError for one that cannot be read."""
    if str(path) == "-":
        data = sys.stdin.buffer.read(MAX_OCTETS + 1)
    else:
        with path.open("rb") as file:
            data = file.read(MAX_OCTETS + 1)
    if len(data) > MAX_OCTETS:
        raise UsageError(f"{path.name} is larger than {MAX_OCTETS >> 20} MiB")
    return data
