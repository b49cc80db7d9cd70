"""Lint: one planted defect at a time in a sound catalogue, found with file, line, field, rule and tip."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

import aidns.catalog
from aidns.catalog.lint import RULES, lint
from aidns.catalog.load import load
from aidns.model import Problem
from samples import SOUND, problems

ACME, BETA, GAMMA, OLD = (f"services/{name}.toml" for name in ("acme-chat", "beta-search", "gamma-hub", "old-bot"))
MEASURE = "measures/kr-samples-2026-01.toml"
OFFICE, OPEN, WATCH, GARDEN, NAMED, GUARD, STRICTER = (
    f"policies/{name}.toml" for name in ("office", "open", "watch", "garden", "garden-name", "guard", "stricter")
)
WHOLE_FILE = "the whole file"


class Plant(NamedTuple):
    """A defect: `old` becomes `new` in a file, and `rule` must be found at `field`, on the line where `at` begins.

    Without `at` that is the line where the change begins; with WHOLE_FILE it is none.
    """

    rule: str
    file: str
    old: str
    new: str
    field: str
    at: str = ""
    level: str = "error"

    def __str__(self) -> str:
        return f"{self.rule}-{self.file}-{self.field}".replace("\n", " ")

    def apply(self, files: Mapping[str, str] = SOUND) -> dict[str, str]:
        """Return the files with the defect in them."""
        text = files[self.file]
        assert text.count(self.old) == 1, f"{self.file} holds {text.count(self.old)} × {self.old!r}"
        return {**files, self.file: text.replace(self.old, self.new)}

    def line(self) -> int:
        """Return the line on which the defect must be found."""
        changed = self.apply()[self.file]
        if self.at == WHOLE_FILE:
            return 0
        if not self.at:
            return SOUND[self.file].partition(self.old)[0].count("\n") + 1
        assert changed.count(self.at) == 1, f"{self.file} holds {changed.count(self.at)} × {self.at!r}"
        return changed.partition(self.at)[0].count("\n") + 1


FANS = 'name = "acme-fans.example"\nreason = "not-generative-ai"\ndecided = 2026-03-01\nscope'
TWICE = 'schema = 1\n\n[[rejected]]\nname = "acme-fans.example"\nreason = "not-generative-ai"\ndecided = 2026-03-01\n'
ONLY = ', role = ["web"], only_lookalikes = true }]'
GROUP = '[[domains]]\nname = "acme-group'
BLOCK = '[[block]]\nname = "example.org"'
SINCE = "since = 2026-01-15"
UNKNOWN, KOREA = '[{ value = ["unknown"]', '[{ value = ["KR"]'
EVIDENCE = '{ kind = "press", url = "https://news.example.net/a", seen = 2026-02-10, says = "x" }'
SEEN = ', seen = 2026-02-10, says = "'
LAST = 'says = "the apex" }]\n'


def listed(name: str, rest: str = "") -> tuple[str, str, str]:
    """Another domain at the end of Gamma Hub: (file, old, new)."""
    more = f'\n[[domains]]\nname = "{name}"\nrole = "web"\n{rest}evidence = [\n  {EVIDENCE},\n  {EVIDENCE},\n]\n'
    return GAMMA, LAST, LAST + more


def without(key: str, file: str) -> tuple[str, str, str]:
    """A file without the line that begins with `key`: (file, old, new)."""
    (line,) = (line for line in SOUND[file].splitlines(keepends=True) if line.startswith(key))
    return file, line, ""


FORM = (
    Plant("toml-syntax", ACME, 'title = "Acme Chat"', 'title = "Acme Chat', ""),
    Plant("toml-syntax", "vocab.toml", "[role]", "[role", ""),
    Plant("type", ACME, 'status = "active"', 'status = "asleep"', "status"),
    Plant("type", ACME, 'provider = "acme"', "provider = 5", "provider"),
    Plant("type", *without("provider", BETA), "", WHOLE_FILE),
    Plant("type", ACME, 'scope = "subtree"', 'scop = "subtree"', "domains[0].scop"),
    Plant("type", ACME, 'scope = "subtree"', 'scope = "wide"', "domains[0].scope"),
    Plant("type", ACME, 'seen = "undated"', 'seen = "yesterday"', "domains[1].evidence[0].seen"),
    Plant("type", OFFICE, "expires = 2027-02-28", 'expires = "soon"', "exception[0].expires"),
    Plant("type", OFFICE, 'fallback = ["null", "refuse"]', 'falback = ["null"]', "action.falback"),
    Plant("type", "regions.toml", '["eu-1", "us-1"]', "[]", "acme-cloud.values"),
    Plant("type", "vocab.toml", 'chat = "Answers in conversation"', "chat = 5", "category", "[category]"),
    Plant("type", *without("decided", "waivers.toml"), "waiver[0]", "[[waiver]]"),
    Plant("name-form", ACME, 'name = "api.acme.example"', 'name = "API.acme.example"', "domains[1].name"),
    Plant("name-form", ACME, 'name = "login.beta.example"', 'name = "*.beta.example"', "dependencies[0].name"),
    Plant("name-form", "lookalikes/misc.toml", '"acme-free.example"', '"acme free.example"', "lookalikes[0].name"),
    Plant("name-form", "bypass/misc.toml", '"use-other-dns.example"', '"use-other-dns.example."', "bypass[0].name"),
    Plant("name-unique", *listed("api.acme.example"), "domains[1].name", 'name = "api'),
    Plant("name-unique", "bypass/misc.toml", '"use-other-dns.example"', '"gamma.example"', "bypass[0].name"),
    Plant("region-pattern", ACME, '"acme-cloud"', '"acme-clod"', "domains[2].name", 'name = "{region}'),
    Plant("region-pattern", *without("regions", ACME), "domains[2].name", 'name = "{region}'),
    Plant("region-pattern", ACME, '"{region}-ai.acme-cloud.example"', '"ai.acme-cloud.example"', "domains[2].name"),
    Plant("id-form", BETA, "schema = 1", 'schema = 1\nid = "beta"', "id", 'id = "beta"'),
)
FACTS = (
    Plant("text-clean", ACME, 'title = "Acme Chat"', r'title = "Acme\nChat"', "title"),
    Plant("text-clean", ACME, 'note = "owned by Beta"', "note = 'owned by \"Beta\"'", "dependencies[0].note"),
    Plant("text-clean", ACME, 'says = "a pattern"', 'says = "{{ a }}"', "domains[2].evidence[0].says"),
    Plant("text-clean", OFFICE, '"see a person"', '"see a $INCLUDE person"', "dns_cannot[1]"),
    Plant("text-clean", OFFICE, '"one page"', r'"one \u001b[31mpage"', "block[0].reason"),
    Plant("text-clean", MEASURE, "Ministry of", f"Ministry of {1000 * 'x'}", "who"),
    Plant("text-clean", "shared.toml", '"many sites"', r'"many \u202e sites"', "shared[0].breaks"),
    Plant("text-clean", "parking.toml", "a parking", r"a\rparking", "parking[0].what"),
    Plant("text-clean", "waivers.toml", "the list", r"the\nlist", "waiver[0].reason"),
    Plant("text-clean", "rejected/misc.toml", '"a fan club"', r'"a \\ club"', "rejected[0].note"),
    Plant("text-clean", "lookalikes/misc.toml", "asks for", r"asks\tfor", "lookalikes[0].note"),
    Plant("text-clean", "bypass/misc.toml", "a browser's", r"a\u2028browser's", "bypass[0].what"),
    Plant("text-clean", "catalog.toml", '"CC', r'"\nCC', "license"),
    Plant("text-clean", "regions.toml", 'says = "both"', 'says = "{% both %}"', "acme-cloud.evidence[0].says"),
    Plant("text-clean", "vocab.toml", '"Publishes models"', r'"Publishes\nmodels"', "category", "[category]"),
    Plant("vocab-word", ACME, 'categories = ["chat"]', 'categories = ["chatt"]', "categories"),
    Plant("vocab-word", ACME, 'role = "auth"', 'role = "aut"', "dependencies[0].role"),
    Plant("vocab-word", ACME, 'role = "telemetry"', 'role = "tellemetry"', "domains[4].role"),
    Plant("vocab-word", ACME, '["opt-out"]', '["perhaps"]', "data.trains_default[0]"),
    Plant("vocab-word", ACME, '["yes"]', '["sometimes"]', "data.external_storage[0]"),
    Plant("vocab-word", GAMMA, '"public-list"', '"hearsay"', "domains[0].evidence[0]"),
    Plant("vocab-word", "shared.toml", '"cdn"', '"cnd"', "shared[0].class"),
    Plant("vocab-word", "rejected/misc.toml", '"not-generative-ai"', '"not-ai"', "rejected[0].reason"),
    Plant("vocab-word", "bypass/misc.toml", '"canary"', '"canari"', "bypass[0].kind"),
    Plant("vocab-word", MEASURE, 'strength = "ban"\nstatus', 'strength = "bann"\nstatus', "strength"),
    Plant("vocab-word", MEASURE, 'strength = "ban"\nsource', 'strength = "bann"\nsource', "wording[0].strength"),
    Plant("vocab-word", MEASURE, '"in-force"', '"in force"', "status"),
    Plant("reference", "providers/acme.toml", '["acme-group"]', '["acme-grup"]', "affiliates"),
    Plant("reference", ACME, 'provider = "acme"', 'provider = "acmee"', "provider"),
    Plant("reference", ACME, 'hosts_models_of = ["acme"]', 'hosts_models_of = ["acne"]', "hosts_models_of"),
    Plant("reference", OLD, '"acme-chat"', '"acme-chatt"', "successor"),
    Plant("reference", *without("successor", OLD), "status", "status ="),
    Plant("reference", "lookalikes/misc.toml", '"acme-chat"', '"acme"', "lookalikes[0].imitates"),
    Plant("reference", MEASURE, '"service:acme-chat"', '"service:acme"', "target"),
    Plant("reference", MEASURE, '"category:chat"', '"category:chatt"', "target"),
    Plant("reference", MEASURE, '"nexus:KR"', '"country:KR"', "target"),
    Plant("reference", OFFICE, '["kr-samples-2026-01"]', '["kr-samples-2026"]', "measures"),
    Plant("reference", STRICTER, '"open"', '"opne"', "extends"),
    Plant("reference", OFFICE, '"gamma-hub"', '"gama-hub"', "select.include[1].service"),
    Plant("reference", OFFICE, '["docs"]', '["dogs"]', "select.exclude[0].role"),
    Plant("reference", OFFICE, 'separable = ["no"]', 'separable = ["none"]', "select.exclude[2].separable"),
    Plant("reference", OFFICE, 'service = ["beta-search"]\n', 'service = ["beta"]\n', "exception[0].service"),
    Plant("reference", OFFICE, '["research"]', '["reserch"]', "exception[0].scopes"),
    Plant("evidence", *without("evidence", "parking.toml"), "parking[0]", "[[parking]]"),
    Plant("evidence", "shared.toml", "https://lists", "ldap://lists", "shared[0].evidence[0].url"),
    Plant("evidence", "parking.toml", "lists.example.net", "10.1.2.3", "parking[0].evidence[0].url"),
    Plant("evidence", "bypass/misc.toml", "docs.browser.example", "wiki", "bypass[0].evidence[0].url"),
    Plant("evidence", "regions.toml", "https://docs", "https://u:p@docs", "acme-cloud.evidence[0].url"),
    Plant("evidence", ACME, '"https://www.acme.example/"', '"www.acme.example"', "homepage"),
    Plant("evidence", ACME, "news.example.net/group", "[news/group", "domains[5].evidence[0].url"),
    Plant("evidence", ACME, f'allow"{SEEN}sign-in"', f'al low"{SEEN}sign-in"', "dependencies[0].evidence[0].url"),
    Plant("confidence", ACME, 'the shop"\nconfidence = "low"', 'the shop"', "domains[5]", GROUP),
    Plant("public-suffix", *listed("co.uk"), "domains[1].name", 'name = "co.uk"'),
    Plant("public-suffix", *listed("amazonaws.com"), "domains[1].name", 'name = "amazonaws'),
    Plant("public-suffix", *without("covers_suffix", ACME), "domains[6].name", 'name = "blogspot'),
    Plant("public-suffix", ACME, 'note = "the apex"', 'covers_suffix = "why?"', "domains[0].covers_suffix"),
    Plant("public-suffix", "rejected/misc.toml", '"acme-fans.example"', '"co.uk"', "rejected[0].name"),
    Plant("public-suffix", "lookalikes/misc.toml", '"acme-free.example"', '"github.io"', "lookalikes[0].name"),
    Plant("shared-name", *listed("cdn.example.org"), "domains[1].name", 'name = "cdn'),
    Plant("shared-name", *listed("cdn.example.org", 'scope = "exact"\n'), "domains[1].name", 'name = "cdn'),
    Plant("shared-name", *listed("example.org"), "domains[1].name", 'name = "example.org'),
    Plant("shared-name", "shared.toml", '"cdn.example.org"', '"*.example.org"', "shared[0].name"),
    Plant("sharing-breaks", *without('breaks = "the shop"', ACME), "domains[5].sharing", 'sharing = "vendor"'),
    Plant("sharing-breaks", ACME, 'scope = "exact"\nsharing = "tenant"', 'sharing = "tenant"', "domains[3].sharing"),
    Plant("sourced-fact", *without("parent_in", "providers/gamma.toml"), "parent_in", WHOLE_FILE),
    Plant("sourced-fact", "providers/gamma.toml", f'parent_in = {UNKNOWN}', f'parent_in = {KOREA}', "parent_in[0]"),
    Plant("sourced-fact", ACME, '["KR"]', '["KR", "unknown"]', "data.storage[0]"),
    Plant("sourced-fact", ACME, '["KR"]', '["Korea"]', "data.storage[0]"),
    Plant("sourced-fact", BETA, '"https://beta.example/privacy"', '"the privacy page"', "data.storage[0]"),
    Plant("sourced-fact", MEASURE, '"KR"', '"UK"', "country"),
    Plant("separability", *without("separable_note", ACME), "separable", "separable ="),
    Plant("separability", OLD, '"renamed"', '"active"', "domains", WHOLE_FILE),
    Plant("rejected-apart", "rejected/misc.toml", '"acme-fans.example"', '"acme.example"', "rejected[0].name"),
    Plant("rejected-apart", "rejected/misc.toml", '"acme-fans.example"', '"acme-cloud.example"', "rejected[0].name"),
    Plant("rejected-apart", "rejected/misc.toml", '"acme-fans.example"', '"acme fans.example"', "rejected[0].name"),
    Plant("rejected-apart", "rejected/misc.toml", "schema = 1\n", TWICE, "rejected[1].name", FANS),
    Plant("lookalike-apart", "lookalikes/misc.toml", '"acme-free.', '"free.acme.', "lookalikes[0].name"),
    Plant("measure-form", MEASURE, "seed:001_0", "seed:1", "citations[1]", '[[citations]]\nsource = "seed'),
    Plant("measure-form", MEASURE, '/ban"\nas_of', '/ ban"\nas_of', "wording[0]", "[[wording]]"),
    Plant("measure-form", MEASURE, "until = 2027-01-15", "until = 2025-01-15", "until"),
    Plant("measure-form", MEASURE, f'in-force"\n{SINCE}\nuntil = 2027-01-15', f'lifted"\n{SINCE}', "status"),
    Plant("parking-form", "parking.toml", '"parked.example.org"', '"*.example.org"', "parking[0].value"),
    Plant("parking-form", "parking.toml", '"ns"', '"address"', "parking[0].value", "value ="),
    Plant("policy-form", GARDEN, '[{ service = ["acme-chat"] }]', "[]", "select", "[select]"),
    Plant("policy-form", OPEN, '{ service = ["acme-chat"] }', '{ unknown = "match" }', "select.include[0]"),
    Plant("policy-form", OPEN, "}]", ONLY, "select.include[0].only_lookalikes"),
    Plant("policy-form", OFFICE, 'nexus_in = ["FR"]', 'nexus_in = ["XX"]', "select.exclude[1].nexus_in"),
    Plant("policy-form", GUARD, '[action]\ndefault = "nxdomain"\n', "", "action", WHOLE_FILE),
    Plant("policy-form", GUARD, '"nxdomain"', '"nxdomian"', "action", "[action]"),
    Plant("policy-form", GUARD, '"nxdomain"', '"null"', "action", "[action]"),
    Plant("policy-form", WATCH, '"log-only"', '"log-only"\nfallback = ["null"]', "action.fallback", "fallback"),
    Plant("policy-form", WATCH, '"log-only"', '"nxdomain"', "action.default"),
    Plant("policy-form", *without("walled_garden", NAMED), "action.walled_garden", "[action]"),
    Plant("policy-form", NAMED, "{ cname", '{ a = "192.0.2.1", cname', "action.walled_garden"),
    Plant("policy-form", NAMED, '"blocked.office.example"', '"blocked"', "action.walled_garden.cname"),
    Plant("policy-form", GARDEN, '"192.0.2.10"', '"2001:db8::1"', "action.walled_garden.a"),
    Plant("policy-form", GARDEN, '"2001:db8::10"', '"192.0.2.10"', "action.walled_garden.aaaa"),
    Plant("policy-form", GARDEN, '"2001:db8::10"', '"fe80::1%eth0"', "action.walled_garden.aaaa"),
    Plant("policy-form", OPEN, 'strength = "ban"', 'strength = "bann"', "strength"),
    Plant("policy-form", OFFICE, 'name = "desks"', 'name = "Desks"', "scope[0].name"),
    Plant("policy-form", OFFICE, 'name = "desks"', 'name = "../desks"', "scope[0].name"),
    Plant("policy-form", OFFICE, 'name = "research"', 'name = "desks"', "scope[1].name"),
    Plant("policy-form", OFFICE, '"10.20.0.0/16"', '"10.20.0.1/16"', "scope[0].networks"),
    Plant("policy-form", OPEN, "review_by = 2027-03-01", "review_by = 2025-03-01", "review_by"),
    Plant("policy-form", *without("review_by", OPEN), "review_by", WHOLE_FILE),
    Plant("policy-form", *without("summary", OPEN), "summary", WHOLE_FILE),
    Plant("policy-form", OPEN, "since =", "expires = 2027-01-01\nsince =", "expires"),
    Plant("policy-form", OFFICE, '"exact.other.example"', '"*.other.example"', "block[0].name"),
    Plant("policy-form", OFFICE, '"below.help.acme.example"', '"co.uk"', "block[1].name"),
    Plant("policy-form", OFFICE, '"elsewhere.example"', '"else where"', "allow[2].name"),
    Plant("policy-collateral", OFFICE, '"below.help.acme.example"', '"example.org"', "block[1]", BLOCK),
    Plant("waiver-needed", "waivers.toml", '"confidence"', '"evidence"', "waiver[0]", "[[waiver]]"),
)  # fmt: skip
SPEAKS_OF_OTHERS = ("reference", "vocab-word", "waiver-needed", "confidence")
"""Rules that a defect elsewhere can break: what is named is gone, what is waived is gone, or the waiver is."""
PLANTS = (*FORM, *FACTS)


def test_the_sample_is_sound() -> None:
    """Without a defect nothing is found: what the other tests find, they planted."""
    assert problems() == ()


@pytest.mark.parametrize("plant", PLANTS, ids=str)
def test_a_planted_defect_is_found(plant: Plant) -> None:
    """Rule, file, line, field, level, and a tip that helps."""
    found = [p for p in problems(plant.apply()) if (p.rule, p.field) == (plant.rule, plant.field)]
    assert found, [str(problem) for problem in problems(plant.apply())]
    problem = found[0]
    assert (problem.file, problem.line, problem.level) == (plant.file, plant.line(), plant.level)
    assert problem.message
    assert problem.tip


@pytest.mark.parametrize("plant", FACTS, ids=str)
def test_a_planted_defect_is_found_alone(plant: Plant) -> None:
    """One wrong fact is no reason to find fault with others: every problem lies in that entry or speaks of it."""
    names = {plant.field.partition(".")[0].partition("[")[0], "waiver", "exception"}
    for problem in problems(plant.apply()):
        assert problem.file == plant.file or problem.rule in SPEAKS_OF_OTHERS, str(problem)
        assert problem.file != plant.file or problem.field.partition(".")[0].partition("[")[0] in names, str(problem)


def rules_of_form() -> set[str]:
    """The rules that loading names in its code."""
    found = set()
    for file in Path(aidns.catalog.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if called in ("problem", "Problem"):
                    found.add(node.args[0].value)
    return found


def test_every_rule_has_a_planted_defect() -> None:
    """A rule that nothing proves is no rule. Files that are too many or cannot be read have tests of their own."""
    planted = {plant.rule for plant in PLANTS}
    assert rules_of_form() - planted == {"unknown-file", "missing-file", "unreadable-file"}
    assert RULES.keys() <= planted
    assert planted <= {*rules_of_form(), *RULES, "waiver-needed"}


def test_several_defects_are_all_found() -> None:
    """Never only the first: a dozen at once, in many files, each with its place."""
    chosen = [p for p in PLANTS if p.rule not in ("toml-syntax", "type")][::9]
    files, planted = dict(SOUND), []
    for plant in chosen:
        if files[plant.file].count(plant.old) == 1:
            files = plant.apply(files)
            planted.append((plant.file, plant.rule))
    assert len(planted) > 8
    found = [(p.file, p.rule) for p in problems(files)]
    assert [one for one in planted if one not in found] == []
    assert len({file for file, _ in planted}) > 4


def test_one_broken_file_hides_no_fault_of_another() -> None:
    """A syntax error costs its own file, not the judgement of the rest."""
    files = {**SOUND, BETA: "title = \n", GAMMA: SOUND[GAMMA].replace('"web"', '"wep"')}
    found = {(p.file, p.rule) for p in problems(files)}
    assert {(BETA, "toml-syntax"), (GAMMA, "vocab-word")} <= found


def test_problems_come_in_the_order_of_files_and_lines() -> None:
    """Sorted, each once, whatever order rules run in."""
    files = dict(SOUND)
    for plant in PLANTS[30:60:4]:
        if files[plant.file].count(plant.old) == 1:
            files = plant.apply(files)
    found = problems(files)
    assert len(found) > 5
    assert list(found) == sorted(set(found), key=lambda p: (p.file, p.line, p.field, p.rule, p.message))


@pytest.mark.parametrize(
    "path", ["services/Acme Chat.toml", "services/acme_chat.toml", "services/-a.toml", f"policies/{64 * 'a'}.toml"]
)
def test_a_file_name_that_is_no_id(path: str) -> None:
    """Kebab case, and short enough for a label of a canary."""
    assert [p.rule for p in problems({**SOUND, path: SOUND[GAMMA]}) if p.file == path] == ["id-form"]


@pytest.mark.parametrize("path", ["servises/acme.toml", "acme.toml", "servises.toml", "schema/policy.toml"])
def test_a_file_that_belongs_nowhere(path: str) -> None:
    """A misspelt folder must not be a service that nobody misses."""
    found = problems({**SOUND, path: "schema = 1\n"})
    assert [(p.rule, p.file, p.line) for p in found] == [("unknown-file", path, 0)]
    assert "services" in found[0].tip


def test_a_catalogue_without_its_own_description() -> None:
    """catalog.toml is what every published file cites."""
    found = problems({path: text for path, text in SOUND.items() if path != "catalog.toml"})
    assert [(p.rule, p.file, p.line, bool(p.tip)) for p in found] == [("missing-file", "catalog.toml", 0, True)]


@pytest.mark.parametrize(
    ("data", "why"), [(b'title = "\xff"', "not UTF-8 at octet 9"), (b"#" * (1 << 20) + b"\n", "octets"), (None, "read")]
)
def test_a_file_that_cannot_be_read(data: bytes | None, why: str, tmp_path: Path) -> None:
    """Wrong encoding, too large, a link to nowhere: a problem of that file, and the others are read."""
    file = tmp_path / "services" / "broken.toml"
    file.parent.mkdir()
    if data is None:
        file.symlink_to(tmp_path / "nowhere")
    else:
        file.write_bytes(data)
    (tmp_path / "catalog.toml").write_text(SOUND["catalog.toml"], "utf-8")
    loaded = load([tmp_path])
    assert [(p.rule, p.file, bool(p.tip)) for p in loaded.problems] == [("unreadable-file", str(file), True)]
    assert why in loaded.problems[0].message
    assert loaded.catalog.info.title == "Sample catalogue"


def test_the_shipped_catalogue_is_sound() -> None:
    """What is shipped has no error."""
    assert [str(p) for p in lint(load()) if p.level == "error"] == []


def test_a_waiver_permits_exactly_one_thing() -> None:
    """Without it the rule speaks; the same fault elsewhere is not permitted; one that permits nothing is a fault."""
    bare = {path: text for path, text in SOUND.items() if path != "waivers.toml"}
    assert [(p.rule, p.file, p.field) for p in problems(bare)] == [("confidence", GAMMA, "domains[0]")]
    moved = {**SOUND, "waivers.toml": SOUND["waivers.toml"].replace("domains[0]", "domains[1]")}
    assert {(p.rule, p.file) for p in problems(moved)} == {("confidence", GAMMA), ("waiver-needed", "waivers.toml")}
    twice = {**SOUND, "waivers.toml": SOUND["waivers.toml"] + SOUND["waivers.toml"].removeprefix("schema = 1\n")}
    assert [(p.rule, p.field) for p in problems(twice)] == [("waiver-needed", "waiver[1]")]


def test_a_region_that_is_no_label_is_found_where_it_makes_a_name() -> None:
    """Each pattern that uses the table is told, with the name that came out."""
    found = problems({**SOUND, "regions.toml": SOUND["regions.toml"].replace('"us-1"', '"us 1"')})
    assert [(p.rule, p.file, p.field) for p in found] == [("name-form", ACME, "domains[2].name")]
    assert "us 1-ai.acme-cloud.example" in found[0].message


def test_no_waiver_reaches_a_fault_of_form() -> None:
    """A name that is no name stays an error, whatever a waiver says."""
    files = {**SOUND, GAMMA: SOUND[GAMMA].replace('"gamma.example"', '"Gamma.example"')}
    files["waivers.toml"] += '\n[[waiver]]\nrule = "name-form"\nfile = "services/gamma-hub.toml"\n'
    files["waivers.toml"] += 'field = "domains[0].name"\nreason = "x"\ndecided = 2026-03-01\n'
    assert {"name-form", "waiver-needed"} <= {p.rule for p in problems(files)}


def test_a_problem_is_one_printable_line() -> None:
    """File, line, level, rule, field, message, tip; nothing in them reaches a terminal as a control."""
    problem = Problem("reference", "a\nb.toml", 3, "x\x1b[2J", "there is\rno\u202eway", "look?")
    assert str(problem) == "a b.toml:3: error [reference] x [2J: there is no way. Tip: look?"
    assert str(Problem("x", "a.toml", 0, "", "gone", "stay", "warning")) == "a.toml: warning [x] gone. Tip: stay."
