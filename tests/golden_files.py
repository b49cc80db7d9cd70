"""The golden files: which policy of the sample in which format, and where each lies."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from aidns.render.base import Inexpressible
from aidns.render.formats import FORMATS
from samples import artefact

ROOT = Path(__file__).parent / "golden"
REFUSALS = ROOT / "refusals.expected"
_ANSWERING = ("pihole", "pihole-allow", "unbound", "rpz", "rpz-allow", "hosts", "dnsmasq", "dnsmasq-servers")
_EVERYWHERE = ("office", "open")
"""Blocks, exact names, exceptions, a block below one, a tenant, an underscore; and the same without nesting."""
_ACTIONS = ("stricter", "watch", "garden", "garden-name", "guard")
"""Null, log-only, a walled garden by address and by name, bypass names."""
CASES = tuple((p, f) for f in FORMATS for p in (*_EVERYWHERE, *(_ACTIONS if f in _ANSWERING else ())))


def path_of(policy: str, fmt: str) -> Path:
    """Return where a golden file lies."""
    return ROOT / fmt / f"{policy}.expected"


@cache
def text_of(policy: str, fmt: str) -> str:
    """Return the list that is made today. Raises Inexpressible when there is none."""
    return artefact(policy, fmt).text


def refusal_of(policy: str, fmt: str) -> str:
    """Return why a format refuses a policy; empty when it does not."""
    try:
        text_of(policy, fmt)
    except Inexpressible as refusal:
        return refusal.message
    return ""
