"""Ways of lowering a block set that several formats share."""

from __future__ import annotations

from aidns import names
from aidns.blockset import decide, nearest
from aidns.model import Answer, BlockSet, Weakened
from aidns.names import Name
from aidns.render.base import Body, Row, entry, loss

SUBTREE, EXACT = "subtree", "exact"


def every_owner(blockset: BlockSet) -> Body:
    """Return the minimal owners as they are, for formats in which the longest listed name wins.

    `answer` and `below` are "block" or "pass".
    """
    rows = tuple(Row(n, word(a.self_blocked), word(a.below_blocked)) for n, a in blockset.minimal.items())
    return Body(rows=rows, entries=tuple(rule_entry(n, a) for n, a in blockset.minimal.items()))


def blocks_alone(blockset: BlockSet, *, exact: bool, remedy: str = "") -> Body:
    """Return the blocked owners for formats without exceptions: `answer` is "subtree" or "exact".

    Without `exact`, an exact name becomes its subtree. `remedy` says how a reader gets the exceptions after all.
    """
    chosen = {
        name: SUBTREE if answer.below_blocked or not exact else EXACT
        for name, answer in blockset.minimal.items()
        if (answer.self_blocked or answer.below_blocked) and not below_a_tree(blockset, name)
    }
    widened = [] if exact else [n for n in chosen if not blockset.minimal[n].below_blocked]
    if widened:
        chosen = {n: how for n, how in chosen.items() if not any(above in chosen for above in names.ancestors(n))}
    excepted = [name for name, answer in blockset.minimal.items() if not answer.self_blocked]
    return Body(
        rows=tuple(Row(name, how) for name, how in chosen.items()),
        entries=tuple(entry(name, blocks=True, exact=how == EXACT) for name, how in chosen.items()),
        weakened=(
            *loss("exception", "over-block", excepted, remedy or "has no exceptions, so these stay blocked"),
            *loss("exact", "over-block", widened, "takes no exact names, so everything below them is blocked, too"),
        ),
    )


def exceptions_alone(blockset: BlockSet) -> Body:
    """Return the exceptions for consumers in which an allow entry beats every block: `answer` as in `blocks_alone`.

    An exception with a block below it is written as its known names, each exactly, for the tree would undo the block.
    """
    above_blocks = {a for n, answer in blockset.minimal.items() if _blocks_any(answer) for a in names.ancestors(n)}
    rows: dict[Name, Row] = {}
    narrowed: list[Name] = []
    for name, answer in blockset.minimal.items():
        if answer.self_blocked:
            continue
        if not answer.below_blocked and name in above_blocks:
            narrowed.append(name)
        else:
            rows[name] = Row(name, EXACT if answer.below_blocked else SUBTREE)
    trees = set(narrowed)
    for known in blockset.known:
        if not trees.isdisjoint((known, *names.ancestors(known))) and not decide(blockset.minimal, known):
            rows.setdefault(known, Row(known, EXACT))
    ordered = tuple(rows[name] for name in sorted(rows, key=names.sort_key))
    return Body(
        rows=ordered,
        entries=tuple(entry(row.name, blocks=False, exact=row.answer == EXACT) for row in ordered),
        weakened=loss(
            "exception",
            "over-block",
            narrowed,
            "lies above a block, so only its known names are allowed, not what else lies below it",
        ),
    )


def known_names(blockset: BlockSet) -> tuple[list[Name], tuple[Weakened, ...]]:
    """Return every known name that is blocked, `www.` of each blocked tree included, and what listing them loses."""
    trees = [name for name, answer in blockset.minimal.items() if answer.below_blocked]
    candidates = {*blockset.known, *(www for name in trees if (www := _www(name)))}
    blocked = sorted((n for n in candidates if decide(blockset.minimal, n)), key=names.sort_key)
    return blocked, loss("subtree", "leak", trees, "only names known here are blocked below it")


def below_a_tree(blockset: BlockSet, name: Name) -> bool:
    """Tell whether an owner above blocks its tree: without longest match a deeper block adds nothing."""
    above = nearest(blockset.minimal, name)
    while above is not None:
        if blockset.minimal[above].below_blocked:
            return True
        above = nearest(blockset.minimal, above)
    return False


def _blocks_any(answer: Answer) -> bool:
    return answer.self_blocked or answer.below_blocked


def rule_entry(name: Name, answer: Answer) -> str:
    """Return an owner in the notation of plans."""
    return entry(name, blocks=answer.self_blocked, exact=answer.self_blocked != answer.below_blocked)


def word(blocked: bool) -> str:
    """Return what a template reads for an answer."""
    return "block" if blocked else "pass"


def _www(name: Name) -> Name | None:
    """Return `www.` of a tree's apex; None where that would be no name of a web site."""
    if name.startswith("www.") or len(name) + 4 > names.MAX_NAME:
        return None
    return Name(f"www.{name}")
