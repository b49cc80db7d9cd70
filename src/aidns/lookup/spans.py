"""Observations taken together into spans: a merge in any order, any number of times, gives the same. Pure.

Spans are a join-semilattice: days unite, first and last take the extremes, and the texts are those of the latest
answer. So histories from interrupted runs, several machines or repeated imports can be put together freely. Only `n`,
a count for people, is not exact when two histories overlap in time.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from aidns.model import Observation, Outcome, Span

DAY = 86400
MAX_DAYS = 40
"""The newest days that a span keeps: more than the window in which verdicts look (verdict.Thresholds)."""
RECHECK_SECONDS = 20 * 3600
"""What answered within this time is not asked again: less than a day, so that a nightly run never skips a night."""

SpanKey = tuple[str, str, str, str, str, str, tuple[str, ...], tuple[str, ...]]
Proven = frozenset[tuple[str, str, str]]
"""Name, rdtype and resolver of what needs no question now."""


def span_key(span: Span | Observation) -> SpanKey:
    """Return what two spans must share to be one.

    The chain belongs to it, because every name on it was seen to exist, and so do name servers: who serves a zone is
    its history. Addresses do not: they change with every answer.
    """
    return (
        span.name,
        span.rdtype,
        span.resolver,
        span.vantage,
        span.outcome._value_,
        span.subject,
        span.chain,
        servers_of(span),
    )


def servers_of(span: Span | Observation) -> tuple[str, ...]:
    """Return the name servers that an answer tells; none where something else was asked or answered."""
    return span.data if span.rdtype == "NS" and span.outcome is Outcome.DATA else ()


def from_observation(seen: Observation) -> Span:
    """Return the span of one observation."""
    at = seen.at
    return Span(
        seen.name, seen.rdtype, seen.resolver, seen.outcome, seen.subject, at, at, 1, (at // DAY,),
        seen.detail, seen.chain, seen.data, seen.vantage, seen.operator,
    )  # fmt: skip


def merge(one: Span, other: Span) -> Span:
    """Return both spans, which share their key, as one."""
    early, late = (one, other) if _is_latest(other, one) else (other, one)
    return msgspec.structs.replace(
        late,
        first=min(early.first, late.first),
        n=early.n + late.n if early.last < late.first else max(early.n, late.n),
        days=_united(early.days, late.days),
    )


def _is_latest(span: Span, other: Span) -> bool:
    """Tell whose texts stay: those of the later answer, of two at the same moment always the same one's."""
    if span.last != other.last:
        return span.last > other.last
    return (span.detail, span.data, span.operator) >= (other.detail, other.data, other.operator)


def _united(days: tuple[int, ...], more: tuple[int, ...]) -> tuple[int, ...]:
    """Return the newest days of both."""
    both = days + more if days[-1:] < more[:1] else tuple(sorted({*days, *more}))
    return both[-MAX_DAYS:]


def merge_all(spans: Iterable[Span]) -> dict[SpanKey, Span]:
    """Return the spans with those of one key merged."""
    merged: dict[SpanKey, Span] = {}
    for span in spans:
        key = span_key(span)
        merged[key] = merge(merged[key], span) if key in merged else span
    return merged


def until(spans: Iterable[Span], moment: int) -> tuple[Span, ...]:
    """Return the spans as they were at `moment` (Unix seconds), as far as days tell.

    Texts and data are those of a span's latest answer, which may have come later.
    """
    today = moment // DAY
    found = []
    for span in spans:
        days = tuple(day for day in span.days if day <= today)
        if span.last <= moment:
            found.append(span)
        elif days and span.first <= moment:
            found.append(msgspec.structs.replace(span, last=min(moment, days[-1] * DAY + DAY - 1), days=days))
    return tuple(found)


def proven(spans: Iterable[Span], now: int, vantage: str = "") -> Proven:
    """Return the questions that need no answer now: they got one within RECHECK_SECONDS, seen from `vantage`.

    Only what proves existence counts; of a wildcard, which is no name that anybody lists, its absence counts, too.
    Answers dated after `now` do not count.
    """
    return frozenset(
        (span.name, span.rdtype, span.resolver)
        for span in spans
        if (span.outcome.proves_existence or (span.outcome is Outcome.DENIED and is_wildcard(span.name)))
        and now - RECHECK_SECONDS < span.last <= now
        and span.vantage == vantage
    )


def is_wildcard(name: str) -> bool:
    """Tell whether a name stands for what a random label below another name showed."""
    return name.startswith("*.")
