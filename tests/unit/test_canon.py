"""The canonical form: the same facts, the same comments, and writing it twice changes nothing."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidns.catalog.canon import WIDTH, canonical, shape_of
from aidns.catalog.write import text_of
from aidns.data import shipped
from aidns.model import Provider, Service
from samples import SOUND, loaded

CATALOG = Path(str(shipped("catalog")))
SERVICE = "services/x.toml"


COMMENTS = ("# a comment", "# another", "# beside", "#close", "# above", "# within")
"""Those that are drawn: none is part of another, none is part of a string that is drawn."""


def comments(text: str) -> dict[str, int]:
    """How often each comment stands in a text."""
    return {comment: text.count(comment) for comment in COMMENTS}


# ------------------------------------------------------------------ over files that people wrote


@pytest.mark.parametrize("folder", sorted({p.parent for p in CATALOG.rglob("*.toml")}), ids=lambda p: p.name)
def test_every_shipped_file_says_the_same_in_canonical_form(folder: Path) -> None:
    """No fact changes, and the form of the form is itself."""
    for file in folder.glob("*.toml"):
        path, text = str(file.relative_to(CATALOG)), file.read_text("utf-8")
        form = canonical(path, text)
        assert tomllib.loads(form) == tomllib.loads(text), path
        assert canonical(path, form) == form, path


@pytest.mark.parametrize("path", SOUND)
def test_sample_files_say_the_same_in_canonical_form(path: str) -> None:
    """Every key of every kind of file is among them."""
    form = canonical(path, SOUND[path])
    assert tomllib.loads(form) == tomllib.loads(SOUND[path])
    assert canonical(path, form) == form


def test_every_sample_entry_can_be_written_and_read_back() -> None:
    """What `write` makes of services and providers loads as the same entries."""
    catalog = loaded().catalog
    written = {f"services/{i}.toml": text_of(f"services/{i}.toml", s) for i, s in catalog.services.items()}
    written |= {f"providers/{i}.toml": text_of(f"providers/{i}.toml", p) for i, p in catalog.providers.items()}
    again = loaded({**SOUND, **written})
    assert again.problems == ()
    assert (again.catalog.services, again.catalog.providers) == (catalog.services, catalog.providers)
    assert all(canonical(path, text) == text for path, text in written.items())


# ------------------------------------------------------------------ rule by rule

LAYOUTS = {
    "keys come in the order of the guidelines": (
        'title = "X"\nprovider = "y"\nschema = 1\n',
        'schema = 1\ntitle = "X"\nprovider = "y"\n',
    ),
    "unknown keys come last, in the order they have": (
        'zeta = 1\nalpha = 2\ntitle = "X"\nschema = 1\n',
        'schema = 1\ntitle = "X"\nzeta = 1\nalpha = 2\n',
    ),
    "tables come in order, entries of one kind keep theirs": (
        '[[dependencies]]\nname = "b"\n[[domains]]\nname = "z"\n[[domains]]\nname = "a"\n[data]\n',
        '[data]\n\n[[domains]]\nname = "z"\n\n[[domains]]\nname = "a"\n\n[[dependencies]]\nname = "b"\n',
    ),
    "one blank line before a table, none between keys, none at the end": (
        'schema = 1\n\n\ntitle = "X"\n[data]\n\n\n\n[[domains]]\nname = "a"\n\n\n',
        'schema = 1\ntitle = "X"\n\n[data]\n\n[[domains]]\nname = "a"\n',
    ),
    "evidence is one entry a line, its keys in order": (
        '[[domains]]\nevidence = [{ says = "s", kind = "k", seen = "undated", url = "u" }]\n',
        '[[domains]]\nevidence = [\n  { kind = "k", url = "u", seen = "undated", says = "s" },\n]\n',
    ),
    "a fact that stands alone stays on the key's line": (
        '[data]\nstorage = [\n  { as_of = 2026-02-10, value = ["CN"] },\n]\n',
        '[data]\nstorage = [{ value = ["CN"], as_of = 2026-02-10 }]\n',
    ),
    "several facts have a line each": (
        '[data]\nstorage = [{value=["CN"]},{value=["US"]}]\n',
        '[data]\nstorage = [\n  { value = ["CN"] },\n  { value = ["US"] },\n]\n',
    ),
    "a short list has one line": ('categories = [\n  "chat",\n  "api"\n]\n', 'categories = ["chat", "api"]\n'),
    "a long list has an element a line": (
        f'also_known_as = ["{"a" * 60}", "{"b" * 60}"]\n',
        f'also_known_as = [\n  "{"a" * 60}",\n  "{"b" * 60}",\n]\n',
    ),
    "double quotes, unless that would need an escape": (
        "title = 'X'\nnote = 'a \"b\" c'\nhomepage = 'a\\b'\n",
        "title = \"X\"\nhomepage = 'a\\b'\nnote = 'a \"b\" c'\n",
    ),
    "blanks": (
        '  title="X"   \n  [ data ]\nstorage=[ {value = [ "CN" ,] , as_of=2026-02-10} ]\n',
        'title = "X"\n\n[data]\nstorage = [{ value = ["CN"], as_of = 2026-02-10 }]\n',
    ),
    "line ends": ('schema = 1\r\ntitle = "X"\r\n', 'schema = 1\ntitle = "X"\n'),
    "no line end at the end": ("schema = 1", "schema = 1\n"),
    "quoted keys that need no quotes": ('"title" = "X"\ndata."storage" = []\n', 'title = "X"\ndata.storage = []\n'),
    "an empty array and an empty table": ("categories = [ ]\nnote = { }\n", "categories = []\nnote = {}\n"),
    "texts of several lines stay as they are": (
        'title = """\n  a  \n\\\n  b"""\nnote = \'\'\'\n# no comment\n\'\'\'\n',
        'title = """\n  a  \n\\\n  b"""\nnote = \'\'\'\n# no comment\n\'\'\'\n',
    ),
    "comments at the head stay at the head": (
        '# one\n#two\n\ntitle = "X"\nschema = 1\n',
        '# one\n#two\n\nschema = 1\ntitle = "X"\n',
    ),
    "comments go where their key goes": (
        'schema = 1\n# about Y\nprovider = "y" # who\n# about X\ntitle = "X"\n',
        'schema = 1\n# about X\ntitle = "X"\n# about Y\nprovider = "y" # who\n',
    ),
    "comments go where their table goes, and headings keep their distance": (
        'schema = 1\n\n# Needs\n\n\n# this\n[[dependencies]]\nname = "b"\n# of b\n\n# Own\n\n[[domains]] # 1st\n',
        'schema = 1\n\n# Own\n\n[[domains]] # 1st\n\n# Needs\n\n# this\n[[dependencies]]\nname = "b"\n# of b\n',
    ),
    "comments at the end stay at the end": (
        "[[dependencies]]\n[data]\n\n# the end\n\n# of it\n\n",
        "[data]\n\n[[dependencies]]\n\n# the end\n\n# of it\n",
    ),
    "comments in an array spread it": (
        'categories = [ # why\n  "chat", # most\n  # then\n  "api" # least\n  # no more\n]\n',
        'categories = [\n  # why\n  "chat", # most\n  # then\n  "api", # least\n  # no more\n]\n',
    ),
    "a file of comments": ("\n# nothing yet\n\n\n", "# nothing yet\n"),
    "an empty file": ("", "\n"),
}  # fmt: skip


@pytest.mark.parametrize("rule", LAYOUTS)
def test_layout(rule: str) -> None:
    """Each rule of the form, in one file that breaks it."""
    text, form = LAYOUTS[rule]
    assert tomllib.loads(text) == tomllib.loads(form), "the test itself must not change a fact"
    assert canonical(SERVICE, text) == form
    assert canonical(SERVICE, form) == form


def test_words_of_the_vocabulary_keep_their_order() -> None:
    """The order of [evidence] is a rank, and nothing of the vocabulary is sorted."""
    text = 'schema = 1\n\n[zoo]\nz = "Z"\na = "A"\n\n[act]\nb = "B"\n'
    assert canonical("vocab.toml", text) == text


def test_regions_keep_their_order_and_their_keys_do_not() -> None:
    """A file of tables by name: the names are people's, the keys below them ours."""
    text = '[zoo]\nevidence = []\nvalues = ["z"]\n\n[act]\nvalues = ["a"]\n'
    assert canonical("regions.toml", text) == '[zoo]\nvalues = ["z"]\nevidence = []\n\n[act]\nvalues = ["a"]\n'


@pytest.mark.parametrize(("path", "to"), [(SERVICE, Service), ("providers/x.toml", Provider)])
def test_the_order_of_keys_is_the_order_of_the_types(path: str, to: type) -> None:
    """One source for what a file may hold and in which order."""
    assert tuple(shape_of(path)) == to.__struct_encode_fields__  # type: ignore[attr-defined]


# ------------------------------------------------------------------ whatever is drawn

WORDS = st.text(st.sampled_from("ab -.:é中{}[],="), max_size=30)
SCALARS = st.one_of(
    WORDS.map(lambda word: f'"{word}"'), WORDS.map(lambda word: f"'{word}'"),
    st.sampled_from(("1", "true", "2026-02-10", "-0.5", '"""\na\n\n b"""', "'''x'''", r'"\"\\ #"')),
)  # fmt: skip
KEYS = st.sampled_from(("title", "name", "note", "evidence", "kind", "url", "zeta", '"a b"', "value"))
LINE_END = st.sampled_from(("", " ", "  # beside", "\t#close"))


def inline(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Inline tables."""
    return st.dictionaries(KEYS, children, max_size=3).map(
        lambda pairs: "{ " + " , ".join(f"{key} = {value}" for key, value in pairs.items()) + " }"
    )


def arrays(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Arrays, on one line or spread, with comments in them."""
    item = st.tuples(
        st.sampled_from(("", "\n  ", "\n# above\n")), children, st.sampled_from((",", " ,", ", # within\n"))
    )
    return st.lists(item, max_size=3).map(lambda items: f"[{''.join(map(''.join, items))}]")


FLAT = st.one_of(SCALARS, SCALARS.filter(lambda s: "\n" not in s).map(lambda s: f"[{s}]"))
VALUES = st.one_of(SCALARS, arrays(st.one_of(FLAT, inline(SCALARS.filter(lambda s: "\n" not in s)))), inline(FLAT))
GAPS = st.lists(st.sampled_from(("", "# a comment", "  # another")), max_size=3).map("\n".join)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """TOML as careless hands write it: pairs, tables and arrays of tables, with comments and gaps anywhere."""
    lines: list[str] = []

    def pairs() -> None:
        for key, value in draw(st.dictionaries(KEYS, VALUES, max_size=4)).items():
            lines.extend((draw(GAPS), f"{key} = {value}{draw(LINE_END)}"))

    pairs()
    for header in draw(st.permutations(("[data]", "[[domains]]", "[[dependencies]]", "[[domains]]", "[zoo]"))):
        lines.extend((draw(GAPS), f"{header}{draw(LINE_END)}"))
        pairs()
    return "\n".join([*lines, draw(GAPS)])


@given(documents())
def test_form_keeps_facts_and_comments_and_is_its_own_form(text: str) -> None:
    """Whatever is written, nothing is lost but blanks."""
    form = canonical(SERVICE, text)
    assert tomllib.loads(form) == tomllib.loads(text)
    assert canonical(SERVICE, form) == form
    assert form.endswith("\n") and not form.endswith("\n\n")
    assert comments(form) == comments(text)


@given(st.lists(st.from_regex(r"[a-z-]{1,30}", fullmatch=True), max_size=9))
def test_lists_of_words_are_spread_only_where_they_are_long(words: list[str]) -> None:
    """A list has one line exactly where that fits."""
    form = canonical(SERVICE, f"categories = {words!r}")
    short = f"categories = [{', '.join(f'{chr(34)}{word}{chr(34)}' for word in words)}]\n"
    assert (form == short) == (len(short) - 1 <= WIDTH)
