"""No filter ever makes a proof: real servers with our own lists, and with lists of anybody else's making.

The upstream denies what it is asked to deny as a real authority does, so that what gets through counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import dns.message
import dns.query
import dns.rrset
import pytest

from aidns.blockset import canary
from aidns.lab.kind import Kind
from aidns.lab.kinds import KINDS
from aidns.lab.servers import start
from aidns.lab.upstream import Upstream
from aidns.lookup.spans import DAY, from_observation, merge_all
from aidns.model import Outcome
from aidns.names import Name
from aidns.render.base import Inexpressible
from aidns.verdict import judge
from lying_server import LyingServer
from samples import artefact, catalog, prepared
from servers.asking import ask_as_check_does

POLICIES = ("office", "open", "stricter", "garden")
"""One for each action: NXDOMAIN, NODATA, null, walled garden."""


# ------------------------------------------------------------------ our own lists


def own_lists() -> Iterator[object]:
    """Every server, with each policy that its format can say and it can be tried with here."""
    for kind in KINDS.values():
        for policy in POLICIES:
            excepts = any(not answer.self_blocked for answer in prepared(policy).blockset.minimal.values())
            if kind.forwards_exceptions or not excepts:
                with suppress(Inexpressible):
                    text = artefact(policy, kind.format).text
                    yield pytest.param(kind, policy, text, marks=pytest.mark.server(kind.id), id=f"{kind.id}-{policy}")


@pytest.mark.parametrize(("kind", "policy", "text"), list(own_lists()))
def test_a_resolver_that_runs_our_own_list_never_yields_a_proof(
    kind: Kind, policy: str, text: str, tmp_path: Path, upstream: Upstream
) -> None:
    """Listed names, children of theirs, and a name that really does not exist: a week later still nothing is gone."""
    path = tmp_path / "list"
    path.write_text(text, "utf-8")
    listed = [name for name, answer in prepared(policy).blockset.owners.items() if answer.self_blocked]
    with start(kind.id, [path], upstream=upstream.port, canary=canary(policy)) as server:
        names = [*listed, *(Name(f"fresh.{name}") for name in listed), GONE]
        canaries = [canary(each) for each in catalog().policies]
        runs = [ask_as_check_does(server.port, names, canaries, at=day * DAY) for day in (1, 5, 9)]
    for probe, seen in runs:
        assert probe.canaries == (() if kind.denies_canary else (canary(policy),))
        outcome = {one.name: one.outcome for one in seen if one.rdtype == "A"}
        assert outcome[GONE] is (Outcome.DENIED if kind.denies_canary else Outcome.FILTERED)
        blocked = {Outcome.FILTERED, Outcome.DATA} if policy == "garden" else {Outcome.FILTERED}
        assert blocked & {outcome[name] for name in listed}
        assert Outcome.DENIED not in {outcome[name] for name in listed}
    spans = merge_all(from_observation(one) for _, seen in runs for one in seen).values()
    assert not any(verdict.removable for verdict in judge(spans, names, 9 * DAY).values())


# ------------------------------------------------------------------ anybody's lists

BLOCKED = (Name("blocked.com"), Name("nx-gone.blocked.com"), Name("nx-listed.com"), Name("www.nx-listed.com"))
"""Listed by each list below, in part as children of what is listed; the upstream denies those with `nx-`."""
FREE, GONE, ANSWERED = Name("www.shop.com"), Name("nx-a.shop.com"), Name("ready.shop.com")

RPZ = "$TTL 60\n@ SOA localhost. hostmaster.localhost. 1 3600 600 86400 60\n@ NS localhost.\n"
LISTED = ("blocked.com", "nx-listed.com")


def rpz(*data: str) -> str:
    owners = [owner for name in LISTED for owner in (name, f"*.{name}")]
    return RPZ + "".join(f"{owner} {item}\n" for owner in owners for item in data)


def local_zone(kind: str, *data: str) -> str:
    lines = [f'local-zone: "{name}." {kind}\n' for name in LISTED]
    lines += [f'local-data: "{name}. {item}"\n' for name in LISTED for item in data]
    return "server:\n" + "".join(lines)


def dnsmasq(*lines: str) -> str:
    return "".join(line.format(name) + "\n" for name in LISTED for line in lines)


LISTS = {
    "nxdomain": ("unbound", local_zone("always_nxdomain")),
    "nodata": ("unbound", local_zone("always_nodata")),
    "null": ("unbound", local_zone("always_null")),
    "refuse": ("unbound", local_zone("always_refuse")),
    "static": ("unbound", local_zone("static")),
    "redirect": ("unbound", local_zone("redirect", "A 0.0.0.0", "AAAA ::")),
    "deny": ("unbound", local_zone("always_deny")),
    **{
        f"rpz {action}": (kind, rpz(*data))
        for kind in ("unbound-rpz", "bind-rpz", "pdns-rpz", "kresd-rpz")
        for action, data in {
            f"nxdomain {kind}": ["CNAME ."],
            f"nodata {kind}": ["CNAME *."],
            f"null {kind}": ["A 0.0.0.0", "AAAA ::"],
        }.items()
    },
    "hosts": ("dnsmasq-hosts", "".join(f"0.0.0.0 {name}\n:: {name}\n" for name in BLOCKED)),
    "address=/x/": ("dnsmasq", dnsmasq("address=/{}/")),
    "address=/x/#": ("dnsmasq", dnsmasq("address=/{}/#")),
    "local=/x/": ("dnsmasq", dnsmasq("local=/{}/")),
}


@pytest.mark.parametrize(
    ("kind", "text"),
    [pytest.param(kind, text, id=id_, marks=pytest.mark.server(kind)) for id_, (kind, text) in LISTS.items()],
)
def test_anybodys_list_never_yields_a_proof(kind: str, text: str, tmp_path: Path, upstream: Upstream) -> None:
    path = tmp_path / "list"
    path.write_text(text, "ascii")
    with start(kind, [path], upstream=upstream.port, canary=ANSWERED) as server:
        names = [*BLOCKED, FREE, GONE]
        probe, seen = ask_as_check_does(server.port, names, [canary("office"), canary("open")])
    outcome = {one.name: one.outcome for one in seen if one.rdtype == "A"}
    assert not probe.runs_our_list
    assert (outcome[FREE], outcome[GONE]) == (Outcome.DATA, Outcome.DENIED), "what is not listed is still told apart"
    assert Outcome.DENIED not in {outcome[name] for name in BLOCKED}
    assert not any(one.outcome is Outcome.DENIED for one in seen if one.name in LISTED)
    assert outcome[BLOCKED[0]] is not Outcome.DATA


@pytest.mark.server("bind-rpz")
def test_a_forwarder_that_hides_every_mark_does_not_hide_our_list(tmp_path: Path, upstream: Upstream) -> None:
    """BIND marks what it filters in ADDITIONAL. A forwarder that drops the mark and adds a SOA passes the canary on."""
    path = tmp_path / "list"
    path.write_text(artefact("office", "rpz").text, "utf-8")
    names = [Name("acme.example"), Name("api.acme.example")]
    with start("bind-rpz", [path], upstream=upstream.port, canary=canary("office")) as behind, LyingServer() as front:

        def forward(response: dns.message.Message, _transport: str) -> dns.message.Message:
            asked = response.question[0]
            answer = dns.query.udp(dns.message.make_query(asked.name, asked.rdtype), "127.0.0.1", port=behind.port)
            response.set_rcode(answer.rcode())
            response.answer = answer.answer
            response.authority = [dns.rrset.from_text(".", 60, "IN", "SOA", "a. b. 1 2 3 4 5")]
            return response

        front.lie("*", forward)
        for canaries, outcome in (([canary("office")], Outcome.FILTERED), ([], Outcome.DENIED)):
            _, seen = ask_as_check_does(front.port, names, canaries)
            assert {one.outcome for one in seen} == {outcome}
