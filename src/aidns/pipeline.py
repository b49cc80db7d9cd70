"""The main job, as one line of calls: catalogue → selection → block set → artefacts. [I/O: reads state and policies]

    load(catalog)                         catalog/load.py    every fault, file and line
    select(catalog, policy, today)        policy.py          names to block, exceptions, what was left out and why
    judge(spans, now)                     verdict.py         live, gone, suspect … from what `check` remembered
    compile_selection(selection, verdicts) blockset.py       owner -> answers, minimal
    render(format, block set)             render/artefact.py text, counts, what the format cannot say
    plan, apply                           publish/           sorted diff, guards, one atomic switch

Asking DNS is `check`'s business (lookup/); nothing here touches the network.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from msgspec import Struct, structs

from aidns import names
from aidns.blockset import compile_selection, decide
from aidns.catalog import cache
from aidns.catalog.files import read_all
from aidns.errors import DataError, UnsafeError, UsageError, did_you_mean
from aidns.model import Artefact, BlockSet, Catalog, Policy, Problem, Rule, Selection, Standing, Verdict
from aidns.names import Name
from aidns.policy import client_scopes, expand, is_expired, select
from aidns.publish.manifest import Desired, Failure, Manifest, Skipped, VerdictInfo
from aidns.publish.serials import stamp
from aidns.render.artefact import Version, path_of, render
from aidns.render.base import EmptyList, Format, Inexpressible
from aidns.render.formats import find_all
from aidns.render.rpz import zone_length

STATE_STALE = 7 * 86400
"""Seconds after which remembered answers are worth a warning."""


class Memory(Struct, frozen=True):
    """What `check` remembered: verdicts by name, and when it last learned anything (Unix seconds, None = never)."""

    verdicts: Mapping[Name, Verdict]
    at: int | None


class Prepared(Struct, frozen=True):
    """One policy for one client scope, ready to render."""

    selection: Selection
    blockset: BlockSet
    notes: tuple[str, ...]

    @property
    def blocks(self) -> bool:
        """Whether anything is blocked."""
        return any(answer.self_blocked or answer.below_blocked for answer in self.blockset.minimal.values())


def load_sound(directories: Sequence[Path] = ()) -> Catalog:
    """Return a catalogue without any error of form or fact: what lists are made of.

    Raises DataError with every problem.
    """
    problems: list[Problem] = []
    sources = read_all(directories, problems)
    folder = cache.directory()
    if not problems and (kept := cache.find(sources, folder)):
        return kept
    from aidns.catalog.lint import lint
    from aidns.catalog.load import assemble

    loaded = assemble(sources, problems)
    if errors := [problem for problem in lint(loaded) if problem.level == "error"]:
        raise DataError(f"the catalogue has {len(errors)} error(s); nothing is rendered from it", errors)
    cache.store(sources, loaded.catalog, folder)
    return loaded.catalog


def find_policy(catalog: Catalog, reference: str) -> Policy:
    """Return a shipped policy by id, or an administrator's own by path, with what it extends written out.

    Raises UsageError for an unknown id, DataError with every problem of an own policy.
    """
    if reference in catalog.policies:
        return expand(catalog.policies[reference], catalog.policies)
    path = Path(reference)
    if path.suffix != ".toml" and "/" not in reference:
        raise UsageError(f"there is no policy {reference!r}", tip=_policy_tip(reference, catalog))
    if not path.is_file():
        raise UsageError(f"there is no policy file {reference!r}", tip=_policy_tip(path.stem, catalog))
    from aidns.catalog.lint import lint_policy
    from aidns.catalog.load import load_policy

    policy, source, problems = load_policy(path)
    if policy and policy.id in catalog.policies:
        raise UsageError(
            f"{reference} has the name of the shipped policy {policy.id!r}, whose lists it would replace",
            tip="rename the file, and write what it builds on as extends",
        )
    found = (*problems, *(lint_policy(policy, source, catalog) if policy else ()))
    if policy is None or any(problem.level == "error" for problem in found):
        raise DataError(f"policy {reference} cannot be used", found)
    beside = (structs.replace(own, path=str(path.parent / own.path)) if own.path else own for own in policy.list)
    return expand(structs.replace(policy, list=tuple(beside)), catalog.policies)


def remember(catalog: Catalog, state: Path | None, now: int) -> Memory:
    """Return the verdicts that the state file supports; no file, no verdicts, every name kept."""
    if state is None or not state.exists():
        return Memory({}, None)
    from aidns.lookup.spans import until
    from aidns.lookup.state import read_spans
    from aidns.verdict import judge, last_answer

    spans = read_spans(state)
    listed = [entry.name for entry in catalog.names if not entry.bypass]
    return Memory(judge(spans, listed, now, parking=catalog.parking), last_answer(until(spans, now)) or None)


def prepare(catalog: Catalog, policy: Policy, now: int, memory: Memory, client_scope: str | None = None) -> Prepared:
    """Select and compile one policy for one client scope, the first unless told.

    Raises UnsafeError when the policy has expired, or one of its own lists cannot be had.
    """
    today = dt.datetime.fromtimestamp(now, dt.UTC).date()
    if is_expired(policy, today):
        raise UnsafeError(
            f"policy {policy.id} expired on {policy.expires}",
            tip="what is published stays as it is; review the policy, then set a new date",
        )
    scope = client_scopes(policy)[0] if client_scope is None else client_scope
    rules, own_notes = _own_lists(policy, now) if policy.list else ((), ())
    selection = select(catalog, policy, today, scope, rules)
    blockset = compile_selection(selection, memory.verdicts)
    _check_garden(blockset)
    notes = (*selection.warnings, *own_notes, *_exception_notes(blockset), *_memory_notes(memory, now))
    return Prepared(selection, blockset, notes)


def _own_lists(policy: Policy, now: int) -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    """Return what a policy's own lists say, and what a user should know about them."""
    from aidns.lists.own import read_rules

    listed = read_rules(policy.list, now)
    return listed.rules, listed.notes


def artefact(
    catalog: Catalog,
    prepared: Prepared,
    fmt: Format,
    memory: Memory,
    version: Version,
    template: Path | None = None,
    zone: str = "",
) -> Artefact:
    """Render one prepared policy in one format; `zone` is the name of the zone it will be loaded as, if known.

    Raises Inexpressible when the format cannot express the policy, UnsafeError when nothing would be blocked.
    """
    # One label is enough for a policy zone's name, though not for a name that is listed.
    return render(fmt, prepared.blockset, catalog, memory.verdicts, version, template, zone_length(zone))


def build_artefacts(
    catalog: Catalog,
    policies: Sequence[str],
    formats: Sequence[str],
    now: int,
    state: Path | None,
    published: Manifest | None,
) -> Desired:
    """Render every policy (none given: the shipped ones) for every client scope in every format (none given: all).

    What a format cannot express is skipped with the reason, a policy that cannot be built is a failure with the
    reason; neither stops the others.
    """
    chosen = _each_once(find_policy(catalog, reference) for reference in policies or catalog.policies)
    memory = remember(catalog, state, now)
    made: list[Artefact] = []
    skipped: list[Skipped] = []
    failures: list[Failure] = []
    notes: dict[str, None] = {}
    for policy in chosen:
        try:
            scopes = [prepare(catalog, policy, now, memory, scope) for scope in client_scopes(policy)]
            if not any(prepared.blocks for prepared in scopes):
                raise EmptyList(f"policy {policy.id} blocks nothing")
        except UnsafeError as refusal:
            failures.append(Failure(policy.id, refusal.message))
            continue
        for prepared in scopes:
            notes |= dict.fromkeys(prepared.notes)
            for fmt in find_all(formats):
                stamped = partial(stamp, published, path_of(fmt, prepared.blockset), now=now)
                try:
                    made.append(artefact(catalog, prepared, fmt, memory, stamped))
                except (Inexpressible, EmptyList) as refusal:
                    skipped.append(Skipped(policy.id, fmt.id, refusal.message))
    return Desired(
        artefacts=tuple(made),
        skipped=tuple(dict.fromkeys(skipped)),
        failures=tuple(failures),
        verdicts=_verdict_info(catalog, memory),
        protected=_protected(catalog),
        must_stay={
            policy.id: tuple(names.parse(block.name) for block in policy.block) for policy in chosen if policy.block
        },
        catalog=catalog.digest,
        notes=tuple(notes),
    )


def _each_once(policies: Iterable[Policy]) -> list[Policy]:
    by_id: dict[str, Policy] = {}
    for policy in policies:
        if by_id.setdefault(policy.id, policy) != policy:
            raise UsageError(f"two policies are called {policy.id!r}", tip="the file's name is the id: rename one")
    return list(by_id.values())


def _verdict_info(catalog: Catalog, memory: Memory) -> VerdictInfo:
    standings = Counter(str(verdict.standing) for verdict in memory.verdicts.values())
    unknown = {n for n, v in memory.verdicts.items() if v.standing is Standing.UNKNOWN}
    unknown |= {entry.name for entry in catalog.names if entry.name not in memory.verdicts}
    return VerdictInfo(
        state_at=memory.at,
        counts=dict(sorted(standings.items())),
        gone=tuple(sorted(name for name, verdict in memory.verdicts.items() if verdict.removable)),
        unknown=tuple(sorted(unknown)),
    )


def _protected(catalog: Catalog) -> tuple[Name, ...]:
    """Return the shared names, without those that a listed name covers with a reason."""
    excused = {entry.name for entry in catalog.names if entry.domain.covers_suffix}
    shared = (names.parse(name) for entry in catalog.shared for name in (entry.name, *entry.cname_targets))
    return tuple(name for name in shared if excused.isdisjoint((name, *names.ancestors(name))))


def _check_garden(blockset: BlockSet) -> None:
    """Raise UnsafeError when people would be sent to a name that this very policy blocks."""
    action = blockset.policy.action
    garden = action.walled_garden.cname if action else ""
    if garden and decide(blockset.minimal, garden):
        raise UnsafeError(f"the walled garden {garden} is blocked by the policy itself", tip="except it with [[allow]]")


def _exception_notes(blockset: BlockSet) -> Iterator[str]:
    """Yield what an administrator's own exceptions do not do: cut no hole, or leave listed names below them blocked."""
    undone = {rule.name for rule in blockset.selection.rules if rule.blocks}
    for allow in blockset.policy.allow:
        name = Name(allow.name)
        if name in blockset.idle and name not in undone:
            yield f"[[allow]] {name} excepts nothing: no block of this policy covers it"
        if allow.scope != "subtree" or name not in blockset.owners:
            continue
        below = [n for n, a in blockset.minimal.items() if a.self_blocked and n != name and names.at_or_below(n, name)]
        if below:
            rest = f" and {len(below) - 1} more" if len(below) > 1 else ""
            yield f"below [[allow]] {name} stay blocked, being listed: {below[0]}{rest}; except their service, or each"


def _memory_notes(memory: Memory, now: int) -> tuple[str, ...]:
    if memory.at is None:
        return ("no name has been checked yet: all are kept",)
    age = now - memory.at
    return (f"names were last checked {age // 86400} days ago",) if age > STATE_STALE else ()


def _policy_tip(reference: str, catalog: Catalog) -> str:
    return did_you_mean(reference, catalog.policies, "aidns list policies shows them; a file ends in .toml")
