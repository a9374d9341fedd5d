"""cjson on each engine, against lua-cjson (C) on LuaJIT, with one document of about 10 KB.

    pip install -e '.[test,bench]'; python -m pytest benchmarks/test_json.py

lua-cjson is loaded into the process where Debian's package is installed; without it there is
nothing to compare with, and the suite says so.
"""

from __future__ import annotations

import ctypes
import json
import random
from collections.abc import Callable
from glob import glob
from importlib import import_module
from typing import Any

import pytest

from benchmarks.engines import ENGINES, LuaBenchmark, report
from engines import registry

TASKS = ("decode compact", "decode pretty", "encode", "decode escapes", "encode escapes")
CALLS = 50
USERS = 25

BOUNDS = {"luajit": 3.0, "lua54": 12.0}
"""How many times lua-cjson's time each task may take; on 5.4 strings full of escapes take longer,
because Lua has no loop over bytes that is as fast as C's."""

LIBRARY_PATTERNS = ("/usr/lib/*/lua/5.1/cjson.so", "/usr/local/lib/lua/5.1/cjson.so")

LUA_CJSON = b"""
local open, encodes, text = ...
local cjson = package.loadlib(open, 'luaopen_cjson')()
local value = cjson.decode(text)
return function(n)
  for i = 1, n do if encodes then cjson.encode(value) else cjson.decode(text) end end
end
"""


def text_of(task: str) -> bytes:
    """The JSON text that the task reads, or writes."""
    return escapes() if task.endswith("escapes") else document(task == "decode pretty")


def escapes() -> bytes:
    """Pieces of HTML, with six escapes each."""
    rows = [f'<div class="row" id="r{n}"><a href="/x/{n}">{n}</a></div>' for n in range(150)]
    return json.dumps(rows).encode()


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


def lua_cjson(library: str, task: str) -> Callable[[int], None]:
    """The task that many times, by lua-cjson in a LuaJIT of its own."""
    # The library finds Lua's functions only where a library shows them to all others; the other
    # engines must have been bound to theirs by then.
    for engine in ENGINES:
        registry.load(engine)
    module = import_module("lupa.luajit21")
    ctypes.CDLL(module.__file__, ctypes.RTLD_GLOBAL)
    runtime = module.LuaRuntime(encoding=None)
    text = text_of(task)
    loop: Callable[[int], None] = runtime.execute(
        LUA_CJSON, library.encode(), task.startswith("encode"), text
    )
    return loop


@pytest.fixture(scope="session")
def library() -> str:
    found = [path for pattern in LIBRARY_PATTERNS for path in glob(pattern)]
    if not found:
        pytest.skip("lua-cjson is not installed (Debian: lua-cjson): nothing to compare with")
    return found[0]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("engine", ENGINES)
def test_json(benchmark: Any, library: str, engine: str, task: str) -> None:
    """The task, beside lua-cjson's; within its bound."""
    preparation = f"""
    local cjson = require "cjson"
    local text = [==[{text_of(task).decode()}]==]
    local value = cjson.decode(text)
    """
    statement = "cjson.encode(value)" if task.startswith("encode") else "cjson.decode(text)"
    with LuaBenchmark(engine, preparation, statement, calls=CALLS) as lua:
        name = f"{task}, {engine}"
        ratio = report(benchmark, name, lua, "lua-cjson's time", lua_cjson(library, task))
    if engine == "luajit" or (engine in BOUNDS and not task.endswith("escapes")):
        assert ratio <= BOUNDS[engine]
