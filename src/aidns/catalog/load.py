"""Read the catalogue: TOML files to frozen values, with every fault of form found. [I/O]

`load` judges form only: syntax, types, names, region patterns, names listed twice. What the facts must satisfy is
`lint`'s business, which works on what this module returns.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from aidns import names
from aidns.catalog import lines
from aidns.catalog.convert import convert
from aidns.data import shipped
from aidns.errors import DataError
from aidns.model import (
    Bypass,
    Catalog,
    CatalogInfo,
    Domain,
    Entry,
    Lookalike,
    Measure,
    OwnedName,
    Parking,
    Policy,
    Problem,
    Provider,
    RegionTable,
    Rejected,
    SchemaVersion,
    Service,
    Shared,
    Waiver,
)

MAX_FILE = 1 << 20
"""Octets of one catalogue file; more is a mistake or an attack."""

_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\Z")


class _SharedFile(Entry, frozen=True):
    schema: SchemaVersion
    shared: tuple[Shared, ...] = ()


class _ParkingFile(Entry, frozen=True):
    schema: SchemaVersion
    parking: tuple[Parking, ...] = ()


class _RejectedFile(Entry, frozen=True):
    schema: SchemaVersion
    rejected: tuple[Rejected, ...] = ()


class _LookalikeFile(Entry, frozen=True):
    schema: SchemaVersion
    lookalikes: tuple[Lookalike, ...] = ()


class _BypassFile(Entry, frozen=True):
    schema: SchemaVersion
    bypass: tuple[Bypass, ...] = ()


class _WaiverFile(Entry, frozen=True):
    schema: SchemaVersion
    waiver: tuple[Waiver, ...] = ()


SUBJECTS: dict[str, type[Entry]] = {"providers": Provider, "services": Service, "measures": Measure, "policies": Policy}
"""Folder -> type of its files, one subject a file, the file's name its id."""
COLLECTIONS: dict[str, type[Entry]] = {"rejected": _RejectedFile, "lookalikes": _LookalikeFile, "bypass": _BypassFile}
"""Folder -> type of its files, many entries a file."""
SINGLES: dict[str, type[Entry]] = {
    "catalog.toml": CatalogInfo,
    "shared.toml": _SharedFile,
    "parking.toml": _ParkingFile,
    "waivers.toml": _WaiverFile,
}
"""Files of their own type. `vocab.toml` and `regions.toml` are tables by name and read apart."""


class Source(msgspec.Struct, frozen=True):
    """One file as read: where a person finds it, and its text."""

    shown: str
    text: str


class Loaded(msgspec.Struct, frozen=True):
    """A catalogue, the files behind it (relative path -> source), and the faults of form."""

    catalog: Catalog
    sources: Mapping[str, Source]
    problems: tuple[Problem, ...]


def load_or_fail(directories: Sequence[Path] = ()) -> Catalog:
    """Return the catalogue of `directories`; the shipped one when there are none.

    Raises DataError with every fault of form. The facts are `lint`'s business.
    """
    loaded = load(directories)
    if errors := [p for p in loaded.problems if p.level == "error"]:
        raise DataError(f"the catalogue has {len(errors)} error(s)", errors, tip="aidns lint shows each with a tip")
    return loaded.catalog


def load(directories: Sequence[Path] = ()) -> Loaded:
    """Read the catalogue that lies in `directories`, later ones laid over earlier ones.

    A directory that holds `catalog.toml` stands alone; others lie over the shipped catalogue. A file replaces the
    file of the same path below it.
    """
    problems: list[Problem] = []
    sources: dict[str, Source] = {}
    for base in _bases(directories):
        sources.update(_read(base, problems))
    return assemble(sources, problems)


def assemble(sources: Mapping[str, Source], problems: Iterable[Problem] = ()) -> Loaded:
    """Make a catalogue of file texts (relative path -> source). Pure."""
    reader = _Reader(sources, list(problems))
    services = dict(reader.subjects("services", Service))
    regions = reader.tables("regions.toml", RegionTable)
    lookalikes = reader.collection("lookalikes", _LookalikeFile)
    bypass = reader.collection("bypass", _BypassFile)
    rejected = reader.collection("rejected", _RejectedFile)
    shared = reader.single("shared.toml", _SharedFile)
    parking = reader.single("parking.toml", _ParkingFile)
    waivers = reader.single("waivers.toml", _WaiverFile)
    info = reader.single("catalog.toml", CatalogInfo)
    if info is None:
        reader.problem(
            "missing-file", "catalog.toml", "", "there is no catalog.toml", "write title, homepage, issues, license"
        )
    owned = (
        *_service_names(services, regions, reader),
        *_lookalike_names(lookalikes, reader),
        *_bypass_names(bypass, reader),
    )
    catalog = Catalog(
        info=info or CatalogInfo(1, "untitled", "unknown", "unknown", "unknown"),
        providers=dict(reader.subjects("providers", Provider)),
        services=services,
        measures=dict(reader.subjects("measures", Measure)),
        policies=dict(reader.subjects("policies", Policy)),
        vocab=reader.vocab(),
        shared=shared.shared if shared else (),
        regions=regions,
        parking=parking.parking if parking else (),
        rejected=tuple(entry for _, f in rejected for entry in f.rejected),
        lookalikes=tuple(e for _, f in lookalikes for e in f.lookalikes),
        bypass=tuple(e for _, f in bypass for e in f.bypass),
        waivers=waivers.waiver if waivers else (),
        names=_each_once(owned, reader),
        places={
            "rejected": tuple((path, f"rejected[{i}]") for path, f in rejected for i in range(len(f.rejected))),
            "lookalikes": tuple((path, f"lookalikes[{i}]") for path, f in lookalikes for i in range(len(f.lookalikes))),
            "bypass": tuple((path, f"bypass[{i}]") for path, f in bypass for i in range(len(f.bypass))),
        },
        digest=_digest(sources),
    )
    reader.unknown_files()
    ordered = sorted(set(reader.problems), key=lambda p: (p.file, p.line, p.field, p.rule, p.message))
    return Loaded(catalog, sources, tuple(ordered))


def load_policy(path: Path) -> tuple[Policy | None, Source, tuple[Problem, ...]]:
    """Read an administrator's own policy file. Its id is the file's name.

    Returns the policy (None when it makes none), the file as read and the faults of form.
    """
    problems: list[Problem] = []
    text = _text(path, str(path), problems)
    source = Source(str(path), text if text is not None else "")
    if text is None:
        return None, source, tuple(problems)
    reader = _Reader({f"policies/{path.name}": source}, problems)
    found = dict(reader.subjects("policies", Policy))
    return next(iter(found.values()), None), source, tuple(reader.problems)


# ------------------------------------------------------------------ reading files


def _bases(directories: Sequence[Path]) -> list[Traversable]:
    alone = [i for i, directory in enumerate(directories) if (directory / "catalog.toml").is_file()]
    return list(directories[alone[-1] :]) if alone else [shipped("catalog"), *directories]


def _read(base: Traversable, problems: list[Problem]) -> dict[str, Source]:
    found: dict[str, Source] = {}
    for path, file in sorted(_toml_files(base), key=lambda pair: pair[0]):
        shown = str(file) if isinstance(file, Path) else f"catalog/{path}"
        shown = _relative_to_here(shown)
        text = _text(file, shown, problems)
        if text is not None:
            found[path] = Source(shown, text)
    return found


def _toml_files(base: Traversable, prefix: str = "") -> Iterator[tuple[str, Traversable]]:
    for item in base.iterdir():
        if item.is_dir():
            if not prefix and not item.name.startswith("."):
                yield from _toml_files(item, f"{item.name}/")
        elif item.name.endswith(".toml") and not item.name.startswith("."):
            yield prefix + item.name, item


def _relative_to_here(path: str) -> str:
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except ValueError:
        return path


def _text(file: Traversable, shown: str, problems: list[Problem]) -> str | None:
    def fault(message: str, tip: str) -> None:
        problems.append(Problem("unreadable-file", shown, 0, "", message, tip))

    try:
        data = file.read_bytes()
    except OSError as error:
        fault(f"cannot be read: {error.strerror}", "is it there, and may you read it?")
        return None
    if len(data) > MAX_FILE:
        fault(f"has {len(data)} octets", f"a file has at most {MAX_FILE}")
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        fault(f"is not UTF-8 at octet {error.start}", "save it as UTF-8")
        return None


def _digest(sources: Mapping[str, Source]) -> str:
    digest = hashlib.sha256()
    for path in sorted(sources):
        digest.update(f"{path}\0{sources[path].text}\0".encode())
    return digest.hexdigest()


# ------------------------------------------------------------------ files to values

E_ = TypeVar("E_", bound=Entry)


class _Reader:
    """Parses sources once, converts on request, collects problems with their lines."""

    def __init__(self, sources: Mapping[str, Source], problems: list[Problem]) -> None:
        self.sources = sources
        self.problems = problems
        self.raw = {path: raw for path in sources if (raw := self._parse(path)) is not None}

    def problem(self, rule: str, path: str, field: str, message: str, tip: str) -> None:
        source = self.sources.get(path)
        line = lines.find(lines.index(source.text), field) if source else 0
        self.problems.append(Problem(rule, source.shown if source else path, line, field, message, tip))

    def _parse(self, path: str) -> dict[str, Any] | None:
        source = self.sources[path]
        try:
            return tomllib.loads(source.text)
        except tomllib.TOMLDecodeError as error:
            line = int(found[1]) if (found := re.search(r"at line (\d+)", str(error))) else source.text.count("\n") + 1
            message = names.printable(str(error))
            self.problems.append(Problem("toml-syntax", source.shown, line, "", message, "mend the TOML"))
        except RecursionError:
            self.problems.append(Problem("toml-syntax", source.shown, 0, "", "is nested too deeply", "flatten it"))
        return None

    def value(self, path: str, to: type[E_], raw: dict[str, Any]) -> E_ | None:
        value, faults = convert(raw, to)
        for field, message in faults:
            self.problem("type", path, field, names.printable(message), "see docs/catalog-guidelines.md for the keys")
        return value

    def subjects(self, folder: str, to: type[E_]) -> Iterator[tuple[str, E_]]:
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
                self.problem("id-form", path, "id", "the file's name is the id", "leave the key out")
            value = self.value(path, to, {**{k: v for k, v in raw.items() if k != "id"}, "id": subject})
            if value is not None:
                yield subject, value

    def collection(self, folder: str, to: type[E_]) -> list[tuple[str, E_]]:
        found = ((p, self.value(p, to, raw)) for p, raw in self.raw.items() if p.startswith(f"{folder}/"))
        return [(path, value) for path, value in found if value is not None]

    def single(self, path: str, to: type[E_]) -> E_ | None:
        return self.value(path, to, self.raw[path]) if path in self.raw else None

    def tables(self, path: str, to: type[E_]) -> dict[str, E_]:
        found: dict[str, E_] = {}
        for key, raw in self.raw.get(path, {}).items():
            if key == "schema":
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

    def name(self, path: str, field: str, text: str) -> names.Name | None:
        try:
            return names.parse(text)
        except names.InvalidName as error:
            self.problem("name-form", path, field, error.message, error.tip)
            return None


# ------------------------------------------------------------------ names


class _Listed(msgspec.Struct, frozen=True):
    owned: OwnedName
    path: str
    field: str


def _service_names(
    services: Mapping[str, Service], regions: Mapping[str, RegionTable], reader: _Reader
) -> Iterator[_Listed]:
    for service in services.values():
        path = f"services/{service.id}.toml"
        for i, domain in enumerate(service.domains):
            field = f"domains[{i}].name"
            for text in _expand(domain, regions, reader, path, field):
                name = reader.name(path, field, text)
                if name:
                    yield _Listed(OwnedName(name, domain, service.id), path, field)


def _expand(
    domain: Domain, regions: Mapping[str, RegionTable], reader: _Reader, path: str, field: str
) -> tuple[str, ...]:
    pattern = "{region}" in domain.name
    if not pattern and not domain.regions:
        return (domain.name,)
    if not pattern:
        reader.problem(
            "region-pattern",
            path,
            field,
            "has regions but no {region} in its name",
            "write {region} where the region stands",
        )
        return ()
    if domain.regions not in regions:
        known = ", ".join(sorted(regions)) or "none yet"
        reader.problem(
            "region-pattern",
            path,
            field,
            f"regions = {domain.regions!r} is no table of regions.toml",
            f"known: {known}",
        )
        return ()
    return tuple(domain.name.replace("{region}", value) for value in regions[domain.regions].values)


def _lookalike_names(files: Sequence[tuple[str, _LookalikeFile]], reader: _Reader) -> Iterator[_Listed]:
    for path, file in files:
        for i, entry in enumerate(file.lookalikes):
            field = f"lookalikes[{i}].name"
            if name := reader.name(path, field, entry.name):
                domain = Domain(
                    name=entry.name,
                    role="web",
                    scope=entry.scope,
                    note=entry.note,
                    evidence=entry.evidence,
                    breaks=f"an unofficial site that imitates {entry.imitates}",
                )
                yield _Listed(OwnedName(name, domain, entry.imitates, lookalike=True), path, field)


def _bypass_names(files: Sequence[tuple[str, _BypassFile]], reader: _Reader) -> Iterator[_Listed]:
    for path, file in files:
        for i, entry in enumerate(file.bypass):
            field = f"bypass[{i}].name"
            if name := reader.name(path, field, entry.name):
                domain = Domain(
                    name=entry.name,
                    role="telemetry",
                    scope="exact",
                    breaks=entry.breaks,
                    note=entry.what,
                    evidence=entry.evidence,
                )
                yield _Listed(OwnedName(name, domain, entry.kind, bypass=True), path, field)


def _each_once(listed: Iterable[_Listed], reader: _Reader) -> tuple[OwnedName, ...]:
    first: dict[names.Name, _Listed] = {}
    for entry in listed:
        name = entry.owned.name
        if name in first:
            where = reader.sources[first[name].path].shown
            reader.problem(
                "name-unique",
                entry.path,
                entry.field,
                f"{name} is listed already, in {where}",
                "list it where its owner is; cite it under [[dependencies]] elsewhere",
            )
        else:
            first[name] = entry
    return tuple(first[name].owned for name in sorted(first, key=names.sort_key))
