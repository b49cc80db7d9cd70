"""What the memory of `check` amounts to: what changed, is suspect, came back; and the history of one name. Pure."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from msgspec import Struct

from aidns import psl
from aidns.evidence import DAY
from aidns.lookup.extras import wildcard_parent
from aidns.lookup.findings import FLAGS, Facts, Findings, flags
from aidns.lookup.spans import until
from aidns.model import Catalog, Outcome, Span, Standing, Verdict
from aidns.names import Name, ancestors, at_or_below
from aidns.verdict import Outlook, judge, last_answer, outlooks, returns

QUESTIONS = {
    "registrable": "gone, and anybody can buy it: take it out of the catalogue, or keep it on purpose",
    "other-name-servers": "back under other name servers: is it still the same owner?",
    **FLAGS,
}
"""Flag -> what somebody should find out."""


class Change(Struct, frozen=True):
    """A name whose standing is another one than before."""

    name: Name
    before: Standing
    after: Standing
    why: str


class Suspect(Struct, frozen=True):
    """A name that was denied since its last answer: who denied it when, and what comes of it."""

    name: Name
    denied: dict[str, tuple[dt.date, ...]]
    """By operator."""
    earliest: dt.date
    """The first date on which it can be gone."""
    lapses: dt.date
    """The date from which these denials no longer count, unless more come."""


class Flagged(Struct, frozen=True):
    """A question about a name for a person: a word of QUESTIONS, and what was seen."""

    name: Name
    flag: str
    seen: str


class Status(Struct, frozen=True):
    """Everything that `aidns status` tells. Moments in Unix seconds; None: never."""

    at: int
    last: int | None
    """When something usable was last heard."""
    compared_with: dt.date | None
    """The date of the run before the last one."""
    counts: dict[str, int]
    changes: tuple[Change, ...]
    suspects: tuple[Suspect, ...]
    returned: tuple[tuple[Name, dt.date], ...]
    flagged: tuple[Flagged, ...]


class History(Struct, frozen=True):
    """One name's whole story: what is concluded, what is known, and every span that bears on it."""

    verdict: Verdict
    facts: Facts
    suspect: Suspect | None
    spans: tuple[Span, ...]


def status(catalog: Catalog, spans: Collection[Span], now: int) -> Status:
    """Return what the memory says about the listed names now, and what changed since the run before the last one."""
    listed = [entry.name for entry in catalog.names if not entry.bypass]
    verdicts = judge(spans, listed, now, parking=catalog.parking)
    before, compared_with = _before(catalog, spans, listed, now)
    return Status(
        at=now,
        last=last_answer(spans) or None,
        compared_with=compared_with,
        counts=dict(Counter(str(verdict.standing) for verdict in verdicts.values()).most_common()),
        changes=tuple(
            Change(name, before[name].standing, verdict.standing, verdict.why)
            for name, verdict in verdicts.items()
            if name in before and before[name].standing is not verdict.standing
        ),
        suspects=tuple(
            _suspect(one) for one in outlooks(spans, listed, now) if verdicts[one.name].standing is Standing.SUSPECT
        ),
        returned=tuple((name, _date(day)) for name, day in sorted(returns(spans, listed, now).items())),
        flagged=tuple(_flagged(catalog, spans, verdicts, now)),
    )


def history(catalog: Catalog, spans: Collection[Span], name: Name, now: int) -> History:
    """Return everything remembered that bears on `name`, listed or not, oldest first."""
    relevant = tuple(sorted((span for span in spans if _bears_on(span, name)), key=_when))
    return History(
        verdict=judge(spans, [name], now, parking=catalog.parking)[name],
        facts=Findings(spans, catalog, now).of(name),
        suspect=next((_suspect(one) for one in outlooks(spans, [name], now)), None),
        spans=relevant,
    )


def _before(
    catalog: Catalog, spans: Collection[Span], listed: Sequence[Name], now: int
) -> tuple[dict[Name, Verdict], dt.date | None]:
    """Return the verdicts at the end of the last date but one with answers; nothing if there is none."""
    usable = (Outcome.DATA, Outcome.NODATA, Outcome.DENIED, Outcome.FILTERED)
    days = sorted({day for span in spans if span.outcome in usable for day in span.days if day <= now // DAY})
    if len(days) < 2:
        return {}, None
    moment = days[-2] * DAY + DAY - 1
    return judge(until(spans, moment), listed, moment, parking=catalog.parking), _date(days[-2])


def _flagged(catalog: Catalog, spans: Collection[Span], verdicts: dict[Name, Verdict], now: int) -> Iterable[Flagged]:
    findings = Findings(spans, catalog, now)
    for name, verdict in verdicts.items():
        facts = findings.of(name)
        raised = dict.fromkeys((*verdict.flags, *flags(facts)))
        if verdict.standing is Standing.PARKED:
            raised["parked"] = None
        for flag in raised:
            yield Flagged(name, flag, _seen(flag, facts, verdict))


def _seen(flag: str, facts: Facts, verdict: Verdict) -> str:
    """Return what raised a flag."""
    return {
        "moved": " → ".join(facts.moved) + f" since {_date(facts.moved_since // DAY)}",
        "parked": facts.parked or verdict.why,
        "wildcard": f"a random name below {wildcard_parent(facts.name)} answers",
        "bogus": f"zone {facts.zone}",
        "disputed": facts.disputed,
        "expired": f"zone {facts.zone}",
    }.get(flag, verdict.why)


def _suspect(outlook: Outlook) -> Suspect:
    denied = {operator: tuple(map(_date, days)) for operator, days in outlook.days.items()}
    return Suspect(outlook.name, denied, _date(outlook.earliest), _date(outlook.lapses))


def _bears_on(span: Span, name: Name) -> bool:
    if name in (span.name, span.subject) or name in span.chain:
        return True
    if span.outcome is Outcome.FILTERED and span.name in ancestors(name):
        return True
    if span.name == psl.registrable_domain(name) and span.rdtype in ("NS", "SOA", "DS"):
        return True
    if span.name == f"*.{wildcard_parent(name)}":
        return True
    return span.outcome.proves_existence and any(at_or_below(one, name) for one in (span.name, *span.chain))


def _when(span: Span) -> tuple[int, int, str, str, str]:
    return (span.first, span.last, span.name, span.rdtype, span.resolver)


def _date(day: int) -> dt.date:
    epoch, last = dt.date(1970, 1, 1).toordinal(), dt.date.max.toordinal()
    return dt.date.fromordinal(min(max(day + epoch, 1), last))
