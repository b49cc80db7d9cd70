"""The matrix of a proof: what counts as a fault, and what a reader is shown."""

from __future__ import annotations

import json

import msgspec

from aidns.model import Weakened
from aidns.names import Name
from aidns.prove.matrix import EXAMPLES, Cell, Missing, Proof, document, from_report, markdown, summary, table
from aidns.verify.judge import OUTCOMES, Finding
from aidns.verify.questions import Question
from aidns.verify.report import Report

CLEAN = Cell("p", "unbound", "unbound", {"blocked": 10, "open": 4})
LOSS = Weakened("subtree", "leak", 3, "only names known here are blocked below it")
WEAK = Cell("p", "dnsmasq-hosts", "hosts", {"blocked": 2, "declared": 8}, weakened=(LOSS,))
REFUSED = Cell("p", "bind-rpz", "rpz", failed="bind-rpz did not get ready")
LEFT_OUT = Cell("p", "kresd-rpz", "rpz", left_out="exceptions go past the rule that forwards")
ABSENT = Missing("pdns-rpz", ("pdns_recursor",), "pdns-recursor")


def finding(number: int, outcome: str = "leaked") -> Finding:
    name = Name(f"n{number}.com")
    return Finding(Question(name, "A", "apex", name, True), outcome, "answered A 192.0.2.1")  # type: ignore[arg-type]


def leaking(number: int) -> Cell:
    findings = tuple(finding(i) for i in range(number))
    report = Report("127.0.0.1:53", "p", ("rpz",), Name("p.aidns-canary.example"), True, "answered 0.0.0.0", findings)
    return from_report(Cell("p", "bind-rpz", "rpz"), report)


def test_declared_losses_and_lists_left_out_are_no_faults() -> None:
    proof = Proof((CLEAN, WEAK, LEFT_OUT), (ABSENT,))
    assert proof.clean
    assert proof.tried == (CLEAN, WEAK)
    assert summary(proof) == "2 lists on 2 servers, 24 questions: nothing leaks, nothing is over-blocked"


def test_a_leak_an_over_block_and_a_refused_list_are_faults() -> None:
    for cell in (leaking(1), REFUSED, Cell("p", "unbound", "unbound", {"over-blocked": 1})):
        assert not cell.clean
        assert not Proof((CLEAN, cell), ()).clean
        assert "1 of them with faults" in summary(Proof((CLEAN, cell), ()))


def test_table_names_faults_missing_servers_and_how_to_install_them() -> None:
    text = table(Proof((CLEAN, REFUSED, LEFT_OUT, leaking(EXAMPLES + 2)), (ABSENT,)))
    head, *_ = lines = text.splitlines()
    assert head.split() == ["policy", "server", "format", *OUTCOMES]
    assert "p on bind-rpz: bind-rpz did not get ready" in lines
    assert "p on bind-rpz: leaked: n0.com A (answered A 192.0.2.1)" in lines
    assert "p on bind-rpz: and 2 more" in lines
    assert sum("leaked: n" in line for line in lines) == EXAMPLES
    assert "left out: p on kresd-rpz: exceptions go past the rule that forwards" in lines
    assert any(line.endswith("(pdns_recursor): apt-get install pdns-recursor") for line in lines)
    assert len({len(line) for line in lines[:4]}) == 1, "columns are aligned"


def test_markdown_has_one_row_a_list_and_tells_what_is_declared() -> None:
    page = markdown(Proof((CLEAN, WEAK), ()))
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert len(rows) == 4
    assert {row.count("|") for row in rows} == {10}
    assert "- p on dnsmasq-hosts: subtree (leak), 3 names: only names known here are blocked below it" in page
    assert "## Faults" not in page and "## Not on this machine" not in page
    assert page.endswith("\n")


def test_document_holds_every_cell_and_every_fault() -> None:
    proof = Proof((CLEAN, leaking(EXAMPLES + 2), LEFT_OUT), (ABSENT,))
    told = json.loads(msgspec.json.encode(document(proof), enc_hook=str))
    assert (told["schema"], told["clean"]) == ("aidns/prove/1", False)
    assert [cell["server"] for cell in told["cells"]] == ["unbound", "bind-rpz", "kresd-rpz"]
    assert len(told["cells"][1]["faults"]) == EXAMPLES + 2
    assert told["missing"] == [{"server": "pdns-rpz", "programs": ["pdns_recursor"], "packages": "pdns-recursor"}]
