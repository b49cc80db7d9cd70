"""Messages are read as dnspython reads them, and hostile octets never do more than raise MessageError."""

from __future__ import annotations

import struct

import dns.edns
import dns.flags
import dns.message
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidns import wire

LABELS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=20)
NAMES = st.lists(LABELS, min_size=1, max_size=6).map(".".join)


@given(NAMES, st.sampled_from(["A", "AAAA", "HTTPS", "TXT", "MX", "TYPE4321"]), st.integers(0, 65535), st.booleans())
def test_a_query_is_what_dnspython_reads(name: str, rdtype: str, ident: int, dnssec_ok: bool) -> None:
    message = dns.message.from_wire(wire.query(ident, name, rdtype, dnssec_ok=dnssec_ok))
    assert (message.id, message.question[0].name.to_text()) == (ident, name + ".")
    assert message.question[0].rdtype == wire.type_number(rdtype)
    assert message.flags == dns.flags.RD | dns.flags.AD
    assert bool(message.ednsflags & dns.flags.DO) == dnssec_ok
    assert message.payload == wire.PAYLOAD


def _reply(name: str, sections: dict[str, list[tuple[str, str, str]]], **changes: object) -> bytes:
    response = dns.message.make_response(dns.message.make_query(name, "A", use_edns=True))
    for section, records in sections.items():
        for owner, rdtype, data in records:
            getattr(response, section).append(dns.rrset.from_text(owner + ".", 60, "IN", rdtype, data))
    for field, value in changes.items():
        setattr(response, field, value)
    return response.to_wire()


RECORDS = st.lists(
    st.one_of(
        st.tuples(NAMES, st.just("A"), st.ip_addresses(v=4).map(str)),
        st.tuples(NAMES, st.just("AAAA"), st.ip_addresses(v=6).map(str)),
        st.tuples(NAMES, st.sampled_from(["CNAME", "NS"]), NAMES.map(lambda name: name + ".")),
    ),
    max_size=6,
    unique_by=lambda record: record[:2],
)


@given(NAMES, RECORDS, RECORDS, RECORDS)
def test_compressed_sections_are_read_as_written(
    name: str,
    answer: list[tuple[str, str, str]],
    authority: list[tuple[str, str, str]],
    additional: list[tuple[str, str, str]],
) -> None:
    reply = wire.parse(_reply(name, {"answer": answer, "authority": authority, "additional": additional}))
    assert reply.question == (name, "A")
    for read, written in ((reply.answers, answer), (reply.authority, authority), (reply.additional, additional)):
        assert [(r.name, r.rdtype, r.data) for r in read] == [(n, t, d.removesuffix(".")) for n, t, d in written]


def test_everything_a_judge_looks_at_is_there() -> None:
    soa = "ns.X.com. host.x.com. 7 3600 600 86400 300"
    message = dns.message.make_response(dns.message.make_query("A.x.com", "TXT", use_edns=True))
    message.set_rcode(3)
    message.flags |= dns.flags.AA | dns.flags.RA
    message.authority.append(dns.rrset.from_text("x.com.", 60, "IN", "SOA", soa))
    message.additional.append(dns.rrset.from_text("rpz.", 60, "IN", "SOA", soa))
    message.use_edns(0, 0, 1232, options=[dns.edns.EDEOption(15, "blocked\x1b[2J by us")])
    reply = wire.parse(message.to_wire())
    assert reply.rcode == "NXDOMAIN"
    assert reply.flags == {"AA", "RA", "RD"}
    assert reply.question == ("a.x.com", "TXT")
    assert reply.authority_soa == wire.Record("x.com", "SOA", 60, "ns.x.com host.x.com 7 3600 600 86400 300")
    assert reply.additional_soa is not None
    assert reply.additional_soa.name == "rpz"
    assert reply.ede == (wire.Ede(15, "blocked [2J by us"),)


def test_root_txt_mx_and_unknown_types_have_text() -> None:
    records = [("x", "TXT", '"a\\"b" "\\007"'), ("x", "MX", "10 ."), ("x", "TYPE999", "\\# 2 abcd")]
    reply = wire.parse(_reply("x", {"answer": records}))
    assert [record.data for record in reply.answers] == ['"a\\034b" "\\007"', "10 .", "\\# 2 abcd"]
    assert reply.data("MX") == ("10 .",)


def test_octets_that_would_move_a_cursor_are_escaped() -> None:
    message = wire.query(1, "x.com", "A")
    hostile = bytes((message[0], message[1], 0x81, 0x80)) + message[4:].replace(
        b"\x01x\x03com", b"\x05a\x1b[.\n\x03com"
    )
    assert wire.parse(hostile).question[0] == "a\\027[\\046\\010.com"


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\0" * 12,
        wire.query(1, "x.com", "A"),
        b"\0\1\x80\0\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1",
        b"\0\1\x80\0\0\1\0\0\0\0\0\0\xc0\x0e\xc0\x0c\0\1\0\1",
        b"\0\1\x80\0\0\1\0\0\0\0\0\0" + b"\x3f" + b"a" * 20,
        b"\0\1\x80\0\0\1\0\0\0\0\0\0" + (b"\x3f" + b"a" * 63) * 5 + b"\0\0\1\0\1",
        b"\0\1\x80\0\0\1\0\1\0\0\0\0\1x\0\0\1\0\1\xc0\x0c\0\1\0\1\0\0\0\0\0\x09\1\2",
        b"\0\1\x80\0\0\1\0\1\0\0\0\0\1x\0\0\1\0\1\xc0\x0c\0\1\0\1\0\0\0\0\0\2\1\2",
        b"\0\1\x80\0\0\1\0\1\0\0\0\0\1x\0\0\1\0\1\0\0\x29\4\xd0\0\0\0\0\0\0",
    ],
    ids=[
        *("empty", "no response", "a query", "self pointer", "pointer pair", "cut", "long name", "short rdata"),
        *("bad A", "OPT for an answer"),
    ],
)
def test_malformed_messages_are_refused(message: bytes) -> None:
    with pytest.raises(wire.MessageError):
        wire.parse(message)


@given(st.binary(max_size=200), st.integers(0, 400), st.integers(0, 255))
def test_no_octets_do_worse_than_raise(noise: bytes, at: int, octet: int) -> None:
    good = _reply("a.b.c", {"answer": [("a.b.c", "CNAME", "d.b.c."), ("d.b.c", "A", "192.0.2.1")]})
    broken = bytearray(good)
    broken[at % len(good)] = octet
    for message in (noise, bytes(broken), good[: at % len(good)]):
        try:
            wire.parse(message)
        except wire.MessageError:
            continue


@pytest.mark.parametrize("name", ["a..b", "a" * 64 + ".com", ".".join(["a" * 60] * 5)])
def test_a_name_that_fits_no_message_is_refused(name: str) -> None:
    with pytest.raises(wire.MessageError):
        wire.encode_name(name)


SERVICES = [
    "0 alias.example.net.",
    "1 . alpn=h2,h3",
    "16 svc.x.com. mandatory=alpn,port alpn=h2 port=8443 ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1",
    "1 . alpn=h3 no-default-alpn",
    '1 . key667="a\\"b\\007"',
]


@pytest.mark.parametrize("rdtype", ["HTTPS", "SVCB"])
@pytest.mark.parametrize("data", SERVICES)
def test_service_records_are_written_as_dnspython_writes_them(rdtype: str, data: str) -> None:
    reply = wire.parse(_reply("x", {"answer": [("x", rdtype, data)]}))
    expected = dns.rrset.from_text("x.", 60, "IN", rdtype, data)[0].to_text()
    written = reply.data(rdtype)[0]
    assert written.replace("\\034", '\\"') == expected.replace("alias.example.net.", "alias.example.net").replace(
        "svc.x.com.", "svc.x.com"
    )


@given(st.binary(max_size=60))
def test_service_records_of_any_octets_do_no_worse_than_raise(rdata: bytes) -> None:
    head = wire.query(1, "x", "HTTPS")
    message = head[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + wire.question("x", "HTTPS")
    record = b"\xc0\x0c" + wire.question("", "HTTPS")[1:] + b"\0\0\0\0" + len(rdata).to_bytes(2) + rdata
    try:
        assert wire.parse(message + record).data("HTTPS")[0].isprintable()
    except wire.MessageError:
        return


@given(NAMES, RECORDS)
def test_a_reply_whose_question_is_known_is_read_the_same(name: str, answer: list[tuple[str, str, str]]) -> None:
    message = _reply(name, {"answer": answer})
    assert wire.parse(message, (name, "A")) == wire.parse(message)


@pytest.mark.parametrize("octets", [252, 253, 254])
def test_a_name_is_measured_with_what_it_is_compressed_to(octets: int) -> None:
    """RFC 1035 §2.3.4: 255 octets on the wire, whether a pointer saves some of them or not."""
    asked = ("shop.com", "CNAME")
    labels = ["l" * 63, "l" * 63, "l" * 63, "l" * (octets - 3 * 64 - len(".shop.com"))]
    target = b"".join(len(label).to_bytes() + label.encode() for label in labels) + b"\xc0\x0c"
    record = b"\xc0\x0c" + struct.pack("!HHIH", 5, 1, 60, len(target)) + target
    message = struct.pack("!HHHHHH", 1, 0x8180, 1, 1, 0, 0) + wire.question(*asked) + record
    if octets > 253:
        with pytest.raises(wire.MessageError, match="past its limit"):
            wire.parse(message, asked)
    else:
        assert wire.parse(message, asked).data("CNAME") == (f"{'.'.join(labels)}.shop.com",)
