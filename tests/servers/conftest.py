"""Real servers: the `server` marker's rule, and an upstream for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aidns.lab.servers import missing
from aidns.lab.upstream import Upstream
from require import skip_or_fail


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose servers this machine lacks; where CI=true they must be there."""
    lacking = {program for mark in item.iter_markers("server") for kind in mark.args for program in missing(kind)}
    if lacking:
        skip_or_fail(f"not installed: {', '.join(sorted(lacking))}")


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """An upstream that records what leaves the server under test."""
    with Upstream() as running:
        yield running
