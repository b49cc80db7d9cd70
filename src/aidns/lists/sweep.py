"""From sorted keys to the rules that are needed, with the semantics of `blockset`: deepest name, exception first. Pure.

Rules that nothing else touches leave as whole blocks of names, which formats write without looking at each. Only
trees with other rules inside them become owners with answers, for `blockset` and the formats to judge in full.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from aidns.lists.keys import END, KNOWN, MARK, SEP, name_of
from aidns.lists.runs import Runs
from aidns.model import Answer
from aidns.names import MAX_NAME, Name

_DOTS, _SEPS = bytes.maketrans(SEP.encode(), b"."), bytes.maketrans(b".", SEP.encode())


class Names(Struct, frozen=True):
    """Many names, without an object for each."""

    blocks: tuple[bytes, ...] = ()
    """Names one a line, each ended by a newline; no block is empty."""
    count: int = 0

    def __iter__(self) -> Iterator[Name]:
        for block in self.blocks:
            yield from map(Name, block.decode("ascii").split("\n")[:-1])


def packed(names: Iterable[str]) -> Names:
    """Return names as one block."""
    block = "".join(f"{name}\n" for name in names).encode("ascii")
    return Names((block,) if block else (), block.count(b"\n"))


class Counts(Struct, frozen=True):
    """What became of the rules that were read."""

    names: int
    """Rules read, repeats included."""
    duplicates: int
    covered: int
    """Names that a rule above them already says."""
    overruled: int
    """Blocked names that an exception for the same name undoes."""
    exceptions: int
    """Exceptions that cut a hole into a blocked tree."""
    idle: int
    """Exceptions without a blocked tree above: nothing to except."""


class Compiled(Struct, frozen=True):
    """The rules of some lists, each needed; names in the order of their keys."""

    trees: Names
    """Blocked with everything below, and no other rule lies below."""
    exacts: Names
    """Blocked alone, outside every tree."""
    nested: dict[Name, Answer]
    """Owners of trees that hold other rules, as `BlockSet.minimal` has them."""
    covered: Names
    """Listed names below one of `trees`, the next field's left out; kept only where asked for."""
    covered_www: Names
    """Listed names that are `www.` and one of `trees`."""
    nested_known: tuple[Name, ...]
    """Every name listed in the trees of `nested`."""
    longest: int
    """No name has more octets."""
    counts: Counts

    @property
    def blocks_something(self) -> bool:
        """Whether any name is blocked."""
        blocked = any(answer.self_blocked or answer.below_blocked for answer in self.nested.values())
        return bool(self.trees.count or self.exacts.count) or blocked


class _Tree:
    """A top-most owner that blocks what lies below it, and the rules inside, while the keys pass by."""

    def __init__(self) -> None:
        self.open: list[tuple[str, bool]] = []
        """(first key behind the tree of an owner, whether it blocks what lies below), outermost first."""
        self.owners: list[tuple[str, Answer]] = []
        self.known: list[str] = []


class Sweep:
    """Takes all keys in order. `exact` says what a bare key is, `known` whether covered names are kept."""

    def __init__(self, *, exact: bool, marked: bool, known: bool) -> None:
        self._exact, self._known = exact, known
        self._trees: list[str] = []
        self._exacts: list[str] = []
        self._covered: list[str] = []
        self._www: list[str] = []
        self._blocks: tuple[list[bytes], ...] = ([], [], [], [])
        self._counts = [0, 0, 0, 0]
        self._nested: dict[Name, Answer] = {}
        self._nested_known: list[Name] = []
        self._names = self._duplicates = self._dropped = self._overruled = self._idle = 0
        self._last = ""
        """Bare keys alone: the first key behind the last tree kept; with SEP, that tree, where covered names are kept.
        Marked: the key being collected."""
        self._letters = ""
        self._tree = _Tree()
        self._take = self._take_marked if marked else self._take_exact if exact else self._take_trees

    def take(self, keys: list[str]) -> None:
        """Take a sorted list of keys; repeats stand in the same list."""
        last = ""
        once = [last := key for key in keys if key != last]
        self._names += len(keys)
        self._duplicates += len(keys) - len(once)
        self._take(once)
        self._pack()

    def result(self, longest: int = MAX_NAME) -> Compiled:
        """Return what all keys together say; no key is longer than `longest`."""
        self._settle()
        self._close()
        self._pack()
        trees, exacts, covered, www = (
            Names(tuple(blocks), count) for blocks, count in zip(self._blocks, self._counts, strict=True)
        )
        counts = Counts(
            names=self._names,
            duplicates=self._duplicates,
            covered=self._dropped,
            overruled=self._overruled,
            exceptions=sum(not answer.self_blocked for answer in self._nested.values()),
            idle=self._idle,
        )
        return Compiled(trees, exacts, self._nested, covered, www, tuple(self._nested_known), longest, counts)

    def _pack(self) -> None:
        """Turn the names gathered in lists into blocks."""
        gathered = (self._trees, self._exacts, self._covered, self._www)
        for index, (names, blocks) in enumerate(zip(gathered, self._blocks, strict=True)):
            if names:
                self._counts[index] += len(names)
                names.reverse()  # turning the text round restores the order
                blocks.append(("\n" + "\n".join(names)).encode("ascii")[::-1].translate(_DOTS))
                names.clear()

    # ------------------------------------------------------------------ bare keys alone

    def _take_exact(self, keys: list[str]) -> None:
        self._exacts += keys

    def _take_trees(self, keys: list[str]) -> None:
        if self._known:
            return self._take_known(keys)
        behind = self._last
        kept = [key for key in keys if key >= behind and (behind := key + END)]
        self._last = behind
        self._dropped += len(keys) - len(kept)
        self._trees += kept
        return None

    def _take_known(self, keys: list[str]) -> None:
        for key in keys:
            if self._last and key.startswith(self._last):
                (self._www if key == f"{self._last}www" else self._covered).append(key)
                self._dropped += 1
            else:
                self._trees.append(key)
                self._last = key + SEP

    # ------------------------------------------------------------------ marked keys among them

    def _take_marked(self, keys: list[str]) -> None:
        usual = "E" if self._exact else "S"
        for key in keys:
            base, _, letter = key.partition(MARK)
            if base != self._last:
                self._settle()
                self._last, self._letters = base, ""
            self._letters += letter or usual

    def _settle(self) -> None:
        """Decide the name whose rules have been collected."""
        key, letters = self._last, self._letters
        if not letters:
            return
        while self._tree.open and key >= self._tree.open[-1][0]:
            self._tree.open.pop()
        if not self._tree.open:
            self._close()
        open_ = self._tree.open
        above = bool(open_) and open_[-1][1]
        answer = decided(letters, above)
        if open_:
            self._tree.known.append(key)
        if answer.self_blocked == answer.below_blocked == above:
            self._drop(letters, above)
        elif not open_ and not answer.below_blocked:
            self._exacts.append(key)
        else:
            self._tree.owners.append((key, answer))
            if answer.below_blocked != above:
                open_.append((key + END, answer.below_blocked))

    def _drop(self, letters: str, above: bool) -> None:
        if letters == KNOWN:
            self._names -= 1
        elif above:
            self._dropped += 1
        elif letters.islower():
            self._idle += 1
        else:
            self._overruled += 1

    def _close(self) -> None:
        """Hand over the tree that no further key lies in."""
        owners, known, self._tree = self._tree.owners, self._tree.known, _Tree()
        if not owners:
            return
        top, answer = owners[0]
        if len(owners) > 1 or not answer.self_blocked:
            self._nested.update((name_of(key), answer) for key, answer in owners)
            self._nested_known += [name_of(key) for key in (top, *known)]
            return
        self._trees.append(top)
        if not self._known:
            return
        www = f"{top}{SEP}www"
        self._covered += [key for key in known if key != www]
        self._www += [key for key in known if key == www]


def set_apart(compiled: Compiled, names: Container[Name]) -> Compiled:
    """Return the same rules with those for these names among `nested`, where each has an object."""
    trees, some_trees = _parted(compiled.trees, names)
    exacts, some_exacts = _parted(compiled.exacts, names)
    apart = dict.fromkeys(some_trees, Answer(True, True)) | dict.fromkeys(some_exacts, Answer(True, False))
    return replace(
        compiled,
        trees=trees,
        exacts=exacts,
        nested=compiled.nested | apart,
        nested_known=(*compiled.nested_known, *apart),
    )


def _parted(names: Names, wanted: Container[Name]) -> tuple[Names, list[Name]]:
    found: list[Name] = []
    blocks: list[bytes] = []
    for block in names.blocks:
        some = [name for name in map(Name, block.decode("ascii").split("\n")) if name in wanted]
        if some:
            found += some
            kept = [name for name in block.decode("ascii").split("\n")[:-1] if name not in wanted]
            block = "".join(f"{name}\n" for name in kept).encode("ascii")
        blocks += [block] if block else []
    return Names(tuple(blocks), names.count - len(found)), found


def minimal_trees(groups: Iterable[Names]) -> Names:
    """Return all these names, taken as trees, without those that lie in another."""
    runs = Runs()
    for names in groups:
        for block in names.blocks:
            runs.add(sorted(block.translate(_SEPS)[::-1].decode("ascii").split("\n")[1:]))
    sweep = Sweep(exact=False, marked=False, known=False)
    for keys in runs.ranges():
        sweep.take(keys)
    return sweep.result().trees


@lru_cache(maxsize=1024)
def decided(letters: str, above: bool) -> Answer:
    """Return what the marks of one name say; `above` is what the nearest owner above says about it.

    The semantics of `blockset.answers`, with rules besides for what lies below a name alone: there they come before
    rules for the whole tree, as in dnsmasq, where `*.name` is longer than `name`.
    """
    here, below = {*"EeSs"} & {*letters}, {*"Bb"} & {*letters} or {*"Ss"} & {*letters}
    return Answer(
        all(letter.isupper() for letter in here) if here else above,
        all(letter.isupper() for letter in below) if below else above,
    )
