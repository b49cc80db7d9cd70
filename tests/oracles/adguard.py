"""An oracle of how AdGuard's DNS engine reads a filter list; nothing of the renderer is used.

Written from observations of urlfilter 0.20.0, of which `fixtures/adguard-urlfilter-0.20.0.txt` holds 72. Not covered:
the modifiers ctag, dnstype, dnsrewrite and badfilter, which change answers by tag or by type, and names or exclusions
in client, of which addresses and networks are read.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterator
from functools import cached_property

BLOCK, ALLOW, HOST, NOTHING = "BLOCK", "ALLOW", "HOST", "-"
_HOST = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*\.?")
_COSMETIC = re.compile(r"#[@$?%]*#")
_MODIFIERS = frozenset({"important", "denyallow", "client"})
_ANCHORED = re.compile(r"\|\|?([a-z0-9_.-]+)\^")


class Rule:
    """One network rule."""

    def __init__(self, line: str) -> None:
        self.allows = line.startswith("@@")
        line = line.removeprefix("@@")
        is_regex = len(line) > 1 and line.startswith("/") and line.endswith("/")
        pattern, _, modifiers = (line, "", "") if is_regex else line.partition("$")
        self.expression = line[1:-1] if is_regex else _expression(pattern.lower())
        self.options = dict(part.partition("=")[::2] for part in modifiers.split(",") if part)
        self.known = self.options.keys() <= _MODIFIERS
        clients = self.options.get("client", "").split("|")
        self.clients = [ipaddress.ip_network(one) for one in clients if one]
        self.rank = 2 * ("important" in self.options) + self.allows
        anchored = _ANCHORED.fullmatch(pattern.lower())
        self.key = anchored[1] if anchored else ""
        """A name that every match ends in; empty where there is none."""

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        return re.compile(self.expression)

    def matches(self, name: str, client: str = "") -> bool:
        """Tell whether the pattern is found in a name, no excepted domain holds it, and the rule is for this client."""
        if self.clients and not (client and any(ipaddress.ip_address(client) in network for network in self.clients)):
            return False
        except_below = self.options.get("denyallow", "").split("|")
        return bool(self._regex.search(name)) and not any(_within(name, one) for one in except_below if one)


def _expression(pattern: str) -> str:
    """Return a filter pattern as a regular expression over host names."""
    anchor = "^" if pattern.startswith(("|", "://")) else ""
    if pattern.startswith("||"):
        anchor += r"(?:[a-z0-9_.-]+\.)?"
    body = re.escape(pattern.removeprefix("||").removeprefix("|").removeprefix("://").removesuffix("|"))
    end = "$" if len(pattern) > 2 and pattern.endswith("|") else ""
    return anchor + body.replace(r"\*", ".*").replace(r"\^", r"(?:[^a-z0-9_.%-]|$)") + end


def _within(name: str, domain: str) -> bool:
    return name == domain or name.endswith(f".{domain}")


def hosts_of(line: str) -> list[str]:
    """Return the names of a hosts line or of a lone plain name; as they stand, for matching minds the case."""
    words = re.sub(r"(?:^|\s)#.*", "", line).split()
    if len(words) > 1 and _is_address(words[0]):
        return words[1:]
    return words if len(words) == 1 and _HOST.fullmatch(words[0]) and not _is_address(words[0]) else []


def _is_address(word: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, word)
        except OSError:
            continue
        return True
    return False


def read(text: str) -> Iterator[tuple[list[str], Rule | None]]:
    """Yield (names of a hosts line, network rule) of every line that counts as a rule."""
    for raw in text.split("\n"):
        line = raw.strip()
        if not line or line[0] in "#!":
            continue
        if hosts := hosts_of(line):
            yield hosts, None
        elif not _COSMETIC.search(line) and (rule := Rule(line)).known:
            yield [], rule


class AdGuard:
    """An AdGuard Home with block lists and allow lists: whatever an allow list matches is let through."""

    def __init__(self, block_text: str, allow_text: str = "") -> None:
        self.blocks = Engine(block_text)
        self.allows = Engine(allow_text)

    def blocked(self, name: str, client: str = "") -> bool:
        """Tell whether a name is answered by the filter."""
        return self.allows.match(name, client) == NOTHING and self.blocks.match(name, client) not in (NOTHING, ALLOW)


class Engine:
    """The rules of one or more lists, those for one name or tree by that name."""

    def __init__(self, text: str) -> None:
        rules = list(read(text))
        self.count = len(rules)
        self.hosts = {name for hosts, _ in rules for name in hosts}
        self.by_key: dict[str, list[Rule]] = {}
        for rule in (rule for _, rule in rules if rule):
            self.by_key.setdefault(rule.key, []).append(rule)

    def match(self, name: str, client: str = "") -> str:
        """Return what the strongest matching rule says."""
        labels = name.split(".")
        candidates = [r for i in range(len(labels) + 1) for r in self.by_key.get(".".join(labels[i:]), ())]
        best = max(
            (rule for rule in candidates if rule.matches(name, client)), key=lambda rule: rule.rank, default=None
        )
        if best:
            return ALLOW if best.allows else BLOCK
        return HOST if name in self.hosts else NOTHING
