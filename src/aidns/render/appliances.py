"""Scripts that fill the DNS servers of appliances. Names are gated, so nothing in them can leave its quotes."""

from __future__ import annotations

from aidns.blockset import inherited, nearest
from aidns.model import Answer, BlockSet
from aidns.names import Name
from aidns.render.base import Action, Body, Format, Row
from aidns.render.trees import blocks_alone, every_owner


def lower_mikrotik(blockset: BlockSet, action: Action, zone_length: int) -> Body:
    """Return one row a blocked owner; RouterOS forwards no name back to its default servers, so no exceptions."""
    return blocks_alone(blockset, exact=True)


def lower_windows(blockset: BlockSet, action: Action, zone_length: int) -> Body:
    """Return one row a block: `data` are its criteria, the names it catches and the exceptions it lets pass.

    A policy of the server itself can deny but not allow (its manual: ALLOW is for zones), so that an exception is a
    hole in the criterion of the block around it: `EQ` names one of which must match, `NE` none of which may.
    """
    starts = {name for name in blockset.minimal if not inherited(blockset.minimal, name)}
    passing: dict[Name, list[str]] = {name: [] for name in starts}
    for name, answer in blockset.minimal.items():
        if name not in starts:
            passing[_start_above(blockset, name, starts)] += _matching(name, answer, blocked=False)
        elif not answer.self_blocked:
            passing[name].append(name)  # a server that reads `*.name` as the name, too, must not block it
    rows = tuple(
        Row(
            name,
            data=(
                ",".join(("EQ", *_matching(name, blockset.minimal[name], blocked=True))),
                *([",".join(("NE", *passing[name]))] if passing[name] else []),
            ),
        )
        for name in blockset.minimal
        if name in starts
    )
    return Body(rows, every_owner(blockset).entries)


def _start_above(blockset: BlockSet, name: Name, starts: set[Name]) -> Name:
    """Return the block that an exception lies in."""
    above = nearest(blockset.minimal, name)
    while above is not None and above not in starts:
        above = nearest(blockset.minimal, above)
    assert above is not None, "an exception lies in a block"
    return above


def _matching(name: Name, answer: Answer, *, blocked: bool) -> list[str]:
    """Return the patterns for what is blocked, or passes, at a name and below it."""
    own = [name] if answer.self_blocked == blocked else []
    return [*own, f"*.{name}"] if answer.below_blocked == blocked else [*own]


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
    covers="a listed name and everything below it, every type, denied",
    canary="is denied",
    install="run it in an elevated PowerShell on the DNS server: it replaces the policies of an earlier run",
)
