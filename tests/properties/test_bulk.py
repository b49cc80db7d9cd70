"""A file written in blocks is the file that `lower` and the template write, for every format."""

from __future__ import annotations

import io
import json
import random
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from msgspec import structs

from aidns.lists.compile import Input, compile_lists
from aidns.lists.line import Syntax
from aidns.lists.sweep import Compiled
from aidns.model import ActionChoice, BlockSet, Garden, Policy, Weakened
from aidns.render import bulk, parts
from aidns.render.artefact import Sheet, content_of
from aidns.render.base import Action, Body, EmptyList, Format, Inexpressible, Row, choose_action
from aidns.render.compiled import set_maker
from aidns.render.formats import FORMATS
from list_lines import lines

HEAD = ("Title: drawn",)
SERIAL = 7
ACTIONS = ("nxdomain", "nodata", "null", "refuse", "log-only", "walled-garden")
GARDENS = (Garden(a="192.0.2.1", aaaa="2001:db8::1"), Garden(cname="garden.example.net"))
ROUNDS = 40
_NUMBERED = re.compile(r"^Add-Rule (\d+) ", re.MULTILINE)


def drawn(rng: random.Random, *, known: bool) -> Compiled:
    """Draw lists of several syntaxes, exceptions among them, and compile them."""
    inputs = []
    exact = rng.random() < 0.4
    for number in range(rng.choice((1, 1, 2, 3))):
        syntax: Syntax = rng.choice(("domains", "domains", "adblock", "rpz", "dnsmasq"))
        data = b"".join(lines(rng, syntax, rng.choice((0, 5, 30, 100)))).replace(b"\xef\xbb\xbf", b"")
        inputs.append(Input(f"list {number}", io.BytesIO(b"#\n" + data), syntax, exact, rng.random() < 0.35))
    return compile_lists(inputs, exact=exact, known=known).compiled


def drawn_policy(rng: random.Random) -> Policy:
    action = ActionChoice(default=rng.choice(ACTIONS), walled_garden=rng.choice(GARDENS))
    return Policy(schema=1, title="drawn", id="drawn", action=action)


def by_template(
    fmt: Format, compiled: Compiled, policy: Policy, zone_length: int
) -> tuple[str, int, int, Report] | str:
    """Write the whole file by `lower` and the template; the report is what the format could not say."""
    owners, known = bulk.everything(compiled)
    blockset = set_maker(policy)(owners, known)
    try:
        action = choose_action(fmt, blockset)
        body = fmt.lower(blockset, action, zone_length)
    except Inexpressible:
        return "inexpressible"
    if not body.rows and not fmt.allows:
        return "empty"
    sheet = Sheet(fmt, blockset, action)
    lines = content_of(sheet.text(body.rows), fmt).count("\n")
    return sheet.text(body.rows, HEAD, SERIAL), len(body.rows), lines, report(body.weakened, body.notes)


def by_blocks(fmt: Format, compiled: Compiled, policy: Policy, zone_length: int) -> tuple[str, int, int, Report] | str:
    """Write the same in blocks."""
    try:
        made = bulk.document(bulk.start(fmt, set_maker(policy), zone_length), compiled)
    except EmptyList:
        return "empty"
    except Inexpressible:
        return "inexpressible"
    text = b"".join(made.blocks(HEAD, SERIAL)).decode("ascii")
    return text, made.names, made.lines, report(made.weakened, made.notes)


Report = tuple[Counter[tuple[str, str, str]], Counter[str]]


def report(weakened: Iterable[Weakened], notes: Iterable[str]) -> Report:
    losses: Counter[tuple[str, str, str]] = Counter()
    for loss in weakened:
        losses[loss.what, loss.direction, loss.note] += loss.count
    return losses, Counter(notes)


def in_any_order(fmt: Format, text: str) -> object:
    """The file without the order of its rules, which no consumer minds."""
    if fmt.id == "windows-dns":  # its lines are numbered, in whatever order
        numbers = [int(number) for number in _NUMBERED.findall(text)]
        assert numbers == list(range(1, len(numbers) + 1))
        return Counter(_NUMBERED.sub("", text).splitlines())
    if fmt.id != "json":
        return Counter(text.splitlines())
    document = json.loads(text)
    return len(text), {**document, "rules": sorted(document["rules"], key=lambda rule: str(rule["name"]))}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("fmt", FORMATS.values(), ids=FORMATS)
def test_blocks_equal_the_template(fmt: Format, seed: int) -> None:
    """Same lines, counts, losses and notes, for every action, zone and mix of rules."""
    rng = random.Random(f"{fmt.id} {seed}")
    for _ in range(ROUNDS):
        policy, zone_length = drawn_policy(rng), rng.choice((0, 63, 190))
        compiled = drawn(rng, known=True)
        one, other = (way(fmt, compiled, policy, zone_length) for way in (by_template, by_blocks))
        if isinstance(one, str) or isinstance(other, str):
            assert one == other
        else:
            assert in_any_order(fmt, one[0]) == in_any_order(fmt, other[0])
            assert one[1:] == other[1:]


@pytest.mark.parametrize("fmt", FORMATS.values(), ids=FORMATS)
def test_long_names_are_looked_at_one_by_one(fmt: Format, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is longer than any stand-in goes through `lower` and the template itself, with the same result."""
    monkeypatch.setattr(parts, "LONG", 30)
    test_blocks_equal_the_template(fmt, 9)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("fmt", FORMATS.values(), ids=FORMATS)
def test_no_rule_becomes_an_object(fmt: Format, exact: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every format writes rules that touch no other in blocks."""
    monkeypatch.setattr(bulk, "MAX_WHOLE", 0)
    data = b"".join(b"n%d.example\nwww.m%d.example\nx_%d.example\n" % (i, i, i) for i in range(40))
    compiled = compile_lists([Input("plain", io.BytesIO(data), "domains", exact)], known=True).compiled
    action = ActionChoice(default="nxdomain", fallback=("null", "refuse"))
    policy = Policy(schema=1, title="drawn", id="drawn", action=action)
    made = bulk.document(bulk.start(fmt, set_maker(policy)), compiled)
    assert made.parts
    assert made.names >= (0 if fmt.allows else 80)


def test_a_name_that_is_too_long_for_its_zone_is_named() -> None:
    """The error tells the real name, not the stand-in that found it."""
    name = f"{'l' * 63}.{'m' * 63}.{'n' * 63}.example"
    compiled = compile_lists([Input("long", io.BytesIO(f"a.example\n{name}\n".encode()))]).compiled
    policy = Policy(schema=1, title="drawn", id="drawn", action=ActionChoice(default="nxdomain"))
    with pytest.raises(Inexpressible, match="l" * 40):
        bulk.document(bulk.start(FORMATS["rpz"], set_maker(policy), 63), compiled)


def test_a_name_that_is_too_long_for_a_long_zone_is_named() -> None:
    """However much room the zone's own name takes."""
    data = f"a.example\nb.example\n{'l' * 50}.{'m' * 50}.example\n".encode()
    compiled = compile_lists([Input("long", io.BytesIO(data))]).compiled
    policy = Policy(schema=1, title="drawn", id="drawn", action=ActionChoice(default="nxdomain"))
    with pytest.raises(Inexpressible, match="1 name"):
        bulk.document(bulk.start(FORMATS["rpz"], set_maker(policy), 150), compiled)
    assert bulk.document(bulk.start(FORMATS["rpz"], set_maker(policy), 100), compiled).names == 3


def test_a_format_with_an_opinion_about_names_is_written_whole() -> None:
    """Real names check the shapes: what no stand-in shows is found, and everything goes through the template."""

    def lower(blockset: BlockSet, action: Action, zone_length: int) -> Body:
        rows = tuple(Row(name) for name in blockset.minimal if not name.startswith("a"))
        return Body(rows, ())

    fmt = structs.replace(FORMATS["domains-wild"], lower=lower)
    policy = Policy(schema=1, title="drawn", id="drawn", action=ActionChoice(default="nxdomain"))
    compiled = compile_lists([Input("odd", io.BytesIO(b"a.example\nb.example\nc.example\n"))]).compiled
    made = bulk.document(bulk.start(fmt, set_maker(policy)), compiled)
    assert not made.parts
    assert b"".join(made.blocks((), 1)) == b"drawn.aidns-canary.example\nb.example\nc.example\n"


def test_too_many_rules_for_a_format_that_is_written_whole_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where each rule is an object, their number is bounded, and the error says so."""
    monkeypatch.setattr(bulk, "MAX_WHOLE", 2)
    template = tmp_path / "backwards.j2"
    template.write_text("{% for row in rows | reverse %}\n{{ loop.index }} {{ row.name }}\n{% endfor %}\n", "utf-8")
    compiled = compile_lists([Input("three", io.BytesIO(b"a.example\nb.example\nc.example\n"))]).compiled
    policy = Policy(schema=1, title="drawn", id="drawn", action=ActionChoice(default="refuse"))
    with pytest.raises(Inexpressible, match="3 names"):
        bulk.document(bulk.start(FORMATS["windows-dns"], set_maker(policy), template=template), compiled)
