"""New catalogue files from typed entries, and what lint says of them before they are written. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from aidns.catalog.canon import print_document, shape_of
from aidns.catalog.files import Source
from aidns.catalog.fixing import fixed
from aidns.catalog.lint import lint
from aidns.catalog.load import Loaded, assemble
from aidns.catalog.mend import quoted
from aidns.catalog.syntax import Array, Document, Inline, Item, Pair, Scalar, Table, Value
from aidns.model import Entry, Fact, Problem, Provider, SeenDate, Service


class Draft(msgspec.Struct, frozen=True):
    """A service to be written, and its provider where that is new, too."""

    service: Service
    provider: Provider | None = None

    def files(self) -> dict[str, str]:
        """Return path in the catalogue -> text, in canonical form."""
        entries: dict[str, Entry] = {f"services/{self.service.id}.toml": self.service}
        if self.provider:
            entries[f"providers/{self.provider.id}.toml"] = self.provider
        return {path: text_of(path, entry) for path, entry in entries.items()}


def provider_with_unknown_facts(provider_id: str, title: str, today: dt.date) -> Provider:
    """Return a provider about whose seat nothing has been looked up yet."""
    unknown = (Fact(("unknown",), SeenDate(today)),)
    return Provider(1, title, registered_in=unknown, parent_in=unknown, origin_in=unknown, id=provider_id)


def slug(title: str) -> str:
    """Return an id made of a title; empty where the title has no Latin letter or digit."""
    return "-".join(re.findall(r"[a-z0-9]+", title.lower()))[:63].strip("-")


def judge(loaded: Loaded, known: Iterable[Problem], files: Mapping[str, str]) -> tuple[Problem, ...]:
    """Return the problems that a catalogue has with these files, and has not without them (`known`).

    A new name can be a problem elsewhere: where it was rejected, say.
    """
    sources = {path: Source(path, text) for path, text in files.items()}
    before = set(known)
    return tuple(p for p in lint(assemble({**loaded.sources, **sources})) if p not in before)


def mended(
    loaded: Loaded, known: Iterable[Problem], files: Mapping[str, str]
) -> tuple[dict[str, str], tuple[Problem, ...]]:
    """Return the files with everything mended that needs no judgement (a name's confidence, say), and what is left."""
    sources = {path: Source(path, text) for path, text in files.items()}
    problems = judge(loaded, known, files)
    new = fixed(sources, problems)
    texts = {path: (new.get(path) or source).text for path, source in sources.items()}
    return texts, judge(loaded, known, texts) if new else problems


def text_of(path: str, entry: Entry) -> str:
    """Return an entry as the canonical text of the file at `path`; what equals its default is left out."""
    root: list[Pair] = []
    tables: list[Table] = []
    for key, value in _given(entry):
        if isinstance(value, msgspec.Struct):
            tables.append(Table(key, pairs=_pairs(value)))
        elif isinstance(value, tuple) and any(hasattr(item, "evidence") for item in value):
            tables += (Table(key, is_array=True, pairs=_pairs(item)) for item in value)
        else:
            root.append(Pair(key, _value(value)))
    return print_document(Document((), (Table("", pairs=tuple(root)), *tables)), shape_of(path))


def _given(entry: msgspec.Struct) -> Iterable[tuple[str, Any]]:
    for field in msgspec.structs.fields(entry):
        value = getattr(entry, field.name)
        if field.name != "id" and (field.required or value != field.default):
            yield field.encode_name, value


def _pairs(entry: msgspec.Struct) -> tuple[Pair, ...]:
    return tuple(Pair(key, _value(value)) for key, value in _given(entry))


def _value(value: Any) -> Value:
    if isinstance(value, msgspec.Struct):
        return Inline(_pairs(value))
    if isinstance(value, tuple):
        return Array(tuple(Item(_value(item)) for item in value))
    if isinstance(value, str) or (isinstance(value, SeenDate) and value.date is None):
        return Scalar(quoted(str(value)))
    return Scalar(str(value).lower())
