"""What resolvers said, remembered as spans, and what is concluded from it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from aidns.names import Name

WEB = "HTTP"
"""Stands where a rdtype does in what a look at a name's web site showed; its chain is where the site has moved to."""


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


class Observation(Struct, frozen=True, gc=False):
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


class Span(Struct, frozen=True, gc=False):
    """Equal observations together: same name, type, resolver, vantage, outcome, subject, chain (and name servers)."""

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
