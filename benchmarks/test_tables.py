"""Library functions of ours on every engine, against the native ones that they stand for.

    pip install -e '.[bench]'; python -m pytest benchmarks/test_tables.py

Prints how many times the native function's time one ordinary call takes, in the same VM, in turn.
"""

from __future__ import annotations

import statistics
from typing import Any

import pytest

from benchmarks.engines import ENGINES, RATIOS, ROUNDS
from engines import registry

CALLS = 2000

# What comes before the loop, and what is in it.
CASES = {
    "sort of 100 numbers": (
        "local s, t = {}, {} for i = 1, 100 do s[i] = i * 7919 % 1009 end",
        "for i = 1, 100 do t[i] = s[i] end table.sort(t)",
    ),
    "sort of 100 numbers with a comparator": (
        "local s, t = {}, {} for i = 1, 100 do s[i] = i * 7919 % 1009 end"
        " local function less(a, b) return a > b end",
        "for i = 1, 100 do t[i] = s[i] end table.sort(t, less)",
    ),
    "sort of 100 strings": (
        "local s, t = {}, {} for i = 1, 100 do s[i] = 'word' .. i * 7919 % 1009 end",
        "for i = 1, 100 do t[i] = s[i] end table.sort(t)",
    ),
    "concat of 100 strings": (
        "local t = {} for i = 1, 100 do t[i] = 'word' .. i end",
        "local _ = table.concat(t, ',')",
    ),
    "concat of 5 strings": (
        "local t = {'a', 'b', 'c', 'd', 'e'}",
        "local _ = table.concat(t, ',')",
    ),
    "insert and remove at the end": ("local t = {}", "table.insert(t, 1) table.remove(t)"),
    "insert and remove at the start of 20": (
        "local t = {} for i = 1, 20 do t[i] = i end",
        "table.insert(t, 1, 1) table.remove(t, 1)",
    ),
    "ipairs of 20": (
        "local t = {} for i = 1, 20 do t[i] = i end",
        "for _, v in ipairs(t) do local _ = v end",
    ),
    "pairs of 20": (
        "local t = {} for i = 1, 20 do t['k' .. i] = i end",
        "for _, v in pairs(t) do local _ = v end",
    ),
    "tostring of a number": ("local n = 0", "n = n + 1 local _ = tostring(n)"),
    "tostring of a table with __tostring": (
        "local t = setmetatable({}, {__tostring = function() return 'x' end})",
        "local _ = tostring(t)",
    ),
    "tonumber": ("", "local _ = tonumber('12')"),
    "unpack of 3": ("local t = {1, 2, 3}", "local a, b, c = unpack(t)"),
    "upper": ("", "local _ = string.upper('hello')"),
    "rep": ("", "local _ = string.rep('ab', 20)"),
    "format of %s and %d": ("", "local _ = string.format('%s=%d', 'a', 5)"),
    "format of %d": ("", "local _ = string.format('%d', 5)"),
    "os.time": ("", "local _ = os.time()"),
}

_MAKE = b"""
local K, preparation, statement, calls = ...
local load, setfenv = loadstring or load, setfenv
local function environment(ours)
  local env = {setmetatable = setmetatable, unpack = unpack or table.unpack, ipairs = ipairs,
               pairs = pairs, tostring = tostring, tonumber = tonumber}
  for _, name in ipairs {'string', 'table', 'os'} do
    env[name] = {}
    for key, f in pairs(_G[name]) do env[name][key] = ours and K.library[name][key] or f end
  end
  if ours then
    for name, f in pairs(K.library.base) do env[name] = f end
    env.unpack = K.library.table.unpack
  end
  return env
end
local function made(ours)
  local source = preparation .. ' return function() for turn = 1, ' .. calls .. ' do ' ..
                 statement .. ' end end'
  local env = environment(ours)
  if setfenv then return setfenv(assert(load(source)), env)() end
  return assert(load(source, '=benchmark', 't', env))()
end
local clock = os.clock
local function timed(f)
  local begun = clock()
  f()
  return clock() - begun
end
local ours, native = made(true), made(false)
return function(mine) return timed(mine and ours or native) end
"""


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("engine", ENGINES)
def test_library(benchmark: Any, engine: str, name: str) -> None:
    """One call, beside one of the native function."""
    preparation, statement = CASES[name]
    vm = registry.load(engine).new_vm()
    timed: Any = vm.execute(
        _MAKE, "benchmark", vm.kernel, preparation.encode(), statement.encode(), CALLS
    )
    timed(True)
    timed(False)
    times, base_times = [], []
    for _ in range(ROUNDS):
        times.append(timed(True))
        base_times.append(timed(False))
    median, base = statistics.median(times), statistics.median(base_times)
    ratio = median / base
    RATIOS.append(
        f"{name}, {engine}: {median / CALLS * 1e6:.3f} µs, {ratio:.2f} times the native function"
    )
    benchmark.extra_info["ratio"] = ratio
    benchmark.pedantic(timed, args=(True,), rounds=ROUNDS)
