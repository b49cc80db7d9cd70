"""`aidns lint`: every fault of the catalogue."""

from __future__ import annotations

import click

from aidns.cli.base import AidnsCommand, App, pass_app


@click.command("lint", cls=AidnsCommand)
@pass_app
def command(app: App) -> int:
    """Find every fault of the catalogue, with file, line and a tip.

    Exit 1 when there are errors; warnings alone are fine.
    """
    from aidns.catalog.lint import lint
    from aidns.catalog.load import load

    loaded = load(app.catalog_dirs)
    problems = lint(loaded)
    errors = sum(problem.level == "error" for problem in problems)
    if app.json:
        app.print_json({"schema": "aidns/lint/1", "problems": problems})
    else:
        for problem in problems:
            click.echo(str(problem))
    catalog = loaded.catalog
    counted = f"{len(catalog.services)} services, {len(catalog.names)} names, {len(catalog.policies)} policies"
    app.say(f"{counted}: {errors} error(s), {len(problems) - errors} warning(s)")
    return 1 if errors else 0
