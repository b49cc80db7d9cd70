"""The head of every published file: what it is, from whom, for whom, and what it cannot do. Pure text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from aidns import names
from aidns.model import BlockSet, Catalog, Standing, Verdict
from aidns.render.base import SERVER_DEFINED, Action, Body, Format, listed_canary

REFRESH = "1 day"
_SHOWN = 8
"""Names listed in one header line before the rest is counted."""


def lines(
    fmt: Format,
    blockset: BlockSet,
    action: Action,
    body: Body,
    catalog: Catalog,
    verdicts: Mapping[names.Name, Verdict],
    serial: int,
    modified: int,
    body_lines: int,
    body_names: int | None = None,
) -> tuple[str, ...]:
    """Return the header as `Key: value` lines of printable ASCII; nothing in them can end a line.

    `body_names` is told where the body's rows are not all that is written.
    """
    policy = blockset.policy
    pairs: list[tuple[str, str]] = [
        ("Title", f"{policy.title} ({fmt.title})"),
        ("Description", policy.summary or policy.title),
        ("Homepage", catalog.info.homepage),
        ("License", catalog.info.license),
        ("Issues", catalog.info.issues),
        ("Expires", REFRESH),
        ("Last modified", iso(modified)),
        ("Version", str(serial)),
        ("Syntax", f"{fmt.title}; covers {fmt.covers}"),
        ("Policy", f"{policy.id}; strength {policy.strength or 'not said'}; action {action_word(action)}"),
    ]
    if policy.review_by:
        pairs.append(("Review by", policy.review_by.isoformat()))
    if policy.measures:
        pairs.append(("Measures", ", ".join(policy.measures)))
    if scope := clients(blockset):
        pairs.append(("Scope", scope))
    services = {blockset.origins.get(row.name) for row in body.rows} & catalog.services.keys()
    written = len(body.rows) if body_names is None else body_names
    pairs.append(("Counts", f"{len(services)} services, {written} names, {body_lines} lines"))
    pairs.append(canary_pair(fmt, blockset))
    pairs += [("Liveness", text) for text in _liveness(blockset, verdicts)]
    pairs += [("Cannot express", f"{w.what} ({w.direction}), {w.count} name(s): {w.note}") for w in body.weakened]
    pairs += [("Note", note) for note in body.notes]
    if blockset.selection.nameless:
        pairs.append(("Wanted, but no names known", _some(blockset.selection.nameless)))
    pairs += [("Unknown facts", text) for text in _unknown(blockset)]
    pairs += [("DNS cannot", text) for text in policy.dns_cannot]
    return tuple(names.ascii_line(f"{key}: {value}", 400) for key, value in pairs)


def iso(seconds: int) -> str:
    """Return Unix seconds as an ISO 8601 time in UTC."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def action_word(action: Action) -> str:
    """Return how a header names an action."""
    return "as the server is set" if action.name == SERVER_DEFINED else action.name


def canary_pair(fmt: Format, blockset: BlockSet) -> tuple[str, str]:
    """Return the key and the text that tell a reader of the file what its canary is."""
    if fmt.id == "rpz-allow":
        return "Bypasses", "every policy zone loaded after this one, for the names below"
    if fmt.allows:
        return "Canary", f"{listed_canary(fmt, blockset)} is there so that this file is never empty"
    return "Canary", f"{blockset.canary} {fmt.canary} where this file is loaded"


def _liveness(blockset: BlockSet, verdicts: Mapping[names.Name, Verdict]) -> Iterable[str]:
    blocked = [name for name in blockset.owners if blockset.owners[name].self_blocked]
    unchecked = [n for n in blocked if n not in verdicts or verdicts[n].standing is Standing.UNKNOWN]
    if unchecked:
        yield f"unknown for {len(unchecked)} of {len(blocked)} names (no check, or no clear answer); all are kept"
    if blockset.gone:
        yield f"left out as gone: {_some(blockset.gone)}"


def clients(blockset: BlockSet) -> str:
    """Return for whom the file is: the scope's tags and networks, its name where it has neither; empty without one."""
    if not blockset.client_scope:
        return ""
    scope = next(scope for scope in blockset.policy.scope if scope.name == blockset.client_scope)
    who = [f"tagged {', '.join(scope.tags)}"] if scope.tags else []
    who += [f"in {', '.join(scope.networks)}"] if scope.networks else []
    return f"{scope.name}; load only for clients {' or '.join(who) or f'tagged {scope.name}'}"


def _unknown(blockset: BlockSet) -> Iterable[str]:
    """Yield each reason once, with the services that it concerns."""
    by_reason: dict[str, list[str]] = {}
    for left in blockset.selection.unknown:
        by_reason.setdefault(left.why, []).append(left.what)
    for why, services in by_reason.items():
        yield f"{why} ({_some(services)})"


def _some(items: Iterable[str]) -> str:
    every = list(items)
    rest = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return ", ".join(every[:_SHOWN]) + rest
