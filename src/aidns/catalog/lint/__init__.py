"""What the catalogue's facts must satisfy: one rule a module, each with a stable id, each yielding what it finds.

A rule is a function `check(catalog)` that yields `Finding`s. `RULES` registers them; `lint` runs them all, puts lines
to the findings and applies waivers. Rules neither read files nor know the time: unchanged data never turns red.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from aidns.catalog import lines
from aidns.catalog.files import Source
from aidns.catalog.lint import (
    confidence,
    evidence,
    facts,
    lookalike_apart,
    measure_form,
    parking_form,
    policy_collateral,
    policy_form,
    public_suffix,
    references,
    rejected_apart,
    separability,
    shared_names,
    sharing,
    text_clean,
    words,
)
from aidns.catalog.lint.finding import Finding
from aidns.catalog.load import Loaded
from aidns.model import Catalog, Fix, Policy, Problem, Waiver

RULES: dict[str, Callable[[Catalog], Iterator[Finding]]] = {
    "text-clean": text_clean.check,
    "vocab-word": words.check,
    "reference": references.check,
    "evidence": evidence.check,
    "confidence": confidence.check,
    "public-suffix": public_suffix.check,
    "shared-name": shared_names.check,
    "sharing-breaks": sharing.check,
    "sourced-fact": facts.check,
    "separability": separability.check,
    "rejected-apart": rejected_apart.check,
    "lookalike-apart": lookalike_apart.check,
    "measure-form": measure_form.check,
    "parking-form": parking_form.check,
    "policy-form": policy_form.check,
    "policy-collateral": policy_collateral.check,
}
"""Rule id -> check. An id is stable: waivers and messages name it."""


NEVER_WAIVED = frozenset(
    {"public-suffix", "shared-name", "policy-collateral", "text-clean", "policy-form", "reference", "vocab-word"}
)
"""Rules that keep lists from doing harm, and files from meaning nothing: no entry gets round them."""


def lint(loaded: Loaded) -> tuple[Problem, ...]:
    """Return every problem of a catalogue, those of form included, by file and line."""
    found = [(rule, finding) for rule, check in RULES.items() for finding in check(loaded.catalog)]
    problems = [*loaded.problems, *_problems(_unwaived(found, loaded.catalog.waivers), loaded.sources)]
    return tuple(sorted(set(problems), key=lambda p: (p.file, p.line, p.field, p.rule, p.message)))


def lint_policy(policy: Policy, source: Source, catalog: Catalog) -> tuple[Problem, ...]:
    """Return the problems of an administrator's own policy against a catalogue."""
    path = f"policies/{policy.id}.toml"
    found = [("policy-form", finding) for finding in policy_form.check_one(policy, catalog, own=True)]
    found += [("reference", finding) for finding in references.check_policy(policy, catalog)]
    found += [("text-clean", finding) for finding in text_clean.check_entry(path, policy)]
    return tuple(sorted(_problems(found, {path: source}), key=lambda p: (p.line, p.field, p.message)))


def _unwaived(found: list[tuple[str, Finding]], waivers: Iterable[Waiver]) -> list[tuple[str, Finding]]:
    """Drop what a waiver permits; a waiver that permits nothing is a fault itself, so that the list only shrinks."""
    kept = list(found)
    for i, waiver in enumerate(waivers):
        if waiver.rule in NEVER_WAIVED:
            finding = Finding("waivers.toml", f"waiver[{i}].rule", f"{waiver.rule} is never waived", "mend the entry")
            kept.append(("waiver-needed", finding))
            continue
        hit = [f for f in kept if (f[0], f[1].path, f[1].field) == (waiver.rule, waiver.file, waiver.field)]
        kept = [f for f in kept if f not in hit]
        if not hit:
            message = f"nothing breaks {waiver.rule} at {waiver.file} {waiver.field} any more"
            field = f"waiver[{i}]"
            kept.append(
                ("waiver-needed", Finding("waivers.toml", field, message, "take the waiver out", fix=Fix(field)))
            )
    return kept


def _problems(found: Iterable[tuple[str, Finding]], sources: Mapping[str, Source]) -> Iterator[Problem]:
    indexes: dict[str, dict[str, int]] = {}
    for rule, finding in found:
        source = sources.get(finding.path)
        if source and finding.path not in indexes:
            indexes[finding.path] = lines.index(source.text)
        line = lines.find(indexes[finding.path], finding.field) if source else 0
        shown = source.shown if source else finding.path
        yield Problem(rule, shown, line, finding.field, finding.message, finding.tip, finding.level, finding.fix)


__all__ = ["RULES", "Finding", "lint", "lint_policy"]
