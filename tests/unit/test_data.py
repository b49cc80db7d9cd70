"""Where this program keeps what it remembers: as the XDG Base Directory Specification says."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from aidns.data import user_folder
from aidns.errors import EnvironmentFault

DEFAULTS = {"cache": "/home/kim/.cache", "state": "/home/kim/.local/state"}


@pytest.mark.parametrize("kind", ["cache", "state"])
@pytest.mark.parametrize(("named", "told"), [("/srv/x", "/srv/x"), ("relative", ""), ("", ""), (None, "")])
def test_folders_are_where_the_specification_puts_them(
    kind: Literal["cache", "state"], named: str | None, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = f"XDG_{kind.upper()}_HOME"
    monkeypatch.setenv("HOME", "/home/kim")
    monkeypatch.delenv(variable, raising=False)
    if named is not None:
        monkeypatch.setenv(variable, named)
    assert user_folder(kind) == Path(told or DEFAULTS[kind]) / "aidns"


def test_a_user_without_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", _nowhere)
    with pytest.raises(EnvironmentFault, match="no home directory") as fault:
        user_folder("cache")
    assert "XDG_CACHE_HOME" in fault.value.tip


def _nowhere() -> Path:
    raise RuntimeError("Could not determine home directory.")
