"""Every kind of server starts in private, obeys a hand-written list, forwards the rest, and goes away."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from aidns.errors import EnvironmentFault, UsageError
from aidns.lab import servers
from aidns.lab.kinds import KINDS
from aidns.lab.servers import check_file, start
from aidns.lab.upstream import Upstream
from aidns.stub import ask, ask_many

CANARY = "p.aidns-canary.example"
RPZ = """\
$TTL 60
@ SOA localhost. hostmaster.localhost. 1 3600 600 86400 60
@ NS localhost.
p.aidns-canary.example A 0.0.0.0
p.aidns-canary.example AAAA ::
blocked.com CNAME .
*.blocked.com CNAME .
"""
RPZ_ALLOW = """\
$TTL 60
@ SOA localhost. hostmaster.localhost. 1 3600 600 86400 60
@ NS localhost.
ok.blocked.com CNAME rpz-passthru.
*.ok.blocked.com CNAME rpz-passthru.
"""
UNBOUND = """\
server:
local-zone: "p.aidns-canary.example." redirect
local-data: "p.aidns-canary.example. A 0.0.0.0"
local-zone: "blocked.com." always_nxdomain
"""
HOSTS = """\
0.0.0.0 p.aidns-canary.example
0.0.0.0 blocked.com
:: blocked.com
"""
DNSMASQ = """\
address=/p.aidns-canary.example/#
local=/p.aidns-canary.example/
address=/blocked.com/
"""
SERVERS_FILE = """\
server=/p.aidns-canary.example/
server=/blocked.com/
"""
STORE = """\
p.aidns-canary.example bp
blocked.com bb
"""
TEXT = {
    "unbound": UNBOUND,
    "dnsmasq": DNSMASQ,
    "dnsmasq-servers": SERVERS_FILE,
    "dnsmasq-hosts": HOSTS,
    "dnsdist-cdb": STORE,
}

each_kind = pytest.mark.parametrize("kind", [pytest.param(kind, marks=pytest.mark.server(kind)) for kind in KINDS])


@pytest.fixture
def list_file(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """The hand-written list in the format of the test's kind, under a name that every configuration must survive."""
    path = tmp_path / 'a "list" with blanks; and worse'
    path.write_text(TEXT.get(request.getfixturevalue("kind"), RPZ), "ascii")
    return path


@each_kind
def test_blocks_its_list_and_forwards_the_rest(kind: str, list_file: Path, upstream: Upstream) -> None:
    with start(kind, [list_file], upstream=upstream.port, canary=CANARY) as server:
        blocked = ask(server.port, "blocked.com")
        assert blocked.rcode == "NXDOMAIN" or blocked.data("A") == ("0.0.0.0",)
        for rdtype, data in (("A", "192.0.2.1"), ("AAAA", "2001:db8::1"), ("TXT", f'"upstream-{upstream.port}"')):
            assert ask(server.port, "xblocked.com", rdtype).data(rdtype) == (data,)
            assert ask(server.port, "tcp.xblocked.com", rdtype, tcp=True).data(rdtype) == (data,)
        denied = ask(server.port, "nx-a.shop.com")
        assert denied.rcode == "NXDOMAIN"
        assert denied.authority_soa is not None
        assert denied.authority_soa.name == "shop.com"
    assert ("xblocked.com", "AAAA") in upstream.seen
    assert ("blocked.com", "A") not in upstream.seen
    assert CANARY not in upstream.seen_names()


@each_kind
def test_answers_thousands_of_questions(kind: str, list_file: Path, upstream: Upstream) -> None:
    with start(kind, [list_file], upstream=upstream.port, canary=CANARY) as server:
        for tcp in (False, True):
            replies = ask_many(server.port, [(f"n{i}.com", "A") for i in range(2000)], tcp=tcp)
            assert {reply.data("A") if reply else None for reply in replies} == {("192.0.2.1",)}


@each_kind
def test_is_gone_afterwards(kind: str, list_file: Path, upstream: Upstream) -> None:
    with start(kind, [list_file], upstream=upstream.port, canary=CANARY) as server:
        assert not server.ended()
    assert server.ended()
    assert not server.folder.exists()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", server.port))


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.server(kind)) for kind in ("unbound-rpz", "bind-rpz", "pdns-rpz")]
)
def test_an_allow_file_comes_first(kind: str, list_file: Path, tmp_path: Path, upstream: Upstream) -> None:
    allow = tmp_path / "allow"
    allow.write_text(RPZ_ALLOW, "ascii")
    with start(kind, [list_file], upstream=upstream.port, canary=CANARY, allow=allow) as server:
        assert ask(server.port, "x.ok.blocked.com").data("A") == ("192.0.2.1",)
        assert ask(server.port, "x.blocked.com").rcode == "NXDOMAIN"


@each_kind
def test_a_list_without_the_canary_never_counts_as_loaded(
    kind: str, tmp_path: Path, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "list"
    path.write_text(TEXT.get(kind, RPZ), "ascii")
    monkeypatch.setattr(servers, "START_LIMIT", 0.2)
    with (
        pytest.raises(EnvironmentFault, match="canary is not answered"),
        start(kind, [path], upstream=upstream.port, canary="other.aidns-canary.example"),
    ):
        pass


@pytest.mark.server("unbound")
def test_failure_shows_the_end_of_the_log(tmp_path: Path, upstream: Upstream) -> None:
    path = tmp_path / "list"
    path.write_text(UNBOUND + 'local-zone: "a"b." always_nxdomain\n', "ascii")
    with (
        pytest.raises(EnvironmentFault, match=r"ended by itself(.|\n)*list0:5: error") as caught,
        start("unbound", [path], upstream=upstream.port, canary=CANARY),
    ):
        pass
    assert caught.value.exit_code == 4


@each_kind
def test_a_port_that_was_taken_meanwhile_is_given_up(
    kind: str, list_file: Path, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = servers._free_port()
    ports = iter([upstream.port, free])
    monkeypatch.setattr(servers, "_free_port", lambda: next(ports))
    with start(kind, [list_file], upstream=upstream.port, canary=CANARY) as server:
        assert server.port == free


@pytest.mark.server("dnsmasq-hosts")
def test_a_kind_without_allow_files_says_so(tmp_path: Path) -> None:
    with (
        pytest.raises(UsageError, match="no allow file"),
        start("dnsmasq-hosts", [], upstream=1, canary=CANARY, allow=tmp_path),
    ):
        pass


def test_an_unknown_kind_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="no server kind 'nsd'") as caught:
        servers.available("nsd")
    assert "bind-rpz" in caught.value.tip


def test_a_missing_program_is_a_fault_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(servers, "_PATHS", ())
    assert servers.missing("unbound") == ("unbound", "unbound-checkconf")
    with (
        pytest.raises(EnvironmentFault, match="unbound needs unbound"),
        start("unbound", [], upstream=1, canary=CANARY),
    ):
        pass


@pytest.mark.parametrize(
    ("kind", "defect", "complaint"),
    [
        pytest.param("unbound", 'local-zone: "a..b." deny', "bad zone name a..b.", marks=pytest.mark.server("unbound")),
        pytest.param("unbound", 'local-zone: "blocked.com." deny', "duplicate", marks=pytest.mark.server("unbound")),
        pytest.param("unbound-rpz", "a..b CNAME .", "Empty label", marks=pytest.mark.server("unbound-rpz")),
        pytest.param("bind-rpz", "a..b CNAME .", "empty label", marks=pytest.mark.server("bind-rpz")),
        pytest.param("bind-rpz", "x.com. CNAME .", "ignoring out-of-zone data", marks=pytest.mark.server("bind-rpz")),
    ],
)
def test_checkers_complain_of_defects_alone(kind: str, defect: str, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text(TEXT.get(kind, RPZ), "ascii")
    assert check_file(kind, path) == (0, "")
    path.write_text(TEXT.get(kind, RPZ) + defect + "\n", "ascii")
    assert complaint in check_file(kind, path)[1]


AS_NOBODY = """
import encodings.idna, os, sys, tempfile  # nothing can be imported later: the venv may be private to root
from pathlib import Path
from aidns.lab.servers import start
from aidns.lab.upstream import Upstream
from aidns.stub import ask
os.setgroups([]); os.setgid(65534); os.setuid(65534)
kind, text = sys.argv[1:]
with tempfile.NamedTemporaryFile("w") as file, Upstream() as upstream:
    file.write(text)
    file.flush()
    with start(kind, [Path(file.name)], upstream=upstream.port, canary="p.aidns-canary.example") as server:
        print(ask(server.port, "free.com").data("A"))
"""


@each_kind
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_needs_no_privilege(kind: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, kind, TEXT.get(kind, RPZ)], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("('192.0.2.1',)\n", "")
