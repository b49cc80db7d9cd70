"""Names that lead to blocked ones: by an alias (CNAME), or by an HTTPS or SVCB record that names another host. Pure.

A name that no rule covers may still bring a client to a blocked service. Few servers look at where an answer leads
(docs/formats.md says which), and none looks into HTTPS records.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec.structs import replace

from aidns.blockset import decide, nearest
from aidns.model import BlockSet
from aidns.names import Name
from aidns.render.consumers import CONSUMERS
from aidns.verify.judge import Finding
from aidns.verify.questions import Question
from aidns.wire import Reply

_SERVICES = ("HTTPS", "SVCB")


def mark(
    findings: Sequence[Finding],
    replies: Sequence[Reply | None],
    blockset: BlockSet,
    formats: Collection[str],
    control: Mapping[Question, Reply | None],
) -> tuple[Finding, ...]:
    """Return the findings with names that lead to blocked ones judged by that.

    Such a name leaks, unless a format of those loaded declares that its servers do not look there; a server that
    blocks it does what the policy wants. A name that a rule covers, an exception above all, is left as it is.
    """
    return tuple(
        _judged(finding, reply, blockset, formats, control.get(finding.question))
        for finding, reply in zip(findings, replies, strict=True)
    )


def _judged(
    finding: Finding, reply: Reply | None, blockset: BlockSet, formats: Collection[str], world: Reply | None
) -> Finding:
    asked = finding.question
    if asked.blocked:
        return finding
    if finding.outcome == "open":
        for rdtype, target in _targets(reply):
            if decide(blockset.owners, target) and not _is_covered(asked.name, blockset):
                outcome = "declared" if _declared(formats, rdtype) else "leaked"
                return replace(finding, outcome=outcome, why=f"leads to {target}, which is blocked ({rdtype})")
    if finding.outcome == "over-blocked" and not _is_covered(asked.name, blockset):
        if asked.place == "alias":
            return replace(finding, outcome="blocked")
        if found := next((one for _, one in _targets(world) if decide(blockset.owners, one)), ""):
            return replace(finding, outcome="blocked", why=f"{finding.why}: it leads to {found}, which is blocked")
    return finding


def _is_covered(name: Name, blockset: BlockSet) -> bool:
    return name in blockset.owners or nearest(blockset.owners, name) is not None


def _targets(reply: Reply | None) -> Iterator[tuple[str, str]]:
    """Yield rdtype and name of everything that an answer leads to."""
    for record in (*reply.answers, *reply.additional) if reply else ():
        if record.rdtype == "CNAME":
            yield "CNAME", record.data
        elif record.rdtype in _SERVICES:
            priority, target, *_ = record.data.split(" ")
            if target != ".":  # the name itself (RFC 9460 §2.5)
                yield f"{record.rdtype} {priority}", target


def _declared(formats: Collection[str], rdtype: str) -> bool:
    """Tell whether servers that read one of these formats are known to let names pass that lead to blocked ones."""
    if rdtype != "CNAME":
        return bool(formats)
    return any(c.seen.cname != "yes" for c in CONSUMERS.values() for fmt in formats if fmt in c.formats)
