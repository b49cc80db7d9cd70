"""What the history of answers says about each name. Only positive, repeated proof removes one. Pure.

Every threshold is in `Thresholds`; docs/checking.md explains them.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Iterable, Sequence
from functools import lru_cache

from msgspec import Struct

from aidns import psl
from aidns.evidence import DAY, Evidence
from aidns.model import Outcome, Parking, Span, Standing, Verdict
from aidns.names import Name, at_or_below

_EPOCH = dt.date(1970, 1, 1).toordinal()
_LAST_DAY = dt.date.max.toordinal() - _EPOCH


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
    evidence = Evidence(spans, now, thresholds.window_days)
    return {name: _judge(name, evidence, parking, thresholds) for name in names}


class Outlook(Struct, frozen=True):
    """What a suspect name still needs. Days are UTC day numbers (Unix seconds // 86400)."""

    name: Name
    days: dict[str, tuple[int, ...]]
    """Operator -> days on which it denied the name since its last sign of life."""
    earliest: int
    """The first day on which it can be gone: if every night from now on brings a denial by enough operators."""
    lapses: int
    """The first day on which it is no longer suspect, if no denial comes any more."""


def outlooks(
    spans: Iterable[Span], names: Iterable[Name], now: int, thresholds: Thresholds = DEFAULT
) -> tuple[Outlook, ...]:
    """Return for each of `names` that was denied since its last answer what a proof still needs; soonest first."""
    evidence = Evidence(spans, now, thresholds.window_days)
    found = [
        Outlook(
            name,
            {operator: tuple(dates) for operator, dates in days.items()},
            _earliest(days, evidence.today, thresholds),
            max(dates[-1] for dates in days.values()) + thresholds.window_days + 1,
        )
        for name in dict.fromkeys(names)
        if (days := evidence.denied_days(name))
    ]
    return tuple(sorted(found, key=lambda one: (one.earliest, one.name)))


def returns(
    spans: Iterable[Span], names: Iterable[Name], now: int, thresholds: Thresholds = DEFAULT
) -> dict[Name, int]:
    """Return the names that were denied, with nothing answering, and answer again; with the UTC day they were back.

    Only what happened within the window counts.
    """
    evidence = Evidence(spans, now, thresholds.window_days)
    return {
        name: back
        for name in dict.fromkeys(names)
        if not evidence.denied_days(name)
        and (back := evidence.back_on(name)) is not None
        and evidence.oldest <= back <= evidence.today
    }


def last_answer(spans: Iterable[Span]) -> int:
    """Return when a resolver last said something usable, in Unix seconds; 0 for never."""
    usable = (Outcome.DATA, Outcome.NODATA, Outcome.DENIED, Outcome.FILTERED)
    return max((span.last for span in spans if span.outcome in usable), default=0)


def _judge(name: Name, evidence: Evidence, parking: Sequence[Parking], thresholds: Thresholds) -> Verdict:
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


def _denied(name: Name, days: dict[str, list[int]], evidence: Evidence, thresholds: Thresholds) -> Verdict:
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


def _earliest(days: dict[str, list[int]], today: int, thresholds: Thresholds) -> int:
    """Return the day on which enough operators can have brought their proof, if each denies the name every day."""
    newcomers: list[list[int]] = [[]] * thresholds.operators
    proofs = (_proof_day(dates, today, thresholds) for dates in (*days.values(), *newcomers))
    return sorted(proofs)[thresholds.operators - 1]


def _proof_day(dates: list[int], today: int, thresholds: Thresholds) -> int:
    """Return the first day on which `dates` and every day from today on make a proof."""
    day = today
    while not _is_proof(
        sorted(d for d in {*dates, *range(today, day + 1)} if d >= day - thresholds.window_days), day, thresholds
    ):
        day += 1
    return day


def _is_proof(days: list[int], today: int, thresholds: Thresholds) -> bool:
    return (
        len(days) >= thresholds.dates
        and days[-1] - days[0] >= thresholds.span_days
        and today - days[-1] <= thresholds.fresh_days
    )


def _existing(name: Name, evidence: Evidence, parking: Sequence[Parking]) -> Verdict:
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


def _in_network(text: str, network: str) -> bool:
    address = _address(text)
    return address is not None and address in _network(network)


@lru_cache(4096)
def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:  # what resolvers say need not be an address
        return None


_network = lru_cache(256)(ipaddress.ip_network)


def _parked(name: Name, zone: Name | None, evidence: Evidence, parking: Sequence[Parking]) -> str:
    """Return what parks a name, by the latest answers; empty when nothing does."""
    address = evidence.latest.get((name, "A"))
    servers = evidence.latest.get((zone, "NS")) if zone else None
    seen = {
        "ns": servers.data if servers else (),
        "cname": address.chain if address else (),
        "address": address.data if address else (),
    }
    for mark in parking:
        for found in seen.get(mark.match, ()):
            if _in_network(found, mark.value) if mark.match == "address" else at_or_below(found, mark.value):
                return f"{mark.what} ({mark.match} {found})"
    return ""


def _date(day: int) -> str:
    return dt.date.fromordinal(_EPOCH + max(0, min(day, _LAST_DAY))).isoformat()
