"""What the catalogue's files say once everything that a machine can mend is mended, in canonical form. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aidns.catalog.canon import print_document, shape_of
from aidns.catalog.files import Source
from aidns.catalog.mend import mend
from aidns.catalog.reader import facts
from aidns.catalog.syntax import parse
from aidns.model import Fix, Problem


def fixed(sources: Mapping[str, Source], problems: Iterable[Problem] = ()) -> dict[str, Source]:
    """Return the files (path in the catalogue -> source) that change when the problems' fixes are made.

    Files that are no sound TOML stay as they are.
    """
    fixes: dict[str, list[Fix]] = {}
    broken: set[str] = set()
    for problem in problems:
        if problem.fix:
            fixes.setdefault(problem.file, []).append(problem.fix)
        if problem.rule == "toml-syntax":
            broken.add(problem.file)
    found: dict[str, Source] = {}
    for path, source in sources.items():
        if source.shown not in broken:
            text = _fixed(path, source.text, fixes.get(source.shown, ()))
            if text != source.text:
                found[path] = Source(source.shown, text)
    return found


def _fixed(path: str, text: str, fixes: Iterable[Fix]) -> str:
    document = mend(parse(text), fixes)
    new = print_document(document, shape_of(path))
    if not fixes and facts(new) != facts(text):  # a guard against ourselves: layout never changes what a file says
        raise AssertionError(f"the canonical form of {path} says something else")
    return new
