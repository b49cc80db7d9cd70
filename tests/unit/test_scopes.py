"""Client scopes: for whom a list is, where a list itself says so, and which scopes a policy may have."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import samples
import strategies
from aidns import pipeline
from aidns.blockset import compile_selection
from aidns.errors import DataError
from aidns.model import BlockSet, ClientScope, Rule
from aidns.names import Name
from aidns.render.base import client_networks

RULE = Rule(Name("a.lab"), "subtree", True, "policy", "test")
OWN = """\
schema = 1
title = "Own"
extends = "open"
"""


def blockset(scopes: tuple[ClientScope, ...], scope: str) -> BlockSet:
    compiled = compile_selection(strategies.selection((RULE,)), {})
    policy = msgspec.structs.replace(compiled.policy, scope=scopes)
    return msgspec.structs.replace(compiled, policy=policy, client_scope=scope)


def within(text: str, networks: tuple[str, ...]) -> bool:
    return any(ipaddress.ip_address(text) in ipaddress.ip_network(network) for network in networks)


def four(value: int, length: int) -> str:
    """A network of 0.0.0.0/28, so that drawn ones often lie in one another."""
    return str(ipaddress.ip_network((value >> (32 - length) << (32 - length), length)))


NETWORKS = st.builds(four, st.integers(0, 15), st.integers(28, 32))


@given(st.lists(NETWORKS, unique=True, max_size=8), st.data())
def test_each_client_is_in_the_scope_of_its_narrowest_network(networks: list[str], data: st.DataObject) -> None:
    names = data.draw(
        st.lists(st.sampled_from(("one", "two", "three")), min_size=len(networks), max_size=len(networks))
    )
    scopes = tuple(
        ClientScope(name=name, networks=tuple(n for n, of in zip(networks, names, strict=True) if of == name))
        for name in ("one", "two", "three")
    )
    said = {scope.name: client_networks(blockset(scopes, scope.name)) for scope in scopes}
    for client in (f"0.0.0.{number}" for number in range(16)):
        around = [n for n in networks if within(client, (n,))]
        narrowest = max(around, key=lambda n: ipaddress.ip_network(n).prefixlen, default="")
        expected = {names[networks.index(narrowest)]} if narrowest else set()
        assert {name for name, found in said.items() if within(client, found)} == expected


def test_networks_are_written_canonically() -> None:
    scopes = (ClientScope(name="one", networks=("10.1.0.0/255.255.0.0", "FD00:20::/32", "10.2.3.4/32")),)
    assert client_networks(blockset(scopes, "one")) == ("10.1.0.0/16", "fd00:20::/32", "10.2.3.4")
    assert client_networks(blockset(scopes, "")) == ()


@pytest.mark.parametrize("text", ["10.1.0.0/16|x", "fe80::1%eth0", "fe80::1%$important", "10.0.0.1/8", "desk"])
def test_what_is_no_network_reaches_no_list(text: str) -> None:
    with pytest.raises(DataError, match="scope one"):
        client_networks(blockset((ClientScope(name="one", networks=(text,)),), "one"))


def test_adguard_says_in_each_rule_for_whom_it_holds() -> None:
    desks, research = (samples.artefact("office", "adguard", scope=scope).text for scope in ("desks", "research"))
    rules = [line for line in desks.splitlines() if not line.startswith("!")]
    assert rules
    assert all(line.endswith(("$client=10.20.0.0/16", "$important,client=10.20.0.0/16")) for line in rules)
    assert "client=" not in research
    assert "give this scope networks" in research


def faults(folder: Path, scope: str) -> list[tuple[int | None, str, str]]:
    path = folder / "own.toml"
    path.write_text(OWN + scope, "utf-8")
    with pytest.raises(DataError) as caught:
        pipeline.find_policy(samples.catalog(), str(path))
    assert all(problem.tip for problem in caught.value.problems)
    return [(problem.line, problem.field, problem.message) for problem in caught.value.problems]


@pytest.mark.parametrize(
    "name", ["../x", "-", "-x", "x-", "a b", "a/b", "Ünter", "UPPER", "x.y", "a\\nb", "x" * 80 + "."]
)
def test_odd_names_of_scopes_are_refused(name: str, tmp_path: Path) -> None:
    found = faults(tmp_path, f'[[scope]]\nname = "{name}"\n')
    assert any((line, field) == (5, "scope[0].name") and "no name of a scope" in text for line, field, text in found)


def test_scopes_with_long_names_are_refused(tmp_path: Path) -> None:
    assert faults(tmp_path, f'[[scope]]\nname = "{"x" * 101}"\n') == [(5, "scope[0].name", "has 101 characters")]
    (tmp_path / "own.toml").write_text(f'{OWN}[[scope]]\nname = "{"x" * 100}"\n', "utf-8")
    assert pipeline.find_policy(samples.catalog(), str(tmp_path / "own.toml")).scope[0].name == "x" * 100


def test_a_network_belongs_to_one_scope(tmp_path: Path) -> None:
    scopes = (
        '[[scope]]\nname = "one"\nnetworks = ["10.1.0.0/16", "10.0.0.0/8"]\n'
        '[[scope]]\nname = "two"\nnetworks = ["10.1.0.0/255.255.0.0", "10.1.2.0/24"]\n'
    )
    assert faults(tmp_path, scopes) == [(9, "scope[1].networks", "10.1.0.0/16 is in scope 'one', too")]


def test_a_network_on_one_link_is_refused(tmp_path: Path) -> None:
    found = faults(tmp_path, '[[scope]]\nname = "one"\nnetworks = ["fe80::1%eth0"]\n')
    assert [(line, field) for line, field, _ in found] == [(6, "scope[0].networks")]
