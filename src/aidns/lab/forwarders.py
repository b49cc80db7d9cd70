"""dnsmasq and dnsdist in the lab, configured with the very snippets that the documentation shows. Pure."""

from __future__ import annotations

from collections.abc import Callable

from aidns.lab.kind import Kind, Setup
from aidns.render.consumers import CONSUMERS

_DNSMASQ = """\
port={port}
listen-address=127.0.0.1
bind-interfaces
no-resolv
no-hosts
no-negcache
server=127.0.0.1#{upstream}
dns-forward-max=1000
"""
_DNSDIST = """\
setLocal('127.0.0.1:{port}')
setACL('127.0.0.0/8')
setSecurityPollSuffix('')
newServer({{address='127.0.0.1:{upstream}', healthCheckMode='up'}})
"""


def _documented(consumer_id: str, path: str) -> str:
    """Return the first snippet of a consumer with the list's path there replaced by the one here."""
    consumer = CONSUMERS[consumer_id]
    return consumer.snippets[0].text.replace(consumer.path, path)


def _dnsmasq(kind: str) -> Callable[[Setup], dict[str, str]]:
    def config(setup: Setup) -> dict[str, str]:
        base = _DNSMASQ.format(port=setup.port, upstream=setup.upstream)
        return {"dnsmasq.conf": base + "".join(_documented(kind, setup.path(name)) for name in setup.lists)}

    return config


def _start_dnsmasq(setup: Setup) -> list[str]:
    quiet = ["--keep-in-foreground", "--pid-file=", "--log-facility=-", "--user="]
    return ["dnsmasq", f"--conf-file={setup.path('dnsmasq.conf')}", *quiet]


def _check_dnsmasq(setup: Setup) -> list[str]:
    return ["dnsmasq", "--test", f"--conf-file={setup.path('dnsmasq.conf')}"]


def _dnsdist(setup: Setup) -> dict[str, str]:
    base = _DNSDIST.format(port=setup.port, upstream=setup.upstream)
    stores = "".join(_documented("dnsdist-cdb", setup.path(f"{name}.cdb")) for name in setup.lists)
    return {"dnsdist.conf": base + stores}


def _start_dnsdist(setup: Setup) -> list[str]:
    make = " && ".join(f"cdb -c -m {name}.cdb {name}" for name in setup.lists) or "true"
    return ["sh", "-c", f"{make} && exec dnsdist --supervised --disable-syslog -C dnsdist.conf"]


def _dnsmasq_kind(kind_id: str, fmt: str) -> Kind:
    return Kind(
        id=kind_id,
        format=fmt,
        package="dnsmasq-base",
        programs=("dnsmasq",),
        config=_dnsmasq(kind_id),
        command=_start_dnsmasq,
        check=_check_dnsmasq,
        clean=r"dnsmasq: syntax check OK\.",
        denies_canary=kind_id == "dnsmasq-servers",
    )


DNSMASQ = _dnsmasq_kind("dnsmasq", "dnsmasq")
DNSMASQ_SERVERS = _dnsmasq_kind("dnsmasq-servers", "dnsmasq-servers")
DNSMASQ_HOSTS = _dnsmasq_kind("dnsmasq-hosts", "hosts")
DNSDIST_CDB = Kind(
    id="dnsdist-cdb",
    format="dnsdist-cdb",
    package="dnsdist tinycdb",
    programs=("dnsdist", "cdb"),
    config=_dnsdist,
    command=_start_dnsdist,
    check=lambda setup: ["cdb", "-c", "-m", "-e", setup.path("checked.cdb"), setup.path(setup.lists[0])],
    denies_canary=True,
)
