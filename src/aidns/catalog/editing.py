"""Which catalogue files may be changed, and changing them. [I/O]"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from aidns.catalog.files import Source
from aidns.data import is_installed
from aidns.errors import UsageError

HERE = Path("catalog")
"""The catalogue of a checkout, seen from its top."""


def directories_to_edit(chosen: Sequence[Path]) -> tuple[Path, ...]:
    """Return the catalogue directories to write into: those chosen, else the one of the checkout we are in.

    Raises UsageError where there is none, or where it belongs to the installed program.
    """
    directories = tuple(chosen) or ((HERE,) if (HERE / "catalog.toml").is_file() else ())
    if not directories:
        raise UsageError("no catalogue is here to write to", tip="go to the top of a checkout, or use --catalog DIR")
    for directory in directories:
        if is_installed(directory):
            raise UsageError(
                f"{directory} belongs to the installed program, and an upgrade would undo the change",
                tip="work in a checkout, or in a directory of your own: --catalog DIR",
            )
    return directories


def files_to_edit(sources: Mapping[str, Source], directories: Iterable[Path]) -> dict[str, Source]:
    """Return the files (path in the catalogue -> source) that lie in the directories."""
    wanted = [directory.resolve() for directory in directories]
    return {
        path: source
        for path, source in sources.items()
        if any(Path(source.shown).resolve().is_relative_to(directory) for directory in wanted)
    }


def write_over(file: Path, text: str) -> None:
    """Put a text in place of a file's, at once: a reader sees the old one or the new one."""
    aside = file.with_name(f".{file.name}.new")
    aside.write_text(text, encoding="utf-8")
    aside.chmod(file.stat().st_mode)
    aside.replace(file)


def write_new(texts: Mapping[Path, str]) -> None:
    """Write files that do not exist yet: all or none. Raises UsageError where one does."""
    if there := [str(file) for file in texts if file.exists()]:
        raise UsageError(f"{', '.join(there)} is there already", tip="edit it, or choose another id")
    for file, text in texts.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
