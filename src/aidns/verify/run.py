"""Ask a server every question about a block set, with a control name before, during and after. [I/O]"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from aidns.blockset import decide
from aidns.errors import EnvironmentFault, UsageError
from aidns.model import BlockSet
from aidns.names import CANARY_PARENT, Name
from aidns.policy import NON_BLOCKING
from aidns.stub import Endpoint, ask_many
from aidns.verify.aliases import mark
from aidns.verify.judge import Calibration, Evidence, Finding, Reading, calibrate, judge, needs_control, read_reply
from aidns.verify.limits import limits
from aidns.verify.questions import Plan, Question
from aidns.verify.report import Report
from aidns.wire import Reply

CONTROL_NAME = Name("example.com")
"""Exists for ever and is nobody's service (RFC 2606 §3)."""
RATE = 500
"""Queries a second: a resolver in an office does not notice."""
PIHOLE_RATE = 15
"""Pi-hole refuses a client that asks more than 1,000 times in 60 s (its default `dns.rateLimit`)."""
_CHUNK = 250
"""Questions between two looks at the control name …"""
_CHUNK_UNLIMITED = 4000
"""… and where no rate is kept: a fraction of a second's, as well."""
_WINDOW = 64
"""Questions in flight; twice as many where no rate is kept, which is what a socket's buffer surely holds."""
_TIMEOUT = 2.0

Progress = Callable[[int, int], object]


def verify(
    server: Endpoint,
    plan: Plan,
    *,
    formats: Collection[str] = (),
    control: Endpoint | None = None,
    control_name: Name = CONTROL_NAME,
    rate: float | None = None,
    progress: Progress | None = None,
) -> Report:
    """Ask `server` what is planned, and compare with the policy.

    `control` is a resolver without the list: it is asked what the server's answers leave open. `rate` is in queries a
    second, 0 for no limit, None for a considerate one. `progress` is called with the numbers of questions asked and to
    ask.

    Raises UsageError when there is nothing to verify or a format is unknown, Inexpressible when a format cannot hold
    this policy, EnvironmentFault when `control_name` does not resolve before, during and after, or no reply tells
    anything.
    """
    blockset, asked = plan.blockset, plan.questions
    _refuse_the_pointless(blockset, control_name)
    losses = limits(formats, blockset)
    session = _Session(server, control_name, _rate(rate, formats, len(asked)), progress)
    session.check_control("before the questions")
    calibration, canary = _calibrate(session, plan)
    replies = session.ask_all(asked)
    findings = judge(asked, replies, calibration, limits=losses)
    open_ends = [finding.question for finding in findings if needs_control(finding)]
    compared: dict[Question, Reply | None] = {}
    if control and open_ends:
        world = _Session(control, control_name, session.rate, None)
        world.check_control("before the comparison")
        compared = dict(zip(open_ends, world.ask_all(open_ends), strict=True))
        findings = judge(asked, replies, calibration, compared, losses)
    findings = mark(findings, replies, blockset, formats, compared)
    return _report(server, blockset, formats, canary, findings)


class _Session:
    """One server, asked in chunks, with the control name between them."""

    def __init__(self, server: Endpoint, control_name: Name, rate: float, progress: Progress | None) -> None:
        self.server, self.control_name, self.rate, self.progress = server, control_name, rate, progress

    def ask(self, pairs: Sequence[tuple[str, str]], *, tcp: bool = False) -> list[Reply | None]:
        return ask_many(
            self.server.port,
            pairs,
            host=self.server.host,
            tcp=tcp,
            timeout=_TIMEOUT,
            rate=self.rate,
            window=_WINDOW if self.rate else 2 * _WINDOW,
        )

    def ask_all(self, asked: Sequence[Question]) -> list[Reply | None]:
        """Return the replies in the questions' order. Raises EnvironmentFault when the control name stops resolving."""
        replies: list[Reply | None] = [None] * len(asked)
        done = 0
        for tcp in (False, True):
            for chunk in self._chunks([i for i, question in enumerate(asked) if question.tcp == tcp]):
                pairs = [(asked[i].name, asked[i].rdtype) for i in chunk]
                for i, reply in zip(chunk, self.ask(pairs, tcp=tcp), strict=True):
                    replies[i] = reply
                self.check_control("between questions")
                done += len(chunk)
                if self.progress:
                    self.progress(done, len(asked))
        self.check_control("after the questions")
        return replies

    def _chunks(self, indices: Sequence[int]) -> Iterator[Sequence[int]]:
        size = _CHUNK if self.rate else _CHUNK_UNLIMITED
        return (indices[start : start + size] for start in range(0, len(indices), size))

    def check_control(self, when: str) -> None:
        """Raise EnvironmentFault unless the control name has an address that is no block."""
        reply = ask_many(self.server.port, [(self.control_name, "A")], host=self.server.host, timeout=_TIMEOUT)[0]
        found = read_reply(self.control_name, "apex", reply, Calibration())
        if reply and found.reading is Reading.OPEN and reply.answers:
            return
        tip = "name one that this server resolves with --control-name; an answer proves nothing while nothing resolves"
        if reply is None:
            tip = "is a DNS server running there, and may this machine ask it?"
        elif reply.rcode == "REFUSED":
            tip = f"may this machine ask it? A rate limit refuses too: try --rate {PIHOLE_RATE}"
        where = f"on {self.server} {when}"
        raise EnvironmentFault(f"control name {self.control_name} does not resolve {where}: {found.why}", tip=tip)


def _refuse_the_pointless(blockset: BlockSet, control_name: Name) -> None:
    action = blockset.policy.action
    if action and action.default in NON_BLOCKING:
        raise UsageError(f"policy {blockset.policy.id} has action {action.default}: it blocks nothing to verify")
    if not any(answer.self_blocked for answer in blockset.owners.values()):
        raise UsageError(f"policy {blockset.policy.id} blocks no name: nothing to verify")
    if decide(blockset.owners, control_name):
        raise UsageError(
            f"control name {control_name} is blocked by the policy itself", tip="choose another --control-name"
        )


def _rate(rate: float | None, formats: Collection[str], asked: int) -> float:
    if rate is not None:
        return rate
    return PIHOLE_RATE if "pihole" in formats and asked > 900 else RATE


def _calibrate(session: _Session, plan: Plan) -> tuple[Calibration, Evidence]:
    """Ask for the canary and for names that do not exist; return what answers mean here and what the canary's says."""
    blockset, nonce = plan.blockset, plan.nonce
    pairs = [(f"{nonce}.{CANARY_PARENT}", "A"), (f"{nonce}.{session.control_name}", "A")]
    pairs += [(blockset.canary, "A"), (blockset.canary, "AAAA")]
    *denied, a, aaaa = session.ask(pairs)
    calibration = calibrate(blockset.policy, (a, aaaa), denied)
    # Nobody has a canary: whatever denies it without a zone's SOA is the list, as with a fresh child.
    return calibration, read_reply(blockset.canary, "child", a, calibration)


def _report(
    server: Endpoint, blockset: BlockSet, formats: Collection[str], canary: Evidence, findings: tuple[Finding, ...]
) -> Report:
    loaded = {Reading.BLOCKED: True, Reading.OPEN: False, Reading.UNCLEAR: None}[canary.reading]
    policy = blockset.policy.id
    report = Report(str(server), policy, tuple(formats), blockset.canary, loaded, canary.why, findings)
    if not report.decided:
        raise EnvironmentFault(
            f"no reply of {server} tells whether it blocks anything: {findings[0].why}",
            tip="compare with a resolver that has no list: --control RESOLVER",
        )
    return report
