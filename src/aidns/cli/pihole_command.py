"""`aidns pihole`: bind the lists of a policy to the clients of its scopes, in a running Pi-hole."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aidns.cli.base import AidnsCommand, App, no_dash, now, pass_app, state_file
from aidns.errors import EnvironmentFault, UsageError

if TYPE_CHECKING:
    from aidns.pihole.api import PiHole
    from aidns.pihole.plan import Plan, Target


@click.command("pihole", cls=AidnsCommand)
@click.argument("url", metavar="URL")
@click.option("--policy", required=True, metavar="ID|FILE", callback=no_dash, help="The policy that is published.")
@click.option("--lists", "base", required=True, metavar="ADDRESS", help="Where Pi-hole finds what a build publishes.")
@click.option("--apply", "apply_", is_flag=True, help="Carry the plan out; without it nothing is changed.")
@click.option("--state", type=click.Path(path_type=Path), metavar="FILE", help="What `check` remembers.")
@pass_app
def command(app: App, url: str, policy: str, base: str, apply_: bool, state: Path | None) -> None:
    """Give each scope of a policy its group, its lists and its networks in the Pi-hole at URL (version 6).

    Shows what is missing, and with --apply does it: creates group aidns:POLICY:SCOPE, subscribes the scope's block list
    (and its allow list where there are exceptions) for that group alone, puts the scope's networks into it, and updates
    gravity. Done again, it finds nothing to do. What is not of this policy stays as it is; nothing is deleted.
    A policy without scopes gets its lists into the group Default.

    The password comes from the environment: PIHOLE_PASSWORD, best an app password.

    \b
    Example: aidns pihole https://pi.hole --policy school.toml --lists https://lists.example/dist
    """
    from aidns.pihole.api import PiHole

    wanted, name = _wanted(app, policy, base, state)
    with PiHole(url, os.environ.get("PIHOLE_PASSWORD", "")) as pihole:
        made = _plan(wanted, pihole, name)
        _show(app, made, apply_)
        if apply_ and made.steps:
            _apply(app, pihole, made, wanted, name)
    if app.json:
        app.print_json({"schema": "aidns/pihole/1", "steps": made.steps, "notes": made.notes, "applied": apply_})


def _wanted(app: App, reference: str, base: str, state: Path | None) -> tuple[list[Target], str]:
    """Return what each scope of the policy wants, and the policy's id. Raises UsageError when it blocks nothing."""
    from aidns import pipeline
    from aidns.pihole.plan import target
    from aidns.policy import client_scopes

    at = now()
    catalog = pipeline.load_sound(app.catalog_dirs)
    memory = pipeline.remember(catalog, state_file(app, state), at)
    policy = pipeline.find_policy(catalog, reference)
    scopes = [pipeline.prepare(catalog, policy, at, memory, scope) for scope in client_scopes(policy)]
    if not any(one.blocks for one in scopes):
        raise UsageError(f"policy {policy.id} blocks nothing: there is no list of it")
    return [target(one, base) for one in scopes], policy.id


def _plan(wanted: list[Target], pihole: PiHole, policy: str) -> Plan:
    from aidns.pihole.plan import plan

    return plan(wanted, pihole.present(), policy)


def _show(app: App, plan: Plan, applies: bool) -> None:
    from aidns.names import visible

    if not app.json:
        click.echo("\n".join(visible(step.says) for step in plan.steps) or "nothing to do")
    for note in plan.notes:
        app.warn(visible(note))
    if plan.steps and not applies:
        app.say("nothing was changed: add --apply to do it")


def _apply(app: App, pihole: PiHole, plan: Plan, wanted: list[Target], policy: str) -> None:
    """Carry the plan out and look at the result. Raises EnvironmentFault when it is not as planned."""
    from aidns.pihole.plan import trouble

    pihole.carry_out(plan.steps)
    if left := _plan(wanted, pihole, policy).steps:
        raise EnvironmentFault(f"Pi-hole took the changes but does not hold them: still to {left[0].says}")
    if any(step.kind == "list" for step in plan.steps):
        app.say("updating gravity")
        pihole.update_gravity()
        if found := trouble(wanted, pihole.present().lists):
            raise EnvironmentFault("; ".join(found), tip="can the Pi-hole reach the address given with --lists?")
    app.say(f"{len(plan.steps)} step(s) done")
