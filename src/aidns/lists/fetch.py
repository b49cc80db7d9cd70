"""Fetching lists from web addresses into the cache. [I/O: the network]

Redirects are walked one by one, only to addresses of the public Internet, never from https to http. Nothing of the
environment takes part: no proxy, cookie or password. What is no list never replaces the copy there is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import requests
from msgspec import Struct

from aidns.errors import DataError
from aidns.lists import cache
from aidns.lists.cache import MAX_OCTETS, About, Copy
from aidns.lists.sniff import SNIFFED, check_list, holds_names
from aidns.lookup.redirects import (
    MAX_HOPS,
    PERMANENT,
    TEMPORARY,
    Client,
    Net,
    addresses_of,
    is_public,
    location_of,
    next_url,
)
from aidns.names import printable

TOTAL_SECONDS = 300.0
"""For a whole fetch, redirects included."""
INTERNET = Net(addresses_of, is_public, TOTAL_SECONDS)
AGENT = "aidns (fetches a list of names)"
_CHUNK = 1 << 16

Outcome = Literal["fetched", "unchanged", "failed"]


class Fetched(Struct, frozen=True):
    """What became of one address. `detail` says why a fetch failed; `confirmed` is the copy's age in Unix seconds."""

    url: str
    outcome: Outcome
    octets: int = 0
    detail: str = ""
    confirmed: int | None = None


def fetch(url: str, now: int, folder: Path, net: Net = INTERNET) -> Fetched:
    """Fetch a list unless the server says that the copy is still right. Nothing is raised but what a disk refuses.

    A failure leaves the copy as it was.
    """
    copy = cache.find(url, folder)
    with Client(net) as client:
        try:
            response = _walk(client, url, copy)
            try:
                if response.status_code == 304 and copy:
                    copy = cache.confirm(copy, now)
                    return Fetched(url, "unchanged", confirmed=now)
                if response.status_code != 200:
                    raise ValueError(f"the server answers {response.status_code}")
                about = About(url, now, _validator(response, "ETag"), _validator(response, "Last-Modified"))
                stored = cache.store(about, _body(client, response), folder)
            finally:
                response.close()
        except (requests.RequestException, OSError, ValueError, DataError) as error:
            outside = isinstance(error, requests.RequestException | OSError)
            why = client.trouble(error) if outside else str(error)
            return Fetched(url, "failed", detail=printable(why), confirmed=copy.confirmed if copy else None)
    return Fetched(url, "fetched", stored.path.stat().st_size, confirmed=now)


def _walk(client: Client, url: str, copy: Copy | None) -> requests.Response:
    """Return the response at the end of all redirects. Raises RequestException, OSError, ValueError."""
    headers = {"User-Agent": AGENT, "Accept": "text/plain, */*;q=0.1", "Accept-Encoding": "identity"}
    if copy:
        known = {"If-None-Match": copy.about.etag, "If-Modified-Since": copy.about.modified}
        headers |= {name: value for name, value in known.items() if value}
    for _ in range(MAX_HOPS + 1):
        response = client.get(url, headers)
        target = location_of(response)
        if response.status_code not in PERMANENT | TEMPORARY or not target:
            return response
        response.close()
        url = safe_next(url, target)
    raise ValueError(f"more than {MAX_HOPS} redirects")


def safe_next(url: str, target: str) -> str:
    """Return where a redirect leads. Raises ValueError for what is no web address, or is less safe than `url`."""
    following, _host = next_url(url, target)
    if url.startswith("https:") and not following.startswith("https:"):
        raise ValueError("it leads from https to http")
    return following


def _body(client: Client, response: requests.Response) -> Iterator[bytes]:
    """Yield a list as it arrives. Raises DataError for what is none, ValueError for what is too long."""
    head = b""
    octets = 0
    for block in response.iter_content(_CHUNK):
        octets += len(block)
        if octets > MAX_OCTETS:
            raise ValueError(f"it is longer than {MAX_OCTETS >> 20} MiB")
        if len(head) < SNIFFED:
            head += block
            if len(head) < SNIFFED:
                continue
            _check(head, response.url)
            block = head
        yield block
    client.check_time()
    if len(head) < SNIFFED:
        _check(head, response.url)
        yield head


def _check(head: bytes, url: str) -> None:
    check_list(head, printable(url))
    if not holds_names(head):
        raise DataError(f"{printable(url)} holds no names")


def _validator(response: requests.Response, name: str) -> str:
    """Return a header that is sent back as it came; none where it could not be."""
    value = response.headers.get(name, "")
    return value if value.isascii() and value.isprintable() and len(value) <= 200 else ""
