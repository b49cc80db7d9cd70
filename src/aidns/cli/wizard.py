"""The questions of `aidns new service`: each answer is judged by lint before the next question."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches
from functools import partial

import click
from msgspec import Struct

from aidns import names
from aidns.catalog.draft import STAND_IN, Draft, judge, provider_with_unknown_facts, seen_date, slug
from aidns.catalog.lint import lint
from aidns.catalog.load import Loaded
from aidns.errors import AidnsError, DataError, UsageError
from aidns.model import Domain, Evidence, Problem, Service

Put = Callable[[str], Draft]
"""Makes an answer part of the draft; raises AidnsError for an answer that cannot be one."""


class Options(Struct, frozen=True):
    """Answers given on the command line; None and empty ones are still to be asked for."""

    id: str | None = None
    title: str | None = None
    provider: str | None = None
    provider_title: str | None = None
    categories: tuple[str, ...] = ()
    homepage: str | None = None
    domains: tuple[str, ...] = ()
    breaks: Mapping[str, str] = {}
    evidence: tuple[tuple[str, str, str, str, str], ...] = ()

    @property
    def complete(self) -> bool:
        """Tell whether nothing that a service needs is missing, so that no question is asked."""
        named = {domain.partition(":")[0] for domain in self.domains}
        shown = {item[0] for item in self.evidence}
        return bool(self.id and self.title and self.provider and self.categories and named and named <= shown)

    def fields(self) -> Iterator[str]:
        """Yield the fields of the service's file that the options fill."""
        yield from (key for key in ("title", "provider", "categories", "homepage") if getattr(self, key))
        if self.id:
            yield ""
        for i in range(len(self.domains)):
            yield from (f"domains[{i}].{key}" for key in ("name", "role", "sharing", "breaks", "evidence"))


class Wizard:
    """Makes a draft of options and answers. `today` is the last day that a copy can have been read on."""

    def __init__(self, loaded: Loaded, today: dt.date) -> None:
        self.loaded = loaded
        self.known = lint(loaded)
        self.today = today
        self.shown: set[str] = set()

    def draft(self, options: Options) -> Draft:
        """Return what the options say, completed by questions.

        Raises DataError when lint objects to what the options say, UsageError when nobody is there to answer.
        """
        draft = self.from_options(options)
        if errors := self.errors(draft, None if options.complete else tuple(options.fields())):
            raise DataError("the options make no sound service; nothing was written", errors)
        if options.complete:
            return draft
        try:
            return self.ask_all(draft, options)
        except click.Abort:
            if sys.stdin.isatty():
                raise
            raise UsageError("answers are missing", tip="give all of them as options; aidns new --help") from None

    def errors(self, draft: Draft, fields: Collection[str] | None) -> list[Problem]:
        """Return lint's errors in these fields of the new service (None: in all), and elsewhere because of it.

        What can be mended without a person is none.
        """
        own = f"services/{draft.service.id}.toml"
        found = (p for p in judge(self.loaded, self.known, draft.files()) if p.level == "error" and not p.fix)
        return [p for p in found if fields is None or p.file != own or any(_within(p.field, one) for one in fields)]

    # ---------------------------------------------------------------- options

    def from_options(self, options: Options) -> Draft:
        """Return a draft in which sound stand-ins take the place of what is missing."""
        catalog = self.loaded.catalog
        domains = tuple(self.domain(text, options) for text in options.domains)
        stated = {domain.name for domain in domains}
        for name in (*options.breaks, *(item[0] for item in options.evidence)):
            if name not in stated:
                shown = names.printable(name, 80)
                raise UsageError(f"{shown!r} is none of the names given", tip=f"add --domain {shown}:ROLE")
        draft = Draft(
            Service(
                1,
                options.title or STAND_IN,
                options.provider or next(iter(catalog.providers), STAND_IN),
                options.categories or tuple(catalog.vocab.get("category", ()))[:1],
                homepage=options.homepage or "",
                domains=domains,
                id=STAND_IN,
            )
        )
        if options.id:
            draft = self.named(draft, options.id)
        if options.provider and options.provider_title:
            draft = self.provided(draft, options.provider, options.provider_title)
        return draft

    def domain(self, text: str, options: Options) -> Domain:
        """Return the domain that `NAME:ROLE[:SCOPE]` and the options about NAME describe."""
        name, _, rest = text.partition(":")
        role, _, scope = rest.partition(":")
        if not role or scope not in ("", "subtree", "exact"):
            raise UsageError(f"{names.printable(text)!r} is no NAME:ROLE[:SCOPE]", tip="such as api.example.ai:api")
        return Domain(
            name=name,
            role=role,
            scope="exact" if scope == "exact" else "subtree",
            sharing="vendor" if name in options.breaks else "exclusive",
            breaks=options.breaks.get(name, ""),
            evidence=tuple(
                Evidence(kind, url, seen_date(seen, self.today), says)
                for about, kind, url, seen, says in options.evidence
                if about == name
            ),
        )

    # ---------------------------------------------------------------- questions

    def ask_all(self, draft: Draft, options: Options) -> Draft:
        """Return the draft with an answer for everything that the options leave open."""
        if not options.title:
            draft = self.ask("Title", draft, "title", lambda said: draft.change(title=said))
        if not options.id:
            suggestion = slug(draft.service.title) or None
            draft = self.ask("Id", draft, "", lambda said: self.named(draft, said), suggestion)
        if not options.provider:
            draft = self.ask_provider(draft)
        if not options.categories:
            draft = self.ask_words("Categories, the main one first", draft, "category", "categories", _categories)
        if options.homepage is None:
            draft = self.ask("Home page", draft, "homepage", lambda said: draft.change(homepage=said), "")
        for i, domain in enumerate(draft.service.domains):
            if not domain.evidence:
                draft = self.ask_evidence(draft, i)
        more = not options.domains
        while more:
            draft = self.ask_domain(draft)
            more = click.confirm("Another name?", err=True)
        return draft

    def ask(self, question: str, draft: Draft, field: str, put: Put, default: str | None = None) -> Draft:
        """Ask until lint has no objection to a field of the draft that `put` makes of the answer."""
        while True:
            said = click.prompt(question, default=default, show_default=bool(default), err=True)
            try:
                new = put(said.strip())
            except AidnsError as error:
                _object(error.message, error.tip)
                continue
            errors = self.errors(new, (field,))
            if not errors:
                return new
            for problem in errors:
                _object(problem.message, problem.tip)

    def ask_words(
        self, question: str, draft: Draft, section: str, field: str, put: Callable[[Draft, str], Draft]
    ) -> Draft:
        """Ask for words of the vocabulary; they are shown, with what they mean, the first time."""
        if section not in self.shown:
            self.shown.add(section)
            for word, meaning in self.loaded.catalog.vocab.get(section, {}).items():
                click.echo(f"  {click.style(f'{word:<16}', bold=True)} {meaning}", err=True)
        return self.ask(question, draft, field, lambda said: put(draft, said))

    def ask_provider(self, draft: Draft) -> Draft:
        """Ask who offers the service; where there is no such file yet, for the provider's name."""
        known = self.loaded.catalog.providers
        while True:
            said = click.prompt("Provider's id", default=draft.service.id, err=True).strip()
            if said in known:
                return draft.change(provider=said)
            if errors := self.errors(self.provided(draft, said, STAND_IN), ("provider",)):
                _object(errors[0].message, errors[0].tip)
                continue
            near = get_close_matches(said, known, n=3)
            hint = f" (there is {', '.join(near)})" if near else ""
            question = f"There is no provider {names.printable(said, 80)!r} yet{hint}. Write it, too?"
            if click.confirm(question, default=not near, err=True):
                put = partial(self.provided, draft, said)
                return self.ask("Provider's name", draft, "provider", put, draft.service.title)

    def ask_domain(self, draft: Draft) -> Draft:
        """Ask for a name, what it is for, what shares it, and how one knows."""
        i = len(draft.service.domains)
        role = next(iter(self.loaded.catalog.vocab.get("role", ())), STAND_IN)

        def named(said: str) -> Draft:
            # The narrowest form first: what a subtree would cover is the next question's business.
            domain = Domain(names.normalise(said), role, scope="exact")
            return draft.change(domains=(*draft.service.domains, domain))

        draft = self.ask("Name", draft, f"domains[{i}].name", named)
        question = "Scope: subtree (with everything below it) or exact"
        draft = self.ask(question, draft, f"domains[{i}].name", partial(draft.scoped, i), "subtree")
        draft = self.ask_words(
            "Role", draft, "role", f"domains[{i}].role", lambda d, said: d.change_domain(i, role=said)
        )
        question = "What of others stops when it is blocked? (nothing: press Enter)"
        draft = self.ask(question, draft, f"domains[{i}].breaks", partial(draft.shared, i), "")
        return self.ask_evidence(draft, i)

    def ask_evidence(self, draft: Draft, i: int) -> Draft:
        """Ask what shows that a name is theirs, once or more."""
        name = draft.service.domains[i].name
        more = True
        while more:
            j = len(draft.service.domains[i].evidence)
            field = f"domains[{i}].evidence[{j}]"
            click.echo(f"What shows that {name} is theirs?", err=True)
            draft = self.ask_words(
                "Kind of evidence", draft, "evidence", field, lambda d, said: d.add_evidence(i, said)
            )
            for question, key in (("Address", "url"), ("Says", "says")):
                draft = self._ask_item(question, draft, i, key, field)
            put = partial(self._dated, draft, i)
            draft = self.ask("Date of the copy that you read, or undated", draft, field, put, "undated")
            more = click.confirm(f"Another source for {name}?", err=True)
        return draft

    def _ask_item(self, question: str, draft: Draft, i: int, key: str, field: str) -> Draft:
        return self.ask(question, draft, field, lambda said: draft.change_evidence(i, **{key: said}))

    def _dated(self, draft: Draft, i: int, said: str) -> Draft:
        return draft.change_evidence(i, seen=seen_date(said, self.today))

    # ---------------------------------------------------------------- answers

    def named(self, draft: Draft, service_id: str) -> Draft:
        """Return the draft under an id. Raises UsageError where a service has it already."""
        if service_id in self.loaded.catalog.services:
            shown = names.printable(service_id, 80)
            raise UsageError(f"there is a service {shown!r} already", tip="edit its file, or choose another id")
        return draft.change(id=service_id)

    def provided(self, draft: Draft, provider_id: str, title: str) -> Draft:
        """Return the draft with its provider, which is new unless it has a file."""
        new = provider_id not in self.loaded.catalog.providers
        provider = provider_with_unknown_facts(provider_id, title, self.today) if new else None
        return Draft(draft.change(provider=provider_id).service, provider)


def _object(message: str, tip: str) -> None:
    end = "" if tip.endswith("?") else "."
    click.echo(f"  {click.style('no:', fg='red')} {message}: {tip}{end}", err=True)


def _within(field: str, asked: str) -> bool:
    """Tell whether a field is the one asked for or a part of it; an empty one means the file's name alone."""
    return field == asked or (asked != "" and field.startswith((f"{asked}.", f"{asked}[")))


def _categories(draft: Draft, said: str) -> Draft:
    return draft.change(categories=tuple(said.replace(",", " ").split()))
