"""A shared dictionary's get, incr and set from Lua, against a bare call into Python and back.

    pip install -e '.[test,bench]'; python -m pytest benchmarks/test_shared_dict.py

The bare call is a Python function that returns a small integer, made a Lua function by lupa alone.
"A callback" is the same function as the VM registers it (engines/lupa_vm.py): what every call of
the API into Python costs at least.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.engines import ENGINES, LuaBenchmark, report

PREPARATION = """
local d = ngx.shared.d
d:set("key", 5) d:set("n", 0)
"""
WITH_TIMES = PREPARATION + 'd:set("other", 5, 3600)'

SCRIPTS = {
    "a callback": (PREPARATION, "ngx.worker.exiting()"),
    "get": (PREPARATION, 'd:get("key")'),
    "get, entries expire": (WITH_TIMES, 'd:get("key")'),
    "get of cd": (PREPARATION, 'cd.shared.d:get("key")'),
    "incr": (PREPARATION, 'd:incr("n", 1)'),
    "incr with init": (PREPARATION, 'd:incr("n", 1, 0)'),
    "incr, entries expire": (WITH_TIMES, 'd:incr("n", 1)'),
    "set": (PREPARATION, 'd:set("key", turn)'),
    "set with time and flags": (WITH_TIMES, 'd:set("other", turn, 60, 7)'),
}

BOUNDS = {"get": 4.0, "incr": 6.0}
"""How many bare calls each may take on LuaJIT, by the first word of its name."""

BARE_LOOP = b"""
local small = python.as_function(...)
return function(n) for i = 1, n do small("key") end end
"""


def bare_loop(engine: str) -> Callable[[int], None]:
    """A loop of that many bare calls."""
    module = importlib.import_module("lupa.luajit21" if engine == "luajit" else f"lupa.{engine}")
    runtime = module.LuaRuntime(encoding=None, register_eval=False, unpack_returned_tuples=True)
    loop: Callable[[int], None] = runtime.execute(BARE_LOOP, lambda key: 7)
    return loop


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("engine", ENGINES)
def test_shared_dict(benchmark: Any, engine: str, name: str) -> None:
    """One operation, beside one bare call; within its bound on LuaJIT."""
    with LuaBenchmark(engine, *SCRIPTS[name]) as lua:
        ratio = report(benchmark, f"{name}, {engine}", lua, "a bare call", bare_loop(engine))
    bound = BOUNDS.get(name.partition(" ")[0].rstrip(","))
    if engine == "luajit" and bound is not None:
        assert ratio <= bound
