"""Functions of ours in the place of Lua's own give the same results and errors, on every engine.

Each case is Lua text that runs twice in one VM: with the engine's own libraries, and with those
that scripts get. What it returns or raises is compared as text, place and name included.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines import registry

ENGINES = ("luajit", "lua51", "lua52", "lua53", "lua54", "lua55")
GATED = ("lua53", "lua54", "lua55")
SLICE = 1.0
CASES = tomllib.loads((Path(__file__).parent / "library_cases.toml").read_text())["case"]

HARNESS = b"""
local K = ...
local load, setfenv = loadstring or load, setfenv
local function copy(from)
  local to = {}
  for key, value in next, from do to[key] = type(value) == 'table' and copy(value) or value end
  return to
end
local LIBRARIES = {'string', 'table', 'os', 'utf8', 'math'}
local function environment(ours)
  local env = {
    setmetatable = setmetatable, select = select, type = type, next = next, error = error,
    pcall = pcall, rawget = rawget, rawset = rawset, rawequal = rawequal,
    unpack = unpack or table.unpack, coroutine = coroutine, assert = assert,
    pairs = pairs, ipairs = ipairs, tostring = tostring, tonumber = tonumber,
    native_pairs = pairs, native_tostring = tostring,
  }
  for _, name in ipairs(LIBRARIES) do
    local library = {}
    for key, f in next, _G[name] or {} do
      library[key] = ours and K.library[name] and K.library[name][key] or f
    end
    env[name] = library
  end
  if ours then
    for name, f in next, K.library.base do env[name] = f end
    env.unpack = K.library.table.unpack
  end
  return env
end
-- Values as text that tells integers from floats, and one table from another by what is in it.
local function shown(value, depth)
  local kind = type(value)
  if kind == 'string' then
    if #value > 200 then return '#' .. #value .. value:sub(1, 50) .. value:sub(-50) end
    return ('%q'):format(value)
  end
  if kind == 'table' and depth < 4 then
    local keys = {}
    for key in next, value do keys[#keys + 1] = key end
    table.sort(keys, function(a, b) return type(a) == type(b) and a < b or type(a) < type(b) end)
    local parts = {}
    for i, key in ipairs(keys) do
      if i > 50 then break end
      parts[i] = shown(key, depth + 1) .. '=' .. shown(rawget(value, key), depth + 1)
    end
    return '{' .. table.concat(parts, ',') .. '}'
  end
  if kind == 'number' or kind == 'boolean' or kind == 'nil' then return tostring(value) end
  return kind
end
local function outcome(...)
  local parts = {}
  for i = 1, select('#', ...) do parts[i] = shown((select(i, ...)), 0) end
  return table.concat(parts, ' | ')
end
local GLOBALS = {native = environment(false), ours = environment(true)}
return function(source, which)
  local env = GLOBALS[which]
  local f, problem
  if setfenv then
    f, problem = load(source, '=case')
    if f then setfenv(f, env) end
  else
    f, problem = load(source, '=case', 't', env)
  end
  if not f then return 'does not compile: ' .. problem end
  local function judged(ok, ...)
    if ok then return outcome(...) end
    local message = ...
    if type(message) == 'string' then message = K.without_place(message) end
    return 'raised ' .. shown(message, 0)
  end
  return judged(pcall(f))
end
"""


@cache
def run_of(engine: str, time_slice: float | None) -> Any:
    """A function of a case's text and of "native" or "ours"."""
    vm = registry.load(engine).new_vm(memory_limit=None, time_slice=time_slice)
    run = vm.execute(HARNESS, "harness", vm.kernel)
    return lambda source, which: run(source.encode(), which).decode("latin-1")


def check(engine: str, source: str) -> None:
    native = run_of(engine, None)(source, b"native")
    # A VM with time slices has gates, which know a pattern or a form from the second time on.
    for time_slice in (None, SLICE, SLICE) if engine in GATED else (None,):
        ours = run_of(engine, time_slice)(source, b"ours")
        # A function of fixed parameters can't tell an argument that is not there from nil.
        ours, native = (text.replace("got no value", "got nil") for text in (ours, native))
        if native.startswith('raised "attempt to '):
            # An operator that fails in C has no line; in Lua it gets the script's.
            ours = re.sub('^raised "case:[0-9]+: ', 'raised "', ours)
        assert ours == native, source


def texts(case: dict[str, Any]) -> list[str]:
    """The case's texts: one for each value of its list ``each``, in the place of ``EACH``.

    A tail call would leave no line of the script's to name, so the last ``return`` gives a value
    more.
    """
    before, _, after = case["script"].rpartition("return ")
    script = f"{before}return 0, {after}" if after else case["script"]
    return [script.replace("EACH", value) for value in case.get("each", [""])]


@pytest.mark.parametrize(
    ("case", "engine"),
    [
        pytest.param(case, engine, id=f"{case['name']}-{engine}")
        for case in CASES
        for engine in case.get("engines", ENGINES)
    ],
)
def test_case(case: dict[str, Any], engine: str) -> None:
    for source in texts(case):
        check(engine, source)


# ---------------------------------------------------------------------- at random
INTEGERS = st.one_of(st.integers(-6, 12), st.sampled_from([-(2**31), 2**31 - 1]))
OPTIONAL = st.one_of(st.just("nil"), INTEGERS.map(str))
PARTS = ["%s", "%5s", "%.2s", "%q", "%d", "%5.2f", "%%", "x", "%x", "%"]
LISTS = st.lists(st.sampled_from(["1", "2.5", "'a'", "'bc'", "nil", "{}", "true"]), max_size=8)


def listed(values: list[str]) -> str:
    return "{" + ",".join(values) + "}"


@settings(max_examples=100, deadline=None)
@given(values=LISTS, separator=st.sampled_from(["nil", "','", "''", "7"]), i=OPTIONAL, j=OPTIONAL)
@pytest.mark.parametrize("engine", ENGINES)
def test_concat(engine: str, values: list[str], separator: str, i: str, j: str) -> None:
    if i.startswith("-2147") or (j == "2147483647" and i == "-2147483648"):
        i = "1"
    check(engine, f"return 0, table.concat({listed(values)}, {separator}, {i}, {j})")


@settings(max_examples=100, deadline=None)
@given(
    values=LISTS, first=st.integers(-3, 9), last=st.integers(-3, 9), target=st.integers(-3, 9),
    into=st.booleans(),
)  # fmt: skip
@pytest.mark.parametrize("engine", ["luajit", "lua53", "lua54", "lua55"])
def test_move(
    engine: str, values: list[str], first: int, last: int, target: int, into: bool
) -> None:
    other = ", {8, 9}" if into else ""
    check(
        engine,
        f"local t = {listed(values)} local r = table.move(t, {first}, {last}, {target}{other})"
        " return t, r, r == t",
    )


@settings(max_examples=100, deadline=None)
@given(values=LISTS, i=st.integers(-3, 10), value=st.sampled_from(["nil", "5", "'x'"]))
@pytest.mark.parametrize("engine", ENGINES)
def test_insert_and_remove(engine: str, values: list[str], i: int, value: str) -> None:
    values = [one for one in values if one != "nil"]
    check(engine, f"local t = {listed(values)} table.insert(t, {i}, {value}) return t")
    check(engine, f"local t = {listed(values)} table.insert(t, {value}) return t")
    check(engine, f"local t = {listed(values)} return table.remove(t, {i}), t")
    check(engine, f"local t = {listed(values)} return table.remove(t), t")


@settings(max_examples=100, deadline=None)
@given(values=LISTS, i=OPTIONAL, j=OPTIONAL)
@pytest.mark.parametrize("engine", ENGINES)
def test_unpack(engine: str, values: list[str], i: str, j: str) -> None:
    if engine == "lua51" and ("2147483647" in (i, j) or "-2147483648" in (i, j)):
        return  # its own ends the process there: see below
    values = values or ["1"]
    if "nil" in values and j == "nil":
        j = "3"  # the length of a table with holes may differ between two of them
    check(engine, f"return 0, unpack({listed(values)}, {i}, {j})")
    check(engine, f"return 0, unpack(setmetatable({listed(values)}, {{}}), {i}, {j})")


@pytest.mark.parametrize(
    "bounds", ["-6, 2147483647", "0/0, 2147483647", "2^32 - 6, 2^31 - 1", "1, 1e9"]
)
def test_unpack_of_51_beyond_its_integers(bounds: str) -> None:
    """The native function wraps around and overruns the stack."""
    said = run_of("lua51", None)(f"return 0, unpack({{}}, {bounds})", b"ours")
    assert said in ('raised "case:1: too many results to unpack"', "0")


@settings(max_examples=20, deadline=None)
@given(text=st.text("aé\x80\xc3€😀", max_size=40), repeat=st.sampled_from([1, 100_000]),
       i=st.integers(-50, 50), j=st.integers(-50, 50), n=st.integers(-30, 30))  # fmt: skip
@pytest.mark.parametrize("engine", ["lua53", "lua54", "lua55"])
def test_utf8(engine: str, text: str, repeat: int, i: int, j: int, n: int) -> None:
    """Short ones go to C, long ones to pieces."""
    bytes_ = "".join(f"\\{byte}" if byte < 256 else "" for byte in _bytes(text))
    subject = f'("{bytes_}"):rep({repeat})'
    for scale in (1, 40_000):
        check(engine, f"return 0, utf8.len({subject}, {i * scale}, {j * scale})")
        check(engine, f"return 0, utf8.offset({subject}, {n * scale})")
        check(engine, f"return 0, utf8.offset({subject}, {n * scale}, {i * scale})")


def _bytes(text: str) -> bytes:
    """UTF-8 in which some bytes stand alone: what can't be a character, too."""
    return b"".join(one.encode("latin-1") if one in "\x80\xc3" else one.encode() for one in text)


@settings(max_examples=30, deadline=None)
@given(parts=st.lists(st.sampled_from(PARTS), max_size=6), long=st.booleans())
@pytest.mark.parametrize("engine", ENGINES)
def test_format(engine: str, parts: list[str], long: bool) -> None:
    """Long forms and arguments are formatted conversion by conversion."""
    form = "".join(parts)
    values = {"%d": "42", "%x": "255", "%5.2f": "1.5", "%q": "'a\\n\\0001\\r\"'"}
    text = "('ab'):rep(200000)" if long else "'abc'"
    arguments = [values.get(part, text) for part in parts if part not in ("%%", "x", "%")]
    list_ = ", ".join(["", *arguments])
    check(engine, f"return 0, string.format('{form}'{list_})")
    check(engine, f"return 0, string.format('{form}' .. ('y'):rep(2000){list_})")


def test_format_quotes_long_text() -> None:
    """No piece is quoted as if another character came behind it."""
    for engine in ENGINES:
        for shift in range(3):
            text = f"('x'):rep({65535 - shift}) .. '\\0001\\r\\n2\\00034'"
            for place in ("65500, 65600", "-100, -1"):
                check(
                    engine,
                    f"local s = string.format('%q', {text} .. ('\\0007'):rep(40000))"
                    f" return #s, s:sub({place})",
                )
