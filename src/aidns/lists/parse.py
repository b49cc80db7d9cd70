"""From the octets of a list to sorted keys, a block of lines at a time. Pure.

What a line means is defined by its reader (`text`, `zone`) and by nothing else. The quick way takes only lines whose
meaning follows from the reader's own answer for their shape: `shape` finds that a prefix and a suffix around a name
list just that name, and what then remains of a line is nothing but octets that a name can hold. All other lines, and
all those whose remaining text may be no name, go through the reader one by one.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from aidns.lists.keys import END, MARK, SEP, Marking, key_of
from aidns.lists.line import MAX_LINE, Entry, Refusal, Syntax, shown
from aidns.lists.octets import (
    Span,
    crowded,
    cut,
    doubtful,
    lone_dots,
    odd,
    peel,
    table,
    without_final_dots,
    without_shape,
)
from aidns.lists.shape import Shape, find_shapes
from aidns.lists.sniff import reader_for
from aidns.lists.tally import Tally
from aidns.lists.zone import ZoneReader
from aidns.names import CANARY_PARENT, MAX_LABEL, RPZ_TRIGGERS

_SEP, _MARK = SEP.encode(), MARK.encode()
_CANARY = CANARY_PARENT.replace(".", SEP).encode()
_LOCAL = b"localhost" + _SEP + b"localdomain"
_PECULIAR: dict[Syntax, tuple[bytes, ...]] = {
    "domains": (_CANARY,),
    "hosts": (_CANARY, _LOCAL),
    "adblock": (_CANARY, _LOCAL),
    "dnsmasq": (_CANARY,),
    "rpz": (_CANARY, b"rpz-"),
}
"""Text inside names that the gate takes and a reader treats in its own way."""
_ZONE_STATE = (b"\n ", b"\n\t", b"(", b")", b"$", b'"')
"""What makes the lines of a zone file depend on one another."""
_TRIGGERS = tuple(top[::-1] for top in RPZ_TRIGGERS)
_RESNIFF = 8
"""Look for other shapes when more than one line in so many had to be read by itself."""


class Parser:
    """Parses one list. Feed it whole lines; it returns their keys and counts the rest in `tally`."""

    def __init__(self, syntax: Syntax, marking: Marking) -> None:
        self.tally = Tally()
        self.found: list[str] = []
        """Keys of lines that were read one by one, unsorted; `take_found` empties it."""
        self.longest = MAX_LABEL
        """No name was longer, in octets; longer ones than this are all read one by one."""
        self._syntax = syntax
        self._marking = marking
        self._reader = reader_for(syntax)
        self._shapes: tuple[Shape, ...] = ()
        self._resniff = True
        self._alike: tuple[bytes, int] | None = None
        """The block and its first line's number, where two of its shapes have the same mark."""
        self._raw_lines: list[bytes] = []

    def keys(self, block: bytes) -> list[str]:
        """Return the sorted keys of a block of lines, repeats included; what is left is in `found`.

        The block ends with a newline.
        """
        first = self.tally.lines + 1
        raw = b"\n" + (block.replace(b"\r\n", b"\n") if b"\r" in block else block)
        self.tally.lines += raw.count(b"\n") - 1
        found = len(self.found)
        depends = self._depends(raw)
        if self._resniff:
            self._shapes = () if depends else find_shapes(raw, self._reader, self._marking)
        keys = self._quickly(raw, first) if self._shapes and not depends else self._slowly(raw, first)
        self._resniff = (len(self.found) - found) * _RESNIFF >= self.tally.lines - first
        self.tally.names += len(keys) + len(self.found) - found
        return keys

    def take_found(self) -> list[str]:
        """Return and forget the keys of lines that were read one by one."""
        found, self.found = self.found, []
        return found

    def _depends(self, raw: bytes) -> bool:
        """Tell whether a line of the block may depend on another."""
        reader = self._reader
        return isinstance(reader, ZoneReader) and (not reader.is_plain or any(sign in raw for sign in _ZONE_STATE))

    def _slowly(self, raw: bytes, first: int) -> list[str]:
        for number, line in enumerate(raw[1:-1].split(b"\n"), first):
            self._line(number, line)
        return []

    def _line(self, number: int, line: bytes) -> None:
        """Read one line by its reader."""
        if len(line) > MAX_LINE:
            refusal = Refusal("is longer than any name needs", shown(line[:MAX_LINE].decode("utf-8", "replace")))
            return self.tally.refuse(number, refusal)
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            return self.tally.refuse(number, Refusal("is not UTF-8", shown(line.decode("utf-8", "replace"))))
        for item in self._reader(text):
            if isinstance(item, Entry):
                self.found.append(key_of(item.name, self._marking.letter(item.kind, item.blocks)))
                self.longest = max(self.longest, len(item.name))
            else:
                self.tally.refuse(number, item)
        return None

    # -------------------------------------------------------------- the quick way

    def _quickly(self, raw: bytes, first: int) -> list[str]:
        """Return the sorted keys of lines that have a shape; read the others one by one."""
        lowered = raw.translate(table(self._shapes))
        spans = odd(lowered, self._shapes)
        names = peel(cut(lowered, spans), self._shapes)
        if names is None:
            spans = without_shape(lowered, self._shapes)
            names = peel(cut(lowered, spans), self._shapes)
            assert names is not None, "what has no shape was cut out"
        alike = len({shape.mark for shape in self._shapes}) < len(self._shapes)
        self._alike, self._raw_lines = (raw, first) if alike else None, []
        numbers = Numbers(first, needed=alike or not self.tally.is_full)
        for number, (begin, end) in numbers.take(raw, spans):
            self._line(number, raw[begin:end])
        names = self._pull(names, crowded(names, self._shapes), numbers)
        if self._syntax != "rpz":  # in a zone file a final dot has another meaning
            names = without_final_dots(self._pull(names, lone_dots(names), numbers))
        names = self._pull(names, doubtful(names, _PECULIAR[self._syntax]), numbers, dots_gone=True)
        return self._sorted(names[1:-1][::-1].decode("ascii"), numbers)

    def _pull(self, names: bytes, spans: list[Span], numbers: Numbers, *, dots_gone: bool = False) -> bytes:
        """Return a peeled block without these lines, after reading them one by one."""
        for number, (begin, end) in numbers.take(names, spans):
            self._again(number, names[begin:end], dots_gone=dots_gone)
        return cut(names, spans)

    def _again(self, number: int, rest: bytes, *, dots_gone: bool = True) -> None:
        """Read a line of which the mark and the text of the name are left, maybe without one final dot.

        Where two shapes have the same mark, the block itself must tell what the line was.
        """
        if self._alike:
            raw, first = self._alike
            if not self._raw_lines:
                self._raw_lines = raw.split(b"\n")
            self._line(number, self._raw_lines[number - first + 1])
            return
        at = rest.find(_MARK) + 1
        shape = next(shape for shape in self._shapes if shape.mark == rest[:at])
        name = rest[at:].replace(_SEP, b".")
        if dots_gone and name.endswith(b".") and self._syntax != "rpz":
            name += b"."
        self._line(number, shape.prefix + name + shape.suffix)

    def _sorted(self, text: str, numbers: Numbers) -> list[str]:
        """Return the keys in a reversed text, sorted, without those whose length, label count or top level is odd.

        These are read one by one.
        """
        keys = text.split("\n") if text else []
        keys.sort()
        bad = {key for key in keys if len(key) > MAX_LABEL or SEP not in key}
        digits = keys[: bisect_left(keys, ":")]  # nothing else sorts below: hyphens stand at no edge
        bad.update(key for key in digits if key.partition(SEP)[0].isdigit())
        for top in _TRIGGERS:
            bad.update(keys[bisect_left(keys, top + SEP) : bisect_left(keys, top + END)])
        if bad:
            for number, key in numbers.find(text, bad) if numbers.needed else _each(keys, bad):
                self._again(number, key[::-1].encode())
            keys = _without(keys, bad)
        return keys


def _without(keys: list[str], gone: set[str]) -> list[str]:
    """Return sorted keys without these few."""
    kept: list[str] = []
    begin = 0
    for key in sorted(gone):
        kept += keys[begin : (begin := bisect_left(keys, key, begin))]
        begin = bisect_right(keys, key, begin)
    return kept + keys[begin:]


def _each(keys: list[str], wanted: set[str]) -> Iterable[tuple[int, str]]:
    for key in wanted:
        for _ in range(bisect_left(keys, key), bisect_right(keys, key)):
            yield 0, key


class Numbers:
    """Line numbers of what is left of a block. All are 0 where nobody needs them, for counting lines takes time."""

    def __init__(self, first: int, *, needed: bool) -> None:
        self.needed = needed
        self._first = first
        self._jumps: list[list[int]] = []

    def take(self, text: bytes, spans: list[Span]) -> list[tuple[int, Span]]:
        """Return ascending spans of what is left with their line numbers; their lines are then gone."""
        if not self.needed:
            return [(0, span) for span in spans]
        indexes: list[int] = []
        index, counted = 0, 1
        for begin, _ in spans:
            index += text.count(b"\n", counted, begin)
            counted = begin
            indexes.append(index)
        numbers = [self._number(index) for index in indexes]
        self._jumps.append([index - before for before, index in enumerate(indexes)])
        return list(zip(numbers, spans, strict=True))

    def find(self, text: str, wanted: set[str]) -> Iterable[tuple[int, str]]:
        """Yield each of these keys that stands in a reversed text, with its line number."""
        for index, key in enumerate(reversed(text.split("\n"))):
            if key in wanted:
                yield self._number(index), key

    def _number(self, index: int) -> int:
        for jumps in reversed(self._jumps):
            index += bisect_right(jumps, index)
        return self._first + index
