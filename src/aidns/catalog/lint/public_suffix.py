"""No list takes a public suffix away: not `co.uk`, and no suffix under which strangers publish without a reason."""

from __future__ import annotations

from collections.abc import Iterator

from aidns import names, psl
from aidns.catalog.lint.finding import Finding, listed, placed
from aidns.model import Catalog, Fix


def check(catalog: Catalog) -> Iterator[Finding]:
    """Yield listed public suffixes, subtrees over private suffixes without a reason, reasons that nothing needs."""
    shared = {above for entry in catalog.shared for above in (entry.name, *names.ancestors(entry.name))}
    for path, field, entry in listed(catalog):
        if psl.is_public_suffix(entry.name):
            yield Finding(path, f"{field}.name", f"{entry.name} is a public suffix", "list the names below it")
            continue
        suffix = psl.covered_private_suffix(entry.name) if entry.scope == "subtree" else None
        if suffix and not entry.domain.covers_suffix:
            message = f"{entry.name} covers {suffix}, under which strangers publish"
            yield Finding(path, f"{field}.name", message, 'say why it must be covered: covers_suffix = "reason"')
        if entry.domain.covers_suffix and not suffix and (entry.scope == "exact" or entry.name not in shared):
            message = f"{entry.name} covers no suffix and no shared name"
            place = f"{field}.covers_suffix"
            yield Finding(path, place, message, "leave covers_suffix out", fix=Fix(place))
    for (path, field), rejected in placed(catalog, "rejected"):
        if rejected.scope == "subtree" and _is_suffix(rejected.name):
            yield Finding(
                path, f"{field}.name", f"{rejected.name} is a public suffix", "reject the names below it, exactly"
            )


def _is_suffix(text: str) -> bool:
    try:
        return psl.is_public_suffix(names.parse(text))
    except names.InvalidName:
        return True
