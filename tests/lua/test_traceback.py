"""Tracebacks are the script's: no frame of the server's own Lua, the script as the main chunk."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from support.site import ENGINES, one_route, open_site

from candy_trio.lua.traceback import MAX_LINE, clean

# Each fails in another way; the line that fails is number 3.
FAILING = {
    "error": "local function f()\n\n  error('oops')\nend\nf()",
    "arithmetic": "\n\nlocal x = nil + 1",
    "error with a level": "local function f() error('oops', 2) end\n\nf()",
    "API misuse": "\n\ncd.sleep('x')",
    "API misuse, colon": "\n\ncd.req:set_header()",
    "native misuse": "\n\nstring.rep()",
    "in pcall, raised again": "local _, e = pcall(function()\n\n  error('oops')\nend)\nerror(e, 0)",
    "in xpcall, raised again": "local ok, e = xpcall(function()\n\n  error('oops')\nend,"
    " debug.traceback)\nerror(e, 0)",
    "in a coroutine": "local f = coroutine.wrap(function()\n\n  error('oops')\nend)\nf()",
    "in a gsub callback": "string.gsub('a', 'a', function()\n\n  error('oops')\nend)",
    "in a comparator": "table.sort({2, 1, 3}, function()\n\n  error('oops')\nend)",
    "in __tostring": "cd.log(cd.ERR, setmetatable({}, {__tostring = function()\n\n"
    "  error('oops') end}))",
    "in __index": "local _ = setmetatable({}, {__index = function()\n\n  error('oops') end}).x",
    "after a wait": "cd.sleep(0)\n\nerror('oops')",
    "in a loaded chunk": "\n\nload('error(\"oops\")')()",
    "in a module": "\n\nrequire('broken')",
    "global function": "function handler()\n\n  error('oops')\nend\nhandler()",
    "method": "local t = {}\nfunction t:run()\n  error('oops')\nend\nt:run()",
    "tail call": "local function f()\n\n  error('oops')\nend\nreturn f()",
}


@pytest.mark.parametrize("engine", ENGINES)
async def test_log_of_a_failing_script_shows_the_script_alone(engine: str, tmp_path: Path) -> None:
    """Each kind of failure logs the script's line and the main chunk, and no chunk of ours."""
    routes = "".join(
        f'[[host.route]]\nlocation = "= /{number}"\nlua_script = "{number}.lua"\n'
        for number in range(len(FAILING))
    )
    config = f'lua_engine = "{engine}"\n[[host]]\nport = 8080\n{routes}'
    files = {f"{number}.lua": script for number, script in enumerate(FAILING.values())}
    files["lualib/broken.lua"] = "\n\nerror('oops')"
    async with open_site(tmp_path, config, files) as site:
        for number, name in enumerate(FAILING):
            before = len(site.log())
            reply = await site.request(f"/{number}")
            log = site.log()[before:]
            assert reply.status == 500, name
            assert "lua entry thread aborted: runtime error: " in log, name
            assert "[candy" not in log, (name, log)
            assert ".lua:3: " in log, (name, log)
            assert "in main chunk" in log or name == "tail call", (name, log)
            assert b"oops" not in reply.body, name


@pytest.mark.parametrize("engine", ENGINES)
async def test_traceback_in_a_handler_tells_of_the_error(engine: str, tmp_path: Path) -> None:
    """xpcall with debug.traceback names the function that failed, though it has been unwound."""
    script = """
local function inner() error('deep') end
local function outer() inner() end
local _, trace = xpcall(outer, debug.traceback)
cd.say(trace)
cd.say(debug.traceback('here'))
cd.say(debug.traceback('no more', 2))
"""
    async with open_site(tmp_path, one_route(engine), {"t.lua": script}) as site:
        reply = await site.request("/")
    failed, _, here = reply.text.partition("here\n")
    assert re.match(
        r"t\.lua:2: deep\nstack traceback:\n\t\[C\]: in (function|global) 'error'\n", failed
    )
    assert "t.lua:2: in " in failed
    assert "t.lua:3: in " in failed
    assert here.startswith("stack traceback:\n\tt.lua:6: in main chunk"), here
    assert reply.text.endswith("no more\nstack traceback:\n")
    assert "[candy" not in reply.text


@pytest.mark.parametrize("engine", ENGINES)
async def test_what_the_script_called_last_is_not_the_main_chunk(
    engine: str, tmp_path: Path
) -> None:
    """A tail call took the script's place on the stack: its function is named, not the script."""
    scripts = {
        "first.lua": "local function f(t) return #t.x.y end return f({})",
        "later.lua": "local handlers = {}\nfunction handlers.GET()\n  error('oops')\nend\n"
        "return handlers[ngx.req.get_method()]()",
        "ours.lua": "return ngx.redirect('/x', 'y')",
    }
    routes = "".join(
        f'[[host.route]]\nlocation = "= /{name}"\nlua_script = "{name}"\n' for name in scripts
    )
    config = f'lua_engine = "{engine}"\n[[host]]\nport = 8080\n{routes}'
    logs = {}
    async with open_site(tmp_path, config, scripts) as site:
        for name in scripts:
            before = len(site.log())
            assert (await site.request(f"/{name}")).status == 500
            logs[name] = site.log()[before:]
    assert "in function <later.lua:2>" in logs["later.lua"]
    assert "in main chunk" not in logs["later.lua"]
    assert "coroutine 0:\n\t[C]: in ?" in logs["ours.lua"]
    if engine != "luajit":  # which leaves no mark of a tail call: line 1 looks like the script
        assert "in function <first.lua:1>" in logs["first.lua"]
        assert "in main chunk" not in logs["first.lua"]


def test_a_name_of_a_megabyte_is_cut_at_once() -> None:
    """A function's name comes from the script: neither its length nor its newlines cost time."""
    hostile = b"\tt.lua:1: in field '" + b"x:1: in function <" * 60_000 + b"'"
    lines = b"\n".join([hostile, *[b"\tt.lua:1: in function <"] * 100_000])
    began = time.perf_counter()
    cleaned = clean(lines)
    assert time.perf_counter() - began < 0.5
    assert max(map(len, cleaned.split(b"\n"))) <= MAX_LINE


def test_a_frame_of_ours_becomes_the_function_that_the_script_called() -> None:
    """What the script's author called stays in sight, under the name OpenResty shows."""
    traceback = (
        b"\t[C]: in function 'concat'\n"
        b"\t[candy api/output.lua]:85: in function 'say'\n"
        b"\tt.lua:7: in function <t.lua:1>\n"
        b"\t[candy run.lua]:61: in function <[candy run.lua]:45>\n"
        b"\t[candy kernel.lua]:90: in function <[candy kernel.lua]:88>"
    )
    assert clean(traceback) == b"\t[C]: in function 'say'\n\tt.lua:7: in main chunk"


def test_a_tail_call_of_ours_leaves_no_trace_but_a_function_without_a_name() -> None:
    """PUC-Lua forgets the name of what was tail-called; the frames of ours around it go."""
    for tail_call in (b"(...tail calls...)", b"(tail call): ?"):
        traceback = (
            b"\t[C]: in function 'error'\n"
            b"\t[candy kernel.lua]:185: in function <[candy kernel.lua]:170>\n"
            b"\t" + tail_call + b"\n"
            b"\t[candy api/output.lua]:85: in function <[candy api/output.lua]:80>\n"
            b"\t" + tail_call + b"\n"
            b"\tt.lua:7: in function <t.lua:5>\n"
            b"\t" + tail_call + b"\n"
            b"\tt.lua:9: in function <t.lua:1>"
        )
        kept = b"\t[C]: in ?\n\tt.lua:7: in function <t.lua:5>\n\t%b\n\tt.lua:9: in main chunk"
        assert clean(traceback) == kept % tail_call


def test_an_error_that_the_script_raised_stays() -> None:
    """error as the body of a coroutine or under pcall is the script's call, not ours."""
    traceback = (
        b"\t[C]: in function 'error'\n"
        b"\t[candy coroutines.lua]:30: in function <[candy coroutines.lua]:29>"
    )
    assert clean(traceback, of_run=False) == b"\t[C]: in function 'error'"


@pytest.mark.parametrize("engine", ENGINES)
async def test_misuse_of_the_api_looks_like_misuse_of_lua(engine: str, tmp_path: Path) -> None:
    """Two lines: the function, by name where the engine knows it, and the script's."""
    config, files = one_route(engine), {"t.lua": "\n\nlocal x = cd.escape_uri('x', {})\n"}
    async with open_site(tmp_path, config, files) as site:
        assert (await site.request()).status == 500
        log = site.log()
    assert re.search(
        r't\.lua:3: "type" is not a number\nstack traceback:\ncoroutine 0:\n'
        r"\t\[C\]: in (\?|function '.*')\n\tt\.lua:3: in main chunk, client: ",
        log,
    ), log


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_traceback_in_a_handler_reaches_down_to_the_script(
    engine: str, tmp_path: Path
) -> None:
    """On 5.1, too, where each pcall and xpcall is a coroutine of ours."""
    script = """
local function inner() error('deep') end
local trace
local function middle()
  pcall(function()
    local _, text = xpcall(inner, debug.traceback)
    trace = text
  end)
end
middle()
cd.say(trace)
"""
    async with open_site(tmp_path, one_route(engine), {"t.lua": script}) as site:
        reply = await site.request()
    lines = [int(line) for line in re.findall(r"\tt\.lua:(\d+): in ", reply.text)]
    assert lines == [2, 6, 5, 10] or lines == [2, 6, 9, 10], reply.text
    assert "[candy" not in reply.text


@pytest.mark.parametrize("engine", ENGINES)
async def test_an_error_out_of_coroutines_shows_where_each_stood(
    engine: str, tmp_path: Path
) -> None:
    """As OpenResty logs it: coroutine 0 is where it happened, the last one is the script."""
    script = """
local function fails() error("deep") end
local function middle()
  local inner = coroutine.wrap(function() local r = fails() return r end)
  inner()
end
local outer = coroutine.wrap(middle)
pcall(coroutine.wrap(function() error("caught") end))
outer()
"""
    async with open_site(tmp_path, one_route(engine), {"t.lua": script}) as site:
        assert (await site.request()).status == 500
        log = site.log()
    where = [log.index(f"coroutine {number}:") for number in range(3)]
    assert where == sorted(where)
    assert "coroutine 3:" not in log
    assert "t.lua:2: in" in log[where[0] : where[1]]
    assert "t.lua:5: in" in log[where[1] : where[2]]
    assert "t.lua:9: in main chunk" in log[where[2] :]
    assert "[candy" not in log


@pytest.mark.parametrize("engine", ENGINES)
async def test_errors_that_were_caught_leave_nothing_behind(engine: str, tmp_path: Path) -> None:
    """A thousand coroutines that died of one error, each caught, neither gather in the run nor
    show in the traceback of what ends it."""
    script = """
for i = 1, 1000 do pcall(coroutine.wrap(function() error("same", 0) end)) end
coroutine.wrap(function() error("same", 0) end)()
"""
    async with open_site(tmp_path, one_route(engine), {"t.lua": script}) as site:
        assert (await site.request()).status == 500
        log = site.log()
    assert "coroutine 1:" in log
    assert "coroutine 2:" not in log
    assert len(log) < 4000
