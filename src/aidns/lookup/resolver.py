"""Resolvers as users write them: `9.9.9.9`, `10.0.0.53:5353`, `tls://9.9.9.9#dns.quad9.net`, `https://…`. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from aidns import names, psl
from aidns.errors import UsageError
from aidns.names import printable

PUBLIC_RATE = 50.0
"""Questions a second to a resolver that others share, unless --rate says otherwise."""
PORTS = {"udp": 53, "tls": 853, "https": 443}

Transport = Literal["udp", "tls", "https"]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_OPERATORS = {
    "adguard": ("94.140.14.0/24", "94.140.15.0/24", "2a10:50c0::/32", "adguard-dns.com", "adguard.com"),
    "alidns": ("223.5.5.5/32", "223.6.6.6/32", "2400:3200::/32", "alidns.com"),
    "cloudflare": ("1.1.1.0/24", "1.0.0.0/24", "2606:4700:4700::/48", "cloudflare-dns.com", "one.one.one.one"),
    "google": ("8.8.8.0/24", "8.8.4.0/24", "2001:4860:4860::/48", "dns.google"),
    "opendns": ("208.67.216.0/21", "2620:119::/32", "opendns.com", "umbrella.com"),
    "quad9": ("9.9.9.0/24", "149.112.112.0/24", "2620:fe::/48", "quad9.net"),
}
"""Public resolvers whose addresses and host names do not show that one operator runs them."""
_BY_HOST = {entry: operator for operator, known in _OPERATORS.items() for entry in known if "/" not in entry}
_NETWORKS = tuple(
    (ipaddress.ip_network(entry), operator) for operator, known in _OPERATORS.items() for entry in known if "/" in entry
)


class Resolver(Struct, frozen=True):
    """A recursive resolver and how to reach it.

    `id` is its shortest spec, the same for every way to write it. `host` is an IP address, or for TLS and HTTPS
    perhaps a host name; `server_name` is the name its certificate must carry. `rate` is in questions a second,
    0 for no limit.
    """

    id: str
    operator: str
    transport: Transport
    host: str
    port: int
    server_name: str = ""
    path: str = ""
    rate: float = 0.0

    @property
    def url(self) -> str:
        """The address to post to (RFC 8484 §4.1)."""
        return f"https://{_bracket(self.host)}:{self.port}{self.path}"


def parse_resolver(spec: str, rate: float | None = None) -> Resolver:
    """Read `IP`, `IP:PORT`, `[IPv6]:PORT`, `tls://HOST[:PORT][#NAME]` or `https://HOST[:PORT]/PATH`.

    `rate` replaces the default: PUBLIC_RATE, and no limit for loopback and private addresses. Raises UsageError.
    """
    spec = spec.strip()
    if not spec.isascii() or not spec.isprintable() or not spec or " " in spec:
        raise _refusal(spec)
    try:
        if "://" not in spec:
            return _plain(spec, rate)
        parts = urlsplit(spec)
        transport, port = parts.scheme, parts.port
    except ValueError:
        raise _refusal(spec) from None
    if parts.username is None and not parts.query and parts.hostname:
        if transport == "tls" and not parts.path:
            return _tls(parts, port or PORTS["tls"], rate)
        if transport == "https" and not parts.fragment:
            return _https(parts, port or PORTS["https"], rate)
    raise _refusal(spec)


def parse_resolvers(specs: Iterable[str], rate: float | None = None) -> tuple[Resolver, ...]:
    """Read several specs; the same resolver written twice counts once. Raises UsageError."""
    return tuple({resolver.id: resolver for resolver in (parse_resolver(spec, rate) for spec in specs)}.values())


def operator_of(host: str, port: int) -> str:
    """Return a word for who runs a resolver; equal words mean that two of them are no two witnesses.

    Known public resolvers go by their operator's name, host names by their registrable domain. On loopback the port
    tells programs apart; all private addresses count as one operator, one's own network; other addresses go by
    their /16 or /32 (IPv6), because a provider's two resolvers are seldom further apart.
    """
    address = _address(host)
    if address is None:
        known = next((_BY_HOST[n] for n in (host, *names.ancestors(host)) if n in _BY_HOST), None)
        return known or psl.registrable_domain(host) or host
    if address.is_loopback:
        return f"{_bracket(host)}:{port}"
    if _is_own(address):
        return "private network"
    for network, operator in _NETWORKS:
        if address in network:
            return operator
    return str(ipaddress.ip_network((str(address), 16 if address.version == 4 else 32), strict=False))


def _plain(spec: str, rate: float | None) -> Resolver:
    host, port = _split_port(spec)
    if _address(host) is None:
        raise UsageError(
            f"{printable(spec, 80)!r} is no address",
            tip="write an IP address; host names work with tls:// and https://",
        )
    return _resolver("udp", str(_address(host)), port or PORTS["udp"], rate)


def _tls(parts: SplitResult, port: int, rate: float | None) -> Resolver:
    host = _host(parts)
    server_name = _host_name(parts.fragment) if parts.fragment else host
    return _resolver("tls", host, port, rate, server_name=server_name)


def _https(parts: SplitResult, port: int, rate: float | None) -> Resolver:
    host = _host(parts)
    return _resolver("https", host, port, rate, server_name=host, path=parts.path or "/dns-query")


def _resolver(
    transport: Transport, host: str, port: int, rate: float | None, *, server_name: str = "", path: str = ""
) -> Resolver:
    address = _address(host)
    own = address is not None and _is_own(address)
    return Resolver(
        id=_id(transport, host, port, server_name if server_name != host else "", path),
        operator=operator_of(host, port),
        transport=transport,
        host=host,
        port=port,
        server_name=server_name,
        path=path,
        rate=rate if rate is not None else 0.0 if own else PUBLIC_RATE,
    )


def _id(transport: Transport, host: str, port: int, server_name: str, path: str) -> str:
    if transport == "udp":
        return host if port == PORTS["udp"] else f"{_bracket(host)}:{port}"
    where = _bracket(host) + ("" if port == PORTS[transport] else f":{port}")
    return f"{transport}://{where}{path}" + (f"#{server_name}" if server_name else "")


def _split_port(spec: str) -> tuple[str, int]:
    """Return host and port, 0 when none is given. Raises ValueError."""
    if _address(spec) is not None:
        return spec, 0
    host, colon, port = spec.rpartition(":")
    if spec.startswith("[") and spec.endswith("]"):
        return spec[1:-1], 0
    if not colon:
        return spec, 0
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(port)
    return host.removeprefix("[").removesuffix("]"), int(port)


def _host(parts: SplitResult) -> str:
    assert parts.hostname is not None
    address = _address(parts.hostname)
    return str(address) if address is not None else _host_name(parts.hostname)


def _host_name(text: str) -> str:
    try:
        return names.normalise(text)
    except names.InvalidName as error:
        raise UsageError(error.message, tip=error.tip) from None


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _is_own(address: Address) -> bool:
    return address.is_private or address.is_loopback or address.is_link_local


def _bracket(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _refusal(spec: str) -> UsageError:
    return UsageError(
        f"{printable(spec, 80)!r} is no resolver",
        tip="write 9.9.9.9, 10.0.0.53:5353, [2620:fe::fe]:53, tls://9.9.9.9#dns.quad9.net or https://dns.quad9.net/dns-query",
    )
