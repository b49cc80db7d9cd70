"""The Pi-hole oracle says what a real Pi-hole said, and matches as its manual tests showed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.oracles.gravity import PiHole, judge

VERDICTS = json.loads((Path(__file__).parents[1] / "fixtures" / "gravity-ftl-6.4.1.json").read_text("utf-8"))


def test_fixture_is_whole() -> None:
    assert len(VERDICTS) == 292


@pytest.mark.parametrize("verdict", VERDICTS, ids=lambda v: f"{v['list']}: {v['line'][:60]!r}")
def test_oracle_agrees_with_a_real_pihole(verdict: dict[str, object]) -> None:
    line = str(verdict["line"]).encode()
    accepted, invalid = judge(line, verdict["list"] == "allow")
    assert ([entry.decode() for entry in accepted], invalid) == (verdict["accepted"], verdict["invalid"])
    assert len(accepted) == verdict["number"]
    assert sum(entry.endswith(b"^") for entry in accepted) == verdict["abp"]


@pytest.mark.parametrize(
    ("line", "accepted", "invalid"),
    [
        (b"\xef\xbb\xbf||a.com^\r\n", [b"||a.com^"], 0),
        (b"a.com ##b", [], 0),
        (b"a.com # b", [b"a.com"], 0),
        (b"#@b", [], 0),
        (b"  ! see foo.com", [b"foo.com"], 2),
        (b"||a.com^ b.com", [b"||a.com^"], 1),
        (b"||ai^", [b"||ai^"], 0),
        (b"0 a.com", [b"a.com"], 1),
        (b"a\rb.com", [], 1),
        (b"a.com..", [b"a.com."], 0),
    ],
)
def test_rules_that_surprise(line: bytes, accepted: list[bytes], invalid: int) -> None:
    assert judge(line, allow=False) == (accepted, invalid)


def test_a_tree_covers_what_lies_below_and_no_lookalike() -> None:
    pihole = PiHole("||d.com^\nexact.com\n")
    assert pihole.blocked("d.com")
    assert pihole.blocked("x.y.d.com")
    assert not pihole.blocked("xd.com")
    assert pihole.blocked("exact.com")
    assert not pihole.blocked("www.exact.com")


def test_an_allow_entry_beats_every_deeper_block() -> None:
    pihole = PiHole("||d.com^\n||deep.ok.d.com^\n", "@@||ok.d.com^\none.d.com\n")
    assert not pihole.blocked("deep.ok.d.com")
    assert not pihole.blocked("one.d.com")
    assert pihole.blocked("x.one.d.com")
    assert pihole.blocked("d.com")


def test_marks_of_the_other_list_are_no_entries() -> None:
    assert not PiHole("@@||d.com^\n").blocked("d.com")
    assert PiHole("||d.com^\n", "||d.com^\n").blocked("d.com")
