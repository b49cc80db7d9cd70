"""What docs/servers.md tells an administrator to write works, as written, on the real server."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from aidns import pipeline
from aidns.lab.kinds import KINDS, Setup
from aidns.lab.servers import start
from aidns.lab.upstream import Upstream
from aidns.model import BlockSet
from aidns.render.formats import FORMATS
from aidns.stub import Endpoint
from aidns.verify.questions import plan
from aidns.verify.run import verify

NOW = 1795305600
PAGE = Path(__file__).parents[2] / "docs" / "servers.md"
SNIPPETS = dict(re.findall(r"<!-- tried: ([\w-]+) -->\n```\w*\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL))
LIST_PATH = re.compile(r"/etc/[\w./-]+/(?:unbound\.conf|rpz\.zone|hosts\.txt|dnsmasq\.conf)")


def snippet(name: str, setup: Setup) -> str:
    """Return a snippet of the page, with the list's path there replaced by the one here."""
    text, count = LIST_PATH.subn(setup.path(setup.lists[0]), SNIPPETS[name])
    assert count == (0 if name == "bind-options" else 1)
    return text


def settings(kind: str, setup: Setup) -> dict[str, str]:
    """Return the lab's own configuration of a kind without any list: port, upstream, no privileges."""
    return KINDS[kind].config(msgspec.structs.replace(setup, lists=()))


def _unbound(name: str) -> Callable[[Setup], dict[str, str]]:
    return lambda setup: {"unbound.conf": settings("unbound", setup)["unbound.conf"] + snippet(name, setup)}


def _bind(setup: Setup) -> dict[str, str]:
    whole = settings("bind-rpz", setup)["named.conf"]
    without, count = re.subn(r"  response-policy .*?;\n(?=\};)", snippet("bind-options", setup), whole, flags=re.DOTALL)
    assert count == 1
    return {"named.conf": without + snippet("bind-zone", setup)}


def _pdns(setup: Setup) -> dict[str, str]:
    return settings("pdns-rpz", setup) | {"rpz.lua": snippet("pdns", setup)}


def _kresd(setup: Setup) -> dict[str, str]:
    head, forward, tail = settings("kresd-rpz", setup)["kresd.conf"].partition("policy.add(policy.all")
    return {"kresd.conf": head + snippet("kresd", setup) + forward + tail}


def _dnsmasq(name: str) -> Callable[[Setup], dict[str, str]]:
    return lambda setup: {"dnsmasq.conf": settings("dnsmasq-hosts", setup)["dnsmasq.conf"] + snippet(name, setup)}


CASES: dict[str, tuple[str, str, str, Callable[[Setup], dict[str, str]]]] = {
    "unbound": ("unbound", "unbound", "school", _unbound("unbound")),
    "unbound-rpz": ("unbound-rpz", "rpz", "school", _unbound("unbound-rpz")),
    "bind": ("bind-rpz", "rpz", "school", _bind),
    "pdns": ("pdns-rpz", "rpz", "school", _pdns),
    "kresd": ("kresd-rpz", "rpz", "deepseek-org", _kresd),
    "dnsmasq": ("dnsmasq-hosts", "dnsmasq", "school", _dnsmasq("dnsmasq")),
    "dnsmasq-hosts": ("dnsmasq-hosts", "hosts", "school", _dnsmasq("dnsmasq-hosts")),
}
"""Case -> kind of server, format, policy (one with exceptions, but for Knot Resolver), configuration."""


@pytest.mark.parametrize("case", [pytest.param(c, marks=pytest.mark.server(CASES[c][0])) for c in CASES])
def test_the_documented_configuration_blocks(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server configured with nothing but the page's snippet leaks nothing and blocks nothing too much."""
    kind, fmt, policy, config = CASES[case]
    monkeypatch.setitem(KINDS, "documented", msgspec.structs.replace(KINDS[kind], id="documented", config=config))
    path, blockset = rendered(fmt, policy, tmp_path)
    with Upstream() as upstream, start("documented", [path], upstream=upstream.port, canary=blockset.canary) as server:
        address = Endpoint("127.0.0.1", server.port)
        report = verify(address, plan(blockset, "fresh"), formats=(fmt,), rate=0)
    assert report.loaded
    assert (report.counts["leaked"], report.counts["over-blocked"], report.counts["inconclusive"]) == (0, 0, 0)


def rendered(fmt: str, policy: str, folder: Path) -> tuple[Path, BlockSet]:
    """Write a shipped policy in one format; return the file and the block set."""
    catalog, memory = pipeline.load_sound(), pipeline.Memory({}, None)
    prepared = pipeline.prepare(catalog, pipeline.find_policy(catalog, policy), NOW, memory)
    path = folder / "list"
    path.write_text(
        pipeline.artefact(catalog, prepared, FORMATS[fmt], memory, lambda _digest: (NOW, NOW)).text, "ascii"
    )
    return path, prepared.blockset


def test_every_snippet_is_tried() -> None:
    """No block of the page is marked as tried that no case loads."""
    assert set(SNIPPETS) == {
        "unbound",
        "unbound-rpz",
        "bind-options",
        "bind-zone",
        "pdns",
        "kresd",
        "dnsmasq",
        "dnsmasq-hosts",
    }
