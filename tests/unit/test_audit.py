"""Every fault that the audit knows is found where it is planted; lists without faults have none."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from aidns.audit import answers, collateral, entries, holes, repeats, rules, run, serial, text, zone_faults
from aidns.audit.collateral import Protected
from aidns.audit.finding import MAX_EXAMPLES, Fault, Finding
from aidns.audit.run import AUDITED, AuditSyntax, Report, audit, sniff_syntax
from aidns.lists.line import SYNTAXES
from aidns.names import Name
from list_lines import lines

GOLDEN = Path(__file__).parents[1] / "golden"
PROTECTED = Protected(
    shared={Name("login.shared.com"): "sign-in"},
    canaries={Name("use-application-dns.net"): "Firefox asks for it"},
)
APEX = "$TTL 300\n@ SOA localhost. root.invalid. 7 1 1 1 1\n@ NS localhost.\n"
TREE = APEX + "x.com CNAME .\n*.x.com CNAME .\n"
DEEP = "a" * 63 + "." + "b" * 63 + "." + "c" * 63 + "." + "d" * 50 + ".com"

# (fault, syntax, list, the line it is found in)
PLANTED: tuple[tuple[Fault, AuditSyntax, bytes | str, int], ...] = (
    (text.BYTE_ORDER_MARK, "domains", b"\xef\xbb\xbfone.com\n", 1),
    (text.NUL, "domains", b"one.com\ntwo\0.com\n", 2),
    (text.CONTROL, "domains", b"one.com\ntwo\x1b[2J.com\n", 2),
    (text.CARRIAGE_RETURN, "domains", b"one.com\ntwo.com\r\n", 2),
    (text.LONE_CR, "domains", b"one.com\n# remark\rtwo.com\n", 2),
    (text.NO_FINAL_NEWLINE, "domains", b"one.com\ntwo.com", 2),
    (text.LONG_LINE, "domains", "one.com\n" + "x" * 5000 + "\n", 2),
    (entries.BAD_NAME, "domains", "one.com\na..b.com\n", 2),
    (entries.TOP_LEVEL, "adblock", "||one.com^\n||ai^\n", 2),
    (entries.ADDRESS, "domains", "one.com\n192.0.2.1\n", 2),
    (entries.WILDCARD, "domains", "one.com\nads.*.com\n", 2),
    (entries.PATTERN, "adblock", "||one.com^\n||two.com/x^\n/ads[0-9]/\n", 2),
    (entries.NOT_UTF8, "domains", b"one.com\n\xff\xfe.com\n", 2),
    (entries.FOREIGN, "hosts", "0.0.0.0 one.com\nlocal-zone: x\n", 2),
    (repeats.DUPLICATE, "domains", "one.com\ntwo.com\nONE.com\n", 3),
    (repeats.DUPLICATE, "hosts", "0.0.0.0 one.com\n:: one.com\n0.0.0.0 two.com\n0.0.0.0 one.com\n", 4),
    (repeats.DUPLICATE, "unbound", 'local-zone: "one.com." static\nlocal-zone: "one.com." static\n', 2),
    (repeats.REDUNDANT, "adblock", "||one.com^\n||x-one.com^\n||a.b.one.com^\n", 3),
    (repeats.REDUNDANT, "adblock", "||one.com^\n@@||b.one.com^\n||a.b.one.com^\n||c.one.com^\n", 4),
    (repeats.BOTH, "adblock", "||one.com^\n@@||one.com^\n", 1),
    (rules.UPPER_CASE, "hosts", "0.0.0.0 one.com\n0.0.0.0 Two.com\n", 2),
    (rules.UPPER_CASE, "domains", "one.com\ntWo.com\n", 2),
    (rules.UPPER_CASE, "adblock", "||ONE.com^\nTwo.com\n", 2),
    (rules.FINAL_DOT, "domains", "one.com\ntwo.com.\n", 2),
    (rules.FINAL_DOT, "hosts", "0.0.0.0 one.com\n0.0.0.0 two.com. # x\n", 2),
    (rules.U_LABEL, "domains", "one.com\nbücher.de\n", 2),
    (rules.COSMETIC, "domains", "one.com\ntwo.com##.ad\n", 2),
    (rules.INLINE_COMMENT, "adblock", "||one.com^\n||two.com^ # why\n", 2),
    (rules.BROWSER_MODIFIER, "adblock", "||one.com^\n||two.com^$third-party\n", 2),
    (rules.REWRITE, "adblock", "||one.com^\n||two.com^$dnsrewrite=192.0.2.66\n", 2),
    (rules.ADGUARD_ONLY, "adblock", "||one.com^\n||two.com^$important\n", 2),
    (rules.EVERY_NAME, "adblock", "||one.com^\n||*^\n", 2),
    (rules.EVERY_NAME, "adblock", "||one.com^\n@@||*.*^$important\n", 2),
    (rules.EVERY_NAME, "adblock", "||one.com^\n/.*/\n", 2),
    (rules.TOP_LEVEL_PATTERN, "domains", "one.com\n.com\n.two.com\n", 2),
    (rules.TOP_LEVEL_PATTERN, "adblock", "||one.com^\n||*.com^\n||*.com.au^\n.ads-\n.adserv\n", 2),
    (rules.TOP_LEVEL_PATTERN, "adblock", "||one.com^\n*.com\n.two.com\n", 2),
    (rules.TOP_LEVEL_PATTERN, "adblock", "||one.com^\n.com^$important\n", 2),
    (rules.INDENTED_COMMENT, "adblock", "||one.com^\n  ! see two.com\n  # see three.com\n", 2),
    (rules.INDENTED_COMMENT, "hosts", "0.0.0.0 one.com\n\t; see two.com\n", 2),
    (rules.SHORT_ZERO, "hosts", "0.0.0.0 one.com\n0 two.com\n", 2),
    (rules.MANY_NAMES, "hosts", "0.0.0.0 one.com # a remark\n0.0.0.0 two.com three.com\n", 2),
    (rules.LOOPBACK, "hosts", "127.0.0.1 localhost\n127.0.0.1 one.com\n", 2),
    (rules.DNSMASQ_OPTION, "dnsmasq", "local=/one.com/\n  dhcp-script=/tmp/x\n", 2),
    (rules.DNSMASQ_SUFFIX, "dnsmasq", "local=/one.com/\nlocal=/*two.com/\n", 2),
    (rules.DNSMASQ_EMPTY, "dnsmasq", "local=/one.com/\nlocal=//\n", 2),
    (rules.DNSMASQ_EVERY_NAME, "dnsmasq", "local=/one.com/\naddress=/two.com/#/192.0.2.66\nlocal=/#/\n", 2),
    (rules.DNSMASQ_LONG, "dnsmasq", "local=/one.com/\nlocal=/" + "/".join(f"n{i}.com" for i in range(200)) + "/\n", 2),
    (rules.UNBOUND_OPTION, "unbound", 'server:\nlocal-zone: "one.com." static\n  python-script: "x"\n', 3),
    (rules.UNBOUND_QUOTE, "unbound", 'local-zone: "one.com." static\nlocal-zone: "t"wo.com." static\n', 2),
    (rules.UNBOUND_STAR, "unbound", 'local-zone: "one.com." static\nlocal-zone: "*.two.com." static\n', 2),
    (rules.UNBOUND_ROOT, "unbound", 'local-zone: "one.com." static\nlocal-zone: "." static\n', 2),
    (answers.REDIRECT, "hosts", "0.0.0.0 one.com\n192.0.2.66 bank.com\n", 2),
    (answers.REDIRECT, "dnsmasq", "address=/one.com/192.0.2.1\naddress=/two.com/192.0.2.2\n", 1),
    (answers.GARDEN, "hosts", "192.0.2.1 one.com\n192.0.2.1 two.com\n", 1),
    (answers.FORWARDED, "dnsmasq", "local=/one.com/\nserver=/bank.com/192.0.2.66\n", 2),
    (answers.TYPES_PASS, "dnsmasq", "address=/one.com/#\nlocal=/one.com/\naddress=/two.com/0.0.0.0\n", 3),
    (answers.V4_ONLY, "hosts", "0.0.0.0 one.com\n", 0),
    (collateral.PUBLIC_SUFFIX, "domains", "one.com\nco.uk\n", 2),
    (collateral.PUBLIC_SUFFIX, "rpz", APEX + "*.co.uk CNAME .\n", 4),
    (collateral.PRIVATE_SUFFIX, "adblock", "||one.com^\n||github.io^\n", 2),
    (collateral.SHARED, "domains", "one.com\nlogin.shared.com\n", 2),
    (collateral.SHARED, "adblock", "||one.com^\n||shared.com^\n", 2),
    (collateral.CANARY, "hosts", "0.0.0.0 one.com\n0.0.0.0 use-application-dns.net\n", 2),
    (collateral.CANARY, "rpz", APEX + "one.com CNAME .\nuse-application-dns.net A 0.0.0.0\n", 5),
    (collateral.CANARY, "dnsmasq", "address=/use-application-dns.net/#\nlocal=/use-application-dns.net/\n", 1),
    (collateral.CANARY, "unbound", 'local-zone: "use-application-dns.net." always_null\n', 1),
    (collateral.CANARY_MAYBE, "adblock", "||one.com^\n||use-application-dns.net^\n", 2),
    (run.EMPTY, "domains", "# nothing\n", 0),
    (run.NO_LIST, "domains", "<!DOCTYPE html>\n<p>see one.com\n", 0),
    (holes.FAULTS["owner"], "rpz", TREE + "chat.x.com CNAME .\n", 6),
    (holes.FAULTS["empty"], "rpz", TREE + "a.b.x.com CNAME .\n*.a.b.x.com CNAME .\n", 6),
    (holes.FAULTS["star"], "rpz", TREE + "*.b.x.com CNAME .\n", 6),
    (holes.FAULTS["exception"], "rpz", TREE + "ok.x.com CNAME rpz-passthru.\n", 6),
    (zone_faults.DUPLICATE, "rpz", APEX + "x.com CNAME .\nX.com CNAME .\n", 5),
    (zone_faults.CONFLICT, "rpz", APEX + "x.com CNAME .\nx.com CNAME *.\n", 5),
    (zone_faults.CONFLICT, "rpz", APEX + 'x.com CNAME .\nx.com TXT "why"\n', 5),
    (zone_faults.NO_SOA, "rpz", "@ NS localhost.\nx.com CNAME .\n", 0),
    (zone_faults.NO_NS, "rpz", "@ SOA localhost. r. 7 1 1 1 1\nx.com CNAME .\n", 0),
    (zone_faults.SECOND_SOA, "rpz", APEX + "@ SOA localhost. r. 8 1 1 1 1\nx.com CNAME .\n", 4),
    (zone_faults.BIG_SERIAL, "rpz", "@ SOA localhost. r. 20261122045500 1 1 1 1\n@ NS localhost.\nx.com CNAME .\n", 1),
    (zone_faults.BAD_NAME, "rpz", APEX + "x.com CNAME .\na..b CNAME .\n", 5),
    (zone_faults.BAD_NAME, "rpz", APEX + "x.com CNAME .\n" + "l" * 64 + ".com CNAME .\n", 5),
    (zone_faults.TOP_LEVEL, "rpz", APEX + "x.com CNAME .\n*.com CNAME .\n", 5),
    (zone_faults.TOO_LONG, "rpz", "rpz.long-zone.aidns. SOA l. r. 7 1 1 1 1\n@ NS l.\n" + DEEP + " CNAME .\n", 3),
    (zone_faults.ABSOLUTE, "rpz", APEX + "x.com. CNAME .\n", 4),
    (zone_faults.INSIDE, "rpz", "r.a. SOA l. r. 7 1 1 1 1\nr.a. NS l.\nx.com.r.a. CNAME .\n", 3),
    (zone_faults.UNREADABLE, "rpz", APEX + "x.com CNAME .\n# remark\n", 5),
    (zone_faults.UNREADABLE, "rpz", APEX + "x.com CNAME .\n0.0.0.0 two.com\n", 5),
    (zone_faults.LEADING_BLANK, "rpz", APEX + "x.com A 0.0.0.0\n AAAA ::\n", 5),
    (zone_faults.INCLUDE, "rpz", APEX + "x.com CNAME .\n$INCLUDE /etc/passwd\n", 5),
    (zone_faults.GENERATE, "rpz", APEX + "x.com CNAME .\n$GENERATE 1-3 g$ CNAME .\n", 5),
    (zone_faults.DIRECTIVE, "rpz", APEX + "x.com CNAME .\n$foo.com CNAME .\n", 5),
    (zone_faults.QUOTED, "rpz", APEX + 'x.com CNAME .\n"two.com" CNAME .\n', 5),
    (zone_faults.ESCAPE, "rpz", APEX + "x.com CNAME .\n\\115ail.com CNAME .\n", 5),
    (zone_faults.U_LABEL, "rpz", APEX + "x.com CNAME .\nbücher.de CNAME .\n", 5),
    (zone_faults.EVERYTHING, "rpz", APEX + "x.com CNAME .\n* CNAME .\n", 5),
    (zone_faults.INNER_STAR, "rpz", APEX + "x.com CNAME .\na.*.two.com CNAME .\n", 5),
    (zone_faults.BOGUS_ACTION, "rpz", APEX + "x.com CNAME rpz-bogus.\n", 4),
    (zone_faults.RELATIVE_TARGET, "rpz", APEX + "x.com CNAME garden\n", 4),
    (zone_faults.UNDERSCORE_ADDRESS, "rpz", APEX + "_x.com A 0.0.0.0\n", 4),
    (zone_faults.APEX_DATA, "rpz", APEX + '@ TXT "remark"\nx.com CNAME .\n', 4),
    (zone_faults.GARDEN_NAME, "rpz", APEX + "x.com CNAME garden.example.\n", 4),
    (zone_faults.ANSWERED, "rpz", APEX + "x.com A 192.0.2.1\n", 4),
)  # fmt: skip
MODULES = (answers, collateral, entries, repeats, rules, run, text, zone_faults)


def report(data: bytes | str, syntax: AuditSyntax | None = None, **more: str | bytes) -> Report:
    octets = data.encode() if isinstance(data, str) else data
    return audit(octets, "list", PROTECTED, syntax=syntax, **more)  # type: ignore[arg-type]


def one(found: Report, fault: Fault) -> Finding:
    """The finding of a fault; ids may be shared by syntaxes, messages are not."""
    matches = [f for f in found.findings if (f.id, f.message) == (fault.id, fault.says)]
    assert len(matches) == 1, f"{fault.id} is not among {[f.id for f in found.findings]}"
    return matches[0]


@pytest.mark.parametrize(("fault", "syntax", "data", "line"), PLANTED)
def test_a_planted_fault_is_found_once_in_its_line(
    fault: Fault, syntax: AuditSyntax, data: bytes | str, line: int
) -> None:
    """Each fault of the table, where it is, with its severity and who is concerned."""
    finding = one(report(data, syntax), fault)
    assert finding.examples[0].line == line
    assert (finding.severity, finding.consumers) == (fault.severity, fault.consumers)
    assert fault.consumers, "nobody is concerned"


def test_every_fault_is_planted() -> None:
    """A check without a planted fault is not known to work."""
    known = {fault for module in MODULES for fault in vars(module).values() if isinstance(fault, Fault)}
    planted = {fault for fault, *_ in PLANTED}
    assert known | set(holes.FAULTS.values()) == planted


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (APEX + "x.com CNAME .\n", APEX + "y.com CNAME .\n", serial.SERIAL_STALE),
        (APEX + "x.com CNAME .\n", APEX.replace(" 7 ", " 6 ") + "y.com CNAME .\n", serial.SERIAL_FELL),
        (APEX.replace(" 7 ", " 1 ") + "x.com CNAME .\n", APEX.replace(" 7 ", " 4294967290 "), serial.SERIAL_FELL),
        ("! Version: 202611220100\n||x.com^\n", "! Version: 202611210100\n||y.com^\n", serial.SERIAL_FELL),
        (APEX + "x.com CNAME .\n", APEX + "; remark\nx.com CNAME .\n", None),
        (APEX + "x.com CNAME .\n", APEX.replace(" 7 ", " 8 ") + "y.com CNAME .\n", None),
        (APEX.replace(" 7 ", " 4294967290 ") + "x.com CNAME .\n", APEX + "y.com CNAME .\n", None),
        ("x.com\n", "y.com\n", None),
    ],
)
def test_serials_of_two_editions(old: str, new: str, fault: Fault | None) -> None:
    """A serial moves forward, by RFC 1982, whenever the names move, and only that is wanted of it."""
    found = report(new, previous=old.encode()).findings
    assert [f.id for f in found if f.id.startswith("serial-")] == ([fault.id] if fault else [])


def test_the_hole_names_what_passes_and_what_should_block_it() -> None:
    """The reader can ask the server for the very name."""
    hole = one(report(TREE + "chat.x.com CNAME .\n"), holes.FAULTS["owner"])
    assert (hole.examples[0].name, hole.examples[0].detail) == (
        "chat.x.com",
        "such as z.chat.x.com, which *.x.com should block",
    )


def test_a_zone_name_shortens_owners() -> None:
    """What fits below a short zone's name does not fit below a long one's."""
    zone = APEX + DEEP + " CNAME .\n"
    assert not [f for f in report(zone).findings if f.id == "rpz-owner-too-long"]
    one(report(zone, zone="policy.long-enough.example."), zone_faults.TOO_LONG)


OWN = (
    *("pihole", "pihole-allow", "unbound", "rpz", "rpz-allow", "hosts", "adguard", "adguard-allow"),
    *("dnsmasq", "dnsmasq-servers", "domains", "domains-wild", "wildcard"),
)
"""Our formats whose syntax the audit reads."""


@pytest.mark.parametrize(
    "path",
    [path for fmt in OWN for path in sorted((GOLDEN / fmt).glob("*.expected"))],
    ids=lambda path: f"{path.parent.name}-{path.stem}",
)
def test_our_own_lists_are_clean(path: Path) -> None:
    """Nothing but notes, whatever the format, with the syntax found out; a zone of no exceptions holds no name."""
    found = report(path.read_bytes())
    faults = [f.id for f in found.findings if f.severity != "note"]
    assert faults == (["empty"] if path.parent.name == "rpz-allow" and not found.names else [])


def test_everything_is_counted_and_the_first_places_are_kept() -> None:
    """A list of faults makes a short report, whatever its length."""
    finding = one(report("".join(f"Name{i}.com\n" for i in range(500)), "domains"), rules.UPPER_CASE)
    assert finding.count == 500
    assert [example.line for example in finding.examples] == list(range(1, MAX_EXAMPLES + 1))


def test_hostile_text_is_made_printable() -> None:
    """A list cannot move the cursor of who reads about it."""
    found = report(b"one.com\n\x1b[2Jtwo\xc2\x9b.com\n\xe2\x80\xaethree.com\n" + b"y" * 500 + b"\n", "domains")
    shown = [text for f in found.findings for e in f.examples for text in (e.name, e.detail)]
    assert shown and all(text.isprintable() and len(text) <= 100 for text in shown)


@pytest.mark.parametrize(
    ("syntax", "data"),
    [
        ("domains", "one.com\n*.two.com\n"),
        ("hosts", "127.0.0.1 localhost\n0.0.0.0 one.com\n"),
        ("adblock", "[Adblock Plus]\n||one.com^\n@@||ok.one.com^\n"),
        ("dnsmasq", "local=/one.com/\n"),
        ("rpz", APEX + "one.com CNAME .\n*.one.com CNAME .\n"),
        ("unbound", 'server:\n  local-zone: "one.com." always_nxdomain\n'),
        ("unbound", 'local-data: "one.com. A 0.0.0.0"\n'),
    ],
)
def test_the_syntax_is_found_out(syntax: str, data: str) -> None:
    """Nobody has to tell it."""
    assert sniff_syntax(data.encode()) == syntax
    assert syntax in AUDITED and report(data).clean


def test_a_zone_with_origin_parentheses_ttls_and_triggers_is_clean() -> None:
    """What RFC 1035 allows in a zone file is no fault."""
    zone = """$ORIGIN rpz.example.
$TTL 1h
@ IN SOA localhost. root.invalid. (
    7 ; serial
    1 1 1 1 )
  IN NS localhost.
one.com 300 IN CNAME . ; why
*.one.com IN 300 CNAME .
two.com.rpz.example. CNAME *.
32.1.2.0.192.rpz-ip CNAME .
ns.evil.com.rpz-nsdname CNAME .
"""
    found = report(zone)
    assert (found.syntax, found.names, found.findings) == ("rpz", 3, ())


@pytest.mark.parametrize("syntax", rules.RULES)
def test_a_rule_with_a_sign_finds_what_its_pattern_finds(syntax: str) -> None:
    """The sign only says where to look."""
    rng = random.Random(syntax)
    for seed in range(300):
        drawn = lines(rng, rng.choice(SYNTAXES), 30)
        noise = bytes(rng.choices(b"aA.\n \t#!;@$?%0:-\x80|", k=60))
        octets = text.Text(b"".join(drawn) + noise if seed % 3 else noise + noise).octets
        for rule in rules.RULES[syntax]:
            found = [match.start() for match in rule.pattern.finditer(octets)]
            assert list(rule.starts(octets)) == found, rule.fault.id
