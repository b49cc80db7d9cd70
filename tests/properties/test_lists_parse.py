"""The quick way of reading a list says exactly what its reader says line by line, whatever the list."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from aidns.lists.keys import Marking, key_of
from aidns.lists.line import SYNTAXES, Syntax
from aidns.lists.parse import Parser
from aidns.lists.tally import MAX_EXAMPLES
from list_lines import lines
from oracles import lists as oracle

ROUNDS = 400
"""Lists read for each seed."""


def read_in_blocks(rng: random.Random, parser: Parser, drawn: list[bytes]) -> list[str]:
    """Feed lines in blocks of any size; return all keys."""
    keys: list[str] = []
    while drawn:
        count = rng.choice((1, 2, 7, 30, 200))
        block, drawn = drawn[:count], drawn[count:]
        found = parser.keys(b"".join(block))
        assert found == sorted(found)
        keys += found
        keys += parser.take_found()
    return keys


def read_both_ways(rng: random.Random, syntax: Syntax) -> None:
    marking = Marking(
        usual=rng.choice(("exact", "subtree")), plain=rng.choice(("exact", "subtree")), allow=rng.random() < 0.3
    )
    drawn = lines(rng, syntax, rng.choice((0, 1, 3, 10, 40, 120)))
    if drawn and drawn[0].startswith(b"\xef\xbb\xbf"):
        drawn[0] = drawn[0][3:]  # what reads the file takes it away
    parser = Parser(syntax, marking)
    keys = read_in_blocks(rng, parser, drawn)
    entries, refused = oracle.read(b"".join(drawn), syntax)
    expected: Counter[str] = Counter()
    for entry, count in entries.items():
        expected[key_of(entry.name, marking.letter(entry.kind, entry.blocks))] += count
    assert Counter(keys) == expected
    told = parser.tally.summary("drawn", syntax)
    assert (told.lines, told.names, told.refused) == (len(drawn), sum(expected.values()), len(refused))
    assert told.reasons == Counter(reason for _, reason, _ in refused)
    examples = [(one.line, one.reason, one.text) for one in told.examples]
    assert [line for line, _, _ in examples] == [line for line, _, _ in refused[:MAX_EXAMPLES]]
    assert set(examples) <= set(refused)


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("seed", range(4))
def test_the_quick_way_equals_the_definition(syntax: Syntax, seed: int) -> None:
    """Same keys, same counts, same refusals with the same reasons and line numbers."""
    rng = random.Random(f"{syntax} {seed}")
    for _ in range(ROUNDS):
        read_both_ways(rng, syntax)


@pytest.mark.parametrize(
    ("syntax", "line"),
    [
        ("domains", "name{}.example"),
        ("domains", "Name{}.xn--fiqs8s."),
        ("domains", "*.name{}.example  # why"),
        ("hosts", "0.0.0.0 name{}.example"),
        ("adblock", "||name{}.example^"),
        ("dnsmasq", "address=/name{}.example/#"),
        ("rpz", "name{}.example CNAME ."),
    ],
)
def test_ordinary_lines_go_the_quick_way(syntax: Syntax, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that is written evenly is read without a look at each line: only the samples reach the reader."""
    parser = Parser(syntax, Marking())
    monkeypatch.setattr(parser, "_line", None)
    assert len(parser.keys("".join(f"{line}\n".format(number) for number in range(5000)).encode())) == 5000
