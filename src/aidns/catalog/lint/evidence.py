"""Every listed name has evidence that a stranger can follow."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from functools import cache
from urllib.parse import urlsplit

from aidns.catalog.lint.finding import Finding, dependency_evidence, evidence_lists, service_path
from aidns.model import Catalog

_PLAIN = re.compile(r"https?://(?:[a-z0-9-]+\.)+(?!local\b|internal\b|localhost\b)[a-z]+(?:/[!-~]*)?\Z")
"""What nearly every address looks like: a name, a path, nothing else."""


def check(catalog: Catalog) -> Iterator[Finding]:
    """Yield entries without evidence, and evidence whose address cannot be followed."""
    for path, field, about, items in evidence_lists(catalog):
        if not items:
            yield Finding(
                path, field, f"{about!r} has no evidence", "add kind, url, seen, says of the page where you saw it"
            )
        for i, item in enumerate(items):
            if why := unfollowable(item.url):
                yield Finding(
                    path, f"{field}.evidence[{i}].url", f"{item.url!r} {why}", "write the public https address"
                )
    for path, field, _, items in dependency_evidence(catalog):
        for i, item in enumerate(items):
            if why := unfollowable(item.url):
                place = f"{field}.evidence[{i}].url"
                yield Finding(path, place, f"{item.url!r} {why}", "write the public https address")
    for service in catalog.services.values():
        if service.homepage and (why := unfollowable(service.homepage)):
            yield Finding(
                service_path(service), "homepage", f"{service.homepage!r} {why}", "write the public https address"
            )


@cache
def unfollowable(url: str) -> str:
    """Return why a stranger cannot follow an address; empty when nothing speaks against it."""
    if _PLAIN.match(url):
        return ""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return "is no URL"
    if parts.scheme not in ("https", "http") or not host:
        return "is no web address"
    if any(c.isspace() for c in url):
        return "holds blanks"
    if parts.username or parts.password:
        return "holds credentials"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "" if "." in host and not host.endswith((".local", ".internal", ".localhost")) else "is not public"
    return "" if address.is_global else "is not public"
