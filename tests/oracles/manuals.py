"""Readers for consumers that were not measured, or only in part: each reads a list as the consumer's manual has it.

dnscrypt-proxy's were observed on 2.1.18, the others come from documentation alone. They tell whether a list says what
it is meant to say, not whether the product obeys.
"""

from __future__ import annotations

import re


def _suffixes(name: str) -> list[str]:
    labels = name.split(".")
    return [".".join(labels[i:]) for i in range(len(labels))]


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


class DnscryptProxy:
    """`name` and `*.name` are trees, `=name` itself alone; what has blanks or `|` matches nothing."""

    def __init__(self, text: str) -> None:
        lines = [line.partition("#")[0].strip() for line in text.splitlines()]
        lines = [line for line in lines if line and " " not in line and "|" not in line]
        self.exact = {line[1:] for line in lines if line.startswith("=")}
        self.trees = {line.removeprefix("*.") for line in lines if not line.startswith("=")}

    def blocked(self, name: str) -> bool:
        """Tell whether the list blocks a name."""
        return name in self.exact or not self.trees.isdisjoint(_suffixes(name))


class Suffixes:
    """Every name stands for its whole tree (Technitium, most firewalls)."""

    def __init__(self, text: str) -> None:
        self.trees = set(_lines(text))

    def blocked(self, name: str) -> bool:
        """Tell whether the list blocks a name."""
        return not self.trees.isdisjoint(_suffixes(name))


class Edl:
    """PAN-OS: `name` and `^name` are the name itself, `*.name` is what lies below it."""

    def __init__(self, text: str) -> None:
        lines = _lines(text)
        self.exact = {line.removeprefix("^") for line in lines if not line.startswith("*.")}
        self.below = {line[2:] for line in lines if line.startswith("*.")}

    def blocked(self, name: str) -> bool:
        """Tell whether the list blocks a name."""
        return name in self.exact or not self.below.isdisjoint(_suffixes(name)[1:])


class RouterOs:
    """`/ip dns static`: an entry answers its name, with match-subdomain=yes what lies below it, too."""

    ENTRY = re.compile(
        r'add name=(\S+) (?:type=(NXDOMAIN|AAAA) ?)?(?:address=\S+ )?(match-subdomain=yes )?comment="[^"]*"'
    )

    def __init__(self, text: str) -> None:
        head, clean, *entries = _lines(text)
        assert head == "/ip dns static" and clean.startswith("remove [find comment="), "not in the menu"
        found = [self.ENTRY.fullmatch(line) for line in entries]
        assert all(found), [line for line, match in zip(entries, found, strict=True) if not match]
        self.exact = {match[1] for match in found if match}
        self.trees = {match[1] for match in found if match and match[3]}

    def blocked(self, name: str) -> bool:
        """Tell whether the router answers a name itself."""
        return name in self.exact or not self.trees.isdisjoint(_suffixes(name))


class WindowsDns:
    """Query resolution policies of the server: the criterion holds if one EQ value matches and no NE value does.

    `*.name` is what lies below a name.
    """

    RULE = re.compile(r"Add-Rule (\d+) '(EQ(?:,[a-z0-9_.*-]+)+)(?:;(NE(?:,[a-z0-9_.*-]+)+))?'")

    def __init__(self, text: str) -> None:
        clean, function, *rules = _lines(text)
        assert clean.startswith("Get-DnsServerQueryResolutionPolicy") and "-Action DENY" in function
        found = [self.RULE.fullmatch(line) for line in rules]
        assert all(found), [line for line, match in zip(rules, found, strict=True) if not match]
        assert [int(match[1]) for match in found if match] == list(range(1, len(rules) + 1)), "an order must be unique"
        self.excepting: dict[str, list[set[str]]] = {}
        """EQ value -> the NE values of each rule that has it."""
        for match in (match for match in found if match):
            for value in match[2].split(",")[1:]:
                self.excepting.setdefault(value, []).append(set((match[3] or "").split(",")[1:]))

    def blocked(self, name: str) -> bool:
        """Tell whether a policy denies a name."""
        values = {name, *(f"*.{above}" for above in _suffixes(name)[1:])}
        return any(values.isdisjoint(excepted) for value in values for excepted in self.excepting.get(value, ()))
