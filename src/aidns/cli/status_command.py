"""`aidns status`: what check remembers, what changed, and one name's whole history; offline."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aidns.cli.base import AidnsCommand, App, now, pass_app, state_file

if TYPE_CHECKING:
    from aidns.lookup.findings import Facts
    from aidns.model import Span
    from aidns.statusing import History, Status, Suspect


@click.command("status", cls=AidnsCommand)
@click.option("--state", type=click.Path(path_type=Path), metavar="FILE", help="What `check` remembers.")
@click.option("--explain", "name", metavar="NAME", help="Tell everything remembered about one name.")
@pass_app
def command(app: App, state: Path | None, name: str | None) -> None:
    """Show what changed since the last time, what is suspect and until when, what came back, and questions to settle.

    Never asks the network. docs/checking.md says when a name is gone.
    """
    from aidns.cli.check_command import parse_names
    from aidns.lookup.state import read_spans
    from aidns.names import visible
    from aidns.statusing import history, status

    catalog, spans, at = app.load(), read_spans(state_file(app, state)), now()
    if name is None:
        found = status(catalog, spans, at)
        document, lines = {"schema": "aidns/status/1", "status": found}, status_lines(found)
    else:
        story = history(catalog, spans, parse_names([name])[0], at)
        document, lines = {"schema": "aidns/status-explain/1", "history": story}, history_lines(story)
    if app.json:
        app.print_json(document)
        return
    for line in lines:
        click.echo(visible(line))


def status_lines(found: Status) -> Iterator[str]:
    """Yield the status as lines for a person."""
    if found.last is None:
        yield "nothing has been heard yet: `aidns check` asks; until then every name stays listed"
    else:
        yield f"last answer {_moment(found.last)}, {(found.at - found.last) // 86400} day(s) ago"
    yield ", ".join(f"{count} {standing}" for standing, count in found.counts.items())
    if found.compared_with is not None:
        yield f"changed since {found.compared_with}: {len(found.changes) or 'nothing'}"
        yield from (f"  {one.name}: {one.before} → {one.after}: {one.why}" for one in found.changes)
    if found.suspects:
        yield f"suspect, still listed: {len(found.suspects)}"
        yield from (f"  {one.name}: {_needs(one)}" for one in found.suspects)
    if found.returned:
        yield f"came back: {len(found.returned)}"
        yield from (f"  {name}: answers again since {day}" for name, day in found.returned)
    if found.flagged:
        from aidns.statusing import QUESTIONS

        yield f"to settle: {len(found.flagged)}"
        for flag, question in QUESTIONS.items():
            if names := [one for one in found.flagged if one.flag == flag]:
                yield f"  {flag}: {question}"
                yield from (f"    {one.name}: {one.seen}" for one in names)


def history_lines(story: History) -> Iterator[str]:
    """Yield one name's history as lines for a person."""
    verdict, facts = story.verdict, story.facts
    since = f" since {_moment(verdict.since)}" if verdict.since else ""
    yield f"{verdict.name}: {verdict.standing}{since}: {verdict.why}"
    if story.suspect:
        yield f"  proof       {_needs(story.suspect)}"
    for flag in verdict.flags:
        yield f"  flag        {flag}"
    known = {
        "addresses": ", ".join(facts.addresses), "alias of": " → ".join(facts.chain),
        "services": "; ".join(facts.services), "zone": facts.zone, "servers": ", ".join(facts.name_servers),
        "SOA": " ".join(facts.soa), "DNSSEC": _dnssec(facts),
        "wildcard": {"data": "a random name answers, too", "nodata": "a random name is not denied"}.get(facts.wildcard),
        "expired": "the registry denies the zone" if facts.expired else "", "shared": "; ".join(facts.shared),
        "moved to": " → ".join(facts.moved), "parked": facts.parked, "filtered by": ", ".join(facts.filtered_by),
        "disputed": facts.disputed,
    }  # fmt: skip
    yield from (f"  {label:<11} {text}" for label, text in known.items() if text)
    yield f"history: {len(story.spans) or 'nothing'}"
    yield from (f"  {_span(span, verdict.name)}" for span in story.spans)


def _dnssec(facts: Facts) -> str:
    if not facts.zone:
        return ""
    return f"{facts.dnssec}; checked by {', '.join(facts.validated_by)}" if facts.validated_by else facts.dnssec


def _span(span: Span, name: str) -> str:
    period = _moment(span.first) if span.first == span.last else f"{_moment(span.first)} to {_moment(span.last)}"
    who = span.resolver + (f" ({span.operator})" if span.operator not in ("", span.resolver) else "")
    about = "" if span.name == name else f" {span.name}"
    alias = f" by way of {' → '.join(span.chain)}" if span.chain else ""
    place = f" at {span.vantage}" if span.vantage else ""
    said = span.detail or "; ".join((*span.data[:4], *(["…"] if len(span.data) > 4 else [])))
    what = f"{span.rdtype}{about} {span.outcome}{alias} ×{span.n} from {who}{place}"
    return f"{period}  {what}{f': {said}' if said else ''}"


def _needs(one: Suspect) -> str:
    denied = "; ".join(f"{operator} on {', '.join(map(str, days))}" for operator, days in one.denied.items())
    return f"denied by {denied}; gone on {one.earliest} at the earliest, forgotten on {one.lapses} without new denials"


def _moment(seconds: int) -> str:
    return dt.datetime.fromtimestamp(min(seconds, 253402300799), dt.UTC).strftime("%Y-%m-%d %H:%M")
