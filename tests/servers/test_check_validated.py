"""What a real validating unbound says about a signed zone that a real NSD serves: checked, or wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from aidns.lab.servers import READY_PARENT, start
from aidns.lookup.findings import Facts, Findings
from aidns.lookup.resolver import parse_resolver
from aidns.lookup.run import Task, run
from aidns.lookup.state import State
from aidns.model import Outcome
from aidns.names import Name
from nsd import ANCHOR, free_port, serve_root
from samples import NOW, catalog

pytestmark = pytest.mark.server("unbound")
NAME, BROKEN, CANARY = Name("www.shop.com"), Name("broken.shop.com"), "office.aidns-canary.example"
SETTINGS = """\
server:
  module-config: "validator iterator"
  trust-anchor-file: "{anchor}"
  ede: yes
"""


def look(folder: Path, *, trusted: bool) -> tuple[Facts, set[Outcome]]:
    """Check NAME through unbound with or without the zone's key; return the facts and how its denial was taken."""
    port = free_port()
    records = [
        f"{NAME}. A 192.0.2.1",
        f"{CANARY}. A 0.0.0.0",
        f'*.{READY_PARENT}. TXT "upstream-{port}"',
    ]
    with serve_root(folder / "nsd", records, port, signed=True):
        settings = folder / "settings"
        anchor = folder / "nsd" / ANCHOR
        settings.write_text(SETTINGS.format(anchor=anchor) if trusted else "server:\n", "utf-8")
        with start("unbound", [settings], upstream=port, canary=CANARY) as server:
            resolver = parse_resolver(f"127.0.0.1:{server.port}", 0.0)
            with State(folder / "state.sqlite") as state:
                run(state, (), Task((NAME, BROKEN), (resolver,), (), NOW), lambda settled, left: None)
                spans = state.spans()
    return Findings(spans, catalog(), NOW).of(NAME), {span.outcome for span in spans if span.name == BROKEN}


@pytest.mark.parametrize("trusted", [True, False])
def test_who_checked_the_signatures_is_remembered(tmp_path: Path, trusted: bool) -> None:
    facts, denied = look(tmp_path, trusted=trusted)
    assert facts.addresses == ("192.0.2.1",)
    assert bool(facts.validated_by) == trusted
    assert denied == {Outcome.DENIED}, "a checked denial is one like any other"
