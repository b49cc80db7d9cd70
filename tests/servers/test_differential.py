"""A small differential proof in every run of the tests; `make prove` is the large one."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from aidns.lab.kinds import KINDS
from aidns.model import Answer
from aidns.wire import Record, Reply
from tests.differential import TYPES, reading, report, run, run_round

SEED = int(os.environ.get("AIDNS_SEED", "20250205"))


@pytest.mark.server(*KINDS)
def test_every_server_agrees_with_the_reference() -> None:
    """Policies as they read, compiled block sets, lists and servers all say the same about every name."""
    tally = run(50_000, SEED, [*KINDS])
    assert tally.faults == [], report(tally, SEED, 0)
    assert {key.partition(" ")[2] for key in tally.queries if key.startswith("server ")} == {*KINDS}
    assert tally.asked >= 50_000 and all(tally.queries[f"type {rdtype}"] > 5000 for rdtype in TYPES)
    assert tally.queries["answer blocked"] > 5000 < tally.queries["answer open"]


def block_exceptions(name: str, answer: str) -> str:
    """A line for dnsmasq that knows no exceptions."""
    return f"server=/{name}/"


@pytest.mark.parametrize(
    ("kind", "place", "defect"),
    [
        pytest.param("bind-rpz", "aidns.render.rpz.close", dict, marks=pytest.mark.server("bind-rpz")),
        pytest.param("unbound-rpz", "aidns.render.rpz.close", dict, marks=pytest.mark.server("unbound-rpz")),
        pytest.param(
            "dnsmasq-servers",
            "aidns.render.dnsmasq._server",
            block_exceptions,
            marks=pytest.mark.server("dnsmasq-servers"),
        ),
    ],
    ids=["bind without closure", "unbound without closure", "dnsmasq without exceptions"],
)
def test_a_defect_in_a_list_is_found(
    kind: str, place: str, defect: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 4592: without closure a listed name un-blocks its relatives, on the servers that follow it."""
    monkeypatch.setattr(place, defect)
    faults = [fault for number in range(3) for fault in run_round(SEED, number, [kind]).faults]
    assert faults and all(f", {kind}" in fault for fault in faults)


def test_a_defect_in_the_compiler_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The policy is read a second time, without the program's code, so that a wrong block set cannot prove itself."""
    monkeypatch.setattr("aidns.blockset.inherited", lambda owners, name: False)
    assert any("misreads the policy" in fault for fault in run_round(SEED, 0, []).faults)
    monkeypatch.setattr("aidns.blockset.minimise", lambda owners: dict.fromkeys(owners, Answer(True, True)))
    assert run_round(SEED, 1, []).faults


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (None, "without reply"),
        (Reply(1, "SERVFAIL", frozenset(), ("a.lab", "A")), "SERVFAIL"),
        (Reply(1, "REFUSED", frozenset(), ("a.lab", "A")), "REFUSED"),
        (Reply(1, "NXDOMAIN", frozenset(), ("a.lab", "A")), "blocked"),
        (Reply(1, "NOERROR", frozenset(), ("a.lab", "A"), (Record("a.lab", "A", 1, "0.0.0.0"),)), "blocked"),
        (Reply(1, "NOERROR", frozenset(), ("a.lab", "A"), (Record("a.lab", "A", 1, "192.0.2.1"),)), "open"),
        (Reply(1, "NOERROR", frozenset(), ("a.lab", "A"), (Record("a.lab", "A", 1, "192.0.2.9"),)), "NOERROR"),
    ],
)
def test_a_reply_that_is_no_block_is_none(reply: Reply | None, expected: str) -> None:
    """A server that fails or makes something up is not a server that blocks."""
    assert reading(reply, 53, refused_blocks=False) == expected
