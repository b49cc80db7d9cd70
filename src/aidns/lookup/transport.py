"""Questions over TCP, TLS and HTTPS with dnspython; replies come back in the neutral shape of `wire`. [I/O]

What goes over UDP, nearly all of it, has its own way in `udp`.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import Any

import dns.asyncbackend
import dns.asyncquery
import dns.asyncresolver
import dns.edns
import dns.exception
import dns.flags
import dns.inet
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset

from aidns.errors import EnvironmentFault
from aidns.lookup.flow import Try
from aidns.lookup.resolver import Resolver, parse_resolvers
from aidns.names import printable
from aidns.wire import PAYLOAD, Ede, Record, Reply, read_question

BOOTSTRAP_SECONDS = 2.0
"""Time to find the address of a resolver that was given by host name."""
CLOSE_SECONDS = 0.5
"""Time for a server to say goodbye."""
STREAMS = 32
"""TCP or TLS connections open at a resolver at once."""

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Unusable(Exception):
    """Something came back, but no reply to the question."""


class Exchange:
    """The way to one resolver. Open connections are kept for later questions until `close`."""

    def __init__(self, resolver: Resolver) -> None:
        self.resolver = resolver
        self._addresses: tuple[str, ...] | None = None
        self._finding = asyncio.Lock()
        self._streams = asyncio.Semaphore(STREAMS)
        self._idle: list[Stream] = []
        self._client: Any = None

    async def send(self, attempt: Try) -> Reply:
        """Send one try and return the reply to it.

        Raises TimeoutError when none came in time or nobody is there, Unusable for anything else that is no reply.
        """
        query = _query(attempt)
        try:
            address = await self._address(attempt.number)
            return reply_of(await self._send(query, attempt, address), attempt)
        except (TimeoutError, dns.exception.Timeout):
            raise TimeoutError(f"no reply within {attempt.timeout:g} s") from None
        except ssl.SSLError as error:
            raise Unusable(f"TLS: {error.reason or error}") from None
        except OSError as error:
            raise TimeoutError(error.strerror or str(error) or "unreachable") from None
        except Exception as error:  # whatever an answer does to a parser, it ends this question alone
            raise Unusable(printable(f"{type(error).__name__}: {error}", 120)) from None

    async def close(self) -> None:
        """Close every connection."""
        while self._idle:
            _, writer = self._idle.pop()
            writer.close()
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await writer.wait_closed()
        if self._client is not None:
            await self._client.aclose()

    async def _send(self, query: dns.message.Message, attempt: Try, address: str) -> dns.message.Message:
        if attempt.transport == "tcp":
            async with self._streams, asyncio.timeout(attempt.timeout):
                return await dns.asyncquery.tcp(query, address, attempt.timeout, self.resolver.port)
        if attempt.transport == "https":
            client = self._client = self._client or _https_client(address)
            return await dns.asyncquery.https(query, self.resolver.url, attempt.timeout, client=client)
        async with self._streams, asyncio.timeout(attempt.timeout):
            return await self._over_tls(query, address)

    async def _over_tls(self, query: dns.message.Message, address: str) -> dns.message.Message:
        """Ask over a connection that is kept; one that the server has closed meanwhile is replaced."""
        while self._idle:
            with suppress(EOFError, OSError):
                return await self._over_stream(query, self._idle.pop())
        stream = await asyncio.open_connection(
            address, self.resolver.port, ssl=_tls_context("dot"), server_hostname=self.resolver.server_name
        )
        return await self._over_stream(query, stream)

    async def _over_stream(self, query: dns.message.Message, stream: Stream) -> dns.message.Message:
        """Send a query behind its length and read the reply alike (RFC 7858 §3.3, RFC 1035 §4.2.2)."""
        reader, writer = stream
        try:
            writer.write(query.to_wire(prepend_length=True))
            await writer.drain()
            length = int.from_bytes(await reader.readexactly(2))
            reply = dns.message.from_wire(await reader.readexactly(length))
            if not query.is_response(reply):
                raise dns.query.BadResponse
        except BaseException:
            writer.transport.abort()  # a late reply must not meet the next question
            raise
        self._idle.append(stream)
        return reply

    async def _address(self, number: int) -> str:
        """Return the address for a try: a host name with several is tried at each in turn."""
        async with self._finding:
            if self._addresses is None:
                self._addresses = await _find(self.resolver.host)
        if not self._addresses:
            raise OSError(f"no address of {self.resolver.host} found")
        return self._addresses[(number - 1) % len(self._addresses)]


def system_resolvers(rate: float | None = None, path: str = "/etc/resolv.conf") -> tuple[Resolver, ...]:
    """Return the resolvers this machine is set up with. Raises EnvironmentFault when there is none."""
    try:
        found = [str(server) for server in dns.resolver.Resolver(path).nameservers]
    except (dns.resolver.NoResolverConfiguration, OSError):
        found = []
    if not found:
        raise EnvironmentFault("this machine has no resolver set up", tip="name one: --resolver 9.9.9.9")
    return parse_resolvers(found, rate)


def require_https() -> None:
    """Raise EnvironmentFault when what DNS over HTTPS needs is not installed."""
    if not dns.query.have_doh:
        raise EnvironmentFault("DNS over HTTPS needs an extra", tip="install it with: pip install 'aidns[doh]'")


def reply_of(message: dns.message.Message, attempt: Try) -> Reply:
    """Return a parsed message in the neutral shape: names in lower case without the final dot, the root as `.`."""
    return Reply(
        id=message.id,
        rcode=dns.rcode.to_text(message.rcode()),
        flags=frozenset(dns.flags.to_text(message.flags).split()),
        question=(attempt.question.name, attempt.question.rdtype),
        answers=_records(message.answer),
        authority=_records(message.authority),
        additional=_records(message.additional),
        ede=tuple(
            Ede(int(option.code), printable(option.text or ""))
            for option in message.options
            if isinstance(option, dns.edns.EDEOption)
        ),
    )


async def _find(host: str) -> tuple[str, ...]:
    """Return the addresses of a resolver's host, none when this machine's own resolvers do not tell in time."""
    if dns.inet.is_address(host):
        return (host,)
    try:
        async with asyncio.timeout(BOOTSTRAP_SECONDS):
            return tuple((await dns.asyncresolver.get_default_resolver().resolve_name(host)).addresses())
    except (TimeoutError, dns.exception.DNSException):
        return ()


def _records(section: list[dns.rrset.RRset]) -> tuple[Record, ...]:
    return tuple(
        Record(_name_text(rrset.name), dns.rdatatype.to_text(rrset.rdtype), rrset.ttl, _data_text(rrset.rdtype, rdata))
        for rrset in section
        for rdata in rrset
    )


def _data_text(rdtype: dns.rdatatype.RdataType, rdata: Any) -> str:
    if rdtype in (dns.rdatatype.CNAME, dns.rdatatype.NS):
        return _name_text(rdata.target)
    return str(rdata.to_text())


def _name_text(name: dns.name.Name) -> str:
    r"""Return a name as `wire` writes it: a dot inside a label is `\046`, never taken for one between labels."""
    header = bytes(12)
    return read_question(header + name.to_digestable() + bytes(4))[0]


def _query(attempt: Try) -> dns.message.Message:
    """Return a query with EDNS, so that extended errors can come back (RFC 8914 §3)."""
    name, rdtype = attempt.question.name, attempt.question.rdtype
    flags = dns.flags.RD | dns.flags.AD  # as `wire` does over UDP
    return dns.message.make_query(name, rdtype, use_edns=0, payload=PAYLOAD, flags=flags)


def _https_client(address: str) -> Any:
    """Return a client that keeps its connection to `address`, whatever name the URL has."""
    backend: Any = dns.asyncbackend.get_default_backend()
    options = {"http1": True, "http2": True, "verify": _tls_context("h2", "http/1.1")}
    transport = backend.get_transport_class()(**options, bootstrap_address=address)
    return import_module("httpx2").AsyncClient(transport=transport)


@cache
def _tls_context(*protocols: str) -> ssl.SSLContext:
    """Return a context that trusts what this machine trusts; SSL_CERT_FILE names another set."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(list(protocols))
    return context
