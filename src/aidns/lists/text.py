"""The line syntaxes of published lists, one reader each: text in, what it lists out. Pure.

Comments, empty lines and the entries that every hosts file has for its own machine list nothing. What a reader does
not know is refused, never guessed at. Keywords may be written in any case.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from functools import lru_cache

from aidns.lists.line import Item, Kind, Refusal, Syntax, listed, shown

Reader = Callable[[str], tuple[Item, ...]]
"""Reads one line without its line end."""

BLANKS = " \t\r"
LOCAL = frozenset(
    {
        *("localhost", "localhost.localdomain", "local", "broadcasthost", "0.0.0.0"),  # noqa: S104 - a name here
        *("ip6-localhost", "ip6-loopback", "ip6-localnet", "ip6-mcastprefix"),
        *("ip6-allnodes", "ip6-allrouters", "ip6-allhosts"),
    }
)
"""Names that hosts files give to their own machine and network (hosts(5)); no list means to block them."""

_INLINE = re.compile(r"[ \t]#")
_BLANK = re.compile(r"[ \t]+")
_DIRECTIVE = re.compile(r"(address|server|local)=/(.*)/([^/]*)\Z", re.IGNORECASE)


def read_domains(line: str) -> tuple[Item, ...]:
    """Read a plain name, or `*.name`: the name and everything below it, as blocky and dnscrypt-proxy take it."""
    text = _content(line, "#!;")
    if not text:
        return ()
    wild = text.startswith("*.")
    return listed(text[2:] if wild else text, "subtree" if wild else "plain")


def read_hosts(line: str) -> tuple[Item, ...]:
    """Read a line of a hosts file (hosts(5)): a null or loopback address, then names; `#` ends it anywhere."""
    words = _BLANK.split(line.partition("#")[0].strip(BLANKS))
    if words == [""]:
        return ()
    kind = address_kind(words[0])
    if kind == "no address":
        return (Refusal("has no address before the name", shown(line)),)
    if len(words) == 1:
        return (Refusal("has an address and no name", shown(line)),)
    wanted = [word for word in words[1:] if word.removesuffix(".").lower() not in LOCAL]
    if kind == "other":
        return tuple(Refusal("gets an address of its own, which blocks nothing", shown(word)) for word in wanted)
    return tuple(item for word in wanted for item in listed(word, "plain"))


def read_adblock(line: str) -> tuple[Item, ...]:
    """Read a rule about a whole name as AdGuard Home does; also its plain names and hosts lines.

    `||name^` is a tree, `|name^` the name alone, `@@` before either an exception. `$important` says nothing more
    where the longest name wins; any other modifier, and every pattern, is refused.
    """
    text = "" if line.lstrip(BLANKS).startswith("[") else _content(line, "#!")
    if not text:
        return ()
    blocks = not text.startswith("@@")
    rule = text if blocks else text[2:]
    if not rule.startswith("|"):
        if not blocks:
            return (Refusal("is an exception without || before its name", shown(text)),)
        return read_hosts(text) if _BLANK.search(text) else listed(text, "plain")
    kind: Kind = "subtree" if rule.startswith("||") else "exact"
    name, caret, rest = rule[2 if kind == "subtree" else 1 :].partition("^")
    if not caret:
        return (Refusal("does not end its name with ^", shown(text)),)
    if rest.lower() not in ("", "$important"):
        return (Refusal("has a modifier or is a pattern", shown(text)),)
    return listed(name, kind, blocks=blocks)


def read_dnsmasq(line: str) -> tuple[Item, ...]:
    """Read `address=/…/`, `local=/…/` or `server=/…/` of dnsmasq(8), several names between the slashes included.

    A null address or none blocks, `server=/name/#` is an exception, `*.name` is what lies below the name.
    """
    text = _content(line, "#")
    if not text:
        return ()
    directive = _DIRECTIVE.match(text)
    if not directive:
        return (Refusal("is no address=/name/, local=/name/ or server=/name/", shown(text)),)
    word, inner, value = directive[1].lower(), directive[2], directive[3].lower()
    passes = value == "#" and word != "address"
    if value not in ("", "#") and not (word == "address" and address_kind(value) == "null"):
        reason = "gets an address of its own" if word == "address" else "is forwarded to a server of its own"
        return tuple(Refusal(f"{reason}, which blocks nothing", shown(name)) for name in inner.split("/"))
    return tuple(item for name in inner.split("/") for item in _dnsmasq_name(name, blocks=not passes))


def _dnsmasq_name(text: str, *, blocks: bool) -> tuple[Item, ...]:
    wild = text.startswith("*.")
    return listed(text[2:] if wild else text, "below" if wild else "subtree", blocks=blocks)


def _content(line: str, comment: str) -> str:
    """Return a line without blanks around it and without its comment, which begins in front or after a blank."""
    text = line.strip(BLANKS)
    if not text or text[0] in comment:
        return ""
    inline = _INLINE.search(text)
    return text[: inline.start()].rstrip(BLANKS) if inline else text


@lru_cache(maxsize=256)
def address_kind(text: str) -> str:
    """Return "null" for an address that blocks (unspecified or loopback), "other", or "no address"."""
    if text == "0":
        return "null"  # inet_aton(3): 0.0.0.0, as some lists write it to save room
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return "no address"
    return "null" if address.is_unspecified or address.is_loopback else "other"


READERS: dict[Syntax, Reader] = {
    "domains": read_domains,
    "hosts": read_hosts,
    "adblock": read_adblock,
    "dnsmasq": read_dnsmasq,
}
"""Readers that look at one line alone; a zone file needs a `ZoneReader`."""
