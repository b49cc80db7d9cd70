"""`aidns new`: a new service, question by question or by options, as canonical files of the catalogue."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aidns.cli.base import AidnsCommand, App, now, pass_app

if TYPE_CHECKING:
    from aidns.cli.wizard import Options


@click.command("new", cls=AidnsCommand)
@click.argument("what", type=click.Choice(["service"]))
@click.argument("entry_id", metavar="[ID]", required=False)
@click.option("--title", metavar="TEXT", help="The product's real name.")
@click.option("--provider", metavar="ID", help="Who offers it: a file of providers/, or a new one.")
@click.option("--provider-title", metavar="TEXT", help="Name of a provider that has no file yet.")
@click.option("--category", "categories", multiple=True, metavar="WORD", help="The main one first; repeat for more.")
@click.option("--homepage", metavar="URL", help="The page that people open.")
@click.option(
    "--domain", "domains", multiple=True, metavar="NAME:ROLE[:SCOPE]", help="A name of its own; repeat for more."
)
@click.option(
    "--breaks", "breaks", multiple=True, nargs=2, metavar="NAME TEXT",
    help="What else stops with this name: the vendor's other products, or its users' sites.",
)  # fmt: skip
@click.option(
    "--evidence", "evidence", multiple=True, nargs=5, metavar="NAME KIND URL SEEN SAYS",
    help="What shows that the name is theirs; SEEN is the date of the copy that you read, or undated.",
)  # fmt: skip
@pass_app
def command(
    app: App,
    what: str,
    entry_id: str | None,
    title: str | None,
    provider: str | None,
    provider_title: str | None,
    categories: tuple[str, ...],
    homepage: str | None,
    domains: tuple[str, ...],
    breaks: tuple[tuple[str, str], ...],
    evidence: tuple[tuple[str, str, str, str, str], ...],
) -> int:
    """Write a new service into the catalogue of the checkout you are in, or into --catalog DIR.

    Asks for what the options leave out, checks each answer against the rules of `aidns lint` at once, and never
    overwrites a file. A provider that is new gets a file, too, in which nothing is known yet.
    """
    from aidns.catalog.editing import directories_to_edit
    from aidns.cli.wizard import Options

    directories = directories_to_edit(app.catalog_dirs)
    given = Options(
        id=entry_id,
        title=title,
        provider=provider,
        provider_title=provider_title,
        categories=categories,
        homepage=homepage,
        domains=domains,
        breaks=dict(breaks),
        evidence=evidence,
    )
    return _write(app, directories, given)


def _write(app: App, directories: tuple[Path, ...], given: Options) -> int:
    """Write the files of the service that options and answers make; return 1 when lint still objects to it."""
    from aidns.catalog.draft import mended
    from aidns.catalog.editing import write_new
    from aidns.catalog.load import load
    from aidns.cli.wizard import Wizard

    loaded = load(directories)
    wizard = Wizard(loaded, dt.datetime.fromtimestamp(now(), dt.UTC).date())
    files, problems = mended(loaded, wizard.known, wizard.draft(given).files())
    written = {str(directories[-1] / path): text for path, text in files.items()}
    write_new({Path(file): text for file, text in written.items()})
    if app.json:
        app.print_json({"schema": "aidns/new/1", "files": list(written), "problems": problems})
    else:
        click.echo("\n".join(written))
        for problem in problems:
            click.echo(str(problem), err=True)
    return int(any(problem.level == "error" for problem in problems))
