"""Faults that the shape of a line shows, syntax by syntax: one pattern each, looked for in the whole list. Pure.

Patterns begin at a newline, which lets `re` jump from line to line. What each consumer does was measured with Pi-hole
FTL 6.4.1, AdGuard Home 0.107.66, blocky 0.34, dnscrypt-proxy, dnsmasq 2.90 and unbound 1.17.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial

from msgspec import Struct

from aidns.audit.finding import Fault, Findings
from aidns.audit.text import Text, line_text


class LineRule(Struct, frozen=True):
    """A fault and the lines that have it: those that the pattern matches.

    Each such line holds the `sign` if there is one, and few others do: it is quicker to look for.
    """

    fault: Fault
    pattern: re.Pattern[bytes]
    sign: re.Pattern[bytes] | None = None

    def starts(self, octets: bytes) -> Iterator[int]:
        """Yield where the newline in front of each such line stands; the octets begin and end with one."""
        if self.sign is None:
            yield from (match.start() for match in self.pattern.finditer(octets))
            return
        hit = self.sign.search(octets)
        while hit:
            start = octets.rfind(b"\n", 0, hit.start())
            if self.pattern.match(octets, start):
                yield start
            hit = self.sign.search(octets, octets.find(b"\n", hit.start()))


def _rule(fault: Fault, pattern: bytes, sign: bytes = b"") -> LineRule:
    return LineRule(fault, re.compile(pattern), re.compile(sign) if sign else None)


UPPER_CASE = Fault(
    "upper-case", "warning", "a name has capital letters", ("AdGuard Home: a plain or hosts name never matches",)
)
FINAL_DOT = Fault(
    "final-dot",
    "warning",
    "a name ends in a dot",
    ("AdGuard Home, blocky, dnscrypt-proxy: it never matches",),
)
U_LABEL = Fault(
    "u-label",
    "warning",
    "a name is not ASCII",
    ("Pi-hole: invalid", "AdGuard Home, dnscrypt-proxy: it never matches"),
    "write the A-label (xn--)",
)
COSMETIC = Fault(
    "cosmetic-rule",
    "warning",
    "a rule for browsers, not for names",
    ("Pi-hole: ignores the whole line, uncounted", "AdGuard Home: no effect"),
)
INLINE_COMMENT = Fault(
    "inline-comment", "warning", "a comment behind a rule", ("AdGuard Home: the rule is dead",), "give it its own line"
)
ADGUARD_ONLY = Fault(
    "adguard-only",
    "note",
    "a rule that AdGuard Home alone understands",
    ("Pi-hole: invalid", "blocky: parse error, and after five the list is refused"),
)
BROWSER_MODIFIER = Fault(
    "browser-modifier",
    "error",
    "a modifier for browsers",
    ("AdGuard Home: the rule is dropped", "Pi-hole: invalid", "blocky: parse error"),
)
REWRITE = Fault(
    "rewrite", "error", "a rule that gives a name an answer of the list's choosing", ("AdGuard Home: users go there",)
)
EVERY_NAME = Fault(
    "adguard-everything", "error", "a pattern that every name matches", ("AdGuard: blocks, or excepts, them all",)
)
TOP_LEVEL_PATTERN = Fault(
    "adguard-top-level",
    "error",
    "a pattern that every name of a top-level domain matches",
    ("AdGuard: blocks, or excepts, them all", "Pi-hole: invalid"),
)
INDENTED_COMMENT = Fault(
    "indented-comment",
    "warning",
    "a comment does not begin its line",
    ("Pi-hole from 6.2 on: blocks the names in it",),
    "begin it in the first column",
)
SHORT_ZERO = Fault("short-zero", "error", "`0` stands for an address", ("dnsmasq, Pi-hole: reject it",))
MANY_NAMES = Fault(
    "several-names-on-a-line",
    "warning",
    "a hosts line has several names",
    ("OPNsense, Pi-hole before 6.2: take the last alone", "Windows: nine at most"),
)
LOOPBACK = Fault(
    "loopback-address",
    "note",
    "names get a loopback address",
    ("AdGuard Home: answers 127.0.0.1", "clients: try to connect to themselves"),
    "0.0.0.0 and :: fail at once",
)
DNSMASQ_OPTION = Fault(
    "injected-directive",
    "error",
    "an option that no list needs",
    ("dnsmasq: does what it says, up to running programs",),
    "take out all but address=/…/, local=/…/ and server=/…/",
)
DNSMASQ_SUFFIX = Fault(
    "look-alikes-caught",
    "error",
    "`/*name/` without a dot catches names that merely end alike",
    ("dnsmasq: blocks look-alikes",),
)
DNSMASQ_EMPTY = Fault("empty-name", "error", "`//` catches every name of one label", ("dnsmasq: blocks them all",))
DNSMASQ_EVERY_NAME = Fault(
    "every-name", "error", "`/#/` with an address is every name", ("dnsmasq: sends them all there",)
)
DNSMASQ_LONG = Fault("dnsmasq-long-line", "error", "a line is over 1024 octets", ("dnsmasq: does not start",))
UNBOUND_OPTION = Fault(
    "injected-directive",
    "error",
    "a setting that no list needs",
    ("unbound: does what it says",),
    "take out all but server:, local-zone: and local-data:",
)
UNBOUND_QUOTE = Fault(
    "unbound-quote",
    "error",
    "a quote or blank in a name ends it early",
    ("unbound: does not start, or reads what follows as its configuration",),
)
UNBOUND_STAR = Fault("unbound-star", "error", "a star is a label like others", ("unbound: blocks nothing",))
UNBOUND_ROOT = Fault("unbound-root", "error", "`.` is every name", ("unbound: blocks the internet",))

_NOT_DNS = rb"third-party|3p|document|doc|all|popup|script|image|stylesheet|subdocument|xmlhttprequest|domain="
_NAME_CAPITAL = rb"[a-z0-9_.*-]*[A-Z]"
_TOP = rb"\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_END = rb"(?=(?:\$important)?[ \t]*\n)"
_ADDRESS = rb"[0-9a-fA-F.:]+[ \t]+"
_COSMETIC = _rule(COSMETIC, rb"\n[^\n#!][^\n#]*#(?:@|\$|%|\?)?#", rb"#[@$%?]?#")
_INDENTED = _rule(INDENTED_COMMENT, rb"\n[ \t]+[!;\[][^\n#]*\.[a-zA-Z]")
_U = _rule(U_LABEL, rb"\n[^\n#!;]*[\x80-\xff]", rb"[\x80-\xff]")

RULES: Mapping[str, tuple[LineRule, ...]] = {
    "domains": (
        _rule(UPPER_CASE, rb"\n" + _NAME_CAPITAL, rb"[A-Z]"),
        _rule(FINAL_DOT, rb"\n[^\n#!; \t]+\.(?=[ \t]*\n)", rb"\.[ \t]*\n"),
        _rule(TOP_LEVEL_PATTERN, rb"\n" + _TOP + rb"(?=[ \t]*\n)"),
        _INDENTED,
        _U,
        _COSMETIC,
    ),
    "hosts": (
        _rule(UPPER_CASE, rb"\n" + _ADDRESS + _NAME_CAPITAL, rb"[A-Z]"),
        _rule(FINAL_DOT, rb"\n" + _ADDRESS + rb"[^\n# \t]+\.(?=[ \t]*[\n#])", rb"\.[ \t]*[\n#]"),
        _rule(SHORT_ZERO, rb"\n0[ \t]"),
        _rule(MANY_NAMES, rb"\n" + _ADDRESS + rb"[^\n# \t]+[ \t]+[^\n# \t]"),
        _rule(LOOPBACK, rb"\n(?:127\.\d+\.\d+\.\d+|::1)[ \t]+(?!localhost|ip6-|loopback|local[ \t\n])"),
        _INDENTED,
        _U,
        _COSMETIC,
    ),
    "adblock": (
        _rule(UPPER_CASE, rb"\n" + _NAME_CAPITAL, rb"[A-Z]"),
        _rule(FINAL_DOT, rb"\n[a-z0-9_.-]+\.(?=[ \t]*\n)", rb"\.[ \t]*\n"),
        _rule(INLINE_COMMENT, rb"\n(?:@@)?\|[^\n#]*[ \t]#"),
        _rule(BROWSER_MODIFIER, rb"\n(?:@@)?\|[^\n^]*\^\$(?:[^\n]*,)?~?(?:" + _NOT_DNS + rb")"),
        _rule(EVERY_NAME, rb"\n(?:@@)?(?:/\.[*+]/|\|\|\*(?:\.?\*)*\^)" + _END),
        _rule(TOP_LEVEL_PATTERN, rb"\n(?:@@)?(?:\|{0,2}\*" + _TOP + rb"[|^]?|" + _TOP + rb"[|^])" + _END),
        _rule(REWRITE, rb"\n(?:@@)?[^\n!#$]*\$(?:[^\n]*,)?dnsrewrite="),
        _rule(
            ADGUARD_ONLY, rb"\n(?:\|[^|\n]|(?:@@)?\|\|[^\n^]*\^\$(?:important|dnstype|client|denyallow|ctag|badfilter))"
        ),
        _INDENTED,
        _U,
        _COSMETIC,
    ),
    "dnsmasq": (
        _rule(DNSMASQ_OPTION, rb"\n[ \t]*+(?!address=/|local=/|server=/|#|\n)[^\n]"),
        _rule(DNSMASQ_SUFFIX, rb"\n[^\n#]*/\*[^./\n]"),
        _rule(DNSMASQ_EMPTY, rb"\n[^\n#]*=//"),
        _rule(DNSMASQ_EVERY_NAME, rb"\naddress=/(?:[^/\n]*/)*#/[^\n]"),
        _rule(DNSMASQ_LONG, rb"\n[^\n]{1025}"),
        _U,
    ),
    "unbound": (
        _rule(UNBOUND_OPTION, rb"\n[ \t]*+(?!server:[ \t]*(?:#|\n)|local-zone:|local-data:|local-zone-tag:|#|\n)[^\n]"),
        _rule(
            UNBOUND_QUOTE,
            rb"\n[ \t]*local-zone:[ \t]*+(?!(?:\"[^\"\n \t]*\"|[^\"\n \t]+)[ \t]+[a-z_]+[ \t]*(?:#|\n))",
        ),
        _rule(UNBOUND_STAR, rb"\n[ \t]*local-zone:[ \t]*\"?\*"),
        _rule(UNBOUND_ROOT, rb"\n[ \t]*local-zone:[ \t]*\"?\.\"?[ \t]"),
        _U,
    ),
    "rpz": (),
}
"""Syntax -> its rules."""


def check_lines(syntax: str, text: Text, found: Findings) -> None:
    """Find the lines that have one of the faults of their syntax."""
    for rule in RULES[syntax]:
        for start in rule.starts(text.octets):
            found.add(rule.fault, line_text(text, start), partial(text.line_at, start))
