"""TOML as a person wrote it: statements in order, with their comments, so that a program can edit a file. Pure.

Only for text that tomli accepts: this module knows how TOML is laid out, not what is wrong with it. Values keep the
spelling of their scalars; `aidns.catalog.canon` prints them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

Comments = tuple[str, ...]
"""Comment lines from their `#` on; an empty string is a blank line between blocks of them."""


class Scalar(Struct, frozen=True):
    """A string, number, date or boolean as spelt in the file; multi-line strings hold line breaks."""

    text: str


class Item(Struct, frozen=True):
    """An element of an array, the comments above it and the one beside it."""

    value: Value
    above: Comments = ()
    beside: str = ""


class Array(Struct, frozen=True):
    """`[a, b]`. `below` are comments after the last element."""

    items: tuple[Item, ...]
    below: Comments = ()


class Inline(Struct, frozen=True):
    """`{ key = value }`, the keys as spelt in canonical form."""

    pairs: tuple[Pair, ...]


Value = Scalar | Array | Inline


class Pair(Struct, frozen=True):
    """`key = value`, the comments above it and the one beside it."""

    key: str
    value: Value
    above: Comments = ()
    beside: str = ""


class Table(Struct, frozen=True):
    """A header and the pairs below it; the root has an empty path and no header. `below` ends it."""

    path: str
    is_array: bool = False
    above: Comments = ()
    beside: str = ""
    pairs: tuple[Pair, ...] = ()
    below: Comments = ()


class Document(Struct, frozen=True):
    """A file: comments at its head, the root and the other tables in their order, comments at its end."""

    head: Comments
    tables: tuple[Table, ...]
    tail: Comments = ()


_COMMENT = re.compile(r"#[^\n]*")
_BLANK = re.compile(r"[ \t]*")
_PART = r"""(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*')"""
_KEY = re.compile(rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*")
_PARTS = re.compile(_PART)
_BARE_KEY = re.compile(r"""["']([A-Za-z0-9_-]+)["']\Z""")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:\\.|[^"\\\n])*"' r"|'[^'\n]*'", re.DOTALL
)  # fmt: skip
_BARE = re.compile(r"[^,\]}#\n]+")


def parse(text: str) -> Document:
    """Return the statements of a sound TOML text."""
    return _Scanner(text.replace("\r\n", "\n")).document()


def split_key(key: str) -> tuple[str, ...]:
    """Return the parts of a dotted key in canonical spelling."""
    return tuple(_BARE_KEY.sub(r"\1", part) for part in _PARTS.findall(key))


class _Scanner:
    """Reads statements from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    # ---------------------------------------------------------------- statements

    def document(self) -> Document:
        head: Comments = ()
        tables = [Table("")]
        pending: list[str] = []
        first = True
        for statement in self.statements():
            if isinstance(statement, str):
                pending.append(statement)
                continue
            above = tuple(pending)
            pending = []
            if isinstance(statement, Pair):
                if first:
                    head, above = _blocks(above), ()
                pair = replace(statement, above=tuple(line for line in above if line))
                tables[-1] = replace(tables[-1], pairs=(*tables[-1].pairs, pair))
            else:
                below, above = ((), above) if first else _split(above)  # above the first is nothing to touch
                tables[-1] = replace(tables[-1], below=below)
                tables.append(replace(statement, above=_blocks(above)))
            first = False
        if first:
            return Document(_without_edges(pending), tuple(tables))
        below, tail = _split((*pending, ""))
        tables[-1] = replace(tables[-1], below=below)
        return Document(head, tuple(tables), _without_edges(tail))

    def statements(self) -> Iterator[Pair | Table | str]:
        """Yield pairs, headers, comment lines, and an empty string for a blank line."""
        while self.at < len(self.text):
            self.skip_blanks()
            match self.peek():
                case "\n":
                    yield ""
                case "#":
                    yield self.comment()
                case "[":
                    yield self.header()
                case "":
                    return
                case _:
                    yield self.statement()
            self.skip_blanks()
            self.at += 1  # the line's end

    def header(self) -> Table:
        is_array = self.text.startswith("[[", self.at)
        self.at += 1 + is_array
        path = self.key()
        self.at += 1 + is_array
        return Table(path, is_array, beside=self.beside())

    def statement(self) -> Pair:
        pair = self.pair()
        return replace(pair, beside=self.beside())

    def pair(self) -> Pair:
        key = self.key()
        self.at += 1  # the equals sign
        self.skip_blanks()
        return Pair(key, self.value())

    def key(self) -> str:
        self.skip_blanks()
        found = self.take(_KEY)
        self.skip_blanks()
        return ".".join(split_key(found))

    # ---------------------------------------------------------------- values

    def value(self) -> Value:
        match self.peek():
            case "[":
                return self.array()
            case "{":
                return self.inline()
            case '"' | "'":
                return Scalar(_double_quoted(self.take(_STRING)))
            case _:
                return Scalar(self.take(_BARE).rstrip())

    def array(self) -> Array:
        self.at += 1
        items: list[Item] = []
        above: list[str] = []
        while True:
            self.skip_blanks()
            match self.peek():
                case "]":
                    self.at += 1
                    return Array(tuple(items), tuple(above))
                case "#":
                    above.append(self.comment())
                case "\n" | ",":
                    self.at += 1
                case _:
                    items.append(self.item(tuple(above)))
                    above = []

    def item(self, above: Comments) -> Item:
        value = self.value()
        self.skip_blanks()
        if self.peek() == ",":
            self.at += 1
        return Item(value, above, self.beside())

    def inline(self) -> Inline:
        self.at += 1
        pairs: list[Pair] = []
        while True:
            self.skip_blanks()
            match self.peek():
                case "}":
                    self.at += 1
                    return Inline(tuple(pairs))
                case ",":
                    self.at += 1
                case _:
                    pairs.append(self.pair())
                    self.skip_blanks()

    # ---------------------------------------------------------------- characters

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise ValueError(f"no TOML at character {self.at}: parse it with tomli first")
        self.at = found.end()
        return found[0]

    def skip_blanks(self) -> None:
        self.take(_BLANK)

    def comment(self) -> str:
        return self.take(_COMMENT).rstrip()

    def beside(self) -> str:
        self.skip_blanks()
        return self.comment() if self.peek() == "#" else ""


def _split(lines: Comments) -> tuple[Comments, Comments]:
    """Return the comments that touch what is above them, if a blank line follows, and the rest."""
    cut = lines.index("") if "" in lines else 0
    return lines[:cut], lines[cut:]


def _blocks(lines: Comments) -> Comments:
    """Return comment blocks with one blank line between them, none before; one after them stays."""
    kept: list[str] = []
    for line in lines:
        if line or (kept and kept[-1]):
            kept.append(line)
    return tuple(kept)


def _without_edges(lines: Comments | list[str]) -> Comments:
    kept = _blocks(tuple(lines))
    return kept[:-1] if kept and not kept[-1] else kept


def _double_quoted(text: str) -> str:
    """Return a literal string in double quotes where that needs no escape."""
    inner = text[1:-1]
    if text.startswith("'") and not text.startswith("'''") and inner.isprintable() and not set(inner) & {'"', "\\"}:
        return f'"{inner}"'
    return text
