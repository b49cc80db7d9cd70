"""Owner names: what the gate lets through, what it refuses and why."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aidns import names
from aidns.errors import UsageError
from aidns.names import InvalidName, Name

L63 = "l" * 63
LONGEST = ".".join([L63, L63, L63, "l" * 61])
assert len(LONGEST) == 253

ANY_TEXT = st.text(st.characters(), max_size=300)
"""Any text at all, lone surrogates included."""
NAME_LIKE = st.text("ab-_.019*ÄßA xn:/@", max_size=40)
"""Texts near the border of what a name is."""

ACCEPTED = (
    "example.com", "a.b", "x--y.example", "xn--bcher-kva.example", "_dmarc.example.com", "a_b.example", "__.example",
    "1.example", "0-0.example", "3.14.example", "1.2.3.4.example", "com.0x7f", "a.1b", f"{L63}.com", LONGEST,
)  # fmt: skip


@pytest.mark.parametrize("text", ACCEPTED)
def test_canonical_names_pass_unchanged(text: str) -> None:
    """What the gate accepts, it returns as it is."""
    assert names.parse(text) == text


REFUSED = (
    ("", "empty name", "example.com"),
    ("Example.com", "upper-case", "example.com"),
    ("example.com.", "ends with a dot", "final dot"),
    (".", "ends with a dot", "final dot"),
    ("*.example.com", "wildcard", "subtree"),
    ("a*.example.com", "wildcard", "subtree"),
    ("bücher.example", "not ASCII", "xn--bcher-kva.example"),
    ("bücher..example", "not ASCII", "xn--"),
    ("example.рф", "not ASCII", "example.xn--p1ai"),
    ("ex\u00adample.com", "not ASCII", "example.com"),
    ("192.0.2.1", "IP address", "names only"),
    ("2001:db8::1", "IP address", "names only"),
    ("[2001:db8::1]", "IP address", "names only"),
    ("::", "IP address", "names only"),
    (f"{LONGEST}x", "254 octets", "253"),
    (f"a.{LONGEST}", "255 octets", "253"),
    ("a..b", "empty label", "doubled"),
    (".example.com", "empty label", "leading dot"),
    (f"{L63}l.com", "label of 64 octets", "63"),
    ("-a.example", "hyphen at an edge", "a name alone"),
    ("a-.example", "hyphen at an edge", "a name alone"),
    ("example.-", "hyphen at an edge", "a name alone"),
    ("a b.example", "not made of", "blanks"),
    (" example.com", "not made of", "blanks"),
    ("example.com\n", "not made of", "blanks"),
    ("example.com\nevil.example", "not made of", "blanks"),
    ("example.com\r", "not made of", "blanks"),
    ("exam\tple.com", "not made of", "blanks"),
    ("exa\0mple.com", "not made of", "blanks"),
    ("https://example.com", "not made of", "no scheme"),
    ("example.com/path", "not made of", "path"),
    ("example.com:53", "not made of", "port"),
    ("user@example.com", "not made of", "a name alone"),
    ('"example.com"', "not made of", "quotes"),
    ("example.com;", "not made of", "a name alone"),
    ("$include.example", "not made of", "a name alone"),
    ("{{7*7}}.example", "wildcard", "subtree"),
    ("{region}.example", "not made of", "a name alone"),
    ("localhost", "one label", "top-level"),
    ("com", "one label", "top-level"),
    ("_", "one label", "top-level"),
    ("example.123", "all-digit", "IP address"),
    ("1.2.3.4.5", "all-digit", "IP address"),
    ("8.0.0.0.10.rpz-ip", "trigger of policy zones", "not addresses"),
    ("ns.example.rpz-nsdname", "trigger of policy zones", "name servers"),
    ("256.256.256.256", "all-digit", "IP address"),
)  # fmt: skip


@pytest.mark.parametrize(("text", "why", "tip"), REFUSED)
def test_everything_else_is_refused_with_reason_and_tip(text: str, why: str, tip: str) -> None:
    """Each rule of the gate says what is wrong and what to write instead."""
    with pytest.raises(InvalidName) as refusal:
        names.parse(text)
    assert why in refusal.value.message
    assert tip in refusal.value.tip


def test_an_invalid_name_is_a_usage_error() -> None:
    """A name on the command line that is none ends with exit code 2, and `except ValueError` finds it, too."""
    assert issubclass(InvalidName, UsageError)
    assert issubclass(InvalidName, ValueError)
    assert InvalidName("x").exit_code == 2


@given(st.one_of(ANY_TEXT, NAME_LIKE))
@example("a" * 300)
@example("\ud800.com")
def test_parsing_accepts_only_what_it_returns(text: str) -> None:
    """Whatever passes is the canonical form itself and keeps every rule; whatever does not, says why on one line."""
    try:
        name = names.parse(text)
    except InvalidName as refusal:
        assert refusal.message.isprintable()
        assert refusal.tip.isprintable()
        return
    assert name == text
    labels = name.split(".")
    assert len(labels) >= 2
    assert len(name) <= names.MAX_NAME
    assert not labels[-1].isdigit()
    for label in labels:
        assert 1 <= len(label) <= names.MAX_LABEL
        assert set(label) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")
        assert label[0] != "-"
        assert label[-1] != "-"


@given(st.one_of(ANY_TEXT, NAME_LIKE))
@example("Bücher.Example.")
@example("faß.example")
@example("日本語。jp")
@example("xn--a.com")
def test_what_normalise_returns_is_canonical(text: str) -> None:
    """parse after normalise changes nothing, and normalising twice is normalising once."""
    try:
        name = names.normalise(text)
    except InvalidName:
        return
    assert names.parse(name) == name
    assert names.normalise(name) == name


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Example.COM", "example.com"),
        ("example.com.", "example.com"),
        ("  example.com\n", "example.com"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("日本語。jp", "xn--wgv71a119e.jp"),
        ("_DMARC.example.com", "_dmarc.example.com"),
    ],
)
def test_normalise_takes_what_people_type(typed: str, name: str) -> None:
    """Case, a final dot, blanks around it and U-labels are no fault of a person."""
    assert names.normalise(typed) == name


@pytest.mark.parametrize("typed", ["", ".", "..", "ex ample.com", "*.example.com", "ü" * 70 + ".de", "\u202e.com"])
def test_normalise_refuses_what_is_no_name(typed: str) -> None:
    """Accepting case and U-labels opens no other rule."""
    with pytest.raises(InvalidName):
        names.normalise(typed)


def test_ancestors_go_up_one_label_at_a_time() -> None:
    """Nearest first, the top-level label last, the name itself not."""
    assert list(names.ancestors("a.b.example.com")) == ["b.example.com", "example.com", "com"]
    assert list(names.ancestors("com")) == []


@pytest.mark.parametrize(
    ("name", "apex", "below"),
    [
        ("example.com", "example.com", True),
        ("a.example.com", "example.com", True),
        ("notexample.com", "example.com", False),
        ("example.com", "a.example.com", False),
        ("example.com.evil", "example.com", False),
    ],
)
def test_at_or_below_compares_labels_not_letters(name: str, apex: str, below: bool) -> None:
    """`notexample.com` is no child of `example.com`."""
    assert names.at_or_below(name, apex) is below


LABELS = st.lists(st.sampled_from(["a", "b", "a-b", "com"]), min_size=2, max_size=5).map(".".join)


@given(LABELS, LABELS)
def test_at_or_below_agrees_with_ancestors(name: str, apex: str) -> None:
    """The two ways to ask for a tree answer alike."""
    assert names.at_or_below(name, apex) == (apex in (name, *names.ancestors(name)))


@given(st.lists(LABELS.map(Name), max_size=12))
def test_sorting_puts_parents_first_and_keeps_trees_together(some: list[Name]) -> None:
    """After any name, its whole tree follows before anything else does."""
    ordered = sorted(some, key=names.sort_key)
    for i, name in enumerate(ordered):
        inside = [names.at_or_below(other, name) for other in ordered[i:]]
        assert inside == sorted(inside, reverse=True)
        assert all(other == name or not names.at_or_below(other, name) for other in ordered[:i])


BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"


@given(st.one_of(ANY_TEXT, st.text(st.sampled_from("ab \t\x1b\x00\x7f\u202e\u200b" + BREAKS))), st.integers(1, 400))
def test_free_text_becomes_one_short_printable_line(text: str, limit: int) -> None:
    """No text can end a line, move a cursor or turn the direction of writing."""
    for line in (names.printable(text, limit), names.ascii_line(text, limit)):
        assert len(line) <= limit
        assert line.isprintable()
        assert len(line.splitlines()) <= 1
        assert not set(line) & set(BREAKS)
    assert names.ascii_line(text, limit).isascii()
    assert names.printable(names.printable(text, limit), limit) == names.printable(text, limit)


@given(ANY_TEXT)
def test_visible_keeps_the_length_and_the_printable(text: str) -> None:
    """Only what is not printable becomes a blank: columns stay where they are."""
    seen = names.visible(text)
    assert len(seen) == len(text)
    assert all(new == old if old.isprintable() else new == " " for new, old in zip(seen, text, strict=True))


def test_long_text_says_that_it_goes_on() -> None:
    """A cut line ends with an ellipsis, in ASCII with three dots."""
    assert names.printable("x" * 9, 5) == "xxxx…"
    assert names.ascii_line("x" * 9, 5) == "xx..."
    assert names.ascii_line("bücher\r\n$INCLUDE x") == "b?cher $INCLUDE x"
