"""Start a real DNS server in private, with a list loaded, and stop it again. [I/O]

    with Upstream() as upstream, start("unbound", [path], upstream=upstream.port, canary=name) as server:
        reply = ask(server.port, "chat.example.com")

Everything lives in a folder of its own on free loopback ports; nothing of the machine's own servers is read or touched.
Works as root and as an unprivileged user.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from aidns.errors import EnvironmentFault, UsageError
from aidns.lab.kinds import KINDS, Kind, Setup
from aidns.lab.upstream import bind_both
from aidns.names import printable
from aidns.stub import ask

START_LIMIT = 60.0
"""Seconds a server may take until its list is in force: a million names need about twenty."""
_STOP_LIMIT = 5.0
_READY_TIMEOUT = 0.03
_PORT_TRIES = 5
_PORT_TAKEN = re.compile("address (already )?in use|creating IPv4 interface lo failed", re.IGNORECASE)
_LOG_LINES = 15
_PATHS = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where servers live that an unprivileged PATH leaves out."""
READY_PARENT = "ready.example.net"
"""Fresh names below it show that a server forwards to our upstream; `example.net` is reserved (RFC 2606 §3)."""


class Server:
    """A running server."""

    def __init__(self, kind: Kind, setup: Setup, process: subprocess.Popen[bytes]) -> None:
        self.kind = kind
        self.port = setup.port
        self.folder = setup.folder
        self.pid = process.pid
        self._process = process

    def log(self) -> str:
        """Return what the server has printed so far."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def ended(self) -> bool:
        """Tell whether the server has exited by itself."""
        return self._process.poll() is not None

    def stop(self) -> None:
        """Ask the server to end, and make it end after a while."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.ended():
                break
            with suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(self.pid, number)
                self._process.wait(_STOP_LIMIT)


def missing(kind: str) -> tuple[str, ...]:
    """Return the programs of a kind that this machine lacks. Raises UsageError for an unknown kind."""
    return tuple(program for program in _kind(kind).programs if _which(program) is None)


def available(kind: str) -> bool:
    """Tell whether this machine has what a kind needs. Raises UsageError for an unknown kind."""
    return not missing(kind)


@contextmanager
def start(
    kind: str, lists: Sequence[Path], *, upstream: int, canary: str, allow: Path | None = None
) -> Iterator[Server]:
    """Run a server that has loaded `lists` (and `allow`, before them) and forwards everything else to `upstream`.

    Ready means: a fresh name's answer comes from our upstream, then the list answers `canary`, because BIND answers
    unfiltered until its policy index exists. Raises EnvironmentFault with the end of the server's log when a
    program is missing or the server does not become ready, UsageError for an unknown kind or a misplaced `allow`.
    """
    found = _kind(kind)
    if lacking := missing(kind):
        raise EnvironmentFault(
            f"{kind} needs {', '.join(lacking)}, not found on this machine", tip="install the package"
        )
    if allow and not found.takes_allow:
        raise UsageError(f"{kind} takes no allow file")
    with tempfile.TemporaryDirectory(prefix="aidns-lab-", ignore_cleanup_errors=True) as folder:
        server = _start_on_free_port(found, Path(folder), lists, allow, upstream, canary)
        try:
            yield server
        finally:
            server.stop()


def check_file(kind: str, path: Path) -> tuple[int, str]:
    """Return exit code and complaints (empty: none at all, not even a warning) of the server's own checker.

    Raises UsageError when the kind has no checker, EnvironmentFault when it is not installed.
    """
    found = _kind(kind)
    if found.check is None:
        raise UsageError(f"{kind} has no checker")
    if lacking := missing(kind):
        raise EnvironmentFault(
            f"{kind} needs {', '.join(lacking)}, not found on this machine", tip="install the package"
        )
    with tempfile.TemporaryDirectory(prefix="aidns-lab-") as folder:
        setup = _prepare(found, Path(folder), [path], None, port=53, upstream=53)
        done = subprocess.run(  # noqa: S603 - our own declaration, no shell
            _resolved(found.check(setup)), capture_output=True, text=True, errors="replace", cwd=folder, check=False
        )
    lines = [line.replace(folder + "/", "") for line in (done.stdout + done.stderr).splitlines()]
    return done.returncode, "\n".join(line for line in lines if line and not re.fullmatch(found.clean, line))


def _kind(kind: str) -> Kind:
    try:
        return KINDS[kind]
    except KeyError:
        raise UsageError(f"no server kind {printable(kind, 40)!r}", tip=f"one of {', '.join(KINDS)}") from None


def _which(program: str) -> str | None:
    return shutil.which(program, path=os.pathsep.join((os.environ.get("PATH", os.defpath), *_PATHS)))


def _resolved(command: list[str]) -> list[str]:
    return [_which(command[0]) or command[0], *command[1:]]


def _free_port() -> int:
    udp, tcp = bind_both()
    with udp, tcp:
        return int(udp.getsockname()[1])


def _prepare(kind: Kind, folder: Path, lists: Sequence[Path], allow: Path | None, *, port: int, upstream: int) -> Setup:
    """Copy the lists into the folder, under names that need no quoting, and write the configuration."""
    names = tuple(f"list{i}" for i in range(len(lists)))
    for source, name in zip(lists, names, strict=True):
        shutil.copyfile(source, folder / name)
    if allow:
        shutil.copyfile(allow, folder / "allow")
    setup = Setup(folder, port, upstream, names, "allow" if allow else "")
    for name, text in kind.config(setup).items():
        (folder / name).write_text(text, encoding="utf-8")
    return setup


def _start_on_free_port(
    kind: Kind, folder: Path, lists: Sequence[Path], allow: Path | None, upstream: int, canary: str
) -> Server:
    """Start, and start again on another port when somebody took ours between choosing and binding it."""
    for left in reversed(range(_PORT_TRIES)):
        setup = _prepare(kind, folder, lists, allow, port=_free_port(), upstream=upstream)
        server = _launch(kind, setup)
        try:
            _wait_until_ready(server, upstream, canary)
        except BaseException:
            server.stop()
            if left and _PORT_TAKEN.search(server.log()):
                continue
            raise
        break
    return server


def _launch(kind: Kind, setup: Setup) -> Server:
    with (setup.folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own declaration, no shell
            _resolved(kind.command(setup)),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=setup.folder,
            start_new_session=True,
        )
    return Server(kind, setup, process)


def _wait_until_ready(server: Server, upstream: int, canary: str) -> None:
    deadline = time.monotonic() + START_LIMIT
    listed = _canary_denied if server.kind.denies_canary else _canary_answered
    steps = {"no answer from the upstream came through": _forwards, "the canary is not answered": listed}
    for trouble, step in steps.items():
        while not step(server.port, upstream, canary):
            if server.ended():
                raise _start_failure(server, "it ended by itself")
            if time.monotonic() > deadline:
                raise _start_failure(server, f"{trouble} within {START_LIMIT:.0f} s")
            time.sleep(0.005)


def _forwards(port: int, upstream: int, _canary: str) -> bool:
    """Tell whether a fresh name is answered by our upstream: then it is our server, and no stranger on this port."""
    try:
        reply = ask(port, f"r{secrets.token_hex(6)}.{READY_PARENT}", "TXT", timeout=_READY_TIMEOUT)
    except TimeoutError:
        return False
    return f'"upstream-{upstream}"' in reply.data("TXT")


def _canary_answered(port: int, _upstream: int, canary: str) -> bool:
    try:
        return bool(ask(port, canary, "A", timeout=_READY_TIMEOUT).data("A"))
    except TimeoutError:
        return False


def _canary_denied(port: int, _upstream: int, canary: str) -> bool:
    """Tell whether the list denies the canary: the upstream's own denial has an SOA."""
    try:
        reply = ask(port, canary, "A", timeout=_READY_TIMEOUT)
    except TimeoutError:
        return False
    return reply.rcode == "NXDOMAIN" and reply.authority_soa is None


def _start_failure(server: Server, why: str) -> EnvironmentFault:
    tail = "\n".join(printable(line) for line in server.log().splitlines()[-_LOG_LINES:])
    return EnvironmentFault(f"{server.kind.id} did not get ready: {why}; the end of its log:\n{tail}")
