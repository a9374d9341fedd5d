"""Every function, property and group of constants of both projects' APIs: ``functions.toml``.

Read by the page of functions and its tests, never while serving.  What is supported is not
written there: the page asks a VM.
"""

from __future__ import annotations

from functools import reduce
from importlib.resources import files
from operator import or_
from typing import Literal, TypeAlias

import msgspec
import tomli
from msgspec import Struct

from candy_trio.phase import Phase

Kind: TypeAlias = Literal["function", "method", "property", "constants", "module"]
View: TypeAlias = Literal["cd", "ngx", "candy"]


class Function(Struct, frozen=True):
    """One row: what can be called or read under one name, or constants of one kind."""

    call: str
    phases: Phase
    """Where its documentation allows it; none: its page says so function by function."""
    kind: Kind
    source: str
    views: tuple[View, ...]
    """The tables it stands in; none for a global of its own, or a module."""
    names: tuple[str, ...]
    """What a script evaluates, after a view and a dot, to see whether it is there."""
    waits: str | None
    """The operation that it waits for."""


class Area(Struct, frozen=True):
    """A table of the page."""

    title: str
    functions: tuple[Function, ...]


class _Row(Struct, frozen=True, forbid_unknown_fields=True):
    call: str
    phases: str | None = None
    kind: Kind | None = None
    source: str | None = None
    views: tuple[View, ...] | None = None
    names: tuple[str, ...] = ()
    waits: str | None = None


class _Area(Struct, frozen=True, forbid_unknown_fields=True):
    title: str
    rows: tuple[_Row, ...]
    phases: str = ""
    kind: Kind = "function"
    source: str = "lua-nginx-module"
    views: tuple[View, ...] = ("cd", "ngx")
    object: str = ""
    """What makes the object whose methods these are."""


class _Registry(Struct, frozen=True, forbid_unknown_fields=True):
    phases: dict[str, str]
    area: tuple[_Area, ...]


def load() -> tuple[Area, ...]:
    """The registry, in the order of the file."""
    text = (files("candy_trio.lua.api") / "functions.toml").read_text("utf-8")
    registry = msgspec.convert(tomli.loads(text), _Registry)
    return tuple(
        Area(area.title, tuple(_function(row, area, registry.phases) for row in area.rows))
        for area in registry.area
    )


def _function(row: _Row, area: _Area, sets: dict[str, str]) -> Function:
    name = row.call.partition("(")[0]
    kind = row.kind or area.kind
    views = area.views if row.views is None else row.views
    names = row.names or (_lua_name(name, area.object),)
    phases = _phases(area.phases if row.phases is None else row.phases, sets)
    source = row.source or area.source
    if source == "lua-nginx-module":
        page = name.replace(":", "." if name.startswith("shared.") else ":").partition("[")[0]
        whole = kind == "constants" or not views or bool(area.object)
        source += f": {page}" if whole else f": ngx.{page}"
    elif source == "lua-resty-core":
        source += f": {name}"
    return Function(row.call, phases, kind, source, views, names, row.waits)


def _lua_name(name: str, made_by: str) -> str:
    owner, colon, method = name.partition(":")
    if not colon:
        return name
    return f"{made_by or owner.replace('.DICT', '.d')}.{method}"


def _phases(text: str, sets: dict[str, str]) -> Phase:
    """Words are phases or sets of them; "-word" takes one away."""
    words = text.split()
    wanted = reduce(or_, (_word(word, sets) for word in words if word[0] != "-"), Phase(0))
    for word in words:
        if word[0] == "-":
            wanted &= ~_word(word[1:], sets)
    return wanted


def _word(word: str, sets: dict[str, str]) -> Phase:
    return _phases(sets[word], sets) if word in sets else Phase[word.upper()]
