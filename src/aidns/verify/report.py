"""What `verify` found, as a value, a short table and a JSON document. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Any

from msgspec import Struct

from aidns.names import Name
from aidns.verify.judge import OUTCOMES, Finding, Outcome

EXAMPLES = 10
"""Findings of one kind that the table shows."""
_SHOWN: tuple[Outcome, ...] = ("leaked", "over-blocked", "declared", "inconclusive")


class Report(Struct, frozen=True):
    """The result of one run. `loaded` is None when the canary's answer tells nothing."""

    server: str
    policy: str
    formats: tuple[str, ...]
    canary: Name
    loaded: bool | None
    canary_says: str
    findings: tuple[Finding, ...]

    @property
    def counts(self) -> dict[Outcome, int]:
        """Number of findings of every outcome."""
        counted = Counter(finding.outcome for finding in self.findings)
        return {outcome: counted[outcome] for outcome in OUTCOMES}

    @property
    def clean(self) -> bool:
        """Nothing leaks, nothing is over-blocked, and the list is not known to be missing."""
        return self.loaded is not False and not self.counts["leaked"] and not self.counts["over-blocked"]

    @property
    def decided(self) -> bool:
        """At least one question that the policy blocks got an answer that tells something."""
        return any(finding.question.blocked and finding.outcome != "inconclusive" for finding in self.findings)


def table(report: Report) -> str:
    """Return counts and up to ten examples of each kind that is not as the policy says."""
    state = {True: "the list is loaded", False: "the list is NOT LOADED", None: "is the list loaded? unknown"}[
        report.loaded
    ]
    formats = f" as {' + '.join(report.formats)}" if report.formats else ""
    lines = [
        f"{report.server}, policy {report.policy}{formats}: {state} ({report.canary}: {report.canary_says})",
        "",
        *(f"{outcome:<13} {count:>7}" for outcome, count in report.counts.items()),
    ]
    for outcome in _SHOWN:
        lines += _examples(outcome, [finding for finding in report.findings if finding.outcome == outcome])
    return "\n".join(lines)


def _examples(outcome: Outcome, findings: list[Finding]) -> list[str]:
    if not findings:
        return []
    shown = _one_a_rule_first(findings)[:EXAMPLES]
    width = max(len(finding.question.name) for finding in shown)
    lines = ["", f"{outcome}:" if len(shown) == len(findings) else f"{outcome} ({EXAMPLES} of {len(findings)}):"]
    for finding in shown:
        asked = finding.question
        lines.append(f"  {asked.name:<{width}}  {asked.rdtype:<5} {asked.transport}  {asked.place}: {finding.why}")
    return lines


def _one_a_rule_first(findings: list[Finding]) -> list[Finding]:
    """Order so that ten examples show many rules, not ten questions about one."""
    before: Counter[Name] = Counter()
    ranks = []
    for finding in findings:
        ranks.append(before[finding.question.owner])
        before[finding.question.owner] += 1
    return [finding for _, finding in sorted(zip(ranks, findings, strict=True), key=lambda pair: pair[0])]


def document(report: Report) -> dict[str, Any]:
    """Return the JSON document: counts of all, and every finding that is not as the policy says."""
    return {
        "schema": "aidns/verify/1",
        "server": report.server,
        "policy": report.policy,
        "formats": report.formats,
        "canary": report.canary,
        "loaded": report.loaded,
        "counts": report.counts,
        "findings": [
            {
                "outcome": finding.outcome,
                "name": finding.question.name,
                "type": finding.question.rdtype,
                "transport": finding.question.transport,
                "place": finding.question.place,
                "rule": finding.question.owner,
                "why": finding.why,
            }
            for finding in report.findings
            if finding.outcome in _SHOWN
        ],
    }
