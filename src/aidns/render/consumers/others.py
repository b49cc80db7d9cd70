"""Consumers that the lab does not start: what is said of them was measured elsewhere or is their manual's."""

from __future__ import annotations

from aidns.render.consumers.base import Consumer, Seen, Snippet

_EXACT = "none but the listed"
_BY_ALLOW = "by an allow entry, which beats every block"

PIHOLE = Consumer(
    id="pihole",
    title="Pi-hole",
    formats=("pihole", "pihole-allow"),
    versions="Pi-hole ≥ 5.22; the allow list ≥ 6.0",
    measured="FTL 6.4.1, core 6.2.2",
    seen=Seen("all", "all", "yes", _BY_ALLOW, "as `dns.blocking.mode` says: null unless changed"),
    before=("Serve the files over HTTP or HTTPS, or as `file://` readable by the user `pihole`.",),
    snippets=(
        Snippet(
            "where `aidns` is (Pi-hole 6), for everybody or for the networks of the policy's scopes; without `--apply` "
            "it shows what it would do",
            """\
read -rs PIHOLE_PASSWORD && export PIHOLE_PASSWORD
aidns pihole https://pi.hole --policy school.toml --lists https://lists.example/dist --apply
""",
            "sh",
        ),
    ),
    after=(
        "Each scope gets a group of its own; its networks stay in Default, too, whose lists go on holding for them.",
        "`pihole -g` reads a new list; the page *Lists* should show 0 invalid entries.",
        "The allow list lifts blocks of every other list as well, so subscribe it only if the policy has exceptions.",
    ),
)
ADGUARD_HOME = Consumer(
    id="adguard-home",
    title="AdGuard Home",
    formats=("adguard", "adguard-allow"),
    versions="AdGuard Home",
    measured="0.107.66, urlfilter 0.20.0",
    seen=Seen("all", "all", "yes", "`@@`, two levels of blocks and exceptions", "as set: null unless changed"),
    snippets=(
        Snippet(
            "in `AdGuardHome.yaml`, while it is stopped",
            """\
filters:
  - enabled: true
    url: https://lists.example/school/adguard.txt
    name: aidns school
    id: 1763769600
""",
            "yaml",
        ),
    ),
    after=(
        "`adguard.txt` is complete alone; `adguard-allow.txt` is for what other lists block, under *DNS allowlists*.",
        "The list of a scope with networks holds for its clients alone (`$client`): load the lists of all scopes.",
        "Lists that pass through hostlist-compiler's validation lose names with underscores; AdGuard Home reads them.",
        "An empty download empties the list: watch the canary.",
    ),
)
BLOCKY = Consumer(
    id="blocky",
    title="blocky",
    formats=("wildcard",),
    versions="blocky",
    measured="list parser of 0.34",
    seen=Seen("all", exceptions="only by a list under `allowlists`", answers="as `blockType` says"),
    snippets=(
        Snippet(
            "in `config.yml`",
            """\
blocking:
  denylists:
    aidns:
      - https://lists.example/school/wildcard.txt
  clientGroupsBlock:
    10.1.0.0/16:
      - aidns
""",
            "yaml",
        ),
    ),
    after=("Never load `adguard` or `pihole` here: blocky reads `||name^` as the name alone.",),
)
OPNSENSE = Consumer(
    id="opnsense",
    title="OPNsense, Unbound DNS blocklist",
    formats=("wildcard",),
    versions="by its source",
    seen=Seen(subdomains="of `*.name` entries"),
    before=("*Services → Unbound DNS → Blocklist*, *URLs of Blocklists*: the address of `wildcard.txt`.",),
)
DNSCRYPT_PROXY = Consumer(
    id="dnscrypt-proxy",
    title="dnscrypt-proxy, blocked names",
    formats=("dnscrypt-proxy",),
    versions="dnscrypt-proxy 2",
    measured="2.1.18",
    seen=Seen("all", exceptions="only by a file under `[allowed_names]`", answers="as `blocked_query_response` says"),
    snippets=(
        Snippet(
            "in `dnscrypt-proxy.toml`",
            "[blocked_names]\n  blocked_names_file = '/etc/dnscrypt-proxy/dnscrypt-proxy.txt'\n",
            "toml",
        ),
    ),
)
TECHNITIUM = Consumer(
    id="technitium",
    title="Technitium DNS Server",
    formats=("technitium",),
    versions="by its documentation",
    seen=Seen("all, by its documentation"),
    before=("*Settings → Blocking → Allow / Block List URLs*: the address of `technitium.txt`.",),
)
MIKROTIK = Consumer(
    id="mikrotik",
    title="MikroTik RouterOS",
    formats=("mikrotik",),
    versions="RouterOS ≥ 7, by its manual",
    seen=Seen("all, by its manual", exceptions="none", answers="NXDOMAIN"),
    snippets=(Snippet("in a terminal of the router", "/import file-name=mikrotik.rsc\n"),),
    after=("The script removes the entries of its earlier run first.",),
)
WINDOWS = Consumer(
    id="windows-dns",
    title="Windows DNS Server",
    formats=("windows-dns",),
    versions="Windows Server ≥ 2016, by its manual",
    seen=Seen(
        "all, by its manual",
        exceptions="as holes (`NE`) in the blocks around them",
        answers="DENY: SERVFAIL, by its manual",
    ),
    snippets=(Snippet("in an elevated PowerShell on the server", ".\\windows-dns.ps1\n", "powershell"),),
    after=("The script removes the policies of its earlier run first.",),
)
SQUID = Consumer(
    id="squid",
    title="squid, access list",
    formats=("squid",),
    versions="squid ≥ 5",
    measured="5.7",
    seen=Seen("all", "HTTP and CONNECT requests, not DNS", "no", "none", "403 Forbidden"),
    path="/etc/squid/aidns.txt",
    snippets=(
        Snippet(
            "in `squid.conf`, before the rules that allow",
            'acl aidns dstdomain "/etc/squid/aidns.txt"\nhttp_access deny aidns\n',
        ),
    ),
    after=("`squid -k parse && squid -k reconfigure` reads a new list.",),
)
PAN_OS = Consumer(
    id="pan-os",
    title="PAN-OS, external dynamic list",
    formats=("edl",),
    versions="PAN-OS ≥ 9.0, by its manual",
    seen=Seen("of names with a `*.` entry, by its manual", exceptions="only by the list's own exception table"),
    before=("*Objects → External Dynamic Lists → Add*, type *Domain List*: the address of `edl.txt`.",),
)
HOSTS = Consumer(
    id="hosts",
    title="the hosts file of one machine",
    formats=("hosts",),
    versions="any system",
    measured="glibc 2.36",
    seen=Seen(_EXACT, "A and AAAA", "no", "the list leaves them out", "null"),
    before=("Append it to `/etc/hosts` (Windows: `C:\\Windows\\System32\\drivers\\etc\\hosts`).",),
    after=("The weakest way: names that nobody has listed pass, and so does whatever asks a DNS server itself.",),
)
NAME_LISTS = Consumer(
    id="name-lists",
    title="whatever reads one exact name a line",
    formats=("domains",),
    versions="Pi-hole, AdGuard Home, blocky, proxies, mail filters",
    measured="Pi-hole FTL 6.4.1, urlfilter 0.20.0, blocky 0.34",
    seen=Seen(_EXACT),
    after=("AdGuard reads a name with an underscore as part of a name, so that what lies below it is blocked, too.",),
)
SUFFIX_LISTS = Consumer(
    id="suffix-lists",
    title="whatever takes a name for its whole tree",
    formats=("domains-wild",),
    versions="dnscrypt-proxy, Technitium, firewalls, SaaS filters",
    measured="dnscrypt-proxy 2.1.18",
    seen=Seen("all"),
)
SCRIPTS = Consumer(
    id="scripts",
    title="spreadsheets and programs",
    formats=("csv", "json"),
    versions="any",
    after=(
        "`itself` and `below` say `block` or `pass`; for an unlisted name, `below` of the nearest listed name above.",
    ),
)
OTHERS = (
    *(PIHOLE, ADGUARD_HOME, HOSTS, NAME_LISTS, SUFFIX_LISTS, BLOCKY, OPNSENSE, DNSCRYPT_PROXY, TECHNITIUM),
    *(MIKROTIK, WINDOWS, SQUID, PAN_OS, SCRIPTS),
)
