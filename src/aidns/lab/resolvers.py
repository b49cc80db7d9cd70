"""unbound, BIND, PowerDNS Recursor and Knot Resolver in the lab: local zones and response policy zones. Pure.

Settings that look odd keep a server from asking the real world, from dropping privileges it does not have, and from
sharing its port.
"""

from __future__ import annotations

from aidns.lab.kind import Kind, Setup, rpz_zone

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
  response-policy {{ {" ".join(f'zone "{zone}" log no;' for zone, _ in setup.zones)} }}
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


def _start_unbound(setup: Setup) -> list[str]:
    return ["unbound", "-d", "-c", setup.path("unbound.conf")]


def _check_unbound(setup: Setup) -> list[str]:
    return ["unbound-checkconf", setup.path("unbound.conf")]


_UNBOUND_PROGRAMS = ("unbound", "unbound-checkconf")
_UNBOUND_CLEAN = r"unbound-checkconf: no errors in .*"

UNBOUND = Kind(
    id="unbound",
    format="unbound",
    package="unbound",
    programs=_UNBOUND_PROGRAMS,
    config=_unbound,
    command=_start_unbound,
    check=_check_unbound,
    clean=_UNBOUND_CLEAN,
)
UNBOUND_RPZ = Kind(
    id="unbound-rpz",
    format="rpz",
    package="unbound",
    programs=_UNBOUND_PROGRAMS,
    config=_unbound_rpz,
    command=_start_unbound,
    check=_check_unbound,
    clean=_UNBOUND_CLEAN,
    takes_allow=True,
)
BIND_RPZ = Kind(
    id="bind-rpz",
    format="rpz",
    package="bind9 bind9-utils",
    programs=("named", "named-checkzone"),
    config=_bind_rpz,
    command=lambda setup: ["named", "-g", "-n", "1", "-c", setup.path("named.conf")],
    check=lambda setup: ["named-checkzone", "-k", "fail", rpz_zone(0), setup.path(setup.lists[0])],
    clean=r"OK|zone .*/IN: loaded serial \d+",
    takes_allow=True,
)
PDNS_RPZ = Kind(
    id="pdns-rpz",
    format="rpz",
    package="pdns-recursor",
    programs=("pdns_recursor",),
    config=_pdns_rpz,
    command=lambda setup: ["pdns_recursor", f"--config-dir={setup.folder}"],
    takes_allow=True,
)
KRESD_RPZ = Kind(
    id="kresd-rpz",
    format="rpz",
    package="knot-resolver",
    programs=("kresd",),
    config=_kresd_rpz,
    command=lambda setup: ["kresd", "-n", "-q", "-c", setup.path("kresd.conf"), str(setup.folder)],
    takes_allow=True,
    forwards_exceptions=False,
    follows_garden_names=False,
)
