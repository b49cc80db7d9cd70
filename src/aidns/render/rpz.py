"""Response policy zones (draft-vixie-dnsop-dns-rpz): a zone file whose owners are the names to answer for.

RPZ is no suffix list: it follows RFC 4592, where an existing name stops the wildcard above it. So the block set is
closed before it is written, and each owner in a listed tree is written as `n` and `*.n`. Owners are relative, there
is no $ORIGIN, and the apex holds SOA and NS alone, so that the file loads under any zone name.
"""

from __future__ import annotations

from collections.abc import Iterable

from aidns import names
from aidns.blockset import close, in_tree
from aidns.model import Answer, BlockSet, Weakened
from aidns.names import Name
from aidns.render.base import Action, Body, Format, Inexpressible, Row, loss
from aidns.render.trees import rule_entry, word

OWN_SOA_RNAME = "aidns.invalid."
"""RNAME of our zones' SOA: by it a check recognises an answer that our own list made."""
DEFAULT_ZONE_LENGTH = 63
"""Octets kept free for the zone's name unless it is told."""
MAX_OWNER = 250
"""Octets of owner plus zone name: 255 on the wire less length octets, root and `*.` (measured with named-checkzone)."""

PASSTHRU = ("CNAME rpz-passthru.",)
NEGATIVE = ("CNAME .",)
_TARGET = {"nxdomain": NEGATIVE, "nodata": ("CNAME *.",), "null": ("A 0.0.0.0", "AAAA ::")}

_GARDEN_NAME = (
    "Knot Resolver ignores a walled garden that is a name, so that all names stay open there: give it addresses"
)
"""Measured on Knot Resolver 5.6.0; unbound, BIND and PowerDNS follow it."""


def lower(blockset: BlockSet, action: Action, zone_length: int) -> Body:
    """Return one row an owner: `data` are the records of the owner, `below` tells what its wildcard says.

    `answer` and `below` are "block", "negative" or "pass"; `below` is "" where there is no wildcard.
    Raises Inexpressible for a name that would not fit below the zone's name.
    """
    owners = close(blockset.minimal)
    check_lengths((*owners, blockset.canary), zone_length)
    addressed = any(record.startswith(("A ", "AAAA ")) for record in records(action))
    rows = tuple(
        _row(name, answer, in_tree(owners, name), addressed and "_" in name) for name, answer in owners.items()
    )
    return Body(
        rows=rows,
        entries=tuple(rule_entry(name, answer) for name, answer in blockset.minimal.items()),
        weakened=_lost_by_length(blockset, zone_length),
        notes=(_GARDEN_NAME,) if action.name == "walled-garden" and action.garden.cname else (),
    )


def _lost_by_length(blockset: BlockSet, zone_length: int) -> tuple[Weakened, ...]:
    """Return what is lost where BIND looks up a name that does not fit the zone: it drops labels from the left.

    Below a long name whose wildcard says otherwise than itself, a name that long is then taken for the listed one.
    Measured on BIND 9.18.49; unbound, PowerDNS and Knot Resolver have no such limit.
    """
    limit = names.MAX_NAME - 2 - names.MAX_LABEL - zone_length
    minimal = blockset.minimal
    long = [n for n, a in minimal.items() if a.self_blocked != a.below_blocked and len(n) > limit]
    split = [name for name in long if in_tree(minimal, name)]
    blocked = [name for name in split if minimal[name].self_blocked]
    excepted = [name for name in split if not minimal[name].self_blocked]
    note = "BIND takes a name below it that is too long for the zone for the name itself"
    return (*loss("exact", "over-block", blocked, note), *loss("exception", "leak", excepted, note))


def _row(name: Name, answer: Answer, tree: bool, negative: bool) -> Row:
    """`negative`: an address at a name with an underscore, for which BIND 9.18.49 refuses a zone (check-names)."""

    def said(blocked: bool) -> str:
        return "negative" if blocked and negative else word(blocked)

    return Row(name, said(answer.self_blocked), said(answer.below_blocked) if tree else "")


def lower_allow(blockset: BlockSet, action: Action, zone_length: int) -> Body:
    """Return the exceptions alone, for a zone that is placed before others.

    Raises Inexpressible when a block lies below an exception: a zone of exceptions cannot say that.
    """
    minimal = blockset.minimal
    allowed = {name: answer for name, answer in minimal.items() if not answer.self_blocked}
    nested = [
        name
        for name, answer in minimal.items()
        if answer.self_blocked and any(a in allowed and not allowed[a].below_blocked for a in names.ancestors(name))
    ]
    if nested:
        raise Inexpressible(
            f"rpz-allow cannot block {nested[0]} below an exception ({len(nested)} such name(s))",
            tip="use --format rpz, which holds blocks and exceptions in one zone",
        )
    check_lengths(allowed, zone_length)
    rows = tuple(Row(name, "pass", "" if answer.below_blocked else "pass") for name, answer in allowed.items())
    return Body(rows=rows, entries=tuple(rule_entry(name, answer) for name, answer in allowed.items()))


def records(action: Action) -> tuple[str, ...]:
    """Return the records that a blocked owner holds."""
    if action.name != "walled-garden":
        return _TARGET.get(action.name, ())
    garden = action.garden
    if garden.cname:
        return (f"CNAME {garden.cname}.",)
    return tuple(f"{kind} {address}" for kind, address in (("A", garden.a), ("AAAA", garden.aaaa)) if address)


def zone_length(zone: str) -> int:
    """Return the octets to keep free for a zone of this name; the default where it is not told.

    Raises InvalidName.
    """
    # a zone may have one label, which no listed name may
    return len(names.normalise(f"x.{zone}")) - len("x.") if zone else DEFAULT_ZONE_LENGTH


def check_lengths(owners: Iterable[Name], zone_length: int) -> None:
    """Raise Inexpressible when an owner and the zone's name together would be too long for a DNS name."""
    limit = MAX_OWNER - zone_length
    if long := [name for name in owners if len(name) > limit]:
        raise Inexpressible(
            f"{len(long)} name(s) are longer than {limit} octets, the first {long[0][:60]}…",
            tip="a shorter zone name leaves more room: tell it with --zone NAME",
        )


RPZ = Format(
    id="rpz",
    title="response policy zone, complete alone",
    consumers=(
        "BIND ≥ 9.16 (measured: 9.18.49)",
        "unbound ≥ 1.10 (1.17.1)",
        "PowerDNS Recursor ≥ 4.5 (4.8.8)",
        "Knot Resolver 5 (5.6.0), without exceptions",
    ),
    template="rpz.j2",
    file_name="rpz.zone",
    comment=";",
    actions=("nxdomain", "nodata", "null", "walled-garden"),
    lower=lower,
    zoned=True,
    covers="a listed name and everything below it, every type",
    install=(
        "load it as a policy zone; BIND needs break-dnssec yes qname-wait-recurse no, "
        "unbound module-config: 'respip validator iterator'"
    ),
)
RPZ_ALLOW = Format(
    id="rpz-allow",
    title="response policy zone of the exceptions alone",
    consumers=RPZ.consumers[:3],
    template="rpz-allow.j2",
    file_name="rpz-allow.zone",
    comment=";",
    actions=RPZ.actions,
    lower=lower_allow,
    zoned=True,
    allows=True,
    covers="a listed exception, every type, in every policy zone loaded after this one",
    install="load it as the first policy zone",
)
