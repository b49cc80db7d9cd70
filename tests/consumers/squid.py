"""A real squid in front of a web server of ours: requests through it are denied by the list, or reach that server."""

from __future__ import annotations

import http.client
import http.server
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from aidns.lab.upstream import bind_both
from aidns.render.consumers import CONSUMERS

CONSUMER = CONSUMERS["squid"]
_SETTINGS = """\
{snippet}
http_access allow all
http_port 127.0.0.1:{port}
cache_peer 127.0.0.1 parent {origin} 0 no-query originserver
never_direct allow all
cache deny all
pid_filename {folder}/squid.pid
access_log none
cache_log /dev/null
cache_store_log none
coredump_dir {folder}
visible_hostname lab
pinger_enable off
memory_pools off
cache_mem 0
shutdown_lifetime 0 seconds
"""
_START_LIMIT = 20


class _Origin(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def missing() -> str:
    """Return why this machine cannot, or nothing."""
    return "" if shutil.which("squid", path="/usr/sbin:/usr/local/sbin:/usr/bin") else "squid is not installed"


def _config(text: str, folder: Path, port: int, origin: int) -> Path:
    config = folder / "squid.conf"
    snippet = CONSUMER.snippets[0].text.replace(CONSUMER.path, str(write(folder, text)))
    config.write_text(_SETTINGS.format(snippet=snippet, port=port, origin=origin, folder=folder), "utf-8")
    return config


def write(folder: Path, text: str) -> Path:
    """Write the list that squid reads; return its path."""
    path = folder / "list.txt"
    path.write_text(text, "ascii")
    return path


def carry_out(command: str, folder: Path, port: int) -> None:
    """Run a command line whose `squid` is the one that runs at a port."""
    tools = folder / "bin"
    tools.mkdir()
    tool = tools / "squid"
    tool.write_text(f'#!/bin/sh\nexec /usr/sbin/squid -n {_service(port)} -f {folder}/squid.conf "$@"\n')
    tool.chmod(0o755)
    environment = {"PATH": f"{tools}:/usr/sbin:/usr/bin:/bin"}
    done = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _service(port: int) -> str:
    """Return what names the shared memory of one squid, which it leaves behind."""
    return f"aidns{port}"


def complaints(text: str, folder: Path) -> list[str]:
    """Return what `squid -k parse` has against a list."""
    done = subprocess.run(
        ["/usr/sbin/squid", "-k", "parse", "-f", str(_config(text, folder, 3128, 80))],
        capture_output=True,
        text=True,
        check=False,
    )
    words = ("WARNING", "ERROR", "FATAL", "Bungled")
    return [line for line in done.stderr.splitlines() if any(word in line for word in words)]


@contextmanager
def running(text: str, folder: Path) -> Iterator[int]:
    """Run squid with a list; yield its port."""
    udp, tcp = bind_both()
    port = udp.getsockname()[1]
    udp.close()
    tcp.close()
    origin = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Origin)
    thread = threading.Thread(target=origin.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    config = _config(text, folder, port, origin.server_port)
    service = _service(port)
    process = subprocess.Popen(
        ["/usr/sbin/squid", "-N", "-n", service, "-f", str(config)], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait(port, process)
        yield port
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        for left in Path("/dev/shm").glob(f"{service}-*"):  # noqa: S108 - squid chose the place
            left.unlink()
        origin.shutdown()
        origin.server_close()
        thread.join()


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_LIMIT
    while True:
        with suppress(OSError):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.connect()
            connection.close()
            return
        assert process.poll() is None, "squid ended by itself"
        assert time.monotonic() < deadline, "squid does not answer"
        time.sleep(0.02)


def denied(port: int, names: Sequence[str]) -> list[bool]:
    """Ask for a page of each name through the proxy; tell where the proxy itself denies it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    found = []
    for name in names:
        connection.request("GET", f"http://{name}/", headers={"Host": name})
        response = connection.getresponse()
        response.read()
        assert response.status in (204, 403), f"{name}: {response.status} {response.getheader('X-Squid-Error')}"
        found.append(response.status == 403)
    connection.close()
    return found
