"""No policy blocks what everybody uses, and look-alikes are blocked where a policy asks for them alone."""

from __future__ import annotations

import datetime as dt

import pytest

from aidns import names
from aidns.blockset import compile_selection
from aidns.catalog.lint import lint
from aidns.catalog.load import load
from aidns.model import Catalog, Problem
from aidns.policy import client_scopes, expand, select
from samples import SOUND, TODAY, catalog, problems

SHIPPED = load()
OFFICE, STRICTER, SHARED = "policies/office.toml", "policies/stricter.toml", "shared.toml"
ALIAS = "edge.example.org"
"""To which the shared name of the samples leads."""


def changed(file: str, old: str, new: str) -> dict[str, str]:
    assert SOUND[file].count(old) == 1
    return {**SOUND, file: SOUND[file].replace(old, new)}


def blocked(policy_id: str, of: Catalog, today: dt.date = TODAY) -> set[str]:
    """Every owner that a policy blocks in any scope."""
    whole = expand(of.policies[policy_id], of.policies)
    return {
        name
        for scope in client_scopes(whole)
        for name, answer in compile_selection(select(of, whole, today, scope), {}).owners.items()
        if answer.self_blocked
    }


def found(files: dict[str, str]) -> list[tuple[str, str, str]]:
    return [(p.rule, p.file, p.field) for p in problems(files)]


# ------------------------------------------------------------------ shared infrastructure


@pytest.mark.parametrize("policy_id", SHIPPED.catalog.policies)
def test_no_shipped_policy_touches_shared_infrastructure(policy_id: str) -> None:
    """Counted here in another way than lint does: no blocked owner is a shared name, or lies above one."""
    owners = blocked(policy_id, SHIPPED.catalog)
    protected = {n for shared in SHIPPED.catalog.shared for n in (shared.name, *shared.cname_targets)}
    assert len(protected) > 300
    assert not owners & protected
    assert not [(n, above) for n in protected for above in names.ancestors(n) if above in owners]


def test_the_shipped_catalogue_passes_the_rule() -> None:
    """Together with all others."""
    assert [problem for problem in lint(SHIPPED) if problem.rule == "policy-collateral"] == []


def test_a_rule_at_or_above_an_alias_target_is_found_in_every_policy_that_has_it() -> None:
    """Servers that look into aliases would block the shared name with it."""
    everywhere = {
        ("policy-collateral", f"policies/{policy}.toml", "select") for policy in ("office", "stricter", "watch")
    }
    for target in ("beta.example", "cdn.login.beta.example"):
        assert set(found(changed(SHARED, ALIAS, target))) == everywhere
    assert found(changed(SHARED, ALIAS, "alpha.example")) == []


def test_an_exception_of_the_policy_is_part_of_the_proof() -> None:
    """What is cut out is not blocked; an exception that ends does not count, for lint knows no day."""
    other = changed(SHARED, ALIAS, "a.other.example")
    block = '[[block]]\nname = "other.example"\nreason = "all of it"\n'
    for allow, caught in (
        ("", True),
        ('[[allow]]\nname = "a.other.example"\nreason = "shared"\n', False),
        ('[[allow]]\nname = "a.other.example"\nreason = "shared"\nexpires = 2099-01-01\n', True),
    ):
        files = {**other, STRICTER: f"{SOUND[STRICTER]}\n{block}\n{allow}"}
        assert found(files) == ([("policy-collateral", STRICTER, "block[0]")] if caught else [])


def test_the_message_says_what_breaks() -> None:
    """And where, and through which alias."""
    (problem, *_) = problems(changed(SHARED, ALIAS, "beta.example"))
    assert isinstance(problem, Problem)
    assert problem.message == (
        "blocks shared infrastructure beta.example, to which aliases of cdn.example.org lead: it breaks many sites"
    )


def test_targets_of_aliases_are_names() -> None:
    """As the shared names themselves."""
    files = changed(SHARED, ALIAS, "*.example.org")
    assert found(files) == [("shared-name", SHARED, "shared[0].cname_targets[0]")]


# ------------------------------------------------------------------ look-alikes


def test_only_lookalikes_leaves_the_services_open() -> None:
    """The look-alikes of the services that the selector takes, nothing of the services themselves."""
    only = changed(STRICTER, 'lookalikes = true\ninclude = [{ service = ["beta-search"] }]', "{}")
    for condition, expected in (
        ("only_lookalikes = true", {"acme-free.example"}),
        ('service = ["acme-chat"], only_lookalikes = true', {"acme-free.example"}),
        ('service = ["beta-search"], only_lookalikes = true', set()),
    ):
        text = only[STRICTER].replace("{}", f"include = [{{ {condition} }}]").replace('extends = "open"\n', "")
        files = {**SOUND, STRICTER: text}
        assert problems(files) == ()
        assert blocked("stricter", catalog(files)) == expected


def test_own_names_and_look_alikes_of_one_policy_add_up() -> None:
    """Two selectors, one of each kind."""
    include = 'include = [{ service = ["beta-search"] }, { service = ["acme-chat"], only_lookalikes = true }]'
    text = SOUND["policies/guard.toml"].replace("bypass = true", include)
    made = catalog({**SOUND, "policies/guard.toml": text})
    assert blocked("guard", made) == {"beta.example", "login.beta.example", "acme-free.example"}
    whole = made.policies["guard"]
    assert select(made, whole, TODAY).nameless == ()


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('{ service = ["beta-search"] }', '{ only_lookalikes = true, role = ["web"] }', "include"),
        ('include = [{ service = ["beta-search"] }]', 'exclude = [{ only_lookalikes = true }]', "exclude"),
    ],
)  # fmt: skip
def test_only_lookalikes_goes_with_what_look_alikes_have(old: str, new: str, field: str) -> None:
    """They have no roles, and one is excepted by its name."""
    assert found(changed(STRICTER, old, new)) == [("policy-form", STRICTER, f"select.{field}[0].only_lookalikes")]


def test_look_alikes_are_off_unless_a_policy_says_otherwise() -> None:
    """One shipped policy is theirs alone; another has its own provider's."""
    shipped = SHIPPED.catalog
    theirs = {entry.name: entry.service for entry in shipped.names if entry.lookalike}
    assert len(theirs) > 20
    for policy_id in shipped.policies:
        taken = blocked(policy_id, shipped) & theirs.keys()
        if policy_id == "lookalikes":
            assert taken == blocked(policy_id, shipped) == set(theirs)
        elif policy_id == "deepseek-gov-devices":
            assert taken == {name for name, service in theirs.items() if service == "deepseek"}
        else:
            assert not taken, policy_id
