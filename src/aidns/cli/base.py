"""What every command shares: global options, loading, talking to the user, errors to exit codes."""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from aidns.errors import AidnsError, DataError, EnvironmentFault, UnsafeError, UsageError

if TYPE_CHECKING:
    from aidns.model import Catalog


class App:
    """What the global options set. One per run, kept as the click context's object."""

    def __init__(self) -> None:
        self.catalog_dirs: tuple[Path, ...] = ()
        self.json = False
        self.verbosity = 0
        self.color: bool | None = None
        """Whether to colour what is said after the command has ended; None: as the terminal is."""
        self.told: list[tuple[bool, str]] = []
        """What was said at level 0, each text with whether it was a warning."""

    def load(self) -> Catalog:
        """Load the shipped catalogue, or the directories of --catalog laid over each other.

        Raises DataError with every problem.
        """
        from aidns.catalog.load import load_or_fail

        return load_or_fail(self.catalog_dirs)

    def say(self, text: str, *, level: int = 0) -> None:
        """Talk to the user on stderr: level 0 unless -q, 1 with -v."""
        if level == 0:
            self.told.append((False, text))
        if self.verbosity >= level:
            click.echo(text, err=True)

    def warn(self, text: str) -> None:
        """Warn on stderr; -q does not hide it."""
        self.told.append((True, text))
        click.echo(click.style("warning: ", fg="yellow") + text, err=True)

    def print_json(self, document: object) -> None:
        """Print one JSON document on stdout."""
        import msgspec

        encoded = msgspec.json.encode(document, enc_hook=str)
        click.echo(msgspec.json.format(encoded, indent=2).decode())


_LAST_SECOND = 253402300799
"""The end of the year 9999, after which Python has no date."""

pass_app = click.make_pass_decorator(App, ensure=True)


def now() -> int:
    """Return the time in Unix seconds, SOURCE_DATE_EPOCH first. The only clock that commands read.

    Raises UsageError when SOURCE_DATE_EPOCH is no time of the calendar's.
    """
    fixed = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not fixed:
        return int(time.time())
    if not (fixed.isascii() and fixed.isdecimal() and int(fixed) <= _LAST_SECOND):
        raise UsageError(f"SOURCE_DATE_EPOCH is {fixed!r}", tip="it holds Unix seconds, digits only")
    return int(fixed)


def default_state_file() -> Path:
    """Return where `check` remembers answers: `state.sqlite` below the XDG state directory."""
    from aidns.data import user_folder

    return user_folder("state") / "state.sqlite"


def state_file(app: App, given: Path | None) -> Path:
    """Return the state file to read: the one given, with a warning where there is none, or the default one."""
    if given is not None and not given.exists():
        app.warn(f"there is no state file {str(given)!r}: nothing is remembered")
    return given or default_state_file()


def global_options() -> list[click.Parameter]:
    """Return the options that every command takes, before or after its name."""
    directory = click.Path(exists=True, file_okay=False, path_type=Path)
    return [
        click.Option(
            ["--catalog"],
            type=directory,
            multiple=True,
            metavar="DIR",
            help="Catalogue to use instead of the shipped one; repeat to lay later ones over earlier ones.",
            expose_value=False,
            callback=_store("catalog_dirs", lambda old, new: old + tuple(new)),
        ),
        _flag(["--json"], "Print one JSON document.", _store("json", lambda _, new: new), is_flag=True),
        _flag(["-v", "--verbose"], "Say more on stderr.", _store("verbosity", lambda old, new: old + new), count=True),
        _flag(["-q", "--quiet"], "Say less on stderr.", _store("verbosity", lambda old, new: old - new), count=True),
        click.Option(
            ["--color"],
            type=click.Choice(["auto", "always", "never"]),
            default=None,
            expose_value=False,
            is_eager=True,
            callback=_choose_colour,
            help="Colours: auto (the default; NO_COLOR honoured), always or never.",
        ),
    ]


Callback = Callable[[click.Context, click.Parameter, Any], None]


def _flag(names: list[str], text: str, callback: Callback, **kind: bool) -> click.Option:
    return click.Option(names, help=text, expose_value=False, callback=callback, **kind)


def _store(name: str, change: Callable[[Any, Any], Any]) -> Callback:
    def callback(ctx: click.Context, _param: click.Parameter, value: Any) -> None:
        if value:
            app = ctx.ensure_object(App)
            setattr(app, name, change(getattr(app, name), value))

    return callback


def _choose_colour(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    if value is None and ctx.parent is not None:
        return
    if (value or "auto") == "auto":
        ctx.color = False if os.environ.get("NO_COLOR") else ctx.color
    else:
        ctx.color = value == "always"
    ctx.ensure_object(App).color = ctx.color


def no_dash(_ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """Refuse `-`, which stands for standard input or output elsewhere, where only a file or directory will do.

    Raises UsageError.
    """
    if "-" in [str(one) for one in (value if isinstance(value, tuple) else (value,))]:
        tip = "for standard output there is aidns render" if param.name == "out" else "write it to a file and name that"
        raise UsageError(f"{param.opts[0]} takes no -", tip=tip)
    return value


class AidnsCommand(click.Command):
    """A command that also takes the global options."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(global_options())


def adapt_errors(command: click.Command) -> NoReturn:
    """Run the command line; turn our errors into a message on stderr and their exit code."""
    app = App()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without a sign shows ?, as stderr shows an escape
    try:
        result = command(standalone_mode=False, obj=app, prog_name="aidns")
    except AidnsError as error:
        report(error, app.color)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Abort:
        click.echo("stopped", err=True)
        sys.exit(130)
    except OSError as error:
        what = f"{error.strerror or error}: {error.filename or ''}".rstrip(": ")
        report(EnvironmentFault(what), app.color)
        sys.exit(EnvironmentFault.exit_code)
    sys.exit(result if isinstance(result, int) else 0)


def report(error: AidnsError, color: bool | None) -> None:
    """Print an error, its problems or reasons, and its tip on stderr, in colour where that is wanted."""
    if isinstance(error, DataError):
        for problem in error.problems:
            click.echo(str(problem), err=True)
    click.echo(click.style("error: ", fg="red") + error.message, err=True, color=color)
    if isinstance(error, UnsafeError):
        for reason in error.reasons:
            click.echo(f"  - {reason}", err=True)
    if error.tip:
        click.echo(f"tip: {error.tip}", err=True)
