"""Serials of two editions of a list (RFC 1982). Pure."""

from __future__ import annotations

import re

from aidns.audit.finding import Fault, Findings

SERIAL_STALE = Fault(
    "serial-stale",
    "error",
    "the names changed and the serial did not",
    ("secondaries: never transfer it", "BIND with ixfr-from-differences: stops blocking what is not in both"),
    "raise the serial whenever a record moves",
)
SERIAL_FELL = Fault(
    "serial-fell",
    "error",
    "the serial is lower than that of the previous edition (RFC 1982)",
    ("secondaries: never transfer it", "BIND with ixfr-from-differences: rejects it"),
    "raise the serial by less than 2^31 at a time",
)
_HEADER = re.compile(rb"\n[#!;][ \t]*version:[ \t]*(\d{1,20})[ \t]*(?=\n)", re.IGNORECASE)
_BITS = 32


def header_serial(octets: bytes) -> int | None:
    """Return the number that a list's header gives as its version."""
    match = _HEADER.search(octets)
    return int(match[1]) if match else None


def check_serial(serial: int | None, previous: int | None, line: int, *, changed: bool, found: Findings) -> None:
    """Compare the serials of two editions; an edition without one is not judged."""
    if serial is None or previous is None:
        return
    if serial == previous and changed:
        found.add(SERIAL_STALE, str(serial), line)
    if _is_lower(serial, previous):
        found.add(SERIAL_FELL, str(serial), line, f"the previous one is {previous}")


def _is_lower(serial: int, previous: int) -> bool:
    """Compare by RFC 1982 §3.2; longer numbers, such as YYYYMMDDhhmm in a header, as they are."""
    if max(serial, previous) >= 2**_BITS:
        return serial < previous
    return serial != previous and (serial - previous) % 2**_BITS >= 2 ** (_BITS - 1)
