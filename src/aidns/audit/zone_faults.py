"""What can be wrong in a response policy zone, and what each server makes of it. Pure.

Measured with one odd line between two good ones on unbound 1.17.1, BIND 9.18.49, Knot Resolver 5.6.0 and PowerDNS
Recursor 4.8.8. "blocks nothing" means that the server runs without the policy.
"""

from __future__ import annotations

from aidns.audit.finding import Fault

_BROKEN = (
    "unbound: does not start",
    "BIND, PowerDNS: block nothing",
    "Knot Resolver: keeps only the lines before it",
)

DUPLICATE = Fault(
    "rpz-duplicate",
    "error",
    "a record stands twice",
    ("PowerDNS: blocks nothing",),
    "write each record once; letters' case makes no difference",
)
CONFLICT = Fault(
    "rpz-conflict",
    "error",
    "an owner has two different actions, or a CNAME beside other data",
    ("BIND: blocks nothing", "PowerDNS: blocks nothing for two CNAMEs", "unbound: the first, Knot Resolver: the last"),
    "give each owner one action",
)
NO_SOA = Fault(
    "rpz-no-soa", "error", "the zone has no SOA", ("BIND, PowerDNS: block nothing",), "begin with one SOA at the apex"
)
NO_NS = Fault("rpz-no-ns", "error", "the zone has no NS", ("BIND: blocks nothing",), "add `@ NS localhost.`")
SECOND_SOA = Fault("rpz-second-soa", "error", "the zone has more than one SOA", ("BIND: blocks nothing",))
BIG_SERIAL = Fault(
    "rpz-serial-range", "error", "the serial is no unsigned 32-bit number", ("BIND: blocks nothing", "PowerDNS: ends")
)
BAD_NAME = Fault("rpz-bad-name", "error", "an owner is no name that can be asked for", _BROKEN)
TOP_LEVEL = Fault(
    "rpz-top-level",
    "error",
    "an owner has one label: a top-level domain",
    ("all: `*.name` is every name in it",),
    "list the domains that are meant",
)
TOO_LONG = Fault(
    "rpz-owner-too-long",
    "error",
    "owner and zone name together are too long",
    ("unbound: does not start", "BIND: blocks nothing"),
    "250 octets less the zone's name is the most",
)
ABSOLUTE = Fault(
    "rpz-absolute-owner",
    "error",
    "an owner is absolute and outside the zone",
    ("unbound: does not start", "BIND: ignores it"),
    "write owners without a final dot",
)
INSIDE = Fault(
    "rpz-needs-origin",
    "error",
    "owners are absolute and no $ORIGIN names the zone",
    ("Knot Resolver, PowerDNS: block nothing",),
    "write owners relative to the zone",
)
UNREADABLE = Fault("rpz-unreadable-line", "error", "a line is no record; comments begin with `;`", _BROKEN)
LEADING_BLANK = Fault(
    "rpz-leading-blank",
    "error",
    "a record leaves its owner out and takes the one above",
    ("PowerDNS: blocks nothing where that makes a duplicate",),
)
INCLUDE = Fault(
    "rpz-include",
    "error",
    "the list reads another file of the server's",
    ("BIND: reads the file", "unbound: does not start", "Knot Resolver: keeps only the lines before it"),
    "a published list never needs $INCLUDE",
)
GENERATE = Fault(
    "rpz-generate",
    "error",
    "$GENERATE makes names that do not stand in the list",
    ("BIND, PowerDNS: expand it", "unbound: skips it", "Knot Resolver: keeps only the lines before it"),
)
DIRECTIVE = Fault(
    "rpz-directive",
    "error",
    "a directive that no server knows",
    ("BIND, PowerDNS: block nothing", "Knot Resolver: keeps only the lines before it"),
)
QUOTED = Fault(
    "rpz-quoted-owner",
    "error",
    "an owner holds a quote or a parenthesis",
    ("BIND: blocks the name", "unbound, PowerDNS: the name passes", "Knot Resolver: keeps only the lines before it"),
)
ESCAPE = Fault(
    "rpz-escape", "error", "an escape hides a name", ("all: block the hidden name",), "write names as they are"
)
U_LABEL = Fault(
    "rpz-u-label",
    "error",
    "an owner is not ASCII and never matches",
    ("BIND, unbound, PowerDNS: it never matches", "Knot Resolver: keeps only the lines before it"),
    "write the A-label (xn--)",
)
EVERYTHING = Fault("rpz-everything", "error", "`*` blocks the whole internet", ("all: block every name",))
INNER_STAR = Fault(
    "rpz-inner-star", "warning", "a star that is not the first label is a label like others", ("all: it never matches",)
)
BOGUS_ACTION = Fault(
    "rpz-unknown-action",
    "error",
    "the action is none that exists",
    ("unbound, Knot Resolver, PowerDNS: the name passes", "BIND: takes it for a name"),
)
RELATIVE_TARGET = Fault(
    "rpz-relative-target",
    "error",
    "the target lacks its final dot and gets the zone's name behind it",
    ("Knot Resolver: the name passes", "others: answer a name inside the zone"),
)
UNDERSCORE_ADDRESS = Fault(
    "rpz-underscore-address",
    "error",
    "an owner with an underscore has an address",
    ("BIND: blocks nothing (check-names)",),
    "give it `CNAME .`",
)
APEX_DATA = Fault(
    "rpz-apex-data",
    "warning",
    "the zone's own name holds more than SOA and NS",
    ("unbound: root priming fails",),
    "write remarks as comments",
)
GARDEN_NAME = Fault("rpz-garden-name", "note", "names are sent to another name", ("Knot Resolver: these names pass",))
ANSWERED = Fault(
    "rpz-answers", "note", "names are sent to another address", ("all: users get what is at that address",)
)
