"""Which web sites are worth a look: of listed names that people open, that answer, and were not seen today. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from aidns.lookup.spans import proven
from aidns.model import WEB, Catalog, Outcome, Span
from aidns.names import Name

OBSERVER = "http"
"""Stands where a resolver does in what a look at a site showed."""
ROLES = frozenset(("web", "app", "docs"))
"""Roles of names whose `/` a browser opens; an interface redirects for reasons of its own."""
RECENT_SECONDS = 2 * 86400
"""Age up to which an address counts as one."""


def page_mark(text: str) -> str:
    """Return how it is remembered that a site's page holds a fingerprint's text: beside hosts, and never one."""
    return f"page={text}"


def due(
    catalog: Catalog,
    names: Collection[Name],
    spans: Iterable[Span],
    now: int,
    vantage: str,
    *,
    everything: bool = False,
) -> tuple[Name, ...]:
    """Return the names whose sites to look at, in the order of `names`; `everything`: those seen today, too."""
    history = tuple(spans)
    people_open = {entry.name for entry in catalog.names if entry.domain.role in ROLES and not entry.bypass}
    answering = {
        span.name
        for span in history
        if span.outcome is Outcome.DATA and span.rdtype in ("A", "AAAA") and now - RECENT_SECONDS < span.last <= now
    }
    seen = frozenset() if everything else proven(history, now, vantage)
    return tuple(n for n in names if n in people_open and n in answering and (n, WEB, OBSERVER) not in seen)
