"""DNS over TLS and over HTTPS, against a real unbound whose certificate the test made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dns.query
import pytest
import trustme

from aidns.lab.servers import start
from aidns.lab.upstream import Upstream, bind_both
from require import skip_or_fail

pytestmark = pytest.mark.server("unbound")
HOST, NAME, DENIED, CANARY = "dns.office.test", "www.shop.com", "nx-a.shop.com", "office.aidns-canary.example"
CODE = "from aidns.cli import main; main()"
WITHOUT_EXTRA = f'import dns._features; dns._features.force("doh", False); {CODE}'


class Encrypted:
    """A running unbound: its ports, and the file of the authority that signed for it."""

    def __init__(self, tls: int, https: int, authority: Path) -> None:
        self.tls, self.https, self.authority = tls, https, authority


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Encrypted]:
    folder = tmp_path_factory.mktemp("encrypted")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    certificate = authority.issue_cert(HOST, "127.0.0.1")
    certificate.private_key_pem.write_to_path(str(folder / "key.pem"))
    for pem in certificate.cert_chain_pems:
        pem.write_to_path(str(folder / "chain.pem"), append=True)
    tls, https = _free_port(), _free_port()
    settings = folder / "list"
    settings.write_text(
        f"""\
server:
  interface: 127.0.0.1@{tls}
  interface: 127.0.0.1@{https}
  tls-port: {tls}
  https-port: {https}
  tls-service-key: "{folder}/key.pem"
  tls-service-pem: "{folder}/chain.pem"
"""
    )
    with Upstream() as upstream, start("unbound", [settings], upstream=upstream.port, canary=NAME):
        yield Encrypted(tls, https, folder / "ca.pem")


def _free_port() -> int:
    udp, tcp = bind_both()
    with udp, tcp:
        return int(tcp.getsockname()[1])


def check(resolver: str, state: Path, authority: Path | None, code: str = CODE) -> subprocess.CompletedProcess[str]:
    """Ask for two names with the certificates of `authority` trusted."""
    environment = os.environ | ({"SSL_CERT_FILE": str(authority)} if authority else {})
    arguments = ["check", "--state", str(state), "--json", "--resolver", resolver, NAME, DENIED]
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], env=environment, capture_output=True, text=True, check=False
    )


def standings(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    assert done.returncode == 0, done.stderr
    return {verdict["name"]: verdict["standing"] for verdict in json.loads(done.stdout)["verdicts"]}


@pytest.fixture
def _https_extra() -> None:
    """DNS over HTTPS is an extra; where CI=true it must be there."""
    if not dns.query.have_doh:
        skip_or_fail("not installed: aidns[doh]")


@pytest.mark.parametrize("spec", ["tls://127.0.0.1:{}", f"tls://127.0.0.1:{{}}#{HOST}"])
def test_tls_with_a_certificate_for_address_or_name(server: Encrypted, spec: str, tmp_path: Path) -> None:
    found = standings(check(spec.format(server.tls), tmp_path / "state", server.authority))
    assert found == {NAME: "live", DENIED: "suspect"}


@pytest.mark.usefixtures("_https_extra")
def test_https(server: Encrypted, tmp_path: Path) -> None:
    found = standings(check(f"https://127.0.0.1:{server.https}/dns-query", tmp_path / "state", server.authority))
    assert found == {NAME: "live", DENIED: "suspect"}


def test_tls_with_a_certificate_for_another_name_is_no_answer(server: Encrypted, tmp_path: Path) -> None:
    done = check(f"tls://127.0.0.1:{server.tls}#dns.other.test", tmp_path / "state", server.authority)
    assert done.returncode == 4
    assert "CERTIFICATE_VERIFY_FAILED" in done.stderr


@pytest.mark.parametrize("scheme", ["tls", "https"])
@pytest.mark.usefixtures("_https_extra")
def test_a_certificate_nobody_trusts_is_no_answer(server: Encrypted, scheme: str, tmp_path: Path) -> None:
    port = server.tls if scheme == "tls" else server.https
    done = check(f"{scheme}://127.0.0.1:{port}", tmp_path / "state", None)
    assert (done.returncode, done.stdout) == (4, "")
    assert "no resolver answered" in done.stderr


def test_https_without_the_extra_says_what_to_install(tmp_path: Path) -> None:
    done = check("https://127.0.0.1:1/dns-query", tmp_path / "state", None, WITHOUT_EXTRA)
    assert done.returncode == 4
    assert "aidns[doh]" in done.stderr
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("spec", ["tls://127.0.0.1:{}", "https://127.0.0.1:{}/"])
@pytest.mark.usefixtures("_https_extra")
def test_a_closed_port_is_no_answer(spec: str, tmp_path: Path) -> None:
    done = check(spec.format(_free_port()), tmp_path / "state", None)
    assert done.returncode == 4
    assert "Traceback" not in done.stderr
