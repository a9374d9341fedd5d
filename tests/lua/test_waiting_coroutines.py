"""Coroutines of a script that wait or yield in the middle of a require or an error handler."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from support.site import ENGINES, one_route, open_site


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_module_may_not_yield_out_of_its_require(engine: str, tmp_path: Path) -> None:
    """Also where require was called in a coroutine: a module half loaded is nobody's to see, and
    the script can go on waiting afterwards."""
    files = {
        "t.lua": """
          local function load(name) return pcall(require, name) end
          for _, name in ipairs({"yielding", "protected"}) do
            local ok, e = coroutine.wrap(load)(name)
            cd.say(ok, " ", (tostring(e):gsub("^[^ ]*: ", "")))
            cd.sleep(0)
          end
          cd.say(coroutine.wrap(function()
            local first = require("generating").first
            coroutine.yield(first)
          end)())
        """,
        "lualib/yielding.lua": "coroutine.yield(1) return {}",
        "lualib/protected.lua": "local ok, e = pcall(coroutine.yield, 1) error(e, 0)",
        "lualib/generating.lua": """
          local numbers = coroutine.wrap(function() for i = 7, 9 do coroutine.yield(i) end end)
          return {first = numbers()}
        """,
    }
    refused = "false attempt to yield across C-call boundary"
    async with open_site(tmp_path, one_route(engine), files) as site:
        for _ in range(2):
            assert (await site.request()).text.splitlines() == [refused, refused, "7"], site.log()


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_handler_that_waits_keeps_its_traceback_to_itself(
    engine: str, tmp_path: Path
) -> None:
    """debug.traceback in an xpcall handler tells of the error; elsewhere, meanwhile and afterwards,
    of where it is called."""
    script = """
      local function fails() error("x") end
      local function handler()
        coroutine.yield()
        pcall(cd.sleep, 0)
        return debug.traceback()
      end
      local co = coroutine.create(function() return select(2, xpcall(fails, handler)) end)
      coroutine.resume(co)
      cd.say(debug.traceback():find("'?fails'?") == nil)
      local _, own = xpcall(function() local function other() error("y") end other() end, function()
        local _, trace = coroutine.resume(co)
        cd.say(trace:find("t.lua:2:", 1, true) ~= nil)
        return debug.traceback()
      end)
      cd.say(own:find("t.lua:11:", 1, true) ~= nil)
      cd.say(debug.traceback():find("t.lua:11:", 1, true) == nil)
    """
    async with open_site(tmp_path, one_route(engine), {"t.lua": script}) as site:
        assert (await site.request()).text == "true\n" * 4, site.log()


@pytest.mark.parametrize("engine", ENGINES)
async def test_the_thread_of_another_request_tells_nothing(engine: str, tmp_path: Path) -> None:
    """Threads are used again, by other routes too: whoever has kept one sees no traceback."""
    config = one_route(engine, 'lua_script = "keep.lua"') + (
        '[[host.route]]\nlocation = "/other"\nlua_script = "secret.lua"\n'
    )
    files = {
        "keep.lua": """
          local m = require("m")
          if not m.co then m.co = coroutine.running() return end
          cd.sleep(0)
          cd.print(debug.traceback(m.co):find("secret") == nil, " ",
                   debug.traceback((coroutine.running())):find("keep.lua") ~= nil)
        """,
        "secret.lua": "cd.sleep(0) cd.sleep(60)",
        "lualib/m.lua": "return {}",
    }
    async with open_site(tmp_path, config, files) as site:
        await site.request()
        stream = site.connect()
        await stream.send_all(b"GET /other HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for _ in range(20):
            await trio.lowlevel.checkpoint()
        assert (await site.request()).text == "true true", site.log()
        await stream.aclose()
