"""Facts that policies select on have a source, or say that nothing was found."""

from __future__ import annotations

from collections.abc import Iterator

from aidns.catalog.countries import COUNTRIES
from aidns.catalog.lint.evidence import unfollowable
from aidns.catalog.lint.finding import Finding, service_path
from aidns.model import Catalog, DataHandling, Fact

_PROVIDER_FACTS = ("registered_in", "parent_in", "origin_in")


def check(catalog: Catalog) -> Iterator[Finding]:
    """Yield missing facts of providers, facts without a source, and countries that do not exist."""
    for provider in catalog.providers.values():
        path = f"providers/{provider.id}.toml"
        for key in _PROVIDER_FACTS:
            facts = getattr(provider, key)
            if not facts:
                yield Finding(
                    path, key, f"`{key}` is missing", 'write the country and its source, or value = ["unknown"]'
                )
            for i, fact in enumerate(facts):
                yield from _fact(path, f"{key}[{i}]", fact, country=True)
    for service in catalog.services.values():
        for key in DataHandling.__struct_fields__:
            for i, fact in enumerate(getattr(service.data, key)):
                yield from _fact(service_path(service), f"data.{key}[{i}]", fact, country=key == "storage")
    for measure in catalog.measures.values():
        if measure.country not in COUNTRIES:
            tip = "ISO 3166-1 alpha-2, such as KR or GB"
            yield Finding(f"measures/{measure.id}.toml", "country", f"{measure.country!r} is no country", tip)


def _fact(path: str, field: str, fact: Fact, *, country: bool) -> Iterator[Finding]:
    unknown = fact.value == ("unknown",)
    if not fact.source and not unknown:
        yield Finding(path, field, f"{', '.join(fact.value)} has no source", 'add source = "https://…"')
    if fact.source and (why := unfollowable(fact.source)):
        yield Finding(path, field, f"{fact.source!r} {why}", "write the public https address")
    if "unknown" in fact.value and not unknown:
        yield Finding(path, field, "mixes unknown with known values", "leave unknown out")
    for code in fact.value if country and not unknown else ():
        if code not in COUNTRIES:
            yield Finding(
                path,
                field,
                f"{code!r} is no country",
                "ISO 3166-1 alpha-2, such as KR or GB; EU where no country is said",
            )
