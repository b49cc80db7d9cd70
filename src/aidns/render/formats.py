"""Every format, by id, in the order in which users meet them."""

from __future__ import annotations

from collections.abc import Iterable

from aidns.errors import UsageError, did_you_mean
from aidns.names import printable
from aidns.render.adguard import ADGUARD, ADGUARD_ALLOW
from aidns.render.appliances import MIKROTIK, WINDOWS_DNS
from aidns.render.base import Format
from aidns.render.data import CSV, JSON
from aidns.render.dnsmasq import DNSMASQ, DNSMASQ_SERVERS
from aidns.render.hosts import DOMAINS, HOSTS
from aidns.render.pihole import PIHOLE, PIHOLE_ALLOW
from aidns.render.plain import DNSCRYPT_PROXY, DNSDIST_CDB, DOMAINS_WILD, EDL, SQUID, TECHNITIUM, WILDCARD
from aidns.render.rpz import RPZ, RPZ_ALLOW
from aidns.render.unbound import UNBOUND

_ALL = (
    *(PIHOLE, PIHOLE_ALLOW, UNBOUND, RPZ, RPZ_ALLOW, HOSTS, ADGUARD, ADGUARD_ALLOW, DNSMASQ, DNSMASQ_SERVERS),
    *(DOMAINS, DOMAINS_WILD, WILDCARD, DNSCRYPT_PROXY, DNSDIST_CDB, TECHNITIUM, MIKROTIK, WINDOWS_DNS, SQUID, EDL),
    *(CSV, JSON),
)
FORMATS: dict[str, Format] = {fmt.id: fmt for fmt in _ALL}


def find(format_id: str) -> Format:
    """Return a format. Raises UsageError with the formats that exist."""
    if format_id in FORMATS:
        return FORMATS[format_id]
    tip = did_you_mean(format_id, FORMATS, f"formats are {', '.join(FORMATS)}")
    raise UsageError(f"there is no format {printable(format_id, 80)!r}", tip=tip)


def find_all(format_ids: Iterable[str]) -> tuple[Format, ...]:
    """Return the formats of these ids, each once; all of them when there are none."""
    return tuple(find(i) for i in dict.fromkeys(format_ids)) or tuple(FORMATS.values())


def refuse_zone(zone: str, formats: Iterable[Format]) -> None:
    """Raise UsageError when a zone's name is given and none of the formats is a zone."""
    if zone and not any(fmt.zoned for fmt in formats):
        zones = ", ".join(fmt.id for fmt in FORMATS.values() if fmt.zoned)
        raise UsageError("--zone names the zone of a format that is one", tip=f"such are {zones}; leave it out else")
