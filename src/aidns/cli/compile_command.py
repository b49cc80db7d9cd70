"""`aidns compile`: anybody's lists in any format, without a catalogue."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aidns.cli.base import AidnsCommand, App, now, pass_app
from aidns.errors import DataError, UnsafeError, UsageError

if TYPE_CHECKING:
    from aidns.lists.compile import Input
    from aidns.lists.line import Syntax
    from aidns.render.base import Format
    from aidns.render.compiled import Made

ACTIONS = ("nxdomain", "nodata", "null", "refuse", "log-only")
LIST = click.Path(exists=True, dir_okay=False, allow_dash=True)


@click.command("compile", cls=AidnsCommand)
@click.argument("files", nargs=-1, required=True, type=LIST, metavar="FILE...")
@click.option(
    "--allow", "allowed", multiple=True, type=LIST, metavar="FILE", help="List of exceptions; repeat for more."
)
@click.option("--exact", is_flag=True, help="Plain names mean themselves alone, not everything below them.")
@click.option(
    "--syntax", "syntax_id", metavar="ID", help="domains, hosts, adblock, dnsmasq or rpz; else it is found out."
)
@click.option(
    "--format", "formats", multiple=True, required=True, metavar="ID", help="See `aidns list formats`; repeat for more."
)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), metavar="OUT", help="File; with several formats, directory."
)
@click.option(
    "--action", type=click.Choice(ACTIONS), help="Answer for blocked names.  [default: nxdomain or the nearest]"
)
@click.option(
    "--zone", default="", metavar="NAME", help="Name of the policy zone: a short one leaves room for longer names."
)
@click.option(
    "--name", default="compiled", show_default=True, metavar="ID", help="Name of the list; its canary has it."
)
@click.option("--strict", is_flag=True, help="Write nothing when a line was refused or a rule weakened.")
@pass_app
def command(
    app: App,
    files: tuple[str, ...],
    allowed: tuple[str, ...],
    exact: bool,
    syntax_id: str | None,
    formats: tuple[str, ...],
    out: Path | None,
    action: str | None,
    zone: str,
    name: str,
    strict: bool,
) -> None:
    """Compile anybody's lists into any format: read strictly, without repeats and covered names.

    \b
    Each FILE (- is standard input) is a list in one of these syntaxes, found out unless told:
      domains   plain names; *.name
      hosts     addresses and names
      adblock   ||name^ is a tree, |name^ a name alone, @@||name^ an exception
      dnsmasq   address=/name/, local=/name/, server=/name/
      rpz       a response policy zone

    A plain name means everything below it, too, unless --exact. The longest listed name decides; for one name, an
    exception. What is refused is reported on stderr with its line. Exits 3 when nothing would be blocked.
    """
    from aidns.lists.line import chosen_syntax
    from aidns.render.compiled import FALLBACK, compile_to, policy, report
    from aidns.render.formats import find_all, refuse_zone
    from aidns.render.rpz import zone_length

    chosen, at = find_all(formats), now()
    refuse_zone(zone, chosen)
    _check_use(app, (*files, *allowed), chosen, out)
    of = policy(name, action or ACTIONS[0], () if action else FALLBACK)
    syntax = chosen_syntax(syntax_id) if syntax_id else None
    with ExitStack() as stack:
        read = partial(_inputs, stack, syntax, exact)
        inputs = chain(read(files, allow=False), read(allowed, allow=True))
        made = compile_to(chosen, inputs, of, exact=exact, zone_length=zone_length(zone))
    _talk(app, made, strict=strict)
    paths = _write(made, out, at)
    if app.json:
        app.print_json(report(made, paths))


def _check_use(app: App, files: tuple[str, ...], formats: tuple[Format, ...], out: Path | None) -> None:
    """Raises UsageError for what cannot be done together."""
    if files.count("-") > 1:
        raise UsageError("standard input can be read once", tip="give - for one list only")
    if len(formats) > 1 and out is None:
        raise UsageError("several formats need a directory", tip="name it with -o DIR")
    if app.json and out is None:
        raise UsageError("--json prints the report on stdout", tip="name a file for the list with -o FILE")


def _inputs(
    stack: ExitStack, syntax: Syntax | None, exact: bool, files: tuple[str, ...], *, allow: bool
) -> Iterator[Input]:
    """Open each list when it is its turn."""
    from aidns.lists.compile import Input

    for file in files:
        stream = sys.stdin.buffer if file == "-" else stack.enter_context(Path(file).open("rb"))  # noqa: SIM115
        yield Input("standard input" if file == "-" else file, stream, syntax, exact, allow)


def _talk(app: App, made: Made, *, strict: bool) -> None:
    """Report on stderr. Raises DataError or UnsafeError when `strict` forbids to go on."""
    from aidns.render.compiled import losses, spoken

    for line in spoken(made.compilation):
        app.say(line)
    for line in losses(made):
        app.warn(line)
    refused = sum(one.refused for one in made.compilation.inputs)
    if strict and refused:
        raise DataError(f"{refused:,} refused; nothing is written", tip="leave --strict out to go on without them")
    if strict and any(one.weakened for one in made.documents):
        raise UnsafeError("rules would be weakened", tip="leave --strict out to accept the losses named above")


def _write(made: Made, out: Path | None, at: int) -> list[str]:
    """Write every file and return where."""
    if out is None:
        for block in made.blocks(made.documents[0], at):
            sys.stdout.buffer.write(block)
        sys.stdout.buffer.flush()
        return ["-"]
    several = len(made.documents) > 1
    if several:
        out.mkdir(parents=True, exist_ok=True)
    paths = [out / one.fmt.file_name if several else out for one in made.documents]
    for path, one in zip(paths, made.documents, strict=True):
        _replace(path, made.blocks(one, at))
    return list(map(str, paths))


def _replace(path: Path, blocks: Iterable[bytes]) -> None:
    """Write a file so that readers see the old one or the new one, never a part."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with fresh.open("xb") as stream:
            for block in blocks:
                stream.write(block)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
