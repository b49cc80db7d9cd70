"""A rejected name is not listed, and a rejected subtree holds no listed name."""

from __future__ import annotations

from collections.abc import Iterator

from aidns import names
from aidns.catalog.lint.finding import Finding, placed
from aidns.model import Catalog


def check(catalog: Catalog) -> Iterator[Finding]:
    """Yield rejections that contradict a listed name, rejected names in no canonical form, and repetitions."""
    listed = {entry.name for entry in catalog.names}
    above = {ancestor for name in listed for ancestor in names.ancestors(name)}
    seen: set[str] = set()
    for (path, field), rejected in placed(catalog, "rejected"):
        try:
            name = names.parse(rejected.name)
        except names.InvalidName as error:
            yield Finding(path, f"{field}.name", error.message, error.tip)
            continue
        if name in listed:
            yield Finding(path, f"{field}.name", f"{name} is listed, too", "take it out here or there")
        if rejected.scope == "subtree" and name in above:
            yield Finding(
                path,
                f"{field}.name",
                f"{name} is rejected as a subtree, but a name below it is listed",
                "reject it exactly",
            )
        if name in seen:
            yield Finding(path, f"{field}.name", f"{name} is rejected twice", "keep one entry")
        seen.add(name)
