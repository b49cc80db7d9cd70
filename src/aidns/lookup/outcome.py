"""What one answer means: data, existence, a denial that could be proof, a filter, or nothing usable. Pure.

Only DENIED can ever count towards removal, so everything doubtful is called something else. Sources: RFC 2308 (negative
answers), RFC 6604 (the rcode speaks of the last name of a CNAME chain), RFC 8914 (extended errors), RFC 8767 (stale
answers), draft-vixie-dnsop-dns-rpz §6 (a policy zone's SOA in ADDITIONAL).
"""

from __future__ import annotations

from msgspec import Struct

from aidns.model import Outcome
from aidns.names import Name, at_or_below, printable
from aidns.wire import Ede, Record, Reply

OWN_SOA_RNAME = "aidns.invalid."
"""RNAME of the SOA in our own policy zones."""
FILTER_EDES = {4: "forged answer", 15: "blocked", 16: "censored", 17: "filtered", 18: "prohibited"}
"""Extended errors that say: not the zone answered, a filter did (RFC 8914 §4.5, §4.16 to §4.19)."""
STALE_NXDOMAIN = 19
"""The authority could not be reached and an old denial was served (RFC 8914 §4.20): nothing was proven today."""
NULL_ADDRESSES = frozenset(("0.0.0.0", "::"))  # noqa: S104 - compared with, never bound to
MAX_CHAIN = 16
MAX_DATA = 32
"""Records of an answer that are kept; no real RRset of the types asked comes near."""
VALIDATED = "validated"
"""Said of an answer whose signatures the resolver says it has checked (AD, RFC 4035 §3.2.3)."""
TOLD_BY_THE_ZONE = (Outcome.DATA, Outcome.NODATA, Outcome.DENIED)

_ROOT = "."


class Finding(Struct, frozen=True, gc=False):
    """What an answer says. `subject` is the name it is about, `chain` the CNAME targets on the way, in order.

    `data` is the records of the type asked; of a denial, the zone that denies.
    """

    outcome: Outcome
    subject: Name
    detail: str = ""
    chain: tuple[str, ...] = ()
    data: tuple[str, ...] = ()


def classify(reply: Reply, name: Name, rdtype: str, *, runs_our_list: bool = False) -> Finding:
    """Return what `reply` to the question `name` `rdtype` means.

    `runs_our_list`: a canary of ours was answered positively by this resolver, or it could not be settled whether; then
    none of its negative answers is a proof.
    """
    answers = reply.answers
    if len(answers) == 1 and reply.rcode == "NOERROR" and not (reply.authority or reply.additional or reply.ede):
        record = answers[0]
        if record.name == name and record.rdtype == rdtype != "CNAME" and record.data not in NULL_ADDRESSES:
            detail = VALIDATED if "AD" in reply.flags else ""
            return Finding(Outcome.DATA, name, detail, (), (printable(record.data),))  # as below, in one step
    chain = cname_chain(reply, name)
    subject = Name(chain[-1]) if chain else name
    if len(chain) >= MAX_CHAIN:
        return Finding(Outcome.BROKEN, name, "the CNAME chain is too long or runs in a circle")
    signs = filter_signs(reply)
    if reply.rcode == "NOERROR":
        outcome, detail, data = _positive(reply, subject, rdtype, signs, runs_our_list=runs_our_list)
    else:
        outcome, detail = _negative(reply, subject, signs, runs_our_list=runs_our_list)
        soa = reply.authority_soa
        data = (printable(soa.name),) if outcome is Outcome.DENIED and soa is not None else ()
    if "AD" in reply.flags and outcome in TOLD_BY_THE_ZONE:
        detail = f"{detail}, {VALIDATED}" if detail else VALIDATED
    return Finding(outcome, subject, printable(detail) if detail else "", chain, data)


def cname_chain(reply: Reply, name: str) -> tuple[str, ...]:
    """Return the CNAME targets from `name` on, in order, at most MAX_CHAIN of them; record order does not matter."""
    targets = {}
    for record in reply.answers:
        if record.rdtype == "CNAME":
            targets[record.name] = record.data
    if not targets:
        return ()
    chain: list[str] = []
    here = name
    while here in targets and len(chain) < MAX_CHAIN:
        here = targets[here]
        chain.append(here)
    return tuple(chain)


def filter_signs(reply: Reply) -> tuple[str, ...]:
    """Return every sign that a filter made this answer, as words for people; empty when there is none."""
    if not (reply.ede or reply.authority or reply.additional):
        return ()
    signs = [_ede_text(ede) for ede in reply.ede if ede.code in FILTER_EDES]
    if (soa := reply.additional_soa) is not None:
        signs.append(f"SOA of policy zone {soa.name} in ADDITIONAL")
    soas = (record for record in (*reply.authority, *reply.additional) if record.rdtype == "SOA")
    if any(_rname(soa) == OWN_SOA_RNAME.rstrip(".") for soa in soas):
        signs.append("SOA of one of our own zones")
    return tuple(signs)


def _positive(
    reply: Reply, subject: Name, rdtype: str, signs: tuple[str, ...], *, runs_our_list: bool
) -> tuple[Outcome, str, tuple[str, ...]]:
    found = [record.data for record in reply.answers if record.rdtype == rdtype and record.name == subject]
    if len(found) > 1:
        found = sorted(set(found))[:MAX_DATA]
    data = tuple([printable(item) for item in found])
    if data and data[0] in NULL_ADDRESSES and set(data) <= NULL_ADDRESSES:
        return Outcome.FILTERED, "null address", data
    if signs:
        return Outcome.FILTERED, "; ".join(signs), data
    if data:
        return Outcome.DATA, "", data
    if runs_our_list:
        return Outcome.FILTERED, "NODATA from a resolver that runs our list", ()
    return Outcome.NODATA, "", ()


def _negative(reply: Reply, subject: Name, signs: tuple[str, ...], *, runs_our_list: bool) -> tuple[Outcome, str]:
    said = "; ".join((reply.rcode, *(_ede_text(ede) for ede in reply.ede)))
    if signs:
        return Outcome.FILTERED, f"{reply.rcode}; {'; '.join(signs)}"
    if reply.rcode in ("SERVFAIL", "REFUSED"):
        return Outcome(reply.rcode.lower()), said
    if reply.rcode != "NXDOMAIN":
        return Outcome.BROKEN, said
    if any(ede.code == STALE_NXDOMAIN for ede in reply.ede):
        return Outcome.SERVFAIL, said
    if runs_our_list:
        return Outcome.FILTERED, "NXDOMAIN from a resolver that runs our list"
    soa = reply.authority_soa
    if soa is None:
        return Outcome.FILTERED, "NXDOMAIN without SOA"
    if not _is_above(soa.name, subject):
        return Outcome.FILTERED, f"NXDOMAIN with the SOA of {soa.name}, which is not above {subject}"
    return Outcome.DENIED, f"NXDOMAIN, SOA {soa.name}"


def _is_above(owner: str, name: Name) -> bool:
    """A zone that denies a name lies above it: at its own apex a name exists (RFC 2308 §2.1)."""
    return owner == _ROOT or (owner != name and at_or_below(name, owner))


def _rname(soa: Record) -> str:
    fields = soa.data.split()
    return fields[1].lower().rstrip(".") if len(fields) > 1 else ""


def _ede_text(ede: Ede) -> str:
    meaning = FILTER_EDES.get(ede.code, "")
    return f"EDE {ede.code}{f' ({meaning})' if meaning else ''}{f': {ede.text}' if ede.text else ''}"
