"""Lists for consumers that match suffixes: one shape of line each; exceptions only where a line can hold them."""

from __future__ import annotations

from collections.abc import Callable

from aidns.model import BlockSet
from aidns.render.base import Action, Body, Format
from aidns.render.trees import blocks_alone, every_owner


def _lower(*, exact: bool) -> Callable[[BlockSet, Action, int], Body]:
    def lower(blockset: BlockSet, action: Action, zone_length: int) -> Body:
        return blocks_alone(blockset, exact=exact)

    return lower


def lower_cdb(blockset: BlockSet, action: Action, zone_length: int) -> Body:
    """Return every owner: a key-value store says for each name what becomes of itself and of what lies below it."""
    return every_owner(blockset)


DOMAINS_WILD = Format(
    id="domains-wild",
    title="plain names, each meant with everything below it",
    consumers=("anything that takes a name for its whole tree: Technitium, dnscrypt-proxy, OPNsense, firewalls",),
    template="domains.j2",
    file_name="domains-wild.txt",
    comment="#",
    actions=(),
    lower=_lower(exact=False),
    covers="the listed name and everything below it, where the consumer reads it so",
    install="load it only where a name stands for its whole tree",
)
WILDCARD = Format(
    id="wildcard",
    title="wildcard names",
    consumers=("blocky (list parser measured: 0.34)", "OPNsense unbound blocklists (not measured)"),
    template="wildcard.j2",
    file_name="wildcard.txt",
    comment="#",
    actions=(),
    lower=_lower(exact=True),
    covers="`*.name`: the name and everything below it in blocky; a plain name: itself alone",
    install="name the file under blocking.denylists in blocky's configuration",
)
DNSCRYPT_PROXY = Format(
    id="dnscrypt-proxy",
    title="dnscrypt-proxy blocked names",
    consumers=("dnscrypt-proxy 2 (measured: 2.1.18)",),
    template="dnscrypt-proxy.j2",
    file_name="dnscrypt-proxy.txt",
    comment="#",
    actions=(),
    lower=_lower(exact=True),
    covers="a plain name: itself and everything below it; `=name`: itself alone",
    install="name the file as blocked_names_file in the section [blocked_names]",
)
SQUID = Format(
    id="squid",
    title="squid dstdomain list",
    consumers=("squid ≥ 5 (measured: 5.7)",),
    template="squid.j2",
    file_name="squid.txt",
    comment="#",
    actions=(),
    lower=_lower(exact=True),
    covers="`.name`: the name and everything below it; a plain name: itself alone",
    canary="is denied",
    install='acl genai dstdomain "/etc/squid/squid.txt", then http_access deny genai',
)
EDL = Format(
    id="edl",
    title="external dynamic list of domains",
    consumers=("PAN-OS ≥ 9.0 (by its manual, not measured)",),
    template="edl.j2",
    file_name="edl.txt",
    comment="#",
    actions=(),
    lower=_lower(exact=True),
    covers="`name` with `*.name`: the name and everything below it; `^name`: itself alone",
    install="add the file's address as an external dynamic list of type Domain",
)
TECHNITIUM = Format(
    id="technitium",
    title="Technitium block list",
    consumers=(
        "Technitium DNS Server (a blocked name includes what lies below it, by its documentation; not measured)",
    ),
    template="domains.j2",
    file_name="technitium.txt",
    comment="#",
    actions=(),
    lower=_lower(exact=False),
    covers="the listed name and everything below it",
    install="add the file's address under Settings, Blocking, as an allow/block list URL",
)
DNSDIST_CDB = Format(
    id="dnsdist-cdb",
    title="input of a CDB key-value store for dnsdist",
    consumers=("dnsdist ≥ 1.5 with tinycdb (measured: 1.7.3 and 0.78)",),
    template="dnsdist-cdb.j2",
    file_name="dnsdist.txt",
    comment="#",
    actions=(),
    lower=lower_cdb,
    covers="the name itself (first letter) and what lies below it (second): b is blocked, p passes; every type",
    install="cdb -c -m dnsdist.cdb dnsdist.txt; the rules that read it are in docs/formats.md",
    canary="is NXDOMAIN without an SOA record",
)
