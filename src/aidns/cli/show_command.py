"""`aidns show`: one entry of the catalogue, whole."""

from __future__ import annotations

import click

from aidns.cli.base import AidnsCommand, App, pass_app

KINDS = ("service", "provider", "policy", "measure", "format")


@click.command("show", cls=AidnsCommand)
@click.argument("entry_id", metavar="ID")
@click.option("--kind", type=click.Choice(KINDS), help="Where an id names more than one thing.")
@pass_app
def command(app: App, entry_id: str, kind: str | None) -> None:
    """Show one service, provider, policy, measure or format whole.

    A policy is shown with what it extends written out. An id that names several things shows each.
    """
    from aidns.showing import find_entries, outline

    entries = find_entries(app.load(), entry_id, kind)
    if app.json:
        app.print_json({"schema": "aidns/show/1", "entries": [{"kind": k, **document} for k, document in entries]})
        return
    for found_kind, document in entries:
        click.echo(click.style(f"{found_kind} {entry_id}", bold=True))
        for line in outline(document):
            click.echo(f"  {line}")
