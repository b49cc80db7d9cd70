"""What the history of answers says about each name. Only positive, repeated proof removes one. Pure.

Every threshold is in `Thresholds`; docs/checking.md explains them.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeVar

from msgspec import Struct

from aidns import psl
from aidns.model import Outcome, Parking, Span, Standing, Verdict
from aidns.names import Name, ancestors, at_or_below

DAY = 86400

_EPOCH = dt.date(1970, 1, 1).toordinal()
_LAST_DAY = dt.date.max.toordinal() - _EPOCH
_Key = TypeVar("_Key")


class Thresholds(Struct, frozen=True):
    """When a denied name is gone."""

    operators: int = 2
    """Operators whose resolvers must each have denied it."""
    dates: int = 3
    """UTC dates on which each of them must have denied it."""
    span_days: int = 7
    """Days between the first and the last of these dates."""
    fresh_days: int = 7
    """Age in days up to which the last denial counts."""
    window_days: int = 30
    """Days back that answers count at all."""


DEFAULT = Thresholds()


class _Existence:
    """When something answered at or below a name, and which name it was."""

    __slots__ = ("days", "first", "last", "who")

    def __init__(self) -> None:
        self.first = 0
        self.last = -1
        self.who = ""
        self.days: set[int] = set()

    def add(self, span: Span, who: str) -> None:
        self.first = min(self.first, span.first) if self.last >= 0 else span.first
        if (span.last, who) > (self.last, self.who):
            self.last, self.who = span.last, who
        self.days.update(span.days)


class _Evidence:
    """The spans, sorted by what they say about whom."""

    def __init__(self, spans: Iterable[Span], now: int, thresholds: Thresholds) -> None:
        self.today = now // DAY
        self.oldest = self.today - thresholds.window_days
        self.exists: dict[str, _Existence] = defaultdict(_Existence)
        self.dangling: dict[str, Span] = {}
        self.denials: dict[str, dict[tuple[str, str], set[int]]] = defaultdict(lambda: defaultdict(set))
        """Denied name -> (operator, resolver) -> UTC days, the window's and older ones."""
        self.filters: dict[str, list[Span]] = defaultdict(list)
        """Filtered name -> such spans in the window."""
        self.failures: dict[str, Span] = {}
        self.servers: dict[str, list[Span]] = defaultdict(list)
        self.latest: dict[tuple[str, str], Span] = {}
        for span in spans:
            self._add(span)

    def _add(self, span: Span) -> None:
        recent = span.last // DAY >= self.oldest
        if span.outcome.proves_existence:
            if recent:
                self._prove(span, (span.name, *span.chain))
            if span.outcome is Outcome.DATA:
                _keep_latest(self.latest, (span.name, span.rdtype), span)
                if span.rdtype == "NS":
                    self.servers[span.name].append(span)
        elif span.outcome is Outcome.DENIED:
            self.denials[span.subject][(span.operator or span.resolver, span.resolver)].update(span.days)
            if span.chain and recent:
                # The owner of a CNAME exists, whatever became of its target (RFC 6604 §2).
                self._prove(span, (span.name, *span.chain[:-1]))
                _keep_latest(self.dangling, span.name, span)
        elif span.outcome is Outcome.FILTERED:
            if recent:
                self.filters[span.name].append(span)
        else:
            _keep_latest(self.failures, span.name, span)

    def _prove(self, span: Span, existing: Iterable[str]) -> None:
        """What exists proves everything above it: an empty non-terminal exists, too (RFC 8020 §2)."""
        for name in existing:
            for above in (name, *ancestors(name)):
                self.exists[above].add(span, name)

    def denied_days(self, name: Name) -> dict[str, list[int]]:
        """Return operator -> UTC days in the window on which it denied `name` after the last sign of life.

        A resolver is no witness on a day on which it filtered the name or one above it. Days after today are not
        counted: the clock was wrong then or is wrong now.
        """
        since = self.exists[name].last // DAY if name in self.exists else -1
        found: dict[str, set[int]] = defaultdict(set)
        for (operator, resolver), days in self.denials.get(name, {}).items():
            found[operator].update(
                day
                for day in days - self._filter_days(name, resolver)
                if max(since + 1, self.oldest) <= day <= self.today
            )
        return {operator: sorted(days) for operator, days in sorted(found.items()) if days}

    def silent_days(self, subject: str) -> set[int]:
        """Return the UTC days up to today, in any past, on which `subject` was denied and nothing there answered."""
        alive = self.exists[subject].days if subject in self.exists else set()
        days = set().union(*self.denials.get(subject, {}).values())
        return {day for day in days - alive if day <= self.today}

    def _filter_days(self, name: Name, resolver: str) -> set[int]:
        spans = (span for above in (name, *ancestors(name)) for span in self.filters.get(above, ()))
        return {day for span in spans if span.resolver == resolver for day in span.days}


def judge(
    spans: Iterable[Span],
    names: Iterable[Name],
    now: int,
    *,
    parking: Sequence[Parking] = (),
    thresholds: Thresholds = DEFAULT,
) -> dict[Name, Verdict]:
    """Return a verdict for each of `names`; `now` in Unix seconds. Without spans every name is UNKNOWN, thus kept.

    `spans` should be the whole history: a name below a listed one keeps it alive although nobody lists it.
    """
    evidence = _Evidence(spans, now, thresholds)
    return {name: _judge(name, evidence, parking, thresholds) for name in names}


def last_answer(spans: Iterable[Span]) -> int:
    """Return when a resolver last said something usable, in Unix seconds; 0 for never."""
    usable = (Outcome.DATA, Outcome.NODATA, Outcome.DENIED, Outcome.FILTERED)
    return max((span.last for span in spans if span.outcome in usable), default=0)


def _judge(name: Name, evidence: _Evidence, parking: Sequence[Parking], thresholds: Thresholds) -> Verdict:
    if days := evidence.denied_days(name):
        return _denied(name, days, evidence, thresholds)
    if name in evidence.exists:
        return _existing(name, evidence, parking)
    if filters := evidence.filters.get(name):
        latest = max(filters, key=lambda span: (span.last, span.resolver))
        who = ", ".join(sorted({span.resolver for span in filters}))
        return Verdict(name, Standing.FILTERED, min(span.first for span in filters), f"by {who}: {latest.detail}")
    if failure := evidence.failures.get(name):
        why = f"no usable answer: {failure.outcome} from {failure.resolver}"
        return Verdict(name, Standing.UNKNOWN, failure.first, f"{why} ({failure.detail})" if failure.detail else why)
    return Verdict(name, Standing.UNKNOWN, 0, "no answer on record")


def _denied(name: Name, days: dict[str, list[int]], evidence: _Evidence, thresholds: Thresholds) -> Verdict:
    """Judge a name that was denied after its last sign of life."""
    witnesses = [operator for operator, dates in days.items() if _is_proof(dates, evidence.today, thresholds)]
    shown = "; ".join(
        f"{op} on {len(dates)} date(s) {_date(dates[0])} to {_date(dates[-1])}" for op, dates in days.items()
    )
    since = min(dates[0] for dates in days.values()) * DAY
    if len(witnesses) < thresholds.operators:
        need = f"{thresholds.operators} operators, {thresholds.dates} dates each over {thresholds.span_days} days"
        return Verdict(name, Standing.SUSPECT, since, f"denied by {shown}; gone needs {need}")
    if psl.registrable_domain(name) in (name, None):
        why = f"denied by {shown}; a registrable domain can be bought, it leaves by an edit of the catalogue alone"
        return Verdict(name, Standing.GONE, since, why, flags=("registrable",))
    return Verdict(name, Standing.GONE, since, f"denied by {shown}", removable=True)


def _is_proof(days: list[int], today: int, thresholds: Thresholds) -> bool:
    return (
        len(days) >= thresholds.dates
        and days[-1] - days[0] >= thresholds.span_days
        and today - days[-1] <= thresholds.fresh_days
    )


def _existing(name: Name, evidence: _Evidence, parking: Sequence[Parking]) -> Verdict:
    """Judge a name that exists as far as is known."""
    life = evidence.exists[name]
    zone = psl.registrable_domain(name)
    denied = evidence.silent_days(name) | (evidence.silent_days(zone) if zone else set())
    back = min((day for day in life.days if denied and day > max(denied)), default=None)
    since = life.first if back is None else max(life.first, back * DAY)
    flags = ("other-name-servers",) if zone and _has_moved(evidence.servers.get(zone, []), denied) else ()
    if what := _parked(name, zone, evidence, parking):
        return Verdict(name, Standing.PARKED, since, what, flags=flags)
    why = f"answered {_date(life.last // DAY)}"
    if life.who != name:
        why = f"{life.who} below it {why}"
    elif (span := evidence.dangling.get(name)) and span.last >= life.last:
        why = f"an alias of {span.subject}, which does not exist"
    if flags:
        why += "; back under other name servers: is it still the same owner?"
    return Verdict(name, Standing.LIVE, since, why, flags=flags)


def _has_moved(servers: list[Span], denied: set[int]) -> bool:
    """Tell whether a zone was denied between its former name servers and those it has now."""
    if not servers or not denied:
        return False
    current = max(servers, key=lambda span: (span.last, span.data))
    began = min(span.first for span in servers if span.data == current.data) // DAY
    former = [span.last // DAY for span in servers if span.data != current.data and span.last // DAY <= began]
    return bool(former) and any(max(former) <= day <= began for day in denied)


def _parked(name: Name, zone: Name | None, evidence: _Evidence, parking: Sequence[Parking]) -> str:
    """Return what parks a name, by the latest answers; empty when nothing does."""
    address = evidence.latest.get((name, "A"))
    servers = evidence.latest.get((zone, "NS")) if zone else None
    seen = {
        "ns": servers.data if servers else (),
        "cname": address.chain if address else (),
        "address": address.data if address else (),
    }
    for mark in parking:
        for found in seen[mark.match]:
            if found == mark.value or (mark.match != "address" and at_or_below(found, mark.value)):
                return f"{mark.what} ({mark.match} {found})"
    return ""


def _keep_latest(spans: dict[_Key, Span], key: _Key, span: Span) -> None:
    known = spans.get(key)
    if known is None or (span.last, span.resolver, span.data) > (known.last, known.resolver, known.data):
        spans[key] = span


def _date(day: int) -> str:
    return dt.date.fromordinal(_EPOCH + max(0, min(day, _LAST_DAY))).isoformat()
