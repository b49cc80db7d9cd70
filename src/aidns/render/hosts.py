"""hosts files: exact names, addresses only (hosts(5)). Every known name is written out, for there are no subtrees."""

from __future__ import annotations

from aidns import names
from aidns.blockset import decide
from aidns.model import BlockSet
from aidns.names import Name
from aidns.render.base import Action, Body, Format, Row, entry, loss


def lower(blockset: BlockSet, action: Action, zone_length: int) -> Body:
    """Return one row a blocked known name, `www.` of each blocked tree included; `data` are the addresses."""
    trees = [name for name, answer in blockset.minimal.items() if answer.below_blocked]
    candidates = {*blockset.known, *(_www(name) for name in trees)}
    blocked = sorted((n for n in candidates if n and decide(blockset.minimal, n)), key=names.sort_key)
    underscored = [name for name in blocked if "_" in name]
    written = [name for name in blocked if "_" not in name]
    data = _addresses(action)
    return Body(
        rows=tuple(Row(name, data=data) for name in written),
        entries=tuple(entry(name, blocks=True, exact=True) for name in written),
        weakened=(
            *loss("subtree", "leak", trees, "only names known here are blocked below it"),
            *loss("types", "leak", written, "only A and AAAA are answered; HTTPS and other types pass"),
            *loss("exact", "leak", underscored, "a name with an underscore has no address to override"),
        ),
    )


def _www(name: Name) -> Name | None:
    """Return `www.` of a tree's apex; None where that would be no name of a web site."""
    if name.startswith("www.") or len(name) + 4 > names.MAX_NAME:
        return None
    return Name(f"www.{name}")


def _addresses(action: Action) -> tuple[str, ...]:
    if action.name == "walled-garden":
        return tuple(address for address in (action.garden.a, action.garden.aaaa) if address)
    return ("0.0.0.0", "::")  # noqa: S104 - the null answer, nothing is bound


HOSTS = Format(
    id="hosts",
    title="hosts file",
    consumers=("/etc/hosts on any system", "dnsmasq addn-hosts (measured: 2.90)"),
    template="hosts.j2",
    file_name="hosts.txt",
    comment="#",
    actions=("null",),
    lower=lower,
    covers="the listed name itself, A and AAAA alone",
    install="append it to the hosts file, or load it with dnsmasq's addn-hosts",
)
