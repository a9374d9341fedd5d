"""A VM that can't be brought back to order is retired: new requests run in a fresh one."""

from __future__ import annotations

import gc
import re
from pathlib import Path
from typing import Any

import pytest
import trio
from support.site import ENGINES, Site, one_route, open_site, turns_pass

from engines.errors import LuaRuntimeError

SCRIPT = """
local M = require("kept")
local args = cd.req.get_uri_args()
if args.fill then
  for i = 1, tonumber(args.fill) * 10 do M[#M + 1] = ("x"):rep(104858 + #M) end
end
if args.sleep then cd.sleep(tonumber(args.sleep)) end
if args.compute then while not ngx.shared.candy:get("stop") do end end
cd.say(#M)
"""
FILES = {"t.lua": SCRIPT, "lualib/kept.lua": "return {}"}


def config_of(engine: str) -> str:
    return (
        'lua_vm_memory = "32m"\nlua_time_limit = "60m"\nlua_cpu_limit = "10m"\n'
        + one_route(engine)
        + '[[host.route]]\nlocation = "/fresh"\nlua_code_cache = false\n'
        'content_by_lua = "cd.sleep(5) cd.say(1)"\n'
    )


async def room_is_made(vm: Any) -> None:
    for _ in range(5000):
        if vm.closed or vm.making_room is None:
            return
        await trio.lowlevel.checkpoint()
    raise AssertionError("nobody makes room")


class Asking:
    """Requests that go on beside a test, and what they were answered."""

    def __init__(self, site: Site, nursery: trio.Nursery) -> None:
        self._site = site
        self._nursery = nursery
        self.replies: dict[str, tuple[int, str]] = {}

    async def ask(self, target: str) -> None:
        self._nursery.start_soon(self._ask, target)
        await turns_pass(20)

    async def _ask(self, target: str) -> None:
        reply = await self._site.request(target)
        self.replies[target] = reply.status, reply.text if reply.status == 200 else ""


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_vm_that_its_modules_fill_is_retired(
    engine: str, tmp_path: Path, mock_clock: trio.testing.MockClock
) -> None:
    """What nobody can be ended for: new requests find fresh modules, a sleeping script finishes in
    the old VM, which is freed after it; it is counted and logged."""
    # A script that is interrupted while it fills the VM would be ended for it.
    config = 'lua_time_slice = "10s"\n' + config_of(engine)
    async with open_site(tmp_path, config, FILES) as site:
        async with trio.open_nursery() as nursery:
            asking = Asking(site, nursery)
            old = site.vm(engine)
            await asking.ask("/?sleep=10")
            await asking.ask("/fresh")
            for megabytes in (9, 9, 3, 2, 2, 1, 1, 1):  # each well within what is left
                reply = await site.request(f"/?fill={megabytes}")
                assert reply.status == 200, site.log()
            assert (await site.request("/?ok=1")).status == 200
            await room_is_made(old)
            assert old.retired
            assert not old.closed
            assert (await site.request("/?new=1")).text == "0\n"
            assert site.vm(engine) is not old
            log = site.log()
            assert re.search(
                rf"\[crit\] \d+#0: the VM of {engine} is retired \(1 since the start\), [23]"
                r" scripts are in it: lua_vm_memory: \d\d\.\d MB of at most 32\.0 MB are in use"
                r" after a collection, and no running script holds much of it\n",
                log,
            ), log
            mock_clock.jump(11)
            await turns_pass(50)
            assert asking.replies == {"/?sleep=10": (200, "280\n"), "/fresh": (200, "1\n")}
            assert old.closed
        assert "[error]" not in site.log()
        assert (await site.request()).text == "0\n"


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_vm_that_can_not_be_entered_is_retired(
    engine: str, tmp_path: Path, mock_clock: trio.testing.MockClock
) -> None:
    """A step that raised by itself: those in the VM get 500 at once, the next request is well."""
    async with open_site(tmp_path, config_of(engine), FILES) as site:
        async with trio.open_nursery() as nursery:
            asking = Asking(site, nursery)
            old = site.vm(engine)
            await asking.ask("/?sleep=10")
            await asking.ask("/?sleep=20")

            def broken(*args: object) -> object:
                raise LuaRuntimeError(b"error in error handling")

            old.engine_vm._start = broken
            assert (await site.request()).status == 500
            await turns_pass(20)
            assert asking.replies == {"/?sleep=10": (500, ""), "/?sleep=20": (500, "")}
            assert old.closed
            assert (await site.request()).text == "0\n"
        log = site.log()
        assert f"the VM of {engine} is retired (1 since the start), 2 scripts are in it: " in log
        assert log.count("the VM of this script can't be entered any more") == 2
        assert f"Lua of {engine} can't be entered any more: error in error handling" in log, log


@pytest.mark.parametrize("engine", ["lua54", "lua55"])
async def test_a_computing_script_ends_in_the_retired_vm(engine: str, tmp_path: Path) -> None:
    """It goes on beside the new VM's; who waited for its turn to begin begins in the new one.

    Not on LuaJIT, which has slices in its newest VM only.
    """
    async with open_site(tmp_path, config_of(engine), FILES) as site:
        async with trio.open_nursery() as nursery:
            asking = Asking(site, nursery)
            await asking.ask("/?fill=1")
            await asking.ask("/?compute=1")
            await asking.ask("/?waits=1")
            assert asking.replies == {"/?fill=1": (200, "10\n")}
            old = site.vm(engine)
            site.lua.host.retire(old, "a test wants it")
            await turns_pass(50)
            assert (await site.request("/?new=1")).text == "0\n"
            assert asking.replies.keys() == {"/?fill=1"}, (asking.replies, site.log())
            site.app.shared["candy"].set(b"stop", 1, 0)
        assert asking.replies["/?compute=1"] == (200, "10\n")
        assert asking.replies["/?waits=1"] == (200, "0\n")
        await turns_pass(20)
        assert old.closed
        assert "[error]" not in site.log()


@pytest.mark.parametrize("engine", ENGINES)
async def test_retired_vms_are_freed(engine: str, tmp_path: Path) -> None:
    """Ten in a row leave nothing behind."""
    async with open_site(tmp_path, config_of(engine), FILES) as site:
        kind = type(site.vm(engine).engine_vm._runtime)

        def alive() -> int:
            gc.collect()
            return sum(isinstance(thing, kind) for thing in gc.get_objects())

        before = alive()
        for count in range(10):
            assert (await site.request()).text == "0\n"
            site.lua.host.retire(site.vm(engine), "a test wants it")
            await turns_pass(20)
            assert site.lua.host.retirements == count + 1
        assert alive() == before
