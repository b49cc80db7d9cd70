"""`aidns diff`: what a build would change, or how two builds differ."""

from __future__ import annotations

from pathlib import Path

import click

from aidns.cli.base import AidnsCommand, App, pass_app


@click.command("diff", cls=AidnsCommand)
@click.argument("old", required=False, type=click.Path(exists=True, path_type=Path))
@click.argument("new", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--state", type=click.Path(path_type=Path), metavar="FILE", help="What `check` remembers.")
@click.option("--exit-code", is_flag=True, help="Exit 1 when something differs.")
@pass_app
def command(app: App, old: Path | None, new: Path | None, state: Path | None, exit_code: bool) -> int:
    """Show what a build would change, or how two builds differ, list by list and name by name.

    OLD and NEW are output directories, builds in them, or manifests. Without NEW, OLD (default: dist) is compared
    with what `aidns build` would publish now.
    """
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
