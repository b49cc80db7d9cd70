"""Listed names: canonical, region patterns expanded, each once. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from aidns import names
from aidns.catalog.reader import BypassFile, LookalikeFile, Reader
from aidns.model import Domain, OwnedName, RegionTable, Service


class Listed(Struct, frozen=True):
    """A listed name and where it is written."""

    owned: OwnedName
    path: str
    field: str


def service_names(
    services: Mapping[str, Service], regions: Mapping[str, RegionTable], reader: Reader
) -> Iterator[Listed]:
    """Yield the names that services own; the names they depend on are judged by form alone."""
    for service in services.values():
        path = f"services/{service.id}.toml"
        for i, domain in enumerate(service.domains):
            field = f"domains[{i}].name"
            for text in _expand(domain, regions, reader, path, field):
                name = reader.name(path, field, text, fixable=text == domain.name)
                if name:
                    yield Listed(OwnedName(name, domain, service.id), path, field)
        for i, dependency in enumerate(service.dependencies):
            reader.name(path, f"dependencies[{i}].name", dependency.name)


def _expand(
    domain: Domain, regions: Mapping[str, RegionTable], reader: Reader, path: str, field: str
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


def lookalike_names(files: Sequence[tuple[str, LookalikeFile]], reader: Reader) -> Iterator[Listed]:
    """Yield the look-alikes."""
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
                yield Listed(OwnedName(name, domain, entry.imitates, lookalike=True), path, field)


def bypass_names(files: Sequence[tuple[str, BypassFile]], reader: Reader) -> Iterator[Listed]:
    """Yield the bypass names."""
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
                yield Listed(OwnedName(name, domain, entry.kind, bypass=True), path, field)


def each_once(listed: Iterable[Listed], reader: Reader) -> tuple[OwnedName, ...]:
    """Return the names in label order; one listed twice is a problem."""
    first: dict[names.Name, Listed] = {}
    for entry in listed:
        name = entry.owned.name
        if names.at_or_below(name, names.CANARY_PARENT):
            tip = f"nothing at or below {names.CANARY_PARENT} can be listed"
            reader.problem("name-form", entry.path, entry.field, f"{name} belongs to canaries", tip)
        elif name in first:
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
