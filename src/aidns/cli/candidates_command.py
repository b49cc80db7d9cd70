"""`aidns candidates`: names that answers led to, for curators."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from aidns.cli.base import AidnsCommand, App, pass_app, state_file


@click.command("candidates", cls=AidnsCommand)
@click.option("--state", type=click.Path(path_type=Path), metavar="FILE", help="What `check` remembers.")
@pass_app
def command(app: App, state: Path | None) -> None:
    """List names that answers led to and nobody has judged: aliases, HTTPS records, redirects, siblings.

    They are grouped by the service whose names led there, and never become rules by themselves. What is listed,
    rejected or shared infrastructure is left out.
    """
    from aidns.candidates import KINDS, candidates
    from aidns.cli.table import print_table
    from aidns.lookup.state import read_spans

    found = candidates(app.load(), read_spans(state_file(app, state)))
    if app.json:
        app.print_json({"schema": "aidns/candidates/1", "kinds": KINDS, "candidates": found})
        return
    rows = [
        (service, one.name, ", ".join(one.kinds), ", ".join(one.via), _date(one.first), _date(one.last))
        for service, group in found.items()
        for one in group
    ]
    print_table(("service", "name", "how", "through", "first", "last"), rows)
    app.say(f"{len(rows)} to judge" if rows else "no name to judge: `aidns check` gathers them, more with --http")


def _date(moment: int) -> str:
    return dt.datetime.fromtimestamp(moment, dt.UTC).date().isoformat()
