"""Where a web site leads: redirects walked one by one, bounded, and never into a private network. [I/O]

Whoever controls a listed name also controls where it points. So an address is looked up once, judged, and connected to
as judged: a name that answers differently the second time (rebinding) gains nothing. Of bodies only the beginning of
the last page is read, to look for given texts; proxies, cookies and passwords of the environment play no part.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from msgspec import Struct
from requests.adapters import HTTPAdapter

from aidns.lookup.sites import OBSERVER, page_mark
from aidns.model import WEB, Observation, Outcome
from aidns.names import Name, normalise, printable

MAX_HOPS = 6
"""Redirects followed."""
CONNECT_SECONDS, READ_SECONDS, TOTAL_SECONDS = 4.0, 6.0, 15.0
"""Time to connect, for a pause within a response's head, and for a whole walk, however slowly bytes drip."""
WORKERS = 8
"""Sites looked at at once."""
PERMANENT = frozenset((301, 308))
TEMPORARY = frozenset((302, 303, 307))
"""RFC 9110 §15.4; only a permanent redirect says that a site has moved."""
PAGE_OCTETS = 1 << 16
"""Of the last page."""
AGENT = "aidns (checks whether a listed site has moved)"


class Net(Struct, frozen=True):
    """The way out. `find` returns addresses and ports of a host, `allowed` judges an address, `total` is in seconds."""

    find: Callable[[str, int], Sequence[tuple[str, int]]]
    allowed: Callable[[str], bool]
    total: float = TOTAL_SECONDS


class Refused(OSError):
    """The address is not one of the public Internet."""


class Walk(Struct, frozen=True):
    """Where a site led. `permanent`: hosts up to the first temporary redirect; `hosts`: every one, in order.

    `texts`: those looked for that the last page holds.
    """

    status: int
    url: str
    permanent: tuple[Name, ...] = ()
    hosts: tuple[Name, ...] = ()
    trouble: str = ""
    texts: tuple[str, ...] = ()


def is_public(address: str) -> bool:
    """Tell whether an IP address is one of the public Internet; an IPv4 one inside IPv6 is judged by itself."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if ip not in _GLOBAL_UNICAST:
            return False
    return ip.is_global and not ip.is_multicast


_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
"""All that is assigned (RFC 3513 §4); outside lie IPv4 addresses in other clothes (`::127.0.0.1`, 64:ff9b:1::/48)."""


def addresses_of(host: str, port: int) -> Sequence[tuple[str, int]]:
    """Return the addresses of a host as this machine looks them up. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys((str(address), port) for *_, (address, *_) in found))


INTERNET = Net(addresses_of, is_public)


def walk(url: str, net: Net = INTERNET, texts: Sequence[str] = ()) -> Walk:
    """Follow the redirects of a URL, and look for `texts`, in any case, on the page at their end.

    Nothing is raised, `trouble` says what ended it early.
    """
    permanent: dict[Name, None] = {}
    hosts: dict[Name, None] = {}
    lasting, status, page, trouble = True, 0, b"", f"more than {MAX_HOPS} redirects"
    with Client(net) as client:
        for _ in range(MAX_HOPS + 1):
            try:
                status, target, page = client.visit(url, PAGE_OCTETS if texts else 0)
                if not target or status not in PERMANENT | TEMPORARY:
                    trouble = ""
                    break
                url, host = next_url(url, target)
            except Exception as error:  # whatever an answer does to a parser, it ends this walk alone
                trouble = client.trouble(error)
                break
            lasting = lasting and status in PERMANENT
            hosts[host] = None
            if lasting:
                permanent[host] = None
    found = tuple(text for text in texts if text.lower().encode() in page.lower())
    return Walk(status, url, tuple(permanent), tuple(hosts), trouble, found)


def look_at(name: Name, at: int, vantage: str = "", net: Net = INTERNET, texts: Sequence[str] = ()) -> Observation:
    """Return what a look at a name's web site shows, over HTTPS, or over HTTP where that brings nothing."""
    seen = walk(f"https://{name}/", net, texts)
    if not seen.status:
        plain = walk(f"http://{name}/", net, texts)
        seen = plain if plain.status else seen
    where = f"{seen.status or 'nothing'} at {seen.url}"
    return Observation(
        name=name,
        rdtype=WEB,
        resolver=OBSERVER,
        outcome=Outcome.DATA if seen.status else Outcome.TIMEOUT,
        at=at,
        subject=name,
        detail=printable(f"{where}: {seen.trouble}" if seen.trouble else where),
        chain=tuple(host for host in seen.permanent if host != name),
        data=(*(host for host in seen.hosts if host != name), *map(page_mark, seen.texts)),
        vantage=vantage,
        operator=OBSERVER,
    )


def look_at_all(
    names: Iterable[Name], at: int, vantage: str = "", net: Net = INTERNET, texts: Sequence[str] = ()
) -> Iterator[Observation]:
    """Yield what a look at each name's web site shows, in order; several are looked at at once."""
    with ThreadPoolExecutor(WORKERS) as pool:
        yield from pool.map(lambda name: look_at(name, at, vantage, net, texts), names)


def next_url(url: str, target: str) -> tuple[str, Name]:
    """Return the URL a redirect leads to, and its host.

    Raises ValueError for what is no plain web address, InvalidName for a host that is an address or no name.
    """
    parts = urlsplit(urljoin(url, target))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{printable(target, 80)!r} is no web address")
    if parts.username is not None or parts.port not in (None, 80, 443):
        raise ValueError(f"{printable(target, 80)!r} has a user or an unusual port")
    host = normalise(parts.hostname)
    return parts._replace(netloc=f"{host}:{parts.port}" if parts.port else host, fragment="").geturl(), host


class Client:
    """Fetches from judged addresses, one redirect at a time, and is cut off when its time is over."""

    def __init__(self, net: Net) -> None:
        self._net = net
        self._open: list[socket.socket] = []
        self._over = False
        self._timer = threading.Timer(net.total, self._cut)
        self._timer.daemon = True
        self._adapter = _guarded_adapter(self._connect)

    def __enter__(self) -> Client:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()
        self._adapter.close()
        for connection in self._open:
            connection.close()

    def visit(self, url: str, most: int) -> tuple[int, str, bytes]:
        """Return status and Location of a URL, and, where it shows a page, at most so many octets of its beginning.

        Raises RequestException, OSError, ValueError.
        """
        response = self.get(url, {"User-Agent": AGENT, "Accept": "text/html", "Accept-Encoding": "identity"})
        try:
            status, target = response.status_code, location_of(response)
            return status, target, beginning_of(response, most) if most and status == 200 else b""
        finally:
            response.close()

    def get(self, url: str, headers: dict[str, str]) -> requests.Response:
        """Return a response whose body is still to be read. Raises RequestException, OSError, ValueError.

        The adapter is asked directly: a session reads the body of a redirect, however long, before it hands it out.
        """
        self.check_time()
        request = requests.Request("GET", url, headers=headers).prepare()
        trusted = os.environ.get("SSL_CERT_FILE") or True
        response = self._adapter.send(request, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS), verify=trusted)
        try:
            self.check_time()
        except TimeoutError:
            response.close()
            raise
        return response

    def check_time(self) -> None:
        """Raise TimeoutError when the time is over: what was cut off then looks like something that has ended."""
        if self._over:
            raise TimeoutError

    def trouble(self, error: Exception) -> str:
        """Return why a fetch failed, for people."""
        if self._over:
            return f"no end within {self._net.total:g} s"
        if isinstance(error, ValueError) and not isinstance(error, requests.RequestException | OSError):
            return printable(f"redirect refused: {error}", 120)
        inner: BaseException = error
        while (under := inner.__cause__ or inner.__context__) is not None and not isinstance(inner, Refused):
            inner = under
        return printable(str(inner) if isinstance(inner, Refused) else f"{type(inner).__name__}: {inner}", 160)

    def _connect(self, host: str, port: int) -> socket.socket:
        """Return a connection to an address that was looked up and judged here. Raises OSError."""
        fault: OSError = OSError(f"{printable(host, 80)} has no address")
        for address, at_port in self._net.find(host, port):
            if not self._net.allowed(address):
                fault = Refused(f"{printable(host, 80)} leads to {address}, which is not public")
                continue
            try:
                connection = socket.create_connection((address, at_port), CONNECT_SECONDS)
            except OSError as error:
                fault = error
                continue
            self._open.append(connection.dup())  # TLS takes the first one over
            if not self._over:
                return connection
            connection.close()
        raise fault

    def _cut(self) -> None:
        self._over = True
        for connection in tuple(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def location_of(response: requests.Response) -> str:
    """Return where a response sends its reader. Header text arrives as Latin-1, whatever was sent."""
    return response.headers.get("Location", "").encode("latin-1", "replace").decode("utf-8", "replace")


def beginning_of(response: requests.Response, most: int) -> bytes:
    """Return at most so many octets of a page of text, not of one that is packed; of one that breaks off, what came."""
    kind, packed = (response.headers.get(field, "") for field in ("Content-Type", "Content-Encoding"))
    page = b""
    if kind.startswith("text/html") and packed in ("", "identity"):
        with suppress(OSError):
            for piece in response.iter_content(most):
                page += piece
                if len(page) >= most:
                    break
    return page[:most]


def _guarded_adapter(connect: Callable[[str, int], socket.socket]) -> HTTPAdapter:
    """Return an adapter of requests whose connections are all made by `connect`."""

    def new_connection(self: Any) -> socket.socket:
        return connect(self.host, self.port)

    adapter = HTTPAdapter(max_retries=0)
    pools = dict(adapter.poolmanager.pool_classes_by_scheme)
    for scheme, pool in pools.items():
        guarded = type("Guarded", (pool.ConnectionCls,), {"_new_conn": new_connection})
        pools[scheme] = type("GuardedPool", (pool,), {"ConnectionCls": guarded})
    adapter.poolmanager.pool_classes_by_scheme = pools
    return adapter
