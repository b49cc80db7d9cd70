"""Memories as JSON Lines, one span a line: for people, pipes, and machines that share the work. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from aidns import names
from aidns.errors import DataError
from aidns.lookup.spans import MAX_DAYS, SpanKey, is_wildcard, merge_all
from aidns.model import Problem, Span
from aidns.names import printable

SCHEMA = "aidns/span/1"
"""Every line says it, so that files can be cut and put together with any tool."""
MAX_MOMENT = 2**53
"""Unix seconds beyond any clock; JSON numbers are exact up to here."""
MAX_TEXT = 2000
"""Characters of a text; a name of 253 octets, each escaped, has half as many."""


class Line(Span, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A span as it stands in a line."""

    schema: str


def dump(spans: Iterable[Span]) -> Iterator[str]:
    """Yield the lines of a memory, ended; equal memories give equal text, whatever the order."""
    merged: dict[SpanKey, Span] = merge_all(spans)
    for key in sorted(merged):
        line = {"schema": SCHEMA, **msgspec.structs.asdict(merged[key])}
        yield msgspec.json.encode(line).decode() + "\n"


def load(lines: Iterable[bytes], file: str) -> tuple[Span, ...]:
    """Read lines. Raises DataError with every line that is no span."""
    decoder = msgspec.json.Decoder(Line)
    spans: list[Span] = []
    problems: list[Problem] = []
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            spans.append(_checked(decoder.decode(text)))
        except (msgspec.MsgspecError, ValueError) as error:
            problems.append(Problem("span", file, number, "", printable(str(error), 200)))
    if problems:
        raise DataError(
            f"{file} is no memory in JSON Lines: {len(problems)} bad line(s)",
            problems,
            tip="take a state file, or what `aidns merge - FILE` prints of one",
        )
    return tuple(spans)


def _checked(line: Line) -> Span:
    """Return the span of a line from anywhere. Raises ValueError for what `check` would never have written."""
    if line.schema != SCHEMA:
        raise ValueError(f"schema {line.schema!r} is not {SCHEMA!r}")
    _check_name(line.name)
    texts = (
        line.subject,
        line.rdtype,
        line.resolver,
        line.detail,
        line.vantage,
        line.operator,
        *line.chain,
        *line.data,
    )
    if any(len(text) > MAX_TEXT or not text.isprintable() for text in texts):
        raise ValueError("a text is too long or not printable")
    if not all((line.subject, line.rdtype, line.resolver)):
        raise ValueError("subject, rdtype or resolver is empty")
    if not 0 <= line.first <= line.last <= MAX_MOMENT or not 0 < line.n <= MAX_MOMENT:
        raise ValueError("first, last and n do not fit each other")
    days = line.days
    if not 0 < len(days) <= MAX_DAYS or list(days) != sorted(set(days)):
        raise ValueError(f"days are not 1 to {MAX_DAYS} ascending day numbers")
    if days[-1] != line.last // 86400 or days[0] < line.first // 86400:
        raise ValueError("days do not fit first and last")
    fields = msgspec.structs.asdict(line)
    del fields["schema"]
    return Span(**fields)


def _check_name(name: str) -> None:
    names.parse(name.removeprefix("*.") if is_wildcard(name) else name)
