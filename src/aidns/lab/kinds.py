"""Every kind of server that the lab can start. Adding one is one function for its configuration and one entry here."""

from __future__ import annotations

from aidns.lab.forwarders import DNSDIST_CDB, DNSMASQ, DNSMASQ_HOSTS, DNSMASQ_SERVERS
from aidns.lab.kind import Kind, Setup
from aidns.lab.resolvers import BIND_RPZ, KRESD_RPZ, PDNS_RPZ, UNBOUND, UNBOUND_RPZ

_ALL = (UNBOUND, UNBOUND_RPZ, BIND_RPZ, PDNS_RPZ, KRESD_RPZ, DNSMASQ, DNSMASQ_SERVERS, DNSMASQ_HOSTS, DNSDIST_CDB)
KINDS = {kind.id: kind for kind in _ALL}

__all__ = ["KINDS", "Kind", "Setup"]
