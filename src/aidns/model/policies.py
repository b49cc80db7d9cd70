"""Policies: choices that select from the catalogue. They double as the schema of policy files."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from msgspec import Meta

from aidns.model.entries import Entry, SchemaVersion, Scope, Text


class Selector(Entry, frozen=True):
    """Conditions that must all hold; within one condition any value is enough.

    `only_lookalikes` takes the look-alikes of the matching services in place of their own names. `unknown` says what
    a value nobody found does: match, skip silently, or skip and report (the default).
    """

    provider: tuple[Text, ...] = ()
    provider_family: tuple[Text, ...] = ()
    service: tuple[Text, ...] = ()
    category: tuple[Text, ...] = ()
    role: tuple[Text, ...] = ()
    sharing: tuple[Text, ...] = ()
    confidence: tuple[Text, ...] = ()
    registered_in: tuple[Text, ...] = ()
    parent_in: tuple[Text, ...] = ()
    origin_in: tuple[Text, ...] = ()
    storage_in: tuple[Text, ...] = ()
    nexus_in: tuple[Text, ...] = ()
    trains_default: tuple[Text, ...] = ()
    external_storage: tuple[Text, ...] = ()
    hosts_models_of: tuple[Text, ...] = ()
    separable: tuple[Text, ...] = ()
    only_lookalikes: bool = False
    unknown: Literal["match", "skip", "report"] = "report"


class Select(Entry, frozen=True):
    """What a policy blocks. Including only adds; excluding makes exceptions.

    `lookalikes` adds those of every service that is included.
    """

    include: tuple[Selector, ...] = ()
    exclude: tuple[Selector, ...] = ()
    lookalikes: bool | None = None
    bypass: bool | None = None


class Garden(Entry, frozen=True):
    """Where a walled garden sends people: addresses, or a name."""

    a: str = ""
    aaaa: str = ""
    cname: str = ""


class ActionChoice(Entry, frozen=True):
    """The answer wanted for blocked names, and what to do where a format lacks it."""

    default: Text = "nxdomain"
    fallback: tuple[Text, ...] = ()
    walled_garden: Garden = Garden()


class ClientScope(Entry, frozen=True):
    """Where the file is to be loaded: networks or a tag an administrator fills."""

    name: Text
    tags: tuple[Text, ...] = ()
    networks: tuple[Text, ...] = ()
    note: str = ""


class ServiceException(Entry, frozen=True):
    """A service that stays reachable, with who decided it and until when."""

    service: Annotated[tuple[Text, ...], Meta(min_length=1)]
    reason: Text
    approved_by: str = ""
    expires: dt.date | None = None
    scopes: tuple[Text, ...] = ()


class InlineBlock(Entry, frozen=True):
    """An administrator's own name to block."""

    name: Text
    reason: Text
    scope: Scope = "subtree"


class InlineAllow(Entry, frozen=True):
    """An administrator's own name to keep reachable."""

    name: Text
    reason: Text
    scope: Scope = "subtree"
    approved_by: str = ""
    expires: dt.date | None = None


class OwnList(Entry, frozen=True):
    """An administrator's own list of names, in a file or at a web address that `aidns fetch` has fetched."""

    reason: Text
    path: str = ""
    """Relative to the policy's file."""
    url: str = ""
    syntax: Literal["", "domains", "hosts", "adblock", "dnsmasq", "rpz"] = ""
    """Found out unless told."""
    blocks: bool = True
    """False: every name in it is an exception."""
    scope: Scope = "subtree"
    """What plain names mean; a syntax with marks of its own says it itself."""


class Policy(Entry, frozen=True):
    """A choice: what to block, how, for whom; it points to measures. `id` is the file's name."""

    schema: SchemaVersion
    title: Text
    summary: str = ""
    preset: str = ""
    extends: str = ""
    strength: str = ""
    measures: tuple[Text, ...] = ()
    owner: str = ""
    since: dt.date | None = None
    review_by: dt.date | None = None
    expires: dt.date | None = None
    escalate: bool | None = None
    dns_cannot: tuple[Text, ...] = ()
    select: Select = Select()
    action: ActionChoice | None = None
    scope: tuple[ClientScope, ...] = ()
    exception: tuple[ServiceException, ...] = ()
    block: tuple[InlineBlock, ...] = ()
    allow: tuple[InlineAllow, ...] = ()
    list: tuple[OwnList, ...] = ()
    id: str = ""
