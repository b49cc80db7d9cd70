"""The state file: what was recorded is there, however the writer ended, and nothing else is ever overwritten."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from aidns.errors import EnvironmentFault
from aidns.lookup.spans import from_observation, merge
from aidns.lookup.state import APPLICATION_ID, BATCH, VERSION, State, read_spans
from aidns.model import Observation, Outcome
from aidns.names import Name
from unit.test_lookup_spans import histories, spans_of

NAME = Name("api.shop.com")
SEEN = Observation(
    NAME,
    "A",
    "tls://9.9.9.9#dns.quad9.net",
    Outcome.DENIED,
    1_800_000_000,
    Name("x.net"),
    detail='NXDOMAIN, "quoted"',
    chain=("x.net",),
    data=(),
    vantage="eu",
    operator="quad9",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a dir #1?" / "state.sqlite"


def test_every_field_comes_back(path: Path) -> None:
    with State(path) as state:
        state.record([SEEN])
    (span,) = read_spans(path)
    for field in Observation.__struct_fields__:
        if field != "at":
            assert getattr(span, field) == getattr(SEEN, field)
    assert (span.first, span.last, span.n, span.days) == (SEEN.at, SEEN.at, 1, (SEEN.at // 86400,))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(one=histories, two=histories)
def test_recording_in_parts_and_again_is_merging(
    tmp_path_factory: pytest.TempPathFactory, one: list[Observation], two: list[Observation]
) -> None:
    path = tmp_path_factory.mktemp("state") / "state.sqlite"
    with State(path) as state:
        state.record(one)
        state.record(two)
    with State(path) as state:
        state.record(one)
        found = state.spans()
    assert spans_of(one + two) == {_without_count(span) for span in found}


@given(st.lists(st.tuples(st.integers(0, 120), st.integers(0, 2), st.booleans()), max_size=60))
def test_night_after_night_is_merging(nights: list[tuple[int, int, bool]]) -> None:
    """However often the batches are put into one, the spans are the same, counts included."""
    seen = [
        replace(SEEN, at=18_000 * 86400 + night * 43200, detail=f"d{text}", data=(f"192.0.2.{text}",) * text)
        for night, text, _ in nights
    ]
    with tempfile.TemporaryDirectory() as folder, State(Path(folder) / "state.sqlite") as state:
        for one, (_, _, compacted) in zip(seen, nights, strict=True):
            state.record([one])
            if compacted:
                state.compact()
        found = state.spans()
    assert found == ((reduce(merge, map(from_observation, seen)),) if seen else ())


def test_compacting_leaves_one_batch_that_says_the_same(path: Path) -> None:
    with State(path) as state:
        for at in range(5):
            state.record([_at(at), SEEN])
        before = state.spans()
        assert state.compact() == before == state.spans()
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT count(*) FROM batch").fetchone() == (1,)
    db.close()


def test_compacting_keeps_what_another_writer_adds_meanwhile(path: Path) -> None:
    def write() -> None:
        with State(path) as state:
            for at in range(200):
                state.record([_at(at)])

    with ThreadPoolExecutor(1) as pool, State(path) as state:
        writing = pool.submit(write)
        while not writing.done():
            state.compact()
    (span,) = read_spans(path)
    assert (span.first, span.last, span.n) == (0, 199, 200)


def test_texts_that_look_like_outcomes_are_texts(path: Path) -> None:
    seen = [replace(SEEN, detail=str(outcome), vantage=str(outcome), outcome=outcome) for outcome in Outcome]
    with State(path) as state:
        state.record(seen)
        found = state.spans()
    assert {type(span.outcome) for span in found} == {Outcome}
    assert {type(text) for span in found for text in (span.detail, span.vantage)} == {str}


def test_many_spans_lie_in_several_batches(path: Path) -> None:
    seen = [replace(_at(1), name=Name(f"n{number}.shop.com")) for number in range(BATCH * 2 + 1)]
    with State(path) as state:
        state.merge(map(from_observation, seen))
        state.record(seen[:3])
        assert len(state.compact()) == len(seen)
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT json_array_length(spans) FROM batch").fetchall() == [(BATCH,), (BATCH,), (1,)]
    db.close()
    before = path.read_bytes()
    with State(path) as state:
        state.compact()
    assert path.read_bytes() == before, "nothing is left to do"


def _without_count(span: object) -> object:
    return replace(span, n=0)  # type: ignore[type-var]


def test_two_writers_lose_nothing(path: Path) -> None:
    with State(path) as one, State(path) as other:
        for at in range(0, 20, 2):
            one.record([_at(at)])
            other.record([_at(at + 1)])
        (span,) = one.spans()
    assert (span.first, span.last, span.n) == (0, 19, 20)


def test_writers_at_the_same_time_wait_for_each_other(path: Path) -> None:
    def write(start: int) -> None:
        with State(path) as state:
            for at in range(start, 300, 3):
                state.record([_at(at)])

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(write, range(3)))
    (span,) = read_spans(path)
    assert (span.first, span.last) == (0, 299)


def test_who_opens_waits_for_who_writes_without_a_log(path: Path) -> None:
    """As when several start on a new file at once: turning the log on is refused, and SQLite does not wait there."""
    with State(path) as state:
        state.record([SEEN])
    writer = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    writer.execute("PRAGMA journal_mode = DELETE")
    writer.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.2, writer.close)
    timer.start()
    with State(path) as state:
        assert len(state.spans()) == 1
    timer.join()


def _at(at: int) -> Observation:
    return Observation(NAME, "A", "9.9.9.9", Outcome.DATA, at, NAME)


def test_a_batch_is_recorded_whole_or_not_at_all(path: Path) -> None:
    with State(path) as state:
        state.record([_at(1)])
        with pytest.raises(UnicodeEncodeError):
            state.record([_at(2), replace(SEEN, detail="no text: \ud800")])
        (span,) = state.spans()
    assert span.last == 1


def test_reading_makes_no_file(path: Path) -> None:
    assert read_spans(path) == ()
    assert not path.parent.exists()


def test_reading_changes_no_byte(path: Path) -> None:
    with State(path) as state:
        state.record([SEEN])
    before = path.read_bytes()
    read_spans(path)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["state.sqlite"]


def test_an_empty_file_is_a_new_one(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    assert read_spans(path) == ()
    with State(path) as state:
        assert state.spans() == ()


@pytest.mark.parametrize(
    "content", [b"not a database at all, but long enough to be looked at", b"SQLite format 3\0" * 300]
)
def test_a_damaged_file_is_refused_with_a_way_out(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    for use in (State, read_spans):
        with pytest.raises(EnvironmentFault, match="damaged") as fault:
            use(path)
        assert "move it away" in fault.value.tip
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "text",
    [
        "[[",
        "{}",
        '[["a"]]',
        '[["a.com","A","9.9.9.9","resurrected","a.com",1,1,1,[0],"",[],[],"",""]]',
        '[["a.com","A","9.9.9.9","data","a.com",1,1,1,"x","",[],[],"",""]]',
    ],
)
def test_damage_inside_is_noticed(path: Path, text: str) -> None:
    with State(path) as state:
        state.record([SEEN])
    with sqlite3.connect(path) as db:
        db.execute("UPDATE batch SET spans = ?", (text,))
    db.close()
    with pytest.raises(EnvironmentFault, match="damaged"):
        read_spans(path)
    with State(path) as state, pytest.raises(EnvironmentFault, match="damaged"):
        state.compact()


def test_a_file_of_a_layout_before_the_first_release_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE span (name TEXT)")
        db.execute(f"PRAGMA user_version = {VERSION - 1}")
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.close()
    before = path.read_bytes()
    for use in (State, read_spans):
        with pytest.raises(EnvironmentFault, match="before its first release") as fault:
            use(path)
        assert "move it away" in fault.value.tip
    assert path.read_bytes() == before


def test_a_newer_file_is_left_alone(path: Path) -> None:
    with State(path):
        pass
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
    db.close()
    for use in (State, read_spans):
        with pytest.raises(EnvironmentFault, match="newer aidns") as fault:
            use(path)
        assert "update" in fault.value.tip


def test_another_programs_database_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE bookmarks (url TEXT)")
    db.close()
    before = path.read_bytes()
    for use in (State, read_spans):
        with pytest.raises(EnvironmentFault, match="another program"):
            use(path)
    assert path.read_bytes() == before


def test_the_file_says_what_it_is(path: Path) -> None:
    with State(path):
        pass
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert db.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    db.close()


READER = """
import os, sys
from pathlib import Path
from aidns.lookup.state import read_spans

if os.geteuid() == 0:
    os.setuid(65534)
print(len(read_spans(Path(sys.argv[1]))))
"""


def test_a_file_in_a_directory_of_somebody_else_can_be_read() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.sqlite"
        with State(path) as state:
            state.record([SEEN])
            Path(folder).chmod(0o555)
            for file in Path(folder).iterdir():
                file.chmod(0o444)
            assert _read_as_somebody_else(path) == "1", "while a writer has it open"
        assert _read_as_somebody_else(path) == "1"
        Path(folder).chmod(0o755)


def _read_as_somebody_else(path: Path) -> str:
    run = subprocess.run([sys.executable, "-c", READER, str(path)], capture_output=True, text=True, check=True)
    return run.stdout.strip()


@pytest.mark.parametrize("use", [State, read_spans])
def test_a_directory_is_no_state_file(tmp_path: Path, use: type[State]) -> None:
    with pytest.raises(EnvironmentFault, match="cannot use") as fault:
        use(tmp_path)
    assert "--state" in fault.value.tip


WRITER = """
import sys
from pathlib import Path
from aidns.lookup.state import State
from aidns.model import Observation, Outcome

with State(Path(sys.argv[1])) as state:
    for number in range(100_000):
        names = [f"n{number}-{i}.shop.com" for i in range(5)]
        state.record(Observation(n, "A", "9.9.9.9", Outcome.DATA, number, n) for n in names)
        print(number, flush=True)
"""


@pytest.mark.parametrize("batches", [1, 7, 40])
def test_a_killed_writer_leaves_every_finished_batch(path: Path, batches: int) -> None:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    told = [int(writer.stdout.readline()) for _ in range(batches)]
    os.kill(writer.pid, signal.SIGKILL)
    told += [int(line) for line in writer.stdout.read().split("\n")[:-1]]
    writer.stdout.close()
    writer.wait()
    with State(path) as state:
        found = [span.name for span in state.spans()]
    assert len(found) % 5 == 0, "a batch is there whole or not at all"
    assert {f"n{number}-{i}.shop.com" for number in told for i in range(5)} <= set(found)
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


def test_what_a_killed_writer_left_can_be_read_without_writing(path: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    writer.stdout.readline()
    os.kill(writer.pid, signal.SIGKILL)
    writer.stdout.close()
    writer.wait()
    assert len(read_spans(path)) >= 5
