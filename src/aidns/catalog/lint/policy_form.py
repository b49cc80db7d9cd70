"""A policy says one thing, says it for a reason, and never blocks where it only advises."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from aidns import names, psl
from aidns.catalog.countries import COUNTRIES
from aidns.catalog.lint.finding import Finding
from aidns.errors import DataError
from aidns.model import Catalog, ClientScope, Policy, Selector
from aidns.policy import ADDRESSED, NON_BLOCKING, expand

MAX_SCOPE = 100
"""Characters of a scope's name: directories, tags and groups are called by it."""
_SCOPE = re.compile("[a-z0-9]+(?:-+[a-z0-9]+)*")
_SOFT = ("advise", "inquire")


def check(catalog: Catalog) -> Iterator[Finding]:
    """Yield faults of the shipped policies."""
    for policy in catalog.policies.values():
        yield from check_one(policy, catalog, own=False)


def check_one(policy: Policy, catalog: Catalog, *, own: bool) -> Iterator[Finding]:
    """Yield the faults of one policy; an administrator's own may leave out what a shipped preset must say."""
    path = f"policies/{policy.id}.toml"
    for field, message, tip in (
        *_form(policy, catalog),
        *_inline(policy),
        *_lists(policy),
        *(() if own else _preset(policy)),
    ):
        yield Finding(path, field, message, tip)
    shared = {entry.name: entry for entry in catalog.shared}
    for i, block in enumerate(policy.block if own else ()):  # shipped policies: policy_collateral proves more
        if hit := next((s for s in shared if _covers(block.name, block.scope, s)), None):
            message = f"{block.name} blocks shared infrastructure {hit}: it breaks {shared[hit].breaks}"
            yield Finding(path, f"block[{i}]", message, "block the service's own names", "warning")


def _covers(name: str, scope: str, other: str) -> bool:
    return name == other or (scope == "subtree" and names.at_or_below(other, name))


def _form(policy: Policy, catalog: Catalog) -> Iterator[tuple[str, str, str]]:
    try:
        whole = expand(policy, catalog.policies)
    except DataError as error:
        yield "extends", error.message, error.tip
        return
    select = whole.select
    if not select.include and not select.bypass and not whole.block and not whole.list:
        yield "select", "selects nothing", "add a selector under include, or [[block]] entries, or a [[list]]"
    for key in ("include", "exclude"):
        for i, selector in enumerate(getattr(policy.select, key)):
            yield from _selector(f"select.{key}[{i}]", selector)
    yield from _action(whole, catalog)
    if whole.strength and whole.strength not in catalog.vocab.get("strength", {}):
        yield "strength", f"{whole.strength!r} is no strength", f"known: {', '.join(catalog.vocab.get('strength', {}))}"
    for i, scope in enumerate(policy.scope):
        yield from _scope(f"scope[{i}]", scope, policy.scope[:i])
    if policy.since and policy.review_by and policy.review_by < policy.since:
        yield "review_by", f"{policy.review_by} is before since = {policy.since}", "swap or mend the dates"


def _selector(field: str, selector: Selector) -> Iterator[tuple[str, str, str]]:
    if selector == Selector(unknown=selector.unknown):
        yield field, "is empty: it would match every service", "say what it selects"
    if selector.only_lookalikes and (field.startswith("select.exclude") or selector.role or selector.sharing):
        yield f"{field}.only_lookalikes", "goes with include, without role and sharing", "write [[allow]] to except one"
    for label in ("registered_in", "parent_in", "origin_in", "storage_in", "nexus_in"):
        for code in getattr(selector, label):
            if code not in COUNTRIES:
                yield f"{field}.{label}", f"{code!r} is no country", "ISO 3166-1 alpha-2, such as KR or GB"


def _action(policy: Policy, catalog: Catalog) -> Iterator[tuple[str, str, str]]:
    action = policy.action
    if action is None:
        yield "action", "has no action", 'add [action] with default = "nxdomain"'
        return
    words = catalog.vocab.get("action", {})
    for word in (action.default, *action.fallback):
        if word not in words:
            yield "action", f"{word!r} is no action", f"known: {', '.join(words)}"
    if action.default in NON_BLOCKING and action.fallback:
        yield (
            "action.fallback",
            f"{action.default} has a fallback: it would block where only logging is meant",
            "leave it out",
        )
    if policy.strength in _SOFT and action.default not in NON_BLOCKING and not policy.escalate:
        message = f"strength {policy.strength} with the blocking action {action.default}"
        yield "action.default", message, "write escalate = true if that is what you mean"
    if policy.select.bypass and ADDRESSED.intersection((action.default, *action.fallback)):
        yield (
            "action",
            "would answer bypass names with an address: clients then go round this resolver",
            "a policy with bypass = true has default = 'nxdomain' or 'nodata', and no other fallback",
        )
    garden = action.walled_garden
    if "walled-garden" in (action.default, *action.fallback) and not (garden.a or garden.aaaa or garden.cname):
        yield "action.walled_garden", "is missing", 'add walled_garden = { a = "…" } or { cname = "…" }'
    if garden.cname and (garden.a or garden.aaaa):
        yield "action.walled_garden", "has a name and addresses", "keep one: a CNAME stands alone (RFC 1034 §3.6.2)"
    for label, text, version in (("a", garden.a, 4), ("aaaa", garden.aaaa, 6)):
        if text and not _is_address(text, version):
            yield f"action.walled_garden.{label}", f"{text!r} is no IPv{version} address", "write one address"
    if garden.cname and (why := _name_fault(garden.cname)):
        yield "action.walled_garden.cname", why[0], why[1]


def _inline(policy: Policy) -> Iterator[tuple[str, str, str]]:
    for key in ("block", "allow"):
        for i, item in enumerate(getattr(policy, key)):
            if why := _name_fault(item.name):
                yield f"{key}[{i}].name", why[0], why[1]
            elif key == "block" and psl.is_public_suffix(item.name):
                yield f"{key}[{i}].name", f"{item.name} is a public suffix", "list the names below it"


def _lists(policy: Policy) -> Iterator[tuple[str, str, str]]:
    for i, own in enumerate(policy.list):
        if bool(own.path) == bool(own.url):
            yield f"list[{i}]", "has not one place", "give it either a path or a url"
        if own.url and (why := _url_fault(own.url)):
            yield f"list[{i}].url", why, "write https://host.example/path"


def _url_fault(url: str) -> str:
    try:
        parts = urlsplit(url)
        names.normalise(parts.hostname or "")
    except ValueError as error:
        return f"is no web address: {names.printable(str(error))}"
    if parts.scheme not in ("https", "http"):
        return "is no web address"
    return "holds a user or a password" if "@" in parts.netloc else ""


def _preset(policy: Policy) -> Iterator[tuple[str, str, str]]:
    for field in ("summary", "strength", "since", "review_by", "dns_cannot"):
        if not getattr(policy, field):
            yield (
                field,
                "is missing from a shipped policy",
                "a preset says what it is for, when to look again, what DNS cannot do",
            )
    if policy.list:
        yield "list", "is set in a shipped policy", "lists of one's own belong into one's own policy"
    if policy.expires:
        yield "expires", "is set in a shipped policy", "presets have review_by only"


def _scope(field: str, scope: ClientScope, earlier: Sequence[ClientScope]) -> Iterator[tuple[str, str, str]]:
    if not _SCOPE.fullmatch(scope.name):
        shown = names.printable(scope.name, 80)
        yield f"{field}.name", f"{shown!r} is no name of a scope", "words of a-z and 0-9, hyphens between them"
    elif len(scope.name) > MAX_SCOPE:
        tip = f"at most {MAX_SCOPE}: it names a directory and a group"
        yield f"{field}.name", f"has {len(scope.name)} characters", tip
    if scope.name in (one.name for one in earlier):
        yield f"{field}.name", f"{names.printable(scope.name, 80)!r} is there twice", "scopes have different names"
    taken = {network: one.name for one in earlier for text in one.networks if (network := _network(text))}
    for text in scope.networks:
        try:
            network = ipaddress.ip_network(text)
        except ValueError as error:
            yield f"{field}.networks", names.printable(str(error)), "write CIDR such as 10.20.0.0/16"
            continue
        if "%" in text:
            yield f"{field}.networks", f"{text!r} is good on one link alone", "write CIDR such as fd00:20::/48"
        if network in taken:
            message = f"{network} is in scope {names.printable(taken[network], 80)!r}, too"
            yield f"{field}.networks", message, "keep it in one of them; a narrower network may lie in a wider one"


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        return None


def _is_address(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version and "%" not in text
    except ValueError:
        return False


def _name_fault(text: str) -> tuple[str, str] | None:
    try:
        names.parse(text)
    except names.InvalidName as error:
        return error.message, error.tip
    return None
