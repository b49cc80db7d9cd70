"""Sorting more keys than fit as Python objects: sorted runs in octets, merged range by range. Pure.

A run holds one block's sorted keys as joined octets, 17 to 20 a name where a list of str takes some 80. At the end all
runs are cut at the same keys into ranges, and each range is split, sorted (timsort merges what is sorted already) and
handed on. So memory is one copy of the keys and the objects of one range.
"""

from __future__ import annotations

from collections.abc import Iterator

from aidns.lists.keys import MARK

RANGE = 1 << 18
"""Octets of a range, about. Fewer stay in a cache, but each run is cut once for each range."""
_SAMPLES = 8
"""Keys looked at for each range when the cuts are chosen."""


class Runs:
    """Collects sorted keys, then yields them all in order."""

    def __init__(self) -> None:
        self._runs: list[bytes] = []
        self.marked = False
        """Whether any key carries a mark."""

    def add(self, keys: list[str]) -> None:
        """Add sorted keys; none is empty or holds a newline."""
        if keys:
            run = "\n".join(keys).encode("ascii")
            self.marked = self.marked or MARK.encode() in run
            self._runs.append(run)

    def ranges(self) -> Iterator[list[str]]:
        """Yield all keys sorted, repeats included, in lists that follow each other; repeats stay together.

        Empties itself on the way.
        """
        total = sum(map(len, self._runs))
        count = max(1, total // RANGE)
        if count == 1:
            yield sorted(key for run in self._runs for key in run.decode("ascii").split("\n"))
            self._runs.clear()
            return
        cuts = _cuts(self._runs, total, count)
        ranges: list[bytearray | None] = [bytearray() for _ in range(len(cuts) + 1)]
        self._runs.reverse()
        while self._runs:  # each run goes when it has been dealt out
            _deal(self._runs.pop(), cuts, ranges)
        for index, text in enumerate(ranges):
            ranges[index] = None
            if text:
                keys = text[:-1].decode("ascii").split("\n")
                del text
                keys.sort()
                yield keys


def _cuts(runs: list[bytes], total: int, count: int) -> list[bytes]:
    """Return up to `count - 1` ascending keys that part the runs into ranges of like size."""
    step = max(1, total // (count * _SAMPLES))
    samples: list[bytes] = []
    offset = step // 2
    for run in runs:
        at = offset
        while at < len(run):
            begin = run.rfind(b"\n", 0, at) + 1
            end = run.find(b"\n", at)
            samples.append(run[begin : end if end >= 0 else len(run)])
            at += step
        offset = at - len(run)
    samples.sort()
    return sorted({samples[index * len(samples) // count] for index in range(1, count)})


def _deal(run: bytes, cuts: list[bytes], ranges: list[bytearray | None]) -> None:
    """Append each range's part of a run, and a newline, to that range."""
    begin = 0
    for cut, text in zip([*cuts, None], ranges, strict=True):
        end = len(run) + 1 if cut is None else _first_at_least(run, cut, begin)
        assert text is not None
        if end > begin:
            text += run[begin : end - 1]
            text += b"\n"
        begin = end


def _first_at_least(run: bytes, key: bytes, low: int) -> int:
    """Return where the first key that is not below `key` begins, at `low` or later; len(run) + 1 if there is none.

    Bisects octets: `low` and every bound is where a key begins.
    """
    high = len(run) + 1
    while low < high:
        middle = (low + high) // 2
        begin = max(low, run.rfind(b"\n", low, middle) + 1)
        end = run.find(b"\n", begin)
        end = len(run) if end < 0 else end
        if run[begin:end] < key:
            low = end + 1
        else:
            high = begin
    return low
