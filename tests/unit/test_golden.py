"""Golden files: what each format makes of the sample's policies, byte for byte.

`AIDNS_UPDATE_GOLDEN=1 pytest tests/unit/test_golden.py` writes them anew; the difference is then for a person to read.
"""

from __future__ import annotations

import os
import re

import pytest

from aidns.render.formats import FORMATS
from golden_files import CASES, REFUSALS, ROOT, path_of, refusal_of, text_of

UPDATE = os.environ.get("AIDNS_UPDATE_GOLDEN") == "1"
EXPRESSIBLE = [case for case in CASES if not refusal_of(*case)]


@pytest.mark.parametrize(("policy", "fmt"), EXPRESSIBLE)
def test_the_list_is_the_golden_file(policy: str, fmt: str) -> None:
    """Serial and time fixed, so that every byte counts."""
    path, text = path_of(policy, fmt), text_of(policy, fmt)
    if UPDATE:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "ascii")
    assert path.is_file(), "new: write it with AIDNS_UPDATE_GOLDEN=1 and read what it holds"
    assert path.read_bytes() == text.encode("ascii")


def test_what_a_format_cannot_say_it_refuses_with_this_reason() -> None:
    """No format turns into something weaker by itself: these refuse, and no golden file of them exists."""
    lines = [f"{policy} {fmt}: {why}\n" for policy, fmt in CASES if (why := refusal_of(policy, fmt))]
    if UPDATE:
        REFUSALS.write_text("".join(lines), "utf-8")
    assert REFUSALS.read_text("utf-8") == "".join(lines)


def test_no_golden_file_is_left_over() -> None:
    """A file that nothing makes any more proves nothing."""
    assert {file for file in ROOT.rglob("*") if file.is_file()} == {REFUSALS, *(path_of(*case) for case in EXPRESSIBLE)}


@pytest.mark.parametrize(("policy", "fmt"), EXPRESSIBLE)
def test_the_bytes_are_what_every_consumer_can_read(policy: str, fmt: str) -> None:
    """ASCII, lines that end in LF and in nothing else, no blank line, a final newline, no blank at an end."""
    data = path_of(policy, fmt).read_bytes()
    assert data.isascii()
    assert data.endswith(b"\n")
    lines = data.removesuffix(b"\n").split(b"\n")
    assert all(line.strip() for line in lines)
    assert not [line for line in lines if re.search(rb"[\x00-\x1f\x7f]|[ \t]$", line)]


@pytest.mark.parametrize(("policy", "fmt"), EXPRESSIBLE)
def test_comments_are_on_lines_of_their_own(policy: str, fmt: str) -> None:
    """Gravity drops an entry with a comment behind it, and what follows a comment mark elsewhere may be an entry."""
    mark = FORMATS[fmt].comment
    for line in text_of(policy, fmt).splitlines():
        assert line.startswith(mark) or f" {mark}" not in line, line


def test_every_format_has_a_golden_file() -> None:
    assert {fmt for _, fmt in EXPRESSIBLE} == {*FORMATS}
