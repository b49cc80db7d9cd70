"""Measures cite what can be followed, and their dates are in order."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aidns.catalog.lint.evidence import unfollowable
from aidns.catalog.lint.finding import Finding
from aidns.model import Catalog

_SEED = re.compile(r"seed:\d{3}_[0-9a-f]{16}\Z")
"""A news report kept by the maintainers and described in SOURCES.md."""


def check(catalog: Catalog) -> Iterator[Finding]:
    """Yield citations that cannot be followed and dates that run backwards."""
    for measure in catalog.measures.values():
        path = f"measures/{measure.id}.toml"
        cited = [(f"citations[{i}]", c.source) for i, c in enumerate(measure.citations)]
        cited += [(f"wording[{i}]", w.source) for i, w in enumerate(measure.wording)]
        for field, source in cited:
            if not _SEED.match(source) and (why := unfollowable(source)):
                yield Finding(
                    path, field, f"{source!r} {why}", "write the public https address, or seed:ID of SOURCES.md"
                )
        if measure.until and measure.since.date and measure.until < measure.since.date:
            yield Finding(path, "until", f"{measure.until} is before since = {measure.since}", "swap or mend the dates")
        if measure.status in ("lifted", "reversed") and measure.until is None:
            yield Finding(path, "status", f"is {measure.status} without an end", "add until = DATE")
