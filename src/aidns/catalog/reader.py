"""From file texts to typed entries, with every fault of form and its line. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import tomli

from aidns import names
from aidns.catalog import lines
from aidns.catalog.convert import convert
from aidns.catalog.files import Source
from aidns.model import (
    Bypass,
    CatalogInfo,
    Entry,
    Fix,
    Lookalike,
    Measure,
    Parking,
    Policy,
    Problem,
    Provider,
    Rejected,
    SchemaVersion,
    Service,
    Shared,
    Waiver,
)

_ID = re.compile(r"(?=.{1,63}\Z)[a-z0-9]+(?:-[a-z0-9]+)*\Z")
"""Short enough for a label: a policy's id is one of its canary."""


class SharedFile(Entry, frozen=True):
    """`shared.toml`."""

    schema: SchemaVersion
    shared: tuple[Shared, ...] = ()


class ParkingFile(Entry, frozen=True):
    """`parking.toml`."""

    schema: SchemaVersion
    parking: tuple[Parking, ...] = ()


class RejectedFile(Entry, frozen=True):
    """A file of `rejected/`."""

    schema: SchemaVersion
    rejected: tuple[Rejected, ...] = ()


class LookalikeFile(Entry, frozen=True):
    """A file of `lookalikes/`."""

    schema: SchemaVersion
    lookalikes: tuple[Lookalike, ...] = ()


class BypassFile(Entry, frozen=True):
    """A file of `bypass/`."""

    schema: SchemaVersion
    bypass: tuple[Bypass, ...] = ()


class WaiverFile(Entry, frozen=True):
    """`waivers.toml`."""

    schema: SchemaVersion
    waiver: tuple[Waiver, ...] = ()


SUBJECTS: dict[str, type[Entry]] = {"providers": Provider, "services": Service, "measures": Measure, "policies": Policy}
"""Folder -> type of its files, one subject a file, the file's name its id."""
COLLECTIONS: dict[str, type[Entry]] = {"rejected": RejectedFile, "lookalikes": LookalikeFile, "bypass": BypassFile}
"""Folder -> type of its files, many entries a file."""
SINGLES: dict[str, type[Entry]] = {
    "catalog.toml": CatalogInfo,
    "shared.toml": SharedFile,
    "parking.toml": ParkingFile,
    "waivers.toml": WaiverFile,
}
"""Files of their own type. `vocab.toml` and `regions.toml` are tables by name and read apart."""

EntryT = TypeVar("EntryT", bound=Entry)


def facts(text: str) -> dict[str, Any]:
    """Return what a TOML text says. Raises tomli.TOMLDecodeError, RecursionError where it is nested too deeply."""
    return tomli.loads(text)


class Reader:
    """Parses sources once, converts on request, collects problems with their lines."""

    def __init__(self, sources: Mapping[str, Source], problems: list[Problem]) -> None:
        self.sources = sources
        self.problems = problems
        self.raw = {path: raw for path in sources if (raw := self._parse(path)) is not None}

    def problem(self, rule: str, path: str, field: str, message: str, tip: str, fix: Fix | None = None) -> None:
        source = self.sources.get(path)
        line = lines.find(lines.index(source.text), field) if source else 0
        self.problems.append(Problem(rule, source.shown if source else path, line, field, message, tip, fix=fix))

    def _parse(self, path: str) -> dict[str, Any] | None:
        source = self.sources[path]
        try:
            return facts(source.text)
        except tomli.TOMLDecodeError as error:
            line = int(found[1]) if (found := re.search(r"at line (\d+)", str(error))) else source.text.count("\n") + 1
            message = names.printable(str(error))
            self.problems.append(Problem("toml-syntax", source.shown, line, "", message, "mend the TOML"))
        except RecursionError:
            self.problems.append(Problem("toml-syntax", source.shown, 0, "", "is nested too deeply", "flatten it"))
        return None

    def value(self, path: str, to: type[EntryT], raw: dict[str, Any]) -> EntryT | None:
        value, faults = convert(raw, to)
        for field, message in faults:
            self.problem("type", path, field, names.printable(message), "see docs/catalog-guidelines.md for the keys")
        return value

    def subjects(self, folder: str, to: type[EntryT]) -> Iterator[tuple[str, EntryT]]:
        for path, raw in self.raw.items():
            if not path.startswith(f"{folder}/"):
                continue
            subject = path.removeprefix(f"{folder}/").removesuffix(".toml")
            if not _ID.match(subject):
                self.problem(
                    "id-form", path, "", f"{names.printable(subject)!r} is no id", "name the file in-kebab-case.toml"
                )
                continue
            if "id" in raw:
                self.problem("id-form", path, "id", "the file's name is the id", "leave the key out", Fix("id"))
            value = self.value(path, to, {**{k: v for k, v in raw.items() if k != "id"}, "id": subject})
            if value is not None:
                yield subject, value

    def collection(self, folder: str, to: type[EntryT]) -> list[tuple[str, EntryT]]:
        found = ((p, self.value(p, to, raw)) for p, raw in self.raw.items() if p.startswith(f"{folder}/"))
        return [(path, value) for path, value in found if value is not None]

    def single(self, path: str, to: type[EntryT]) -> EntryT | None:
        return self.value(path, to, self.raw[path]) if path in self.raw else None

    def tables(self, path: str, to: type[EntryT]) -> dict[str, EntryT]:
        found: dict[str, EntryT] = {}
        for key, raw in self.raw.get(path, {}).items():
            if key == "schema":
                continue
            if not _ID.match(key):
                self.problem("id-form", path, "", f"{names.printable(key)!r} is no id", "name the table in-kebab-case")
                continue
            value, faults = convert(raw, to)
            for field, message in faults:
                self.problem(
                    "type",
                    path,
                    f"{key}.{field}".rstrip("."),
                    names.printable(message),
                    "see docs/catalog-guidelines.md",
                )
            if value is not None:
                found[key] = value
        return found

    def vocab(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for section, words in self.raw.get("vocab.toml", {}).items():
            if section == "schema":
                continue
            if not isinstance(words, dict) or not all(isinstance(text, str) for text in words.values()):
                self.problem(
                    "type", "vocab.toml", section, "is no table of word = definition", 'write [section] and word = "…"'
                )
                continue
            found[section] = words
        return found

    def unknown_files(self) -> None:
        for path in self.sources:
            folder, slash, _ = path.partition("/")
            known = (
                folder in SUBJECTS or folder in COLLECTIONS
                if slash
                else path in {*SINGLES, "vocab.toml", "regions.toml"}
            )
            if not known:
                where = ", ".join([*SUBJECTS, *COLLECTIONS])
                self.problem("unknown-file", path, "", "belongs to no part of the catalogue", f"folders are {where}")

    def name(self, path: str, field: str, text: str, *, fixable: bool = True) -> names.Name | None:
        try:
            return names.parse(text)
        except names.InvalidName as error:
            self.problem(
                "name-form", path, field, error.message, error.tip, _canonical_name(field, text) if fixable else None
            )
            return None


def _canonical_name(field: str, text: str) -> Fix | None:
    """Return the edit to the one spelling that is stored, where `text` is another spelling of a name."""
    try:
        return Fix(field, names.normalise(text))
    except names.InvalidName:
        return None
