"""Waiting, and what ends it: the time limit, a client that leaves, the server's end."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from support.site import ENGINES, GET, one_route, open_site, read_reply


@pytest.mark.parametrize("engine", ENGINES)
async def test_sleeping_scripts_wait_side_by_side(
    engine: str, tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """sleep waits in the server and blocks nobody: fifty take as long as one."""
    files = {"t.lua": "cd.sleep(2.5) cd.say('done')"}
    async with open_site(tmp_path, one_route(engine), files) as site:
        start = trio.current_time()
        async with trio.open_nursery() as nursery:
            for _ in range(50):
                nursery.start_soon(site.request)
        assert trio.current_time() - start == pytest.approx(2.5, abs=0.2)


@pytest.mark.parametrize("engine", ENGINES)
async def test_the_time_limit_answers_504(
    engine: str, tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """lua_time_limit counts waiting; the log names script, line, limit and usage."""
    files = {"t.lua": "local function nap()\n  cd.sleep(60)\nend\ncd.say('x')\nnap()\ncd.say('y')"}
    config = one_route(engine, 'lua_script = "t.lua"\nlua_time_limit = "3s"')
    async with open_site(tmp_path, config, files) as site:
        start = trio.current_time()
        reply = await site.request()
        assert reply.status == 504
        assert b"x" not in reply.body.split(b"<body>")[1].split(b"candy_trio")[0].strip(b"<>/hr")
        assert trio.current_time() - start == pytest.approx(3, abs=0.2)
        log = site.log()
        assert "lua_time_limit: t.lua ran 3.0" in log
        assert "at most 3 s" in log
        assert "t.lua:2: in" in log
        assert "[candy" not in log


@pytest.mark.parametrize("engine", ENGINES)
async def test_the_time_limit_after_the_head_cuts_the_connection(
    engine: str, tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """What was flushed arrives; the end of the body never does."""
    files = {"t.lua": "cd.say('x') cd.flush() cd.sleep(60)"}
    config = one_route(engine, 'lua_script = "t.lua"\nlua_time_limit = 1')
    async with open_site(tmp_path, config, files) as site:
        stream = site.connect()
        await stream.send_all(GET)
        data = b"".join([part async for part in stream])
        assert data.startswith(b"HTTP/1.1 200")
        assert data.endswith(b"2\r\nx\n\r\n")


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_client_that_leaves_cancels_its_script(
    engine: str, tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """Nothing runs after the wait, and the access log says 499."""
    files = {"t.lua": "cd.sleep(5) candy.shared.set('went', 'on')"}
    async with open_site(tmp_path, one_route(engine), files) as site:
        stream = site.connect()
        await stream.send_all(GET)
        await trio.sleep(1)
        await stream.aclose()
        await trio.sleep(10)
        assert site.app.shared["candy"].get(b"went") == (None, None)
        site.log()
        assert " 499 " in (tmp_path / "logs" / "access.log").read_text()


async def test_lua_check_client_abort_false_lets_it_finish(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """The route may ask that scripts go on without their client."""
    files = {"t.lua": "cd.sleep(5) candy.shared.set('went', 'on')"}
    config = one_route("luajit", 'lua_script = "t.lua"\nlua_check_client_abort = false')
    async with open_site(tmp_path, config, files) as site:
        stream = site.connect()
        await stream.send_all(GET)
        await trio.sleep(1)
        await stream.aclose()
        await trio.sleep(10)
        assert site.app.shared["candy"].get(b"went") == (b"on", 0)


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_pipelined_request_waits_for_its_turn(
    engine: str, tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """What the watcher reads ahead while a script sleeps is the next request, not lost."""
    files = {"t.lua": "cd.sleep(1) cd.print(cd.req.get_uri_args().n)"}
    async with open_site(tmp_path, one_route(engine), files) as site:
        stream = site.connect()
        for n in (b"1", b"2", b"3"):
            await stream.send_all(GET.replace(b"/ ", b"/?n=" + n + b" "))
            await trio.sleep(0.1)
        for n in (b"1", b"2", b"3"):
            assert (await read_reply_of_one(stream)).endswith(b"\r\n\r\n" + n)


async def read_reply_of_one(stream: trio.abc.ReceiveStream) -> bytes:
    data = b""
    while not data.endswith((b"1", b"2", b"3")) or b"\r\n\r\n" not in data:
        data += await stream.receive_some(1)
    return data


@pytest.mark.parametrize("engine", ENGINES)
async def test_comparators_and_replacements_may_wait(engine: str, tmp_path: Path) -> None:
    """Lua of ours calls them: they are not below C."""
    script = """
      local t = {3, 1, 2}
      table.sort(t, function(a, b) cd.sleep(0) return a < b end)
      cd.say(table.concat(t), (("ab"):gsub(".", function(c) cd.sleep(0) return c .. c end)))
    """
    async with open_site(tmp_path, one_route(engine), {"t.lua": script}) as site:
        assert (await site.request()).text == "123aabb\n", site.log()


CANT_WAIT = {
    "lua51": "setmetatable({}, {__index = function() cd.sleep(0) end}).x",
    "lua54": "coroutine.close(closing)",
    "lua55": "coroutine.close(closing)",
}
"""Where C calls Lua still."""


@pytest.mark.parametrize("engine", CANT_WAIT)
async def test_waiting_where_nothing_can_yield_raises(engine: str, tmp_path: Path) -> None:
    """It says so, and the script can catch it and go on."""
    closing = """
      local closing = coroutine.create(function()
        local held <close> = setmetatable({}, {__close = function() cd.sleep(0) end})
        coroutine.yield()
      end)
      coroutine.resume(closing)
    """
    script = f"""
      {closing if "closing" in CANT_WAIT[engine] else ""}
      local ok, said, message = pcall(function() return {CANT_WAIT[engine]} end)
      cd.say((tostring(message or said):gsub("^[^ ]*: ", "")))
      cd.sleep(0)
      cd.say("fine")
    """
    async with open_site(tmp_path, one_route(engine), {"t.lua": script}) as site:
        said, last = (await site.request()).text.splitlines()
        assert said.startswith("attempt to yield across "), said  # 5.1: its own words
        assert last == "fine"


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_module_may_not_wait_while_it_loads(engine: str, tmp_path: Path) -> None:
    """Its main chunk raises, require passes that on, and the next require tries again."""
    files = {
        "t.lua": """
          local ok, e = pcall(require, "napping")
          cd.say(ok, " ", (tostring(e):gsub("^[^ ]*: ", "")))
          cd.sleep(0)
          napped = true
          cd.say(require("quick").name)
        """,
        "lualib/napping.lua": "ngx.sleep(0) return {}",
        "lualib/quick.lua": "return {name = ...}",
    }
    async with open_site(tmp_path, one_route(engine), files) as site:
        for _ in range(2):
            reply = await site.request()
            assert reply.text == "false attempt to yield across C-call boundary\nquick\n", (
                site.log()
            )


@pytest.mark.parametrize("engine", ENGINES)
async def test_coroutine_yield_outside_a_coroutine_gives_way(engine: str, tmp_path: Path) -> None:
    """As in OpenResty the scheduler resumes the script, with nothing, in its next turn."""
    script = 'cd.say(select("#", coroutine.yield("sleep", 60)))'
    async with open_site(tmp_path, one_route(engine), {"t.lua": script}) as site:
        assert (await site.request()).text == "0\n", site.log()


async def test_a_half_read_keep_alive_connection_serves_on(tmp_path: Path) -> None:
    """A script that waits leaves the connection fit for the next request."""
    files = {"t.lua": "cd.sleep(0) cd.say(cd.req.get_method())"}
    async with open_site(tmp_path, one_route("luajit"), files) as site:
        stream = site.connect()
        for method in ("GET", "DELETE"):
            await stream.send_all(GET.replace(b"GET", method.encode()))
            assert (await read_reply(stream, method)).text == method + "\n"


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_module_may_not_give_way_while_it_loads(engine: str, tmp_path: Path) -> None:
    """coroutine.yield outside a coroutine waits for a turn; in a coroutine of its own it may."""
    files = {
        "t.lua": """
          local ok, e = pcall(require, "yielding")
          cd.say(ok, " ", (tostring(e):gsub("^[^ ]*: ", "")))
          cd.say(require("generating").first)
        """,
        "lualib/yielding.lua": "coroutine.yield() return {}",
        "lualib/generating.lua": """
          local numbers = coroutine.wrap(function() for i = 7, 9 do coroutine.yield(i) end end)
          return {first = numbers()}
        """,
    }
    async with open_site(tmp_path, one_route(engine), files) as site:
        lines = (await site.request()).text.splitlines()
        assert lines == ["false attempt to yield across C-call boundary", "7"], site.log()
