"""Every format, by id, in the order in which users meet them."""

from __future__ import annotations

from collections.abc import Iterable

from aidns.errors import UsageError
from aidns.render.base import Format
from aidns.render.hosts import HOSTS
from aidns.render.pihole import PIHOLE, PIHOLE_ALLOW
from aidns.render.rpz import RPZ, RPZ_ALLOW
from aidns.render.unbound import UNBOUND

FORMATS: dict[str, Format] = {f.id: f for f in (PIHOLE, PIHOLE_ALLOW, UNBOUND, RPZ, RPZ_ALLOW, HOSTS)}


def find(format_id: str) -> Format:
    """Return a format. Raises UsageError with the nearest ids."""
    if format_id in FORMATS:
        return FORMATS[format_id]
    raise UsageError(f"there is no format {format_id!r}", tip=f"formats are {', '.join(FORMATS)}")


def find_all(format_ids: Iterable[str]) -> tuple[Format, ...]:
    """Return the formats of these ids; all of them when there are none."""
    return tuple(find(i) for i in format_ids) or tuple(FORMATS.values())
