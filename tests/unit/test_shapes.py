"""Shapes of a template's text: found by stand-ins, refused where a template does more than substitute."""

from __future__ import annotations

import random

import jinja2
import pytest

from aidns.names import Name
from aidns.render.base import Row
from aidns.render.classes import CLASSES, Class, class_of, long_name, split, tally
from aidns.render.shapes import Place, Shape, find_place, find_shape

ANCHOR = (Row(Name("last.example")),)


def added(template: str, name: str) -> tuple[Place, str] | None:
    compiled = jinja2.Template(template, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    return find_place(lambda rows: compiled.render(rows=rows), (Row(Name(name)),), ANCHOR)


def test_one_line_for_each_row() -> None:
    found = added("head\n{% for row in rows %}\n||{{ row.name }}^\n{% endfor %}\ntail\n", "a.example")
    assert found == (Place("head\n", "||last.example^\ntail\n"), "||a.example^\n")
    assert find_shape(found[1], "a.example") == Shape(("||", "^\n"))


def test_rows_whose_lines_begin_alike_keep_their_place() -> None:
    """The text of a row of several lines is found from its first line on."""
    found = added("{% for row in rows %}\n- rule:\n    name: {{ row.name }}\n{% endfor %}\n", "a.example")
    assert found == (Place("", "- rule:\n    name: last.example\n"), "- rule:\n    name: a.example\n")


def test_a_comma_that_the_last_row_lacks_belongs_to_the_shape() -> None:
    found = added(
        '[\n{% for row in rows %}\n"{{ row.name }}"{{ "," if not loop.last }}\n{% endfor %}\n]\n', "a.example"
    )
    assert found == (Place("[\n", '"last.example"\n]\n'), '"a.example",\n')


def test_a_template_that_numbers_its_rows_has_no_place() -> None:
    assert added("{% for row in rows %}\n{{ loop.index }} {{ row.name }}\n{% endfor %}\n", "a.example") is None


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (("", "\n"), b"a.b\nc.d\ne.f\n"),
        (("||", "^\n"), b"||a.b^\n||c.d^\n||e.f^\n"),
        (("", " x\n*.", " x\n"), b"a.b x\n*.a.b x\nc.d x\n*.c.d x\ne.f x\n*.e.f x\n"),
        (("(", ",", ",", ")"), b"(a.b,a.b,a.b)(c.d,c.d,c.d)(e.f,e.f,e.f)"),
        ((), b""),
    ],
)
def test_a_shape_is_filled_name_by_name(parts: tuple[str, ...], text: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aidns.render.shapes.BATCH", 2)
    assert Shape(parts).fill(b"a.b\nc.d\ne.f\n") == text
    assert Shape(parts).fill(b"") == b""
    assert Shape(parts).lines * 3 == text.count(b"\n")


def test_names_are_split_by_what_formats_look_at() -> None:
    block = b"a.b\nwww.a\nx_y.b\nwww.x_y\nwwww.b\nb.www.c\n"
    assert split(block) == {
        Class(): b"a.b\nwwww.b\nb.www.c\n",
        Class(www=True): b"www.a\n",
        Class(underscore=True): b"x_y.b\n",
        Class(www=True, underscore=True): b"www.x_y\n",
    }
    assert all(class_of(name.decode()) == which for which, some in split(block).items() for name in some.split())
    assert split(b"a.b\n") == {Class(): b"a.b\n"}


def test_a_tally_counts_what_a_split_would_give() -> None:
    rng = random.Random(1)
    for _ in range(200):
        names = ["".join(rng.choices(("www.", "_", "a", "w", "."), k=rng.randrange(1, 6))) for _ in range(9)]
        block = "".join(f"{name}x\n" for name in names).encode()
        assert +tally(block) == {which: some.count(b"\n") for which, some in split(block).items()}


def test_stand_ins_are_of_their_class() -> None:
    assert all(class_of(name) == which for which in CLASSES for name in which.stand_ins())


@pytest.mark.parametrize("length", [9, 10, 71, 72, 73, 74, 180, 253])
def test_long_names_are_as_long_as_asked(length: int) -> None:
    from aidns.names import parse

    assert len(parse(long_name(length))) == length
