"""Public suffixes, by the dated copy of the list that the publicsuffixlist package carries. [I/O: reads that copy]

Two readings: the ICANN section guards and groups; the private section only flags names under which strangers publish.
"""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from aidns.names import Name, ancestors, normalise

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList


@cache
def _icann() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList(only_icann=True)


@cache
def _private_suffixes() -> frozenset[str]:
    """Suffixes of the private section; a rule `*.x` counts as `x`, for strangers publish below it."""
    text = files("publicsuffixlist").joinpath("public_suffix_list.dat").read_text("utf-8")
    _, _, private = text.partition("===BEGIN PRIVATE DOMAINS===")
    rules = (line.strip() for line in private.splitlines() if line.strip() and not line.startswith("//"))
    return frozenset(normalise(rule.lstrip("!").removeprefix("*.")) for rule in rules)


def is_public_suffix(name: str) -> bool:
    """Tell whether `name` is an ICANN public suffix or lies above one."""
    return _icann().privatesuffix(name) is None


@cache
def icann_suffixes() -> frozenset[Name]:
    """Return the public suffixes of several labels that the ICANN section names; those of its wildcards are not."""
    text = files("publicsuffixlist").joinpath("public_suffix_list.dat").read_text("utf-8")
    icann, _, _ = text.partition("===BEGIN PRIVATE DOMAINS===")
    rules = (line.strip() for line in icann.splitlines())
    return frozenset(normalise(rule) for rule in rules if "." in rule and not rule.startswith(("//", "!", "*")))


@cache
def near_suffixes() -> tuple[frozenset[Name], frozenset[Name]]:
    """Return where to look for names that are remarkable here: those names, and names right below which each may be.

    `is_public_suffix` and `covered_private_suffix` say nothing about any other name of several labels, which makes
    them quick to ask about millions.
    """
    text = files("publicsuffixlist").joinpath("public_suffix_list.dat").read_text("utf-8")
    icann, _, _ = text.partition("===BEGIN PRIVATE DOMAINS===")
    rules = [line.strip() for line in icann.splitlines() if line.strip() and not line.startswith(("//", "!"))]
    bases = {rule: Name(normalise(f"x.{rule.removeprefix('*.')}").removeprefix("x.")) for rule in rules}
    tops = {name for base in bases.values() for name in (base, *ancestors(base)) if "." in name}
    return frozenset((*tops, *map(Name, _covered_index()))), frozenset(b for rule, b in bases.items() if rule[0] == "*")


@lru_cache(1 << 15)
def registrable_domain(name: str) -> Name | None:
    """Return the domain one registrant holds, by the ICANN section; None for a public suffix itself."""
    found = _icann().privatesuffix(name)
    return None if found is None else Name(found)


def covered_private_suffix(name: str) -> Name | None:
    """Return a private-section suffix that equals `name` or lies below it, the first by spelling; None if none."""
    return _covered_index().get(name)


@cache
def _covered_index() -> dict[str, Name]:
    index: dict[str, Name] = {}
    for suffix in sorted(_private_suffixes(), reverse=True):
        for name in (suffix, *ancestors(suffix)):
            index[name] = Name(suffix)
    return index
