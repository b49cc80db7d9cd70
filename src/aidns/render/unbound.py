"""unbound local-zone: the longest listed name wins; see unbound.conf(5), `local-zone`, `local-data`.

Measured on 1.17.1: every type is covered except DS at the apex; the answer has no SOA and no EDE.
"""

from __future__ import annotations

from aidns.blockset import minimise
from aidns.model import Answer, BlockSet
from aidns.names import Name
from aidns.render.base import Action, Body, Format, Row, bypass_names, entry, loss

_ZONE_TYPE = {
    "nxdomain": "always_nxdomain",
    "nodata": "always_nodata",
    "null": "always_null",
    "refuse": "always_refuse",
    "walled-garden": "redirect",
    "log-only": "inform",
}
_NULL = ("A 0.0.0.0", "AAAA ::")
_NODATA = (r"TYPE65280 \# 0",)
"""Exact and negative: a `transparent` zone answers NODATA for every type that its local-data lacks, and nobody asks for
this one (private use, RFC 6895 §3.1)."""


def lower(blockset: BlockSet, action: Action, zone_length: int) -> Body:
    """Return one row a zone: `answer` is the zone type, `data` the local-data of the owner itself."""
    owners, widened = widen(blockset)
    exact = [name for name, answer in owners.items() if answer.self_blocked and not answer.below_blocked]
    logs = action.name == "log-only"
    negative = {*bypass_names(blockset), *(name for name in exact if "_" in name)}
    rows = tuple(_row(name, answer, action, name in negative) for name, answer in owners.items())
    addressed = [name for name in exact if name not in negative]
    return Body(
        rows=rows,
        entries=tuple(
            entry(n, blocks=a.self_blocked, exact=a.self_blocked and not a.below_blocked) for n, a in owners.items()
        ),
        weakened=(
            *loss(
                "exception", "leak", widened, "an exact exception inside a blocked tree opens what lies below it, too"
            ),
            *(loss("exact", "over-block", exact, "an exact name is logged with everything below it") if logs else ()),
        ),
        notes=(f"{len(addressed)} exact name(s) answer with the null address instead of {action.name}",)
        if addressed and action.name in ("nxdomain", "refuse")
        else (),
    )


def widen(blockset: BlockSet) -> tuple[dict[Name, Answer], list[Name]]:
    """Return the minimal owners with each exact exception widened to its subtree, and those widened.

    Listed names below such an exception are written out again, so that only unlisted ones are opened.
    """
    holes = {name for name, answer in blockset.minimal.items() if answer.below_blocked and not answer.self_blocked}
    wide = {name: Answer(False, False) if name in holes else answer for name, answer in blockset.owners.items()}
    return minimise(wide), sorted(holes)


def _row(name: Name, answer: Answer, action: Action, negative: bool) -> Row:
    if answer.self_blocked and answer.below_blocked:
        return Row(name, _ZONE_TYPE[action.name], data=_garden(action) if action.name == "walled-garden" else ())
    if answer.self_blocked:
        if action.name == "log-only":
            return Row(name, "inform")
        if negative or action.name == "nodata":
            return Row(name, "transparent", data=_NODATA)
        return Row(name, "transparent", data=_garden(action) if action.name == "walled-garden" else _NULL)
    return Row(name, "always_transparent")


def _garden(action: Action) -> tuple[str, ...]:
    garden = action.garden
    if garden.cname:
        return (f"CNAME {garden.cname}.",)
    return tuple(f"{kind} {address}" for kind, address in (("A", garden.a), ("AAAA", garden.aaaa)) if address)


UNBOUND = Format(
    id="unbound",
    title="unbound local-zone",
    consumers=("unbound ≥ 1.10 (measured: 1.17.1)",),
    template="unbound.j2",
    file_name="unbound.conf",
    comment="#",
    actions=tuple(_ZONE_TYPE),
    lower=lower,
    covers="a listed name and everything below it, every type except DS at the listed name itself",
    install="include-toplevel: or include: the file, then unbound-checkconf && unbound-control reload",
)
