"""Memories as JSON Lines and as files: everything comes back, in any order and number; what is wrong is refused."""

from __future__ import annotations

import io
import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidns.errors import DataError, EnvironmentFault
from aidns.lookup import files
from aidns.lookup.extras import Shard
from aidns.lookup.files import STREAM, read_memory, write_memory
from aidns.lookup.jsonl import dump, load
from aidns.lookup.spans import from_observation, merge_all
from aidns.lookup.state import State
from aidns.model import Observation, Span
from unit.test_lookup_spans import histories, spans_of
from unit.test_state import SEEN


def spans(seen: list[Observation]) -> list[Span]:
    return list(merge_all(map(from_observation, seen)).values())


def lines(seen: list[Observation]) -> list[bytes]:
    return [line.encode() for line in dump(spans(seen))]


def outline(found: list[Span] | tuple[Span, ...]) -> set[Span]:
    from msgspec.structs import replace

    return {replace(span, n=0) for span in merge_all(found).values()}


@given(histories)
def test_everything_comes_back(seen: list[Observation]) -> None:
    assert set(load(lines(seen), "x")) == set(spans(seen))


@given(histories, st.randoms(use_true_random=False))
def test_equal_memories_are_equal_text(seen: list[Observation], dice: object) -> None:
    shuffled = spans(seen)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    assert "".join(dump(shuffled)) == "".join(dump(spans(seen)))


@given(histories, st.integers(1, 4), st.data())
def test_shards_put_together_are_the_whole(seen: list[Observation], count: int, data: st.DataObject) -> None:
    """In any order, with any of them twice, cut and joined by any tool: counts included, for shards do not overlap."""
    parts = [lines([one for one in seen if Shard(n + 1, count).holds(one.name)]) for n in range(count)]
    again = data.draw(st.lists(st.sampled_from(range(count)), max_size=2))
    order = data.draw(st.permutations([*range(count), *again]))
    joined = load(itertools.chain.from_iterable(parts[n] for n in order), "x")
    assert set(merge_all(joined).values()) == set(spans(seen))


@given(histories, histories)
def test_overlapping_memories_put_together_are_the_whole(one: list[Observation], two: list[Observation]) -> None:
    assert outline(load([*lines(one), *lines(two)], "x")) == spans_of(one + two)


GOOD = json.loads(lines([SEEN])[0])


@pytest.mark.parametrize(
    "wrong",
    [
        {"schema": "aidns/span/2"},
        {"name": "Shop.com"},
        {"name": "*.com."},
        {"name": "\u001b[2J"},
        {"outcome": "dead"},
        {"first": GOOD["last"] + 1},
        {"first": -1},
        {"last": 2**60},
        {"n": 0},
        {"days": []},
        {"days": [GOOD["days"][0], GOOD["days"][0]]},
        {"days": [GOOD["days"][0] + 1]},
        {"days": [GOOD["days"][0] - 1, GOOD["days"][0]]},
        {"detail": "two\nlines"},
        {"data": ["\u001b[31m"]},
        {"chain": ["x" * 3000]},
        {"resolver": ""},
        {"more": 1},
        {"days": "x"},
    ],
)
def test_what_check_would_not_have_written_is_refused_with_its_line(wrong: dict[str, object]) -> None:
    text = [json.dumps(GOOD).encode(), b"\n", json.dumps(GOOD | wrong).encode()]
    with pytest.raises(DataError) as caught:
        load(text, "theirs.jsonl")
    ((file, line),) = [(problem.file, problem.line) for problem in caught.value.problems]
    assert (file, line) == ("theirs.jsonl", 3)


def test_every_bad_line_is_reported() -> None:
    with pytest.raises(DataError) as caught:
        load([b"{", json.dumps(GOOD).encode(), b"\xff", b"[]"], "x")
    assert [problem.line for problem in caught.value.problems] == [1, 3, 4]


def test_a_file_is_told_by_what_it_holds(tmp_path: Path) -> None:
    """Its name does not matter for reading."""
    with State(tmp_path / "state.jsonl.bak") as state:
        state.record([SEEN])
    (tmp_path / "lines.sqlite").write_bytes(lines([SEEN])[0])
    found = [read_memory(tmp_path / name) for name in ("state.jsonl.bak", "lines.sqlite")]
    assert found[0] == found[1] == tuple(spans([SEEN]))


@pytest.mark.parametrize("name", ["all.sqlite", "all.jsonl"])
def test_a_memory_grows_and_repetition_changes_nothing(tmp_path: Path, name: str) -> None:
    out = tmp_path / "new" / name
    first, second = (Observation(SEEN.name, "A", who, SEEN.outcome, SEEN.at, SEEN.subject) for who in ("a", "b"))
    assert write_memory(out, spans([first])) == 1
    assert write_memory(out, spans([second])) == write_memory(out, spans([second])) == 2
    assert set(read_memory(out)) == set(spans([first, second]))
    assert [path.name for path in out.parent.iterdir()] == [name]


def test_a_stream_is_read_and_written(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    class Stdin:
        buffer = io.BytesIO(b"".join(lines([SEEN])))

    monkeypatch.setattr(files.sys, "stdin", Stdin)
    assert write_memory(STREAM, read_memory(STREAM)) == 1
    assert capsys.readouterr().out.encode() == b"".join(lines([SEEN]))


def test_a_missing_memory_is_an_error_and_a_bad_one_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault):
        read_memory(tmp_path / "nothing.sqlite")
    bad = tmp_path / "bad.jsonl"
    bad.write_text("{}\n")
    with pytest.raises(DataError):
        write_memory(bad, spans([SEEN]))
    assert bad.read_text() == "{}\n"
