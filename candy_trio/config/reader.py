"""Read one TOML table against the keys of its level.

msgspec checks each value against its field's type. It stops at the first error, so keys are
converted one by one; a bad one is reported and left out, and the rest of the file is still looked
at with that key's default in its place.
"""

from __future__ import annotations

import types
import typing
from typing import Any, Literal, TypeVar

import msgspec

from candy_trio.config.keys import HOST, ROUTE, TOP, Inheritable, Level
from candy_trio.config.problems import Problems, did_you_mean, listed, shown

if typing.TYPE_CHECKING:
    from candy_trio.config.lines import Path

T = TypeVar("T", bound=msgspec.Struct)

_FORMS: dict[object, str] = {bool: "true or false", str: "a string"}


def read_table(
    keys: type[T], level: Level, table: dict[str, object], path: Path, problems: Problems
) -> dict[str, Any]:
    """Return the keys of ``table`` that are valid, converted; report the others."""
    types_ = {field.name: field.type for field in msgspec.structs.fields(keys)}
    given: dict[str, Any] = {}
    for key, value in table.items():
        at = (*path, key)
        if key not in types_:
            problems.add(at, _refusal(key, level))
            continue
        try:
            given[key] = msgspec.convert(value, types_[key], dec_hook=_parse)
        except msgspec.ValidationError:
            wanted = _forms(types_[key])
            near = did_you_mean(value, _choices(types_[key]))
            problems.add(at, f"expected {wanted}, got {shown(value)}{near}")
    return given


def inherited(outer: Inheritable) -> dict[str, Any]:
    """Return what an inner level starts from."""
    return {name: getattr(outer, name) for name in Inheritable.__struct_fields__}


def _parse(wanted: Any, value: object) -> Any:
    return wanted.parse(value)


def _refusal(key: str, level: Level) -> str:
    if key in level.unsupported:
        return "not supported yet"
    for other in (TOP, HOST, ROUTE):
        if key in other.keys.__struct_fields__ and level in (TOP, HOST, ROUTE):
            return f"this key belongs {other.title}"
    near = did_you_mean(key, level.keys.__struct_fields__)
    return f"unknown key{near or did_you_mean(key, sorted(level.unsupported))}"


def _forms(type_: Any) -> str:
    """Say in words what a field takes."""
    for part in _parts(type_):
        if typing.get_origin(part) is typing.Annotated:
            return str(part.__metadata__[0].description)
        if typing.get_origin(part) is Literal:
            return listed(typing.get_args(part))
    return _FORMS.get(part) or str(part.forms)


def _choices(type_: Any) -> list[str]:
    """Return the words that a field takes, if it takes certain words only."""
    return [word for word in _words(type_) if isinstance(word, str)]


def _words(type_: Any) -> list[object]:
    words: list[object] = []
    for part in _parts(type_):
        if typing.get_origin(part) is typing.Annotated:
            words += _words(part.__origin__)
        elif typing.get_origin(part) is Literal:
            words += typing.get_args(part)
    return words


def _parts(type_: Any) -> list[Any]:
    """Split ``X | None``."""
    if typing.get_origin(type_) in (typing.Union, types.UnionType):
        return [part for part in typing.get_args(type_) if part is not types.NoneType]
    return [type_]
