"""What docs/formats.md says makes a server read a new list does so, as written, with the old list out of force."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

import strategies
from aidns.blockset import compile_selection
from aidns.catalog.load import load
from aidns.lab.kinds import KINDS, Setup
from aidns.lab.servers import Server, start
from aidns.lab.upstream import Upstream, bind_both
from aidns.model import Rule
from aidns.names import Name
from aidns.render.artefact import render
from aidns.render.consumers import CONSUMERS
from aidns.render.formats import FORMATS
from aidns.stub import ask
from require import skip_or_fail
from tests.consumers import squid

CANARY = "p.aidns-canary.example"
CQUEUES = Path("/usr/share/lua/5.1/cqueues.lua")
PATIENCE = 20.0
"""Seconds until a new list must be in force."""
COMMANDS = {
    "unbound": "unbound-checkconf && unbound-control reload_keep_cache",
    "unbound-rpz": "unbound-control auth_zone_reload rpz.aidns",
    "bind-rpz": "rndc reload rpz.aidns",
    "pdns-rpz": "rec_control reload-lua-config && rec_control wipe-cache '.$'",
    "dnsmasq-servers": "SIGHUP",
    "dnsmasq-hosts": "SIGHUP",
}
WHERE = {
    "unbound-checkconf": "{folder}/unbound.conf",
    "unbound-control": "-c {folder}/unbound.conf",
    "rndc": "-c {folder}/rndc.conf",
    "rec_control": "--socket-dir={folder}",
}
"""What tells a tool that the server is not the machine's own."""
KEY = 'key k { algorithm hmac-sha256; secret "dGhlIGxhYg=="; };\n'


def free_port() -> int:
    udp, tcp = bind_both()
    with udp, tcp:
        return int(udp.getsockname()[1])


def controllable(kind: str) -> Callable[[Setup], dict[str, str]]:
    """Return the lab's configuration of a kind, with the channel open that its tool uses."""

    def config(setup: Setup) -> dict[str, str]:
        files = KINDS[kind].config(setup)
        port = free_port()
        inet = f"controls {{ inet 127.0.0.1 port {port} allow {{ 127.0.0.1; }} keys {{ k; }}; }};"
        channel = f"control-enable: yes\n  control-use-cert: no\n  control-interface: {setup.path('control')}"
        replaced = {
            name: text.replace("control-enable: no", channel).replace("controls { };", KEY + inet)
            for name, text in files.items()
        }
        server = f"options {{ default-key k; default-server 127.0.0.1; default-port {port}; }};\n"
        return replaced | {"rndc.conf": KEY + server}

    return config


def list_of(fmt: str, name: str, serial: int) -> str:
    """Return a list that blocks one name and what is below it."""
    rules = (Rule(Name(name), "subtree", True, "policy", "test"),)
    policy = strategies.policy(action="null" if fmt == "hosts" else "nxdomain")
    of = compile_selection(strategies.selection(rules, policy), {})
    text = render(FORMATS[fmt], of, load().catalog, {}, lambda _digest: (serial, serial)).text
    return text.replace(of.canary, CANARY)


def write(kind: str, path: Path, name: str, serial: int) -> None:
    """Put a list in the place of an older one, as `build` does: its readers see one or the other."""
    fresh = path.with_name("fresh")
    fresh.write_text(list_of(KINDS[kind].format, name, serial), "ascii")
    os.utime(fresh, (time.time() + serial, time.time() + serial))
    fresh.replace(path)


def carry_out(command: str, server: Server, folder: Path) -> None:
    """Do what the page says, with tools that know where this server is."""
    if command == "SIGHUP":
        os.kill(server.pid, signal.SIGHUP)
        return
    tools = folder / "bin"
    tools.mkdir()
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    for tool, where in WHERE.items():
        if real := shutil.which(tool, path=path):
            (tools / tool).write_text(f'#!/bin/sh\nexec {real} {where.format(folder=server.folder)} "$@"\n')
            (tools / tool).chmod(0o755)
    done = subprocess.run(
        ["sh", "-c", command], env={"PATH": f"{tools}:{path}"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def passing(server: Server, *names: str) -> list[str]:
    return [name for name in names if ask(server.port, name).data("A") == ("192.0.2.1",)]


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=pytest.mark.server(kind)) for kind in COMMANDS])
def test_a_new_list_is_read(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a name that was asked before, too: what a cache holds of it passes no longer."""
    told = " ".join(CONSUMERS[kind].after)
    assert COMMANDS[kind] in told
    monkeypatch.setitem(KINDS, "told", msgspec.structs.replace(KINDS[kind], id="told", config=controllable(kind)))
    path = tmp_path / "list"
    write(kind, path, "tree.com", 1)
    with Upstream() as upstream, start("told", [path], upstream=upstream.port, canary=CANARY) as server:
        assert passing(server, "tree.com", "bush.com") == ["bush.com"]
        write(kind, server.folder / "list0", "bush.com", 2)
        carry_out(COMMANDS[kind], server, tmp_path)
        assert soon(lambda: passing(server, "tree.com", "bush.com"), ["tree.com"]) == ["tree.com"]


def soon(look: Callable[[], list[str]], wanted: list[str]) -> list[str]:
    """Look until that is seen which is wanted, or patience ends; return what was seen last."""
    deadline = time.monotonic() + PATIENCE
    while (found := look()) != wanted and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


@pytest.mark.server("kresd-rpz")
def test_knot_resolver_reads_a_changed_file_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `true` where the page's snippet has `false`."""
    if not CQUEUES.exists():
        skip_or_fail("not installed: lua-cqueues")
    assert any(
        "With `true` as third argument" in line and "lua-cqueues" in line for line in CONSUMERS["kresd-rpz"].after
    )
    with changed("kresd-rpz", ", false))", ", true))", tmp_path, monkeypatch) as server:
        assert passing(server, "tree.com", "bush.com") == ["bush.com"]
        write("kresd-rpz", server.folder / "list0", "bush.com", 2)
        assert soon(lambda: passing(server, "tree.com", "bush.com"), ["tree.com"]) == ["tree.com"]


@pytest.mark.server("dnsdist-cdb")
def test_dnsdist_reads_a_new_store_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made with the page's own command; looked for every second, for the page's minute would be a long test."""
    (command,) = re.findall(r"`(cdb [^`]*)`", " ".join(CONSUMERS["dnsdist-cdb"].before))
    with changed("dnsdist-cdb", ".cdb', 60)", ".cdb', 1)", tmp_path, monkeypatch) as server:
        assert passing(server, "tree.com", "bush.com") == ["bush.com"]
        write("dnsdist-cdb", server.folder / "dnsdist.txt", "bush.com", 2)
        here = command.replace(CONSUMERS["dnsdist-cdb"].path, str(server.folder / "list0.cdb"))
        subprocess.run(["sh", "-c", here], cwd=server.folder, check=True)
        assert soon(lambda: passing(server, "tree.com", "bush.com"), ["tree.com"]) == ["tree.com"]


@contextmanager
def changed(kind: str, old: str, new: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Run a server that blocks tree.com, with one thing in its configuration changed."""

    def config(setup: Setup) -> dict[str, str]:
        files = KINDS[kind].config(setup)
        assert any(old in text for text in files.values())
        return {name: text.replace(old, new) for name, text in files.items()}

    monkeypatch.setitem(KINDS, "changed", msgspec.structs.replace(KINDS[kind], id="changed", config=config))
    write(kind, folder / "list", "tree.com", 1)
    with Upstream() as upstream, start("changed", [folder / "list"], upstream=upstream.port, canary=CANARY) as server:
        yield server


def test_squid_reads_a_new_list(tmp_path: Path) -> None:
    if why := squid.missing():
        skip_or_fail(why)
    (command,) = re.findall(r"`(squid [^`]*)`", " ".join(CONSUMERS["squid"].after))
    tmp_path.chmod(0o755)

    def passing_through(port: int) -> list[str]:
        names = ("tree.com", "bush.com")
        try:
            denied = squid.denied(port, names)
        except OSError:  # its port is closed for a moment
            return []
        return [name for name, is_denied in zip(names, denied, strict=True) if not is_denied]

    with squid.running(list_of("squid", "tree.com", 1), tmp_path) as port:
        assert passing_through(port) == ["bush.com"]
        squid.write(tmp_path, list_of("squid", "bush.com", 2))
        squid.carry_out(command, tmp_path, port)
        assert soon(lambda: passing_through(port), ["tree.com"]) == ["tree.com"]


def test_every_command_of_the_page_is_tried() -> None:
    """Of those that are told to a server; dnsmasq's configuration has none."""
    words = ("unbound-control", "rndc", "rec_control", "SIGHUP")
    telling = {k for k in KINDS if any(word in " ".join(CONSUMERS[k].after) for word in words)}
    assert telling == {*COMMANDS}
