"""The code cache: when a script is compiled, and what happens while it does not compile."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import trio
from support.site import Site, one_route, open_site, read_reply
from trio.testing import MockClock

from candy_trio.errors import RequestError
from candy_trio.handlers.lua_script import LuaScriptHandler

ENGINES = ("luajit", "lua51", "lua54", "lua55")
pytestmark = pytest.mark.parametrize("engine", ENGINES)

JUST_BEFORE = 0.9
"""Seconds after a look at the file when there is no other look yet."""

AFTER = 1.1
"""Seconds after a look at the file when the next request looks again."""

COUNTING_MODULE = "local m = {n = 0} function m.count() m.n = m.n + 1 return m.n end return m"
COUNTING_SCRIPT = """cd.print(string.format("%d", require("m").count()))"""


def uncached(engine: str) -> str:
    return one_route(engine, 'lua_script = "t.lua"\nlua_code_cache = false')


def with_modules(config: str) -> str:
    return 'lua_package_path = "lualib/?.lua"\n' + config


def write(site: Site, text: str, name: str = "t.lua") -> None:
    (site.folder / name).write_text(text)


async def answer(site: Site) -> str:
    return (await site.request()).text


async def test_a_changed_script_is_compiled_again(
    engine: str, tmp_path: Path, mock_clock: MockClock
) -> None:
    """A change is noticed by the first request a second after the last look, not earlier."""
    async with open_site(tmp_path, one_route(engine), {"t.lua": 'cd.print("old")'}) as site:
        assert await answer(site) == "old"
        write(site, 'cd.print("new one")')
        assert await answer(site) == "old"
        mock_clock.jump(JUST_BEFORE)
        assert await answer(site) == "old"
        mock_clock.jump(AFTER - JUST_BEFORE)
        assert await answer(site) == "new one"
        write(site, 'cd.print("third of all")')
        mock_clock.jump(JUST_BEFORE)
        assert await answer(site) == "new one"
        mock_clock.jump(AFTER - JUST_BEFORE)
        assert await answer(site) == "third of all"


async def test_a_change_of_the_same_size_is_noticed(
    engine: str, tmp_path: Path, mock_clock: MockClock
) -> None:
    """The time of a file's last change counts as well as its size."""
    async with open_site(tmp_path, one_route(engine), {"t.lua": 'cd.print("a")'}) as site:
        assert await answer(site) == "a"
        write(site, 'cd.print("b")')
        os.utime(tmp_path / "t.lua", (2_000_000_000, 2_000_000_000))
        mock_clock.jump(AFTER)
        assert await answer(site) == "b"


async def test_an_unchanged_file_is_not_read(
    engine: str, tmp_path: Path, mock_clock: MockClock
) -> None:
    """A file whose time, size and inode are the same is not opened: its new text goes unseen."""
    path = tmp_path / "t.lua"
    async with open_site(tmp_path, one_route(engine), {"t.lua": 'cd.print("a")'}) as site:
        os.utime(path, (1_000_000_000, 1_000_000_000))
        assert await answer(site) == "a"
        write(site, 'cd.print("b")')
        os.utime(path, (1_000_000_000, 1_000_000_000))
        mock_clock.jump(AFTER)
        assert await answer(site) == "a"


async def test_a_script_that_no_longer_compiles(
    engine: str, tmp_path: Path, mock_clock: MockClock
) -> None:
    """It answers 500 and logs Lua's message with the file and line, until it is mended."""
    async with open_site(tmp_path, one_route(engine), {"t.lua": 'cd.print("good")'}) as site:
        assert await answer(site) == "good"
        write(site, "local x = 1\nlocal = 2")
        mock_clock.jump(AFTER)
        for _ in range(2):
            reply = await site.request()
            assert reply.status == 500
            assert "local" not in reply.text
        log = site.log()
        assert 'failed to load external Lua file "t.lua": t.lua:2: ' in log, log
        write(site, 'cd.print("mended")')
        mock_clock.jump(AFTER)
        assert await answer(site) == "mended"


async def test_a_script_that_never_compiled(
    engine: str, tmp_path: Path, mock_clock: MockClock
) -> None:
    """The server starts with it, answers 500, and serves it once it is mended."""
    async with open_site(tmp_path, one_route(engine), {"t.lua": "if"}) as site:
        assert (await site.request()).status == 500
        write(site, 'cd.print("mended")')
        assert (await site.request()).status == 500
        mock_clock.jump(AFTER)
        assert await answer(site) == "mended"


async def test_text_that_would_close_the_wrapper(engine: str, tmp_path: Path) -> None:
    """A script that only compiles inside the function that is put around it is refused."""
    async with open_site(
        tmp_path, one_route(engine), {"t.lua": 'cd.print("a") end do cd.print("b")'}
    ) as site:
        assert (await site.request()).status == 500
        assert "failed to load external Lua file" in site.log()


async def test_an_inline_script_that_does_not_compile(engine: str, tmp_path: Path) -> None:
    """The log names the place in the configuration, and Lua's message the line within."""
    config = one_route(
        engine,
        """content_by_lua = '''
cd.say("a")
if'''""",
    )
    async with open_site(tmp_path, config) as site:
        assert (await site.request()).status == 500
        log = site.log()
        assert 'failed to load inlined Lua code "content_by_lua(config.toml:' in log, log
        assert "):" in log


async def test_a_script_that_is_removed(engine: str, tmp_path: Path, mock_clock: MockClock) -> None:
    """It answers 404 from the next look on, and is served again when it is back."""
    async with open_site(tmp_path, one_route(engine), {"t.lua": 'cd.print("here")'}) as site:
        assert await answer(site) == "here"
        (tmp_path / "t.lua").unlink()
        mock_clock.jump(AFTER)
        assert (await site.request()).status == 404
        write(site, 'cd.print("back")')
        mock_clock.jump(AFTER)
        assert await answer(site) == "back"


async def test_a_run_in_flight_ends_on_the_old_script(
    engine: str, tmp_path: Path, autojump_clock: MockClock
) -> None:
    """A change while a script waits is for the requests that come after."""
    old = 'cd.sleep(5) local function f() return "old" end cd.print(f())'
    async with open_site(tmp_path, one_route(engine), {"t.lua": old}) as site:
        texts = []

        async def first() -> None:
            texts.append(await answer(site))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(first)
            await trio.sleep(AFTER)
            write(site, 'cd.print("new")')
            texts.append(await answer(site))
        assert texts == ["new", "old"]


async def test_modules_are_kept(engine: str, tmp_path: Path, mock_clock: MockClock) -> None:
    """A module is loaded once in an isolate; a recompiled script finds it as it was."""
    files = {"t.lua": COUNTING_SCRIPT, "lualib/m.lua": COUNTING_MODULE}
    async with open_site(tmp_path, with_modules(one_route(engine)), files) as site:
        assert [await answer(site) for _ in range(2)] == ["1", "2"]
        write(site, COUNTING_SCRIPT + " -- changed")
        mock_clock.jump(AFTER)
        assert await answer(site) == "3"


async def test_no_cache_compiles_every_time(engine: str, tmp_path: Path) -> None:
    """With lua_code_cache = false each request sees the file as it is, mistakes included."""
    async with open_site(tmp_path, uncached(engine), {"t.lua": 'cd.print("a")'}) as site:
        assert await answer(site) == "a"
        write(site, 'cd.print("b")')
        assert await answer(site) == "b"
        write(site, "if")
        assert (await site.request()).status == 500
        assert 'failed to load external Lua file "t.lua"' in site.log()
        write(site, 'cd.print("c")')
        assert await answer(site) == "c"
        (tmp_path / "t.lua").unlink()
        assert (await site.request()).status == 404


async def test_no_cache_loads_modules_afresh(engine: str, tmp_path: Path) -> None:
    """With lua_code_cache = false a module lives as long as its request, and changes at once."""
    files = {"t.lua": COUNTING_SCRIPT, "lualib/m.lua": COUNTING_MODULE}
    async with open_site(tmp_path, with_modules(uncached(engine)), files) as site:
        assert [await answer(site) for _ in range(3)] == ["1", "1", "1"]
        write(site, COUNTING_MODULE.replace("n = 0", "n = 40"), "lualib/m.lua")
        assert await answer(site) == "41"


async def test_no_cache_keeps_nothing_of_a_request(engine: str, tmp_path: Path) -> None:
    """With lua_code_cache = false what a script adds to libraries and to the API is gone after."""
    script = """
    cd.print(tostring(ngx.mine), tostring(string.mine), tostring(mine), tostring(cd.shared.mine))
    ngx.mine, string.mine, mine = 1, 2, 3
    """
    async with open_site(tmp_path, uncached(engine), {"t.lua": script}) as site:
        assert [await answer(site) for _ in range(2)] == ["nilnilnilnil"] * 2


async def test_no_cache_and_waiting(engine: str, tmp_path: Path, autojump_clock: MockClock) -> None:
    """Requests that overlap without a cache have an isolate each, and end as they began."""
    files = {
        "t.lua": 'local m = require("m") m.count() cd.sleep(1) cd.print(m.n, cd.var.arg_x)',
        "lualib/m.lua": COUNTING_MODULE,
    }
    async with open_site(tmp_path, with_modules(uncached(engine)), files) as site:
        texts = []

        async def one(number: int) -> None:
            texts.append((await site.request(f"/?x={number}")).text)

        async with trio.open_nursery() as nursery:
            for number in range(5):
                nursery.start_soon(one, number)
        assert sorted(texts) == [f"1{number}" for number in range(5)]


async def test_a_script_that_does_not_compile_holds_no_requests(
    engine: str, tmp_path: Path
) -> None:
    """Each request gets an error of its own: one that is raised again and again would gather the
    frames, and with them the exchanges, of all requests so far."""
    async with open_site(tmp_path, one_route(engine), {"t.lua": "cd.print("}) as site:
        handler = site.app.handler_for(site.app.config.hosts[0].routes[0])
        assert isinstance(handler, LuaScriptHandler)
        raised = []
        for _ in range(3):
            with pytest.raises(RequestError) as caught:
                handler._place.script.number(trio.current_time())
            raised.append(caught.value)
        assert len(set(map(id, raised))) == 3
        assert len({str(error) for error in raised}) == 1


async def test_a_script_that_changes_while_a_body_is_awaited(
    engine: str, tmp_path: Path, autojump_clock: MockClock
) -> None:
    """lua_need_request_body reads before the script begins: the run goes on with the version that
    it was given."""
    keys = 'lua_script = "t.lua"\nlua_need_request_body = true'
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n"
    async with open_site(tmp_path, one_route(engine, keys), {"t.lua": 'cd.print("old")'}) as site:
        stream = site.connect()
        await stream.send_all(head + b"1")
        await trio.sleep(AFTER)
        write(site, 'cd.print("new one")')
        assert await answer(site) == "new one"
        await stream.send_all(b"2")
        assert (await read_reply(stream)).text == "old", site.log()
