"""Fetching lists: into the cache, from public addresses only, never putting rubbish in place of a list."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from aidns.lists import cache, fetch
from aidns.lists.fetch import Fetched
from aidns.lookup.redirects import Net, is_public
from samples import NOW

LIST = b"# a list\n" + b"".join(b"||host%d.example^\n" % number for number in range(9000))
URL = "http://lists.example.net/list.txt"


class Lists(ThreadingHTTPServer):
    """A web server on loopback whose pages a test sets; `asked` are the requests it got."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[dict[str, str]] = []
        super().__init__(("127.0.0.1", 0), Answer)

    def net(self, total: float = 20.0) -> Net:
        """The way to it: every name leads here, and loopback is allowed."""
        return Net(self.find, lambda address: address == "127.0.0.1", total)

    def find(self, host: str, port: int) -> Sequence[tuple[str, int]]:
        return [("127.0.0.1", self.server_address[1])]

    def fetch(self, folder: Path, now: int = NOW, url: str = URL) -> Fetched:
        return fetch.fetch(url, now, folder, self.net())


class Answer(BaseHTTPRequestHandler):
    server: Lists

    def do_GET(self) -> None:
        self.server.asked.append({key.lower(): value for key, value in self.headers.items()})
        status, headers, body = self.server.pages.get(self.path, (404, {}, b""))
        etag = headers.get("ETag")
        if etag and self.headers.get("If-None-Match") == etag:
            status, body = 304, b""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def lists() -> Iterator[Lists]:
    server = Lists()
    server.pages["/list.txt"] = (200, {"ETag": '"1"', "Last-Modified": formatdate(0, usegmt=True)}, LIST)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def content(folder: Path, url: str = URL) -> bytes:
    copy = cache.find(url, folder)
    assert copy
    with cache.read(copy) as stream:
        return stream.read()


def test_a_list_is_fetched_whole(lists: Lists, tmp_path: Path) -> None:
    assert lists.fetch(tmp_path).outcome == "fetched"
    assert content(tmp_path) == LIST
    assert {"cookie", "authorization", "if-none-match"}.isdisjoint(lists.asked[0])


def test_an_unchanged_list_is_confirmed_and_not_sent_again(lists: Lists, tmp_path: Path) -> None:
    lists.fetch(tmp_path)
    assert lists.fetch(tmp_path, NOW + 500) == Fetched(URL, "unchanged", confirmed=NOW + 500)
    assert lists.asked[1]["if-none-match"] == '"1"'
    copy = cache.find(URL, tmp_path)
    assert copy and (copy.about.fetched, copy.confirmed) == (NOW, NOW + 500)
    lists.pages["/list.txt"] = (200, {"ETag": '"2"'}, b"new.example\n")
    assert lists.fetch(tmp_path).outcome == "fetched"
    assert content(tmp_path) == b"new.example\n"


@pytest.mark.parametrize(
    ("page", "why"),
    [
        ((404, {}, b"a.example\n"), "404"),
        ((200, {}, b"<!doctype html><p>see a.example"), "not a list"),
        ((200, {}, b""), "holds no names"),
        ((200, {}, b"# nothing\n\n"), "holds no names"),
        ((200, {}, b"\x1f\x8b\x08 packed"), "gzip"),
        ((200, {"Content-Length": "100000"}, b"a.example\n"), "incomplete"),
        ((304, {}, b""), "304"),
        ((302, {"Location": "ftp://lists.example.net/"}, b""), "no web address"),
        ((302, {"Location": "http://u:p@lists.example.net/"}, b""), "user"),
        ((301, {"Location": URL}, b""), "redirects"),
    ],
)
def test_what_is_no_list_never_replaces_the_copy(
    lists: Lists, tmp_path: Path, page: tuple[int, dict[str, str], bytes], why: str
) -> None:
    lists.fetch(tmp_path)
    lists.pages["/list.txt"] = page
    failed = lists.fetch(tmp_path, NOW + 500)
    if page[0] == 304:
        assert failed.outcome == "unchanged"
    else:
        assert (failed.outcome, failed.confirmed) == ("failed", NOW)
        assert why.lower() in failed.detail.lower()
    assert content(tmp_path) == LIST
    assert len(list(tmp_path.iterdir())) == 1


def test_a_first_answer_that_nothing_changed_is_no_list(lists: Lists, tmp_path: Path) -> None:
    lists.pages["/list.txt"] = (304, {}, b"")
    assert lists.fetch(tmp_path).outcome == "failed"
    assert cache.find(URL, tmp_path) is None


def test_redirects_are_followed(lists: Lists, tmp_path: Path) -> None:
    lists.pages["/old"] = (301, {"Location": "/list.txt"}, b"x" * 10)
    url = "http://lists.example.net/old"
    assert lists.fetch(tmp_path, url=url).outcome == "fetched"
    assert content(tmp_path, url) == LIST


def test_a_list_that_is_too_long_is_cut_off(lists: Lists, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "MAX_OCTETS", len(LIST) - 1)
    failed = lists.fetch(tmp_path)
    assert failed.outcome == "failed" and "longer" in failed.detail
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fe80::1", "::ffff:10.0.0.1"])
def test_private_addresses_are_never_connected_to(address: str, tmp_path: Path) -> None:
    """The address that was judged is the one connected to; a name that leads into a private network gets nothing."""
    asked: list[str] = []

    def find(host: str, port: int) -> Sequence[tuple[str, int]]:
        asked.append(host)
        return [(address, 9)]

    failed = fetch.fetch("http://rebound.example.net/", NOW, tmp_path, Net(find, is_public, 5.0))
    assert failed.outcome == "failed" and "not public" in failed.detail
    assert asked == ["rebound.example.net"]


def test_a_redirect_into_a_private_network_is_refused(lists: Lists, tmp_path: Path) -> None:
    lists.pages["/list.txt"] = (302, {"Location": "http://router.example.net/"}, b"")
    inside = ("10.0.0.1", 80)

    def find(host: str, port: int) -> Sequence[tuple[str, int]]:
        return [inside] if host.startswith("router") else lists.find(host, port)

    net = Net(find, lambda address: address == "127.0.0.1", 5.0)
    failed = fetch.fetch(URL, NOW, tmp_path, net)
    assert failed.outcome == "failed" and "10.0.0.1" in failed.detail


def test_a_redirect_from_https_to_http_is_refused() -> None:
    assert fetch.safe_next("https://a.example/x", "/y") == "https://a.example/y"
    assert fetch.safe_next("http://a.example/x", "https://b.example/") == "https://b.example/"
    with pytest.raises(ValueError, match="https to http"):
        fetch.safe_next("https://a.example/x", "http://a.example/x")


def test_a_damaged_copy_is_no_copy(lists: Lists, tmp_path: Path) -> None:
    lists.fetch(tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(b"{\n" + LIST)
    assert cache.find(URL, tmp_path) is None
    assert lists.fetch(tmp_path).outcome == "fetched"
