"""The catalogue as a whole, its names, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from aidns.model.entries import (
    Bypass,
    CatalogInfo,
    Domain,
    Lookalike,
    Measure,
    Parking,
    Provider,
    RegionTable,
    Rejected,
    Scope,
    Service,
    Shared,
    Waiver,
)
from aidns.model.policies import Policy
from aidns.names import Name, printable

Vocab = Mapping[str, Mapping[str, str]]
"""Section -> word -> definition."""


class OwnedName(Struct, frozen=True):
    """A listed name with its owner, patterns expanded: what selection works on."""

    name: Name
    domain: Domain
    service: str
    lookalike: bool = False
    bypass: bool = False

    @property
    def scope(self) -> Scope:
        return self.domain.scope


class Catalog(Struct, frozen=True):
    """Everything loaded, by id. `names` holds every listed name once, in label order, patterns expanded."""

    info: CatalogInfo
    providers: Mapping[str, Provider]
    services: Mapping[str, Service]
    measures: Mapping[str, Measure]
    policies: Mapping[str, Policy]
    vocab: Vocab
    shared: tuple[Shared, ...]
    regions: Mapping[str, RegionTable]
    parking: tuple[Parking, ...]
    rejected: tuple[Rejected, ...]
    lookalikes: tuple[Lookalike, ...]
    bypass: tuple[Bypass, ...]
    waivers: tuple[Waiver, ...]
    names: tuple[OwnedName, ...]
    places: Mapping[str, tuple[tuple[str, str], ...]] = {}
    """`rejected`, `lookalikes`, `bypass` -> (file, field) of each entry, in the same order."""
    digest: str = ""


class Fix(Struct, frozen=True):
    """An edit that mends a fault without a person's judgement: what `field` says then; None takes it out."""

    field: str
    value: str | None = None


class Problem(Struct, frozen=True):
    """One fault of the catalogue or of a policy, with where it is and how to mend it.

    `field` is a path such as `domains[2].evidence[0].url`; `line` counts from 1, 0 when the whole file is meant.
    `aidns fix` makes the `fix`, where there is one.
    """

    rule: str
    file: str
    line: int
    field: str
    message: str
    tip: str = ""
    level: Literal["error", "warning"] = "error"
    fix: Fix | None = None

    def __str__(self) -> str:
        """Return the problem as one printable line, whatever the file holds."""
        where = f"{self.file}:{self.line}" if self.line else self.file
        field = f" {self.field}:" if self.field else ""
        end = "" if self.tip.endswith("?") else "."
        tip = f" Tip: {self.tip}{end}" if self.tip else ""
        tip += " `aidns fix` does it." if self.fix else ""
        return printable(f"{where}: {self.level} [{self.rule}]{field} {self.message}.{tip}", 1000)
