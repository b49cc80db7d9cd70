"""The values everything else works on: frozen, without behaviour beyond small look-ups, without I/O.

Catalogue types double as the schema of the TOML files (docs/catalog-guidelines.md explains each key). Text that a
person wrote stays text here; names become `Name` when the catalogue is assembled.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from aidns.names import Name

# ------------------------------------------------------------------ words

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


# ------------------------------------------------------------------ facts and evidence


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


class Dependency(Entry, frozen=True):
    """A name that a service needs and somebody else owns: documentation, never output by itself."""

    name: Text
    breaks: Text
    role: str = ""
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


# ------------------------------------------------------------------ measures


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


class Measure(Entry, frozen=True):
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
    checked: dt.date
    citations: Annotated[tuple[Citation, ...], Meta(min_length=1)]
    dns_cannot: Annotated[tuple[Text, ...], Meta(min_length=1)]
    wording: tuple[Wording, ...] = ()
    until: dt.date | None = None
    note: str = ""
    id: str = ""


# ------------------------------------------------------------------ policies


class Selector(Entry, frozen=True):
    """Conditions that must all hold; within one condition any value is enough.

    `unknown` says what a value nobody found does: match, skip silently, or skip and report (the default).
    """

    provider: tuple[Text, ...] = ()
    provider_family: tuple[Text, ...] = ()
    service: tuple[Text, ...] = ()
    category: tuple[Text, ...] = ()
    role: tuple[Text, ...] = ()
    sharing: tuple[Text, ...] = ()
    confidence: tuple[Text, ...] = ()
    registered_in: tuple[Text, ...] = ()
    parent_in: tuple[Text, ...] = ()
    origin_in: tuple[Text, ...] = ()
    storage_in: tuple[Text, ...] = ()
    nexus_in: tuple[Text, ...] = ()
    trains_default: tuple[Text, ...] = ()
    external_storage: tuple[Text, ...] = ()
    hosts_models_of: tuple[Text, ...] = ()
    separable: tuple[Text, ...] = ()
    unknown: Literal["match", "skip", "report"] = "report"


class Select(Entry, frozen=True):
    """What a policy blocks. Including only adds; excluding makes exceptions."""

    include: tuple[Selector, ...] = ()
    exclude: tuple[Selector, ...] = ()
    lookalikes: bool = False
    bypass: bool = False


class Garden(Entry, frozen=True):
    """Where a walled garden sends people: addresses, or a name."""

    a: str = ""
    aaaa: str = ""
    cname: str = ""


class ActionChoice(Entry, frozen=True):
    """The answer wanted for blocked names, and what to do where a format lacks it."""

    default: Text = "nxdomain"
    fallback: tuple[Text, ...] = ()
    walled_garden: Garden = Garden()


class ClientScope(Entry, frozen=True):
    """Where the file is to be loaded: networks or a tag an administrator fills."""

    name: Text
    tags: tuple[Text, ...] = ()
    networks: tuple[Text, ...] = ()
    note: str = ""


class ServiceException(Entry, frozen=True):
    """A service that stays reachable, with who decided it and until when."""

    service: Annotated[tuple[Text, ...], Meta(min_length=1)]
    reason: Text
    approved_by: str = ""
    expires: dt.date | None = None
    scopes: tuple[Text, ...] = ()


class InlineBlock(Entry, frozen=True):
    """An administrator's own name to block."""

    name: Text
    reason: Text
    scope: Scope = "subtree"


class InlineAllow(Entry, frozen=True):
    """An administrator's own name to keep reachable."""

    name: Text
    reason: Text
    scope: Scope = "subtree"
    approved_by: str = ""
    expires: dt.date | None = None


class Policy(Entry, frozen=True):
    """A choice: what to block, how, for whom; it points to measures. `id` is the file's name."""

    schema: SchemaVersion
    title: Text
    summary: str = ""
    preset: str = ""
    extends: str = ""
    strength: str = ""
    measures: tuple[Text, ...] = ()
    owner: str = ""
    since: dt.date | None = None
    review_by: dt.date | None = None
    expires: dt.date | None = None
    escalate: bool = False
    dns_cannot: tuple[Text, ...] = ()
    select: Select = Select()
    action: ActionChoice | None = None
    scope: tuple[ClientScope, ...] = ()
    exception: tuple[ServiceException, ...] = ()
    block: tuple[InlineBlock, ...] = ()
    allow: tuple[InlineAllow, ...] = ()
    id: str = ""


# ------------------------------------------------------------------ other catalogue files


class Shared(Entry, frozen=True):
    """Infrastructure that no rule of ours may equal or cover."""

    name: Text
    what: Text
    breaks: Text
    klass: Text = msgspec.field(name="class")
    scope: Scope = "subtree"
    note: str = ""
    evidence: tuple[Evidence, ...] = ()


class Parking(Entry, frozen=True):
    """A fingerprint of a name that is parked or for sale."""

    match: Literal["ns", "cname", "address"]
    value: Text
    what: Text
    evidence: tuple[Evidence, ...] = ()


class Rejected(Entry, frozen=True):
    """A name that was looked at and left out."""

    name: Text
    reason: Text
    decided: dt.date
    scope: Scope = "exact"
    note: str = ""
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


# ------------------------------------------------------------------ the catalogue

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


class Problem(Struct, frozen=True):
    """One fault of the catalogue or of a policy, with where it is and how to mend it.

    `field` is a path such as `domains[2].evidence[0].url`; `line` counts from 1, 0 when the whole file is meant.
    """

    rule: str
    file: str
    line: int
    field: str
    message: str
    tip: str = ""
    level: Literal["error", "warning"] = "error"
    fixable: bool = False

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        field = f" {self.field}:" if self.field else ""
        tip = f" Tip: {self.tip}." if self.tip else ""
        return f"{where}: {self.level} [{self.rule}]{field} {self.message}.{tip}"


# ------------------------------------------------------------------ selection


class Rule(Struct, frozen=True):
    """One decision about one owner name: block it or keep it reachable (exception)."""

    name: Name
    scope: Scope
    blocks: bool
    origin: str
    """Service id, or `policy` for a name given inline."""
    reason: str
    expires: dt.date | None = None
    approved_by: str = ""
    verdict_applies: bool = True
    """False for inline names: an administrator's own name never leaves by a verdict."""


class LeftOut(Struct, frozen=True):
    """A name or service that a policy did not take, and why."""

    what: str
    why: str


class Selection(Struct, frozen=True):
    """What a policy decides for one client scope."""

    policy: Policy
    client_scope: str
    rules: tuple[Rule, ...]
    known: tuple[Name, ...]
    """Every name the catalogue and the policy know, for formats that can only list names."""
    left_out: tuple[LeftOut, ...]
    unknown: tuple[LeftOut, ...]
    """Services about which a selected fact is unknown."""
    nameless: tuple[str, ...]
    """Wanted providers and services for which the catalogue has no name."""
    warnings: tuple[str, ...] = ()


# ------------------------------------------------------------------ checking


class Outcome(StrEnum):
    """Class of one answer. Only DENIED can ever count towards removal."""

    DATA = "data"
    """NOERROR with an answer of the asked type."""
    NODATA = "nodata"
    """NOERROR without data: the name exists."""
    DENIED = "denied"
    """NXDOMAIN with a plausible SOA, no trace of filtering."""
    FILTERED = "filtered"
    """A negative or null answer that a filter, not the zone, seems to have made."""
    SERVFAIL = "servfail"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    BROKEN = "broken"
    """Malformed, mismatched or otherwise unusable."""

    @property
    def proves_existence(self) -> bool:
        return self in (Outcome.DATA, Outcome.NODATA)


class Observation(Struct, frozen=True):
    """What one resolver said about one question at one time.

    `subject` is the name the outcome is about: the last name of the CNAME chain (RFC 6604 §2), else `name` itself.
    """

    name: Name
    rdtype: str
    resolver: str
    outcome: Outcome
    at: int
    """Unix seconds."""
    subject: Name
    detail: str = ""
    """Rcode, EDE, transport trouble: one printable line."""
    chain: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    vantage: str = ""
    operator: str = ""
    """Who runs the resolver: proofs count once per operator. Empty: the resolver itself."""


class Span(Struct, frozen=True):
    """Equal observations taken together: same name, type, resolver, vantage, outcome and subject (and name servers)."""

    name: Name
    rdtype: str
    resolver: str
    outcome: Outcome
    subject: Name
    first: int
    last: int
    n: int
    days: tuple[int, ...] = ()
    """UTC day numbers (Unix seconds // 86400) on which it was seen, ascending; the newest ones only."""
    detail: str = ""
    chain: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    vantage: str = ""
    operator: str = ""


class Standing(StrEnum):
    """What we conclude about a name over time."""

    LIVE = "live"
    GONE = "gone"
    SUSPECT = "suspect"
    PARKED = "parked"
    FILTERED = "filtered"
    UNKNOWN = "unknown"


class Verdict(Struct, frozen=True):
    """The conclusion about one name, since when (Unix seconds, 0 = never seen) and why."""

    name: Name
    standing: Standing
    since: int
    why: str
    removable: bool = False
    """True only for a host that is gone; a registrable domain is flagged, never removed by itself."""
    flags: tuple[str, ...] = ()
    """Questions for a person: `registrable` (gone, can be bought), `other-name-servers` (back under new ones)."""


# ------------------------------------------------------------------ compiling and rendering


class Answer(Struct, frozen=True):
    """Whether an owner itself, and everything below it, is blocked."""

    self_blocked: bool
    below_blocked: bool


class Weakened(Struct, frozen=True):
    """Something a format cannot say. `direction` tells what goes wrong: a leak or an over-block."""

    what: Literal["subtree", "exact", "exception", "scope", "types"]
    direction: Literal["leak", "over-block"]
    count: int
    note: str
    names: tuple[Name, ...] = ()


class BlockSet(Struct, frozen=True):
    """The neutral result: every owner with its answers, and what each rule became.

    `owners` holds every listed owner, redundant ones included; `minimal` only those that differ from what their
    nearest listed ancestor already says.
    """

    policy: Policy
    client_scope: str
    owners: Mapping[Name, Answer]
    minimal: Mapping[Name, Answer]
    known: tuple[Name, ...]
    covered: tuple[tuple[Name, Name], ...]
    """(listed name, the owner above that already says the same)."""
    idle: tuple[Name, ...]
    """Exceptions without a block above them: nothing to except, so nothing is written."""
    gone: tuple[Name, ...]
    origins: Mapping[Name, str]
    canary: Name
    selection: Selection


class Artefact(Struct, frozen=True):
    """One rendered file: what it says, what it could not say, and how much of it there is."""

    policy: str
    client_scope: str
    format: str
    path: str
    """Relative path in `dist/`."""
    text: str
    digest: str
    """SHA-256 over the non-comment bytes with the serial left out, and the template's id."""
    serial: int
    services: int
    names: int
    lines: int
    weakened: tuple[Weakened, ...]
    action: str
    entries: tuple[str, ...] = ()
    """The rules as the format sees them, sorted: what a plan compares."""
