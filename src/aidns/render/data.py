"""The block set as data, for programs that render formats of their own."""

from __future__ import annotations

from aidns.model import BlockSet
from aidns.render.base import Action, Body, Format, Row
from aidns.render.trees import every_owner

_EVERY_ACTION = ("nxdomain", "nodata", "null", "refuse", "walled-garden")


def lower(blockset: BlockSet, action: Action, zone_length: int) -> Body:
    """Return one row an owner; `data` holds what the name comes from."""
    body = every_owner(blockset)
    rows = tuple(Row(r.name, r.answer, r.below, (blockset.origins.get(r.name, "policy"),)) for r in body.rows)
    return Body(rows, body.entries)


CSV = Format(
    id="csv",
    title="comma-separated rules",
    consumers=("spreadsheets and scripts",),
    template="csv.j2",
    file_name="rules.csv",
    comment="#",
    actions=_EVERY_ACTION,
    lower=lower,
    covers="owner, answer for itself, answer for what lies below, action, origin",
    install="no server reads it",
)
JSON = Format(
    id="json",
    title="rules as JSON",
    consumers=("scripts",),
    template="json.j2",
    file_name="rules.json",
    comment="#",
    actions=_EVERY_ACTION,
    lower=lower,
    covers="owner, answer for itself, answer for what lies below, action, origin",
    install="no server reads it",
)
