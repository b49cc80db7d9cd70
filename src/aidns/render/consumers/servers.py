"""DNS servers that the lab can start: what is said here is tried, and their snippets are loaded as they stand."""

from __future__ import annotations

from aidns.render.consumers.base import Consumer, Seen, Snippet

UNBOUND = Consumer(
    id="unbound",
    title="unbound, local-zone",
    formats=("unbound",),
    versions="unbound ≥ 1.10",
    measured="1.17.1",
    seen=Seen(
        subdomains="all",
        types="all but DS at the listed name",
        cname="no",
        exceptions="longest name wins; an exact one opens what lies below it, too",
        answers="NXDOMAIN, NODATA, null, REFUSED, garden, log only",
    ),
    path="/etc/unbound/aidns/unbound.conf",
    snippets=(
        Snippet("in `unbound.conf`, outside every clause", 'include-toplevel: "/etc/unbound/aidns/unbound.conf"\n'),
        Snippet(
            "instead of it, for some clients only, once for each scope and with a view of its own; the file must be "
            "without the line `server:`, which would make it global: `sed -i '/^server:/d' unbound.conf`",
            """\
server:
  access-control-view: 10.1.0.0/16 "restricted"
view:
  name: "restricted"
  include: "/etc/unbound/aidns/unbound.conf"
""",
        ),
    ),
    after=(
        "`unbound-checkconf && unbound-control reload_keep_cache`: without the check a bad name ends the daemon.",
        "The narrowest network of a client decides its view, in which no other `local-zone` holds.",
    ),
)
UNBOUND_RPZ = Consumer(
    id="unbound-rpz",
    title="unbound, response policy zone",
    formats=("rpz-allow", "rpz"),
    versions="unbound ≥ 1.10",
    measured="1.17.1",
    seen=Seen(
        subdomains="all",
        types="all",
        cname="on the first question only",
        exceptions="in the zone, or in a zone before it",
        answers="NXDOMAIN, NODATA, null, garden",
    ),
    path="/etc/unbound/aidns/rpz.zone",
    before=("`unbound-checkconf` reads the zone, too.",),
    snippets=(
        Snippet(
            "in `unbound.conf`; `respip` must be among the modules, or unbound does not start",
            """\
server:
  module-config: "respip validator iterator"
rpz:
  name: "rpz.aidns."
  zonefile: "/etc/unbound/aidns/rpz.zone"
  rpz-log: yes
  rpz-log-name: "aidns"
""",
        ),
        Snippet(
            "the same for some clients only: those whose networks have the tag; once for each scope, with a tag and a "
            "zone of its own",
            """\
server:
  module-config: "respip validator iterator"
  define-tag: "aidns"
  access-control-tag: 10.1.0.0/16 "aidns"
rpz:
  name: "rpz.aidns."
  zonefile: "/etc/unbound/aidns/rpz.zone"
  tags: "aidns"
""",
        ),
    ),
    after=(
        "`unbound-control auth_zone_reload rpz.aidns`, after the check alone: half a file would replace the old list.",
        "A `local-zone` is looked at first: what it blocks stays blocked, whatever the zone's exceptions say.",
    ),
)
BIND = Consumer(
    id="bind-rpz",
    title="BIND, response policy zone",
    formats=("rpz-allow", "rpz"),
    versions="BIND ≥ 9.16",
    measured="9.18.49",
    seen=Seen(
        subdomains="all",
        types="all",
        cname="yes",
        exceptions="in the zone, or in a zone before it",
        answers="NXDOMAIN, NODATA, null, garden",
    ),
    path="/etc/bind/aidns/rpz.zone",
    before=(
        "`named-checkzone -k fail rpz.aidns rpz.zone`: a zone that does not load leaves the server without any filter.",
    ),
    snippets=(
        Snippet(
            "in `options`; without `break-dnssec` signed names pass for clients that validate, without "
            "`qname-wait-recurse no` each blocked name is asked upstream first",
            """\
response-policy { zone "rpz.aidns" policy given max-policy-ttl 300 min-update-interval 5; }
  break-dnssec yes qname-wait-recurse no;
""",
        ),
        Snippet(
            "beside `options`",
            'zone "rpz.aidns" { type primary; file "/etc/bind/aidns/rpz.zone"; allow-query { localhost; }; };\n',
        ),
        Snippet(
            "instead of both, for some clients only: a view for each scope, that of the narrowest network first, "
            "`others` last; every other zone must then be in a view, too",
            """\
view "restricted" {
  match-clients { 10.1.0.0/16; };
  response-policy { zone "rpz.aidns" policy given max-policy-ttl 300 min-update-interval 5; }
    break-dnssec yes qname-wait-recurse no;
  zone "rpz.aidns" { type primary; file "/etc/bind/aidns/rpz.zone"; allow-query { localhost; }; };
};
view "others" {
  match-clients { any; };
};
""",
        ),
    ),
    after=(
        "`rndc reload rpz.aidns`, or `rndc reload` with views. A broken file on reload leaves the old list in force.",
        "`rpz-allow.zone` goes first in `response-policy`, and only before other people's zones.",
        "Keep the zone's name short: BIND drops labels from the left of names that do not fit beside it.",
    ),
)
PDNS = Consumer(
    id="pdns-rpz",
    title="PowerDNS Recursor, response policy zone",
    formats=("rpz-allow", "rpz"),
    versions="PowerDNS Recursor ≥ 4.5",
    measured="4.8.8",
    seen=Seen(
        subdomains="all",
        types="all",
        cname="yes",
        exceptions="in the zone, or in a zone before it",
        answers="NXDOMAIN, NODATA, null, garden; with an extended error",
    ),
    path="/etc/powerdns/rpz.zone",
    snippets=(
        Snippet(
            "in the file that `lua-config-file=` of `recursor.conf` names",
            """\
rpzFile("/etc/powerdns/rpz.zone", {policyName="aidns", extendedErrorCode=15, extendedErrorExtra="Blocked by aidns"})
""",
            "lua",
        ),
    ),
    after=(
        "`rec_control reload-lua-config && rec_control wipe-cache '.$'`: what is cached passes until it is wiped.",
        "A file that cannot be read means no filter, with an `Error` in the log alone: ask for the canary.",
    ),
)
KRESD = Consumer(
    id="kresd-rpz",
    title="Knot Resolver 5, response policy zone",
    formats=("rpz",),
    versions="Knot Resolver 5",
    measured="5.6.0",
    seen=Seen(
        subdomains="all",
        types="all",
        cname="no",
        exceptions="they pass by the root servers, not by the rule that forwards",
        answers="NXDOMAIN, NODATA, null, garden by address",
    ),
    path="/etc/knot-resolver/rpz.zone",
    snippets=(
        Snippet(
            "before the rule that forwards",
            "policy.add(policy.rpz(policy.DENY, '/etc/knot-resolver/rpz.zone', false))\n",
            "lua",
        ),
        Snippet(
            "instead of it, for some clients only, once for each scope, that of the narrowest network first",
            """\
modules.load('view')
view:addr('10.1.0.0/16', policy.rpz(policy.DENY, '/etc/knot-resolver/rpz.zone', false))
""",
            "lua",
        ),
    ),
    after=(
        "For policies without exceptions. Where Knot Resolver forwards, name exceptions in front of all: "
        "`policy.add(policy.suffix(policy.FORWARD({'192.0.2.1'}), policy.todnames({'ok.example.com'})))`.",
        "With `true` as third argument a changed file is read by itself; that needs the package lua-cqueues.",
    ),
)
_NO_CACHE = (
    "with a cache, somebody's alias (CNAME) of a blocked name, once asked, makes dnsmasq answer the blocked name itself"
)
_DNSMASQ = Seen(
    subdomains="all",
    types="all",
    cname="no",
    exceptions="longest name wins, `*.name` for what lies below",
    answers="NXDOMAIN, null, garden by address",
)
DNSMASQ = Consumer(
    id="dnsmasq",
    title="dnsmasq, configuration",
    formats=("dnsmasq",),
    versions="dnsmasq ≥ 2.86",
    measured="2.90",
    seen=_DNSMASQ,
    path="/etc/aidns/dnsmasq.conf",
    before=("`dnsmasq --test` refuses what the daemon would refuse.",),
    snippets=(Snippet(f"in `dnsmasq.conf`; {_NO_CACHE}", "conf-file=/etc/aidns/dnsmasq.conf\ncache-size=0\n"),),
    after=("Restart dnsmasq: it reads its configuration once.",),
)
DNSMASQ_SERVERS = Consumer(
    id="dnsmasq-servers",
    title="dnsmasq, servers-file",
    formats=("dnsmasq-servers",),
    versions="dnsmasq ≥ 2.86",
    measured="2.90",
    seen=Seen(_DNSMASQ.subdomains, _DNSMASQ.types, _DNSMASQ.cname, _DNSMASQ.exceptions, "NXDOMAIN"),
    path="/etc/aidns/dnsmasq-servers.conf",
    snippets=(
        Snippet(f"in `dnsmasq.conf`; {_NO_CACHE}", "servers-file=/etc/aidns/dnsmasq-servers.conf\ncache-size=0\n"),
    ),
    after=("SIGHUP reads a new list; lines that it cannot read are skipped.",),
)
DNSMASQ_HOSTS = Consumer(
    id="dnsmasq-hosts",
    title="dnsmasq, hosts file",
    formats=("hosts",),
    versions="dnsmasq ≥ 2.86",
    measured="2.90",
    seen=Seen("none but the listed", "A and AAAA", "no", "the list leaves them out", "null"),
    path="/etc/aidns/hosts.txt",
    snippets=(Snippet("in `dnsmasq.conf`", "addn-hosts=/etc/aidns/hosts.txt\n"),),
    after=("SIGHUP reads a new list.",),
)
DNSDIST = Consumer(
    id="dnsdist-cdb",
    title="dnsdist, key-value store",
    formats=("dnsdist-cdb",),
    versions="dnsdist ≥ 1.5, built with CDB",
    measured="1.7.3 with tinycdb 0.78",
    seen=Seen(
        subdomains="all",
        types="all",
        cname="no",
        exceptions="longest name wins, itself and what lies below apart",
        answers="what the rules say: NXDOMAIN as written here",
    ),
    path="/etc/dnsdist/aidns.cdb",
    before=("`cdb -c -m /etc/dnsdist/aidns.cdb dnsdist.txt` (package tinycdb) makes the store.",),
    snippets=(
        Snippet(
            "in `dnsdist.conf`, before the rules that answer",
            """\
local aidns = newCDBKVStore('/etc/dnsdist/aidns.cdb', 60)
addAction(AllRule(), KeyValueStoreLookupAction(aidns, KeyValueLookupKeySuffix(0, false), 'aidns-tree'))
addAction(AllRule(), KeyValueStoreLookupAction(aidns, KeyValueLookupKeyQName(false), 'aidns-own'))
local blocked = OrRule({TagRule('aidns-own', 'bb'), TagRule('aidns-own', 'bp')})
local passing = OrRule({TagRule('aidns-own', 'pb'), TagRule('aidns-own', 'pp')})
local below = OrRule({TagRule('aidns-tree', 'bb'), TagRule('aidns-tree', 'pb')})
addAction(OrRule({blocked, AndRule({NotRule(passing), below})}), RCodeAction(DNSRCode.NXDOMAIN))
""",
            "lua",
        ),
    ),
    after=("A store that is newer than the one in use is read within the 60 seconds given above.",),
)
SERVERS = (UNBOUND, UNBOUND_RPZ, BIND, PDNS, KRESD, DNSMASQ, DNSMASQ_SERVERS, DNSMASQ_HOSTS, DNSDIST)
