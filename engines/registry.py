"""Finds engines by name: the entry-point group ``candy_trio.engines``.

An engine from another package takes part by declaring an entry point of this group that
names a subclass of :class:`engines.base.LuaEngine`.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from engines.base import LuaEngine
from engines.errors import EngineUnavailable

GROUP = "candy_trio.engines"

ALIASES = {"puc": "lua54"}
"""Other names a configuration may use."""

_BUILT_IN = (
    EntryPoint("luajit", "engines.luajit:LuaJIT", GROUP),
    EntryPoint("lua51", "engines.puc:Lua51", GROUP),
    EntryPoint("lua52", "engines.puc:Lua52", GROUP),
    EntryPoint("lua53", "engines.puc:Lua53", GROUP),
    EntryPoint("lua54", "engines.puc:Lua54", GROUP),
    EntryPoint("lua55", "engines.puc:Lua55", GROUP),
)
# Listed here as well, so that a checkout that was never installed finds its own engines.


def names() -> list[str]:
    """The names of all registered engines, usable or not, in order."""
    return sorted({point.name for point in _points()})


def load(name: str) -> LuaEngine:
    """The engine of that name or alias. Raises EngineUnavailable."""
    wanted = ALIASES.get(name, name)
    for point in _points():
        if point.name == wanted:
            return _instance(point)
    raise EngineUnavailable(f'no engine is named "{name}"; there are: {", ".join(names())}')


def available() -> dict[str, LuaEngine]:
    """Every engine that can make a VM on this machine, by name."""
    found: dict[str, LuaEngine] = {}
    for name in names():
        try:
            found[name] = load(name)
        except EngineUnavailable:
            continue
    return found


def _points() -> list[EntryPoint]:
    return [*_BUILT_IN, *entry_points(group=GROUP)]


def _instance(point: EntryPoint) -> LuaEngine:
    try:
        kind = point.load()
        engine = kind()
    except EngineUnavailable:
        raise
    except Exception as error:  # anything may happen in another package's module
        raise EngineUnavailable(f'engine "{point.name}" ({point.value}): {error}') from error
    if not isinstance(engine, LuaEngine):
        raise EngineUnavailable(f'engine "{point.name}": {point.value} is not a LuaEngine')
    return engine
