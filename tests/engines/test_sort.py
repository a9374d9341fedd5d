"""table.sort: sorted permutations, n log n comparisons whatever comes in, never out of bounds."""

from __future__ import annotations

from functools import cache
from math import log2
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines import registry

ENGINES = ("luajit", "lua51", "lua52", "lua53", "lua54", "lua55")

HARNESS = b"""
local K, native = ...
local load = loadstring or load
local ours = K.library.table.sort
local setfenv = setfenv
local function run(source, sort)
  local env = {sort = sort, pcall = pcall, coroutine = coroutine, error = error, math = math,
               setmetatable = setmetatable, tostring = tostring, concat = table.concat}
  local f
  if setfenv then f = setfenv(assert(load(source, '=case')), env)
  else f = assert(load(source, '=case', 't', env)) end
  return f()
end
local function said(ok, ...)
  if ok then return ... end
  return 'raised ' .. tostring(K.without_place((...)))
end
return function(source, which)
  return said(pcall(run, source, which == 'native' and native or ours))
end
"""


@cache
def run_of(engine: str) -> Any:
    """A function of a script's text and of "native" or "ours"; the script finds ``sort``."""
    vm = registry.load(engine).new_vm()
    native = vm.execute(b"return table.sort", "native")
    run = vm.execute(HARNESS, "harness", vm.kernel, native)
    return lambda source, which=b"ours": run(source.encode(), which)


def listed(values: list[int]) -> str:
    return "{" + ",".join(map(str, values)) + "}"


@settings(max_examples=100, deadline=None)
@given(values=st.lists(st.integers(-20, 20), max_size=150))
@pytest.mark.parametrize("engine", ENGINES)
def test_sorts(engine: str, values: list[int]) -> None:
    run = run_of(engine)
    source = f"local t = {listed(values)} sort(t) return concat(t, ' ')"
    assert run(source).decode() == " ".join(map(str, sorted(values)))
    source = (
        f"local t = {listed(values)} sort(t, function(a, b) return a > b end) return concat(t, ' ')"
    )
    assert run(source).decode() == " ".join(map(str, sorted(values, reverse=True)))


@settings(max_examples=100, deadline=None)
@given(values=st.lists(st.integers(0, 99), max_size=90), modulus=st.integers(1, 12))
@pytest.mark.parametrize("engine", ENGINES)
def test_equals_lie_as_the_native_function_leaves_them(
    engine: str, values: list[int], modulus: int
) -> None:
    """Sorting is not stable, but a script may have got used to how it is not."""
    run = run_of(engine)
    source = (
        f"local t = {listed(values)}"
        f" sort(t, function(a, b) return a % {modulus} < b % {modulus} end) return concat(t, ' ')"
    )
    assert run(source) == run(source, b"native")


# The adversary of McIlroy's "A Killer Adversary for Quicksort": values are decided upon only when
# they are compared, and always so that the split is bad.
KILLER = """
local function killer(n)
  local values, solid, candidate, gas = {}, 0, 0, n
  local t = {}
  for i = 1, n do t[i], values[i] = i, gas end
  sort(t, function(x, y)
    if values[x] == gas and values[y] == gas then
      solid = solid + 1
      if x == candidate then values[x] = solid else values[y] = solid end
    end
    if values[x] == gas then candidate = x elseif values[y] == gas then candidate = y end
    return values[x] < values[y]
  end)
  return values
end
"""
SHAPES = {
    "sorted": "i",
    "reversed": "n - i",
    "all equal": "7",
    "two values": "i % 2",
    "organ pipe": "i <= n / 2 and i or n - i",
    "saw": "i % 100",
    "sorted but the last": "i < n and i or 0",
    "shuffled": "i * 7919 % 10007",
    "killer": "values[i]",
}
COMPARISONS = 12
"""Times n log2(n), at most: a good quicksort takes 1.2, heapsort behind bad splits the rest."""


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("engine", ENGINES)
def test_comparisons(engine: str, shape: str) -> None:
    """Even where each split is the worst."""
    n = 10_000
    making = "local values = killer(n)" if shape == "killer" else ""
    source = f"""{KILLER}
        local n, count, t = {n}, 0, {{}}
        {making}
        for i = 1, n do t[i] = {SHAPES[shape]} end
        sort(t, function(a, b) count = count + 1 return a < b end)
        for i = 2, n do if t[i] < t[i - 1] then error('not sorted') end end
        return count"""
    count = run_of(engine)(source)
    assert count <= COMPARISONS * n * log2(n), count


def test_killer_kills_the_native_sort() -> None:
    """So that the test above can fail: there it takes its square."""
    source = f"""{KILLER}
        local values, count, t = killer(4000), 0, {{}}
        for i = 1, 4000 do t[i] = values[i] end
        sort(t, function(a, b) count = count + 1 return a < b end)
        return count"""
    assert run_of("lua51")(source, b"native") > COMPARISONS * 4000 * log2(4000)


@pytest.mark.parametrize("comparator", [
    "true", "math.random() < 0.5", "calls % 3 == 0", "a <= b", "calls < 500",
])  # fmt: skip
@pytest.mark.parametrize("engine", ENGINES)
def test_inconsistent_comparators(engine: str, comparator: str) -> None:
    """They get an error or some order: no element is lost, none but elements are compared."""
    source = f"""
        for n = 0, 200 do
          local t, calls = {{}}, 0
          for i = 1, n do t[i] = i * 31 % 17 end
          local before = concat(t, '')
          local ok, problem = pcall(sort, t, function(a, b)
            calls = calls + 1
            if a == nil or b == nil then error('out of bounds') end
            return {comparator}
          end)
          local told = ok or tostring(problem):find('invalid order function for sorting', 1, true)
          if not told then error(problem, 0) end
          if #t ~= n or t[n + 1] ~= nil or t[0] ~= nil then error('moved out of bounds') end
          if ok then
            local sum, expected = 0, 0
            for i = 1, n do sum, expected = sum + t[i], expected + i * 31 % 17 end
            if sum ~= expected then error('lost') end
          end
          if calls > 60 * (n + 1) * 10 then error('for ever') end
        end
        return 'done'"""
    assert run_of(engine)(source) == b"done"


@pytest.mark.parametrize("engine", ENGINES)
def test_invalid_order_is_told(engine: str) -> None:
    source = """
        local t = {}
        for i = 1, 100 do t[i] = i end
        sort(t, function() return true end)"""
    assert run_of(engine)(source) == b"raised case:4: invalid order function for sorting"


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("values", "words"), [
    ("{1, 'x'}", ("attempt to compare string with number",)),
    ("{{}, {}}", ("attempt to compare two table values",)),
    ("{true, 3}", ("attempt to compare number with boolean",)),
])  # fmt: skip
def test_what_can_not_be_compared(engine: str, values: str, words: tuple[str, ...]) -> None:
    """The engine's words at the script's line."""
    said = run_of(engine)(f"sort({values}) return 1").decode()
    assert said in [f"raised case:1: {text}" for text in words]


@pytest.mark.parametrize("engine", ENGINES)
def test_errors_of_a_comparator_come_out_as_they_are(engine: str) -> None:
    run = run_of(engine)
    assert run("sort({2, 1}, function() error('mine') end)") == b"raised case:1: mine"
    assert run("sort({2, 1}, function() error('bare', 0) end)") == b"raised bare"
    meta = (
        "local m = {__lt = function() error('bare', 0) end}"
        " local function o() return setmetatable({}, m) end"
    )
    assert run(f"{meta} sort({{o(), o()}})") == b"raised bare"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_comparator_may_yield(engine: str) -> None:
    source = """
        local t, yields = {3, 1, 2}, 0
        local co = coroutine.create(function()
          sort(t, function(a, b) coroutine.yield() return a < b end)
        end)
        while coroutine.status(co) ~= 'dead' do
          local ok, problem = coroutine.resume(co)
          if not ok then error(problem, 0) end
          yields = yields + 1
        end
        return concat(t, ' ') .. (yields > 2 and ' yielded' or '')"""
    assert run_of(engine)(source) == b"1 2 3 yielded"


@pytest.mark.parametrize("engine", ENGINES)
def test_tables_with_metamethods(engine: str) -> None:
    """From 5.3 on sort reads and writes through them; before, it looks past them."""
    source = """
        local store, calls = {3, 1, 2}, 0
        local t = setmetatable({}, {
          __index = function(_, i) calls = calls + 1 return store[i] end,
          __newindex = function(_, i, v) calls = calls + 1 store[i] = v end,
          __len = function() return 3 end,
        })
        local ok, problem = pcall(sort, t)
        return concat(store, ' ') .. ' ' .. tostring(calls > 0)"""
    reads_through = engine in ("lua53", "lua54", "lua55")
    assert run_of(engine)(source) == (b"1 2 3 true" if reads_through else b"3 1 2 false")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_raw_sort_with_a_metatable(engine: str) -> None:
    source = """
        local t = setmetatable({3, 1, 2}, {__index = error, __newindex = error})
        sort(t)
        return concat(t, ' ')"""
    assert run_of(engine)(source) == b"1 2 3"
