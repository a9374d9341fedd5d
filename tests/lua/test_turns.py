"""Turns within an isolate: scripts that share modules are alone between two waits, others go on."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
import trio
from support.site import Site, open_site, read_reply, turns_pass

SLICING = ("luajit", "lua54", "lua55")
GET = b"GET %b HTTP/1.1\r\nHost: localhost\r\n\r\n"


def site_of(engine: str, routes: str, top: str = "") -> str:
    return f'log_level = "debug"\nlua_engine = "{engine}"\n{top}\n[[host]]\n{routes}'


def route(location: str, script: str, keys: str = "") -> str:
    return (
        f"[[host.route]]\nlocation = \"{location}\"\ncontent_by_lua = '''\n{script}\n'''\n{keys}\n"
    )


# ---------------------------------------------------------------------- point 6 of the issue
MOVES = {"luajit": 2_500_000, "lua54": 300_000, "lua55": 300_000}
"""Of a node, in one request: some 50 ms on the machine that this was written on."""
REQUESTS = 50
NODES = 8

# One statement a line: LuaJIT's compiled code is interrupted where a line begins.
RING = """
local M = {size = 0, moves = 0}
local head, tail = {}, {}
head.next = tail
tail.prev = head

local function append(node)
  local last = tail.prev
  node.prev = last
  node.next = tail
  last.next = node
  tail.prev = node
  M.size = M.size + 1
end

local function take()
  local node = head.next
  local after = node.next
  head.next = after
  after.prev = head
  M.size = M.size - 1
  return node
end

function M.move(times)
  for i = 1, times do
    local node = take()
    append(node)
    local moves = M.moves
    M.moves = moves + 1
  end
end

function M.length()
  local forth, back = 0, 0
  local node = head.next
  while node ~= tail and forth < 100 do
    forth = forth + 1
    node = node.next
  end
  node = tail.prev
  while node ~= head and back < 100 do
    back = back + 1
    node = node.prev
  end
  return forth, back
end

for i = 1, 8 do append({}) end
return M
"""

MOVE = 'require("ring").move(%d) cd.say("moved")'
TELL = """
local M = require("ring")
local forth, back = M.length()
cd.say(table.concat({M.moves, M.size, forth, back}, " "))
"""


async def drive_the_ring(site: Site, engine: str, light: list[float]) -> str:
    """What the ring tells after all requests; ``light`` gets what other isolates' took."""
    async with trio.open_nursery() as nursery:
        done = trio.Event()

        async def ask_light() -> None:
            stream = site.connect()
            while not done.is_set():
                # The process's own time: a busy machine takes part in no latency.
                began = time.process_time()
                await stream.send_all(GET % b"/light")
                assert (await read_reply(stream)).text == "light\n"
                light.append(time.process_time() - began)
            await stream.aclose()

        nursery.start_soon(ask_light)
        async with trio.open_nursery() as moving:
            for _ in range(REQUESTS):
                moving.start_soon(site.request, "/move")
        done.set()
    return (await site.request("/tell")).text.strip()


def ring_site(engine: str, keys: str) -> str:
    keys = f'{keys}\nlua_isolate = "ring"\nlua_time_limit = "10m"'
    return site_of(
        engine,
        route("/move", MOVE % MOVES[engine], keys)
        + route("/tell", TELL, keys)
        + route("/light", 'cd.say("light")'),
        'lua_time_slice = "1ms"',
    )


@pytest.mark.parametrize("engine", SLICING)
async def test_a_module_is_never_seen_half_changed(engine: str, tmp_path: Path) -> None:
    """Fifty requests compute in one module at once: its list and its counter stay right through
    thousands of interruptions, and a request of another isolate waits for a slice or two."""
    light: list[float] = []
    files = {"lualib/ring.lua": RING}
    async with open_site(tmp_path, ring_site(engine, ""), files) as site:
        told = await drive_the_ring(site, engine, light)
        assert told == f"{REQUESTS * MOVES[engine]} {NODES} {NODES} {NODES}", site.log()
        interruptions = site.interruptions(engine)
    light.sort()
    p99 = light[len(light) * 99 // 100]
    print(f"{engine}: {interruptions} interruptions; {len(light)} light, p99 {p99 * 1e3:.1f} ms")
    assert interruptions > 1000
    assert p99 < 0.020


@pytest.mark.parametrize("engine", SLICING)
async def test_with_lua_interleave_it_is_seen_half_changed(engine: str, tmp_path: Path) -> None:
    """The same requests break the module once they may interleave: the test above can fail.

    Some break it so early that all the others end with an error, after a few interruptions.
    """
    files = {"lualib/ring.lua": RING}
    async with open_site(tmp_path, ring_site(engine, "lua_interleave = true"), files) as site:
        told = await drive_the_ring(site, engine, [])
        assert told != f"{REQUESTS * MOVES[engine]} {NODES} {NODES} {NODES}"
        assert site.interruptions(engine) > 0, site.log()


# ---------------------------------------------------------------------- who takes turns
SPIN = """
ngx.shared.candy:set("spins", 1)
while not ngx.shared.candy:get("go") do end
cd.say("went on")
"""
GO = 'ngx.shared.candy:set("go", 1) cd.say("gone")'

INTERLEAVING = {
    "no module": ("", ""),
    "a module of the server's": ('require("cjson") require("bit")', ""),
    "lua_interleave": ('require("m")', "lua_interleave = true"),
    "no code cache": ('require("m")', "lua_code_cache = false"),
    "a module of LuaJIT's": (
        'if jit then require("ffi") end package.loaded.x = nil',
        "lua_sandbox = false",
    ),
    "a module that is not there": ('pcall(require, "nowhere")', ""),
}
TAKING_TURNS = {
    "a module": ('require("m")', ""),
    "a module that fails": ('pcall(require, "failing")', ""),
    "package.preload": ('package.preload.p = function() return {} end require("p")', ""),
    "module()": ('module("x", package.seeall)', ""),
    "package.path": ('package.path = "FOLDER/?.lua" require("outside")', "lua_sandbox = false"),
    "lua_interleave = false": ("", "lua_interleave = false"),
}
MODULES = {
    "lualib/m.lua": "return {}",
    "lualib/failing.lua": "error('no')",
    "outside.lua": "return {}",
}


def spinning_site(engine: str, prelude: str, keys: str) -> str:
    keys += '\nlua_isolate = "shared"\nlua_cpu_limit = 0.2'
    # The prelude is a chunk of its own: module() changes the globals of the function it is in.
    return site_of(
        engine,
        route("/spin", f"(function() {prelude} end)()\n{SPIN}", keys) + route("/go", GO, keys),
        'lua_time_slice = "1ms"',
    )


async def spin_and_go(site: Site) -> tuple[int, int]:
    """The statuses of a script that computes until another one of its isolate has run, and of
    that."""
    statuses = {}

    async def ask(target: str) -> None:
        statuses[target] = (await site.request(target)).status

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask, "/spin")
        await turns_pass(20)
        assert site.app.shared["candy"].get(b"spins")[0] == 1, site.log()
        nursery.start_soon(ask, "/go")
    return statuses["/spin"], statuses["/go"]


@pytest.mark.parametrize("engine", SLICING)
@pytest.mark.parametrize("case", INTERLEAVING)
async def test_scripts_that_share_nothing_interleave(
    engine: str, case: str, tmp_path: Path
) -> None:
    """A script that computes until another one has run gets there."""
    async with open_site(tmp_path, spinning_site(engine, *INTERLEAVING[case]), MODULES) as site:
        assert await spin_and_go(site) == (200, 200), site.log()


@pytest.mark.parametrize("engine", SLICING)
@pytest.mark.parametrize("case", TAKING_TURNS)
async def test_scripts_that_share_a_module_take_turns(
    engine: str, case: str, tmp_path: Path
) -> None:
    """It computes in vain: the other one runs once it has reached its limit, and is well."""
    prelude, keys = TAKING_TURNS[case]
    config = spinning_site(engine, prelude.replace("FOLDER", str(tmp_path)), keys)
    async with open_site(tmp_path, config, MODULES) as site:
        assert await spin_and_go(site) == (504, 200), site.log()


@pytest.mark.parametrize("engine", SLICING)
async def test_a_wait_gives_the_turn_back(engine: str, tmp_path: Path) -> None:
    """Between two waits a script is alone; in a wait it is not, as in OpenResty."""
    spin = SPIN.replace("do end", "do for i = 1, 1e5 do end cd.sleep(0) end")
    config = site_of(
        engine,
        route("/spin", f'require("m")\n{spin}', 'lua_isolate = "shared"')
        + route("/go", GO, 'lua_isolate = "shared"'),
        'lua_time_slice = "1ms"',
    )
    async with open_site(tmp_path, config, MODULES) as site:
        assert await spin_and_go(site) == (200, 200), site.log()


@pytest.mark.parametrize("engine", SLICING)
async def test_a_module_is_loaded_once_whatever_may_interleave(engine: str, tmp_path: Path) -> None:
    """Whoever is interrupted in a module's main chunk keeps the turn, lua_interleave or not."""
    files = {
        "lualib/slow.lua": """
          for i = 1, 2e7 do local x = i % 7 end
          ngx.shared.candy:incr("loaded", 1, 0)
          return {}
        """
    }
    script = 'require("slow") require("slow") cd.say("ok")'
    config = site_of(engine, route("/", script, "lua_interleave = true"), 'lua_time_slice = "1ms"')
    async with open_site(tmp_path, config, files) as site:
        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(site.request)
        assert site.interruptions(engine) > 1
        assert site.app.shared["candy"].get(b"loaded")[0] == 1, site.log()


@pytest.mark.parametrize("engine", SLICING)
@pytest.mark.parametrize("interleave", ["", "lua_interleave = true"])
async def test_a_module_is_loaded_once_wherever_it_is_interrupted(
    engine: str, interleave: str, tmp_path: Path
) -> None:
    """Before the first instruction of its main chunk, too, and behind the last."""
    files = {"lualib/m.lua": 'ngx.shared.candy:incr("loaded", 1, 0) return {}'}
    script = 'local m = require("m") cd.say(m == require("m"))'
    config = site_of(engine, route("/", script, interleave))
    async with open_site(tmp_path, config, files) as site:
        vm = site.vm(engine).engine_vm
        vm.interrupt_every(1)
        texts: list[str] = []

        async def ask(turns: int) -> None:
            await turns_pass(turns)
            texts.append((await site.request()).text)

        async with trio.open_nursery() as nursery:
            for number in range(8):
                nursery.start_soon(ask, number)
        vm.interrupt_every(0)
        assert texts == ["true\n"] * 8, site.log()
        assert site.interruptions(engine) > 100
        assert site.app.shared["candy"].get(b"loaded")[0] == 1


# ---------------------------------------------------------------------- waiting for it
HEAVY = """
require("m")
while not ngx.shared.candy:get("stop") do end
cd.say("heavy")
"""
LIGHT = 'ngx.shared.candy:rpush("order", cd.req.get_uri_args().n) cd.say("light")'


def waiting_site(engine: str, light_keys: str = "") -> str:
    isolate = 'lua_isolate = "shared"\n'
    return site_of(
        engine,
        route("/heavy", HEAVY, isolate + 'lua_cpu_limit = "10m"\nlua_time_limit = "10m"')
        + route("/light", LIGHT, isolate + light_keys)
        + route("/other", 'cd.say("other")'),
        'lua_time_slice = "1ms"',
    )


def stop_heavy(site: Site) -> None:
    site.app.shared["candy"].set(b"stop", 1, 0)


@pytest.mark.parametrize("engine", SLICING)
async def test_others_of_the_isolate_wait_in_order(engine: str, tmp_path: Path) -> None:
    """First come, first served; a script of another isolate is served meanwhile."""
    async with open_site(tmp_path, waiting_site(engine), MODULES) as site:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(site.request, "/heavy")
            await turns_pass()
            for n in range(5):
                nursery.start_soon(site.request, f"/light?n={n}")
                await turns_pass()
            assert (await site.request("/other")).status == 200
            assert site.app.shared["candy"].lpop(b"order")[0] is None
            stop_heavy(site)
        order = [site.app.shared["candy"].lpop(b"order")[0] for _ in range(5)]
        assert order == [b"0", b"1", b"2", b"3", b"4"], site.log()


async def test_waiting_for_the_turn_is_within_the_time_limit(
    tmp_path: Path, mock_clock: trio.testing.MockClock
) -> None:
    """504 for a script that never got to begin, and the log says for whom it waited."""
    config = waiting_site("luajit", 'lua_time_limit = "3s"')
    async with open_site(tmp_path, config, MODULES) as site:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(site.request, "/heavy")
            await turns_pass()
            replies = []

            async def ask() -> None:
                replies.append(await site.request("/light?n=1"))

            nursery.start_soon(ask)
            await turns_pass()
            mock_clock.jump(2.9)
            await turns_pass()
            assert not replies
            mock_clock.jump(0.1)
            await turns_pass()
            assert [reply.status for reply in replies] == [504]
            assert (
                "lua_time_limit: content_by_lua(config.toml:19) ran 3.000 s of at most 3 s, 3.000 s"
                " of it waiting for the turn of its isolate, which content_by_lua(config.toml:7)"
                " (*1) has, client"
            ) in site.log()
            stop_heavy(site)
        assert site.app.shared["candy"].lpop(b"order")[0] is None


async def test_who_held_up_others_for_long_is_named(
    tmp_path: Path, mock_clock: trio.testing.MockClock
) -> None:
    """One warning: who, for how long, how many waited, and what can be done."""
    async with open_site(tmp_path, waiting_site("luajit"), MODULES) as site:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(site.request, "/heavy")
            await turns_pass()
            mock_clock.jump(4)
            for _ in range(2):
                nursery.start_soon(site.request, "/light?n=1")
            await turns_pass()
            mock_clock.jump(1.5)
            stop_heavy(site)
        log = site.log()
        assert log.count("kept the turn") == 1
        assert "[warn] " in log
        assert (
            "*1 content_by_lua(config.toml:7) kept the turn of its isolate for 5.500 s, and 2"
            " others of the isolate waited, for up to 1.500 s: they share modules; see"
            " lua_interleave and lua_isolate, client" in log
        )


async def test_who_held_up_nobody_is_not_named(
    tmp_path: Path, mock_clock: trio.testing.MockClock
) -> None:
    """Nor one for whom others waited shortly only."""
    async with open_site(tmp_path, waiting_site("luajit"), MODULES) as site:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(site.request, "/heavy")
            await turns_pass()
            mock_clock.jump(4)
            nursery.start_soon(site.request, "/light?n=1")
            await turns_pass()
            mock_clock.jump(0.9)
            stop_heavy(site)
        assert "kept the turn" not in site.log()


@pytest.mark.parametrize("engine", SLICING)
async def test_whoever_leaves_while_waiting_takes_no_turn_along(
    engine: str, tmp_path: Path
) -> None:
    """Clients leave at every moment: while their script waits for the turn, has it, or is handed
    it. Those that stay are served, and at the end the turn is free."""
    script = """
      require("m")
      for i = 1, 2e5 do local x = i % 7 end
      if cd.req.get_uri_args().n then cd.sleep(0) end
      for i = 1, 2e5 do local x = i % 7 end
      cd.say("stayed")
    """
    config = site_of(engine, route("/", script), 'lua_time_slice = "0.3ms"')
    dice = random.Random(4)
    replies = []
    async with open_site(tmp_path, config, MODULES) as site:

        async def stay() -> None:
            replies.append((await site.request()).text)

        async def leave(turns: int) -> None:
            stream = site.connect()
            await stream.send_all(GET % dice.choice((b"/", b"/?n=1")))
            await turns_pass(turns)
            await stream.aclose()

        async with trio.open_nursery() as nursery:
            for n in range(60):
                if n % 3:
                    nursery.start_soon(leave, dice.randrange(60))
                else:
                    nursery.start_soon(stay)
                await turns_pass(dice.randrange(3))
        assert replies == ["stayed\n"] * 20, site.log()
        assert (await site.request()).text == "stayed\n"
        assert "[error]" not in site.log()
        assert " 499 " in site.access_log()
