"""`aidns build`: plan what changes in the published lists, then publish it at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from aidns.cli.base import AidnsCommand, App, default_state_file, no_dash, now, pass_app, state_file
from aidns.errors import UnsafeError
from aidns.publish import standstill

if TYPE_CHECKING:
    from aidns.publish.apply import Receipt
    from aidns.publish.manifest import Desired, Published
    from aidns.publish.plan import Plan


@click.command("build", cls=AidnsCommand)
@click.option(
    "--policy",
    "policies",
    multiple=True,
    metavar="ID|FILE",
    callback=no_dash,
    help="Only this policy; repeat for more.",
)
@click.option("--format", "formats", multiple=True, metavar="ID", help="Only this format; repeat for more.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default="dist",
    metavar="DIR",
    show_default=True,
    callback=no_dash,
    help="Where to publish.",
)
@click.option("--state", type=click.Path(path_type=Path), metavar="FILE", help="What `check` remembers.")
@click.option("--force", default="", metavar="REASON", help="Publish although a guard objects; the manifest says why.")
@click.option(
    "--retire",
    multiple=True,
    metavar="ID",
    help="Remove the published lists of this policy, which is no longer made; repeat for more.",
)
@click.option("--dry-run", is_flag=True, help="Show the plan and write nothing.")
@click.option("--strict", is_flag=True, help="Refuse lists in which a format had to weaken a rule.")
@pass_app
def command(
    app: App,
    policies: tuple[str, ...],
    formats: tuple[str, ...],
    out: Path,
    state: Path | None,
    force: str,
    retire: tuple[str, ...],
    dry_run: bool,
    strict: bool,
) -> None:
    """Write every policy in every format, as a plan that is applied at once.

    Never asks the network: verdicts come from what `aidns check` remembered. Lists outside --policy and --format stay
    as they are.

    Exits 3 and leaves the lists alone when a guard objects: too many names gone by verdict, a name of your own lost
    by verdict, a policy gone from the catalogue, shared infrastructure caught, an empty list. A policy that cannot be
    built keeps its lists; the others are published, and the exit code is 3.

    The lists of a policy file of your own stay until you say --retire ID, whatever becomes of the file: renamed, it is
    a new policy, and its old lists are still served. ID is the file's old name without .toml.

    DIR is a link to a build in .DIR beside it; to roll back, point it at an earlier build there.
    """
    kind = _Kind(policies, formats, str(state or ""), strict)
    known = "" if force or retire or dry_run else _fingerprint(app, out, kind)
    if known and _told_again(app, out, known):
        return
    from aidns.publish.apply import apply, refuse_if_unsafe
    from aidns.publish.published import read

    plan = make_plan(app, read(out), policies, formats, state, force=force, strict=strict, retire=retire)
    receipt = None
    try:
        _print_plan(app, plan)
        if not dry_run:
            receipt = apply(plan, out)
            _say_receipt(app, receipt, out)
    finally:
        _print_document(app, plan, receipt)
    refuse_if_unsafe(plan)
    _report_failures(plan)
    _keep(app, out, kind, known, plan, receipt)


class _Kind(NamedTuple):
    """Which build is asked for."""

    policies: tuple[str, ...]
    formats: tuple[str, ...]
    state: str
    strict: bool


def _print_plan(app: App, plan: Plan) -> None:
    from aidns.publish.describe import plan_lines

    if not app.json:
        click.echo("\n".join(plan_lines(plan)))


def _print_document(app: App, plan: Plan, receipt: Receipt | None) -> None:
    from aidns.publish.describe import plan_document

    if app.json:
        app.print_json({"schema": "aidns/build/1", "plan": plan_document(plan), "receipt": receipt})


def _fingerprint(app: App, out: Path, kind: _Kind) -> str:
    """Return what tells this build from others; empty where it is always made.

    A policy of one's own may depend on anything.
    """
    own = any("/" in policy or policy.endswith(".toml") for policy in kind.policies)
    if own or app.json or app.verbosity > 0:
        return ""
    state = Path(kind.state) if kind.state else default_state_file()
    return standstill.fingerprint(out, app.catalog_dirs, state, kind, now())


def _keep(app: App, out: Path, kind: _Kind, known: str, plan: Plan, receipt: Receipt | None) -> None:
    """Remember a build that changed nothing, unless what it was made of changed meanwhile."""
    from aidns.publish.describe import plan_lines

    if known and receipt and receipt.outcome == "unchanged" and known == _fingerprint(app, out, kind):
        standstill.keep(out, known, "\n".join(plan_lines(plan)), app.told)


def _told_again(app: App, out: Path, known: str) -> bool:
    """Tell what this very build told when it changed nothing, and note that it ran; False when it must be made."""
    told = standstill.find(out, known, now())
    try:
        if told:
            standstill.note(out, told, now())
    except OSError:
        return False  # the build says it better
    if told:
        *said, (_, last) = told.said
        for warns, text in said:
            (app.warn if warns else app.say)(standstill.line(text))
        click.echo("\n".join(map(standstill.line, told.printed.split("\n"))))
        app.say(standstill.line(last))
    return told is not None


def make_plan(
    app: App,
    published: Published,
    policies: tuple[str, ...] = (),
    formats: tuple[str, ...] = (),
    state: Path | None = None,
    *,
    force: str = "",
    strict: bool = False,
    retire: tuple[str, ...] = (),
) -> Plan:
    """Return the plan that a build of these policies and formats (none: all) would carry out, and talk about it.

    Raises what loading and compiling raise, UnsafeError for a path that no list may have, UsageError for a policy that
    cannot be retired.
    """
    from aidns import __version__
    from aidns.pipeline import build_artefacts, load_sound
    from aidns.publish.plan import Request, plan

    at = now()
    catalog = load_sound(app.catalog_dirs)
    desired = build_artefacts(catalog, policies, formats, at, state_file(app, state), published.manifest)
    _talk(app, desired)
    request = Request(
        version=__version__,
        catalogue=tuple(catalog.policies),
        everything=not policies,
        formats=formats,
        strict=strict,
        force=force.strip(),
        retire=retire,
    )
    return plan(published, desired, request, at)


def _talk(app: App, desired: Desired) -> None:
    """Say what the user should know before the plan: notes, formats left out, rules weakened."""
    from aidns.names import printable
    from aidns.publish.describe import skipped_lines, weakened_lines, weakened_summary

    for note in desired.notes:
        app.warn(printable(note, 500))
    for line in skipped_lines(desired.skipped):
        app.say(f"skipped: {line}")
    if summary := weakened_summary(desired.artefacts):
        app.warn(summary)
    for line in weakened_lines(desired.artefacts):
        app.say(f"weakened: {line}", level=1)


def _say_receipt(app: App, receipt: Receipt, out: Path) -> None:
    if receipt.outcome == "published":
        app.say(f"published build {receipt.build} as {out}: {len(receipt.written)} written, {receipt.kept} kept")
    else:
        app.say(f"{out} stays at build {receipt.build}; only its status.json was written")


def _report_failures(plan: Plan) -> None:
    """Raise UnsafeError when a policy could not be built."""
    if failures := plan.manifest.failures:
        raise UnsafeError(
            "these policies were not built; what is published of them stays",
            [f"{failure.policy}: {failure.reason}" for failure in failures],
            tip=_failure_tip([failure.reason for failure in failures]),
        )


def _failure_tip(reasons: list[str]) -> str:
    """Return what helps against these reasons; the pipeline words them."""
    if all("expired on " in reason for reason in reasons):
        return "review the policy and set a new `expires`, or remove it"
    return "aidns render --policy ID --format domains says more about one; mend or remove it"
