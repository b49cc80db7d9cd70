"""The oracles say what the real programs said, for every observation that they cover."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.oracles.adguard import AdGuard, Engine
from tests.oracles.blocky import Blocky
from tests.oracles.manuals import DnscryptProxy

FIXTURES = Path(__file__).parents[1] / "fixtures"
LINE = re.compile(r'("(?:[^"\\]|\\.)*") +(?:n=(\d+) )?(?:err=(\d+) <nil>)? *(.*)')


def observations(file: str) -> Iterator[tuple[str, str, str, dict[str, str]]]:
    """Yield list text, number of rules, number of errors, name -> verdict."""
    for line in (FIXTURES / file).read_text("utf-8").splitlines():
        match = LINE.fullmatch(line)
        assert match, line
        text = match[1][1:-1].encode("latin-1", "backslashreplace").decode("unicode_escape")
        yield text, match[2] or "", match[3] or "", dict(pair.rpartition("=")[::2] for pair in match[4].split())


ADGUARD = list(observations("adguard-urlfilter-0.20.0.txt"))
BLOCKY = list(observations("blocky-0.34.txt"))
NOT_COVERED = re.compile(r"\$(?:ctag|dnstype|dnsrewrite)=|badfilter")


@pytest.mark.parametrize(
    "seen", [s for s in ADGUARD if not NOT_COVERED.search(s[0])], ids=lambda seen: repr(seen[0])[:60]
)
def test_adguard_oracle_agrees_with_the_real_engine(seen: tuple[str, str, str, dict[str, str]]) -> None:
    text, rules, _, verdicts = seen
    engine = Engine(text)
    assert {name: engine.match(name) for name in verdicts} == {n: v.partition("(")[0] for n, v in verdicts.items()}
    assert engine.count == int(rules)


@pytest.mark.parametrize("seen", [s for s in BLOCKY if s[0] != "e.com^"], ids=lambda seen: repr(seen[0])[:60])
def test_blocky_oracle_agrees_with_the_real_parser(seen: tuple[str, str, str, dict[str, str]]) -> None:
    """All but `name^`, which no list of ours holds."""
    text, rules, errors, verdicts = seen
    blocky = Blocky(text)
    assert {name: blocky.blocked(name) for name in verdicts} == {n: v == "BLOCK" for n, v in verdicts.items()}
    assert (blocky.count, blocky.errors) == (int(rules), int(errors))


def test_fixtures_are_whole() -> None:
    assert (len(ADGUARD), len(BLOCKY)) == (72, 72)
    assert sum(bool(NOT_COVERED.search(text)) for text, *_ in ADGUARD) == 6


def test_adguard_layers() -> None:
    """Exceptions beat blocks whatever their depth, important blocks beat those, important exceptions beat all."""
    guard = AdGuard("||a.com^\n@@||b.a.com^\n||c.b.a.com^$important\n@@|d.c.b.a.com^$important\n||x.b.a.com^\n")
    said = {name: guard.blocked(name) for name in ("a.com", "b.a.com", "x.b.a.com", "c.b.a.com", "y.c.b.a.com")}
    assert said == {"a.com": True, "b.a.com": False, "x.b.a.com": False, "c.b.a.com": True, "y.c.b.a.com": True}
    assert not guard.blocked("d.c.b.a.com")
    assert guard.blocked("e.d.c.b.a.com")


def test_an_allow_list_beats_important_blocks() -> None:
    guard = AdGuard("||a.com^$important\n", "||b.a.com^\nplain.a.com\n")
    assert [guard.blocked(n) for n in ("a.com", "x.b.a.com", "plain.a.com", "x.plain.a.com")] == [
        True, False, False, True,
    ]  # fmt: skip


def test_dnscrypt_proxy_reads_names_as_trees_and_ignores_other_syntaxes() -> None:
    proxy = DnscryptProxy("# c\nd.com\n=e.com\n*.f.com\n0.0.0.0 h.com\n||a.com^\ng.com # c\n")
    said = {n: proxy.blocked(n) for n in ("d.com", "x.d.com", "xd.com", "e.com", "x.e.com", "f.com", "h.com", "a.com")}
    assert [name for name, blocked in said.items() if blocked] == ["d.com", "x.d.com", "e.com", "f.com"]
    assert proxy.blocked("g.com")
