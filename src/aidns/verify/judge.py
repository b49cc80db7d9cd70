"""Read replies: is a name blocked here, does it get through, or can nobody tell? Pure.

Blocked is what only a filter says: a null or garden address, an extended error 15 to 18 without data, the SOA of a
policy zone in ADDITIONAL, a negative answer without any SOA though RFC 2308 §3 demands one, or with an SOA that no zone
can have. Open is what only the real world says: data, or a negative answer with the SOA of the name's own zone.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Literal

from msgspec import Struct, structs

from aidns.model import Garden, Policy
from aidns.names import at_or_below, printable
from aidns.verify.limits import NONE, Limits, is_declared
from aidns.verify.questions import FRESH, Place, Question
from aidns.wire import Ede, Record, Reply

NULL = frozenset({"0.0.0.0", "::"})  # noqa: S104 - read, never bound
FILTER_ERRORS = frozenset({15, 16, 17, 18})
"""Blocked, censored, filtered, prohibited (RFC 8914 §4.16 to §4.19)."""
_MADE_UP_MNAMES = ("localhost", "fake-for-negative-caching.adguard.com")
_MADE_UP_RNAME_TLD = "invalid"
"""Knot Resolver and unbound examples name `nobody.invalid` as the person in charge of a blocked name."""


class Reading(StrEnum):
    """What one reply says about its name, whatever the policy wants."""

    BLOCKED = "blocked"
    OPEN = "open"
    UNCLEAR = "unclear"


class Evidence(Struct, frozen=True, gc=False):
    """A reading and the reason for it, one printable line."""

    reading: Reading
    why: str
    missing_soa: bool = False
    """NODATA without SOA at a name that may exist: sloppy zones do that too, so other replies must decide."""


class Calibration(Struct, frozen=True):
    """What answers mean on one server."""

    block_data: frozenset[str] = NULL
    """Addresses and CNAME targets that stand for a block."""
    refused_blocks: bool = False
    nodata_blocks: bool = False
    """The policy's own action is NODATA."""
    gives_soa: bool = True
    """Genuine negative answers carry their SOA on this server; else its absence says nothing."""
    errors_decide: bool = True
    """Extended errors mean a block; PowerDNS puts them on what its policy zone lets through, too."""


Outcome = Literal["blocked", "open", "leaked", "over-blocked", "declared", "inconclusive"]
OUTCOMES: tuple[Outcome, ...] = ("blocked", "open", "leaked", "over-blocked", "declared", "inconclusive")
"""As the policy says: blocked, open. Against it: leaked, over-blocked, or declared by the format. Else inconclusive."""


class Finding(Struct, frozen=True, gc=False):
    """One question and how the server stands to the policy in it."""

    question: Question
    outcome: Outcome
    why: str


def calibrate(policy: Policy, canary: Iterable[Reply | None], denied: Iterable[Reply | None]) -> Calibration:
    """Return what answers mean, from the policy's action and the answers for the canary and for names that don't exist.

    What the canary alone is answered with is the server's own block address (Pi-hole's mode IP); what names that don't
    exist are answered with, too, is not.
    """
    replies = [reply for reply in denied if reply]
    negatives = [reply for reply in replies if reply.rcode in ("NOERROR", "NXDOMAIN") and not reply.answers]
    action = policy.action
    actions = {action.default, *action.fallback} if action else set()
    data = _data(canary) - _data(replies) | NULL | _garden_data(action.walled_garden if action else Garden())
    return Calibration(
        block_data=data,
        refused_blocks="refuse" in actions,
        nodata_blocks="nodata" in actions,
        gives_soa=not negatives or any(reply.authority_soa for reply in negatives),
    )


def _data(replies: Iterable[Reply | None]) -> frozenset[str]:
    return frozenset(record.data for reply in replies if reply for record in reply.answers)


def _garden_data(garden: Garden) -> frozenset[str]:
    addresses = (str(ipaddress.ip_address(address)) for address in (garden.a, garden.aaaa) if address)
    return frozenset((*addresses, garden.cname.lower().rstrip("."))) - {""}


def read_reply(name: str, place: Place, reply: Reply | None, calibration: Calibration) -> Evidence:
    """Return what a reply about `name` says; `place` tells whether anybody can have asked for it before."""
    if reply is None:
        return Evidence(Reading.UNCLEAR, "no reply")
    if reply.additional_soa:
        return Evidence(Reading.BLOCKED, f"SOA of policy zone {reply.additional_soa.name}")
    if reply.rcode == "REFUSED":
        return Evidence(Reading.BLOCKED if calibration.refused_blocks else Reading.UNCLEAR, "REFUSED")
    if stand_in := _stand_in(reply, calibration):
        return Evidence(Reading.BLOCKED, f"answered {stand_in}")
    if reply.answers:
        real = next((one for one in reversed(reply.answers) if one.data not in NULL), reply.answers[-1])
        return Evidence(Reading.OPEN, printable(f"answered {real.rdtype} {real.data}", 120))
    if calibration.errors_decide and (error := _filter_error(reply)):
        return Evidence(Reading.BLOCKED, printable(f"extended error {error.code} {error.text}", 120))
    if reply.rcode not in ("NOERROR", "NXDOMAIN"):
        return Evidence(Reading.UNCLEAR, reply.rcode)
    return _read_negative(name, place, reply, calibration)


def _stand_in(reply: Reply, calibration: Calibration) -> str:
    """Return what stands for a block in an answer; nothing where a real address stands beside a null one."""
    if not reply.answers:
        return ""
    found = [record for record in reply.answers if record.data in calibration.block_data]
    addresses = {record.data for record in reply.answers if record.rdtype in ("A", "AAAA")}
    if not found or (all(one.rdtype != "CNAME" for one in found) and not addresses <= calibration.block_data):
        return ""
    return found[0].data


def _filter_error(reply: Reply) -> Ede | None:
    return next((error for error in reply.ede if error.code in FILTER_ERRORS), None)


def _read_negative(name: str, place: Place, reply: Reply, calibration: Calibration) -> Evidence:
    shape = "NXDOMAIN" if reply.rcode == "NXDOMAIN" else "NODATA"
    soa = reply.authority_soa
    if soa:
        if impossible := _why_no_zone(name, shape, place, soa):
            return Evidence(Reading.BLOCKED, f"{shape} with {impossible}")
        return Evidence(Reading.OPEN, f"{shape} of zone {soa.name}")
    why = f"{shape} without SOA"
    if not calibration.gives_soa:
        return Evidence(Reading.UNCLEAR, f"{why}, as this server's genuine ones", missing_soa=shape == "NODATA")
    if shape == "NXDOMAIN" or place in FRESH or calibration.nodata_blocks:
        return Evidence(Reading.BLOCKED, why)
    return Evidence(Reading.UNCLEAR, why, missing_soa=True)


def _why_no_zone(name: str, shape: str, place: Place, soa: Record) -> str:
    """Return why no zone can have sent this SOA, else ""."""
    mname, rname = soa.data.split(" ")[:2]
    if mname in _MADE_UP_MNAMES or at_or_below(rname, _MADE_UP_RNAME_TLD):
        return f"an SOA made up by a filter ({mname} {rname})"
    if soa.name != "." and not at_or_below(name, soa.name):
        return f"the SOA of {soa.name}, which is not above the name"
    if soa.name == name and (shape == "NXDOMAIN" or place in FRESH):
        return "an SOA of the denied name itself"
    return ""


def judge(
    questions: Sequence[Question],
    replies: Sequence[Reply | None],
    calibration: Calibration,
    control: Mapping[Question, Reply | None] | None = None,
    limits: Limits = NONE,
) -> tuple[Finding, ...]:
    """Return a finding for every question.

    `control` holds what a resolver without the list replied, where asked; `limits` what the formats loaded declare.
    """
    calibration = structs.replace(calibration, errors_decide=not _tags_what_passes(replies, calibration))
    first = [read_reply(q.name, q.place, reply, calibration) for q, reply in zip(questions, replies, strict=True)]
    evidence = _settle_by_neighbours(questions, first)
    if control:
        evidence = [
            _settle_by_control(q, found, reply, control[q], calibration) if q in control else found
            for q, found, reply in zip(questions, evidence, replies, strict=True)
        ]
    return tuple(_finding(q, found, limits) for q, found in zip(questions, evidence, strict=True))


def _tags_what_passes(replies: Iterable[Reply | None], calibration: Calibration) -> bool:
    """Tell whether real data came back with an extended error that elsewhere means a block."""
    passed = (reply for reply in replies if reply and reply.ede and reply.answers and _filter_error(reply))
    return any(calibration.block_data.isdisjoint(record.data for record in reply.answers) for reply in passed)


def needs_control(finding: Finding) -> bool:
    """Tell whether a resolver without the list should be asked the same."""
    return finding.outcome in ("inconclusive", "over-blocked")


def _settle_by_neighbours(questions: Sequence[Question], evidence: Sequence[Evidence]) -> list[Evidence]:
    """Decide NODATA without SOA by other types of the same name, or by its fresh child, where these are clear."""
    if not any(found.missing_soa for found in evidence):
        return list(evidence)
    blocked = {str(q.name) for q, found in zip(questions, evidence, strict=True) if found.reading is Reading.BLOCKED}
    opened = {q.name for q, found in zip(questions, evidence, strict=True) if found.reading is Reading.OPEN}
    blocked |= {q.name.partition(".")[2] for q in questions if q.place == "child" and q.name in blocked}
    return [
        Evidence(Reading.BLOCKED, f"{found.why}, like its other answers")
        if found.missing_soa and q.name in blocked and q.name not in opened
        else found
        for q, found in zip(questions, evidence, strict=True)
    ]


def _settle_by_control(
    question: Question, found: Evidence, reply: Reply | None, control: Reply | None, calibration: Calibration
) -> Evidence:
    """Compare with a resolver without the list: what both say is the world's answer, not this server's."""
    world = read_reply(question.name, question.place, control, Calibration())
    if found.reading is Reading.BLOCKED:
        if question.blocked or world.reading is not Reading.BLOCKED:
            return found
        return Evidence(Reading.UNCLEAR, f"{found.why}; the control resolver: {world.why}")
    negative = reply is not None and reply.rcode in ("NOERROR", "NXDOMAIN") and not reply.answers
    differs = control is not None and (bool(control.answers) or (found.missing_soa and calibration.gives_soa))
    if found.reading is Reading.UNCLEAR and negative and differs and world.reading is Reading.OPEN:
        return Evidence(Reading.BLOCKED, f"{found.why}; the control resolver: {world.why}")
    return found


def _finding(question: Question, found: Evidence, limits: Limits) -> Finding:
    if found.reading is Reading.UNCLEAR:
        return Finding(question, "inconclusive", found.why)
    blocked = found.reading is Reading.BLOCKED
    if blocked == question.blocked:
        return Finding(question, "blocked" if blocked else "open", found.why)
    if is_declared(limits, question.name, question.rdtype, question.blocked):
        return Finding(question, "declared", found.why)
    return Finding(question, "over-blocked" if blocked else "leaked", found.why)
