"""`explain` looks at the rules about one name alone, and answers as the whole block set does."""

from __future__ import annotations

import datetime as dt

import pytest
from msgspec import structs

from aidns import names
from aidns.blockset import compile_selection
from aidns.errors import DataError
from aidns.explain import _about, _caught, explain
from aidns.model import InlineBlock
from aidns.names import Name
from aidns.policy import client_scopes, select
from samples import TODAY, catalog, policy

WHOLE = catalog()
ASKED = sorted({n for e in WHOLE.names for n in (e.name, Name(f"www.{e.name}"), *names.ancestors(e.name))})


@pytest.mark.parametrize("policy_id", WHOLE.policies)
def test_rules_about_other_names_change_nothing(policy_id: str) -> None:
    """For each listed name, a name below it and all above it, in every scope."""
    of = policy(policy_id, WHOLE)
    for scope in client_scopes(of):
        selection = select(WHOLE, of, TODAY, scope)
        whole = compile_selection(selection, {})
        for name in ASKED:
            assert _caught(compile_selection(_about(name, selection), {}), name) == _caught(whole, name)


def test_a_policy_that_cannot_be_compiled_is_refused_for_any_name() -> None:
    of = structs.replace(policy("office"), block=(InlineBlock(name="x.aidns-canary.example", reason="a canary"),))
    with pytest.raises(DataError, match="belongs to canaries"):
        explain(WHOLE, Name("elsewhere.example"), [of], dt.date(2026, 11, 22), {})
