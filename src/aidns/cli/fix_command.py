"""`aidns fix`: the catalogue's files in canonical form, with everything mended that a machine can mend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aidns.cli.base import AidnsCommand, App, pass_app
from aidns.errors import DataError

if TYPE_CHECKING:
    from aidns.catalog.files import Source
    from aidns.model import Problem


@click.command("fix", cls=AidnsCommand)
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--check", is_flag=True, help="Write nothing: print what would change, and exit 1 if anything would.")
@pass_app
def command(app: App, paths: tuple[Path, ...], check: bool) -> int:
    """Put catalogue files into canonical form and mend what a machine can mend.

    PATHS are files or folders of the catalogue, the whole of it by default, or policy files of your own. The catalogue
    is that of the checkout you are in, or --catalog DIR.

    Facts, comments and the order of entries stay. What only a person can mend, `aidns lint` shows.
    """
    from aidns.catalog.editing import write_over
    from aidns.catalog.fixing import fixed

    sources, problems = _gather(app, paths)
    changed = fixed(sources, problems)
    if not check:
        for source in changed.values():
            write_over(Path(source.shown), source.text)
    diffs = {new.shown: _diff(sources[path], new) for path, new in changed.items()}
    if app.json:
        app.print_json({"schema": "aidns/fix/1", "files": [{"file": f, "diff": d} for f, d in diffs.items()]})
    else:
        click.echo("".join(diffs.values() if check else (f"{file}\n" for file in diffs)), nl=False)
    app.say(f"{len(changed)} of {len(sources)} file(s) {'would change' if check else 'mended'}")
    return int(_report_rest(app, problems) or (check and bool(changed)))


def _gather(app: App, paths: Sequence[Path]) -> tuple[Mapping[str, Source], list[Problem]]:
    """Return the files to mend (path in the catalogue -> source) and what is wrong with them."""
    from aidns.catalog.editing import directories_to_edit, files_to_edit
    from aidns.catalog.lint import lint
    from aidns.catalog.load import load

    strangers = [path for path in paths if path.suffix == ".toml" and not _in_catalogue(path, app.catalog_dirs)]
    own, problems = _policies(app, strangers)
    if strangers and len(strangers) == len(paths):
        return own, problems
    directories = directories_to_edit(app.catalog_dirs)
    loaded = load(directories)
    sources = files_to_edit(loaded.sources, directories)
    if paths:
        sources = files_to_edit(sources, paths)
    shown = {source.shown for source in sources.values()}
    return {**sources, **own}, [*problems, *(problem for problem in lint(loaded) if problem.file in shown)]


def _in_catalogue(path: Path, chosen: Sequence[Path]) -> bool:
    from aidns.catalog.editing import HERE

    return any(path.resolve().is_relative_to(directory.resolve()) for directory in chosen or (HERE,))


def _policies(app: App, paths: Sequence[Path]) -> tuple[dict[str, Source], list[Problem]]:
    """Return an administrator's own policy files and their problems. Raises DataError for a file that is no policy."""
    from aidns.catalog.lint import lint_policy
    from aidns.catalog.load import load_policy

    sources: dict[str, Source] = {}
    problems: list[Problem] = []
    for path in paths:
        policy, source, found = load_policy(path)
        if policy is None or any(problem.rule == "type" for problem in found):
            raise DataError(
                f"{path} is no policy, and it lies in no catalogue at hand", found, tip="name its --catalog DIR"
            )
        sources[f"policies/{path.resolve()}"] = source
        problems += [*found, *lint_policy(policy, source, app.load())]
    return sources, problems


def _diff(old: Source, new: Source) -> str:
    from difflib import unified_diff

    lines = unified_diff(old.text.splitlines(), new.text.splitlines(), old.shown, f"{new.shown} (fixed)", lineterm="")
    return "".join(f"{line}\n" for line in lines)


def _report_rest(app: App, problems: Sequence[Problem]) -> bool:
    """Say what is left to a person; tell whether a file is no TOML at all."""
    broken = [problem for problem in problems if problem.rule == "toml-syntax"]
    for problem in broken:
        app.warn(f"left as it is: {problem}")
    if rest := sum(problem.fix is None for problem in problems):
        app.say(f"{rest} problem(s) are left to a person: aidns lint shows them")
    return bool(broken)
