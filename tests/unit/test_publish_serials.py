"""Serials move if and only if the content moves, and then always forwards (RFC 1982)."""

from __future__ import annotations

import dns.serial
from hypothesis import given
from hypothesis import strategies as st

from aidns.publish.manifest import NOTHING, SCHEMA, File, Manifest, previous
from aidns.publish.serials import MODULUS, is_newer, next_serial, stamp
from tests.unit.publish_samples import NOW, artefact

serials = st.integers(0, MODULUS - 1)
clocks = st.integers(0, 2**33)


def file_with(serial: int, digest: str = "d") -> File:
    return File("p/f.txt", "p", "", "pihole", "nxdomain", digest, "", serial, modified=7, services=0, names=0, lines=0)


@given(serials, clocks, st.sampled_from("ab"), st.sampled_from("ab"))
def test_the_serial_moves_iff_the_digest_moves_and_then_forwards(serial: int, now: int, old: str, new: str) -> None:
    following = next_serial(old, serial, new, now)
    assert 0 <= following < MODULUS
    assert is_newer(following, serial) if old != new else following == serial


@given(serials, serials)
def test_newer_agrees_with_another_implementation_of_rfc_1982(one: int, other: int) -> None:
    assert is_newer(one, other) == (dns.serial.Serial(one) > dns.serial.Serial(other))


@given(serials, clocks)
def test_a_moving_serial_is_never_zero(serial: int, now: int) -> None:
    assert next_serial("a", serial, "b", now) != 0
    assert next_serial(None, 0, "b", now) != 0


def test_a_moving_serial_is_the_clock_or_one_more_than_before() -> None:
    assert next_serial(None, 0, "a", NOW) == NOW
    assert next_serial("a", NOW - 5, "b", NOW) == NOW
    assert next_serial("a", NOW, "b", NOW) == NOW + 1
    assert next_serial("a", NOW + 50, "b", NOW) == NOW + 51


def test_serials_wrap_at_32_bits_past_zero() -> None:
    assert next_serial("a", MODULUS - 1, "b", MODULUS - 1) == 1
    assert next_serial("a", MODULUS - 5, "b", MODULUS + 5) == 5


@given(st.lists(st.tuples(st.sampled_from("abc"), clocks), min_size=1, max_size=8))
def test_no_history_of_contents_and_clocks_ever_takes_a_serial_back(history: list[tuple[str, int]]) -> None:
    manifest, last = NOTHING, None
    for digest, now in history:
        serial, _ = stamp(manifest, "p/f.txt", digest, now)
        if last is not None:
            assert is_newer(serial, last[1]) if digest != last[0] else serial == last[1]
        last = (digest, serial)
        manifest = Manifest(SCHEMA, files=(file_with(serial, digest),))


def test_unchanged_content_keeps_its_time_of_change() -> None:
    manifest = Manifest(SCHEMA, files=(file_with(99),))
    assert stamp(manifest, "p/f.txt", "d", NOW) == (99, 7)
    assert stamp(manifest, "p/f.txt", "e", NOW) == (NOW, NOW)


def test_a_file_that_returns_goes_on_counting_and_counts_as_changed() -> None:
    manifest = Manifest(SCHEMA, retired={"p/f.txt": NOW + 10})
    assert stamp(manifest, "p/f.txt", "d", NOW) == (NOW + 11, NOW)


def test_a_rolled_back_file_gets_a_serial_above_the_one_readers_may_hold() -> None:
    manifest = Manifest(SCHEMA, files=(file_with(NOW - 9),), retired={"p/f.txt": NOW})
    assert previous(manifest, "p/f.txt") == ("", NOW, 7)
    assert stamp(manifest, "p/f.txt", "d", NOW)[0] == NOW + 1


def test_nothing_published_means_no_previous_serial() -> None:
    assert previous(None, "p/f.txt") is None
    assert previous(NOTHING, "p/f.txt") is None
    assert artefact(["a.example"], published=None).serial == NOW
