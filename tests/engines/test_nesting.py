"""Recursion through C never ends the process: each way of it, on each engine, raises in the script.

LuaJIT has no limit of its own here, and Lua 5.1's pattern matcher none on any engine but by ours;
a script that gets past the limit overruns the C stack, and SIGSEGV takes all requests with it. So
all ways of one engine run in a child process, which this file is as well::

    python tests/engines/test_nesting.py luajit
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest
import trio
from support.site import ENGINES, open_site

TIMEOUT = 300
"""Seconds for all ways of one engine; alone, the slowest takes sixty."""

PRELUDE = """
local wrap, create, resume = coroutine.wrap, coroutine.create, coroutine.resume
local function attempt(f, ...)
  local ok, problem = pcall(f, ...)
  cd.say(ok and 'returned' or tostring(problem))
end
local function with(meta) return setmetatable({}, meta) end
-- Newer engines call more metamethods; where one is not called there is no recursion to limit.
local HAS_LEN = #setmetatable({}, {__len = function() return 7 end}) == 7
local RAW = not not (_VERSION ~= 'Lua 5.1' and _VERSION ~= 'Lua 5.2')
"""

# Ways to call Lua from C: each calls `f` from inside a C function.
CALLS = {
    "wrap": "return wrap(f)()",
    "resume": "assert(resume(create(f)))",
    "gsub with a function": "string.gsub('a', 'a', f)",
    "gsub with a table": "string.gsub('a', 'a', with {__index = f})",
    "gsub with a sealed table": "string.gsub('a', 'a', with {__index = f, __metatable = false})",
    "sort": "table.sort({3, 2, 1}, function() f() return false end)",
    "sort with __lt": """
        local meta = {__lt = function() f() return false end}
        table.sort({with(meta), with(meta), with(meta)})""",
    "sort with __lt and __len": """
        local meta = {__lt = function() f() return false end}
        local list = {with(meta), with(meta), with(meta)}
        table.sort(setmetatable(list, {__len = function() return 3 end}))""",
    "format": "string.format('%s', with {__tostring = function() f() return '' end})",
    "format, sealed": """
        string.format('%s %s %s', with {
          __tostring = function() f() return '' end, __metatable = false,
        }, 1, 2)""",
    "format, sealed with a table": """
        string.format('%s', with {__tostring = function() f() return '' end, __metatable = {}})""",
    "tostring": "tostring(with {__tostring = function() f() return '' end})",
    "os.time": "os.time(with {__index = f})",
    "pcall": "local ok, problem = pcall(f) if not ok then error(problem, 0) end",
    "xpcall": """
        local ok, problem = xpcall(f, function(m) return m end)
        if not ok then error(problem, 0) end""",
    "xpcall's handler": """
        if depth < 300 then xpcall(error, f, 'x') end
        error('stack overflow')""",
    "load's reader": "load(function() f() return nil end)",
    "loaded chunk": "assert(load('local f = ... return (f())'))(f)",
    "require": """
        local name = 'm' .. depth
        package.preload[name] = function() f() end
        require(name)""",
    "__index": "return with({__index = f}).x",
    "__newindex": "with({__newindex = f}).x = 1",
    "__call": """
        if depth > 20000 then error('stack overflow') end    -- 5.4 needs seconds for its million
        local _ = with({__call = f})()""",
    "__add": "return with({__add = f}) + 1, 1",
    "__concat": "return with({__concat = f}) .. '', 1",
    "__eq": "return with({__eq = f}) == with({__eq = f}), 1",
    "__lt": "local meta = {__lt = f} return with(meta) < with(meta), 1",
    "__le": "local meta = {__le = f} return with(meta) <= with(meta), 1",
    "__unm": "return -with({__unm = f}), 1",
    "__len": "local _ = #with({__len = f}) if not HAS_LEN then error('stack overflow') end",
    "__pairs": """
        for _ in pairs(with({__pairs = function() f() return next, {} end})) do end
        if not HAS_LEN then error('stack overflow') end""",
    "concat": """
        pcall(table.concat, with {__index = f, __len = function() return 3 end})
        error('stack overflow')""",
    "unpack": """
        (table.unpack or unpack)(with {__index = f}, 1, 3)
        if not RAW then error('stack overflow') end""",
    "insert": """
        local list = with {__newindex = f}
        table.insert(list, 1)
        if not RAW then error('stack overflow') end""",
    "ipairs": """
        for _ in ipairs(with {__index = f}) do end
        if not RAW then error('stack overflow') end""",
    "iterator": "for _ in wrap(f) do end error('stack overflow')",
    "log": """
        cd.log(cd.ERR, with {__tostring = function() f() return '' end})
        error('stack overflow')""",
    "header": """
        cd.header.x = with {__tostring = function() f() return '' end}
        error('stack overflow')""",
    "escape_uri": "cd.escape_uri(with {__tostring = function() f() return '' end})",
    "shared dict": "cd.shared.candy:get(with {__tostring = function() f() return '' end})",
    "foreach": """
        if not table.foreach then error('stack overflow') end
        table.foreach({1}, function() f() end)""",
}

# Where the way has something else to say than "stack overflow".
SCRIPTS = {
    name: f"local depth = 0 local function f() depth = depth + 1 {call} end attempt(f)"
    for name, call in CALLS.items()
}
# In a coroutine the Lua stack is a new one: its limit bounds nothing then. (Those that are left
# out never call from C on LuaJIT.)
SCRIPTS |= {
    f"{name}, in coroutines in turn": f"""
        local function level()
          local depth = 0
          local function f()
            depth = depth + 1
            if depth > 200 then return wrap(level)() end
            {call}
          end
          return f()
        end
        attempt(level)"""
    for name, call in CALLS.items()
    if not name.startswith(("__", "pcall", "xpcall", "loaded", "log", "iterator"))
}
SCRIPTS |= {
    "nested brackets": """
        for _, open in ipairs {
          '(', '{', '- ', 'not ', 'x = function() ', 'do ', '1^', '"" .. ', 'f(', 'a[',
          'while x do ', 'if x then ', 'repeat ', '{{',
        } do
          local f, problem = load('return ' .. open:rep(100000))
          if f then error('compiled ' .. open) end
          f, problem = load(open:rep(100000))
          if f then error('compiled ' .. open) end
        end
        error('stack overflow')""",
    "patterns": """
        local text = ('a'):rep(500000)
        for _, item in ipairs {
          'a?', 'a-', 'a*', '[a]?', '%a?', '.-', '(a', '%f[a]', '()', '%b()', 'a',
        } do
          local long = item:rep(500000)
          local pattern = '^' .. long
          pcall(string.find, text, pattern)
          pcall(string.match, text, pattern)
          pcall(string.gsub, text, pattern, '')
          pcall(function() return string.gmatch(text, long)() end)
          if string.gfind then pcall(function() return string.gfind(text, long)() end) end
        end
        assert(('x?'):rep(500000):find('?x', 1, true) == 2)
        error('stack overflow')""",
    "__index chain": """
        local first = {}
        local t = first
        for i = 1, 100000 do t = setmetatable({}, {__index = t}) end
        return attempt(function() return t.x, error('stack overflow') end)""",
    "__index of itself": """
        local t = {}
        setmetatable(t, {__index = t})
        attempt(function() local _ = t.x end)""",
    "__call of itself": """
        if _VERSION == 'Lua 5.4' then return cd.say('left out') end
        local meta = {}
        meta.__call = with(meta)
        attempt(with(meta))""",
    "error in the handler": """
        local function f() error('x') end
        xpcall(f, f)
        xpcall(f, function() f() end)
        cd.say('stack overflow')""",
    "Lua recursion": "local function f() return 1 + f() end attempt(f)",
    "overflow in the handler": """
        local function f() return 1 + f() end
        local _, problem = xpcall(f, function() return 1 + f() end)
        error(problem, 0)""",
    "gmatch in gsub in sort": """
        local function f()
          table.sort({2, 1, 3}, function()
            string.gsub('a', 'a', function()
              for _ in string.gmatch('a', 'a') do wrap(f)() end
            end)
            return false
          end)
        end
        attempt(f)""",
    "nested tables to say": "local t = {} t[1] = t attempt(cd.say, t)",
    "closing": """
        if not coroutine.close then error('stack overflow') end
        local make = load([[
          local f = ...
          return function()
            local x <close> = setmetatable({}, {__close = f})
            coroutine.yield()
          end]])
        local function f()
          local co = create(make(f))
          resume(co)
          assert(coroutine.close(co))
        end
        attempt(f)""",
    "__close": """
        if not coroutine.close then error('stack overflow') end
        local f
        local run = load([[
          local f = ...
          local x <close> = setmetatable({}, {__close = f})
          error('x')]])
        function f() run(f) end
        attempt(f)""",
    "waiting in coroutines in coroutines": """
        local function f(n)
          if n == 0 then cd.sleep(0) return 'here' end
          return wrap(f)(n - 1)
        end
        for n = 0, 180, 30 do assert(f(n) == 'here') end
        attempt(f, 250)""",
    "too many named parameters before ...": """
        if _VERSION ~= 'Lua 5.1' or jit then error('stack overflow') end
        local names = {}
        for i = 1, 120 do names[i] = 'p' .. i end
        local f, problem = load('return function(' .. table.concat(names, ',') .. ', ...) end')
        assert(not f and problem:find('CVE%-2014%-5461'), problem)
        assert(load([[-- ...
          return function(a, b, c, ...) return {[1] = "x", y = true, z = nil, 1.5} end]]))
        f, problem = load([==[local x = 1
          local function g() return function(a, b, c, --[[)]] d, ...) return x end end]==])
        assert(not f and problem:find(':2: more than 3'), problem)
        error('stack overflow')""",
}
# What else than an overflow may be said, where Lua has another limit or does not call at all.
LIMITED = (
    "overflow",
    "nests too deep",
    "error in error handling",  # what Lua makes of an error in a handler, of this one, too
    "loop",
    "(a table value)",
    "'__call' chain",
    "string expected",
    "call a table value",
)


async def _run_all(engine: str) -> None:
    """One line of JSON for each way: its name before it begins, then what the script said."""
    routes = "".join(
        f'[[host.route]]\nlocation = "= /{number}"\nlua_script = "{number}.lua"\n'
        for number in range(len(SCRIPTS))
    )
    # A million levels of Lua take more than a request's usual memory, and on a busy machine time.
    limits = (
        'lua_memory_limit = "1g"\nlua_vm_memory = "2g"\nlua_cpu_limit = 60\nlua_time_limit = 90\n'
    )
    config = f'lua_engine = "{engine}"\n{limits}[[host]]\nport = 8080\n{routes}'
    files = {f"{number}.lua": PRELUDE + script for number, script in enumerate(SCRIPTS.values())}
    with tempfile.TemporaryDirectory() as folder:
        async with open_site(Path(folder), config, files) as site:
            for number, name in enumerate(SCRIPTS):
                print(json.dumps(["begin", name]), flush=True)
                before = len(site.log())
                reply = await site.request(f"/{number}")
                said = reply.text.strip() if reply.status == 200 else site.log()[before:]
                print(json.dumps(["end", name, said]), flush=True)


@cache
def _children() -> dict[str, subprocess.Popen[bytes]]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return {
        engine: subprocess.Popen(
            [sys.executable, __file__, engine],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
        for engine in ENGINES
    }


@cache
def _results(engine: str) -> tuple[dict[str, str], str]:
    """What each way said, and the way during which the process ended, if it did."""
    child = _children()[engine]
    try:
        output, errors = child.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        child.kill()
        output, errors = child.communicate()
    said, last = {}, "the start: " + errors.decode()
    for line in output.decode().splitlines():
        kind, name, *rest = json.loads(line)
        last = name
        if kind == "end":
            said[name] = rest[0]
    return said, "" if child.returncode == 0 else f"{last} (exit status {child.returncode})"


@pytest.mark.parametrize("engine", ENGINES)
def test_no_way_of_recursion_ends_the_process(engine: str) -> None:
    """A child that goes through all ways ends by itself."""
    assert _results(engine)[1] == ""


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("way", SCRIPTS)
def test_recursion_raises_in_the_script(way: str, engine: str) -> None:
    """The script can catch the limit; the error names no place of ours."""
    said = _results(engine)[0][way]
    if said.strip() == "left out":
        pytest.skip("5.4 shifts the arguments of this call for minutes before it raises")
    assert any(part in said for part in LIMITED), said
    assert "[candy" not in said


if __name__ == "__main__":
    trio.run(_run_all, sys.argv[1])
