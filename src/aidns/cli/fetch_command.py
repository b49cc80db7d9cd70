"""`aidns fetch`: fetch the lists that policies name by web address; the only step of a build that does so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from aidns.cli.base import AidnsCommand, App, now, pass_app
from aidns.errors import EnvironmentFault

if TYPE_CHECKING:
    from aidns.lists.fetch import Fetched


@click.command("fetch", cls=AidnsCommand)
@click.option(
    "--policy", "policies", required=True, multiple=True, metavar="FILE", help="Your policy; repeat for more."
)
@pass_app
def command(app: App, policies: tuple[str, ...]) -> None:
    """Fetch the lists that your policies name by url, for render and build, which never ask the network.

    A server is asked whether its list has changed; if not, or if it fails, the copy stays. Only addresses of the
    public Internet are asked, without proxy or password: behind a proxy, fetch the file yourself and name its path.

    Exits 4 when a list could not be fetched.
    """
    from aidns import pipeline
    from aidns.lists import cache
    from aidns.lists.fetch import fetch

    at = now()
    catalog = app.load()
    lists = [own for one in policies for own in pipeline.find_policy(catalog, one).list if own.url]
    found = [fetch(url, at, cache.directory()) for url in dict.fromkeys(own.url for own in lists)]
    if app.json:
        app.print_json({"schema": "aidns/fetch/1", "lists": found})
    else:
        for one in found:
            click.echo(describe(one, at))
    if failed := [one for one in found if one.outcome == "failed"]:
        raise EnvironmentFault(
            f"{len(failed)} of {len(found)} lists could not be fetched",
            tip="copies stay as they were; fetch again later, or fetch the file yourself and name its path",
        )


def describe(one: Fetched, now: int) -> str:
    """Return one line about a list."""
    from aidns.names import printable

    url = printable(one.url)
    if one.outcome == "fetched":
        return f"{url}: fetched, {one.octets:,} octets"
    if one.outcome == "unchanged":
        return f"{url}: unchanged"
    kept = "there is no copy" if one.confirmed is None else f"the copy is {(now - one.confirmed) // 86400} days old"
    return f"{url}: failed: {one.detail}; {kept}"
