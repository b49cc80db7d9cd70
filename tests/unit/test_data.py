"""Where this program keeps what it remembers: as platformdirs says it, without importing it."""

from __future__ import annotations

from typing import Literal

import platformdirs
import pytest

from aidns.data import user_folder


@pytest.mark.parametrize("kind", ["cache", "state"])
@pytest.mark.parametrize("named", [None, "", "/xdg/here", "relative", " /blank"])
@pytest.mark.parametrize("home", [None, "", "/home/somebody", "/", "relative"])
def test_folders_are_those_of_platformdirs(
    kind: Literal["cache", "state"], named: str | None, home: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in ((f"XDG_{kind.upper()}_HOME", named), ("HOME", home)):
        if value is None:
            monkeypatch.delenv(variable, raising=False)
        else:
            monkeypatch.setenv(variable, value)
    told = platformdirs.user_cache_dir("aidns") if kind == "cache" else platformdirs.user_state_dir("aidns")
    assert str(user_folder(kind)) == told
