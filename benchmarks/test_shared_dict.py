"""A shared dictionary's get, incr and set from Lua, against a bare call into Python and back.

    pip install '.[test,bench]'; python -m pytest benchmarks/test_shared_dict.py

Each line is a loop in Lua over ``ngx.shared.d:get("key")`` and its like, run as a script is, in a
thread of the kernel. Beside them stand two calls that do nothing:

- "bare": a Python function that returns a small integer, made a Lua function by lupa alone;
- "guarded": the same function as the VM registers its callbacks (engines/lupa_vm.py).

pytest-benchmark's table compares the engines. A shared machine's speed drifts, so the ratios that
are printed, and bounded on LuaJIT, come from rounds that alternate between all loops of one
engine; the fastest round of each counts.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest

from candy_trio.lua.api import shared
from candy_trio.shared_dict.memory import SharedDict
from engines import registry
from engines.base import LuaVM, Returned

ENGINES = ("luajit", "lua51", "lua54", "lua55")

CALLS = 5_000  # in a round, which then takes some milliseconds
ROUNDS = 60
WARM_UP_ROUNDS = 5

LOOPS = {
    "bare": "small('key')",
    "guarded": "small('key')",
    "get": "ngx.shared.d:get('key')",
    "get, entries expire": "ngx.shared.mortal:get('key')",
    "get of cd": "cd.shared.d:get('key')",
    "incr": "ngx.shared.d:incr('n', 1)",
    "incr with init": "ngx.shared.d:incr('n', 1, 0)",
    "incr, entries expire": "ngx.shared.mortal:incr('n', 1)",
    "set": "ngx.shared.d:set('key', i)",
    "set with time and flags": "ngx.shared.mortal:set('other', i, 60, 7)",
}

BOUNDS = {
    "get": 4.0,
    "get, entries expire": 4.0,
    "incr": 6.0,
    "incr with init": 6.0,
    "incr, entries expire": 6.0,
}
"""How many bare calls each may take on LuaJIT."""

SIZE = 1_000_000  # bytes

TABLE = b"""
local t = {}
for i = 1, select('#', ...), 2 do t[(select(i, ...))] = (select(i + 1, ...)) end
return t
"""

ISOLATE = b"""
local area = ...
local I = {cd = {}, ngx = {}, candy = {}}
area.install(I)
return I
"""

LOOP = """
local small, I = ...
local cd, ngx = I.cd, I.ngx
return function(n) for i = 1, n do %s end end
"""

BARE_LOOP = """
local small = python.as_function(...)
return function(n) for i = 1, n do %s end end
"""

Loop = Callable[[int], None]


def small(_key: bytes) -> int:
    return 7


def make_dicts() -> dict[str, SharedDict]:
    dicts = {name: SharedDict(name, SIZE, time.monotonic) for name in ("d", "mortal")}
    for shared_dict in dicts.values():
        shared_dict.set(b"key", 5)
        shared_dict.set(b"n", 0)
    dicts["mortal"].set(b"other", 5, 3600.0)
    return dicts


def make_isolate(vm: LuaVM, dicts: dict[str, SharedDict]) -> Any:
    """What a script finds ``cd.shared`` and ``ngx.shared`` in, by the server's own Lua."""

    def table(entries: dict[str, Any]) -> Any:
        flat = (part for key, value in entries.items() for part in (key.encode(), value))
        return vm.execute(TABLE, "table", *flat)

    def area(name: str, *args: object) -> Any:
        source = (files("candy_trio.lua.api") / f"{name}.lua").read_bytes()
        return vm.execute(source, f"api/{name}.lua", *args)

    tables = {f"shared {name}": table(shared.callbacks(one)) for name, one in dicts.items()}
    host = table({"shared_names": lambda: "\n".join(dicts).encode(), **tables})
    surface = area("surface", vm.kernel, host)
    return vm.execute(ISOLATE, "isolate", area("shared", vm.kernel, host, surface))


def make_loops(engine: str) -> dict[str, Loop]:
    """Each loop as a function of the number of its calls."""
    vm = registry.load(engine).new_vm()
    isolate = make_isolate(vm, make_dicts())

    def in_a_run(name: str) -> Loop:
        loop = vm.execute((LOOP % LOOPS[name]).encode(), name, small, isolate)

        def run(calls: int) -> None:
            assert vm.start(1, loop, calls) == Returned(())

        return run

    module = importlib.import_module("lupa.luajit21" if engine == "luajit" else f"lupa.{engine}")
    runtime = module.LuaRuntime(encoding=None, register_eval=False, unpack_returned_tuples=True)
    loops: dict[str, Loop] = {"bare": runtime.execute((BARE_LOOP % LOOPS["bare"]).encode(), small)}
    return {**loops, **{name: in_a_run(name) for name in LOOPS if name != "bare"}}


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def loops(engine: str) -> dict[str, Loop]:
    return make_loops(engine)


@pytest.mark.parametrize("name", LOOPS)
def test_calls(benchmark: Any, engine: str, loops: dict[str, Loop], name: str) -> None:
    """The time of CALLS calls; engines side by side."""
    benchmark.group = f"{name}: {CALLS:,} calls of {LOOPS[name]}"
    benchmark.pedantic(loops[name], args=(CALLS,), rounds=ROUNDS // 3, warmup_rounds=WARM_UP_ROUNDS)


def test_ratios(engine: str, loops: dict[str, Loop], capsys: pytest.CaptureFixture[str]) -> None:
    """Each loop as a multiple of the bare one, within its bound on LuaJIT."""
    best = dict.fromkeys(loops, float("inf"))
    for _ in range(ROUNDS):
        for name, loop in loops.items():
            started = time.perf_counter()
            loop(CALLS)
            best[name] = min(best[name], time.perf_counter() - started)
    ratios = {name: seconds / best["bare"] for name, seconds in best.items()}
    with capsys.disabled():
        print(f"\n{engine}")
        for name, ratio in ratios.items():
            bound = f" (at most {BOUNDS[name]:g})" if engine == "luajit" and name in BOUNDS else ""
            nanoseconds = best[name] / CALLS * 1e9
            print(f"  {name:24} {nanoseconds:6,.0f} ns, {ratio:.2f} of a bare call{bound}")
    if engine == "luajit":
        assert {name for name, bound in BOUNDS.items() if ratios[name] > bound} == set()
