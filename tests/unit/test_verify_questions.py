"""Every rule is asked for what can go wrong with it, and each question knows what the policy says."""

from __future__ import annotations

from hypothesis import given

import strategies
from aidns.blockset import compile_selection, decide
from aidns.model import Rule
from aidns.verify.questions import RDTYPES, Question, questions
from tests.unit.verify_samples import blockset

NONCE = "fresh"


def about(asked: tuple[Question, ...], name: str) -> list[Question]:
    return [question for question in asked if question.name == name]


def test_a_subtree_is_asked_for_itself_below_and_beside() -> None:
    asked = questions(blockset(("bad.com", "subtree", True)), NONCE)
    assert {(q.name, q.place, q.blocked) for q in asked} == {
        ("bad.com", "apex", True),
        ("fresh.bad.com", "child", True),
        ("fresh.fresh.bad.com", "deep child", True),
        ("com", "parent", False),
        ("fresh.com", "sibling", False),
        ("xbad.com", "look-alike", False),
        ("bad.com.example.net", "look-alike", False),
    }
    assert [(q.rdtype, q.transport) for q in about(asked, "bad.com")] == [
        ("A", "udp"),
        ("A", "tcp"),
        ("AAAA", "udp"),
        ("HTTPS", "udp"),
        ("TXT", "udp"),
    ]
    assert tuple(q.rdtype for q in about(asked, "fresh.bad.com")) == RDTYPES


def test_an_exact_name_does_not_cover_its_children() -> None:
    asked = questions(blockset(("a.bad.com", "exact", True)), NONCE)
    assert {q.blocked for q in about(asked, "a.bad.com")} == {True}
    assert {q.blocked for q in about(asked, "fresh.a.bad.com")} == {False}


def test_an_exception_is_asked_for_as_open() -> None:
    asked = questions(blockset(("bad.com", "subtree", True), ("ok.bad.com", "subtree", False)), NONCE)
    assert {q.blocked for name in ("ok.bad.com", "fresh.ok.bad.com") for q in about(asked, name)} == {False}
    assert {q.blocked for q in about(asked, "fresh.bad.com")} == {True}


def test_names_between_a_rule_and_its_tree_are_asked() -> None:
    asked = questions(blockset(("bad.com", "subtree", True), ("z.y.bad.com", "subtree", False)), NONCE)
    assert [(q.place, q.blocked) for q in about(asked, "y.bad.com")] == [("between", True)]
    assert [(q.place, q.blocked) for q in about(asked, "fresh.y.bad.com")] == [("child", True)]


def test_known_names_in_a_listed_tree_are_asked() -> None:
    asked = questions(blockset(("bad.com", "subtree", True), known=("k.bad.com", "else.org")), NONCE)
    assert [(q.place, q.blocked, q.owner) for q in about(asked, "k.bad.com")] == [("known", True, "bad.com")]
    assert not about(asked, "else.org")


def test_a_lookalike_that_is_listed_itself_is_not_asked_as_open() -> None:
    asked = questions(blockset(("bad.com", "subtree", True), ("xbad.com", "subtree", True)), NONCE)
    assert {q.blocked for q in about(asked, "xbad.com")} == {True}


def test_what_would_not_fit_a_name_is_left_out() -> None:
    long = ".".join(["l" * 63] * 3 + ["m" * 55, "com"])
    asked = questions(blockset((long, "subtree", True)), NONCE)
    assert {q.place for q in asked if q.blocked} == {"apex"}
    assert f"x{long}" not in {q.name for q in asked if len(q.name) > 253}
    label = "l" * 63
    assert not about(questions(blockset((f"{label}.com", "subtree", True)), NONCE), f"x{label}.com")


@given(strategies.rules())
def test_each_question_is_asked_once_and_expects_what_the_reference_says(rules: tuple[Rule, ...]) -> None:
    compiled = compile_selection(strategies.selection(rules), {})
    asked = questions(compiled, NONCE)
    assert len({(q.name, q.rdtype, q.tcp) for q in asked}) == len(asked)
    assert all(q.blocked == decide(compiled.owners, q.name) for q in asked)
    assert set(compiled.owners) <= {q.name for q in asked}
