"""Differential proof: random catalogues and policies on every real server, each answer compared with the reference.

    python -m tests.differential --queries 1000000 --seed 1 [--jobs 2] [--kind bind-rpz]

A round draws a catalogue, a policy and one of its client scopes, renders it for every server, and asks each server
about names drawn to hurt, in five types, now and then in mixed case. Compared are: what the policy's words say (read
slowly, without the program's own code), the compiled block set, the list's entries, the server's answer, and what its
upstream saw. A server may differ only where its list declares a loss, in that direction. A round depends on seed and
number alone: `--first N --rounds 1` repeats one.
"""

from __future__ import annotations

import argparse
import os
import random
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import count, islice
from multiprocessing import get_context
from pathlib import Path

from msgspec.structs import replace

from aidns import names, wire
from aidns.blockset import compile_selection, decide, in_tree
from aidns.lab.kinds import KINDS
from aidns.lab.servers import missing, start
from aidns.lab.upstream import Upstream
from aidns.model import Artefact, BlockSet, Catalog, Policy
from aidns.names import Name, printable
from aidns.policy import select
from aidns.publish.entries import blocks, by_name
from aidns.render.artefact import render
from aidns.render.formats import FORMATS
from aidns.stub import ask_many
from tests.random_catalogs import GARDEN, LONGEST, TODAY, draw_catalog, draw_policy, draw_probes, says

TYPES = ("A", "AAAA", "HTTPS", "TXT", "MX")
ACTIONS = ("nxdomain", "nodata", "null", "refuse", "walled-garden")
APEXES = 30
"""Names from which a round's trees grow."""
ZONE = len("rpz.aidns")
MIXED_CASE = 50
"""One name in so many is asked again in mixed case."""
_STAND_INS = {"0.0.0.0", "::", GARDEN.a, GARDEN.aaaa}


@dataclass
class Tally:
    """What was asked, and what went wrong."""

    queries: Counter[str] = field(default_factory=Counter)
    """By server, and by what else is worth telling."""
    readings: int = 0
    """Names for which the policy's words and the block set were compared."""
    rounds: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Count another tally in."""
        self.queries += other.queries
        self.readings += other.readings
        self.rounds += other.rounds
        self.faults += other.faults

    @property
    def asked(self) -> int:
        return sum(number for key, number in self.queries.items() if key.startswith("server "))


def run_round(seed: int, number: int, kinds: Sequence[str]) -> Tally:
    """Draw, render, ask and compare once."""
    rng = random.Random(f"{seed}/{number}")
    tally = Tally(rounds=1)
    apexes = [f"s{i}.lab" for i in range(APEXES)]
    catalog = draw_catalog(rng, apexes)
    policy = draw_policy(rng, catalog, apexes, rng.choice(ACTIONS))
    scope = rng.choice(("staff", "guests"))
    full = compile_selection(select(catalog, policy, TODAY, scope), {})
    owners = [*full.owners, *(f for name in full.owners for f in names.ancestors(name) if f in full.minimal)]
    probes = draw_probes(rng, [*dict.fromkeys(owners)])
    for name in probes:
        tally.readings += 1
        if says(catalog, policy, scope, name) != decide(full.minimal, name):
            tally.faults.append(f"round {number}: the block set misreads the policy about {name}")
    for kind in kinds:
        blockset = full if KINDS[kind].forwards_exceptions else _without_exceptions(catalog, policy, scope)
        if any(answer.self_blocked or answer.below_blocked for answer in blockset.minimal.values()):
            _try(kind, catalog, blockset, probes, random.Random(f"{seed}/{number}/{kind}"), number, tally)
    return tally


def _without_exceptions(catalog: Catalog, policy: Policy, scope: str) -> BlockSet:
    """Return the blocks alone, for a server whose exceptions cannot be tried in private."""
    selection = select(catalog, policy, TODAY, scope)
    return compile_selection(replace(selection, rules=tuple(rule for rule in selection.rules if rule.blocks)), {})


def _try(
    kind: str,
    catalog: Catalog,
    blockset: BlockSet,
    probes: dict[Name, str],
    rng: random.Random,
    number: int,
    tally: Tally,
) -> None:
    fmt = FORMATS[KINDS[kind].format]
    made = render(fmt, blockset, catalog, {}, lambda _digest: (7, 7), zone_length=ZONE)
    questions = [(name, rdtype) for name in probes for rdtype in TYPES]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list"
        path.write_text(made.text, "ascii")
        with Upstream() as upstream, start(kind, [path], upstream=upstream.port, canary=blockset.canary) as server:
            replies = ask_many(server.port, questions, tries=5)
            mixed = [question for question in questions if rng.randrange(MIXED_CASE) == 0]
            replies += list(ask_in_mixed_case(server.port, mixed, rng))
            seen = upstream.seen_names()
    answers = list(zip(questions + mixed, replies, strict=True))
    said = by_name(made.entries)
    lists = listed_on_bind(made, blockset) if kind == "bind-rpz" else lambda name: blocks(said, name)
    for fault in _compare(made, blockset, answers, upstream.port, lists):
        tally.faults.append(f"round {number}, {kind}, action {made.action}: {fault}")
    if fmt.id != "hosts":
        leaked = [name for name in seen if name.endswith(".lab") and lists(name)]
        tally.faults += [f"round {number}, {kind}: its upstream saw {name}, which is blocked" for name in leaked]
    _count(tally, kind, made, probes, answers, len(mixed))


Answered = tuple[tuple[str, str], wire.Reply | None]


def listed_on_bind(made: Artefact, blockset: BlockSet) -> Callable[[str], bool]:
    """Return what the list says to BIND, which drops labels from the left of a name that does not fit the zone.

    What it then finds counts if that name's wildcard would have matched.
    """
    said = by_name(made.entries)

    def listed(name: str) -> bool:
        cut = name
        while len(cut) + 1 + ZONE > names.MAX_NAME:
            cut = cut.partition(".")[2]
        if cut != name and cut in blockset.minimal and in_tree(blockset.minimal, cut):
            return blockset.minimal[Name(cut)].self_blocked
        return blocks(said, name)

    return listed


def _compare(
    made: Artefact, blockset: BlockSet, answers: Iterable[Answered], port: int, lists: Callable[[str], bool]
) -> Iterator[str]:
    """Yield what disagrees with the reference without being declared, or with what the list itself says."""
    weak = {w: {n for loss in made.weakened if loss.direction == w for n in loss.names} for w in ("leak", "over-block")}
    addresses_alone = {n for loss in made.weakened if loss.what == "types" for n in loss.names}
    for (name, rdtype), reply in answers:
        got = reading(reply, port, refused_blocks=made.action == "refuse")
        wanted, listed = decide(blockset.minimal, Name(name)), lists(name)
        if name in addresses_alone and rdtype not in ("A", "AAAA"):
            listed = False
        if got != ("blocked" if listed else "open"):
            yield f"{name} {rdtype} is {got}, its entries say {'blocked' if listed else 'open'}: {reply}"
        if listed != wanted and weak["leak" if wanted else "over-block"].isdisjoint((name, *names.ancestors(name))):
            yield f"{name} {rdtype}: the list differs from the policy, which is not declared"


def reading(reply: wire.Reply | None, port: int, *, refused_blocks: bool) -> str:
    """Return blocked, open, or what else a reply is. Open is what only our upstream says: its data, or its SOA."""
    if reply is None:
        return "without reply"
    real = {"192.0.2.1", "2001:db8::1", "10 mail.example.net", f'"upstream-{port}"'}
    soa = reply.authority_soa
    if any(record.data in real or record.rdtype == "HTTPS" for record in reply.answers):
        return "open"
    if soa and soa.data.split()[1] == "hostmaster.example.net":
        return "open"
    if reply.rcode in ("NOERROR", "NXDOMAIN") and {record.data for record in reply.answers} <= _STAND_INS:
        return "blocked"
    return "blocked" if reply.rcode == "REFUSED" and refused_blocks else reply.rcode


def ask_in_mixed_case(
    port: int, questions: Iterable[tuple[str, str]], rng: random.Random
) -> Iterator[wire.Reply | None]:
    """Ask one question after the other, each letter in a random case."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(2)
        sock.connect(("127.0.0.1", port))
        for ident, (name, rdtype) in enumerate(questions):
            asked = "".join(rng.choice((letter.lower(), letter.upper())) for letter in name)
            yield _ask_once(sock, ident % 65536, asked, rdtype)


def _ask_once(sock: socket.socket, ident: int, name: str, rdtype: str) -> wire.Reply | None:
    for _ in range(3):
        sock.send(wire.query(ident, name, rdtype))
        try:
            while True:
                reply = wire.parse(sock.recv(65535))
                if reply.id == ident and reply.question == (name.lower(), rdtype):
                    return reply
        except TimeoutError:
            continue
    return None


def _count(
    tally: Tally, kind: str, made: Artefact, probes: dict[Name, str], answers: Sequence[Answered], mixed: int
) -> None:
    said = by_name(made.entries)
    blocked = sum(blocks(said, name) for (name, _), _ in answers)
    tally.queries[f"server {kind}"] += len(answers)
    tally.queries[f"action {made.action}"] += len(answers)
    tally.queries["answer blocked"] += blocked
    tally.queries["answer open"] += len(answers) - blocked
    tally.queries["case mixed"] += mixed
    for (name, rdtype), _ in answers:
        tally.queries[f"type {rdtype}"] += 1
        tally.queries[f"name {probes[Name(name)]}"] += 1


def run(queries: int, seed: int, kinds: Sequence[str], *, first: int = 0, rounds: int = 0, jobs: int = 1) -> Tally:
    """Run rounds until so many queries are asked, or just so many rounds; stop at the first faults."""
    tally = Tally()
    numbers = islice(count(first), rounds or None)
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        while batch := [pool.submit(run_round, seed, number, kinds) for number in islice(numbers, jobs)]:
            for future in batch:
                tally.add(future.result())
            if tally.faults or (not rounds and tally.asked >= queries):
                break
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{tally.asked} of {queries} queries")
    return tally


def report(tally: Tally, seed: int, seconds: float) -> str:
    """Return seed, coverage and faults as text."""
    lines = [
        f"{len(tally.faults)} disagreements in {tally.asked} queries",
        f"seed {seed}, {tally.rounds} rounds, {seconds:.0f} s",
        f"policies read slowly for {tally.readings} names; owners up to {LONGEST} octets",
    ]
    for group in ("server", "action", "type", "answer", "case", "name"):
        found = {key.partition(" ")[2]: n for key, n in tally.queries.items() if key.startswith(f"{group} ")}
        lines.append(f"{group}: {', '.join(f'{key} {n}' for key, n in sorted(found.items()))}")
    return "\n".join((*lines, *(printable(fault, 500) for fault in tally.faults[:20])))


def main() -> None:
    """Read the arguments, run, print what was covered; exit code 1 on a disagreement, 4 where servers are missing.

    Where CI=true each server must be there, else one will do.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--queries", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--first", type=int, default=0, help="number of the first round")
    parser.add_argument("--rounds", type=int, default=0, help="just so many rounds")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--kind", action="append", choices=sorted(KINDS), help="only this server; repeat")
    options = parser.parse_args()
    kinds = [kind for kind in options.kind or KINDS if not missing(kind)]
    absent = [kind for kind in options.kind or KINDS if kind not in kinds]
    for kind in absent:
        sys.stdout.write(f"not on this machine: {kind} ({', '.join(missing(kind))})\n")
    if not kinds or (absent and os.environ.get("CI") == "true"):
        sys.exit(4)
    began = time.monotonic()
    tally = run(options.queries, options.seed, kinds, first=options.first, rounds=options.rounds, jobs=options.jobs)
    sys.stdout.write(report(tally, options.seed, time.monotonic() - began) + "\n")
    sys.exit(bool(tally.faults))


if __name__ == "__main__":
    main()
