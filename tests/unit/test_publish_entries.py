"""What a list's entries say about a name equals what the compiler's reference says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aidns.blockset import answers, decide, minimise
from aidns.model import Rule
from aidns.names import Name
from aidns.publish.entries import blocks, by_name

NAMES = ["a.b", "x.a.b", "y.x.a.b", "z.y.x.a.b", "c.b", "x.c.b"]

rules = st.lists(
    st.builds(
        Rule,
        name=st.sampled_from(NAMES).map(Name),
        scope=st.sampled_from(["subtree", "exact"]),
        blocks=st.booleans(),
        origin=st.just("s"),
        reason=st.just("r"),
    ),
    max_size=6,
)


@given(rules)
def test_entries_decide_every_name_as_the_block_set_does(drawn: list[Rule]) -> None:
    owners = minimise(answers(drawn))
    said = by_name(
        f"{'block' if a.self_blocked else 'allow'} {'subtree' if a.self_blocked == a.below_blocked else 'exact'} {n}"
        for n, a in owners.items()
    )
    for name in [*NAMES, "deep.z.y.x.a.b", "other.c.b", "b"]:
        assert blocks(said, name) == decide(owners, name), name


def test_names_come_in_label_order_whatever_the_order_of_entries() -> None:
    said = by_name(["block subtree z.example.ai", "allow exact b.example.ai", "block subtree example.ai"])
    assert list(said.items()) == [
        ("example.ai", "block subtree"),
        ("b.example.ai", "allow exact"),
        ("z.example.ai", "block subtree"),
    ]
