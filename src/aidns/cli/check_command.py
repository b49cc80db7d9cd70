"""`aidns check`: ask resolvers about every listed name and remember the answers."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aidns.cli.base import AidnsCommand, App, default_state_file, now, pass_app
from aidns.errors import UsageError

if TYPE_CHECKING:
    from aidns.lookup.run import Tally, Task, Tick
    from aidns.lookup.state import State
    from aidns.model import Catalog, Span, Verdict
    from aidns.names import Name

SHOWN_CHANGES = 20
"""Changes listed one by one; -v and --json list all."""

Change = tuple["Verdict", "Verdict"]
"""The verdict before and after."""


@click.command("check", cls=AidnsCommand)
@click.argument("only", nargs=-1, metavar="[NAME]...")
@click.option(
    "--resolver", "resolvers", multiple=True, metavar="SPEC",
    help="Ask this resolver: IP, IP:PORT, tls://HOST[#NAME] or https://HOST/PATH; by default the system's. Repeatable.",
)  # fmt: skip
@click.option("--state", type=click.Path(path_type=Path), metavar="FILE", help="Where answers are remembered.")
@click.option(
    "--policy", "policies", multiple=True, metavar="ID|FILE",
    help="Also look for the canary of your own policy's list; the shipped ones are always looked for.",
)  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="Ask what was proven within the last 20 hours, too.")
@click.option(
    "--timeout", type=click.FloatRange(0.1, 30), default=2.0, show_default=True, metavar="SECONDS",
    help="Time for one try.",
)  # fmt: skip
@click.option(
    "--rate", type=click.FloatRange(0, 10000), metavar="N",
    help="Questions a second to each resolver, 0 for no limit. By default 50; no limit for private addresses.",
)  # fmt: skip
@click.option("--shard", "part", metavar="I/N", help="Ask about part I of N only, by hash of the name; see `merge`.")
@click.option(
    "--vantage", default="", metavar="LABEL",
    help="Remember that the answers were seen from here, such as eu-1: answers differ by place.",
)  # fmt: skip
@click.option("--http", is_flag=True, help="Also look where the web sites of names that answer lead, to see moves.")
@click.option("--exit-code", is_flag=True, help="Exit 1 when a verdict changed.")
@pass_app
def command(
    app: App,
    only: tuple[str, ...],
    resolvers: tuple[str, ...],
    state: Path | None,
    policies: tuple[str, ...],
    everything: bool,
    timeout: float,
    rate: float | None,
    part: str | None,
    vantage: str,
    http: bool,
    exit_code: bool,
) -> int:
    """Ask resolvers about every listed name and remember the answers.

    Only denials repeated over days by several operators' resolvers remove a name; docs/checking.md has the thresholds.
    NAME limits the run to these names. Exits 4 when no resolver answers: then what is known stays as it is.
    """
    from aidns.lookup.attempt import Manners
    from aidns.lookup.extras import Shard, parse_shard
    from aidns.lookup.run import Task, choose_resolvers

    catalog = app.load()
    task = Task(
        names=parse_names(only) or tuple(entry.name for entry in catalog.names if not entry.bypass),
        resolvers=choose_resolvers(resolvers, rate),
        canaries=canaries(catalog, policies),
        at=now(),
        manners=Manners(timeout=timeout),
        everything=everything,
        vantage=parse_label(vantage),
        shard=parse_shard(part) if part else Shard(),
    )
    changed = carry_out(app, catalog, task, state or default_state_file(), http=http)
    return int(exit_code and changed)


def parse_names(texts: Sequence[str]) -> tuple[Name, ...]:
    """Return names as a person typed them, in canonical form. Raises UsageError."""
    from aidns.names import InvalidName, normalise

    try:
        return tuple(normalise(text) for text in texts)
    except InvalidName as error:
        raise UsageError(error.message, tip=error.tip) from None


def parse_label(text: str) -> str:
    """Return a label of at most 40 letters, digits, `.`, `_` and `-`. Raises UsageError."""
    import re

    if not re.fullmatch(r"[A-Za-z0-9._-]{0,40}", text):
        raise UsageError("a vantage is a short label", tip="letters, digits, . _ - only, such as eu-1")
    return text


def canaries(catalog: Catalog, policies: Sequence[str]) -> tuple[Name, ...]:
    """Return the canary of every shipped policy and of `policies`."""
    from aidns.blockset import canary
    from aidns.pipeline import find_policy

    own = (find_policy(catalog, reference).id for reference in policies)
    return tuple(canary(policy) for policy in dict.fromkeys((*catalog.policies, *own)))


def carry_out(app: App, catalog: Catalog, task: Task, state_file: Path, *, http: bool = False) -> bool:
    """Run the task, report on it, and tell whether a verdict changed since the last run."""
    from aidns.lookup.run import run
    from aidns.lookup.state import State
    from aidns.verdict import judge, last_answer

    with State(state_file) as state:
        before = state.spans()
        warn_of_future(app, before, task.at)
        with progress(app) as tick:
            tally = run(state, before, task, tick)
        if http:
            look_at_sites(app, catalog, task, state)
        after = state.compact()
    past = [span for span in before if span.first <= task.at]
    names = [name for name in task.names if task.shard.holds(name)]
    former = judge(past, names, min(last_answer(past), task.at), parking=catalog.parking)
    verdicts = judge(after, names, task.at, parking=catalog.parking)
    changes = [(former[name], v) for name, v in verdicts.items() if v.standing is not former[name].standing]
    report(app, task, tally, verdicts, changes)
    return bool(changes)


def look_at_sites(app: App, catalog: Catalog, task: Task, state: State) -> None:
    """Record where web sites lead: those of the shard's names that answer and were not looked at today."""
    from aidns.lookup.redirects import look_at_all
    from aidns.lookup.sites import due

    mine = [name for name in task.names if task.shard.holds(name)]
    names = due(catalog, mine, state.spans(), task.at, task.vantage, everything=task.everything)
    app.say(f"looking at {len(names)} web site(s)")
    texts = [mark.value for mark in catalog.parking if mark.match == "page"]
    for seen in look_at_all(names, task.at, task.vantage, texts=texts):
        state.record([seen])


@contextmanager
def progress(app: App) -> Iterator[Tick]:
    """Show a bar on stderr while the block runs, on a terminal only."""
    if not sys.stderr.isatty() or app.verbosity < 0:
        yield lambda settled, left: None
        return
    with click.progressbar(length=1, label="asking", file=sys.stderr, show_pos=True) as bar:

        def tick(settled: int, left: int) -> None:
            bar.length = bar.pos + settled + left
            bar.update(settled)

        yield tick


def warn_of_future(app: App, spans: Sequence[Span], at: int) -> None:
    """Warn when answers are dated more than a day after now."""
    if any(span.last > at + 86400 for span in spans):
        app.warn("some remembered answers are dated in the future: was the clock wrong? They remove no name")


def report(app: App, task: Task, tally: Tally, verdicts: Mapping[Name, Verdict], changes: Sequence[Change]) -> None:
    """Say what the run found: on stderr for people, on stdout with --json."""
    for line in trouble_lines(tally):
        app.warn(line)
    counts = Counter(str(verdict.standing) for verdict in verdicts.values())
    if tally.probes:
        there = sum(probe.answers for probe in tally.probes)
        app.say(f"{len(verdicts)} names, {sum(tally.asked.values())} questions to {there} resolver(s)")
    else:
        app.say(f"{len(verdicts)} names, all of which answered within the last 20 hours: nothing asked")
    app.say(", ".join(f"{count} {standing}" for standing, count in counts.most_common()))
    if app.verbosity > 0:
        for line in traffic_lines(tally):
            app.say(line)
    for line in change_lines(changes, everything=app.verbosity > 0):
        app.say(line)
    if app.json:
        app.print_json(document(task, tally, verdicts, changes))


def trouble_lines(tally: Tally) -> Iterator[str]:
    """Yield what was wrong with resolvers."""
    for probe in tally.probes:
        if not probe.answers:
            yield f"{probe.resolver.id} does not answer ({probe.trouble}): left out"
        elif probe.canaries:
            yield f"{probe.resolver.id} runs our own list ({probe.canaries[0]}): none of its denials counts"
        elif probe.unsettled:
            yield f"{probe.resolver.id} did not answer for every canary: none of its denials counts this time"
    for resolver in tally.set_aside:
        yield f"{resolver} fell silent: what was left was not asked"


def traffic_lines(tally: Tally) -> Iterator[str]:
    """Yield what went over the network, and what came that was no reply."""
    for resolver, traffic in tally.traffic.items():
        odd = "".join(f", {count} {kind}" for kind, count in sorted(traffic.odd.items()))
        yield f"{resolver}: {traffic.asked} questions, {traffic.packets} packets, {traffic.again} of them again{odd}"


def change_lines(changes: Sequence[Change], *, everything: bool) -> Iterator[str]:
    """Yield the changes since the last run; names seen alive for the first time are only counted."""
    from aidns.names import printable

    found = [change for change in changes if (change[0].standing, change[1].standing) != ("unknown", "live")]
    if first_seen := len(changes) - len(found):
        yield f"{first_seen} names seen alive for the first time, or again after nothing was known"
    shown = found if everything else found[:SHOWN_CHANGES]
    for former, latter in shown:
        yield printable(f"{latter.name}: {former.standing} → {latter.standing}: {latter.why}", 500)
    if rest := len(found) - len(shown):
        yield f"… and {rest} more changes: -v or --json shows all"


def document(task: Task, tally: Tally, verdicts: Mapping[Name, Verdict], changes: Sequence[Change]) -> dict[str, Any]:
    """Return the run as a JSON document."""
    return {
        "schema": "aidns/check/1",
        "at": task.at,
        "vantage": task.vantage,
        "shard": f"{task.shard.number}/{task.shard.of}",
        "resolvers": [
            {
                "id": probe.resolver.id,
                "operator": probe.resolver.operator,
                "answers": probe.answers,
                "canaries": probe.canaries,
                "trouble": probe.trouble,
                "asked": tally.traffic[probe.resolver.id].asked,
                "packets": tally.traffic[probe.resolver.id].packets,
                "again": tally.traffic[probe.resolver.id].again,
                "odd": tally.traffic[probe.resolver.id].odd,
                "set_aside": probe.resolver.id in tally.set_aside,
            }
            for probe in tally.probes
        ],
        "counts": Counter(str(verdict.standing) for verdict in verdicts.values()),
        "changes": [
            {"name": latter.name, "before": former.standing, "after": latter.standing, "why": latter.why}
            for former, latter in changes
        ],
        "verdicts": list(verdicts.values()),
    }
