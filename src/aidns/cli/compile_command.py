"""`aidns compile`: anybody's lists in any format, without a catalogue."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO

import click

from aidns.cli.base import AidnsCommand, App, now, pass_app
from aidns.errors import DataError, UnsafeError, UsageError

if TYPE_CHECKING:
    from aidns.lists.compile import Compilation, Input
    from aidns.lists.line import Syntax
    from aidns.render.base import Format
    from aidns.render.bulk import Document
    from aidns.render.compiled import Written

ACTIONS = ("nxdomain", "nodata", "null", "refuse", "log-only")
LIST = click.Path(exists=True, dir_okay=False, allow_dash=True)


@click.command("compile", cls=AidnsCommand)
@click.argument("files", nargs=-1, required=True, type=LIST, metavar="FILE...")
@click.option("--allow", "allowed", multiple=True, type=LIST, metavar="FILE", help="List of exceptions; repeat for more.")
@click.option("--exact", is_flag=True, help="Plain names mean themselves alone, not everything below them.")
@click.option("--syntax", "syntax_id", metavar="ID", help="domains, hosts, adblock, dnsmasq or rpz; else it is found out.")
@click.option(
    "--format", "formats", multiple=True, required=True, metavar="ID", help="See `aidns list formats`; repeat for more."
)
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="OUT", help="File; with several formats, directory.")
@click.option("--action", type=click.Choice(ACTIONS), help="Answer for blocked names.  [default: nxdomain or the nearest]")
@click.option("--zone", default="", metavar="NAME", help="Name of the policy zone: a short one leaves room for longer names.")
@click.option("--name", default="compiled", show_default=True, metavar="ID", help="Name of the list; its canary has it.")
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
    from aidns.render.compiled import FALLBACK, policy, set_maker
    from aidns.render.formats import find_all
    from aidns.render.zones import length_of

    _check_use(app, files + allowed, formats, out)
    chosen, at = find_all(formats), now()
    make = set_maker(policy(name, action or "nxdomain", () if action else FALLBACK))
    made = Work(chosen, make, length_of(zone))
    with _inputs(files, allowed, syntax_id) as inputs:
        compilation = made.compile(inputs, exact)
    _talk(app, compilation)
    documents = made.documents(compilation)
    _refuse(app, compilation, documents, strict=strict)
    written = _write(compilation, documents, out, at)
    if app.json:
        app.print_json(document(compilation, written))
