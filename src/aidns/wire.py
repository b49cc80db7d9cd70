"""DNS messages as octets (RFC 1035 §4): small, fast, and calm about hostile input. Pure.

dnspython knows every type; this knows the few that are asked for here, and reads a reply many times faster. Text made
here is safe to print: other octets, dots inside labels and backslashes become `\\DDD` (RFC 1035 §5.1).
"""

from __future__ import annotations

import struct
from functools import lru_cache

from msgspec import Struct

from aidns.errors import AidnsError
from aidns.rdata import params_text, strings_text, v4_text, v6_text

TYPES = {
    "A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "DNAME": 39,
    "OPT": 41, "DS": 43, "RRSIG": 46, "DNSKEY": 48, "SVCB": 64, "HTTPS": 65, "ANY": 255,
}  # fmt: skip
"""Rdtype by its mnemonic; any other is written `TYPE123` (RFC 3597 §5)."""
_TYPE_NAMES = {number: text for text, number in TYPES.items()}
_RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED", 9: "NOTAUTH"}
_FLAGS = {"AA": 0x0400, "TC": 0x0200, "RD": 0x0100, "RA": 0x0080, "AD": 0x0020, "CD": 0x0010}
_EDE_OPTION = 15
_MAX_POINTERS = 64
_TO_QUESTION = b"\xc0\x0c"
"""A pointer to the name of the question: most owner names are that."""
_HEADER = struct.Struct("!HHHHHH")
_FIXED = struct.Struct("!HHIH")
"""Type, class, TTL and length of RDATA."""
_SOA_NUMBERS = struct.Struct("!IIIII")
_LENGTHS = tuple(bytes((length,)) for length in range(64))
_PLAIN = b"abcdefghijklmnopqrstuvwxyz0123456789-_."
"""What needs no escape in text."""
_A, _NS, _CNAME, _SOA, _AAAA, _OPT = (TYPES[text] for text in ("A", "NS", "CNAME", "SOA", "AAAA", "OPT"))
_ONE_NAME = frozenset((_NS, _CNAME, TYPES["PTR"], TYPES["DNAME"]))
_SERVICES = frozenset((TYPES["SVCB"], TYPES["HTTPS"]))
PAYLOAD = 1232
"""UDP payload size offered: passes every path without fragments (DNS flag day 2020)."""


class MessageError(AidnsError, ValueError):
    """The octets are no DNS message, or none that answers."""


class Record(Struct, frozen=True, gc=False):
    """A resource record; `data` is its presentation form, `\\# length hex` for types not known here."""

    name: str
    rdtype: str
    ttl: int
    data: str


class Ede(Struct, frozen=True):
    """An extended DNS error (RFC 8914)."""

    code: int
    text: str


class Reply(Struct, frozen=True, gc=False):
    """A DNS response. Names are lower case without the final dot, the root is `.`."""

    id: int
    rcode: str
    flags: frozenset[str]
    question: tuple[str, str]
    answers: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()
    ede: tuple[Ede, ...] = ()

    @property
    def authority_soa(self) -> Record | None:
        """The SOA that makes a negative answer a zone's own (RFC 2308 §3)."""
        return next((one for one in self.authority if one.rdtype == "SOA"), None) if self.authority else None

    @property
    def additional_soa(self) -> Record | None:
        """The SOA of a policy zone (RPZ draft §6)."""
        return next((one for one in self.additional if one.rdtype == "SOA"), None) if self.additional else None

    def data(self, rdtype: str) -> tuple[str, ...]:
        """The answer's data of one type."""
        return tuple(record.data for record in self.answers if record.rdtype == rdtype)


def type_number(rdtype: str) -> int:
    """Return the number of an rdtype given as mnemonic or `TYPE123`. Raises KeyError."""
    if rdtype.startswith("TYPE") and rdtype[4:].isdecimal():
        return int(rdtype[4:])
    return TYPES[rdtype]


def type_text(number: int) -> str:
    """Return the mnemonic of an rdtype, else `TYPE123`."""
    return _TYPE_NAMES.get(number) or f"TYPE{number}"


def encode_name(name: str) -> bytes:
    """Return an ASCII name, with or without the final dot, in wire form. Raises MessageError when it does not fit."""
    bare = name.encode("ascii").rstrip(b".")
    labels = bare.split(b".") if bare else []
    if len(bare) > 253 or b"" in labels:
        raise MessageError(f"{name[:80]!r} does not fit a DNS message")
    try:
        return b"".join([_LENGTHS[len(label)] + label for label in labels]) + b"\0"
    except IndexError:
        raise MessageError(f"{name[:80]!r} does not fit a DNS message") from None


def query(ident: int, name: str, rdtype: str, *, dnssec_ok: bool = False) -> bytes:
    """Return a recursive query with EDNS (RFC 6891), so that extended errors can come back."""
    return query_of(ident, question(name, rdtype), dnssec_ok=dnssec_ok)


def question(name: str, rdtype: str) -> bytes:
    """Return a question as it stands in a message: name, rdtype, class IN. Raises MessageError, KeyError."""
    return encode_name(name) + type_and_class(rdtype)


@lru_cache(64)
def type_and_class(rdtype: str) -> bytes:
    """Return what follows the name in a question. Raises KeyError."""
    return struct.pack("!HH", type_number(rdtype), 1)


def query_of(ident: int, asked: bytes, *, dnssec_ok: bool = False) -> bytes:
    """Return the query that `query` makes, for a question in wire form."""
    return b"".join((ident.to_bytes(2), _QUERY_HEAD, asked, _EDNS_DO if dnssec_ok else _EDNS))


# AD in a query asks whether the resolver has validated its answer (RFC 6840 §5.7).
_QUERY_HEAD = struct.pack("!HHHHH", _FLAGS["RD"] | _FLAGS["AD"], 1, 0, 0, 1)
_EDNS, _EDNS_DO = (struct.pack("!BHHIH", 0, TYPES["OPT"], PAYLOAD, bits, 0) for bits in (0, 0x8000))


def parse(wire: bytes, asked: tuple[str, str] | None = None) -> Reply:
    """Read a response. Raises MessageError for anything cut short, looping, without question or not a response.

    `asked`: name and rdtype of its question, when the caller has compared that, octet by octet, with what it sent.
    """
    try:
        return _parse(wire, asked)
    except (struct.error, IndexError, ValueError) as error:
        raise MessageError(f"malformed DNS message: {error}") from None


def read_question(wire: bytes) -> tuple[str, int, int]:
    """Return the name, rdtype number and end offset of a message's first question. Raises MessageError."""
    try:
        name, at = _read_name(wire, 12, {})
        return name, struct.unpack_from("!H", wire, at)[0], at + 4
    except (struct.error, IndexError) as error:
        raise MessageError(f"malformed DNS question: {error}") from None


def _parse(wire: bytes, asked: tuple[str, str] | None) -> Reply:
    ident, bits, questions, answers, authority, additional = _HEADER.unpack_from(wire)
    size = len(wire)
    if not bits & 0x8000 or questions != 1:
        raise MessageError("no response to one question")
    if asked is None:
        name, number, at = read_question(wire)
        asked = name, type_text(number)
    else:
        name = asked[0]
        at = wire.index(0, 12) + 5
    known = {12: name}
    rcode = bits & 15
    ede: tuple[Ede, ...] = ()
    records: list[Record] = []
    for _ in range(answers + authority + additional):
        if wire.startswith(_TO_QUESTION, at):
            owner = name
            at += 2
        elif wire[at]:
            owner, at = _read_name(wire, at, known)
        else:
            owner = "."
            at += 1
        kind, _, ttl, length = _FIXED.unpack_from(wire, at)
        at += 10
        if at + length > size:
            raise MessageError("a record runs past the end")
        if kind != _OPT:
            data = _data_text(wire, at, length, kind, known)
            records.append(Record(owner, _TYPE_NAMES.get(kind) or type_text(kind), ttl, data))
        elif len(records) < answers + authority:
            raise MessageError("OPT outside the additional section")  # RFC 6891 §6.1.1
        elif length or ttl:
            rcode |= (ttl >> 24) << 4
            ede += _extended_errors(wire[at : at + length])
        at += length
    text = _RCODES.get(rcode) or f"RCODE{rcode}"
    if len(records) == answers:
        return Reply(ident, text, _flags(bits), asked, tuple(records), ede=ede)
    third = answers + authority
    sections = tuple(records[:answers]), tuple(records[answers:third]), tuple(records[third:])
    return Reply(ident, text, _flags(bits), asked, *sections, ede)


@lru_cache(256)
def _flags(bits: int) -> frozenset[str]:
    return frozenset(flag for flag, bit in _FLAGS.items() if bits & bit)


def _read_name(wire: bytes, at: int, known: dict[int, str]) -> tuple[str, int]:
    """Return the name at an offset and the offset behind it; `known` holds the names read so far by their offset.

    Raises IndexError where a name runs past the end of the message.
    """
    start = at
    labels: list[bytes] = []
    behind = pointers = 0
    above = ""
    while length := wire[at]:
        if length < 64:
            labels.append(wire[at + 1 : at + 1 + length])
            at += 1 + length
            continue
        behind = behind or at + 2
        target = (length & 0x3F) << 8 | wire[at + 1]
        pointers += 1
        if length < 0xC0 or target >= at or pointers > _MAX_POINTERS:
            raise MessageError("a compression pointer loops, or is none")
        above = known.get(target, "")
        if above and "\\" not in above:
            break
        above = ""
        at = target
    name = known[start] = _name_text(labels, above)
    return name, behind or at + 1


def _name_text(labels: list[bytes], above: str) -> str:
    """Return labels as text, below a name that is text already; none is the root. Raises MessageError."""
    if not labels:
        return above or "."
    below = "" if above in ("", ".") else f".{above}"
    whole = b".".join(labels).lower()
    if len(whole) + len(below) > 253:
        raise MessageError("a name runs past its limit")
    if not whole.translate(None, _PLAIN) and whole.count(b".") < len(labels):
        return whole.decode("ascii") + below
    return ".".join(map(_label_text, labels)) + below


def _label_text(label: bytes) -> str:
    return "".join(chr(c) if 0x21 <= c < 0x7F and c not in b'.\\"' else f"\\{c:03}" for c in label.lower())


def _data_text(wire: bytes, at: int, length: int, kind: int, known: dict[int, str]) -> str:
    if kind == _A:
        return v4_text(wire[at : at + length])
    if kind == _AAAA:
        return v6_text(wire[at : at + length])
    if kind in _ONE_NAME:
        return _read_name(wire, at, known)[0]
    if kind == _SOA:
        mname, behind = _read_name(wire, at, known)
        rname, behind = _read_name(wire, behind, known)
        serial, refresh, retry, expire, minimum = _SOA_NUMBERS.unpack_from(wire, behind)
        return f"{mname} {rname} {serial} {refresh} {retry} {expire} {minimum}"
    if kind == TYPES["MX"]:
        return f"{struct.unpack_from('!H', wire, at)[0]} {_read_name(wire, at + 2, known)[0]}"
    rdata = wire[at : at + length]
    if kind == TYPES["TXT"]:
        return strings_text(rdata)
    if kind in _SERVICES:
        return _service_text(rdata)
    return f"\\# {length} {rdata.hex()}"


@lru_cache(4096)
def _service_text(rdata: bytes) -> str:
    """Return an SVCB or HTTPS record as RFC 9460 §2.1 writes it; its target is never compressed."""
    priority = struct.unpack_from("!H", rdata)[0]
    target, at = _read_name(rdata, 2, {})
    return " ".join((str(priority), target, *params_text(rdata[at:])))


def _extended_errors(options: bytes) -> tuple[Ede, ...]:
    found = []
    while len(options) >= 4:
        code, length = struct.unpack_from("!HH", options)
        body = options[4 : 4 + length]
        if code == _EDE_OPTION and len(body) >= 2:
            text = "".join(c if c.isprintable() else " " for c in body[2:].decode("utf-8", "replace"))
            found.append(Ede(struct.unpack_from("!H", body)[0], text))
        options = options[4 + length :]
    return tuple(found)
