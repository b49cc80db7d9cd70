"""Runs: sorted pieces become one sorted whole; tallies and blocks stay bounded."""

from __future__ import annotations

import io
import random
from itertools import pairwise

import pytest

from aidns.lists import runs
from aidns.lists.compile import Input, blocks, compile_lists
from aidns.lists.line import MAX_LINE, Refusal
from aidns.lists.runs import Runs
from aidns.lists.tally import MAX_EXAMPLES, MAX_REASONS, Tally


@pytest.mark.parametrize("seed", range(3))
def test_ranges_hold_all_keys_in_order(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the runs, the ranges together are the sorted keys, and no key stands in two of them."""
    monkeypatch.setattr(runs, "RANGE", 200)
    rng = random.Random(seed)
    for _ in range(200):
        collected, every = Runs(), []
        for _ in range(rng.randrange(8)):
            keys = sorted("".join(rng.choices("ab-\x01\x00", k=rng.randrange(1, 6))) for _ in range(rng.randrange(60)))
            collected.add(keys)
            every += keys
        found = [keys for keys in collected.ranges() if keys]
        assert [key for keys in found for key in keys] == sorted(every)
        assert all(one[-1] < other[0] for one, other in pairwise(found))
        assert collected.marked == any("\x00" in key for key in every)


def test_equal_keys_alone_make_one_range(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "RANGE", 10)
    collected = Runs()
    for _ in range(20):
        collected.add(["moc\x01a"] * 5)
    assert [keys for keys in collected.ranges() if keys] == [["moc\x01a"] * 100]


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (b"", []),
        (b"a", [b"a"]),
        (b"a\nb", [b"a", b"b"]),
        (b"\xef\xbb\xbfa\n\nb\n", [b"a", b"", b"b"]),
        (b"\n\n", [b"", b""]),
    ],
)
def test_blocks_are_whole_lines(text: bytes, lines: list[bytes], size: int) -> None:
    stream = io.BytesIO(text)
    found = list(blocks(stream.read(4), stream, size))
    assert all(block.endswith(b"\n") for block in found)
    assert b"".join(found).split(b"\n")[:-1] == lines


def test_a_line_without_end_is_refused_without_being_held() -> None:
    """A gigabyte without a newline is one refused line, of which a few kilobytes are ever kept."""
    stream = io.BytesIO(b"a.example\n" + b"x" * 100_000 + b".example\nb.example\n")
    found = list(blocks(stream.read(10), stream, 1000))
    assert max(map(len, found)) < MAX_LINE + 2000
    compilation = compile_lists([Input("long", io.BytesIO(b"a.example\n" + b"x" * 3_000_000 + b"\nb.example\n"))])
    assert set(compilation.compiled.trees) == {"a.example", "b.example"}
    (refused,) = compilation.inputs[0].examples
    assert (refused.line, refused.reason) == (2, "is longer than any name needs")


def test_a_tally_keeps_the_first_lines_and_counts_the_rest() -> None:
    tally = Tally()
    for line in (*range(50, 100), *range(1, 50)):
        tally.refuse(line, Refusal(f"reason {line % 3}", "text"))
    summary = tally.summary("list", "domains")
    assert summary.refused == 99
    assert [refused.line for refused in summary.examples] == list(range(1, MAX_EXAMPLES + 1))
    assert summary.reasons == {"reason 0": 33, "reason 1": 33, "reason 2": 33}


def test_reasons_are_bounded() -> None:
    tally = Tally()
    for number in range(1000):
        tally.refuse(number, Refusal(f"reason {number}", ""))
    reasons = tally.summary("list", "domains").reasons
    assert len(reasons) == MAX_REASONS + 1
    assert sum(reasons.values()) == 1000
