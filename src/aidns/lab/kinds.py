"""The kinds of server that the lab can start: one declaration each. Pure.

Adding a kind is one function that writes its configuration and one entry in KINDS. Settings that look odd keep a server
from asking the real world, from dropping privileges it does not have, and from sharing its port.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

ALLOW_ZONE = "allow.aidns"
"""Name of the policy zone that an allow file is loaded as."""


class Setup(Struct, frozen=True):
    """Where a server runs and what it loads; the files lie in `folder` under the names given."""

    folder: Path
    port: int
    upstream: int
    lists: tuple[str, ...]
    allow: str = ""

    def path(self, name: str) -> str:
        return str(self.folder / name)

    @property
    def zones(self) -> tuple[tuple[str, str], ...]:
        """Policy zone and file name of each list, the allow file first: the first zone with a match wins."""
        allow = ((ALLOW_ZONE, self.allow),) if self.allow else ()
        return (*allow, *((rpz_zone(i), name) for i, name in enumerate(self.lists)))


class Kind(Struct, frozen=True):
    """How to configure, start and check one server with one format."""

    id: str
    programs: tuple[str, ...]
    config: Callable[[Setup], dict[str, str]]
    """File name -> text of every file the server needs besides the lists."""
    command: Callable[[Setup], list[str]]
    check: Callable[[Setup], list[str]] | None = None
    """Command of the server's own checker for the first list."""
    clean: str = ""
    """Pattern of the lines that the checker prints when nothing is wrong."""
    takes_allow: bool = False


def rpz_zone(index: int) -> str:
    """Return the name of the policy zone for the list at `index`."""
    return f"rpz{index or ''}.aidns"


_UNBOUND = """\
server:
  interface: 127.0.0.1@{port}
  port: {port}
  so-reuseport: no
  do-ip6: no
  do-daemonize: no
  username: ""
  chroot: ""
  pidfile: ""
  directory: "{folder}"
  use-syslog: no
  do-not-query-localhost: no
  module-config: "{modules}"
  num-threads: 1
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@{upstream}
"""


def _unbound(setup: Setup) -> dict[str, str]:
    base = _UNBOUND.format(port=setup.port, folder=setup.folder, upstream=setup.upstream, modules="iterator")
    return {"unbound.conf": base + "".join(f'include: "{setup.path(name)}"\n' for name in setup.lists)}


def _unbound_rpz(setup: Setup) -> dict[str, str]:
    base = _UNBOUND.format(port=setup.port, folder=setup.folder, upstream=setup.upstream, modules="respip iterator")
    zones = "".join(f'rpz:\n  name: "{zone}."\n  zonefile: "{setup.path(name)}"\n' for zone, name in setup.zones)
    return {"unbound.conf": base + zones}


def _bind_rpz(setup: Setup) -> dict[str, str]:
    options = f"""\
options {{
  directory "{setup.folder}";
  listen-on port {setup.port} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  reuseport no;
  pid-file none;
  lock-file none;
  session-keyfile none;
  recursion yes;
  allow-query {{ any; }};
  forward only;
  forwarders port {setup.upstream} {{ 127.0.0.1; }};
  dnssec-validation no;
  empty-zones-enable no;
  notify no;
  max-cache-size 16m;
  response-policy {{ {" ".join(f'zone "{zone}";' for zone, _ in setup.zones)} }}
    break-dnssec yes qname-wait-recurse no min-update-interval 0;
}};
controls {{ }};
"""
    zones = "".join(
        f'zone "{zone}" {{ type primary; file "{setup.path(name)}"; allow-query {{ localhost; }}; }};\n'
        for zone, name in setup.zones
    )
    return {"named.conf": options + zones}


def _pdns_rpz(setup: Setup) -> dict[str, str]:
    conf = f"""\
daemon=no
local-address=127.0.0.1
local-port={setup.port}
forward-zones-recurse=.=127.0.0.1:{setup.upstream}
dont-query=
hint-file=no
dnssec=off
security-poll-suffix=
setuid=
setgid=
socket-dir={setup.folder}
threads=1
lua-config-file={setup.path("rpz.lua")}
"""
    lua = "".join(
        f'rpzFile("{setup.path(name)}", {{policyName="{zone}", extendedErrorCode=15, extendedErrorExtra="{zone}"}})\n'
        for zone, name in setup.zones
    )
    return {"recursor.conf": conf, "rpz.lua": lua}


def _kresd_rpz(setup: Setup) -> dict[str, str]:
    rules = "".join(f"policy.add(policy.rpz(policy.DENY, '{setup.path(name)}', false))\n" for _, name in setup.zones)
    conf = f"""\
modules.unload('priming')
modules.unload('detect_time_skew')
modules.unload('ta_update')
net.listen('127.0.0.1', {setup.port}, {{ kind = 'dns' }})
trust_anchors.remove('.')
cache.size = 4 * MB
{rules}policy.add(policy.all(policy.FORWARD({{'127.0.0.1@{setup.upstream}'}})))
"""
    return {"kresd.conf": conf}


def _dnsmasq_hosts(setup: Setup) -> dict[str, str]:
    conf = f"""\
port={setup.port}
listen-address=127.0.0.1
bind-interfaces
no-resolv
no-hosts
server=127.0.0.1#{setup.upstream}
dns-forward-max=1000
"""
    return {"dnsmasq.conf": conf + "".join(f"addn-hosts={setup.path(name)}\n" for name in setup.lists)}


def _start_unbound(setup: Setup) -> list[str]:
    return ["unbound", "-d", "-c", setup.path("unbound.conf")]


def _check_unbound(setup: Setup) -> list[str]:
    return ["unbound-checkconf", setup.path("unbound.conf")]


def _start_dnsmasq(setup: Setup) -> list[str]:
    quiet = ["--keep-in-foreground", "--pid-file=", "--log-facility=-", "--user="]
    return ["dnsmasq", f"--conf-file={setup.path('dnsmasq.conf')}", *quiet]


_UNBOUND_PROGRAMS = ("unbound", "unbound-checkconf")
_UNBOUND_CLEAN = r"unbound-checkconf: no errors in .*"

_ALL = (
    Kind(
        id="unbound",
        programs=_UNBOUND_PROGRAMS,
        config=_unbound,
        command=_start_unbound,
        check=_check_unbound,
        clean=_UNBOUND_CLEAN,
    ),
    Kind(
        id="unbound-rpz",
        programs=_UNBOUND_PROGRAMS,
        config=_unbound_rpz,
        command=_start_unbound,
        check=_check_unbound,
        clean=_UNBOUND_CLEAN,
        takes_allow=True,
    ),
    Kind(
        id="bind-rpz",
        programs=("named", "named-checkzone"),
        config=_bind_rpz,
        command=lambda setup: ["named", "-g", "-n", "1", "-c", setup.path("named.conf")],
        check=lambda setup: ["named-checkzone", "-k", "fail", rpz_zone(0), setup.path(setup.lists[0])],
        clean=r"OK|zone .*/IN: loaded serial \d+",
        takes_allow=True,
    ),
    Kind(
        id="pdns-rpz",
        programs=("pdns_recursor",),
        config=_pdns_rpz,
        command=lambda setup: ["pdns_recursor", f"--config-dir={setup.folder}"],
        takes_allow=True,
    ),
    Kind(
        id="kresd-rpz",
        programs=("kresd",),
        config=_kresd_rpz,
        command=lambda setup: ["kresd", "-n", "-q", "-c", setup.path("kresd.conf"), str(setup.folder)],
        takes_allow=True,
    ),
    Kind(
        id="dnsmasq-hosts",
        programs=("dnsmasq",),
        config=_dnsmasq_hosts,
        command=_start_dnsmasq,
        check=lambda setup: ["dnsmasq", "--test", f"--conf-file={setup.path('dnsmasq.conf')}"],
        clean=r"dnsmasq: syntax check OK\.",
    ),
)
KINDS = {kind.id: kind for kind in _ALL}
