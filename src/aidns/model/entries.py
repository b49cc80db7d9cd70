"""Entries of the catalogue's files: facts, evidence, services, providers, measures and the smaller tables.

These types double as the schema of the TOML files (docs/catalog-guidelines.md explains each key), and the order of
their fields is the canonical order of keys. Text that a person wrote stays text here; names become `Name` when the
catalogue is assembled.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

Scope = Literal["subtree", "exact"]
Text = Annotated[str, Meta(min_length=1)]
SchemaVersion = Literal[1]


class SeenDate:
    """The date of the copy that somebody read, or undated; `"undated"` and a TOML date in files."""

    __slots__ = ("date",)

    def __init__(self, date: dt.date | None = None) -> None:
        self.date = date

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SeenDate) and self.date == other.date

    def __hash__(self) -> int:
        return hash(self.date)

    def __str__(self) -> str:
        return self.date.isoformat() if self.date else "undated"

    def __repr__(self) -> str:
        return f"SeenDate({self})"


class Entry(Struct, frozen=True, forbid_unknown_fields=True):
    """Base of every table of the catalogue: unknown keys are errors, values never change."""


class Evidence(Entry, frozen=True):
    """Where somebody saw a name: kind (vocab), address, date of the copy read, what it shows."""

    kind: Text
    url: Text
    seen: SeenDate
    says: Text


class Fact(Entry, frozen=True):
    """A dated, sourced value. `("unknown",)` says that nothing was found on `as_of`."""

    value: Annotated[tuple[Text, ...], Meta(min_length=1)]
    as_of: SeenDate
    source: str = ""
    note: str = ""


class Domain(Entry, frozen=True):
    """A name that a service owns."""

    name: Text
    role: Text
    scope: Scope = "subtree"
    sharing: Literal["exclusive", "vendor", "tenant"] = "exclusive"
    breaks: str = ""
    confidence: Literal["normal", "low"] = "normal"
    regions: str = ""
    covers_suffix: str = ""
    note: str = ""
    evidence: tuple[Evidence, ...] = ()


class Dependency(Entry, frozen=True, kw_only=True):
    """A name that a service needs and somebody else owns: documentation, never output by itself."""

    name: Text
    role: str = ""
    breaks: Text
    note: str = ""
    evidence: tuple[Evidence, ...] = ()


class DataHandling(Entry, frozen=True):
    """What happens to what users enter. The first fact of a list is the one policies use."""

    storage: tuple[Fact, ...] = ()
    trains_default: tuple[Fact, ...] = ()
    retention: tuple[Fact, ...] = ()
    external_storage: tuple[Fact, ...] = ()


class Service(Entry, frozen=True):
    """A generative-AI service. `id` is the file's name."""

    schema: SchemaVersion
    title: Text
    provider: Text
    categories: Annotated[tuple[Text, ...], Meta(min_length=1)]
    homepage: str = ""
    status: Literal["active", "renamed", "retired"] = "active"
    successor: str = ""
    separable: Literal["yes", "partly", "no"] = "yes"
    separable_note: str = ""
    hosts_models_of: tuple[Text, ...] = ()
    also_known_as: tuple[Text, ...] = ()
    note: str = ""
    data: DataHandling = DataHandling()
    domains: tuple[Domain, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    id: str = ""


class Provider(Entry, frozen=True):
    """Who offers services, and the countries that policies select on."""

    schema: SchemaVersion
    title: Text
    legal_names: tuple[Text, ...] = ()
    affiliates: tuple[Text, ...] = ()
    registered_in: tuple[Fact, ...] = ()
    parent_in: tuple[Fact, ...] = ()
    origin_in: tuple[Fact, ...] = ()
    note: str = ""
    id: str = ""


class Wording(Entry, frozen=True):
    """How one source words a measure."""

    verb: Text
    strength: Text
    source: Text
    as_of: SeenDate


class Citation(Entry, frozen=True):
    """A source of a measure or policy and what it says."""

    source: Text
    seen: SeenDate
    says: Text


class Measure(Entry, frozen=True, kw_only=True):
    """A fact about the world: who restricted what, for whom, since when."""

    schema: SchemaVersion
    title: Text
    who: Text
    country: Text
    target: Annotated[tuple[Text, ...], Meta(min_length=1)]
    audience: Text
    strength: Text
    status: Text
    since: SeenDate
    until: dt.date | None = None
    checked: dt.date
    dns_cannot: Annotated[tuple[Text, ...], Meta(min_length=1)]
    wording: tuple[Wording, ...] = ()
    citations: Annotated[tuple[Citation, ...], Meta(min_length=1)]
    note: str = ""
    id: str = ""


class Shared(Entry, frozen=True):
    """Infrastructure that no rule of ours may equal or cover; nor may one the names to which its aliases lead."""

    name: Text
    klass: Text = msgspec.field(name="class")
    what: Text
    breaks: Text
    scope: Scope = "subtree"
    cname_targets: tuple[Text, ...] = ()
    note: str = ""
    evidence: tuple[Evidence, ...] = ()


class Parking(Entry, frozen=True):
    """A fingerprint of a name that is parked or for sale."""

    match: Literal["ns", "cname", "address", "page"]
    """`page`: a text of the page that the name's web site shows, in any case."""
    value: Text
    what: Text
    evidence: tuple[Evidence, ...] = ()


class Rejected(Entry, frozen=True, kw_only=True):
    """A name that was looked at and left out."""

    name: Text
    reason: Text
    note: str = ""
    decided: dt.date
    scope: Scope = "exact"
    service: str = ""
    evidence: tuple[Evidence, ...] = ()


class Lookalike(Entry, frozen=True):
    """An unofficial front-end or mirror site, kept apart from the service it imitates."""

    name: Text
    imitates: Text
    scope: Scope = "subtree"
    note: str = ""
    evidence: tuple[Evidence, ...] = ()


class Bypass(Entry, frozen=True):
    """A canary, relay or DoH name: exact, only ever answered negatively."""

    name: Text
    kind: Text
    what: Text
    breaks: Text
    note: str = ""
    evidence: tuple[Evidence, ...] = ()


class RegionTable(Entry, frozen=True):
    """The values a pattern's `{region}` stands for."""

    values: Annotated[tuple[Text, ...], Meta(min_length=1)]
    evidence: tuple[Evidence, ...] = ()


class Waiver(Entry, frozen=True):
    """One entry's dated permission to break one lint rule; an error once nothing needs it."""

    rule: Text
    file: Text
    field: Text
    reason: Text
    decided: dt.date


class CatalogInfo(Entry, frozen=True):
    """What every published file says about its origin."""

    schema: SchemaVersion
    title: Text
    homepage: Text
    issues: Text
    license: Text
