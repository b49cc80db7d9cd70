"""The golden files satisfy the servers' own checkers, which print not even a warning."""

from __future__ import annotations

import pytest

from aidns.lab.servers import check_file
from golden_files import CASES, path_of, refusal_of

CHECKERS = {
    "unbound": ("unbound",),
    "rpz": ("bind-rpz", "unbound-rpz"),
    "rpz-allow": ("bind-rpz", "unbound-rpz"),
    "dnsmasq": ("dnsmasq",),
    "dnsmasq-servers": ("dnsmasq-servers",),
    "hosts": ("dnsmasq-hosts",),
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
