"""The golden files satisfy the servers' own checkers, which print not even a warning."""

from __future__ import annotations

from pathlib import Path

import pytest

from aidns.lab.kinds import KINDS
from aidns.lab.servers import check_file, start
from aidns.lab.upstream import Upstream
from golden_files import CASES, path_of, refusal_of
from require import skip_or_fail
from tests.consumers import squid

CHECKERS = {
    "unbound": ("unbound",),
    "rpz": ("bind-rpz", "unbound-rpz"),
    "rpz-allow": ("bind-rpz", "unbound-rpz"),
    "dnsmasq": ("dnsmasq",),
    "dnsmasq-servers": ("dnsmasq-servers",),
    "hosts": ("dnsmasq-hosts",),
    "dnsdist-cdb": ("dnsdist-cdb",),
}
CHECKED = [
    pytest.param(policy, fmt, kind, marks=pytest.mark.server(kind), id=f"{kind}-{fmt}-{policy}")
    for policy, fmt in CASES
    for kind in CHECKERS.get(fmt, ())
    if not refusal_of(policy, fmt)
]


@pytest.mark.parametrize(("policy", "fmt", "kind"), CHECKED)
def test_the_servers_own_checker_has_nothing_to_say(policy: str, fmt: str, kind: str) -> None:
    """Exit code 0 and no line beyond the one that says so."""
    assert check_file(kind, path_of(policy, fmt)) == (0, "")


WITHOUT_CHECKER = [
    pytest.param(policy, kind.id, marks=pytest.mark.server(kind.id), id=f"{kind.id}-{policy}")
    for kind in KINDS.values()
    if kind.check is None
    for policy, fmt in CASES
    if fmt == kind.format and not refusal_of(policy, fmt)
    if policy != "garden-name" or kind.follows_garden_names  # which the list itself says
]


@pytest.mark.parametrize(("policy", "kind"), WITHOUT_CHECKER)
def test_a_server_without_checker_loads_the_list_and_complains_of_nothing(policy: str, kind: str) -> None:
    """PowerDNS and Knot Resolver tell what they cannot read in their log alone."""
    canary = f"{policy}.aidns-canary.example"
    path = path_of(policy, KINDS[kind].format)
    with Upstream() as upstream, start(kind, [path], upstream=upstream.port, canary=canary) as server:
        log = server.log()
    words = ("error", "warn", "unable", "ignor", "duplicate", "unsupported")
    told = [line for line in log.splitlines() if "rpz" in line.lower() and any(word in line.lower() for word in words)]
    assert told == []


@pytest.mark.parametrize("policy", [policy for policy, fmt in CASES if fmt == "squid"])
def test_squid_has_nothing_to_say(policy: str, tmp_path: Path) -> None:
    if why := squid.missing():
        skip_or_fail(why)
    assert squid.complaints(path_of(policy, "squid").read_text("ascii"), tmp_path) == []


def test_every_format_that_a_server_of_the_lab_reads_is_checked() -> None:
    assert {kind.format for kind in KINDS.values()} | {"rpz-allow"} == {*CHECKERS}
    assert {kind for kinds in CHECKERS.values() for kind in kinds} == {k.id for k in KINDS.values() if k.check}
