"""From the octets of a list to sorted keys, a block of lines at a time. Pure.

What a line means is defined by its reader (`text`, `zone`) and by nothing else. The quick way takes only lines whose
meaning follows from the reader's own answer for their shape: `shape` finds that a prefix and a suffix around a name
list just that name, and what then remains of a line is nothing but octets that a name can hold. All other lines, and
all those whose remaining text may be no name, go through the reader one by one.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from aidns.lists.keys import MARK, SEP, Marking, key_of
from aidns.lists.line import MAX_LINE, Entry, Refusal, Syntax, shown
from aidns.lists.shape import PLAIN, Shape, find_shapes
from aidns.lists.sniff import reader_for
from aidns.lists.tally import Tally
from aidns.lists.zone import ZoneReader
from aidns.names import MAX_LABEL

NAME_OCTETS = b"abcdefghijklmnopqrstuvwxyz0123456789_-."
_SEP, _MARK = SEP.encode(), MARK.encode()
_EDGES = bytes.maketrans(b"\n-" + _MARK, _SEP * 3)
"""Makes one octet of everything that may not stand beside another of its kind, `--` excepted."""
_PECULIAR: dict[Syntax, bytes] = {
    "domains": b"",
    "hosts": b"localhost" + _SEP + b"localdomain",
    "adblock": b"localhost" + _SEP + b"localdomain",
    "dnsmasq": b"",
    "rpz": b"rpz-",
}
"""Text inside names that the gate takes and a reader treats in its own way."""
_ZONE_STATE = (b"\n ", b"\n\t", b"(", b")", b"$", b'"')
"""What makes the lines of a zone file depend on one another."""
_RESNIFF = 8
"""Look for other shapes when more than one line in so many had to be read by itself."""


class Parser:
    """Parses one list. Feed it whole lines; it returns their keys and counts the rest in `tally`."""

    def __init__(self, syntax: Syntax, marking: Marking) -> None:
        self.tally = Tally()
        self._syntax = syntax
        self._marking = marking
        self._reader = reader_for(syntax)
        self._shapes: tuple[Shape, ...] = ()
        self._resniff = True
        self._found: list[str] = []

    def keys(self, block: bytes) -> list[str]:
        """Return the sorted keys of a block of lines that ends with a newline, repeats included."""
        first = self.tally.lines + 1
        raw = b"\n" + (block.replace(b"\r\n", b"\n") if b"\r" in block else block)
        self.tally.lines += raw.count(b"\n") - 1
        self._found = []
        if self._resniff:
            self._shapes = find_shapes(raw, self._reader, self._marking) if not self._depends(raw) else ()
        quick = self._shapes and not self._depends(raw)
        keys = self._quickly(raw, first) if quick else self._slowly(raw, first)
        self._resniff = len(self._found) * _RESNIFF > self.tally.lines - first
        keys += self._found
        keys.sort()
        self.tally.names += len(keys)
        return keys

    def _depends(self, raw: bytes) -> bool:
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
                self._found.append(key_of(item.name, self._marking.letter(item.kind, item.blocks)))
            else:
                self.tally.refuse(number, item)
        return None

    # -------------------------------------------------------------- the quick way

    def _quickly(self, raw: bytes, first: int) -> list[str]:
        """Return the keys of lines that have a shape; read the others one by one."""
        text, removed = self._pull(raw, first)
        peeled = peel(text, self._shapes)
        numbers = Numbers(first, removed)
        if self._syntax != "rpz":
            peeled = peeled.replace(_SEP + b"\n", b"\n")  # an absolute name; in a zone file it has another meaning
        peeled = self._pull_doubtful(peeled, numbers)
        reversed_text = peeled[1:-1][::-1].decode("ascii")
        keys = reversed_text.split("\n") if reversed_text else []
        return self._without_bad(keys, numbers)

    def _pull(self, raw: bytes, first: int) -> tuple[bytes, list[int]]:
        """Return the block in lower case with SEP for dots, without the lines that have no shape, and their indexes.

        Those are read one by one, in order.
        """
        text = raw.translate(_table(self._shapes))
        spans = list(_spans_with(text, _MARK))
        if not has_shapes(_cut(text, spans), self._shapes):
            spans = list(_spans_without_shape(text, self._shapes))
        removed: list[int] = []
        index, counted = 0, 1
        for begin, end in spans:
            index += raw.count(b"\n", counted, begin)
            self._line(first + index, raw[begin:end])
            removed.append(index)
            counted = begin
        return _cut(text, spans), removed

    def _pull_doubtful(self, peeled: bytes, numbers: Numbers) -> bytes:
        """Return the lines in which no hyphen, dot or edge touches another, and nothing peculiar stands.

        The others are read one by one.
        """
        spans = list(_doubtful(peeled, _PECULIAR[self._syntax]))
        if not spans:
            return peeled
        index, counted = 0, 1
        removed = []
        for begin, end in spans:
            index += peeled.count(b"\n", counted, begin)
            self._again(numbers[index], peeled[begin:end])
            removed.append(index)
            counted = begin
        numbers.remove(removed)
        return _cut(peeled, spans)

    def _again(self, number: int, rest: bytes) -> None:
        """Read a line of which the mark and the text of the name are left."""
        at = rest.find(_MARK) + 1
        shape = next(shape for shape in self._shapes if shape.mark == rest[:at])
        name = rest[at:].replace(_SEP, b".")
        if name.endswith(b".") and self._syntax != "rpz":
            name += b"."  # it had one more
        self._line(number, shape.prefix + name + shape.suffix)

    def _without_bad(self, keys: list[str], numbers: Numbers) -> list[str]:
        """Return the keys without those that only their length, label count or top level can forbid."""
        doubtful = {key for key in keys if len(key) > MAX_LABEL or SEP not in key}
        if min(keys, default="") < ":":
            doubtful.update(key for key in keys if key.partition(SEP)[0].isdigit())
        if not doubtful:
            return keys
        last = len(keys) - 1
        for index in range(last, -1, -1):
            if keys[index] in doubtful:
                self._again(numbers[last - index], keys[index][::-1].encode())
        return [key for key in keys if key not in doubtful]


class Numbers:
    """Line numbers of what is left of a block, by index."""

    def __init__(self, first: int, removed: list[int]) -> None:
        self._first = first
        self._jumps: list[list[int]] = []
        self.remove(removed)

    def __getitem__(self, index: int) -> int:
        for jumps in reversed(self._jumps):
            index += bisect_right(jumps, index)
        return self._first + index

    def remove(self, removed: list[int]) -> None:
        """Note ascending indexes that are no longer there."""
        self._jumps.append([index - before for before, index in enumerate(removed)])
