"""dnsmasq: the longest listed name wins, `*.name` is what lies below a name (measured on 2.90).

`address=/n/` answers NXDOMAIN for every type, `address=/n/#` null for A and AAAA only, so `local=/n/` keeps the other
types from leaking; `server=/n/#` sends a name upstream as usual. The cache goes before all of them: what an alias of a
blocked name brought into it is answered for the blocked name, too, unless there is no cache.
"""

from __future__ import annotations

from aidns.model import BlockSet
from aidns.render.base import Action, Body, Format, Inexpressible, Row
from aidns.render.trees import every_owner

_NOTES = (
    "with cache-size=0 alone: else an alias of a blocked name puts that into the cache, which goes before this list",
)


def lower(blockset: BlockSet, action: Action, zone_length: int) -> Body:
    """Return one row an owner: `data` are the lines for the owner and for what lies below it.

    Raises Inexpressible for a walled garden that is a name: `address=` takes addresses alone.
    """
    if action.name == "walled-garden" and not (action.garden.a or action.garden.aaaa):
        raise Inexpressible(
            "dnsmasq cannot send people to a name", tip="give the walled garden an address, or use --format rpz"
        )
    body = every_owner(blockset)
    rows = []
    for row in body.rows:
        lines = _lines(row.name, row.answer, action)
        if row.below != row.answer:
            lines += _lines(f"*.{row.name}", row.below, action)
        rows.append(Row(row.name, row.answer, row.below, tuple(lines)))
    return Body(tuple(rows), body.entries, notes=_NOTES)


def lower_servers(blockset: BlockSet, action: Action, zone_length: int) -> Body:
    """Return the same for a servers-file, which takes `server=` alone."""
    body = every_owner(blockset)
    rows = []
    for row in body.rows:
        lines = [_server(row.name, row.answer)]
        if row.below != row.answer:
            lines.append(_server(f"*.{row.name}", row.below))
        rows.append(Row(row.name, row.answer, row.below, tuple(lines)))
    return Body(tuple(rows), body.entries, notes=_NOTES)


def _server(name: str, answer: str) -> str:
    return f"server=/{name}/{'' if answer == 'block' else '#'}"


def _lines(name: str, answer: str, action: Action) -> list[str]:
    if answer == "pass":
        return [f"server=/{name}/#"]
    if action.name == "nxdomain":
        return [f"address=/{name}/"]
    addresses = ["#"] if action.name == "null" else [a for a in (action.garden.a, action.garden.aaaa) if a]
    return [*(f"address=/{name}/{address}" for address in addresses), f"local=/{name}/"]


DNSMASQ = Format(
    id="dnsmasq",
    title="dnsmasq configuration",
    consumers=("dnsmasq ≥ 2.86 (measured: 2.90)",),
    template="dnsmasq.j2",
    file_name="dnsmasq.conf",
    comment="#",
    actions=("nxdomain", "null", "walled-garden"),
    lower=lower,
    covers="a listed name and everything below it, every type",
    install="conf-file= or /etc/dnsmasq.d/, then restart dnsmasq: it reads configuration once",
)
DNSMASQ_SERVERS = Format(
    id="dnsmasq-servers",
    title="dnsmasq servers-file",
    consumers=("dnsmasq ≥ 2.86 (measured: 2.90)",),
    template="dnsmasq-servers.j2",
    file_name="dnsmasq-servers.conf",
    comment="#",
    actions=("nxdomain",),
    lower=lower_servers,
    covers="a listed name and everything below it, every type",
    install="servers-file=, then SIGHUP rereads it",
    canary="is NXDOMAIN without an SOA record",
)
