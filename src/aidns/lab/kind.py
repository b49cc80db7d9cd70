"""What a kind of server is to the lab. Pure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

ALLOW_ZONE = "allow.aidns"
"""Name of the policy zone that an allow file is loaded as."""


class Setup(Struct, frozen=True):
    """Where a server runs and what it loads; the files lie in `folder` under the names given."""

    folder: Path
    port: int
    upstream: int
    lists: tuple[str, ...]
    allow: str = ""

    def path(self, name: str) -> str:
        """Return the path of a file in the folder."""
        return str(self.folder / name)

    @property
    def zones(self) -> tuple[tuple[str, str], ...]:
        """Policy zone and file name of each list, the allow file first: the first zone with a match wins."""
        allow = ((ALLOW_ZONE, self.allow),) if self.allow else ()
        return (*allow, *((rpz_zone(i), name) for i, name in enumerate(self.lists)))


class Kind(Struct, frozen=True):
    """How to configure, start and check one server with one format."""

    id: str
    format: str
    """Id of the format of the lists it loads."""
    package: str
    """What Debian calls the packages that it needs."""
    programs: tuple[str, ...]
    config: Callable[[Setup], dict[str, str]]
    """File name -> text of every file the server needs besides the lists."""
    command: Callable[[Setup], list[str]]
    check: Callable[[Setup], list[str]] | None = None
    """Command of the server's own checker for the first list."""
    clean: str = ""
    """Pattern of the lines that the checker prints when nothing is wrong."""
    takes_allow: bool = False
    denies_canary: bool = False
    """The list cannot answer the canary positively: it is denied, without the SOA that the upstream would give."""
    forwards_exceptions: bool = True
    """False: exceptions are resolved past the upstream, so that here only lists without any can be tried."""
    follows_garden_names: bool = True
    """False: a walled garden that is a name blocks nothing."""


def rpz_zone(index: int) -> str:
    """Return the name of the policy zone for the list at `index`."""
    return f"rpz{index or ''}.aidns"
