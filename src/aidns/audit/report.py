"""Audits as text for people and as a document. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from aidns.audit.finding import SEVERITIES, Example, Finding
from aidns.audit.run import Report
from aidns.names import printable


def document(reports: Sequence[Report]) -> dict[str, object]:
    """Return audits as the JSON document of `aidns audit --json`."""
    return {"schema": "aidns/audit/1", "audits": list(reports)}


def text(reports: Sequence[Report]) -> str:
    """Return audits as text, a paragraph a finding."""
    return "\n\n".join(_report(report) for report in reports)


def _report(report: Report) -> str:
    syntax = report.syntax or "no list"
    head = f"{printable(report.source)}: {syntax}, {report.lines} lines, {report.names} names"
    return "\n".join([f"{head}: {_total(report.findings)}", *(_finding(finding) for finding in report.findings)])


def _total(findings: Sequence[Finding]) -> str:
    counts = [(sum(f.severity == severity for f in findings), severity) for severity in SEVERITIES]
    return ", ".join(f"{count} {severity}(s)" for count, severity in counts if count) or "clean"


def _finding(finding: Finding) -> str:
    lines = [f"\n{finding.severity} [{finding.id}] {finding.message} ({finding.count} ×)"]
    lines += [f"  {consumer}" for consumer in finding.consumers]
    lines += [f"    {line}" for line in map(_example, finding.examples) if line]
    if finding.count > len(finding.examples):
        lines.append(f"    … and {finding.count - len(finding.examples)} more")
    if finding.tip:
        lines.append(f"  tip: {finding.tip}")
    return "\n".join(lines)


def _example(example: Example) -> str:
    """Return a place; the texts in it are printable already."""
    where = f"line {example.line}" if example.line else ""
    what = f"{example.name} ({example.detail})" if example.detail and example.name else example.name or example.detail
    return ": ".join(part for part in (where, what) if part)
