"""`aidns diff`: what a build would change, or how two builds differ."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from aidns.cli.base import AidnsCommand, App, now, pass_app
from aidns.errors import UsageError


@click.command("diff", cls=AidnsCommand)
@click.argument("old", required=False, type=click.Path(exists=True, path_type=Path))
@click.argument("new", required=False, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--base",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Compare catalogues in place of builds: this one with the one in use.",
)
@click.option("--state", type=click.Path(path_type=Path), metavar="FILE", help="What `check` remembers.")
@click.option("--exit-code", is_flag=True, help="Exit 1 when something differs.")
@pass_app
def command(
    app: App, old: Path | None, new: Path | None, base: Path | None, state: Path | None, exit_code: bool
) -> int:
    """Show what a build would change, or how two builds differ, list by list and name by name.

    OLD and NEW are output directories, builds in them, or manifests. Without NEW, OLD (default: dist) is compared
    with what `aidns build` would publish now.

    With --base the two are catalogues: what differs between DIR and the one in use (--catalog), by service, in Markdown
    that a bot can post. `git worktree add ../base main` makes such a DIR of a revision: ../base/catalog.
    """
    if base is not None:
        return int(_diff_catalogues(app, base, old) and exit_code)
    from aidns.cli.build_command import make_plan
    from aidns.publish.compare import compare
    from aidns.publish.describe import change_lines
    from aidns.publish.manifest import Published
    from aidns.publish.published import read, read_manifest

    if new is not None and old is not None:
        changes = compare(read_manifest(old), read_manifest(new))
    else:
        published = Published(manifest=read_manifest(old)) if old else read(Path("dist"))
        changes = make_plan(app, published, state=state).changes
    if app.json:
        app.print_json({"schema": "aidns/diff/1", "changes": changes})
    else:
        click.echo("\n".join(change_lines(changes)) or "nothing differs")
    return int(exit_code and bool(changes))


def _diff_catalogues(app: App, base: Path, build: Path | None) -> bool:
    """Print how the catalogue in use differs from another one; tell whether it does."""
    from aidns.catalog.compare import compare
    from aidns.catalog.compare_text import markdown
    from aidns.catalog.load import load_or_fail

    if build is not None:
        raise UsageError("--base compares catalogues, OLD and NEW are builds", tip="give one or the other")
    change = compare(load_or_fail((base,)), app.load(), dt.datetime.fromtimestamp(now(), dt.UTC).date())
    if app.json:
        app.print_json({"schema": "aidns/catalog-diff/1", "differs": bool(change), "changes": change})
    else:
        click.echo(markdown(change), nl=False)
    return bool(change)
