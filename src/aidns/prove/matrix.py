"""What a proof found: one cell for each policy and server, as a table, as Markdown and as a JSON document. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from aidns.model import Weakened
from aidns.render.consumers import CONSUMERS
from aidns.verify.judge import OUTCOMES, Finding, Outcome
from aidns.verify.report import Report

EXAMPLES = 5
"""Faults of one cell that are shown."""
FAULTS: tuple[Outcome, ...] = ("leaked", "over-blocked")
_HEAD = ("policy", "server", "format", *OUTCOMES)


class Cell(Struct, frozen=True):
    """One list on one server: what was found, or why nothing was."""

    policy: str
    """Policy id, and `/scope` where the policy has several."""
    server: str
    """Kind of server in the lab."""
    format: str
    counts: Mapping[Outcome, int] = {}
    faults: tuple[Finding, ...] = ()
    weakened: tuple[Weakened, ...] = ()
    left_out: str = ""
    """Why this list is not for this server; not a fault."""
    failed: str = ""
    """Why the server did not get ready or gave no answer with this list; a fault."""

    @property
    def clean(self) -> bool:
        """Nothing leaks, nothing is over-blocked, and the server took the list."""
        return not self.failed and not any(self.counts.get(fault) for fault in FAULTS)


class Missing(Struct, frozen=True):
    """A server that this machine has not."""

    server: str
    programs: tuple[str, ...]
    packages: str


class Proof(Struct, frozen=True):
    """All cells, policy by policy, and the servers that could not be tried."""

    cells: tuple[Cell, ...]
    missing: tuple[Missing, ...]

    @property
    def tried(self) -> tuple[Cell, ...]:
        """The cells in which a server ran."""
        return tuple(cell for cell in self.cells if not cell.left_out)

    @property
    def clean(self) -> bool:
        """No cell holds a fault."""
        return all(cell.clean for cell in self.cells)


def from_report(cell: Cell, report: Report) -> Cell:
    """Return the cell with what `verify` found."""
    faults = tuple(finding for finding in report.findings if finding.outcome in FAULTS)
    return Cell(cell.policy, cell.server, cell.format, report.counts, faults, cell.weakened)


def table(proof: Proof) -> str:
    """Return the matrix as aligned text, with faults below it and a last line that says it all."""
    rows = [_HEAD, *(_row(cell) for cell in proof.tried)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEAD))]
    lines = [_aligned(row, widths) for row in rows]
    notes = [
        *_fault_lines(proof),
        *(f"left out: {line}" for line in _left_out_lines(proof)),
        *(f"not on this machine: {line}" for line in _missing_lines(proof)),
    ]
    return "\n".join((*lines, "", *notes, *([""] if notes else []), summary(proof)))


def summary(proof: Proof) -> str:
    """Return one sentence: how much was tried and whether it holds."""
    servers = len({cell.server for cell in proof.tried})
    asked = sum(sum(cell.counts.values()) for cell in proof.tried)
    faulty = [cell for cell in proof.tried if not cell.clean]
    verdict = "nothing leaks, nothing is over-blocked"
    if faulty:
        verdict = f"{len(faulty)} of them with faults, the first {faulty[0].policy} on {faulty[0].server}"
    return f"{_many(len(proof.tried), 'list')} on {_many(servers, 'server')}, {_many(asked, 'question')}: {verdict}"


def markdown(proof: Proof) -> str:
    """Return the report as a page."""
    rows = [_HEAD, ("---",) * 3 + ("---:",) * len(OUTCOMES), *(_row(cell) for cell in proof.tried)]
    parts = ["# Proof on real servers", f"{summary(proof)}.", "\n".join(f"| {' | '.join(row)} |" for row in rows)]
    sections = (
        ("Faults", _fault_lines(proof)),
        ("Declared losses", _weakened_lines(proof)),
        ("Left out", _left_out_lines(proof)),
        ("Not on this machine", _missing_lines(proof)),
    )
    for title, lines in sections:
        if items := "\n".join(f"- {line}" for line in lines):
            parts.append(f"## {title}\n\n{items}")
    return "\n\n".join(parts) + "\n"


def document(proof: Proof) -> dict[str, Any]:
    """Return the JSON document."""
    return {
        "schema": "aidns/prove/1",
        "clean": proof.clean,
        "cells": [
            {
                "policy": cell.policy,
                "server": cell.server,
                "format": cell.format,
                "counts": cell.counts,
                "faults": [
                    {"outcome": f.outcome, "name": f.question.name, "type": f.question.rdtype, "why": f.why}
                    for f in cell.faults
                ],
                "weakened": [
                    {"what": w.what, "direction": w.direction, "count": w.count, "note": w.note} for w in cell.weakened
                ],
                "left_out": cell.left_out,
                "failed": cell.failed,
            }
            for cell in proof.cells
        ],
        "missing": proof.missing,
    }


def _row(cell: Cell) -> tuple[str, ...]:
    numbers = ("-" if cell.failed else str(cell.counts.get(outcome, 0)) for outcome in OUTCOMES)
    return cell.policy, cell.server, cell.format, *numbers


def _aligned(row: tuple[str, ...], widths: list[int]) -> str:
    words = [word.ljust(width) for word, width in zip(row[:3], widths[:3], strict=True)]
    numbers = [word.rjust(width) for word, width in zip(row[3:], widths[3:], strict=True)]
    return "  ".join((*words, *numbers))


def _fault_lines(proof: Proof) -> Iterable[str]:
    for cell in proof.tried:
        if cell.failed:
            yield f"{cell.policy} on {cell.server}: {cell.failed}"
        for fault in cell.faults[:EXAMPLES]:
            asked = fault.question
            yield f"{cell.policy} on {cell.server}: {fault.outcome}: {asked.name} {asked.rdtype} ({fault.why})"
        if len(cell.faults) > EXAMPLES:
            yield f"{cell.policy} on {cell.server}: and {len(cell.faults) - EXAMPLES} more"


def _weakened_lines(proof: Proof) -> Iterable[str]:
    for cell in proof.tried:
        for loss in cell.weakened:
            names = _many(loss.count, "name")
            yield f"{cell.policy} on {cell.server}: {loss.what} ({loss.direction}), {names}: {loss.note}"


def _left_out_lines(proof: Proof) -> Iterable[str]:
    servers: dict[tuple[str, str], list[str]] = {}
    for cell in proof.cells:
        if cell.left_out:
            servers.setdefault((cell.policy, cell.left_out), []).append(cell.server)
    for (policy, why), where in servers.items():
        yield f"{policy} on {', '.join(where)}: {why}"


def _missing_lines(proof: Proof) -> Iterable[str]:
    for one in proof.missing:
        yield f"{CONSUMERS[one.server].title} ({', '.join(one.programs)}): apt-get install {one.packages}"


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
