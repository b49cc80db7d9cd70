"""`aidns verify`: ask a running server whether it blocks what a policy says, and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aidns.cli.base import AidnsCommand, App, no_dash, now, pass_app, state_file

if TYPE_CHECKING:
    from aidns.model import BlockSet


@click.command("verify", cls=AidnsCommand)
@click.argument("server", metavar="SERVER[:PORT]")
@click.option(
    "--policy",
    required=True,
    metavar="ID|FILE",
    callback=no_dash,
    help="The policy whose list the server should have loaded.",
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="ID",
    help="What was loaded: its declared losses are then no leaks. Repeat.",
)
@click.option("--control", metavar="RESOLVER", help="A resolver without the list, asked where answers leave doubt.")
@click.option(
    "--control-name", default="example.com", show_default=True, metavar="NAME", help="A name that must resolve."
)
@click.option(
    "--alias",
    "aliases",
    multiple=True,
    metavar="NAME",
    help="A name outside the policy that leads to one inside (CNAME, HTTPS); repeat.",
)
@click.option("--rate", type=click.FloatRange(min=0), metavar="N", help="Queries a second at most; 0: no limit.")
@click.option("--scope", metavar="NAME", help="Client scope, where the policy has several; the first by default.")
@click.option("--state", type=click.Path(path_type=Path), metavar="FILE", help="What `check` remembers.")
@pass_app
def command(
    app: App,
    server: str,
    policy: str,
    formats: tuple[str, ...],
    control: str | None,
    control_name: str,
    aliases: tuple[str, ...],
    rate: float | None,
    scope: str | None,
    state: Path | None,
) -> int:
    """Ask SERVER about every rule of a policy and say what is blocked, leaks or is blocked too much.

    Each rule is asked for its name, fresh names below it, names that look alike and its exceptions, for A, AAAA, HTTPS
    and TXT, over UDP and TCP. The server's upstream sees only what it does not block. A name that no rule covers, and
    whose answer leads to a blocked one, leaks as well.

    \b
    blocked, open   as the policy says
    leaked          blocked by the policy, but real data or the zone's own denial came back
    over-blocked    not blocked by the policy, but by this server (perhaps by another list on it)
    declared        a loss that the format given with --format declares
    inconclusive    neither; --control RESOLVER settles most

    Exit codes: 1 when something leaks or is over-blocked or the list is not loaded, 4 when no answer tells anything.
    """
    import secrets

    from aidns.names import normalise
    from aidns.stub import parse_endpoint
    from aidns.verify.questions import plan
    from aidns.verify.report import document, table
    from aidns.verify.run import verify

    leading = [normalise(name) for name in aliases]
    report = verify(
        parse_endpoint(server),
        plan(_blockset(app, policy, scope, state), f"aidns-{secrets.token_hex(4)}", leading),
        formats=formats,
        control=parse_endpoint(control) if control else None,
        control_name=normalise(control_name),
        rate=rate,
        progress=_show_progress if sys.stderr.isatty() and app.verbosity >= 0 else None,
    )
    app.print_json(document(report)) if app.json else click.echo(table(report))
    return 0 if report.clean else 1


def _blockset(app: App, policy: str, scope: str | None, state: Path | None) -> BlockSet:
    """Return what a build would publish now: the server should say the same."""
    from aidns import pipeline

    at = now()
    catalog = pipeline.load_sound(app.catalog_dirs)
    memory = pipeline.remember(catalog, state_file(app, state), at)
    return pipeline.prepare(catalog, pipeline.find_policy(catalog, policy), at, memory, scope).blockset


def _show_progress(done: int, total: int) -> None:
    click.echo(f"\rasked {done} of {total}", err=True, nl=done == total)
