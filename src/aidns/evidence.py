"""The spans about all names, sorted by what they say about whom: what verdicts are drawn from. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TypeVar

from aidns.model import WEB, Outcome, Span
from aidns.names import Name, ancestors

DAY = 86400

_Key = TypeVar("_Key")


class Existence:
    """When something answered at or below a name, and which name it was."""

    __slots__ = ("days", "first", "last", "who")

    def __init__(self) -> None:
        self.first = 0
        self.last = -1
        self.who = ""
        self.days: set[int] = set()

    def add(self, span: Span, who: str) -> None:
        """Take note that `who` exists."""
        self.first = min(self.first, span.first) if self.last >= 0 else span.first
        if (span.last, who) > (self.last, self.who):
            self.last, self.who = span.last, who
        self.days.update(span.days)


class Evidence:
    """Who exists, who was denied or filtered, and by whom. `window_days`: how far back answers count, from `now`.

    What a look at a web site showed is no evidence: whether a name exists is for DNS to say.
    """

    def __init__(self, spans: Iterable[Span], now: int, window_days: int) -> None:
        self.today = now // DAY
        self.oldest = self.today - window_days
        self.exists: dict[str, Existence] = defaultdict(Existence)
        self.dangling: dict[str, Span] = {}
        self.denials: dict[str, dict[tuple[str, str], set[int]]] = defaultdict(lambda: defaultdict(set))
        """Denied name -> (operator, resolver) -> UTC days, the window's and older ones."""
        self.filters: dict[str, list[Span]] = defaultdict(list)
        """Filtered name -> such spans in the window."""
        self.failures: dict[str, Span] = {}
        self.servers: dict[str, list[Span]] = defaultdict(list)
        self.latest: dict[tuple[str, str], Span] = {}
        for span in spans:
            if span.rdtype != WEB:
                self._add(span)

    def _add(self, span: Span) -> None:
        recent = span.last // DAY >= self.oldest
        if span.outcome.proves_existence:
            if recent:
                self._prove(span, (span.name, *span.chain))
            if span.outcome is Outcome.DATA:
                keep_latest(self.latest, (span.name, span.rdtype), span)
                if span.rdtype == "NS":
                    self.servers[span.name].append(span)
        elif span.outcome is Outcome.DENIED:
            self.denials[span.subject][(span.operator or span.resolver, span.resolver)].update(span.days)
            if span.chain and recent:
                # The owner of a CNAME exists, whatever became of its target (RFC 6604 §2).
                self._prove(span, (span.name, *span.chain[:-1]))
                keep_latest(self.dangling, span.name, span)
        elif span.outcome is Outcome.FILTERED:
            if recent:
                self.filters[span.name].append(span)
        else:
            keep_latest(self.failures, span.name, span)

    def _prove(self, span: Span, existing: Iterable[str]) -> None:
        """What exists proves everything above it: an empty non-terminal exists, too (RFC 8020 §2)."""
        for name in existing:
            for above in (name, *ancestors(name)):
                self.exists[above].add(span, name)

    def denied_days(self, name: Name) -> dict[str, list[int]]:
        """Return operator -> UTC days in the window on which it denied `name` after the last sign of life.

        A resolver is no witness on a day on which it filtered the name, one above it, or a random one beside those.
        Days after today are not counted: the clock was wrong then or is wrong now.
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

    def back_on(self, name: Name) -> int | None:
        """Return the UTC day of the first answer after the name was last denied with nothing there answering.

        None when it was never denied so, or nothing has answered since.
        """
        denied = self.silent_days(name)
        if not denied or name not in self.exists:
            return None
        return min((day for day in self.exists[name].days if day > max(denied)), default=None)

    def _filter_days(self, name: Name, resolver: str) -> set[int]:
        above = tuple(ancestors(name))
        filtered = (name, *above, *(f"*.{one}" for one in above))
        spans = (span for one in filtered for span in self.filters.get(one, ()))
        return {day for span in spans if span.resolver == resolver for day in span.days}


def keep_latest(spans: dict[_Key, Span], key: _Key, span: Span) -> None:
    """Put a span under its key unless a later one is there."""
    known = spans.get(key)
    if known is None or (span.last, span.resolver, span.data) > (known.last, known.resolver, known.data):
        spans[key] = span
