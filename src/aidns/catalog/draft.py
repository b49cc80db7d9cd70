"""A service that is about to be written: changes of it, and what lint says of it before it is a file. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from aidns import names
from aidns.catalog.files import Source
from aidns.catalog.fixing import fixed
from aidns.catalog.lint import lint
from aidns.catalog.load import Loaded, assemble
from aidns.catalog.write import text_of
from aidns.errors import UsageError
from aidns.model import Entry, Evidence, Fact, Problem, Provider, SeenDate, Service

STAND_IN = "unnamed"
"""Stands for a text that is not known yet."""


class Draft(Struct, frozen=True):
    """A service to be written, and its provider where that is new, too."""

    service: Service
    provider: Provider | None = None

    def files(self) -> dict[str, str]:
        """Return path in the catalogue -> text, in canonical form."""
        entries: dict[str, Entry] = {f"services/{self.service.id}.toml": self.service}
        if self.provider:
            entries[f"providers/{self.provider.id}.toml"] = self.provider
        return {path: text_of(path, entry) for path, entry in entries.items()}

    def change(self, **changes: object) -> Draft:
        """Return the draft with other values in the service's fields."""
        return replace(self, service=replace(self.service, **changes))

    def change_domain(self, i: int, **changes: object) -> Draft:
        """Return the draft with other values in a domain's fields."""
        domains = list(self.service.domains)
        domains[i] = replace(domains[i], **changes)
        return self.change(domains=tuple(domains))

    def scoped(self, i: int, scope: str) -> Draft:
        """Return the draft with a domain's scope. Raises UsageError for another word."""
        if scope not in ("subtree", "exact"):
            raise UsageError("it is subtree or exact", tip="subtree for a name of which they own everything below")
        return self.change_domain(i, scope=scope)

    def shared(self, i: int, breaks: str) -> Draft:
        """Return the draft with what a domain's block breaks of others; nothing makes it theirs alone."""
        return self.change_domain(i, breaks=breaks, sharing="vendor" if breaks else "exclusive")

    def add_evidence(self, i: int, kind: str) -> Draft:
        """Return the draft with new evidence for a domain; sound stand-ins fill its other fields."""
        item = Evidence(kind, "https://example.com/", SeenDate(), STAND_IN)
        return self.change_domain(i, evidence=(*self.service.domains[i].evidence, item))

    def change_evidence(self, i: int, **changes: object) -> Draft:
        """Return the draft with other values in the last evidence of a domain."""
        *earlier, last = self.service.domains[i].evidence
        return self.change_domain(i, evidence=(*earlier, replace(last, **changes)))


def provider_with_unknown_facts(provider_id: str, title: str, today: dt.date) -> Provider:
    """Return a provider about whose seat nothing has been looked up yet."""
    unknown = (Fact(("unknown",), SeenDate(today)),)
    return Provider(1, title, registered_in=unknown, parent_in=unknown, origin_in=unknown, id=provider_id)


def seen_date(text: str, today: dt.date) -> SeenDate:
    """Return the date of a copy that somebody read. Raises UsageError for what is no day up to today."""
    if text == "undated":
        return SeenDate()
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        shown = names.printable(text, 80)
        raise UsageError(f"{shown!r} is no date", tip="write a day such as 2026-02-10, or undated") from None
    if day > today:
        raise UsageError(f"{day} has not come yet", tip="write the day of the copy that you read")
    return SeenDate(day)


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
