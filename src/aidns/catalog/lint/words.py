"""Words come from vocab.toml, so that one thing has one word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aidns.catalog.lint.finding import Finding, dependency_evidence, domains, evidence_lists, placed, service_path
from aidns.errors import did_you_mean
from aidns.model import Catalog

Use = tuple[str, str, str, Iterable[str]]
"""(path, field, vocabulary section, words used)"""


def check(catalog: Catalog) -> Iterator[Finding]:
    """Yield words that the vocabulary does not define."""
    for path, field, section, used in (*_service_words(catalog), *_other_words(catalog)):
        known = catalog.vocab.get(section, {})
        for word in used:
            if word not in known:
                tip = did_you_mean(word, known, f"known: {', '.join(known)}")
                yield Finding(path, field, f"{word!r} is no word of [{section}] in vocab.toml", tip)


def _service_words(catalog: Catalog) -> Iterator[Use]:
    for service in catalog.services.values():
        path = service_path(service)
        yield path, "categories", "category", service.categories
        for key, section in (("trains_default", "trains"), ("external_storage", "external_storage")):
            for i, fact in enumerate(getattr(service.data, key)):
                yield path, f"data.{key}[{i}]", section, fact.value
        for i, dependency in enumerate(service.dependencies):
            yield path, f"dependencies[{i}].role", "role", (dependency.role,) if dependency.role else ()
    for service, i, domain in domains(catalog):
        yield service_path(service), f"domains[{i}].role", "role", (domain.role,)


def _other_words(catalog: Catalog) -> Iterator[Use]:
    kinds = catalog.vocab.get("evidence", {})
    for path, field, _, evidence in (*evidence_lists(catalog), *dependency_evidence(catalog)):
        for i, item in enumerate(evidence):
            if item.kind not in kinds:  # thousands are: no place is worked out for those
                yield path, f"{field}.evidence[{i}]", "evidence", (item.kind,)
    for i, shared in enumerate(catalog.shared):
        yield "shared.toml", f"shared[{i}].class", "shared_class", (shared.klass,)
    for (path, field), rejected in placed(catalog, "rejected"):
        yield path, f"{field}.reason", "rejection", (rejected.reason,)
    for (path, field), bypass in placed(catalog, "bypass"):
        yield path, f"{field}.kind", "bypass", (bypass.kind,)
    for measure in catalog.measures.values():
        path = f"measures/{measure.id}.toml"
        yield path, "strength", "strength", (measure.strength,)
        yield path, "status", "measure_status", (measure.status,)
        for i, wording in enumerate(measure.wording):
            yield path, f"wording[{i}].strength", "strength", (wording.strength,)
