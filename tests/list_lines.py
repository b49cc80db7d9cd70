"""Lists drawn to hurt: lines of every syntax, sound and hostile, mixed as published lists mix them. Seeded."""

from __future__ import annotations

import random

from msgspec import Struct

from aidns.lists.line import Syntax

LABELS = (
    *("a", "b", "foo", "foo-bar", "x_y", "_dmarc", "xn--p1ai", "ads", "www", "com", "net", "example", "aa", "bb"),
    *("aidns-canary", "aidns-canary.example", "rpz-ip", "rpz-x", "rpz-passthru", "localhost", "localdomain", "1", "22"),
    *("a--b", "-", "--", "-a", "a-", "", "l" * 63, "l" * 64, "0", "0x1", "A", "WWW"),
    *(
        "bücher",
        "пример",
        "straße",
        "例え",
        "ß",
        "İ",
        "ＡＢ",
        "１２",
        "\u3002",
        "a\u0301",
        "\u200d",
        "k\u0307",
        "☃",
        "ı",
    ),
    *("a b", "*", "@", "$", "\x00", "\x01", "\x02", "a\x0b", "\x1c", "\ufeff", "'", '"', "\\", "(", ")", ";", "#", "/"),
    *("|", "^", "!"),
)
TAME = 14
"""So many of LABELS are ordinary."""
QUICK = (
    *LABELS[:TAME],
    *(
        "aidns-canary.example",
        "rpz-ip",
        "rpz-x",
        "localhost.localdomain",
        "localhost",
        "1",
        "a--b",
        "--",
        "-a",
        "a-",
        "",
    ),
    *("l" * 63, "l" * 64, "A"),
)
"""Labels of octets that the quick way looks at by itself."""
PREFIXES: dict[Syntax, tuple[str, ...]] = {
    "domains": ("", "", "", "*.", " ", "\t", "=", ".", "||"),
    "hosts": (
        *("0.0.0.0 ", "0.0.0.0 ", "127.0.0.1\t", ":: ", "::1 ", "0 ", "1.2.3.4 ", "fe80::1%lo0 ", ""),
        *("  0.0.0.0  ", "0.0.0.0\t \t", "0.0.0.0 localhost "),
    ),
    "adblock": ("||", "||", "||", "@@||", "|", "@@|", "", "0.0.0.0 ", "@@", "|||", "||*.", "/", "[", "!", "||||"),
    "dnsmasq": (
        *("address=/", "local=/", "server=/", "ADDRESS=/", "address=/*.", "bogus=/", "address = /", "server=/a.com/"),
        *("local=//", "address=/address=/"),
    ),
    "rpz": ("", "", "", "*.", "*.", " ", "\t", "$ORIGIN ", "@", "x."),
}
SUFFIXES: dict[Syntax, tuple[str, ...]] = {
    "domains": ("", "", "", ".", "..", " # c", " ", "\t", "\r", " #", "#c", " ! c", ". # c"),
    "hosts": ("", "", "", ".", " # c", "# c", " b.com", " b..com", " localhost", "\r", " ", ".", " b.com."),
    "adblock": ("^", "^", "^", "", "^$important", "^$x", "^|", "^^", "^ # c", "^.", "^$IMPORTANT", ".^"),
    "dnsmasq": ("/", "/#", "/0.0.0.0", "/::", "/1.2.3.4", "//", "/b.com/", "/b.com/#", "", "/ # c", "/#/", "/.com/"),
    "rpz": (
        *(" CNAME .", " CNAME .", " cname .", "\tCNAME\t.", " IN CNAME .", " 300 IN CNAME .", " CNAME *."),
        *(" CNAME rpz-passthru.", " CNAME rpz-drop.", " CNAME foo.com.", " A 0.0.0.0", " AAAA ::", " A 1.2.3.4"),
        *(
            ' TXT "a b;c"',
            " CNAME . ; c",
            " SOA a. b. 1 2 3 4 5",
            " SOA a. b. ( 1 2",
            " )",
            " CNAME a.com.",
            " DNAME .",
        ),
        *("", " (CNAME .)", ".", " CNAME", "\r"),
    ),
}
ANYWHERE = (
    *("", "", "# comment", "! c", "; c", "   ", "\t", "[Adblock Plus 2.0]", "$TTL 60", "$ORIGIN rpz.local.", "\r"),
    *("@ SOA l. r. 1 2 3 4 5", "@ IN SOA l. r. (", "1 2 3 4 5 )", " IN NS localhost.", "x" * 4097, "y" * 5000 + ".com"),
    *("\x00\x00", "0.0.0.0 0.0.0.0", "127.0.0.1 localhost", "0.0.0.0 localhost.localdomain", "localhost.localdomain"),
    *("\ufeffa.com", "a.com\rb.com", "bound.aidns-canary.example", "0.0.0.0 bound.aidns-canary.example"),
)


class Style(Struct, frozen=True):
    """How most lines of a list are written; `tame` of the names in them are ordinary ones."""

    prefix: str
    suffix: str
    tame: float
    even: bool = False
    """Every line is written so."""


def style(rng: random.Random, syntax: Syntax) -> Style:
    """Draw how most lines of a list are written."""
    return Style(rng.choice(PREFIXES[syntax]), rng.choice(SUFFIXES[syntax]), rng.choice((1.0, 0.95, 0.5)))


def lines(rng: random.Random, syntax: Syntax, count: int) -> list[bytes]:
    """Draw the lines of a list, each with its end; most have one of two styles that share a suffix."""
    first = style(rng, syntax)
    even = rng.random() < 0.4
    first = Style(first.prefix, first.suffix, first.tame, even)
    styles = (first, first, Style(rng.choice(PREFIXES[syntax]), first.suffix, first.tame, even))
    end = rng.choice((b"\n", b"\n", b"\r\n"))
    return [_line(rng, syntax, rng.choice(styles)) + (end if rng.random() < 0.99 else b"\r\n") for _ in range(count)]


def _line(rng: random.Random, syntax: Syntax, most: Style) -> bytes:
    draw = rng.random()
    if most.even:
        name = ".".join(rng.choice(QUICK if draw < 0.3 else LABELS[:TAME]) for _ in range(rng.choice((1, 2, 2, 3))))
        return f"{most.prefix}{name}{most.suffix}".encode()
    if draw < 0.02:
        return bytes(rng.choices(range(256), k=rng.randrange(12))).replace(b"\n", b"")
    if draw < 0.05:
        text = rng.choice(ANYWHERE)
    elif draw < 0.85:
        text = most.prefix + drawn_name(rng, tame=rng.random() < most.tame) + most.suffix
    else:
        text = rng.choice(PREFIXES[syntax]) + drawn_name(rng, tame=rng.random() < 0.5) + rng.choice(SUFFIXES[syntax])
    return text.encode("utf-8", "surrogatepass").replace(b"\n", b"")


def drawn_name(rng: random.Random, *, tame: bool) -> str:
    """Draw something that may be a name."""
    if rng.random() < 0.02:
        return ".".join(["l" * 60] * rng.randrange(3, 6))
    labels = LABELS[:TAME] if tame else LABELS
    name = ".".join(rng.choice(labels) for _ in range(rng.choice((1, 2, 2, 2, 3, 3, 4))))
    return name.upper() if rng.random() < 0.1 else name
