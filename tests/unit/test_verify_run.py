"""A run ends with exit code 4 rather than with a verdict that nothing supports."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import strategies
from aidns import wire
from aidns.errors import EnvironmentFault, UsageError
from aidns.lab.upstream import Upstream
from aidns.names import Name, at_or_below
from aidns.stub import Endpoint
from aidns.verify.questions import plan
from aidns.verify.report import Report
from aidns.verify.run import verify
from tests.unit.verify_samples import blockset

BLOCKSET = blockset(("bad.com", "subtree", True))
Change = Callable[[bytes, str, int], bytes | None]
"""(genuine reply, name, questions so far) -> the reply to give instead; None keeps silent."""


class Resolver(Upstream):
    """The upstream as a resolver that changes some answers."""

    def __init__(self, change: Change) -> None:
        super().__init__()
        self.change = change

    def answer(self, message: bytes) -> bytes:
        genuine = super().answer(message)
        changed = self.change(genuine, self.seen[-1][0], len(self.seen))
        if changed is None:
            raise wire.MessageError("silent")
        return changed


def bare(reply: bytes, rcode: int) -> bytes:
    """The reply without any record."""
    end = wire.read_question(reply)[2]
    return reply[:3] + bytes((reply[3] & 0xF0 | rcode,)) + b"\0\1" + bytes(6) + reply[12:end]


def blocks(reply: bytes, name: str, _count: int) -> bytes | None:
    """A filter that answers bad.com and the canary as its policy says."""
    return bare(reply, 3) if at_or_below(name, "bad.com") or name == BLOCKSET.canary else reply


def run(change: Change, **options: object) -> Report:
    with Resolver(change) as resolver:
        options = {"rate": 0.0, **options}
        return verify(Endpoint("127.0.0.1", resolver.port), plan(BLOCKSET, "fresh"), **options)  # type: ignore[arg-type]


def test_a_server_that_obeys_is_clean() -> None:
    report = run(blocks)
    assert (report.clean, report.loaded) == (True, True)
    assert {finding.outcome for finding in report.findings} == {"blocked", "open"}


def test_a_server_without_the_list_is_told_apart_from_one_that_leaks() -> None:
    report = run(lambda reply, _name, _count: reply)
    assert (report.clean, report.loaded, report.canary_says) == (False, False, "NXDOMAIN of zone .")
    leaking = run(lambda reply, name, count: reply if name == "bad.com" else blocks(reply, name, count))
    assert (leaking.clean, leaking.loaded) == (False, True)
    assert {finding.question.name for finding in leaking.findings if finding.outcome == "leaked"} == {"bad.com"}


def test_too_much_blocked_is_a_finding() -> None:
    report = run(lambda reply, name, _count: reply if "example" in name else bare(reply, 3))
    assert {f.question.name for f in report.findings if f.outcome == "over-blocked"} == {"com", "fresh.com", "xbad.com"}
    assert not report.clean


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda reply, _name, _count: bare(reply, 2), "does not resolve on .* before the questions: SERVFAIL"),
        (lambda reply, _name, _count: bare(reply, 5), "does not resolve on .* before the questions: REFUSED"),
        (
            lambda reply, _name, _count: bare(reply, 3),
            "does not resolve on .* before the questions: NXDOMAIN without SOA",
        ),
        (
            lambda reply, _name, count: reply if count < 6 else bare(reply, 5),
            "does not resolve on .* between questions: REFUSED",
        ),
        (lambda reply, name, _count: reply if name == "example.com" else bare(reply, 2), "no reply .* tells whether"),
    ],
    ids=["fails", "refuses us", "blocks everything", "rate limit", "decides nothing"],
)
def test_nothing_is_proved_while_the_control_name_does_not_resolve(change: Change, why: str) -> None:
    with pytest.raises(EnvironmentFault, match=why) as caught:
        run(change)
    assert caught.value.exit_code == 4
    assert caught.value.tip


def test_a_control_resolver_settles_what_a_server_without_soa_leaves_open() -> None:
    def strip(reply: bytes, name: str, count: int) -> bytes | None:
        return bare(reply, 3) if wire.parse(reply).rcode == "NXDOMAIN" else blocks(reply, name, count)

    with pytest.raises(EnvironmentFault, match=r"no reply .* tells whether it blocks anything: NXDOMAIN without SOA"):
        run(strip)
    with Upstream() as world:
        report = run(strip, control=Endpoint("127.0.0.1", world.port))
    assert report.counts["inconclusive"] == 0
    assert report.clean
    assert "xbad.com" not in world.seen_names()


def test_a_broken_control_resolver_is_a_fault() -> None:
    def doubtful(reply: bytes, name: str, count: int) -> bytes | None:
        return bare(reply, 2) if name == "xbad.com" else blocks(reply, name, count)

    with (
        Resolver(lambda reply, _name, _count: bare(reply, 5)) as broken,
        pytest.raises(EnvironmentFault, match=rf"on 127\.0\.0\.1:{broken.port} before the comparison"),
    ):
        run(doubtful, control=Endpoint("127.0.0.1", broken.port))


def test_the_control_name_is_asked_again_at_the_end() -> None:
    times_asked = iter(range(100))

    def dies_late(reply: bytes, name: str, count: int) -> bytes | None:
        return bare(reply, 2) if name == "example.com" and next(times_asked) == 3 else blocks(reply, name, count)

    with pytest.raises(EnvironmentFault, match=r"does not resolve on .* after the questions: SERVFAIL"):
        run(dies_late)


def test_progress_ends_with_everything_asked() -> None:
    steps: list[tuple[int, int]] = []
    report = run(blocks, progress=lambda done, total: steps.append((done, total)))
    assert steps[-1] == (len(report.findings), len(report.findings))


def test_a_policy_that_blocks_nothing_cannot_be_verified() -> None:
    nowhere = Endpoint("127.0.0.1", 9)
    logs = blockset(("bad.com", "subtree", True), policy=strategies.policy(action="log-only", fallback=()))
    with pytest.raises(UsageError, match="action log-only"):
        verify(nowhere, plan(logs, "fresh"))
    with pytest.raises(UsageError, match="blocks no name"):
        verify(nowhere, plan(blockset(("ok.com", "subtree", False)), "fresh"))
    with pytest.raises(UsageError, match=r"control name www\.bad\.com is blocked by the policy itself"):
        verify(nowhere, plan(BLOCKSET, "fresh"), control_name=Name("www.bad.com"))


def test_the_control_name_can_be_chosen() -> None:
    with pytest.raises(EnvironmentFault, match=r"control name nx-a\.org does not resolve on .* before"):
        run(blocks, control_name=Name("nx-a.org"))


def test_declared_losses_are_not_leaks() -> None:
    def as_hosts(reply: bytes, name: str, count: int) -> bytes | None:
        asked = wire.parse(reply)
        listed = name in ("bad.com", "www.bad.com", BLOCKSET.canary) and asked.question[1] in ("A", "AAAA")
        return bare(reply, 3) if listed else reply

    assert run(as_hosts).counts["leaked"] == 7
    report = run(as_hosts, formats=("hosts",))
    assert (report.counts["leaked"], report.counts["declared"], report.clean) == (0, 7, True)
