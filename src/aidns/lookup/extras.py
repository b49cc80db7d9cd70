"""What is asked beyond the listed names: their zones, random labels that betray wildcards; and in which shard. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct

from aidns import psl
from aidns.errors import UsageError
from aidns.lookup.attempt import FIRST, Question
from aidns.lookup.spans import Proven, is_wildcard
from aidns.model import Observation
from aidns.names import MAX_NAME, Name, printable

ZONE_TYPES = ("NS", "SOA", "DS")
"""Types asked once for each registrable domain: who serves it, who runs it, whether its parent says it is signed."""

_RANDOM = re.compile(r"aidns-[0-9a-f]{16}\.")


class Shard(Struct, frozen=True):
    """Part `number` of `of` equal parts of the work, counted from 1."""

    number: int = 1
    of: int = 1

    def holds(self, name: str) -> bool:
        """Tell whether a name is asked about in this shard, by the SHA-256 of the name, the same on every machine."""
        return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) % self.of == self.number - 1


def parse_shard(text: str) -> Shard:
    """Read `i/n`, such as `1/3`. Raises UsageError."""
    found = re.fullmatch(r"([1-9][0-9]{0,3})/([1-9][0-9]{0,3})", text)
    if found is None or int(found[1]) > int(found[2]):
        raise UsageError(f"{printable(text, 40)!r} is no shard", tip="write i/n: 1/3, 2/3 and 3/3 are three machines")
    return Shard(int(found[1]), int(found[2]))


def wildcard_parents(names: Iterable[Name]) -> tuple[Name, ...]:
    """Return the names below which a wildcard would make listed names answer that nobody set up.

    For a host that is the name above it; for a registrable domain, itself.
    """
    return tuple(dict.fromkeys(found for name in names if (found := wildcard_parent(name)) is not None))


def wildcard_parent(name: Name) -> Name | None:
    """Return the name below which a random label shows whether a wildcard answers for `name`; None for none."""
    zone = psl.registrable_domain(name)
    if zone is None:
        return None
    return zone if name == zone else Name(name.partition(".")[2])


def random_child(parent: Name, at: int) -> Name:
    """Return a name below `parent` that nobody set up; another one in each run, so that no cache answers."""
    word = hashlib.sha256(f"{parent} {at}".encode()).hexdigest()[:16]
    return Name(f"aidns-{word}.{parent}")


def as_recorded(seen: Observation) -> Observation:
    """Return the observation as it is remembered: what a random child showed stands under `*.parent`.

    The chain of an alias stays as it is: its names were really seen.
    """
    if not (seen.name.startswith("aidns-") and _RANDOM.match(seen.name)):
        return seen
    wildcard = Name(f"*.{seen.name.partition('.')[2]}")
    subject = wildcard if seen.subject == seen.name else seen.subject
    return msgspec.structs.replace(seen, name=wildcard, subject=subject)


class Plan(Struct, frozen=True):
    """What one run asks: `names` of its shard, `extra` questions, and what is `settled` and not asked."""

    names: tuple[Name, ...]
    extra: tuple[Question, ...]
    settled: Proven


def plan(names: Iterable[Name], resolvers: Iterable[str], known: Proven, at: int, shard: Shard) -> Plan:
    """Return what is to be asked of `resolvers` in this shard about `names`, which are all names, at `at`.

    Zones and wildcards belong to the shard of their own name, so that each is asked about in one shard only.
    """
    everything = tuple(dict.fromkeys(names))
    parents = [p for p in wildcard_parents(everything) if shard.holds(f"*.{p}") and len(p) < MAX_NAME - 24]
    zones = {psl.registrable_domain(name) for name in everything} - {None}
    resolvers = tuple(resolvers)
    mine = tuple(name for name in everything if shard.holds(name))
    elsewhere = {zone for zone in zones if zone is not None and not shard.holds(zone)}
    settled = set(known)
    settled.update((zone, rdtype, who) for zone in elsewhere for rdtype in ZONE_TYPES for who in resolvers)
    settled.update(_settled_wildcards(known, at))
    apart = _zones_of_other_names(zones, mine, shard)
    wild = (Question(random_child(parent, at), FIRST) for parent in parents)
    return Plan(mine, (*apart, *wild), frozenset(settled))


def _zones_of_other_names(zones: Iterable[Name | None], mine: Iterable[Name], shard: Shard) -> Iterator[Question]:
    """Yield the questions for zones of this shard that hold none of its names."""
    held = {psl.registrable_domain(name) for name in mine}
    for zone in sorted(zone for zone in zones if zone is not None and zone not in held and shard.holds(zone)):
        yield from (Question(zone, rdtype) for rdtype in ZONE_TYPES)


def _settled_wildcards(known: Proven, at: int) -> Iterator[tuple[str, str, str]]:
    for name, rdtype, resolver in known:
        if is_wildcard(name):
            yield random_child(Name(name[2:]), at), rdtype, resolver
