"""Read the catalogue: TOML files to frozen values, with every fault of form found. [I/O]

`load` judges form only: syntax, types, names, region patterns, names listed twice. What the facts must satisfy is
`lint`'s business, which works on what this module returns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from aidns.catalog import cache
from aidns.catalog.files import Source, digest, read_all, read_text
from aidns.catalog.owned import bypass_names, each_once, lookalike_names, service_names
from aidns.catalog.reader import BypassFile, LookalikeFile, ParkingFile, Reader, RejectedFile, SharedFile, WaiverFile
from aidns.errors import DataError
from aidns.model import Catalog, CatalogInfo, Measure, Policy, Problem, Provider, RegionTable, Service


class Loaded(Struct, frozen=True):
    """A catalogue, the files behind it (relative path -> source), and the faults of form."""

    catalog: Catalog
    sources: Mapping[str, Source]
    problems: tuple[Problem, ...]


def load_or_fail(directories: Sequence[Path] = ()) -> Catalog:
    """Return the catalogue of `directories`; the shipped one when there are none.

    Raises DataError with every fault of form. The facts are `lint`'s business.
    """
    problems: list[Problem] = []
    sources = read_all(directories, problems)
    if not problems and (kept := cache.find(sources, cache.directory())):
        return kept
    loaded = assemble(sources, problems)
    if errors := [p for p in loaded.problems if p.level == "error"]:
        raise DataError(f"the catalogue has {len(errors)} error(s)", errors, tip="aidns lint shows each with a tip")
    return loaded.catalog


def load(directories: Sequence[Path] = ()) -> Loaded:
    """Read the catalogue that lies in `directories`, later ones laid over earlier ones.

    A directory that holds `catalog.toml` stands alone; others lie over the shipped catalogue.
    """
    problems: list[Problem] = []
    return assemble(read_all(directories, problems), problems)


def assemble(sources: Mapping[str, Source], problems: Iterable[Problem] = ()) -> Loaded:
    """Make a catalogue of file texts (relative path -> source). Pure."""
    reader = Reader(sources, list(problems))
    services = dict(reader.subjects("services", Service))
    regions = reader.tables("regions.toml", RegionTable)
    lookalikes = reader.collection("lookalikes", LookalikeFile)
    bypass = reader.collection("bypass", BypassFile)
    rejected = reader.collection("rejected", RejectedFile)
    shared = reader.single("shared.toml", SharedFile)
    parking = reader.single("parking.toml", ParkingFile)
    waivers = reader.single("waivers.toml", WaiverFile)
    info = reader.single("catalog.toml", CatalogInfo)
    if info is None:
        reader.problem(
            "missing-file", "catalog.toml", "", "there is no catalog.toml", "write title, homepage, issues, license"
        )
    owned = (
        *service_names(services, regions, reader),
        *lookalike_names(lookalikes, reader),
        *bypass_names(bypass, reader),
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
        names=each_once(owned, reader),
        places={
            "rejected": tuple((path, f"rejected[{i}]") for path, f in rejected for i in range(len(f.rejected))),
            "lookalikes": tuple((path, f"lookalikes[{i}]") for path, f in lookalikes for i in range(len(f.lookalikes))),
            "bypass": tuple((path, f"bypass[{i}]") for path, f in bypass for i in range(len(f.bypass))),
        },
        digest=digest(sources),
    )
    reader.unknown_files()
    ordered = sorted(set(reader.problems), key=lambda p: (p.file, p.line, p.field, p.rule, p.message))
    return Loaded(catalog, sources, tuple(ordered))


def load_policy(path: Path) -> tuple[Policy | None, Source, tuple[Problem, ...]]:
    """Read an administrator's own policy file. Its id is the file's name.

    Returns the policy (None when it makes none), the file as read and the faults of form.
    """
    problems: list[Problem] = []
    text = read_text(path, str(path), problems)
    source = Source(str(path), text if text is not None else "")
    if text is None:
        return None, source, tuple(problems)
    reader = Reader({f"policies/{path.name}": source}, problems)
    found = dict(reader.subjects("policies", Policy))
    return next(iter(found.values()), None), source, tuple(reader.problems)
