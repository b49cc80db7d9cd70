"""The octets of a list: what is wrong with them in any syntax, and where something stands in them. Pure."""

from __future__ import annotations

import re
from functools import cached_property, partial

from aidns.audit.finding import Fault, Findings
from aidns.lists.line import MAX_LINE
from aidns.lists.sniff import BOM

BYTE_ORDER_MARK = Fault(
    "byte-order-mark",
    "error",
    "the file begins with a byte order mark",
    ("unbound: does not start", "BIND, Knot Resolver, PowerDNS: zone not loaded", "AdGuard Home: first rule dead"),
    "write UTF-8 without it",
)
NUL = Fault(
    "nul-octet",
    "error",
    "a NUL octet stands in the file",
    ("unbound: the name is cut there", "BIND, PowerDNS: zone not loaded", "AdGuard Home: update rejected"),
)
CONTROL = Fault(
    "control-character", "error", "a control character stands in a line", ("AdGuard Home: update rejected",)
)
CARRIAGE_RETURN = Fault(
    "carriage-return",
    "warning",
    "lines end in CR LF",
    ("Knot Resolver: ignores everything from the first on",),
    "end lines in LF alone",
)
LONE_CR = Fault(
    "lone-carriage-return",
    "error",
    "a CR stands inside a line: some readers begin a new line there",
    ("readers differ: what follows may be read as a line of its own",),
)
NO_FINAL_NEWLINE = Fault(
    "no-final-newline", "note", "the last line is not ended", ("line-based tools may lose the last name",)
)
LONG_LINE = Fault(
    "long-line", "error", f"a line is longer than {MAX_LINE} octets", ("dnsmasq: refuses lines over 1024 octets",)
)

_NUL = re.compile(rb"\0")
_CONTROL = re.compile(rb"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LONG = re.compile(rb"\n[^\n]{%d}" % (MAX_LINE + 1))
_LONE_CR = re.compile(rb"\r(?!\n)")
_SHOWN_OCTETS = 400
_NAME_OCTETS = b"abcdefghijklmnopqrstuvwxyz0123456789_-"


class Text:
    """A list without BOM and CR, between two newlines, so that every line is `\\n…` with a newline behind it."""

    def __init__(self, data: bytes) -> None:
        body = data.removeprefix(BOM)
        if b"\r" in body:
            body = body.replace(b"\r\n", b"\n")
        self.octets = b"\n" + body + (b"" if body.endswith(b"\n") else b"\n")

    @cached_property
    def lowered(self) -> bytes:
        """The same octets in small letters."""
        return self.octets.lower()

    def line_at(self, offset: int) -> int:
        """Return the number of the line that the newline at `offset` begins, or that an octet at it stands in."""
        return self.octets.count(b"\n", 0, offset + 1)

    def line_of(self, name: str, occurrence: int = 1) -> int:
        """Return the line in which a name, or else its wildcard, stands for the n-th time; 0 when neither does."""
        return self._line_with(name, occurrence) or self._line_with(f"*.{name}", occurrence)

    def _line_with(self, name: str, occurrence: int) -> int:
        wanted = name.lower().encode()
        at = self.lowered.find(wanted)
        while at >= 0:
            if self._stands_alone(at, at + len(wanted)):
                occurrence -= 1
                if not occurrence:
                    return self.line_at(at)
            at = self.lowered.find(wanted, at + 1)
        return 0

    def _stands_alone(self, begin: int, end: int) -> bool:
        text = self.lowered
        if text[begin - 1] in _NAME_OCTETS + b".*" or text[end] in _NAME_OCTETS:
            return False
        return not (text[end] == ord(".") and text[end + 1] in _NAME_OCTETS)


def check_octets(data: bytes, text: Text, found: Findings) -> None:
    """Find what no consumer should have to read."""
    if data.startswith(BOM):
        found.add(BYTE_ORDER_MARK, "", 1)
    if b"\r\n" in data:
        found.add(CARRIAGE_RETURN, "", lambda: data.count(b"\n", 0, data.find(b"\r\n")) + 1, "the first one")
    if data and not data.endswith(b"\n"):
        found.add(NO_FINAL_NEWLINE, "", lambda: data.count(b"\n") + 1)
    for sign, fault in ((_NUL, NUL), (_CONTROL, CONTROL), (_LONE_CR, LONE_CR)):
        if sign.search(text.octets):
            _each(re.compile(rb"\n[^\n]*?" + sign.pattern), fault, text, found)
    _each(_LONG, LONG_LINE, text, found)


def _each(pattern: re.Pattern[bytes], fault: Fault, text: Text, found: Findings) -> None:
    for match in pattern.finditer(text.octets):
        start = match.start()
        found.add(fault, line_text(text, start), partial(text.line_at, start))


def line_text(text: Text, offset: int) -> str:
    """Return the line that the newline at an offset begins, as far as it is ever shown."""
    begin = offset + 1
    return text.octets[begin : begin + _SHOWN_OCTETS].partition(b"\n")[0].decode("utf-8", "replace")
