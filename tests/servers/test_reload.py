"""What docs/formats.md says makes a server read a new list does so, as written, with the old list out of force."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
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

CANARY = "p.aidns-canary.example"
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


def write(kind: str, path: Path, name: str, serial: int) -> None:
    """Write a list that blocks one name and what is below it."""
    action = "null" if KINDS[kind].format == "hosts" else "nxdomain"
    rules = (Rule(Name(name), "subtree", True, "policy", "test"),)
    of = compile_selection(strategies.selection(rules, strategies.policy(action=action)), {})
    text = render(FORMATS[KINDS[kind].format], of, load().catalog, {}, lambda _digest: (serial, serial)).text
    path.write_text(text.replace(of.canary, CANARY), "ascii")
    os.utime(path, (time.time() + serial, time.time() + serial))


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
        deadline = time.monotonic() + PATIENCE
        while (found := passing(server, "tree.com", "bush.com")) != ["tree.com"] and time.monotonic() < deadline:
            time.sleep(0.05)
    assert found == ["tree.com"]


def test_every_command_of_the_page_is_tried() -> None:
    """But for Knot Resolver, which needs a package for it, and dnsdist and dnsmasq's configuration, which have none."""
    words = ("unbound-control", "rndc", "rec_control", "SIGHUP")
    telling = {k for k in KINDS if any(word in " ".join(CONSUMERS[k].after) for word in words)}
    assert telling == {*COMMANDS}
