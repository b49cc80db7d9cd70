"""A real NSD that serves one zone, the root with whatever a test plants in it, on a free port of loopback."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from aidns.lab.upstream import bind_both
from aidns.stub import ask
from require import skip_or_fail

ANCHOR = "anchor.key"
_START_LIMIT = 30.0
_CONFIG = """\
server:
  ip-address: 127.0.0.1@{port}
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  database: ""
  pidfile: "{folder}/pid"
  xfrdfile: "{folder}/xfrd"
  zonelistfile: "{folder}/zones"
  logfile: "{folder}/log"
  server-count: 1
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: "."
  zonefile: "root.zone"
"""
"""Its response rate limit would drop most of a burst."""


def require_nsd() -> str:
    """Return the path of NSD. Skips the test where it is missing; where CI=true it must be there."""
    program = shutil.which("nsd", path=os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin")))
    if program is None:
        skip_or_fail("not installed: nsd")
    return program


@contextmanager
def serve_root(folder: Path, records: Iterable[str], port: int = 0, *, signed: bool = False) -> Iterator[int]:
    """Serve a root zone of `records`, lines of a zone file; yield the port, which is `port` unless that is 0.

    Where it is `signed`, the key to trust is in `folder` / ANCHOR.
    """
    program = require_nsd()
    folder.mkdir(parents=True, exist_ok=True)
    head = "$ORIGIN .\n$TTL 60\n. SOA ns. hostmaster. 1 3600 600 86400 60\n. NS ns.\nns. A 192.0.2.53\n"
    (folder / "root.zone").write_text(head + "".join(f"{line}\n" for line in records), "ascii")
    if signed:
        _sign(folder)
    port = port or free_port()
    (folder / "nsd.conf").write_text(_CONFIG.format(port=port, folder=folder), "utf-8")
    command = [program, "-d", "-c", str(folder / "nsd.conf")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        _wait(process, port, folder)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(10)


def _wait(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    end = time.monotonic() + _START_LIMIT
    while time.monotonic() < end:
        try:
            if ask(port, ".", "SOA", timeout=0.1).rcode == "NOERROR":
                return
        except TimeoutError:
            if process.poll() is not None:
                break
    raise AssertionError(f"nsd did not start: {(folder / 'log').read_text()[-2000:]}")


def _sign(folder: Path) -> None:
    def run(*command: str) -> str:
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()

    key = run("dnssec-keygen", "-q", "-a", "ECDSAP256SHA256", "-f", "KSK", ".")
    run("dnssec-keygen", "-q", "-a", "ECDSAP256SHA256", ".")
    run("dnssec-signzone", "-S", "-o", ".", "-f", "signed.zone", "root.zone")
    (folder / "signed.zone").replace(folder / "root.zone")
    (folder / f"{key}.key").replace(folder / ANCHOR)


def free_port() -> int:
    """Return a port that is free for UDP and TCP."""
    udp, tcp = bind_both()
    with udp, tcp:
        return int(udp.getsockname()[1])
