"""What `aidns check` costs and how long it takes, beside other clients, against a local responder.

    .venv/bin/python bench/check.py [--rounds N] [--names N] [--only cpu|wall|rate]

cpu: 10,000 names, 4 types that all clients know, answered at once: CPU time of the client for a question, as a ratio in
each round, in which the clients run in turn; the median of these ratios. `aidns` asks, matches, decodes and classifies,
with the collector of garbage set as the program sets it; `aidns + record` also writes the answers to a state file,
`the next night` to one that holds those of the night before; what it then costs to put the batches together and read
them is printed apart. dnspython's resolver asks a tenth of the questions. aiodns (`pip install aiodns`) and dnsperf
(Debian package) are left out where they are not installed.

wall: 10,000 names, 6 types, 3 resolvers 50 ms away, without a rate; the same with 2 % of the packets lost.

rate: 3,000 names, 6 types, 3 resolvers 50 ms away, 2,000 packets a second to each; then with 2 % lost; then also with
4 % of the names dead and 2 % failing late. Ideal is names x types / rate; NS and SOA are asked once a zone and other
types only of names that exist, so that the ideal can be undercut. False verdicts are counted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from operator import attrgetter
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from responder import Responder

COMMON = ("A", "AAAA", "NS", "SOA")
"""Types that every client compared here can ask for."""
PYTHON = str(Path(sys.executable))


def host_names(count: int) -> list[str]:
    """Return names, two in each zone."""
    return [f"n{i}.s{i // 2}.com" for i in range(count)]


# ------------------------------------------------------------------ clients, each in a process of its own


async def ask_with_aidns(ports: Sequence[int], names: Sequence[str], options: dict[str, Any]) -> dict[str, Any]:
    """Ask as `check` does; `record`: into a state file; `plain`: each type of each name."""
    import gc

    from aidns.__main__ import YOUNG
    from aidns.lookup.ask import Contact, ask, probe
    from aidns.lookup.attempt import Manners, Schedule
    from aidns.lookup.extras import as_recorded
    from aidns.lookup.resolver import parse_resolver
    from aidns.lookup.state import State
    from aidns.model import Outcome
    from aidns.names import Name

    gc.set_threshold(YOUNG)
    rate = float(options.get("rate", 0))
    contacts = [Contact(parse_resolver(f"127.0.0.1:{port}", rate), Manners()) for port in ports]
    await probe(contacts, ())
    types = {"gated": COMMON[1:], "zone": ()} if options.get("plain") else {
        "gated": ("AAAA", "HTTPS", "CNAME"), "zone": ("NS", "SOA")
    }  # fmt: skip
    if options.get("six"):
        types = {"gated": ("AAAA", "HTTPS", "CNAME", "NS", "SOA"), "zone": ()}
    schedule = Schedule(map(Name, names), [contact.resolver.id for contact in contacts], **types)
    outcome_of = attrgetter("outcome")
    outcomes: Counter[Outcome] = Counter()
    with State(Path(options["state"])) if options.get("state") else ExitStack() as state:
        async for batch in ask(schedule, contacts, at=1_700_000_000 + options.get("night", 0) * 86400):
            outcomes.update(map(outcome_of, batch))
            if isinstance(state, State):
                state.record(map(as_recorded, batch))
        found = {
            "questions": outcomes.total(),
            "denied": outcomes[Outcome.DENIED],
            "timeout": outcomes[Outcome.TIMEOUT],
        }
        if isinstance(state, State):
            start = time.process_time()
            state.compact()
            found["compacting"] = time.process_time() - start
    found["packets"] = max(contact.packets for contact in contacts)
    found["rss"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return found


async def ask_with_dnspython(ports: Sequence[int], names: Sequence[str], _options: dict[str, Any]) -> dict[str, Any]:
    """Ask through dnspython's resolver, 100 questions at once."""
    import dns.asyncresolver

    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], ports[0]
    questions = iter([(name, rdtype) for rdtype in COMMON for name in names])
    asked = 0

    async def work() -> None:
        nonlocal asked
        for name, rdtype in questions:
            answer = await resolver.resolve(name, rdtype)
            tuple(str(rdata) for rdata in answer)
            asked += 1

    await asyncio.gather(*(work() for _ in range(100)))
    return {"questions": asked}


async def ask_with_aiodns(ports: Sequence[int], names: Sequence[str], _options: dict[str, Any]) -> dict[str, Any]:
    """Ask through c-ares, 100 questions at once."""
    import warnings

    import aiodns

    warnings.simplefilter("ignore")
    resolver = aiodns.DNSResolver(nameservers=["127.0.0.1"], udp_port=ports[0], tcp_port=ports[0])
    questions = iter([(name, rdtype) for rdtype in COMMON for name in names])
    asked = 0

    async def work() -> None:
        nonlocal asked
        for name, rdtype in questions:
            await resolver.query_dns(name, rdtype)
            asked += 1

    await asyncio.gather(*(work() for _ in range(100)))
    return {"questions": asked}


OURS = ("aidns", "aidns + record", "the next night")
CLIENTS = {"aidns": ask_with_aidns, "dnspython": ask_with_dnspython, "aiodns": ask_with_aiodns}


def be_client(text: str) -> None:
    """Run one client in this process and print what it cost."""
    task = json.loads(text)

    async def run() -> None:
        ask = CLIENTS[task["client"]]
        await ask(task["ports"], host_names(20), task["options"] | {"state": ""})  # imports, caches
        wall, cpu = time.perf_counter(), time.process_time()
        found = await ask(task["ports"], host_names(task["names"]), task["options"])
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu - found.get("compacting", 0)
        print(json.dumps(found | {"wall": wall, "cpu": cpu}))

    asyncio.run(run())


def run_client(client: str, responders: Sequence[Responder], names: int, **options: Any) -> dict[str, Any]:
    """Run a client in a fresh process; return what it found and its seconds."""
    task = {"client": client, "ports": [r.port for r in responders], "names": names, "options": options}
    done = subprocess.run([PYTHON, __file__, "--client", json.dumps(task)], check=True, stdout=subprocess.PIPE)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def run_dnsperf(responder: Responder, names: int, folder: Path) -> dict[str, Any]:
    """Run dnsperf over the same questions once."""
    queries = folder / "queries"
    questions = [f"{name} {rdtype}" for rdtype in COMMON for name in host_names(names)]
    queries.write_text("\n".join(questions), "ascii")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = ["dnsperf", "-s", "127.0.0.1", "-p", str(responder.port), "-d", str(queries), "-n", "1", "-q", "100"]
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"questions": len(questions), "cpu": cpu}


# ------------------------------------------------------------------ what is measured


def measure_cpu(rounds: int, names: int) -> None:
    """Print the CPU time of a question for each client, and its ratio to aidns in the same round."""
    costs: dict[str, list[float]] = {}
    ends: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as temporary, Responder() as responder:
        folder = Path(temporary)
        for number in range(rounds):
            for client, result in _one_round(responder, names, folder, number):
                costs.setdefault(client, []).append(1e6 * result["cpu"] / result["questions"])
                if "compacting" in result:
                    ends.setdefault(client, []).append(1e6 * result["compacting"] / result["questions"])
    print(f"cpu: {names} names × {len(COMMON)} types, {rounds} paired rounds; µs of CPU a question, median")
    for client, measured in costs.items():
        ratios = {
            base: median(mine / theirs for mine, theirs in zip(measured, costs[base], strict=True))
            for base in costs
            if client in OURS and base not in OURS
        }
        shown = "".join(f"   {ratio:.3f} × {base}" for base, ratio in ratios.items())
        end = f"   and {median(ends[client]):.1f} to read all at the end" if client in ends else ""
        print(f"  {client:<16} {median(measured):7.1f}{shown}{end}")


def _one_round(responder: Responder, names: int, folder: Path, number: int) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "aidns", run_client("aidns", [responder], names, plain=True)
    state = str(folder / f"state{number}")
    for night, title in enumerate(("aidns + record", "the next night")):
        yield title, run_client("aidns", [responder], names, plain=True, state=state, night=night)
    yield "dnspython", run_client("dnspython", [responder], names // 10)
    if subprocess.run([PYTHON, "-c", "import aiodns"], check=False, capture_output=True).returncode == 0:
        yield "aiodns", run_client("aiodns", [responder], names)
    if shutil.which("dnsperf"):
        yield "dnsperf", run_dnsperf(responder, names, folder)


def measure_wall(rounds: int, names: int) -> None:
    """Print seconds for 3 resolvers 50 ms away, without a rate."""
    print(f"wall: {names} names × 6 types × 3 resolvers, 50 ms, no rate; medians of {rounds}")
    for title, loss in (("no loss", 0.0), ("2 % lost", 0.02)):
        for recorded in (False, True):
            found = []
            for seed in range(rounds):
                with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
                    three = [
                        stack.enter_context(Responder(delay=0.05, loss=loss / 2, seed=seed + i)) for i in (1, 2, 3)
                    ]
                    state = f"{folder}/state" if recorded else ""
                    found.append(run_client("aidns", three, names, six=True, state=state))
            wall, cpu, rss, timeouts, asked = (
                median(one[key] for one in found) for key in ("wall", "cpu", "rss", "timeout", "questions")
            )
            print(
                f"  {title + (', recorded' if recorded else ''):<20} {wall:5.2f} s wall, {cpu:5.2f} s CPU "
                f"({1e6 * cpu / asked:.1f} µs a question), {rss:.0f} MiB, {timeouts:.0f} without answer"
            )


def measure_rate(rounds: int, names: int, rate: float = 2000) -> None:
    """Print time over the ideal at a rate, and over what the packets sent need."""
    ideal = names * 6 / rate
    print(
        f"rate: {names} names × 6 types × 3 resolvers, 50 ms, {rate:g}/s each, ideal {ideal:.1f} s; medians of {rounds}"
    )
    trouble = {
        "no loss": {},
        "2 % lost": {"loss": 0.01},
        "+ 4 % dead, 2 % failing": {"loss": 0.01, "dead": 0.04, "servfail": 0.02},
    }
    for title, options in trouble.items():
        found = []
        for seed in range(rounds):
            with ExitStack() as stack:
                three = [stack.enter_context(Responder(delay=0.05, seed=seed * 3 + 1, **options)) for _ in range(3)]
                found.append(run_client("aidns", three, names, rate=rate))
        over = median(one["wall"] / ideal for one in found)
        packets = median(one["wall"] / (one["packets"] / rate) for one in found)
        false = max(one["denied"] for one in found)
        print(f"  {title:<26} {over:.2f} × ideal; {packets:.2f} × packets / rate; {false} false denials")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--names", type=int, default=10_000)
    parser.add_argument("--only", choices=("cpu", "wall", "rate"))
    parser.add_argument("--client", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.client:
        return be_client(options.client)
    if options.only in (None, "cpu"):
        measure_cpu(options.rounds, options.names)
    if options.only in (None, "wall"):
        measure_wall(options.rounds, options.names)
    if options.only in (None, "rate"):
        measure_rate(options.rounds, max(1, options.names * 3 // 10))
    return None


if __name__ == "__main__":
    main()
