"""A small sound catalogue with every kind of file and every key in use, and what tests do with it.

`SOUND` maps a path to the text of a file below `fixtures/catalog/`. Tests change one text and look what that does.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import msgspec

from aidns import pipeline
from aidns.catalog.files import Source
from aidns.catalog.lint import lint
from aidns.catalog.load import Loaded, assemble
from aidns.model import Artefact, BlockSet, Catalog, Garden, Policy, Problem
from aidns.policy import expand
from aidns.render.formats import FORMATS

NOW = int(dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC).timestamp())
TODAY = dt.date(2026, 11, 22)
NOTHING = pipeline.Memory({}, None)

ROOT = Path(__file__).parent / "fixtures" / "catalog"
SOUND = {str(file.relative_to(ROOT)): file.read_text("utf-8") for file in sorted(ROOT.rglob("*.toml"))}


def loaded(files: Mapping[str, str] = SOUND) -> Loaded:
    """Read texts as if they were files."""
    return assemble({path: Source(path, text) for path, text in files.items()})


def problems(files: Mapping[str, str] = SOUND) -> tuple[Problem, ...]:
    """Everything that is wrong with the texts."""
    return lint(loaded(files))


def catalog(files: Mapping[str, str] = SOUND) -> Catalog:
    """The catalogue that the texts make."""
    return loaded(files).catalog


def policy(policy_id: str, of: Catalog | None = None) -> Policy:
    """One of the catalogue's policies, written out."""
    whole = of or catalog()
    return expand(whole.policies[policy_id], whole.policies)


def prepared(
    policy_id: str, of: Catalog | None = None, scope: str | None = None, memory: pipeline.Memory = NOTHING
) -> pipeline.Prepared:
    """A policy selected and compiled."""
    whole = of or catalog()
    return pipeline.prepare(whole, policy(policy_id, whole), NOW, memory, scope)


def artefact(policy_id: str, fmt: str, of: Catalog | None = None, scope: str | None = None) -> Artefact:
    """A policy in a format, serial and time fixed."""
    whole = of or catalog()
    made = prepared(policy_id, whole, scope)
    return pipeline.artefact(whole, made, FORMATS[fmt], NOTHING, lambda _digest: (NOW, NOW))


def content(text: str) -> list[str]:
    """The lines of a list that are no comments: neither `#` nor `;` begins anything else."""
    return [line for line in text.split("\n") if line and line[0] not in "#;"]


def with_garden(blockset: BlockSet, garden: Garden) -> BlockSet:
    """The block set with a walled garden in its policy."""
    assert blockset.policy.action is not None
    action = msgspec.structs.replace(blockset.policy.action, walled_garden=garden)
    return msgspec.structs.replace(blockset, policy=msgspec.structs.replace(blockset.policy, action=action))
