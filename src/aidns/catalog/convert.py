"""Typed values from parsed TOML, with every fault found and the sound rest kept."""

from __future__ import annotations

import datetime as dt
import re
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from aidns.model import SeenDate

T = TypeVar("T")
Fault = tuple[str, str]
"""(field path, message)"""

_AT = re.compile(r" - at `[^`]*`$")


def convert(raw: Any, to: type[T]) -> tuple[T | None, list[Fault]]:
    """Return `raw` as a `to` and the faults found.

    A broken element of a list and a broken optional key are left out, so that the rest can still be judged;
    the value is None when even the rest makes no `to`.
    """
    faults: list[Fault] = []
    sound = _sound_part(raw, to, "", faults)
    if sound is _NOTHING:
        return None, faults
    return _strict(sound, to), faults


class _Nothing:
    pass


_NOTHING = _Nothing()


def _strict(raw: Any, to: type[T]) -> T:
    return msgspec.convert(raw, to, builtin_types=(dt.date,), dec_hook=_decode)


def _decode(to: type, raw: Any) -> Any:
    if to is SeenDate and type(raw) is dt.date:
        return SeenDate(raw)
    if to is SeenDate and raw == "undated":
        return SeenDate()
    raise ValueError('expected a date such as 2026-02-10, or "undated"')


def _sound_part(raw: Any, to: Any, path: str, faults: list[Fault]) -> Any:
    """Return the part of `raw` that converts, noting each fault; `_NOTHING` when no part does."""
    try:
        _strict(raw, to)
    except msgspec.ValidationError as error:
        plain = _plain(to)
        if isinstance(raw, dict) and isinstance(plain, type) and issubclass(plain, msgspec.Struct):
            return _sound_table(raw, plain, path, faults)
        if isinstance(raw, list) and get_origin(plain) is tuple:
            return _sound_list(raw, to, path, faults)
        words = [str(word) for word in get_args(plain) if word != ""] if get_origin(plain) is Literal else []
        known = f"; known: {', '.join(words)}" if words else ""
        faults.append((path, _AT.sub("", str(error)) + known))
        return _NOTHING
    return raw


def _sound_table(raw: dict[str, Any], to: type[msgspec.Struct], path: str, faults: list[Fault]) -> Any:
    fields = {field.encode_name: field for field in msgspec.structs.fields(to)}
    whole = True
    sound: dict[str, Any] = {}
    for key in raw.keys() - fields.keys():
        known = ", ".join(sorted(fields.keys() - {"id"}))
        faults.append((_join(path, key), f"unknown key; known here: {known}"))
    for key, field in fields.items():
        if key not in raw:
            if field.required:
                faults.append((path, f"`{key}` is missing"))
                whole = False
            continue
        part = _sound_part(raw[key], field.type, _join(path, key), faults)
        if part is not _NOTHING:
            sound[key] = part
        elif field.required:
            whole = False
    if not whole:
        return _NOTHING
    try:
        _strict(sound, to)
    except msgspec.ValidationError as error:
        faults.append((path, _AT.sub("", str(error))))
        return _NOTHING
    return sound


def _sound_list(raw: list[Any], to: Any, path: str, faults: list[Fault]) -> Any:
    element = get_args(_plain(to))[0]
    before = len(faults)
    parts = [_sound_part(item, element, f"{path}[{i}]", faults) for i, item in enumerate(raw)]
    sound = [part for part in parts if part is not _NOTHING]
    try:
        _strict(sound, to)
    except msgspec.ValidationError as error:
        if len(faults) == before:  # each element is fine: the fault is the list itself, such as being empty
            faults.append((path, _AT.sub("", str(error))))
        return _NOTHING
    return sound


def _plain(annotation: Any) -> Any:
    """Return the type inside `Annotated` or beside `None`."""
    if hasattr(annotation, "__metadata__"):
        return get_args(annotation)[0]
    if get_origin(annotation) in (Union, UnionType):
        (annotation,) = (part for part in get_args(annotation) if part is not NoneType)
    return annotation


def _join(path: str, key: str) -> str:
    key = key if key.isidentifier() or key.replace("-", "_").isidentifier() else "?"
    return f"{path}.{key}" if path else key
