"""`aidns merge`: put what several runs of check remember together."""

from __future__ import annotations

from pathlib import Path

import click

from aidns.cli.base import AidnsCommand, App, pass_app


@click.command("merge", cls=AidnsCommand)
@click.argument("out", type=click.Path(path_type=Path, allow_dash=True))
@click.argument("states", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True), metavar="STATE...")
@pass_app
def command(app: App, out: Path, states: tuple[Path, ...]) -> None:
    """Put what several runs of check remember together: shards, other machines, other places.

    STATE is a state file or JSON Lines (- is standard input). OUT is written as JSON Lines when it is - (standard
    output) or ends in .jsonl, else as a state file; what it holds already stays. Order, grouping and repetition make
    no difference.
    """
    from aidns.lookup.files import read_memory, write_memory

    spans = [span for state in states for span in read_memory(state)]
    held = write_memory(out, spans)
    app.say(f"{len(spans)} spans read from {len(states)} file(s); {out} holds {held}")
