"""Policies: what is selected, what is excepted, what is left out and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

import samples
from aidns import pipeline
from aidns.allowances import EXPIRY_NOTICE
from aidns.blockset import compile_selection, decide
from aidns.errors import DataError, UnsafeError, UsageError
from aidns.model import ActionChoice, BlockSet, Catalog, Policy, Select, Selection, Standing, Verdict
from aidns.names import Name
from aidns.policy import client_scopes, expand, is_expired, select
from samples import NOTHING, NOW, SOUND, TODAY, catalog

NXDOMAIN = ActionChoice(default="nxdomain")
ACME_API = {"api.acme.example", "eu-1-ai.acme-cloud.example", "us-1-ai.acme-cloud.example"}
ACME_EXCLUSIVE = {
    "acme.example", "api.acme.example", "eu-1-ai.acme-cloud.example", "us-1-ai.acme-cloud.example",
    "acme.platform.example", "_ai.acme-cloud.example", "blogspot.com",
}  # fmt: skip


def policy(**parts: Any) -> Policy:
    """A policy from the parts a file would hold."""
    return msgspec.convert({"schema": 1, "title": "Drawn", "id": "drawn", "action": NXDOMAIN, **parts}, Policy)


def including(*selectors: dict[str, Any], **parts: Any) -> Policy:
    return policy(select={"include": list(selectors), **parts.pop("select", {})}, **parts)


def chosen(of: Policy, scope: str = "", today: dt.date = TODAY, from_: Catalog | None = None) -> Selection:
    return select(from_ or catalog(), of, today, scope)


def blocked(selection: Selection) -> set[str]:
    return {rule.name for rule in selection.rules if rule.blocks}


def excepted(selection: Selection) -> set[str]:
    return {rule.name for rule in selection.rules if not rule.blocks}


def compiled(selection: Selection) -> BlockSet:
    return compile_selection(selection, {})


# ------------------------------------------------------------------ including


def test_including_takes_the_names_of_a_service_that_are_its_own() -> None:
    """Exclusive names and a tenant's; those that the vendor's other business shares only on request."""
    selection = chosen(including({"service": ["acme-chat"]}))
    assert blocked(selection) == ACME_EXCLUSIVE
    assert excepted(selection) == set()
    (left,) = selection.left_out
    assert left.what == "acme-group.example"
    assert "vendor" in left.why
    assert "the shop" in left.why


def test_scope_service_and_reason_go_with_each_rule() -> None:
    """A tenant stays exact; a rule knows its service."""
    rules = {rule.name: rule for rule in chosen(including({"service": ["acme-chat"]})).rules}
    assert rules["acme.platform.example"].scope == "exact"
    assert rules["acme.example"].scope == "subtree"
    assert {rule.origin for rule in rules.values()} == {"acme-chat"}
    assert rules["api.acme.example"].reason == "Acme Chat: api"
    assert all(rule.verdict_applies for rule in rules.values())


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ({"service": ["acme-chat"], "sharing": ["vendor"]}, {"acme-group.example"}),
        ({"service": ["acme-chat"], "sharing": ["tenant"]}, {"acme.platform.example"}),
        ({"service": ["acme-chat"], "role": ["api"]}, ACME_API),
        ({"service": ["acme-chat"], "role": ["web"], "confidence": ["normal"]}, {"acme.example"}),
        ({"service": ["acme-chat"], "confidence": ["low"]}, {"blogspot.com"}),
        ({"category": ["search"]}, {"beta.example", "login.beta.example"}),
        ({"category": ["search", "chat"], "provider": ["beta"]}, {"beta.example", "login.beta.example"}),
        ({"provider": ["acme", "beta"], "category": ["hub"]}, set()),
        ({"hosts_models_of": ["gamma"]}, {"gamma.example"}),
        ({"separable": ["partly"], "role": ["web"]}, {"acme.example"}),
        ({"registered_in": ["US"], "unknown": "skip"}, {"beta.example", "login.beta.example"}),
        ({"storage_in": ["US"], "unknown": "skip"}, {"beta.example", "login.beta.example"}),
        ({"trains_default": ["opt-out"], "unknown": "skip"}, ACME_EXCLUSIVE),
        ({"external_storage": ["yes"], "unknown": "skip"}, ACME_EXCLUSIVE),
        ({"external_storage": ["no"], "unknown": "skip"}, set()),
    ],
)  # fmt: skip
def test_conditions_all_hold_and_any_value_is_enough(selector: dict[str, Any], names: set[str]) -> None:
    """Within one condition any value is enough; all conditions must hold."""
    assert blocked(chosen(including(selector))) == names


def test_selectors_only_add() -> None:
    """The names of several selectors are the union of what each takes, whatever their order."""
    one, two = {"service": ["acme-chat"], "role": ["api"]}, {"service": ["acme-chat", "beta-search"], "role": ["web"]}
    both = blocked(chosen(including(one, two)))
    assert both == blocked(chosen(including(one))) | blocked(chosen(including(two)))
    assert both == blocked(chosen(including(two, one)))
    assert not {left.what for left in chosen(including(one, two)).left_out} & both


def test_a_name_that_is_not_selected_stays_covered_by_the_tree_above_it() -> None:
    """Not selecting the api excepts nothing: the apex above it is selected as a tree."""
    selection = chosen(including({"service": ["acme-chat"], "role": ["web"]}))
    assert "api.acme.example" not in blocked(selection)
    assert excepted(selection) == set()
    assert decide(compiled(selection).minimal, "api.acme.example")


# ------------------------------------------------------------------ families and countries


def test_a_family_reaches_parents_siblings_and_children_however_far() -> None:
    """acme ← acme-group → acme-labs: affiliation is followed both ways, `provider` alone is not."""
    labs = SOUND["services/gamma-hub.toml"].replace("gamma.example", "labs.example")
    whole = catalog({**SOUND, "services/labs-bot.toml": labs.replace('"gamma"\n', '"acme-labs"\n', 1)})
    assert "labs.example" in blocked(chosen(including({"provider_family": ["acme"]}), from_=whole))
    assert "labs.example" in blocked(chosen(including({"provider_family": ["acme-group"]}), from_=whole))
    assert "labs.example" not in blocked(chosen(including({"provider": ["acme"]}), from_=whole))
    assert "beta.example" not in blocked(chosen(including({"provider_family": ["acme"]}), from_=whole))


@pytest.mark.parametrize("fact", ["registered_in", "parent_in", "origin_in"])
def test_a_nexus_is_any_of_seat_parent_origin_and_storage(fact: str) -> None:
    """One fact of the four is enough; the first fact of a list is the one that counts."""
    text = SOUND["providers/beta.toml"]
    before = next(line for line in text.splitlines() if line.startswith(fact))
    files = {**SOUND, "providers/beta.toml": text.replace(before, before.replace('["US"]', '["FR"]'))}
    found = blocked(chosen(including({"nexus_in": ["FR"], "unknown": "skip"}), from_=catalog(files)))
    assert found == {"beta.example", "login.beta.example"}
    second = before.replace("]", '] }, { value = ["FR"], as_of = 2026-02-10, source = "https://a.example.net/"', 1)
    files = {**SOUND, "providers/beta.toml": text.replace(before, second)}
    assert blocked(chosen(including({"nexus_in": ["FR"], "unknown": "skip"}), from_=catalog(files))) == set()


def test_storage_makes_a_nexus() -> None:
    """Where data lies counts as well as who runs the service."""
    files = {**SOUND, "services/beta-search.toml": SOUND["services/beta-search.toml"].replace('["US"]', '["US", "FR"]')}
    found = blocked(chosen(including({"nexus_in": ["FR"], "unknown": "skip"}), from_=catalog(files)))
    assert found == {"beta.example", "login.beta.example"}


@pytest.mark.parametrize(
    ("unknown", "taken", "reported"),
    [
        ("match", True, "registered_in is unknown: blocked"),
        ("skip", False, ""),
        ("report", False, "registered_in is unknown: not blocked"),
    ],
)
def test_an_unknown_fact_does_what_the_selector_says(unknown: str, taken: bool, reported: str) -> None:
    """Match it, leave it out in silence, or leave it out and say so."""
    selection = chosen(including({"registered_in": ["FR"], "unknown": unknown}))
    assert ("gamma.example" in blocked(selection)) is taken
    assert [left.why for left in selection.unknown if left.what == "gamma-hub"] == [reported] * bool(reported)


def test_reporting_is_the_default_and_a_known_no_is_no_unknown() -> None:
    """A service that another condition excludes is not reported, whatever is unknown about it."""
    assert [left.what for left in chosen(including({"registered_in": ["FR"]})).unknown] == ["gamma-hub"]
    assert chosen(including({"registered_in": ["FR"], "category": ["search"]})).unknown == ()
    assert chosen(including({"registered_in": ["FR"], "origin_in": ["FR"], "provider": ["beta"]})).unknown == ()


# ------------------------------------------------------------------ excluding and allowing


def test_excluding_a_service_makes_exceptions_and_frees_what_it_needs() -> None:
    """Its names, and names that others own and it depends on."""
    selection = chosen(including({"category": ["chat", "search"]}, select={"exclude": [{"service": ["acme-chat"]}]}))
    assert {"acme.example", "acme-group.example", "login.beta.example", "acme.cdn.example.org"} <= excepted(selection)
    blockset = compiled(selection)
    assert not decide(blockset.minimal, "api.acme.example")
    assert not decide(blockset.minimal, "login.beta.example")
    assert decide(blockset.minimal, "beta.example")
    assert decide(blockset.minimal, "www.beta.example")


def test_what_nobody_blocks_is_never_written_as_an_exception() -> None:
    """A dependency outside our rules, a name that is not selected: nothing to except, so nothing is written."""
    selection = chosen(including({"category": ["chat", "search"]}, select={"exclude": [{"service": ["acme-chat"]}]}))
    blockset = compiled(selection)
    assert {name for name, answer in blockset.minimal.items() if not answer.self_blocked} == {"login.beta.example"}
    assert {"acme.cdn.example.org", "acme-group.example"} <= set(blockset.idle)


def test_excluding_by_role_frees_those_names_alone() -> None:
    """`role = ["api"]` makes no exception of the service's other names or of what it depends on."""
    chat = {"service": ["acme-chat", "beta-search"]}
    selection = chosen(including(chat, select={"exclude": [{"service": ["acme-chat"], "role": ["api"]}]}))
    assert excepted(selection) == {"api.acme.example", "eu-1-ai.acme-cloud.example", "us-1-ai.acme-cloud.example"}
    assert decide(compiled(selection).minimal, "acme.example")
    assert not decide(compiled(selection).minimal, "api.acme.example")


def test_an_exception_lets_a_service_and_what_it_needs_through() -> None:
    """With the reason, the approver and the last day on each rule."""
    entry = {"service": ["acme-chat"], "reason": "project", "approved_by": "CISO", "expires": dt.date(2027, 2, 28)}
    selection = chosen(including({"category": ["chat", "search"]}, exception=[entry]))
    assert {"acme.example", "login.beta.example", "acme.platform.example"} <= excepted(selection)
    for rule in selection.rules:
        if not rule.blocks:
            assert (rule.approved_by, rule.expires) == ("CISO", dt.date(2027, 2, 28))
            assert "project" in rule.reason
    needed = next(rule for rule in selection.rules if not rule.blocks and rule.name == "login.beta.example")
    assert needed.reason == "needed by Acme Chat: project"
    assert not decide(compiled(selection).minimal, "login.beta.example")


def test_a_dependency_that_is_listed_as_exact_is_excepted_exactly() -> None:
    """The owner's scope is kept, so that no tree of somebody else's opens."""
    selection = chosen(including({"service": ["acme-chat"]}, exception=[{"service": ["beta-search"], "reason": "r"}]))
    rule = next(rule for rule in selection.rules if not rule.blocks and rule.name == "acme.platform.example")
    assert rule.scope == "exact"
    assert not decide(compiled(selection).minimal, "acme.platform.example")


def test_inline_names_block_and_allow_whatever_the_catalogue_says() -> None:
    """An administrator's own names: no verdict removes them, the deepest decides, an exception wins at one owner."""
    own = policy(
        block=[{"name": "own.example", "reason": "r"}, {"name": "page.other.example", "reason": "r", "scope": "exact"},
               {"name": "deep.free.own.example", "reason": "r"}, {"name": "both.example", "reason": "r"}],
        allow=[{"name": "free.own.example", "reason": "r"}, {"name": "both.example", "reason": "r"}],
    )  # fmt: skip
    selection = chosen(own)
    assert all(not rule.verdict_applies for rule in selection.rules if rule.blocks)
    minimal = compiled(selection).minimal
    answers = {
        "own.example": True, "a.own.example": True, "free.own.example": False, "a.free.own.example": False,
        "deep.free.own.example": True, "a.deep.free.own.example": True, "page.other.example": True,
        "a.page.other.example": False, "both.example": False, "other.example": False,
    }  # fmt: skip
    assert {name: decide(minimal, name) for name in answers} == answers


def test_lookalikes_and_bypass_names_come_only_where_asked_for() -> None:
    """Look-alikes of selected services; bypass names exactly, for those policies that say so."""
    plain = chosen(including({"service": ["acme-chat"]}))
    assert not blocked(plain) & {"acme-free.example", "use-other-dns.example"}
    asked = chosen(including({"service": ["acme-chat"]}, select={"lookalikes": True}))
    assert blocked(asked) - blocked(plain) == {"acme-free.example"}
    assert chosen(including({"service": ["beta-search"]}, select={"lookalikes": True})).left_out == ()
    assert "acme-free.example" not in blocked(
        chosen(including({"service": ["beta-search"]}, select={"lookalikes": True}))
    )
    (rule,) = chosen(policy(select={"bypass": True})).rules
    assert (rule.name, rule.scope, rule.origin) == ("use-other-dns.example", "exact", "bypass:canary")


def test_a_selector_may_mean_the_lookalikes_alone() -> None:
    """Of a service that is itself allowed: its own names are left as they are."""
    selection = chosen(including({"service": ["acme-chat"], "only_lookalikes": True}))
    assert blocked(selection) == {"acme-free.example"}
    assert excepted(selection) == set()


def test_formats_that_list_names_know_every_official_one() -> None:
    """Services' names and the policy's own; no look-alike, no bypass name that was not asked for."""
    known = chosen(including({"service": ["gamma-hub"]}, block=[{"name": "own.example", "reason": "r"}])).known
    assert {"gamma.example", "beta.example", "own.example"} <= set(known)
    assert not {"acme-free.example", "use-other-dns.example"} & set(known)


# ------------------------------------------------------------------ time


@pytest.mark.parametrize(
    ("days", "holds", "announced"),
    [(-1, False, False), (0, True, True), (EXPIRY_NOTICE, True, True), (EXPIRY_NOTICE + 1, True, False)],
)
def test_an_exception_ends_after_its_last_day_and_says_so_before(days: int, holds: bool, announced: bool) -> None:
    """The last day counts; two weeks before it there is a warning; afterwards it is listed as ended."""
    last = TODAY + dt.timedelta(days=days)
    selection = chosen(
        including({"service": ["acme-chat"]}, exception=[{"service": ["acme-chat"], "reason": "r", "expires": last}],
                  allow=[{"name": "help.acme.example", "reason": "r", "expires": last}])
    )  # fmt: skip
    assert ("acme.example" in excepted(selection)) is holds
    assert ("help.acme.example" in excepted(selection)) is holds
    ended = {left.what: left.why for left in selection.left_out if "ended" in left.why}
    assert ended == ({} if holds else dict.fromkeys(("acme-chat", "help.acme.example"), f"exception ended on {last}"))
    assert sum(str(last) in warning for warning in selection.warnings) == (2 if announced else 0)


def test_a_policy_to_be_reviewed_only_warns() -> None:
    """Its lists go on: nothing breaks on a date."""
    late = chosen(including({"service": ["acme-chat"]}, review_by=TODAY - dt.timedelta(days=1)))
    assert late.warnings == (f"policy drawn was to be reviewed by {TODAY - dt.timedelta(days=1)}",)
    assert blocked(late) == ACME_EXCLUSIVE
    assert chosen(including({"service": ["acme-chat"]}, review_by=TODAY)).warnings == ()


def test_an_expired_policy_is_refused_not_weakened() -> None:
    """After its last day nothing is prepared from it."""
    own = including({"service": ["acme-chat"]}, expires=TODAY)
    assert not is_expired(own, TODAY)
    assert is_expired(own, TODAY + dt.timedelta(days=1))
    assert pipeline.prepare(catalog(), own, NOW, NOTHING).blockset.minimal
    with pytest.raises(UnsafeError, match="expired"):
        pipeline.prepare(catalog(), own, NOW + 86400, NOTHING)


# ------------------------------------------------------------------ client scopes


def test_an_exception_for_one_scope_leaves_the_others_alone() -> None:
    """The same blocks in each; the exception only where it was approved."""
    office = samples.policy("office")
    assert client_scopes(office) == ("desks", "research")
    desks, research = (chosen(office, scope) for scope in client_scopes(office))
    assert blocked(desks) == blocked(research)
    assert excepted(research) - excepted(desks) == {"beta.example", "login.beta.example", "acme.platform.example"}


def test_an_unknown_scope_is_told_with_those_that_exist() -> None:
    """No scope is guessed."""
    with pytest.raises(UsageError) as refusal:
        chosen(samples.policy("office"), "labs")
    assert "desks, research" in refusal.value.tip
    assert client_scopes(policy()) == ("",)


# ------------------------------------------------------------------ extending


BASE = including(
    {"service": ["acme-chat"]}, id="base", title="Base", summary="base", strength="ban", measures=["m1"],
    dns_cannot=["a"], scope=[{"name": "desks"}], review_by=dt.date(2027, 1, 1), expires=dt.date(2028, 1, 1),
    exception=[{"service": ["beta-search"], "reason": "r"}], block=[{"name": "a.example", "reason": "r"}],
)  # fmt: skip


def extended(**parts: Any) -> Policy:
    return expand(policy(extends="base", **parts), {"base": BASE})


def test_extending_adds_lists_and_replaces_values() -> None:
    """Selectors, measures, limits, exceptions and inline names add up; single values and scopes replace."""
    child = extended(
        title="Child", summary="child", measures=["m1", "m2"], dns_cannot=["b"], scope=[{"name": "labs"}],
        select={"include": [{"service": ["gamma-hub"]}], "exclude": [{"role": ["docs"]}], "lookalikes": True},
        block=[{"name": "b.example", "reason": "r"}], action={"default": "null"},
    )  # fmt: skip
    assert (child.id, child.title, child.summary, child.strength) == ("drawn", "Child", "child", "ban")
    assert child.measures == ("m1", "m2")
    assert child.dns_cannot == ("a", "b")
    assert [s.service for s in child.select.include] == [("acme-chat",), ("gamma-hub",)]
    assert [s.role for s in child.select.exclude] == [("docs",)]
    assert child.select.lookalikes
    assert [s.name for s in child.scope] == ["labs"]
    assert [b.name for b in child.block] == ["a.example", "b.example"]
    assert [e.service for e in child.exception] == [("beta-search",)]
    assert child.action == ActionChoice(default="null")
    assert child.review_by == BASE.review_by


def test_an_end_date_is_one_policys_own() -> None:
    """Neither a child's nor a parent's end date ends the other."""
    assert extended().expires is None
    assert extended(expires=TODAY).expires == TODAY


def test_what_is_not_said_again_stays_as_it_was() -> None:
    """Extending without a word more is the policy extended, under another name and title."""
    same = extended(title="Base")
    assert msgspec.structs.replace(same, id="base", extends="", expires=BASE.expires) == BASE


def test_expanding_again_changes_nothing() -> None:
    """An expanded policy can be expanded by whoever does not know that."""
    once = samples.policy("stricter")
    assert expand(once, catalog().policies) == once


def test_a_chain_of_policies_adds_up() -> None:
    """Child, parent, grandparent: the nearest word wins."""
    middle = policy(id="middle", extends="base", summary="middle", strength="restrict")
    whole = expand(policy(extends="middle", summary="own"), {"base": BASE, "middle": middle})
    assert (whole.summary, whole.strength, whole.measures) == ("own", "restrict", ("m1",))


def test_extending_what_does_not_exist_is_an_error_with_a_near_name() -> None:
    """A misspelt preset is told apart from none."""
    with pytest.raises(DataError) as refusal:
        expand(policy(extends="offfice"), catalog().policies)
    assert "offfice" in refusal.value.message
    assert "office" in refusal.value.tip


@pytest.mark.parametrize("links", [{"a": "a"}, {"a": "b", "b": "a"}, {"a": "b", "b": "c", "c": "b"}])
def test_a_circle_is_an_error_that_shows_it(links: dict[str, str]) -> None:
    """However long the circle, and wherever it is entered."""
    policies = {name: policy(id=name, extends=parent) for name, parent in links.items()}
    with pytest.raises(DataError, match="extends itself: a"):
        expand(policies["a"], policies)


# ------------------------------------------------------------------ reports


def test_wanted_but_nameless_providers_and_services_are_told() -> None:
    """A policy that names somebody for whom nothing is listed says so, by title."""
    selection = chosen(including({"provider_family": ["acme-labs"]}, {"service": ["old-bot"]}, {"provider": ["gamma"]}))
    assert selection.nameless == ("provider Acme Labs", "service Old Bot")
    assert chosen(including({"provider": ["acme"]})).nameless == ()


def test_every_name_of_a_matched_service_is_a_rule_or_left_out() -> None:
    """Nothing vanishes without a word, whatever the selector."""
    selectors: Iterable[dict[str, Any]] = (
        {"role": ["web"]}, {"sharing": ["vendor"]}, {"confidence": ["low"]}, {"role": ["api"], "sharing": ["tenant"]},
    )  # fmt: skip
    of_acme = {entry.name for entry in catalog().names if entry.service == "acme-chat" and not entry.lookalike}
    for selector in selectors:
        selection = chosen(including({"service": ["acme-chat"], **selector}))
        assert blocked(selection) | {left.what for left in selection.left_out} == of_acme
        assert all(left.why.startswith("acme-chat: ") for left in selection.left_out)


# ------------------------------------------------------------------ policies of one's own


OFFICE_AND = 'title = "x"\nextends = "office"\n[[exception]]\n'


def own_file(tmp_path: Path, text: str, name: str = "ours.toml") -> str:
    path = tmp_path / name
    path.write_text("schema = 1\n" + text, "utf-8")
    return str(path)


def test_an_own_policy_extends_a_preset_and_adds_names(tmp_path: Path) -> None:
    """A path instead of an id; it need not say what a preset must."""
    text = 'title = "Ours"\nextends = "open"\n[[block]]\nname = "bot.intranet.example"\nreason = "ours"\n'
    found = pipeline.find_policy(catalog(), own_file(tmp_path, text))
    assert (found.id, found.title) == ("ours", "Ours")
    minimal = pipeline.prepare(catalog(), found, NOW, NOTHING).blockset.minimal
    assert decide(minimal, "bot.intranet.example")
    assert decide(minimal, "acme.example")


@pytest.mark.parametrize(
    ("text", "rule", "field"),
    [
        ('title = "x"\nextends = "opne"\n', "policy-form", "extends"),
        (OFFICE_AND + 'service = ["acme"]\nreason = "r"\n', "reference", "exception[0].service"),
        (OFFICE_AND + 'service = ["acme-chat"]\nreason = "r"\nscopes = ["labs"]\n', "reference", "exception[0].scopes"),
        ('title = "x"\nextends = "open"\n[[block]]\nname = "com"\nreason = "r"\n', "policy-form", "block[0].name"),
        ('title = "a\\nb"\nextends = "open"\n', "text-clean", "title"),
        ('title = "x"\nextends = "guard"\n[action]\ndefault = "null"\n', "policy-form", "action"),
        ('title = "x"\n', "policy-form", "select"),
    ],
)  # fmt: skip
def test_an_own_policys_faults_are_all_told(text: str, rule: str, field: str, tmp_path: Path) -> None:
    """With rule and field, before anything is rendered from it."""
    with pytest.raises(DataError) as refusal:
        pipeline.find_policy(catalog(), own_file(tmp_path, text))
    assert (rule, field) in {(problem.rule, problem.field) for problem in refusal.value.problems}


def test_an_exceptions_scopes_may_be_those_of_the_policy_extended(tmp_path: Path) -> None:
    """`office` has the scope research; who extends it may except for that scope alone."""
    text = OFFICE_AND + 'service = ["acme-chat"]\nreason = "r"\nscopes = ["research"]\n'
    found = pipeline.find_policy(catalog(), own_file(tmp_path, text))
    assert "acme.example" in excepted(chosen(found, "research"))
    assert "acme.example" not in excepted(chosen(found, "desks"))


def test_an_own_policy_may_block_shared_names_after_a_warning(tmp_path: Path) -> None:
    """It is the administrator's network: told, not forbidden."""
    text = 'title = "x"\nextends = "open"\n[[block]]\nname = "example.org"\nreason = "r"\n'
    assert pipeline.find_policy(catalog(), own_file(tmp_path, text)).block[0].name == "example.org"


def test_a_reference_is_an_id_or_a_path(tmp_path: Path) -> None:
    """A misspelt id gets near ones; a file with a preset's name would replace its lists; a missing file is told."""
    with pytest.raises(UsageError) as refusal:
        pipeline.find_policy(catalog(), "offfice")
    assert "office" in refusal.value.tip
    with pytest.raises(UsageError, match="has the name of the shipped policy"):
        pipeline.find_policy(catalog(), own_file(tmp_path, 'title = "x"\nextends = "open"\n', "office.toml"))
    with pytest.raises(UsageError, match="there is no policy file"):
        pipeline.find_policy(catalog(), str(tmp_path / "nowhere.toml"))


# ------------------------------------------------------------------ an administrator's own word


def test_an_own_block_outlives_the_catalogues_rule_for_the_same_name() -> None:
    """A verdict takes the catalogue's rule out, never the administrator's, and exact-name lists keep the name."""
    own = including(
        {"service": ["acme-chat"]}, block=[{"name": "api.acme.example", "reason": "ours", "scope": "subtree"}]
    )
    name = Name("api.acme.example")
    gone = {name: Verdict(name, Standing.GONE, 1, "proved", removable=True)}
    blockset = compile_selection(chosen(own), gone)
    assert name in blockset.owners
    assert name in blockset.known
    assert name not in blockset.gone


def test_an_own_block_is_stronger_than_what_an_excepted_service_needs() -> None:
    """A dependency opens other services' names, not those that the policy itself blocks; either is told."""
    service = next(s for s in catalog().services.values() if s.dependencies)
    needed = service.dependencies[0].name
    own = including(
        {"service": ["acme-chat"]},
        exception=[{"service": [service.id], "reason": "bought"}],
        block=[{"name": needed, "reason": "ours"}],
    )
    selection = chosen(own)
    assert needed in blocked(selection)
    assert needed not in excepted(selection)
    assert any(needed in warning for warning in selection.warnings)


def test_a_child_policy_can_switch_off_what_its_base_switches_on() -> None:
    """Look-alikes, bypass and escalation are replaced where the child says so, and kept where it is silent."""
    base = Policy(schema=1, title="b", id="b", select=Select(lookalikes=True, bypass=True), escalate=True)
    silent = expand(Policy(schema=1, title="c", id="c", extends="b"), {"b": base})
    assert (silent.select.lookalikes, silent.select.bypass, silent.escalate) == (True, True, True)
    told = Policy(
        schema=1, title="c", id="c", extends="b", select=Select(lookalikes=False, bypass=False), escalate=False
    )
    off = expand(told, {"b": base})
    assert (off.select.lookalikes, off.select.bypass, off.escalate) == (False, False, False)


@pytest.mark.parametrize("scope", ["subtree", "exact"])
def test_nothing_can_be_said_about_the_names_of_canaries(scope: str) -> None:
    """A list that blocked its own canary would hold two answers for one name, and BIND would not load it."""
    clash = {"name": "drawn.aidns-canary.example", "reason": "r", "scope": scope}
    with pytest.raises(DataError, match="belongs to canaries"):
        compile_selection(chosen(including({"service": ["acme-chat"]}, block=[clash])), {})
