"""Serials: unsigned 32-bit numbers compared on a circle (RFC 1982), moved only when the content moves."""

from __future__ import annotations

from aidns.publish.manifest import Manifest, previous

MODULUS = 1 << 32
"""A SOA serial has 32 bits (RFC 1035 §3.3.13)."""


def is_newer(serial: int, other: int) -> bool:
    """Tell whether `serial` follows `other` (RFC 1982 §3.2). A distance of exactly 2**31 is undefined there: False."""
    return 0 < (serial - other) % MODULUS < MODULUS // 2


def next_serial(previous_digest: str | None, previous_serial: int, digest: str, now: int) -> int:
    """Return the serial for content with `digest`: the previous one if it is unchanged, else a newer one.

    Newer means Unix seconds (`now`), or previous + 1 where the clock is not ahead of it. `previous_digest` is None
    where nothing was published. 0 is left out: some secondaries take it as "no serial yet".
    """
    clock = now % MODULUS or 1
    if previous_digest is None:
        return clock
    if previous_digest == digest:
        return previous_serial
    return clock if is_newer(clock, previous_serial) else (previous_serial + 1) % MODULUS or 1


def stamp(manifest: Manifest | None, path: str, digest: str, now: int) -> tuple[int, int]:
    """Return (serial, time of last change in Unix seconds) for content with `digest` at `path`."""
    before = previous(manifest, path)
    if before is None:
        return next_serial(None, 0, digest, now), now
    old_digest, old_serial, old_modified = before
    serial = next_serial(old_digest, old_serial, digest, now)
    return serial, old_modified if digest == old_digest else now
