"""Where sites lead: redirects are walked, bounded in number, size and time, and never into a private network."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from aidns.lookup import redirects
from aidns.lookup.redirects import MAX_HOPS, Net, Walk, is_public, look_at, look_at_all, walk
from aidns.model import WEB, Outcome
from aidns.names import Name

Say = Callable[[socket.socket, str], None]


class Sites:
    """Web sites on loopback, told apart by their Host header; `visits` holds host and path of every request."""

    def __init__(self) -> None:
        self.say: dict[str, bytes | Say] = {}
        self.visits: list[str] = []
        self.looked_up: list[str] = []
        self._sockets = [socket.create_server(("127.0.0.1", 0))]
        self.port, self.tls_port = self._sockets[0].getsockname()[1], 0
        threading.Thread(target=self._serve, args=(self._sockets[0],), daemon=True).start()

    def speak_tls(self, certificate: trustme.LeafCert) -> None:
        """From now on there is TLS, with this certificate for every name."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        plain = socket.create_server(("127.0.0.1", 0))
        self.tls_port = plain.getsockname()[1]
        self._sockets.append(context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False))
        threading.Thread(target=self._serve, args=(self._sockets[-1],), daemon=True).start()

    def net(self, total: float = 10.0) -> Net:
        """The way to them: every name leads here, and loopback is allowed."""
        return Net(self.find, lambda address: address == "127.0.0.1", total)

    def find(self, host: str, port: int) -> Sequence[tuple[str, int]]:
        self.looked_up.append(host)
        if port == 443 and not self.tls_port:
            raise OSError("no TLS here")
        return [("127.0.0.1", self.tls_port if port == 443 else self.port)]

    def redirect(self, host: str, to: str, status: int = 301) -> None:
        self.say[host] = f"HTTP/1.1 {status} x\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()

    def show(self, host: str, page: str, kind: str = "text/html; charset=utf-8") -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(page)}\r\n\r\n"
        self.say[host] = (head + page).encode()

    def _serve(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            head = b""
            while b"\r\n\r\n" not in head:
                if not (more := connection.recv(4096)):
                    return
                head += more
            lines = head.decode("latin-1").split("\r\n")
            host = next(line.split(": ")[1] for line in lines if line.lower().startswith("host:"))
            self.visits.append(host + lines[0].split()[1])
            said = self.say.get(host, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            connection.sendall(said) if isinstance(said, bytes) else said(connection, host)

    def close(self) -> None:
        for listening in self._sockets:
            listening.close()


@pytest.fixture
def sites() -> Iterator[Sites]:
    made = Sites()
    yield made
    made.close()


def test_permanent_redirects_are_walked_hop_by_hop(sites: Sites) -> None:
    sites.redirect("old.com", "http://www.old.com/", 308)
    sites.redirect("www.old.com", "//new.net/welcome?a=b#c", 301)
    found = walk("http://old.com/", sites.net())
    assert found == Walk(200, "http://new.net/welcome?a=b", ("www.old.com", "new.net"), ("www.old.com", "new.net"))
    assert sites.visits == ["old.com/", "www.old.com/", "new.net/welcome?a=b"]


@pytest.mark.parametrize("status", [302, 303, 307])
def test_from_the_first_temporary_redirect_on_nothing_has_moved(sites: Sites, status: int) -> None:
    sites.redirect("old.com", "http://a.net/")
    sites.redirect("a.net", "http://b.net/", status)
    sites.redirect("b.net", "http://c.net/")
    found = walk("http://old.com/", sites.net())
    assert (found.permanent, found.hosts) == (("a.net",), ("a.net", "b.net", "c.net"))


@pytest.mark.parametrize("status", [200, 300, 304, 404, 500])
def test_other_answers_end_the_walk(sites: Sites, status: int) -> None:
    sites.redirect("old.com", "http://a.net/", status)
    assert walk("http://old.com/", sites.net()) == Walk(status, "http://old.com/")


def test_a_circle_ends(sites: Sites) -> None:
    sites.redirect("a.net", "http://b.net/")
    sites.redirect("b.net", "http://a.net/")
    found = walk("http://a.net/", sites.net())
    assert "redirects" in found.trouble
    assert len(sites.visits) == MAX_HOPS + 1


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1/", "http://[::1]/", "http://2130706433/", "http://0x7f.1/", "ftp://a.net/", "file:///etc/passwd",
        "http://user:pw@a.net/", "http://a.net:22/", "http://a.net:99999/", "http://localhost/", "javascript:x",
        "http://[::1", "http://a..net/", "http://\u2488.net/", "http://a.net\\@b.net/",
    ],
)  # fmt: skip
def test_targets_that_are_no_plain_web_addresses_are_not_fetched(sites: Sites, target: str) -> None:
    sites.redirect("old.com", target)
    found = walk("http://old.com/", sites.net())
    assert found.trouble or found.url == "http://old.com/"
    assert sites.visits == ["old.com/"]
    assert found.hosts == ()


def test_names_outside_ascii_are_written_as_a_labels(sites: Sites) -> None:
    sites.redirect("old.com", "http://bücher.de/")
    assert walk("http://old.com/", sites.net()).hosts == ("xn--bcher-kva.de",)


def test_an_address_is_judged_as_it_is_connected_to(sites: Sites) -> None:
    """A name that is public when looked up first and private the second time gains nothing: there is no second time."""
    answers = iter(["192.0.2.1", "127.0.0.1"])
    judged: list[str] = []

    def find(host: str, port: int) -> Sequence[tuple[str, int]]:
        return [(next(answers), sites.port)]

    def allowed(address: str) -> bool:
        judged.append(address)
        return is_public(address)

    found = walk("http://rebind.net/", Net(find, allowed))
    assert (found.status, judged) == (0, ["192.0.2.1"])
    found = walk("http://rebind.net/", Net(find, allowed))
    assert (found.status, judged) == (0, ["192.0.2.1", "127.0.0.1"])
    assert "127.0.0.1, which is not public" in found.trouble
    assert sites.visits == []


def test_each_hop_is_judged(sites: Sites) -> None:
    sites.redirect("old.com", "http://inside.net/")

    def find(host: str, port: int) -> Sequence[tuple[str, int]]:
        return [("10.0.0.1" if host == "inside.net" else "127.0.0.1", sites.port)]

    found = walk("http://old.com/", Net(find, lambda address: address == "127.0.0.1"))
    assert "10.0.0.1, which is not public" in found.trouble
    assert found.hosts == ("inside.net",)


def test_this_machine_is_never_visited_by_default(sites: Sites) -> None:
    found = walk(f"http://localhost:{sites.port}/")
    assert "not public" in found.trouble
    assert sites.visits == []


def test_a_proxy_of_the_environment_is_not_used(sites: Sites, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert walk("http://old.com/", sites.net()).status == 200


def test_a_body_is_not_read(sites: Sites) -> None:
    """Not even that of a redirect, which the library's own session would read to its end."""
    sent: list[int] = []

    def flood(connection: socket.socket, _host: str) -> None:
        connection.sendall(b"HTTP/1.1 301 x\r\nLocation: http://new.net/\r\n\r\n")
        with suppress(OSError):
            while sum(sent) < 1 << 28:
                sent.append(connection.send(bytes(1 << 16)))

    sites.say["old.com"] = flood
    assert walk("http://old.com/", sites.net()).hosts == ("new.net",)
    assert sum(sent) < 1 << 25


def test_a_head_without_end_is_cut_off(sites: Sites) -> None:
    def endless(connection: socket.socket, _host: str) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(b"X-More: " + bytes(60000).replace(b"\0", b"a") + b"\r\n")

    sites.say["old.com"] = endless
    found = walk("http://old.com/", sites.net())
    assert (found.status, bool(found.trouble)) == (0, True)


@pytest.mark.parametrize("piece", [b"X-Slow: ", b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_a_head_that_drips_is_cut_off(sites: Sites, piece: bytes) -> None:
    """Every byte starts the reader's time-out anew; the whole walk has one of its own."""

    def drip(connection: socket.socket, _host: str) -> None:
        if piece.startswith(b"X"):
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(piece if piece.startswith(b"H") else piece[:1])
            time.sleep(0.02)

    sites.say["old.com"] = drip
    found = walk("http://old.com/", sites.net(total=0.4))
    assert found.trouble == "no end within 0.4 s"


def test_a_look_tells_what_is_worth_remembering(sites: Sites) -> None:
    name = Name("old.com")
    sites.redirect(name, "http://www.old.com/")
    sites.redirect("www.old.com", "http://new.net/", 302)
    seen = look_at(name, 7, "eu", sites.net())
    assert (seen.name, seen.rdtype, seen.outcome, seen.at, seen.vantage) == (name, WEB, Outcome.DATA, 7, "eu")
    assert (seen.chain, seen.data) == (("www.old.com",), ("www.old.com", "new.net"))
    assert seen.detail == "200 at http://new.net/"
    assert sites.looked_up[:2] == [name, name], "HTTPS first, HTTP where that brings nothing"


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """An authority that is trusted."""
    made = trustme.CA()
    made.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return made


def test_sites_are_looked_at_over_tls(sites: Sites, authority: trustme.CA) -> None:
    sites.speak_tls(authority.issue_cert("old.com", "new.net"))
    sites.redirect("old.com", "https://new.net/start")
    seen = look_at(Name("old.com"), 7, net=sites.net())
    assert (seen.outcome, seen.chain, seen.detail) == (Outcome.DATA, ("new.net",), "200 at https://new.net/start")


def test_a_certificate_for_another_name_shows_nothing(sites: Sites, authority: trustme.CA) -> None:
    """Nor does it lead anywhere: what answers under a name without its certificate need not be the name's site."""
    sites.speak_tls(authority.issue_cert("other.net"))
    sites.redirect("old.com", "https://new.net/")
    assert walk("https://old.com/", sites.net()).hosts == ()
    assert sites.visits == []
    assert "certificate" in walk("https://old.com/", sites.net()).trouble.lower()


def test_a_certificate_that_nobody_trusts_shows_nothing(sites: Sites, authority: trustme.CA) -> None:
    sites.speak_tls(trustme.CA().issue_cert("old.com"))
    assert walk("https://old.com/", sites.net()).status == 0
    assert sites.visits == []


def test_the_page_at_the_end_is_searched_for_texts(sites: Sites) -> None:
    texts = ("parked for FREE by", "Sponsored Listings")
    sites.redirect("old.com", "http://new.net/")
    sites.show("new.net", "<html>This page is Parked For Free By nobody")
    assert walk("http://old.com/", sites.net(), texts).texts == texts[:1]
    assert look_at(Name("old.com"), 7, net=sites.net(), texts=texts).data == ("new.net", f"page={texts[0]}")
    assert walk("http://old.com/", sites.net()).texts == (), "nothing is looked for"


def test_only_the_beginning_of_a_page_of_text_counts(sites: Sites) -> None:
    sites.show("late.com", " " * redirects.PAGE_OCTETS + "Sponsored Listings")
    sites.show("data.com", "Sponsored Listings", "application/octet-stream")
    sites.say["gzip.com"] = sites.say["late.com"].replace(b"Content-Len", b"Content-Encoding: gzip\r\nContent-Len")
    sites.say["gone.com"] = sites.say["late.com"].replace(b"200 OK", b"404 No").replace(b" " * 9000, b"")
    for host in ("late.com", "data.com", "gzip.com", "gone.com"):
        assert walk(f"http://{host}/", sites.net(), ("Sponsored Listings",)) == Walk(
            404 if host == "gone.com" else 200, f"http://{host}/"
        )


def test_a_page_that_breaks_off_shows_nothing(sites: Sites) -> None:
    sites.say["old.com"] = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\nZZ"
    assert walk("http://old.com/", sites.net(), ("Sponsored Listings",)).status == 200


def test_a_site_that_does_not_answer_is_no_answer() -> None:
    def find(host: str, port: int) -> Sequence[tuple[str, int]]:
        raise OSError(f"no\r\n\x1b[2J{host}")

    (seen,) = look_at_all([Name("old.com")], 7, net=Net(find, is_public))
    assert (seen.outcome, seen.chain, seen.data) == (Outcome.TIMEOUT, (), ())
    assert seen.detail.isprintable()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1", "::ffff:10.0.0.1",
        "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1", "240.0.0.1", "198.18.0.1",
        "::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b:1::a00:1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["9.9.9.9", "1.1.1.1", "2620:fe::fe", "::ffff:9.9.9.9", "64:ff9b::909:909"])
def test_addresses_that_are(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses())
def test_what_is_not_global_is_never_public(address: object) -> None:
    if getattr(address, "is_private", False) and not getattr(address, "ipv4_mapped", None):
        inner = getattr(address, "sixtofour", None) or getattr(address, "teredo", None)
        assert inner or not is_public(str(address))


def test_the_limits_are_documented() -> None:
    from documents import ROOT

    page = (ROOT / "docs" / "checking.md").read_text("utf-8")
    assert f"at most {MAX_HOPS} redirects" in page
    assert f"{redirects.TOTAL_SECONDS:g} seconds" in page
    assert f"{redirects.PAGE_OCTETS:,} octets" in page
