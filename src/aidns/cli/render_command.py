"""`aidns render`: one policy in one format, on stdout."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aidns.cli.base import AidnsCommand, App, no_dash, now, pass_app, state_file
from aidns.errors import UnsafeError, UsageError

if TYPE_CHECKING:
    from aidns.model import Catalog, Policy
    from aidns.pipeline import Memory
    from aidns.render.base import Format


@click.command("render", cls=AidnsCommand)
@click.option(
    "--policy",
    required=True,
    metavar="ID|FILE",
    callback=no_dash,
    help="A shipped policy's id, or your own policy file.",
)
@click.option("--format", "format_id", required=True, metavar="ID", help="See `aidns list formats`.")
@click.option("--scope", metavar="NAME", help="Client scope, where the policy has several; the first by default.")
@click.option(
    "--zone", default="", metavar="NAME", help="Name of the policy zone: a short one leaves room for longer names."
)
@click.option(
    "--template", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path), metavar="FILE",
    callback=no_dash, help="Your own Jinja template instead of the format's.",
)  # fmt: skip
@click.option("--state", type=click.Path(path_type=Path), metavar="FILE", help="What `check` remembers.")
@click.option("--strict", is_flag=True, help="Refuse when the format had to weaken a rule.")
@pass_app
def command(
    app: App,
    policy: str,
    format_id: str,
    scope: str | None,
    zone: str,
    template: Path | None,
    state: Path | None,
    strict: bool,
) -> None:
    """Print one policy in one format; nothing else reaches stdout.

    Never asks the network. Exits 3 and prints nothing when the format cannot express the policy.
    """
    from aidns import pipeline
    from aidns.publish.describe import weakened_lines
    from aidns.publish.serials import stamp
    from aidns.render.formats import find, refuse_zone

    at = now()
    fmt = find(format_id)
    refuse_zone(zone, (fmt,))
    catalog = pipeline.load_sound(app.catalog_dirs)
    memory = pipeline.remember(catalog, state_file(app, state), at)
    chosen = pipeline.find_policy(catalog, policy)
    if chosen.list and write_large(app, catalog, chosen, fmt, at, memory, scope, template, zone, strict=strict):
        return
    prepared = pipeline.prepare(catalog, chosen, at, memory, scope)
    made = pipeline.artefact(catalog, prepared, fmt, memory, lambda digest: stamp(None, "", digest, at), template, zone)
    for warning in (*prepared.notes, *weakened_lines((made,))):
        app.warn(warning)
    if strict and made.weakened:
        raise UnsafeError(f"{fmt.id} weakens rules", tip="leave --strict out to accept the losses named above")
    app.print_json({"schema": "aidns/artefact/1", "artefact": made}) if app.json else click.echo(made.text, nl=False)


def write_large(
    app: App,
    catalog: Catalog,
    policy: Policy,
    fmt: Format,
    at: int,
    memory: Memory,
    scope: str | None,
    template: Path | None,
    zone: str,
    *,
    strict: bool,
) -> bool:
    """Write a policy with large lists of its own on stdout, block by block; False when they are not large.

    Raises UsageError with --json, UnsafeError when `strict` forbids a loss.
    """
    from aidns.lists.own import is_large
    from aidns.merging import merge

    if not is_large(policy.list):
        return False
    if app.json:
        raise UsageError("lists as large as this policy's are not written as JSON", tip="leave --json out")
    made = merge(catalog, policy, fmt, at, memory, scope, template, zone)
    losses = made.document.weakened
    for warning in (*made.notes, *(f"{fmt.id}: {w.count:,} {w.what} rules ({w.direction}): {w.note}" for w in losses)):
        app.warn(warning)
    if strict and losses:
        raise UnsafeError(f"{fmt.id} weakens rules", tip="leave --strict out to accept the losses named above")
    for block in made.blocks(at):
        sys.stdout.buffer.write(block)
    sys.stdout.buffer.flush()
    return True
