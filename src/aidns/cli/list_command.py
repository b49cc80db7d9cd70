"""`aidns list`: the catalogue's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from aidns.cli.base import AidnsCommand, App, pass_app
from aidns.errors import UsageError

if TYPE_CHECKING:
    from aidns.listing import Listing

WHAT = ("services", "domains", "rejected", "providers", "policies", "measures", "formats")


@click.command("list", cls=AidnsCommand)
@click.argument("what", type=click.Choice(WHAT), required=False)
@click.option("--evidence", is_flag=True, help="Of `domains`: the strongest evidence and its date, the weakest first.")
@click.option("--stats", is_flag=True, help="Numbers in place of a table: what the catalogue holds, and knows.")
@pass_app
def command(app: App, what: str | None, evidence: bool, stats: bool) -> None:
    """List services, domains, policies and the other tables.

    Aligned on a terminal, tab-separated without a header in a pipe.
    """
    from aidns.cli.table import print_table

    if stats == bool(what):
        raise UsageError("name one table, or use --stats", tip=f"tables are {', '.join(WHAT)}")
    if evidence and what != "domains":
        raise UsageError("--evidence is about names", tip="aidns list domains --evidence")
    kind = what or "stats"
    listing = _listing(app, "evidence" if evidence else kind)
    if app.json:
        app.print_json({"schema": f"aidns/list-{kind}/1", kind: listing.objects})
    else:
        print_table(listing.header, listing.rows)


def _listing(app: App, kind: str) -> Listing:
    from aidns import listing, statistics

    catalog = app.load()
    if kind == "stats":
        return statistics.listing(statistics.statistics(catalog))
    if kind == "evidence":
        return listing.evidence(catalog)
    return listing.LISTINGS[kind](catalog)
