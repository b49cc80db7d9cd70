"""Lists of exact names: hosts files (hosts(5)) with addresses, and plain names.

Neither knows subtrees, so every known name is written out.
"""

from __future__ import annotations

from aidns.model import BlockSet
from aidns.render.base import Action, Body, Format, Row, entry, loss
from aidns.render.trees import known_names

_NULL = ("0.0.0.0", "::")  # noqa: S104 - the null answer, nothing is bound


def lower(blockset: BlockSet, action: Action, zone_length: int) -> Body:
    """Return one row a blocked known name; `data` are the addresses."""
    blocked, lost = known_names(blockset)
    underscored = [name for name in blocked if "_" in name]
    written = [name for name in blocked if "_" not in name]
    return Body(
        rows=tuple(Row(name, data=_NULL) for name in written),
        entries=tuple(entry(name, blocks=True, exact=True) for name in written),
        weakened=(
            *lost,
            *loss("types", "leak", written, "only A and AAAA are answered; HTTPS and other types pass"),
            *loss("exact", "leak", underscored, "a name with an underscore has no address to override"),
        ),
    )


def lower_domains(blockset: BlockSet, action: Action, zone_length: int) -> Body:
    """Return one row a blocked known name."""
    blocked, lost = known_names(blockset)
    rows = tuple(Row(name) for name in blocked)
    return Body(rows=rows, entries=tuple(entry(name, blocks=True, exact=True) for name in blocked), weakened=lost)


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
DOMAINS = Format(
    id="domains",
    title="plain names, every known one",
    consumers=("anything that reads one exact name a line: Pi-hole, AdGuard Home, blocky, proxies, mail filters",),
    template="domains.j2",
    file_name="domains.txt",
    comment="#",
    actions=(),
    lower=lower_domains,
    covers="the listed name itself",
    install="load it where a list of exact names is asked for",
)
