"""`aidns explain`: everything about one name, offline."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aidns.cli.base import AidnsCommand, App, no_dash, now, pass_app, state_file

if TYPE_CHECKING:
    from aidns.explain import Caught, Explanation


@click.command("explain", cls=AidnsCommand)
@click.argument("name")
@click.option(
    "--policy",
    "policies",
    multiple=True,
    metavar="ID|FILE",
    callback=no_dash,
    help="Only this policy; repeat for more. Your own files, too.",
)
@click.option("--state", type=click.Path(path_type=Path), metavar="FILE", help="What `check` remembers.")
@pass_app
def command(app: App, name: str, policies: tuple[str, ...], state: Path | None) -> None:
    """Say why a name is blocked, by whom, what breaks and how to allow it.

    Never asks the network. Works for any name at or below a listed one; a name that is not listed is compared with
    those that are.
    """
    from aidns import names, pipeline
    from aidns.explain import explain

    at = now()
    catalog = app.load()
    memory = pipeline.remember(catalog, state_file(app, state), at)
    chosen = [pipeline.find_policy(catalog, reference) for reference in policies or catalog.policies]
    today = dt.datetime.fromtimestamp(at, dt.UTC).date()
    found = explain(catalog, names.normalise(name), chosen, today, memory.verdicts)
    if app.json:
        app.print_json({"schema": "aidns/explain/1", "explanation": found})
        return
    first, *rest = (names.visible(line) for line in describe(found))
    click.echo(click.style(found.name, bold=True) + first.removeprefix(found.name))
    for line in rest:
        click.echo(line)


def describe(found: Explanation) -> Iterator[str]:
    """Yield the explanation as lines for a person; the first begins with the name."""
    if not found.listed:
        near = f"; looks like {', '.join(found.looks_like)}" if found.looks_like else ""
        yield f"{found.name}: not listed{near}"
    for number, entry in enumerate(found.listed):
        how = "is listed" if entry.name == found.name else f"falls under {entry.name} ({entry.scope})"
        yield f"{found.name}: {how}" if number == 0 else f"also under {entry.name} ({entry.scope})"
        yield f"  {entry.kind:<12} {entry.service_title} ({entry.service}){', ' + entry.status if entry.status else ''}"
        if entry.provider:
            yield f"  provider     {entry.provider_title} ({entry.provider})"
        yield f"  role         {entry.role}; sharing {entry.sharing}; confidence {entry.confidence}"
        yield f"  breaks       {entry.breaks}"
        for label, text in (("note", entry.note), ("DNS cannot", entry.separable_note)):
            if text:
                yield f"  {label:<12} {text}"
        for item in entry.evidence:
            yield f"  evidence     {item.kind}, seen {item.seen}: {item.says} <{item.url}>"
    for text in (found.shared, found.rejected, *found.needed_by):
        if text:
            yield f"  {text}"
    yield f"checked: {found.standing}"
    for hit in found.caught:
        scope = f", scope {hit.client_scope}" if hit.client_scope else ""
        why = f": {_why(hit)}" if hit.answer == "excepted" or hit.source else ""
        yield f"{hit.answer} by policy {hit.policy}{scope} through {hit.rule} ({hit.title}){why}"
        yield f"  measures     {', '.join(hit.measures) or 'none'}"
    for left in found.left_out:
        yield f"left out by {left.what}: {left.why}"
    if not found.caught:
        yield "no policy blocks it"
    if found.allow:
        yield "to allow it, put this into a policy file of yours that extends the policy:"
        for line in found.allow.splitlines():
            yield f"  {line}"


def _why(hit: Caught) -> str:
    """Return why a rule was made, by whom and until when."""
    source = f"list {hit.source}" if hit.source else f"service {hit.origin}"
    return ", ".join(
        (
            hit.reason if hit.origin == "policy" else f"{source}: {hit.reason}",
            *([f"approved by {hit.approved_by}"] if hit.approved_by else []),
            *([f"until {hit.expires}"] if hit.expires else []),
        )
    )
