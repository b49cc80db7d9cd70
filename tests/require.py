"""What a test does whose program this machine lacks."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def skip_or_fail(why: str) -> NoReturn:
    """Skip a test whose program this machine lacks; where CI=true it must be there."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(why)
