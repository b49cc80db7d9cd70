"""Catalogues kept from one run to the next: never stale, never trusted where damaged, never an error."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from aidns import pipeline
from aidns.catalog import cache
from aidns.catalog.files import Source, read_all
from aidns.catalog.load import load, load_or_fail
from aidns.errors import DataError
from samples import SOUND, catalog


def sources(texts: Mapping[str, str] = SOUND) -> dict[str, Source]:
    return {path: Source(path, text) for path, text in texts.items()}


def write(folder: Path, texts: Mapping[str, str] = SOUND) -> Path:
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    return folder


def entry(folder: Path) -> Path:
    (found,) = folder.iterdir()
    return found


def test_what_is_kept_is_what_was_parsed(tmp_path: Path) -> None:
    cache.store(sources(), catalog(), tmp_path)
    assert cache.find(sources(), tmp_path) == catalog()
    shipped, files = load(), read_all((), [])
    cache.store(files, shipped.catalog, tmp_path)
    assert cache.find(files, tmp_path) == shipped.catalog


@pytest.mark.parametrize("path", sorted(SOUND))
def test_one_octet_of_any_file_makes_another_catalogue(tmp_path: Path, path: str) -> None:
    """Also a path, the order of files, and where one file ends and the next begins."""
    cache.store(sources(), catalog(), tmp_path)
    text = SOUND[path]
    assert cache.find(sources({**SOUND, path: text.replace("e", "f", 1)}), tmp_path) is None
    assert cache.find(sources({**{k: v for k, v in SOUND.items() if k != path}, path + "x": text}), tmp_path) is None
    assert cache.find(sources({k: v for k, v in SOUND.items() if k != path}), tmp_path) is None
    assert cache.find(sources(dict(reversed(SOUND.items()))), tmp_path) is None
    assert cache.find(sources({**SOUND, path: f"{text}\0services/x.toml\0"}), tmp_path) is None


def test_a_file_that_changes_without_its_time_and_size_is_read_anew(tmp_path: Path) -> None:
    folder = write(tmp_path / "catalog", SOUND)
    assert pipeline.load_sound([folder]).services["beta-search"].title == "Beta Search"
    file = folder / "services" / "beta-search.toml"
    about = file.stat()
    file.write_text(file.read_text("utf-8").replace("Beta Search", "Beta Pearch"), "utf-8")
    os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert file.stat().st_size == about.st_size
    assert pipeline.load_sound([folder]).services["beta-search"].title == "Beta Pearch"


def test_another_program_reads_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.store(sources(), catalog(), tmp_path)
    monkeypatch.setattr(cache, "program", lambda: b"another")
    assert cache.find(sources(), tmp_path) is None


@given(data=st.data())
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_as_good_as_nothing(tmp_path: Path, data: st.DataObject) -> None:
    """A flipped, lost or added octet anywhere."""
    folder = tmp_path / "kept"
    cache.store(sources(), catalog(), folder)
    path = entry(folder)
    good = path.read_bytes()
    at = data.draw(st.integers(0, len(good) - 1))
    other = bytes((good[at] ^ data.draw(st.integers(1, 255)),))
    for bad in (good[:at] + other + good[at + 1 :], good[:at], good[:at] + other + good[at:], good + other):
        path.write_bytes(bad)
        assert cache.find(sources(), folder) is None
    path.write_bytes(good)
    assert cache.find(sources(), folder) == catalog()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"info":' * 2_000,
        b"\xff\xfe",
        b"gASVIAAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAJpZJSFlFKULg==",
    ],
)
def test_an_entry_that_is_no_catalogue_is_as_good_as_nothing(tmp_path: Path, body: bytes) -> None:
    cache.store(sources(), catalog(), tmp_path)
    forge(entry(tmp_path), body)
    assert cache.find(sources(), tmp_path) is None


def forge(path: Path, body: bytes) -> None:
    """Write an entry whose digest is right."""
    path.write_bytes(blake2b(path.name.encode() + body, digest_size=32).hexdigest().encode() + b"\n" + body)


@pytest.mark.parametrize("name", ["evil.example\naddress=/x/", "Evil.example", "com", '"', ""])
def test_a_name_that_no_catalogue_can_hold_is_as_good_as_nothing(tmp_path: Path, name: str) -> None:
    bad = structs.replace(catalog().names[0], name=name)
    cache.store(sources(), structs.replace(catalog(), names=(bad,)), tmp_path)
    assert cache.find(sources(), tmp_path) is None


def test_dates_are_dates(tmp_path: Path) -> None:
    cache.store(sources(), catalog(), tmp_path)
    path = entry(tmp_path)
    body = path.read_bytes().partition(b"\n")[2]
    forge(path, body.replace(b"2026-", b"20x6-"))
    assert cache.find(sources(), tmp_path) is None
    assert b"2026-" in body and dt.date(2026, 1, 1)


def test_an_entry_that_others_could_write_is_not_read(tmp_path: Path) -> None:
    cache.store(sources(), catalog(), tmp_path)
    path = entry(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    for mode in (0o620, 0o602):
        path.chmod(mode)
        assert cache.find(sources(), tmp_path) is None
    path.chmod(0o600)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to("elsewhere")
    assert cache.find(sources(), tmp_path) is None


def test_a_disk_that_refuses_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    cache.store(sources(), catalog(), tmp_path / "file" / "kept")
    assert cache.find(sources(), tmp_path / "file" / "kept") is None
    cache.store(sources(), catalog(), tmp_path / "kept")
    path = entry(tmp_path / "kept")
    path.unlink()
    path.mkdir()
    cache.store(sources(), catalog(), tmp_path / "kept")
    assert cache.find(sources(), tmp_path / "kept") is None


def test_old_entries_go(tmp_path: Path) -> None:
    for number in range(cache.KEPT + 3):
        last = sources({**SOUND, "x": str(number)})
        cache.store(last, catalog(), tmp_path)
        os.utime(cache._path(last, tmp_path), (number, number))
    assert len([*tmp_path.iterdir()]) == cache.KEPT
    assert cache.find(last, tmp_path) == catalog()


def test_only_sound_catalogues_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong is said at each run, and what is well formed only is judged at each run."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    text = SOUND["services/beta-search.toml"]
    folder = write(
        tmp_path / "catalog", {**SOUND, "services/beta-search.toml": text.replace("Beta Search", "a\\u202eb")}
    )
    for _ in range(2):
        with pytest.raises(DataError, match="error"):
            pipeline.load_sound([folder])
        assert load_or_fail([folder]).services
    assert not cache.directory().exists()


def test_a_second_run_parses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = write(tmp_path / "catalog", SOUND)
    first = pipeline.load_sound([folder])
    monkeypatch.setattr("aidns.catalog.reader.facts", lambda text: pytest.fail("parsed again"))
    assert pipeline.load_sound([folder]) == load_or_fail([folder]) == first
