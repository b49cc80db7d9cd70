"""What listed names are answered with: addresses of strangers, types that pass, canaries with an address. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial

from aidns.audit.collateral import CANARY, CANARY_MAYBE
from aidns.audit.finding import Fault, Findings
from aidns.audit.text import Text
from aidns.lists.text import address_kind
from aidns.names import CANARY_PARENT, Name, at_or_below

REDIRECT = Fault(
    "redirect",
    "error",
    "names are sent to addresses of the list's choosing",
    ("all: users reach whoever is at that address",),
    "take these lines out unless you know the addresses",
)
GARDEN = Fault("walled-garden", "note", "names are sent to one address", ("all: users get what is at that address",))
FORWARDED = Fault(
    "forwarded",
    "error",
    "questions for a name are sent to a server of the list's choosing",
    ("dnsmasq: that server sees and answers them",),
)
TYPES_PASS = Fault(
    "types-pass",
    "error",
    "a null address without local=/name/ leaves other types open",
    ("dnsmasq: HTTPS, MX and TXT go upstream, and AAAA where only 0.0.0.0 is given",),
    "add local=/name/ for each name",
)
V4_ONLY = Fault(
    "v4-only", "note", "no name has an IPv6 address", ("dnsmasq with addn-hosts: AAAA goes upstream",), "add `:: name`"
)

_ANSWERS: Mapping[str, re.Pattern[bytes]] = {
    "hosts": re.compile(
        rb"\n(?!0\.0\.0\.0[ \t]|127\.|::1?[ \t]|0[ \t]|f[ef][0-9a-f]{2}::|255\.255\.255\.255)"
        rb"(?P<to>[0-9a-fA-F]*[.:][0-9a-fA-F.:]+)[ \t]+(?P<name>[^\s#]+)"
    ),
    "dnsmasq": re.compile(rb"\naddress=/(?P<name>[^\n]*)/(?!#|0\.0\.0\.0|::[ \t]*[\n#]|127\.)(?P<to>[0-9a-f.:]+)"),
    "unbound": re.compile(
        rb"\n[ \t]*local-data:[ \t]*[\"'](?P<name>[^\s\"']+)[ \t]+(?:\d+[ \t]+)?(?:IN[ \t]+)?A(?:AAA)?[ \t]+"
        rb"(?!0\.0\.0\.0[\"']|::[\"']|127\.)(?P<to>[0-9a-fA-F.:]+)"
    ),
}
_NULL_HOSTS = re.compile(rb"\n(?:0\.0\.0\.0|127\.0\.0\.1|::1?)[ \t]+(?!localhost|local[ \t\n]|ip6-)([^\s#]+)")
_FORWARDED = re.compile(rb"\nserver=/([^\n]*)/(?!#[ \t]*[\n#]|[ \t]*[\n#])([^\n]+)")
_NULLED = re.compile(rb"\naddress=/([^\n]*)/(?:#|0\.0\.0\.0|::)(?=[ \t]*[\n#])")
_CLOSED = re.compile(rb"\n(?:local|server|address)=/([^\n]*)/(?=[ \t]*[\n#])")


def check_answers(syntax: str, text: Text, found: Findings) -> None:
    """Find what names are answered with, where the syntax says it."""
    if syntax in _ANSWERS:
        _check_addresses(syntax, text, found)
    if syntax == "hosts" and b"\n0.0.0.0" in text.octets and b"\n::" not in text.octets:
        found.add(V4_ONLY, "", 0)
    if syntax == "dnsmasq":
        for match in _FORWARDED.finditer(text.octets):
            at, to = match.start(), _text(match[2])
            found.add(FORWARDED, _text(match[1]), partial(text.line_at, at), to)
        for name in sorted(_names(_NULLED, text) - _names(_CLOSED, text)):
            found.add(TYPES_PASS, name, partial(text.line_of, name))


def canary_fault(syntax: str, name: Name, text: Text, records: Mapping[str, str]) -> Fault | None:
    """Return what is wrong with a listed canary: in some syntaxes it surely gets an address, in some perhaps."""
    if syntax == "rpz":
        return CANARY if any(said.startswith(("a ", "aaaa ")) for said in records.get(name, "").split("\n")) else None
    if syntax == "dnsmasq":
        return CANARY if name in _names(_NULLED, text) else None
    if syntax == "unbound":
        escaped = re.escape(name.encode())
        null = (
            rb"\n[ \t]*local-(?:zone:[ \t]*\"?%b\.?\"?[ \t]+always_null|data:[ \t]*[\"']%b\.?[ \t][^\n]*\bA(?:AAA)?\b)"
        )
        return CANARY if re.search(null % (escaped, escaped), text.octets) else None
    return CANARY if syntax == "hosts" else CANARY_MAYBE


def _check_addresses(syntax: str, text: Text, found: Findings) -> None:
    """One address a family for every name is a walled garden; anything else sends single names away."""
    matches = [
        (match["to"], match["name"], match.start())
        for match in _ANSWERS[syntax].finditer(text.octets)
        if address_kind(_text(match["to"])) == "other"
    ]
    targets = {to for to, _, _ in matches}
    crowded = any(sum((b":" in to) is six for to in targets) > 1 for six in (True, False))
    mixed = syntax == "hosts" and any(not _is_own_canary(match[1]) for match in _NULL_HOSTS.finditer(text.octets))
    fault = REDIRECT if crowded or mixed else GARDEN
    for to, name, at in matches:
        found.add(fault, _text(name), partial(text.line_at, at), _text(to))


def _is_own_canary(name: bytes) -> bool:
    return at_or_below(_text(name).lower(), CANARY_PARENT)


def _names(pattern: re.Pattern[bytes], text: Text) -> set[str]:
    return {_text(name).lower() for inner in pattern.findall(text.octets) for name in inner.split(b"/")}


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")
