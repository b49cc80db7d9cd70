"""Declared losses are what the loaded formats cannot say, and nothing more."""

from __future__ import annotations

import pytest
from hypothesis import given

import strategies
from aidns.blockset import compile_selection, decide
from aidns.errors import UsageError
from aidns.model import BlockSet, Rule
from aidns.render.base import Inexpressible
from aidns.verify.limits import is_declared, limits
from tests.unit.verify_samples import blockset

TREE = ("bad.com", "subtree", True)


def declared(formats: tuple[str, ...], of: BlockSet, name: str, rdtype: str = "A") -> bool:
    return is_declared(limits(formats, of), name, rdtype, decide(of.owners, name))


def test_hosts_files_hold_addresses_of_known_names() -> None:
    of = blockset(TREE, known=("k.bad.com",))
    for name in ("bad.com", "www.bad.com", "k.bad.com"):
        assert not declared(("hosts",), of, name, "A")
        assert not declared(("hosts",), of, name, "AAAA")
        assert declared(("hosts",), of, name, "HTTPS")
    assert declared(("hosts",), of, "unknown.bad.com", "A")
    assert declared(("hosts",), of, "x.k.bad.com", "TXT")
    assert not declared(("hosts",), of, "xbad.com", "A")


def test_unbound_widens_exact_exceptions() -> None:
    of = blockset(TREE, ("ok.bad.com", "exact", False), ("in.ok.bad.com", "subtree", True))
    assert declared(("unbound",), of, "x.ok.bad.com")
    assert not declared(("unbound",), of, "ok.bad.com")
    assert not declared(("unbound",), of, "x.bad.com")
    assert not declared(("unbound",), of, "x.in.ok.bad.com")


def test_a_pihole_blocklist_alone_blocks_exceptions() -> None:
    of = blockset(TREE, ("ok.bad.com", "subtree", False), ("in.ok.bad.com", "subtree", True))
    assert declared(("pihole",), of, "ok.bad.com")
    assert declared(("pihole",), of, "x.ok.bad.com")
    assert not declared(("pihole",), of, "x.in.ok.bad.com")
    assert not declared(("pihole",), of, "bad.com")
    assert not declared(("pihole",), of, "xbad.com")


def test_with_its_allowlist_only_unknown_names_above_a_nested_block_are_lost() -> None:
    both = ("pihole", "pihole-allow")
    simple = blockset(TREE, ("ok.bad.com", "subtree", False))
    assert not declared(both, simple, "x.ok.bad.com")
    nested = blockset(
        TREE, ("ok.bad.com", "subtree", False), ("in.ok.bad.com", "subtree", True), known=("k.ok.bad.com",)
    )
    assert declared(both, nested, "x.ok.bad.com")
    assert not declared(both, nested, "ok.bad.com")
    assert not declared(both, nested, "k.ok.bad.com")


def test_an_unknown_format_and_one_that_cannot_hold_the_policy_are_refused() -> None:
    with pytest.raises(UsageError, match="no format 'nonsense'"):
        limits(("nonsense",), blockset(TREE))
    made = Rule(next(iter(blockset(TREE).owners)), "subtree", True, "policy", "test")
    refusing = compile_selection(strategies.selection((made,), strategies.policy(action="refuse", fallback=())), {})
    with pytest.raises(Inexpressible):
        limits(("hosts",), refusing)


@given(strategies.rules())
def test_a_complete_format_declares_nothing(rules: tuple[Rule, ...]) -> None:
    of = compile_selection(strategies.selection(rules), {})
    found = limits(("rpz",), of)
    assert not any(is_declared(found, n, "TXT", decide(of.owners, n)) for n in strategies.probes(of.owners))


@given(strategies.rules(exceptions=False, exact=False))
def test_plain_trees_are_whole_in_every_format_with_trees(rules: tuple[Rule, ...]) -> None:
    of = compile_selection(strategies.selection(rules), {})
    for format_id in ("unbound", "pihole"):
        found = limits((format_id,), of)
        assert not any(is_declared(found, n, "A", decide(of.owners, n)) for n in strategies.probes(of.owners))
