"""The text of record data, from octets. Pure.

Everything here is safe to print. What is cut short or does not fit raises ValueError or struct.error.
"""

from __future__ import annotations

import base64
import ipaddress
import struct
from collections.abc import Iterator
from functools import lru_cache

_PARAMS = ("mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint")
"""Service parameters by number (RFC 9460 §14.3.2)."""


@lru_cache(4096)
def v4_text(rdata: bytes) -> str:
    """Return an IPv4 address."""
    return str(ipaddress.IPv4Address(rdata))


@lru_cache(4096)
def v6_text(rdata: bytes) -> str:
    """Return an IPv6 address (RFC 5952)."""
    return str(ipaddress.IPv6Address(rdata))


def strings_text(rdata: bytes) -> str:
    """Return character strings (RFC 1035 §3.3), each in quotes."""
    return " ".join(f'"{text}"' for text in _strings(rdata))


def params_text(octets: bytes) -> Iterator[str]:
    """Yield the parameters of an SVCB or HTTPS record as RFC 9460 §2.1 writes them."""
    at = 0
    while at < len(octets):
        key, length = struct.unpack_from("!HH", octets, at)
        at += 4 + length
        if at > len(octets):
            raise ValueError("a service parameter runs past the end")
        text = _param_text(_key_text(key), octets[at - length : at])
        yield f'{_key_text(key)}="{text}"' if length else _key_text(key)


def _key_text(key: int) -> str:
    return _PARAMS[key] if key < len(_PARAMS) else f"key{key}"


def _param_text(name: str, value: bytes) -> str:
    match name:
        case "mandatory":
            return ",".join(_key_text(key) for (key,) in struct.iter_unpack("!H", value))
        case "alpn":
            return ",".join(_strings(value))
        case "port":
            return str(struct.unpack("!H", value)[0])
        case "ipv4hint":
            return ",".join(v4_text(value[i : i + 4]) for i in range(0, len(value), 4))
        case "ipv6hint":
            return ",".join(v6_text(value[i : i + 16]) for i in range(0, len(value), 16))
        case "ech":
            return base64.b64encode(value).decode("ascii")
    return _escape(value)


def _strings(octets: bytes) -> Iterator[str]:
    while octets:
        length = octets[0]
        yield _escape(octets[1 : 1 + length])
        octets = octets[1 + length :]


def _escape(octets: bytes) -> str:
    return "".join(chr(c) if 0x20 <= c < 0x7F and c not in b'"\\' else f"\\{c:03}" for c in octets)
