"""Rendering: what every format keeps, whatever it looks like."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import samples
import strategies as draw
from aidns import names, pipeline
from aidns.blockset import compile_selection
from aidns.errors import DataError, UnsafeError
from aidns.model import BlockSet, Garden, Rule, Standing, Verdict
from aidns.names import Name
from aidns.render.artefact import render
from aidns.render.base import Action, Inexpressible, Row, check_rows, sound
from aidns.render.formats import FORMATS, find_all
from aidns.render.header import iso
from golden_files import CASES, refusal_of, text_of
from samples import NOTHING, NOW, SOUND, catalog, content, prepared

EXPRESSIBLE = [case for case in CASES if not refusal_of(*case)]


def drawn(*rules: Rule, action: str = "nxdomain", fallback: tuple[str, ...] = ("null",)) -> BlockSet:
    return compile_selection(draw.selection(rules, draw.policy(action=action, fallback=fallback)), {})


def block(name: str, scope: str = "subtree") -> Rule:
    return Rule(Name(name), scope, True, "policy", "drawn")  # type: ignore[arg-type]


def text(blockset: BlockSet, fmt: str, **more: object) -> str:
    return render(FORMATS[fmt], blockset, catalog(), {}, lambda _digest: (7, NOW), **more).text  # type: ignore[arg-type]


def header(policy: str, fmt: str, memory: pipeline.Memory = NOTHING, scope: str | None = None) -> dict[str, str]:
    """The header's lines as key and value; of a key with several lines, the last."""
    made = prepared(policy, scope=scope, memory=memory)
    found = pipeline.artefact(catalog(), made, FORMATS[fmt], memory, lambda _digest: (7, NOW)).text
    mark = f"{FORMATS[fmt].comment} "
    lines = (line.removeprefix(mark) for line in found.splitlines() if line.startswith(mark))
    return dict(line.split(": ", 1) for line in lines)


# ------------------------------------------------------------------ header


def test_the_header_says_what_it_is_and_from_whom() -> None:
    """Title, description, origin, licence, times, policy, counts."""
    head = header("office", "unbound")
    assert head["Title"] == "Office: no Acme, no Gamma (unbound local-zone)"
    assert head["Description"] == "For offices that take Acme Chat off their PCs."
    assert head["Homepage"] == "https://lists.example.net/"
    assert head["Issues"] == "https://lists.example.net/issues"
    assert head["License"] == "CC BY 4.0"
    assert head["Last modified"] == "2026-11-22T12:00:00Z"
    assert head["Version"] == "7"
    assert head["Policy"] == "office; strength ban; action nxdomain"
    assert head["Review by"] == "2027-03-01"
    assert head["Measures"] == "kr-samples-2026-01"
    assert head["DNS cannot"] == "see a person"
    assert "every type except DS" in head["Syntax"]


def test_the_header_counts_what_the_file_holds() -> None:
    """Services, names and lines of this file, not of the policy; an inline name belongs to no service."""
    for policy, fmt in EXPRESSIBLE:
        if fmt in ("csv", "json"):
            continue
        made = samples.artefact(policy, fmt)
        lines = [line for line in made.text.splitlines() if not line.startswith(FORMATS[fmt].comment)]
        assert header(policy, fmt)["Counts"] == f"{made.services} services, {made.names} names, {made.lines} lines"
        assert made.lines == len(lines)
        assert made.services <= 3
    assert samples.artefact("office", "pihole-allow").services == 0


def test_the_header_says_where_the_file_is_to_be_loaded() -> None:
    """The scope and its tags; a scope without tags goes by its name; a policy without scopes says nothing."""
    assert header("office", "rpz")["Scope"] == "desks; load only for clients tagged office, desk or in 10.20.0.0/16"
    assert header("office", "rpz", scope="research")["Scope"] == "research; load only for clients tagged lab"
    assert "Scope" not in header("open", "rpz")


def test_the_header_names_the_canary() -> None:
    """By which one sees that the list is loaded; a list of exceptions says what its own is for."""
    name = "open.aidns-canary.example"
    assert header("open", "rpz")["Canary"] == f"{name} answers 0.0.0.0 and :: where this file is loaded"
    assert header("open", "pihole-allow")["Canary"].startswith(f"allow.{name} is there")
    assert "Canary" not in header("open", "rpz-allow")
    assert "every policy zone loaded after" in header("open", "rpz-allow")["Bypasses"]


def test_the_header_tells_what_is_not_known() -> None:
    """Names nobody checked, names that are gone, facts nobody found, providers without names."""
    assert header("open", "rpz")["Liveness"].startswith("unknown for 7 of 7 names")
    verdicts = {
        entry.name: Verdict(entry.name, Standing.LIVE, 1, "answered") for entry in catalog().names if not entry.bypass
    }
    assert "Liveness" not in header("open", "rpz", pipeline.Memory(verdicts, NOW))
    gone = Name("api.acme.example")
    verdicts[gone] = Verdict(gone, Standing.GONE, 1, "proved", removable=True)
    assert header("open", "rpz", pipeline.Memory(verdicts, NOW))["Liveness"] == f"left out as gone: {gone}"
    files = dict(SOUND)
    files["policies/open.toml"] = files["policies/open.toml"].replace(
        'include = [{ service = ["acme-chat"] }]',
        'include = [{ service = ["acme-chat", "old-bot"] }, { registered_in = ["FR"] }]',
    )
    found = samples.artefact("open", "rpz", catalog(files)).text
    assert "; Wanted, but no names known: service Old Bot\n" in found
    assert "; Unknown facts: registered_in is unknown: not blocked (gamma-hub)\n" in found


@pytest.mark.parametrize(("policy", "fmt"), [case for case in EXPRESSIBLE if case[1] not in ("csv", "json")])
def test_the_header_tells_each_loss(policy: str, fmt: str) -> None:
    """What the format cannot keep whole is in the file itself, with how many names it concerns."""
    made = samples.artefact(policy, fmt)
    for loss in made.weakened:
        assert f"Cannot express: {loss.what} ({loss.direction}), {loss.count} name(s): " in made.text
    assert made.text.count("Cannot express: ") == len(made.weakened)


def test_a_header_line_is_ascii_and_of_bounded_length() -> None:
    """Whatever language a policy is written in, and however long its title."""
    files = dict(SOUND)
    files["policies/open.toml"] = files["policies/open.toml"].replace("Open: Acme", "Büro " + "ü" * 900)
    found = samples.artefact("open", "hosts", catalog(files)).text
    assert found.isascii()
    assert max(map(len, found.splitlines())) <= 402
    assert found.startswith("# Title: B?ro ?")


def test_times_are_utc_in_iso_8601() -> None:
    """Second by second, with the letter for UTC."""
    assert iso(0) == "1970-01-01T00:00:00Z"
    assert iso(NOW) == "2026-11-22T12:00:00Z"


# ------------------------------------------------------------------ digest, order, bytes


@pytest.mark.parametrize("fmt", FORMATS)
def test_the_digest_is_of_the_rules_alone(fmt: str) -> None:
    """Another title, serial or time leaves it; another rule moves it."""
    policy = "open" if not refusal_of("open", fmt) else "office"
    if refusal_of(policy, fmt):
        pytest.skip("refuses both")
    base = prepared(policy).blockset

    def made(blockset: BlockSet, serial: int, at: int) -> tuple[str, str]:
        found = render(FORMATS[fmt], blockset, catalog(), {}, lambda _digest: (serial, at))
        return found.digest, found.text

    said = msgspec.structs.replace(base.policy, title="Another", summary="another", dns_cannot=("x",))
    other = msgspec.structs.replace(base, policy=said)
    digest, text = made(base, 7, NOW)
    assert made(other, 8, NOW + 1)[0] == digest
    assert fmt == "csv" or made(other, 8, NOW + 1)[1] != text
    let_through = Rule(Name("more.acme.example"), "subtree", False, "policy", "r")
    extra = (*base.selection.rules, block("more.example"), let_through)
    more = compile_selection(msgspec.structs.replace(base.selection, rules=extra), {})
    assert made(more, 7, NOW)[0] != digest


def test_the_version_is_asked_with_the_digest() -> None:
    """So that a serial can stay where it was while nothing changes."""
    seen: list[str] = []

    def version(digest: str) -> tuple[int, int]:
        seen.append(digest)
        return 42, NOW

    made = render(FORMATS["rpz"], prepared("open").blockset, catalog(), {}, version)
    assert seen == [made.digest]
    assert made.serial == 42
    assert "@ SOA localhost. aidns.invalid. 42 " in made.text


@given(draw.rules(), st.randoms(use_true_random=False), st.sampled_from(sorted(FORMATS)))
def test_the_order_of_rules_leaves_every_byte_as_it_is(rules: tuple[Rule, ...], rng: object, fmt: str) -> None:
    """Whatever order a selection comes in: same input, same bytes."""
    shuffled = list(rules)
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    action = FORMATS[fmt].actions[:1] or ("nxdomain",)
    one, two = drawn(*rules, action=action[0], fallback=()), drawn(*shuffled, action=action[0], fallback=())
    try:
        first = text(one, fmt)
    except UnsafeError as refusal:
        with pytest.raises(UnsafeError) as other:
            text(two, fmt)
        assert refusal.message == other.value.message
        return
    assert first == text(two, fmt)


PRINT_DIGESTS = """
import hashlib
from golden_files import CASES, refusal_of, text_of
print(hashlib.sha256("".join(text_of(*case) for case in CASES if not refusal_of(*case)).encode()).hexdigest())
"""


def test_the_seed_of_hashes_leaves_every_byte_as_it_is() -> None:
    """Two interpreters with different seeds, and the order of sets with them, write the same bytes."""
    expected = hashlib.sha256("".join(text_of(*case) for case in EXPRESSIBLE).encode()).hexdigest()
    here = Path(samples.__file__).parent
    running = [
        subprocess.Popen(
            [sys.executable, "-c", PRINT_DIGESTS],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": f"{here}{os.pathsep}{here.parent}"},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("1", "2")
    ]
    assert [process.communicate()[0].strip() for process in running] == [expected, expected]


def test_files_in_another_order_make_the_same_bytes() -> None:
    """A disk lists files as it likes."""
    other = samples.loaded(dict(sorted(SOUND.items(), reverse=True))).catalog
    for policy, fmt in EXPRESSIBLE:
        assert samples.artefact(policy, fmt, other).text == text_of(policy, fmt)


# ------------------------------------------------------------------ refusals


def test_no_list_is_written_empty() -> None:
    """An empty list would end all protection without a word; a list of exceptions may hold its canary alone."""
    nothing = drawn(Rule(Name("a.example"), "subtree", False, "policy", "drawn"))
    for fmt in FORMATS.values():
        if fmt.allows:
            assert fmt.id == "rpz-allow" or f"allow.{nothing.canary}" in text(nothing, fmt.id)
        elif not fmt.actions or "nxdomain" in fmt.actions:
            with pytest.raises(UnsafeError, match="blocks nothing"):
                text(nothing, fmt.id)


@pytest.mark.parametrize("fmt", [fmt.id for fmt in FORMATS.values() if "log-only" not in fmt.actions])
def test_logging_never_turns_into_blocking(fmt: str) -> None:
    """Refused, with a format that can; even where a fallback that blocks were forced into the policy."""
    for fallback in ((), ("null",)):
        with pytest.raises(Inexpressible, match="cannot log") as refusal:
            text(drawn(block("a.example"), action="log-only", fallback=fallback), fmt)
        assert "unbound" in refusal.value.tip


@pytest.mark.parametrize("fmt", FORMATS)
def test_the_first_action_that_a_format_knows_is_taken(fmt: str) -> None:
    """The default, else the fallbacks in their order, else a refusal that says which it knows."""
    known = FORMATS[fmt].actions
    if not known:
        assert samples.artefact("open", fmt).action == "server-defined"
        return
    with pytest.raises(Inexpressible) as refusal:
        text(drawn(block("a.example"), action="no-such-action", fallback=()), fmt)
    assert refusal.value.exit_code == 3
    assert known[0] in refusal.value.tip
    blocking = [action for action in known if action not in ("walled-garden", "log-only")]
    made = render(
        FORMATS[fmt], drawn(block("a.example"), action="no-such-action", fallback=(*blocking[-1:], *blocking)),
        catalog(), {}, lambda _digest: (7, NOW),
    )  # fmt: skip
    assert made.action == blocking[-1]


BYPASS = Rule(Name("use-other-dns.example"), "exact", True, "bypass:canary", "drawn")


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("action", ["nxdomain", "nodata", "null", "walled-garden"])
def test_a_bypass_name_is_never_answered_with_an_address(fmt: str, action: str) -> None:
    """Refused where the format, its setting or the action would give one, an inline rule at the name or not."""
    inline = Rule(Name("use-other-dns.example"), "subtree", True, "policy", "drawn")
    for rules in ((BYPASS,), (BYPASS, inline)):
        blockset = drawn(*rules, action=action, fallback=())
        garden = msgspec.structs.replace(blockset.policy.action, walled_garden=Garden(a="192.0.2.10"))
        blockset = msgspec.structs.replace(blockset, policy=msgspec.structs.replace(blockset.policy, action=garden))
        try:
            found = text(blockset, fmt)
        except UnsafeError:
            assert action != "nxdomain" or "nxdomain" not in FORMATS[fmt].actions
            continue
        lines = [line for line in found.splitlines() if "use-other-dns" in line]
        assert lines or FORMATS[fmt].allows
        assert not [line for line in lines if "0.0.0.0" in line or "192.0.2.10" in line or "AAAA" in line]


def test_a_walled_garden_is_addresses_or_a_name() -> None:
    """Anything else would become part of a line."""
    good = (Garden(a="192.0.2.1"), Garden(aaaa="2001:db8::1"), Garden(cname="blocked.example.org"), Garden())
    assert [sound(garden) for garden in good] == list(good)
    for garden in (
        Garden(a="2001:db8::1"), Garden(aaaa="192.0.2.1"), Garden(a='192.0.2.1"\nlocal-zone: "com." static'),
        Garden(aaaa="fe80::1%a\nb"), Garden(cname="a b.example"), Garden(cname="*.example.org"), Garden(a="192.0.2.1 "),
    ):  # fmt: skip
        with pytest.raises(DataError):
            sound(garden)


@pytest.mark.parametrize(
    "row",
    [
        Row(Name("a.example\nb.example"), "block"),
        Row(Name("*.example.com"), "block"),
        Row(Name("com"), "block"),
        Row(Name("a.example"), "block\n"),
        Row(Name("a.example"), "block", "x\x1b"),
        Row(Name("a.example"), "block", "", ("fine", "über")),
        Row(Name("a.example"), "block", "", ("A 0.0.0.0\r$INCLUDE /etc/passwd",)),
    ],
)
def test_nothing_but_names_and_single_lines_reaches_a_template(row: Row) -> None:
    """The last gate, whatever came before it."""
    with pytest.raises(DataError):
        check_rows((Row(Name("fine.example"), "block"), row))


# ------------------------------------------------------------------ a template of one's own


def own(tmp_path: Path, source: str | bytes) -> Path:
    path = tmp_path / "own.j2"
    path.write_bytes(source if isinstance(source, bytes) else source.encode())
    return path


def test_an_own_template_is_given_what_ours_are(tmp_path: Path) -> None:
    """Header, rows, canary, policy, action, serial, records."""
    source = (
        "{% for line in header %}\n// {{ line }}\n{% endfor %}\n"
        "{{ policy.id }} {{ policy.title }} {{ policy.scope }} {{ action }} {{ serial }} {{ canary }} {{ soa_rname }}\n"
        "{% for row in rows %}\n{{ row.name }} {{ row.answer }} {{ records[row.answer] | join('|') }}\n{% endfor %}\n"
    )
    found = text(prepared("open").blockset, "rpz", template=own(tmp_path, source)).splitlines()
    assert found[0] == "// Title: Open: Acme without its manuals (response policy zone, complete alone)"
    assert "open Open: Acme without its manuals  nodata 7 open.aidns-canary.example aidns.invalid." in found
    assert "acme.example block CNAME *." in found
    assert "help.acme.example pass CNAME rpz-passthru." in found


def test_another_template_is_another_content(tmp_path: Path) -> None:
    """The digest moves with the template, so that a serial does."""
    blockset = prepared("open").blockset
    one, two = (
        render(FORMATS["hosts"], blockset, catalog(), {}, lambda _digest: (7, NOW), own(tmp_path, source)).digest
        for source in ("x\n", "{# #}x\n")
    )
    assert one != two


def test_an_own_template_may_pick_a_header_line(tmp_path: Path) -> None:
    """Whatever marks it gives them, they are no part of the digest."""
    source = "% {{ header[0] }}\n{% for line in header %}\n% {{ line }}\n{% endfor %}\n{{ canary }}\n"
    blockset = prepared("open").blockset
    policy = msgspec.structs.replace(blockset.policy, title="Another", measures=())
    made = [
        render(FORMATS["hosts"], one, catalog(), {}, lambda _digest: (7, NOW), own(tmp_path, source))
        for one in (blockset, msgspec.structs.replace(blockset, policy=policy))
    ]
    assert made[0].text.startswith("% Title: Open: Acme without its manuals (")
    assert made[0].text != made[1].text
    assert made[0].digest == made[1].digest
    assert made[0].lines == 1


def test_a_policy_without_an_action_makes_no_list() -> None:
    """Also where nothing has judged it before."""
    blockset = prepared("open").blockset
    policy = msgspec.structs.replace(blockset.policy, action=None)
    with pytest.raises(DataError, match=r"no \[action\]"):
        text(msgspec.structs.replace(blockset, policy=policy), "hosts")


def test_a_format_asked_for_twice_is_made_once() -> None:
    """In the order of asking."""
    assert [fmt.id for fmt in find_all(["rpz", "hosts", "rpz"])] == ["rpz", "hosts"]


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("{% for row in rows %}", "line 1"),
        ("a\n{{ }}\n", "line 2"),
        ("{{ rowz }}\n", "rowz"),
        ("{{ rows[0].nme }}\n", "nme"),
        ("{{ 1 / 0 }}\n", "division"),
        ("{{ 'a' + 1 }}\n", "own.j2"),
        ("{% include '/etc/passwd' %}\n", "own.j2"),
        ("{% extends 'pihole.j2' %}\n", "own.j2"),
        ("{{ ''.__class__.__mro__ }}\n", "unsafe"),
        ("{{ rows.__class__.__base__.__subclasses__() }}\n", "unsafe"),
        ("{% for i in range(10 ** 9) %}{% endfor %}\n", "Range too big"),
        ("für {{ canary }}\n", "outside ASCII"),
        ("{{ '\\r' }}\n", "control characters"),
        ("a\tb\n", "control characters"),
        ("{{ '\\x00' }}\n", "control characters"),
        ("no newline", "newline"),
        ("", "newline"),
        (b"\xff\n", "not UTF-8 at octet 0"),
        ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}\n", "too deep"),
        ("{% if 1 %}" * 200 + "x" + "{% endif %}" * 200 + "\n", "too deep"),
        ("# no row\n", "nothing but comments"),
        ("{% for line in header %}\n! {{ line }}\n{% endfor %}\n", "nothing but comments"),
        ("{{ header[63] }} {{ canary }}\n", "no element 63"),
    ],
)
def test_a_template_that_fails_says_where_and_why(source: str | bytes, why: str, tmp_path: Path) -> None:
    """A message and exit code 1, no traceback, no half a list; and nothing outside its arguments is in reach."""
    with pytest.raises(DataError) as refusal:
        text(prepared("open").blockset, "hosts", template=own(tmp_path, source))
    assert why in refusal.value.message
    assert refusal.value.message.isprintable()


def test_every_shipped_template_belongs_to_a_format() -> None:
    """No template lies about that nothing uses."""
    from aidns.data import shipped

    assert {item.name for item in shipped("templates").iterdir()} == {fmt.template for fmt in FORMATS.values()}


def test_every_format_says_what_it_covers_and_how_it_is_installed() -> None:
    """What `aidns list formats` and the header show."""
    for fmt in FORMATS.values():
        assert fmt.title
        assert fmt.consumers
        assert fmt.covers
        assert fmt.install
    assert len({fmt.file_name for fmt in FORMATS.values()}) == len(FORMATS)
    assert names.parse(prepared("open").blockset.canary)
    assert Action("null").garden == Garden()
    assert content("# a\n; b\nc\n") == ["c"]
