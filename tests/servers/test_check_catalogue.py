"""A week of nightly runs over the shipped catalogue against real servers: the planted verdicts, and nothing else."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import os
import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from aidns import psl
from aidns.catalog.load import load_or_fail
from aidns.model import Catalog
from aidns.names import Name, ancestors
from aidns.wire import encode_name
from nsd import require_nsd, serve_root
from responder import Responder
from samples import NOW

DAY = 86400
NIGHTS = (0, 4, 8)
FATES = ("gone", "late", "back", "null", "parked-address", "parked-alias", "alias-gone", "nodata")
"""gone: denied from the first night on; late: on the last only; back: on all but the last."""
STANDINGS = {
    "live": "live", "gone": "gone", "late": "suspect", "back": "live", "null": "filtered", "parked-address": "parked",
    "parked-alias": "parked", "alias-gone": "live", "nodata": "live",
}  # fmt: skip


@cache
def shipped() -> Catalog:
    return load_or_fail()


def listed() -> list[Name]:
    return [entry.name for entry in shipped().names if not entry.bypass]


def fates() -> dict[Name, str]:
    """Choose a fate for one name in eight among those that no listed name lies below, by its hash."""
    names = listed()
    above = {upper for name in names for upper in ancestors(name)}
    chosen = {}
    for name in names:
        luck = int(hashlib.sha256(name.encode()).hexdigest()[:8], 16)
        fate = FATES[luck // 8 % len(FATES)] if name not in above and luck % 8 == 0 else "live"
        # A null address says nothing, but that its zone has name servers or none is a sign of the zone's life.
        chosen[name] = "live" if fate == "null" and psl.registrable_domain(name) == name else fate
    return chosen


def records(chosen: dict[Name, str], night: int) -> Iterator[str]:
    """Yield the zone of one night."""
    marks = {mark.match: mark.value for mark in shipped().parking}
    yield f"parked-here.{marks['cname']}. A 192.0.2.9"
    for name, fate in chosen.items():
        gone = {"gone": True, "late": night == NIGHTS[-1], "back": night != NIGHTS[-1]}.get(fate, False)
        match fate:
            case _ if gone:
                continue
            case "null":
                yield f"{name}. A 0.0.0.0"
                yield f"{name}. AAAA ::"
            case "parked-address":
                yield f"{name}. A {ipaddress.ip_network(marks['address'])[-1]}"
            case "parked-alias":
                yield f"{name}. CNAME parked-here.{marks['cname']}."
            case "alias-gone":
                yield f"{name}. CNAME nowhere.invalid."
            case "nodata":
                yield f'{name}. TXT "here"'
            case _:
                yield f"{name}. A 192.0.2.1"
                yield f"{name}. AAAA 2001:db8::1"


def check(state: Path, night: int, ports: list[int]) -> dict[str, Any]:
    environment = os.environ | {"SOURCE_DATE_EPOCH": str(NOW + night * DAY)}
    resolvers = [word for port in ports for word in ("--resolver", f"127.0.0.1:{port}")]
    command = [sys.executable, "-c", "from aidns.cli import main; main()", "check", "--json", "--state", str(state)]
    done = subprocess.run([*command, *resolvers], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.mark.slow
def test_a_week_of_runs_gives_the_planted_verdicts_and_nothing_else(tmp_path: Path) -> None:
    require_nsd()
    chosen = fates()
    document: dict[str, Any] = {}
    ports = [0, 0]
    for night in NIGHTS:
        with ExitStack() as stack:
            zone = list(records(chosen, night))
            ports = [
                stack.enter_context(serve_root(tmp_path / f"{night}-{i}", zone, port)) for i, port in enumerate(ports)
            ]
            document = check(tmp_path / "state", night, ports)
            for resolver in document["resolvers"]:
                assert (resolver["answers"], resolver["set_aside"]) == (True, False)
                assert set(resolver["odd"]) <= {"duplicate", "late"}
    found = {verdict["name"]: verdict for verdict in document["verdicts"]}
    wrong = {
        (fate, found[name]["standing"]): name
        for name, fate in chosen.items()
        if found[name]["standing"] != STANDINGS[fate]
    }
    assert wrong == {}
    assert set(found) == set(chosen)
    assert set(Counter(chosen.values())) == {"live", *FATES}, "every fate was met"
    removable = {name for name, verdict in found.items() if verdict["removable"]}
    assert removable == {
        n for n, fate in chosen.items() if fate == "gone" and psl.registrable_domain(n) not in (n, None)
    }


SEED, SILENT, FAILING = 7, 0.04, 0.02


def has_trouble(name: Name) -> bool:
    """Tell whether the responders below say nothing of a name, or only that they failed."""
    return zlib.crc32(encode_name(name), SEED) < (SILENT + FAILING) * 2**32


@pytest.mark.slow
def test_resolvers_that_lose_fall_silent_and_fail_prove_nothing(tmp_path: Path) -> None:
    """Names that nobody tells anything of are unknown, all others alive; none is suspected, let alone removed."""
    for night in range(2):
        with ExitStack() as stack:
            trouble = {"delay": 0.02, "loss": 0.01, "dead": SILENT, "servfail": FAILING, "seed": SEED}
            ports = [stack.enter_context(Responder(**trouble)).port for _ in range(2)]
            document = check(tmp_path / "state", night, ports)
        assert all(resolver["answers"] and not resolver["canaries"] for resolver in document["resolvers"])
        found = {verdict["name"]: verdict for verdict in document["verdicts"]}
        assert set(found) == set(listed())
        assert {found[name]["standing"] for name in found if not has_trouble(name)} == {"live"}
        assert {found[name]["standing"] for name in found if has_trouble(name)} <= {"live", "unknown"}
        assert sum(verdict["standing"] == "unknown" for verdict in found.values()) > len(found) * SILENT / 2
        assert not any(verdict["removable"] for verdict in found.values())
