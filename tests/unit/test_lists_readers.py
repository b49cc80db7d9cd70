"""What each line of a list means: the definition that the quick way must equal."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from aidns.errors import DataError, UsageError
from aidns.lists.line import Entry, Item, Refusal, Syntax, canonical, chosen_syntax
from aidns.lists.sniff import check_list, holds_names, reader_for, sniff
from aidns.lists.text import LOCAL
from aidns.names import InvalidName, Name, normalise
from list_lines import drawn_name


def plain(*names: str) -> tuple[Item, ...]:
    return tuple(Entry(Name(name), "plain") for name in names)


def tree(name: str, *, blocks: bool = True) -> tuple[Item, ...]:
    return (Entry(Name(name), "subtree", blocks),)


def alone(name: str, *, blocks: bool = True) -> tuple[Item, ...]:
    return (Entry(Name(name), "exact", blocks),)


def below(name: str, *, blocks: bool = True) -> tuple[Item, ...]:
    return (Entry(Name(name), "below", blocks),)


LISTED: list[tuple[Syntax, str, tuple[Item, ...]]] = [
    ("domains", "a.com", plain("a.com")),
    ("domains", "  A.Com.\t\r", plain("a.com")),
    ("domains", "bücher.de", plain("xn--bcher-kva.de")),
    ("domains", "例え。テスト", plain("xn--r8jz45g.xn--zckzah")),
    ("domains", "*.a.com", tree("a.com")),
    ("domains", "a.com # why", plain("a.com")),
    ("domains", "a.com\t#why", plain("a.com")),
    ("hosts", "0.0.0.0 a.com", plain("a.com")),
    ("hosts", "127.0.0.1\ta.com b.com#c", plain("a.com", "b.com")),
    ("hosts", "::1 a.com", plain("a.com")),
    ("hosts", "0 a.com", plain("a.com")),
    ("adblock", "||a.com^", tree("a.com")),
    ("adblock", "||A.com.^$important", tree("a.com")),
    ("adblock", "|a.com^", alone("a.com")),
    ("adblock", "@@||a.com^", tree("a.com", blocks=False)),
    ("adblock", "@@|a.com^$Important", alone("a.com", blocks=False)),
    ("adblock", "a.com", plain("a.com")),
    ("adblock", "0.0.0.0 a.com", plain("a.com")),
    ("adblock", "||a.com^ # why", tree("a.com")),
    ("dnsmasq", "address=/a.com/", tree("a.com")),
    ("dnsmasq", "address=/a.com/#", tree("a.com")),
    ("dnsmasq", "address=/a.com/0.0.0.0", tree("a.com")),
    ("dnsmasq", "local=/a.com/b.com/", (*tree("a.com"), *tree("b.com"))),
    ("dnsmasq", "server=/a.com/", tree("a.com")),
    ("dnsmasq", "server=/a.com/#", tree("a.com", blocks=False)),
    ("dnsmasq", "server=/*.a.com/#", below("a.com", blocks=False)),
    ("rpz", "a.com CNAME .", alone("a.com")),
    ("rpz", "*.a.com 300 IN CNAME .", below("a.com")),
    ("rpz", "A.com IN 1h cname *.", alone("a.com")),
    ("rpz", "a.com CNAME rpz-drop.", alone("a.com")),
    ("rpz", "a.com CNAME rpz-passthru. ; needed", alone("a.com", blocks=False)),
    ("rpz", "a.com CNAME a.com.", alone("a.com", blocks=False)),
    ("rpz", "a.com A 0.0.0.0", alone("a.com")),
    ("rpz", "a.com AAAA ::", alone("a.com")),
]
NOTHING: list[tuple[Syntax, str]] = [
    *((syntax, line) for syntax in ("domains", "hosts", "adblock", "dnsmasq", "rpz") for line in ("", " \t", "\r")),
    *((syntax, "# comment") for syntax in ("domains", "hosts", "adblock", "dnsmasq")),
    ("domains", "! comment"),
    ("domains", "; comment"),
    ("adblock", "! comment"),
    ("adblock", "[Adblock Plus 2.0]"),
    ("adblock", "##.banner"),
    ("rpz", "; comment"),
    ("rpz", "$TTL 300"),
    ("rpz", "@ SOA localhost. root.localhost. 1 2 3 4 5"),
    ("rpz", "@ IN NS localhost."),
    ("rpz", "  IN NS localhost."),
    ("hosts", "127.0.0.1 localhost localhost.localdomain"),
    ("hosts", "255.255.255.255 broadcasthost"),
    ("hosts", "fe80::1%lo0 localhost"),
    ("hosts", "ff02::1 ip6-allnodes"),
    ("hosts", "0.0.0.0 0.0.0.0"),
    ("domains", "office.aidns-canary.example"),
    ("adblock", "|allow.office.aidns-canary.example^"),
]
REFUSED: list[tuple[Syntax, str, str]] = [
    ("domains", "a..b", "empty label"),
    ("domains", ".", "empty name"),
    ("domains", "localhost", "one label"),
    ("domains", "192.0.2.1", "IP address"),
    ("domains", "0.0.0.0 a.com", "not made of"),
    ("domains", "||a.com^", "not made of"),
    ("domains", "a.com##.ad", "not made of"),
    ("domains", "http://a.com/", "not made of"),
    ("domains", f"{'l' * 64}.com", "a label of too many octets"),
    ("domains", ".".join(["l" * 60] * 5), "too many octets"),
    ("domains", "a.*.com", "wildcard"),
    ("domains", "a.com b.com", "not made of"),
    ("domains", "a.com\x00", "not made of"),
    ("hosts", "a.com", "no address"),
    ("hosts", "0.0.0.0", "no name"),
    ("hosts", "192.0.2.1 a.com", "address of its own"),
    ("adblock", "||a.com", "does not end"),
    ("adblock", "||a.com^$third-party", "modifier"),
    ("adblock", "||a.com^|", "modifier"),
    ("adblock", "||*.a.com^", "wildcard"),
    ("adblock", "@@a.com", "exception without"),
    ("adblock", "/ads[0-9]/", "not made of"),
    ("adblock", "||com^", "one label"),
    ("dnsmasq", "conf-file=/etc/passwd", "is no address="),
    ("dnsmasq", "address=/a.com/192.0.2.1", "address of its own"),
    ("dnsmasq", "server=/a.com/192.0.2.1", "forwarded"),
    ("dnsmasq", "address=/#/", "not made of"),
    ("rpz", "a.com CNAME garden.example.", "data of its own"),
    ("rpz", "a.com CNAME rpz-tcp-only.", "data of its own"),
    ("rpz", "a.com A 192.0.2.1", "data of its own"),
    ("rpz", 'a.com TXT "x;y" z', "data of its own"),
    ("rpz", "32.1.2.0.192.rpz-ip CNAME .", "something other"),
    ("rpz", "a.com. CNAME .", "nothing names the zone"),
    ("rpz", "@ CNAME .", "own name"),
    ("rpz", "a.com", "no record"),
    ("rpz", "  CNAME .", "leaves its owner out"),
    ("rpz", "$INCLUDE /etc/passwd", "directive"),
]


@pytest.mark.parametrize(("syntax", "line", "items"), LISTED)
def test_what_is_listed(syntax: Syntax, line: str, items: tuple[Item, ...]) -> None:
    assert reader_for(syntax)(line) == items


@pytest.mark.parametrize(("syntax", "line"), NOTHING)
def test_what_lists_nothing(syntax: Syntax, line: str) -> None:
    assert reader_for(syntax)(line) == ()


@pytest.mark.parametrize(("syntax", "line", "why"), REFUSED)
def test_what_is_refused_and_why(syntax: Syntax, line: str, why: str) -> None:
    (item,) = reader_for(syntax)(line)
    assert isinstance(item, Refusal)
    assert why in item.reason


def test_one_bad_name_of_a_line_costs_no_other() -> None:
    """A hosts line with several names gives those that are names, and refuses the rest one by one."""
    items = reader_for("hosts")("0.0.0.0 a.com b..com c.com")
    assert [item.name for item in items if isinstance(item, Entry)] == ["a.com", "c.com"]
    assert [item.text for item in items if isinstance(item, Refusal)] == ["b..com"]


def test_refused_text_cannot_move_a_terminal() -> None:
    (item,) = reader_for("domains")("a.com\x1b[2J\u2028evil" + "x" * 500)
    assert isinstance(item, Refusal)
    assert item.text.isprintable() and len(item.text) == 80


@pytest.mark.parametrize("local", sorted(LOCAL))
def test_own_names_of_a_machine_are_no_rules_whatever_their_address(local: str) -> None:
    for address in ("127.0.0.1", "0.0.0.0", "192.0.2.1"):
        assert reader_for("hosts")(f"{address} {local.upper()}.") == ()


# ------------------------------------------------------------------ zone files


def zone(*lines: str) -> tuple[Item, ...]:
    reader = reader_for("rpz")
    return tuple(item for line in lines for item in reader(line))


def test_a_record_in_parentheses_ends_where_they_close() -> None:
    assert zone("@ IN SOA l. r. (", " 1 ; serial", " 2 3", " 4 5 )", "a.com CNAME .") == alone("a.com")


def test_parentheses_that_never_close_do_not_swallow_the_list() -> None:
    items = zone("@ SOA l. r. (", *("x" * 500 for _ in range(10)), "a.com CNAME .")
    assert any(isinstance(item, Refusal) and "parenthesis" in item.reason for item in items)
    assert items[-1:] == alone("a.com")


@pytest.mark.parametrize(
    "head",
    [
        ("$ORIGIN rpz.local.", "@ SOA l. r. 1 2 3 4 5"),
        ("rpz.local. SOA l. r. 1 2 3 4 5",),
        ("$ORIGIN local.", "rpz.local. SOA l. r. 1 2 3 4 5", "$ORIGIN rpz.local."),
        ("$ORIGIN .", "rpz.local SOA l. r. 1 2 3 4 5", "$ORIGIN rpz.local."),
    ],
)
def test_owners_are_read_relative_to_the_zone(head: tuple[str, ...]) -> None:
    assert zone(*head, "a.com CNAME .", "b.com.rpz.local. CNAME .") == (*alone("a.com"), *alone("b.com"))
    (outside,) = zone(*head, "c.com. CNAME .")
    assert isinstance(outside, Refusal) and "outside" in outside.reason


def test_an_origin_inside_the_zone_is_part_of_each_owner() -> None:
    head = ("$ORIGIN rpz.local.", "@ SOA l. r. 1 2 3 4 5")
    assert zone(*head, "$ORIGIN com", "a CNAME .", "@ CNAME .")[:1] == alone("a.com")
    (outside,) = zone(*head, "$ORIGIN other.", "b CNAME .")
    assert isinstance(outside, Refusal) and "outside" in outside.reason


# ------------------------------------------------------------------ which syntax


@pytest.mark.parametrize(
    ("head", "syntax"),
    [
        (b"# list\na.com\nb.com\n", "domains"),
        (b"*.a.com\n*.b.com\n", "domains"),
        (b"127.0.0.1 localhost\n0.0.0.0 a.com\n0.0.0.0 b.com\n", "hosts"),
        (b"[Adblock Plus]\n! x\n||a.com^\n@@||b.com^\n", "adblock"),
        (b"a.com\n||b.com^\n", "adblock"),
        (b"[Adblock Plus]\na.com\n", "adblock"),
        (b"address=/a.com/#\nlocal=/a.com/\n", "dnsmasq"),
        (b"$TTL 60\n@ SOA l. r. 1 2 3 4 5\na.com CNAME .\n*.a.com CNAME .\n", "rpz"),
        (b"\xef\xbb\xbf0.0.0.0 a.com\r\n", "hosts"),
        (b"", "domains"),
        (b"\xff\xfe nonsense", "domains"),
    ],
)
def test_the_syntax_is_found_out(head: bytes, syntax: Syntax) -> None:
    assert sniff(head) == syntax


@pytest.mark.parametrize(
    "head",
    [b"<!DOCTYPE html>\na.com", b"\n <HTML>", b"\xef\xbb\xbf<?xml", b"\x1f\x8b\x08", b"PK\x03\x04", b"\xff\xfea\x00"],
)
def test_what_is_no_list_is_refused_whole(head: bytes) -> None:
    """An error page that mentions names must not add them."""
    with pytest.raises(DataError, match="not a list"):
        check_list(head, "it")


def test_a_list_holds_names() -> None:
    assert holds_names(b"nonsense here\n||a.com^\n")
    assert not holds_names(b"# empty\n")


# ------------------------------------------------------------------ names


@pytest.mark.parametrize(
    "text",
    [
        *("Bücher.DE.", "ß.de", "xn--bcher-kva.de", "a.bücher.de", "a_b.bücher.de", "ü..de", "ü。de", "１.２.３.４"),
        *(
            "ü.１２",
            "\u00ad.ü.de",
            "a\u0301.de",
            " ü.de ",
            "ü.de\u3000",
            "\u200dü.de",
            "⒈ü.de",
            "ü" * 70 + ".de",
            "a.ü.",
        ),
        *("İ.de", "☃.de", "-ü.de", "ü-.de", "ab--ü.de", "xn--.ü", "ü.xn--a", "א1.de", "1א.de", "\ud800.ü"),
    ],
)
def test_names_are_made_canonical_as_the_gate_does(text: str) -> None:
    """The quicker way for U-labels accepts, refuses and says what `names.normalise` does."""
    assert outcome(canonical, text) == outcome(normalise, text)


def test_drawn_names_are_made_canonical_as_the_gate_does() -> None:
    rng = random.Random(3)
    for _ in range(3000):
        text = drawn_name(rng, tame=rng.random() < 0.3)
        assert outcome(canonical, text) == outcome(normalise, text)


def outcome(make: Callable[[str], Name], text: str) -> str:
    try:
        return make(text)
    except InvalidName as error:
        return error.message


def test_unknown_syntaxes_are_named() -> None:
    assert chosen_syntax("rpz") == "rpz"
    with pytest.raises(UsageError, match="hosst"):
        chosen_syntax("hosst")
