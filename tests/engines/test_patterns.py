"""The pattern functions that scripts get, against the engine's own, and that no C call is long."""

from __future__ import annotations

from functools import cache
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines import registry
from engines.base import Failed, LuaVM, Returned

ENGINES = ("luajit", "lua51", "lua52", "lua53", "lua54", "lua55")

BUDGETS = (-1, 150, 4e6)
"""Nanoseconds of a native call: for the Lua matcher alone, for all ways mixed, for what ships."""

COMPARE = rb"""
local K = ...
local N, native = K.nested, {}
for _, name in ipairs {'find', 'match', 'gmatch', 'gsub'} do native[name] = string[name] end
local gsub, rep, type = string.gsub, string.rep, type

local function shown(...)
  local t = {...}
  for i = 1, select('#', ...) do
    local value = t[i]
    t[i] = type(value) == 'string' and string.format('%q', value)
           or (math.type and math.type(value) or type(value)) .. ' ' .. tostring(value)
  end
  return table.concat(t, ', ')
end
local function iterate(gmatch, s, pattern, init)
  local lines, iterator = {}, gmatch(s, pattern, init)
  local function collect(...)
    if select('#', ...) == 0 or ... == nil then return false end
    lines[#lines + 1] = shown(...)
    return #lines < 50
  end
  while collect(iterator()) do end
  return table.concat(lines, ' | ')
end
local function joined(...)
  local t = {...}
  for i = 1, #t do t[i] = tostring(t[i]) end
  return '<' .. table.concat(t, ';') .. '>'
end
local function called(f, ...)
  local text = shown(pcall(f, ...))
  return (gsub(gsub(text, "to '[^']*'", 'to F'), '%[candy compare%]:%d+: ', ''))
end
local replacements = {
  joined,
  {a = 'A', b = 2, ab = true, [1] = 'one', [2] = false},
  setmetatable({}, {__index = function(_, key) return key == 'b' and nil or '[' .. tostring(key) .. ']' end}),
  function(x) return x == 'a' and {} or nil end,
}

-- The first difference of ours from the native functions; nothing if there is none.
return function(s, pattern, init, plain, replacement, n)
  local function differs(what, a, b)
    if a ~= b then return what .. ' gave\n  ' .. b .. '\nin the place of\n  ' .. a end
  end
  local function gsubs(with)
    return differs('gsub with ' .. tostring(with), called(native.gsub, s, pattern, with, n),
                   called(N.gsub, s, pattern, with, n))
  end
  local problem = differs('find', called(native.find, s, pattern, init, plain), called(N.find, s, pattern, init, plain))
    or differs('match', called(native.match, s, pattern, init), called(N.match, s, pattern, init))
    or differs('gmatch', called(iterate, native.gmatch, s, pattern, init), called(iterate, N.gmatch, s, pattern, init))
    or gsubs(replacement)
  for _, with in ipairs(replacements) do problem = problem or gsubs(with) end
  return problem
end, K.limit_patterns
"""


@cache
def _comparers() -> dict[str, tuple[Any, Any]]:
    """Of each engine: the function that compares, and the one that sets the budget."""
    comparers = {}
    for engine in ENGINES:
        vm: Any = registry.load(engine).new_vm()
        comparers[engine] = vm.execute(COMPARE, "compare", vm.kernel)
    return comparers


def differences(*args: object, budgets: tuple[float, ...] = BUDGETS) -> list[str]:
    """What differs, on which engine."""
    found = []
    for engine, (compare, limit) in _comparers().items():
        for budget in budgets:
            limit(budget)
            problem = compare(*args)
            if problem is not None:
                found.append(f"{engine}, budget {budget}: {problem.decode('latin-1')}")
    return found


ATOMS = [
    *(b"a", b"b", b"ab", b".", b"%a", b"%d", b"%s", b"%w", b"%S", b"%g", b"%z", b"%%", b"%.", b"%-"),
    *(b"[ab]", b"[^a]", b"[a-b%d]", b"[]]", b"[^]a]", b"[a-]", b"[%a-z]", b"[%]]", b"[%W]", b"[b-a]"),
    *(b"[%D%d]", b"[^%s%d]", b"[\xe0-\xff]", b"\xe9", b"\0", b"[\0a]", b"[^\0]", b"-", b"]", b"^", b"$"),
]
ZERO_WIDTH = [
    *(b"%bab", b"%b()", b"%b\0a", b"%baa", b"%f[a]", b"%f[^%a]", b"%f[%z]", b"%1", b"%2", b"%0", b"()"),
    *(b"(", b")", b"^", b"$", b"*", b"\0"),
]
MALFORMED = [b"[", b"[a", b"%", b"%b", b"%ba", b"%f", b"%fa", b"[%", b"[^", b"[a-", b"[]", b"%f[", b"[^]"]

_suffixes = st.sampled_from([b"", b"", b"?", b"*", b"+", b"-"])
_singles = st.builds(bytes.__add__, st.sampled_from(ATOMS), _suffixes)
_items = st.one_of(_singles, _singles, st.sampled_from(ZERO_WIDTH))
_plain = st.lists(_items, max_size=4).map(b"".join)
_captures = _plain.map(lambda inner: b"(" + inner + b")")
_patterns = st.builds(
    lambda anchor, items, end: anchor + b"".join(items) + end,
    st.sampled_from([b"", b"", b"^"]),
    st.lists(st.one_of(_items, _items, _captures), max_size=6),
    st.one_of(st.sampled_from([b"", b"", b"", b"$"]), st.sampled_from(MALFORMED)),
)
_subjects = st.lists(
    st.sampled_from([b"a", b"a", b"b", b"ab", b"(", b")", b"1", b" ", b"\0", b"]", b"\xe9", b"-"]),
    max_size=10,
).map(b"".join)
_replacements = st.lists(
    st.sampled_from([b"x", b"%0", b"%1", b"%2", b"%%", b"%", b"%a", b"\0", b"-"]), max_size=3
).map(b"".join)


@settings(max_examples=3000, deadline=None)
@given(
    _subjects,
    _patterns,
    st.one_of(st.none(), st.integers(-4, 12)),
    st.booleans(),
    _replacements,
    st.one_of(st.none(), st.integers(-1, 3)),
)
def test_results_and_errors_are_those_of_the_engine(
    subject: bytes, pattern: bytes, init: int | None, plain: bool, replacement: bytes, n: int | None
) -> None:
    """All four functions give what the engine's own give, whichever way a search goes."""
    problems = differences(subject, pattern, init, plain, replacement, n)
    assert not problems, "\n".join(problems)
