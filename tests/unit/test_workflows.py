"""The workflows run what there is, and the nightly one in full: a million random questions, fifty kills."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
WORKFLOWS = {path.stem: path.read_text("utf-8") for path in (ROOT / ".github" / "workflows").glob("*.yml")}


def test_every_target_of_make_exists() -> None:
    """A renamed target would turn a job red, or a scheduled one that nobody watches."""
    called = {target for text in WORKFLOWS.values() for target in re.findall(r"run: make ([\w-]+)", text)}
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert called and called <= targets


def test_the_pieces_of_the_night_are_a_million_questions_of_different_draws() -> None:
    text = WORKFLOWS["nightly"]
    pieces = re.findall(r"piece: \[([\d, ]+)\]", text)[0].split(",")
    (queries,) = re.findall(r"make prove QUERIES=(\d+) ", text)
    assert len(pieces) * int(queries) >= 1_000_000
    assert "SEED=${{ github.run_number }}${{ matrix.piece }}" in text


def test_the_night_kills_a_check_fifty_times() -> None:
    assert 'AIDNS_KILLS: "50"' in WORKFLOWS["nightly"]
    assert "killed" in WORKFLOWS["nightly"] and (ROOT / "tests" / "servers" / "test_check_killed.py").is_file()
