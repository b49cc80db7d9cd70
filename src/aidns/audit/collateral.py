"""Names that no list should block: public suffixes, shared infrastructure, canaries given an address. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from msgspec import Struct

from aidns import psl
from aidns.audit.entries import BLOCKS, TREES, by_name, shown_name
from aidns.audit.finding import Fault, Findings
from aidns.names import Name, ancestors

PUBLIC_SUFFIX = Fault(
    "public-suffix",
    "error",
    "a name under which the public registers domains",
    ("all that take it as a tree: block every domain there",),
    "list the domains that are meant",
)
PRIVATE_SUFFIX = Fault(
    "private-suffix",
    "note",
    "strangers publish under this name, or below it",
    ("all that take it as a tree: block their sites, too",),
)
SHARED = Fault(
    "shared-name",
    "error",
    "infrastructure that unrelated services share",
    ("all: break what uses it",),
    "list the names of the service that is meant",
)
CANARY = Fault(
    "canary-with-address",
    "error",
    "a name whose negative answer has a meaning gets an address, which means the opposite",
    ("Firefox: takes any address as leave to bypass this resolver", "iCloud Private Relay: delays"),
    "answer it with NXDOMAIN, or leave it out",
)
CANARY_MAYBE = Fault(
    "canary-listed",
    "warning",
    "a name whose negative answer has a meaning stands in a list whose reader may answer with an address",
    ("AdGuard Home, blocky, Pi-hole by default: answer 0.0.0.0", "those that answer NXDOMAIN: fine"),
    "answer it with NXDOMAIN, or leave it out",
)


class Protected(Struct, frozen=True):
    """What the catalogue knows of names that no list should block: name -> what breaks."""

    shared: Mapping[Name, str]
    canaries: Mapping[Name, str]


def check_collateral(
    keys: Iterable[str],
    protected: Protected,
    canary_fault: Callable[[Name], Fault | None],
    line_of: Callable[[str], int],
    found: Findings,
) -> None:
    """Find blocked names that hit bystanders, in sorted keys. `canary_fault` judges how a canary is answered."""
    above = _above(protected.shared)
    suffixes = _Suffixes()
    for bare, letters in by_name(keys):
        if not BLOCKS.intersection(letters):
            continue
        name = shown_name(bare)
        line = partial(line_of, name)
        tree = not TREES.isdisjoint(letters)
        if suffixes.holds(name):
            found.add(PUBLIC_SUFFIX, name, line)
        elif (suffix := psl.covered_private_suffix(name)) and (tree or suffix == name):
            found.add(PRIVATE_SUFFIX, name, line, "" if suffix == name else f"covers {suffix}")
        if name in protected.shared:
            found.add(SHARED, name, line, protected.shared[name])
        elif tree and name in above:
            found.add(SHARED, name, line, f"covers {above[name]}: {protected.shared[above[name]]}")
        if name in protected.canaries and (fault := canary_fault(name)) is not None:
            found.add(fault, name, line, protected.canaries[name])


def _above(shared: Mapping[Name, str]) -> dict[Name, Name]:
    return {above: name for name in sorted(shared, reverse=True) for above in ancestors(name)}


class _Suffixes:
    """Asks for ICANN suffixes, but never below a name that is none: nothing there can be one."""

    def __init__(self) -> None:
        self._parents: dict[str, bool] = {}

    def holds(self, name: Name) -> bool:
        _, _, parent = name.partition(".")
        known = self._parents.get(parent)
        if known is None:
            known = self._parents[parent] = psl.is_public_suffix(parent)
        return known and psl.is_public_suffix(name)
