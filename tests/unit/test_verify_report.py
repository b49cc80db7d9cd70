"""The report counts everything, shows ten examples of many rules, and says when the list is not even loaded."""

from __future__ import annotations

import msgspec

from aidns.names import Name
from aidns.verify.judge import Finding, Outcome
from aidns.verify.questions import Question
from aidns.verify.report import Report, document, table


def finding(outcome: Outcome, name: str = "n.x.com", owner: str = "x.com", *, blocked: bool = True) -> Finding:
    return Finding(Question(Name(name), "A", "child", Name(owner), blocked), outcome, "answered A 192.0.2.1")


def report(*findings: Finding, loaded: bool | None = True) -> Report:
    return Report(
        "10.0.0.53:53", "p", ("hosts",), Name("p.aidns-canary.example"), loaded, "NXDOMAIN of zone .", findings
    )


def test_clean_means_no_leak_no_over_block_and_not_known_to_be_missing() -> None:
    assert report(finding("blocked"), finding("open"), finding("declared"), finding("inconclusive")).clean
    assert report(finding("blocked"), loaded=None).clean
    assert not report(finding("blocked"), loaded=False).clean
    assert not report(finding("leaked")).clean
    assert not report(finding("over-blocked")).clean


def test_decided_needs_an_answer_about_a_blocked_name() -> None:
    assert not report(finding("inconclusive"), finding("open", blocked=False)).decided
    assert report(finding("declared")).decided


def test_the_table_shows_ten_of_many_one_a_rule_first() -> None:
    found = [finding("leaked", f"a{i}.x.com") for i in range(20)] + [finding("leaked", "b.y.com", "y.com")]
    text = table(report(*found))
    assert "leaked             21" in text
    assert "leaked (10 of 21):" in text
    assert "b.y.com" in text
    assert "a9.x.com" not in text
    assert "over-blocked:" not in text


def test_a_list_that_is_not_loaded_is_told_apart() -> None:
    assert "NOT LOADED (p.aidns-canary.example: NXDOMAIN of zone .)" in table(report(finding("leaked"), loaded=False))
    assert "list is loaded" in table(report(finding("leaked")))
    assert "unknown" in table(report(finding("leaked"), loaded=None))


def test_the_document_holds_every_finding_against_the_policy() -> None:
    shown = msgspec.to_builtins(document(report(finding("blocked"), *[finding("leaked")] * 12, finding("declared"))))
    assert shown["schema"] == "aidns/verify/1"
    assert shown["counts"] == {
        "blocked": 1,
        "open": 0,
        "leaked": 12,
        "over-blocked": 0,
        "declared": 1,
        "inconclusive": 0,
    }
    assert len(shown["findings"]) == 13
    assert shown["findings"][0] == {
        "outcome": "leaked",
        "name": "n.x.com",
        "type": "A",
        "transport": "udp",
        "place": "child",
        "rule": "x.com",
        "why": "answered A 192.0.2.1",
    }
