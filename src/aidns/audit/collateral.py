"""Names that no list should block: public suffixes, shared infrastructure, canaries given an address. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from msgspec import Struct

from aidns import psl
from aidns.audit.entries import BLOCKS, TREES, by_name, shown_name
from aidns.audit.finding import Fault, Findings
from aidns.lists.keys import END, SEP, key_of
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
    keys: Sequence[str],
    protected: Protected,
    canary_fault: Callable[[Name], Fault | None],
    line_of: Callable[[str], int],
    found: Findings,
) -> None:
    """Find blocked names that hit bystanders, in sorted keys. `canary_fault` judges how a canary is answered."""
    above = {above: name for name in sorted(protected.shared, reverse=True) for above in ancestors(name)}
    listed, parents = psl.near_suffixes()
    remarkable = {*listed, *protected.shared, *above, *protected.canaries}
    for bare, letters in by_name(_entries(keys, remarkable, parents)):
        if not BLOCKS.intersection(letters):
            continue
        name = shown_name(bare)
        line = partial(line_of, name)
        tree = not TREES.isdisjoint(letters)
        if psl.is_public_suffix(name):
            found.add(PUBLIC_SUFFIX, name, line)
        elif (suffix := psl.covered_private_suffix(name)) and (tree or suffix == name):
            found.add(PRIVATE_SUFFIX, name, line, "" if suffix == name else f"covers {suffix}")
        if name in protected.shared:
            found.add(SHARED, name, line, protected.shared[name])
        elif tree and name in above:
            found.add(SHARED, name, line, f"covers {above[name]}: {protected.shared[above[name]]}")
        if name in protected.canaries and (fault := canary_fault(name)) is not None:
            found.add(fault, name, line, protected.canaries[name])


def _entries(keys: Sequence[str], wanted: Iterable[Name], parents: Iterable[Name]) -> list[str]:
    """Return, sorted, the keys of the names that are wanted or right below one of `parents`."""
    some: set[str] = set()
    for name in wanted:
        bare = key_of(name, "")
        some.update(keys[(start := bisect_left(keys, bare)) : bisect_left(keys, bare + SEP, start)])
    for name in parents:
        top = key_of(name, "") + SEP
        tree = keys[bisect_left(keys, top) : bisect_left(keys, key_of(name, "") + END)]
        some.update(key for key in tree if SEP not in key[len(top) :])
    return sorted(some)
