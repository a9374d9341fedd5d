"""cjson on each engine, against lua-cjson (C) on LuaJIT, with one document of about 10 KB.

    pip install '.[bench]'
    python -m pytest benchmarks/test_json.py             each by itself, pytest-benchmark's table
    python -m benchmarks.test_json [--rounds N]          in turns, and the ratios of the medians

Rounds alternate in the second form, because a shared machine's speed drifts: of its numbers only
the ratios mean something. lua-cjson is loaded into the process where Debian's package is installed
(or --lua-cjson PATH names its library); without it there is nothing to compare with.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import random
import statistics
import time
from collections.abc import Callable
from glob import glob
from importlib import import_module
from importlib.resources import files
from typing import Any

import pytest

from engines import registry

ENGINES = ("luajit", "lua51", "lua52", "lua53", "lua54", "lua55")
LUA_CJSON = "lua-cjson"
TASKS = ("decode compact", "decode pretty", "encode")
USERS = 25

LIBRARY_PATTERNS = ("/usr/lib/*/lua/5.1/cjson.so", "/usr/local/lib/lua/5.1/cjson.so")

# Gives a function(task, text) → a function(n) that does it n times.
WORK = b"""
local cjson = ...
return function(decoding, text)
  local value = cjson.decode(text)
  if decoding then return function(n) for _ = 1, n do cjson.decode(text) end end end
  return function(n) for _ = 1, n do cjson.encode(value) end end
end
"""

Work = Callable[[int], None]


def document(pretty: bool) -> bytes:
    """Objects, arrays, strings with and without escapes, numbers, booleans and nulls."""
    choose = random.Random(7)
    words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota"]
    users = [
        {
            "id": 1000 + number,
            "name": " ".join(choose.choices(words, k=3)),
            "email": f"user{number}@example.com",
            "active": number % 3 == 0,
            "score": round(choose.random() * 1000, 3),
            "tags": choose.choices(words, k=4),
            "address": {
                "street": f"{number} Main Street",
                "city": "Springfield",
                "place": [round(choose.uniform(-90, 90), 6), round(choose.uniform(-180, 180), 6)],
            },
            "url": f"https://example.com/users/{number}?q=1",
            "note": None if number % 2 else 'said "hello"\nand left, é',
            "visits": [{"at": 1700000000 + number * 60 + k, "ok": True} for k in range(3)],
        }
        for number in range(USERS)
    ]
    value = {"total": USERS, "users": users}
    separators = None if pretty else (",", ":")
    return json.dumps(
        value, indent=2 if pretty else None, separators=separators, ensure_ascii=False
    ).encode()


def load_cjson(engine: str) -> Any:
    """The function of :data:`WORK`, over the cjson that comes with the server."""
    folder = files("candy_trio.lua")
    vm: Any = registry.load(engine).new_vm()
    host = vm.execute(
        b"return {lualib_source = ...}",
        "host",
        lambda name: (folder / "lualib" / f"{name.decode()}.lua").read_bytes(),
    )
    surface = vm.execute((folder / "api" / "surface.lua").read_bytes(), "surface", vm.kernel, host)
    lualib = vm.execute((folder / "lualib.lua").read_bytes(), "lualib", vm.kernel, host, surface)
    cjson = vm.execute(b"return (...).opener('cjson')({})", "open", lualib)
    return vm.execute(WORK, "work", cjson)


def load_lua_cjson(path: str) -> Any:
    """The function of :data:`WORK`, over lua-cjson in a LuaJIT of its own."""
    # The library finds Lua's functions only where a library shows them to all others; the other
    # engines must have been bound to theirs by then.
    for engine in ENGINES:
        registry.load(engine)
    module = import_module("lupa.luajit21")
    ctypes.CDLL(module.__file__, ctypes.RTLD_GLOBAL)
    runtime = module.LuaRuntime(encoding=None)
    cjson = runtime.execute(b"return package.loadlib(..., 'luaopen_cjson')()", path.encode())
    return runtime.execute(WORK, cjson)


def find_lua_cjson() -> str | None:
    found = [path for pattern in LIBRARY_PATTERNS for path in glob(pattern)]
    return found[0] if found else None


def load_all(lua_cjson: str | None) -> dict[str, Any]:
    loaded = {LUA_CJSON: load_lua_cjson(lua_cjson)} if lua_cjson else {}
    return {**loaded, **{engine: load_cjson(engine) for engine in ENGINES}}


def work_of(make: Any, task: str) -> Work:
    text = document(pretty=task == "decode pretty")
    work: Work = make(task != "encode", text)
    return work


# ------------------------------------------------------------------ pytest-benchmark
@pytest.fixture(scope="module")
def makers() -> dict[str, Any]:
    return load_all(find_lua_cjson())


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", [LUA_CJSON, *ENGINES])
def test_json(benchmark: Any, makers: dict[str, Any], name: str, task: str) -> None:
    """Ten times the task, which the numbers are for."""
    if name not in makers:
        pytest.skip("lua-cjson is not installed")
    work = work_of(makers[name], task)
    work(100)
    benchmark.group = task
    benchmark(work, 10)


# ------------------------------------------------------------------ in turns
def compare(lua_cjson: str | None, rounds: int, repeats: int) -> None:
    makers = load_all(lua_cjson)
    for task in TASKS:
        works = {name: work_of(make, task) for name, make in makers.items()}
        seconds: dict[str, list[float]] = {name: [] for name in works}
        for _ in range(rounds + 1):
            for name, work in works.items():
                start = time.perf_counter()
                work(repeats)
                seconds[name].append((time.perf_counter() - start) / repeats)
        size = len(document(pretty=task == "decode pretty"))
        print(f"{task}, {size:,} bytes, {rounds} rounds of {repeats}")
        # The first round warms up: LuaJIT compiles in it.
        medians = {name: statistics.median(values[1:]) for name, values in seconds.items()}
        for name, median in medians.items():
            ratio = f", {median / medians[LUA_CJSON]:.2f} of {LUA_CJSON}" if lua_cjson else ""
            print(f"  {name:9} {median * 1e6:7,.0f} µs{ratio}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--lua-cjson", default=find_lua_cjson())
    arguments = parser.parse_args()
    if not arguments.lua_cjson:
        print("lua-cjson is not installed: there is nothing to compare with")
    compare(arguments.lua_cjson, arguments.rounds, arguments.repeats)


if __name__ == "__main__":
    main()
