"""Scripts that fill the DNS servers of appliances. Names are gated, so nothing in them can leave its quotes."""

from __future__ import annotations

from aidns.model import BlockSet
from aidns.render.base import Action, Body, Format
from aidns.render.trees import blocks_alone, every_owner


def lower_mikrotik(blockset: BlockSet, action: Action, zone_length: int) -> Body:
    """Return one row a blocked owner; RouterOS forwards no name back to its default servers, so no exceptions."""
    return blocks_alone(blockset, exact=True)


def lower_windows(blockset: BlockSet, action: Action, zone_length: int) -> Body:
    """Return the owners deepest first: the first policy that matches decides, so deeper ones come earlier."""
    body = every_owner(blockset)
    rows = tuple(sorted(body.rows, key=lambda row: -row.name.count(".")))
    return Body(rows, body.entries)


MIKROTIK = Format(
    id="mikrotik",
    title="MikroTik RouterOS script",
    consumers=("RouterOS ≥ 7 (by its manual, not measured)",),
    template="mikrotik.j2",
    file_name="mikrotik.rsc",
    comment="#",
    actions=("nxdomain",),
    lower=lower_mikrotik,
    covers="a listed name, with match-subdomain everything below it",
    install="/import file-name=mikrotik.rsc: it replaces the entries of an earlier import",
)
WINDOWS_DNS = Format(
    id="windows-dns",
    title="PowerShell for Windows DNS Server policies",
    consumers=("Windows Server ≥ 2016 (by its manual, not measured)",),
    template="windows-dns.j2",
    file_name="windows-dns.ps1",
    comment="#",
    actions=("refuse",),
    lower=lower_windows,
    covers="a listed name and everything below it, every type, answered REFUSED",
    install="run it in an elevated PowerShell on the DNS server: it replaces the policies of an earlier run",
)
