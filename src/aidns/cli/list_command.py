"""`aidns list`: the catalogue's tables."""

from __future__ import annotations

import click

from aidns.cli.base import AidnsCommand, App, pass_app

WHAT = ("services", "domains", "rejected", "providers", "policies", "measures", "formats")


@click.command("list", cls=AidnsCommand)
@click.argument("what", type=click.Choice(WHAT))
@pass_app
def command(app: App, what: str) -> None:
    """List services, domains, policies and the other tables.

    Aligned on a terminal, tab-separated without a header in a pipe.
    """
    from aidns.cli.table import print_table
    from aidns.listing import LISTINGS

    listing = LISTINGS[what](app.load())
    if app.json:
        app.print_json({"schema": f"aidns/list-{what}/1", what: listing.objects})
    else:
        print_table(listing.header, listing.rows)
