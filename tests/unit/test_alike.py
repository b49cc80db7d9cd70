"""What a reply says does not depend on the replies that were read before it."""

from __future__ import annotations

import struct

import pytest

from aidns import wire
from aidns.alike import parse_alike

NAMES = ("www.aaaa.com", "www.bbbb.com", "a-longer.bbbb.com", "com")


def message(name: str, rcode: int, records: bytes, authority: int = 0, additional: int = 0) -> bytes:
    head = struct.pack("!HHHHHH", len(name), 0x8180 | rcode, 1, 0, authority, additional)
    return head + wire.question(name, "A") + records


def soa(owner: bytes, mname: bytes, rname: bytes) -> bytes:
    data = mname + rname + bytes(20)
    return owner + struct.pack("!HHIH", 6, 1, 60, len(data)) + data


def pointer(offset: int) -> bytes:
    return (0xC000 | offset).to_bytes(2)


ZONE = b"\3rpz\5aidns\0"
EDE = b"\0" + struct.pack("!HHIHHHH", 41, 1232, 0, 15, 15, 11, 15) + b"rpz.aidns"


@pytest.mark.parametrize(
    ("mname", "rname"),
    [
        (pointer(12), ZONE),  # the question
        (pointer(12 + 4), ZONE),  # into the question, where it has a name
        (b"\2ns" + pointer(12), b"\4host" + pointer(12)),
        (ZONE, ZONE),
    ],
)
def test_names_that_point_into_the_question_are_each_questions_own(mname: bytes, rname: bytes) -> None:
    for name in NAMES * 2:
        reply = message(name, 3, soa(ZONE, mname, rname), authority=1)
        try:
            right = wire.parse(reply)
        except wire.MessageError:
            with pytest.raises(wire.MessageError):
                parse_alike(reply, (name, "A"), 12 + len(wire.question(name, "A")))
        else:
            assert parse_alike(reply, (name, "A"), 12 + len(wire.question(name, "A"))) == right


def test_an_owner_that_is_the_question_is_each_questions_own() -> None:
    for name in NAMES * 2:
        reply = message(name, 3, soa(ZONE, ZONE, ZONE) + soa(pointer(12), ZONE, ZONE), authority=2)
        assert parse_alike(reply, (name, "A"), 12 + len(wire.question(name, "A"))) == wire.parse(reply)


def test_names_that_point_at_the_record_are_read_behind_questions_of_any_length() -> None:
    for name in NAMES * 2:
        end = 12 + len(wire.question(name, "A"))
        reply = message(name, 3, soa(ZONE, pointer(end), pointer(end + 4)), authority=1)
        found = parse_alike(reply, (name, "A"), end)
        assert found == wire.parse(reply)
        assert found.authority_soa and found.authority_soa.data.startswith("rpz.aidns aidns ")


def test_identifier_rcode_and_sections_are_each_replys_own() -> None:
    zone = soa(ZONE, ZONE, ZONE)
    for name in NAMES * 2:
        end = 12 + len(wire.question(name, "A"))
        for rcode in (0, 3):
            for counts in ({"authority": 1, "additional": 1}, {"additional": 2}):
                reply = message(name, rcode, zone + EDE, **counts)
                assert parse_alike(reply, (name, "A"), end) == wire.parse(reply)


def test_what_is_cut_short_is_no_message() -> None:
    whole = message("www.aaaa.com", 3, soa(ZONE, ZONE, ZONE), authority=1)
    for _ in range(2):
        with pytest.raises(wire.MessageError):
            parse_alike(whole[:-1], ("www.aaaa.com", "A"), 12 + len(wire.question("www.aaaa.com", "A")))
