"""What holds for every test."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("aidns", deadline=None)  # no test asserts a time: a busy machine finds no bugs
settings.load_profile("aidns")
