"""lua_memory_limit and lua_vm_memory: who takes too much is ended, and nobody else."""

from __future__ import annotations

import re
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trio
from support.extension import HAS_EXTENSION, need_extension
from support.site import ENGINES, GET, SLICING, Site, one_route, open_site, script_keys, turns_pass

from candy_trio.errors import ConfigError
from candy_trio.lua import limits
from candy_trio.lua.collector import CYCLES, Collector
from candy_trio.lua.room import MAX_RESERVE, Room, Sums

# ---------------------------------------------------------------------- one run
TAKING = {
    "a table that grows": "local t = {} while true do t[#t + 1] = {#t} end",
    "closures": "local f while true do local g = f f = function() return g end end",
    "a string that doubles": "local s = 'x' while true do s = s .. s end",
    "a bomb": "local s = ('x'):rep(1e9)",
    "a bomb in pcall": "while true do pcall(string.rep, 'x', 1e9) end",
    "beside waits": "local t = {} while true do t[#t + 1] = ('x'):rep(1e5 + #t) cd.sleep(0) end",
    "a heap of coroutines": "local t = {} while true do t[#t + 1] = coroutine.create(print) end",
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("what", TAKING)
async def test_the_memory_limit_answers_500(engine: str, what: str, tmp_path: Path) -> None:
    """Usage, limit and place are logged, and the VM serves on with the memory given back."""
    script = f"if cd.req.get_uri_args().ok then\n  cd.say('ok')\nelse\n  {TAKING[what]}\nend"
    config = one_route(engine, script_keys('lua_memory_limit = "8m"', 'lua_cpu_limit = "1m"'))
    async with open_site(tmp_path, config, {"t.lua": script}) as site:
        assert (await site.request("/?ok=1")).text == "ok\n"
        before = site.vm(engine).memory_used()
        assert (await site.request()).status == 500
        log = site.log()
        assert re.search(
            r"lua entry thread aborted: lua_memory_limit: t\.lua"
            r" (took \d+\.\d MB of at most 8\.0 MB|had taken \d+\.\d [KM]B when it asked for more"
            r" than 8\.0 MB)[\n,]",
            log,
        ), log
        if engine != "lua53":  # which can't be asked where an interrupted thread stands
            assert re.search(
                r" 8\.0 MB\nstack traceback:\ncoroutine 0:\n(.*\n)*\tt\.lua:(\d:)? in", log
            )
        assert "[candy" not in log
        assert '" 500 ' in site.access_log()
        assert (await site.request("/?ok=1")).text == "ok\n"
        await room_is_made(site, engine)
        # Without the extension LuaJIT's buffer for new text may have grown to what lupa lets pass.
        kept = 2 << 20 if HAS_EXTENSION or engine != "luajit" else 32 << 20
        assert site.vm(engine).memory_used() < before + kept


async def room_is_made(site: Site, engine: str) -> None:
    with trio.fail_after(20):
        while site.vm(engine).making_room is not None:
            await trio.lowlevel.checkpoint()


@pytest.mark.parametrize("engine", ENGINES)
async def test_garbage_is_not_held_against_a_script(engine: str, tmp_path: Path) -> None:
    """What it made and let go of counts only until it is collected: twenty times the limit."""
    script = """
      for i = 1, 1600 do
        local s = ("x"):rep(1e5) .. i
        if i % 20 == 0 then cd.sleep(0) end
      end
      cd.say("ok")
    """
    config = one_route(engine, script_keys('lua_memory_limit = "16m"'))
    async with open_site(tmp_path, config, {"t.lua": script}) as site:
        assert (await site.request()).text == "ok\n", site.log()


OUTPUT = {
    "print": "while true do cd.print(s) end",
    "in a comparator": "table.sort({1, 2, 3}, function() while true do cd.print(s) end end)",
    "in pcall": "while true do pcall(cd.print, s) end",
    "in a coroutine": "coroutine.wrap(function() while true do cd.print(s) end end)()",
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("where", OUTPUT)
async def test_output_that_nobody_takes_counts(engine: str, where: str, tmp_path: Path) -> None:
    """print never waits; what its client leaves lying ends the script: cut off, 500 in the log."""
    script = f"local s = ('x'):rep(1e5)\n{OUTPUT[where]}"
    config = one_route(engine, script_keys('lua_memory_limit = "8m"', 'lua_cpu_limit = "1m"'))
    async with open_site(tmp_path, config, {"t.lua": script}) as site:
        stream = site.connect()
        await stream.send_all(GET)
        with trio.fail_after(20):
            while "lua_memory_limit" not in site.log():
                await trio.lowlevel.checkpoint()
        data = b"".join([part async for part in stream])
        assert data.startswith(b"HTTP/1.1 200")
        assert not data.endswith(b"0\r\n\r\n")
        log = site.log()
        assert re.search(
            r"lua_memory_limit: t\.lua took \d+\.\d MB, \d\.\d MB of it queued output, of at most"
            r" 8\.0 MB\nstack traceback:\ncoroutine 0:\n",
            log,
        ), log
        assert "t.lua:2: in" in log
        assert " 500 " in site.access_log()


@pytest.mark.parametrize("engine", ENGINES)
async def test_output_that_is_taken_does_not_count(engine: str, tmp_path: Path) -> None:
    """A script that waits for its client sends many times its limit."""
    script = "local s = ('x'):rep(1e5) for i = 1, 200 do cd.print(s) cd.flush(true) end"
    config = one_route(engine, script_keys('lua_memory_limit = "4m"'))
    async with open_site(tmp_path, config, {"t.lua": script}) as site:
        assert len((await site.request()).body) == 20_000_000, site.log()


# ---------------------------------------------------------------------- the VM
HOLD = """
local t, mb = {}, tonumber(cd.req.get_uri_args().mb)
local x = string.char(64 + mb)        -- equal strings are one
for i = 1, mb * 10 do
  t[i] = x:rep(104858 + i)
end
ngx.shared.candy:incr("held", 1, 0)
cd.sleep(1000)
cd.say(#t)
"""


def vm_site(engine: str, vm_memory: str = "64m") -> str:
    return (
        f'lua_vm_memory = "{vm_memory}"\nlua_time_limit = "60m"\n'
        + one_route(engine, script_keys('lua_memory_limit = "40m"'))
        + '[[host.route]]\nlocation = "/light"\ncontent_by_lua = "cd.say(1)"\n'
    )


async def hold(site: Site, nursery: trio.Nursery, replies: dict[str, int], megabytes: int) -> None:
    """Start a script that holds so much and sleeps."""
    held = site.app.shared["candy"].get(b"held")[0] or 0
    target = f"/?mb={megabytes}"

    async def ask() -> None:
        replies[target] = (await site.request(target)).status

    nursery.start_soon(ask)
    for _ in range(1000):
        if (site.app.shared["candy"].get(b"held")[0] or 0) > held:
            return
        await trio.lowlevel.checkpoint()
    raise AssertionError(site.log())


GARBAGE = {
    "tables": "local t = {} for i = 1, 1200000 do t[1] = {i} end",
    "coroutines": (
        "for i = 1, 80000 do coroutine.wrap(function() coroutine.yield(1) end)() end"
    ),
    "functions": (
        "local load, text = loadstring or load, {} for i = 1, 300 do text[i] = '{' .. i .. '},' end"
        " text = 'return {' .. table.concat(text) for i = 1, 2000 do load(text .. i .. '}') end"
    ),
    "texts": "for i = 1, 3000 do local s = ('x'):rep(1e5) .. i end",
    "a text that grows": "local s = '' for i = 1, 700 do s = s .. ('x'):rep(1e3) .. i end",
    "texts between waits": (
        "for i = 1, 1600 do local s = ('x'):rep(1e5) .. i if i % 20 == 0 then cd.sleep(0) end end"
    ),
}  # fmt: skip


def beside_garbage(engine: str, cpu_limit: str) -> str:
    """One route for a script that may hold much, one in the same VM for a script of 16 MB."""
    return (
        'lua_vm_memory = "256m"\nlua_time_limit = "60m"\n'
        + one_route(engine, script_keys('lua_memory_limit = "100m"'))
        + f'[[host.route]]\nlocation = "/garbage"\nlua_engine = "{engine}"\n'
        f'lua_script = "garbage.lua"\nlua_memory_limit = "16m"\nlua_cpu_limit = "{cpu_limit}"\n'
    )


@pytest.mark.parametrize("engine", SLICING)
@pytest.mark.parametrize("what", GARBAGE)
async def test_garbage_is_not_held_against_a_script_beside_one_that_holds_much(
    engine: str, what: str, tmp_path: Path, mock_clock: trio.testing.MockClock
) -> None:
    """A VM collects late where much of it is in use; its limit is about what a script holds."""
    need_extension()  # which ends a slice early, before there is too much garbage
    config = beside_garbage(engine, cpu_limit="1m")
    files = {"t.lua": HOLD, "garbage.lua": f"{GARBAGE[what]} cd.say('done')"}
    async with open_site(tmp_path, config, files) as site:
        replies: dict[str, int] = {}
        async with trio.open_nursery() as nursery:
            await hold(site, nursery, replies, 62)
            for _ in range(3):
                assert (await site.request("/garbage")).text == "done\n", site.log()
            assert not replies
            mock_clock.jump(1001)
        assert replies == {"/?mb=62": 200}


@pytest.mark.parametrize("engine", SLICING)
async def test_who_waits_for_a_collection_pays_for_its_part(
    engine: str, tmp_path: Path, mock_clock: trio.testing.MockClock
) -> None:
    """Else a script that makes garbage for ever would go on long after its lua_cpu_limit."""
    config = beside_garbage(engine, cpu_limit="500ms")
    many = "local t = {} for i = 1, 1e5 do t[i] = {i} end cd.sleep(1000)"
    files = {"t.lua": many, "garbage.lua": "local s while true do s = ('x'):rep(1e5) end"}
    async with open_site(tmp_path, config, files) as site, trio.open_nursery() as nursery:
        nursery.start_soon(site.request, "/")
        await turns_pass(1000)
        began = time.perf_counter()
        assert (await site.request("/garbage")).status == 504, site.log()
        assert time.perf_counter() - began < 1.5
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("engine", SLICING)
async def test_what_failed_in_its_first_step_is_nobodys_credit(
    engine: str, tmp_path: Path, mock_clock: trio.testing.MockClock
) -> None:
    """Its garbage, when it is collected, was not that of one who holds all that it has taken."""
    config = (
        'lua_time_slice = "10s"\nlua_vm_memory = "256m"\nlua_time_limit = "60m"\n'
        + one_route(engine, script_keys('lua_memory_limit = "40m"'))
        + f'[[host.route]]\nlocation = "/fails"\nlua_engine = "{engine}"\n'
        "content_by_lua = \"local s = {} while true do s[#s + 1] = ('x'):rep(1e5) .. #s end\"\n"
        'lua_memory_limit = "20m"\n'
    )
    async with open_site(tmp_path, config, {"t.lua": HOLD}) as site:
        replies: dict[str, int] = {}
        async with trio.open_nursery() as nursery:
            await hold(site, nursery, replies, 30)
            site.lua.host.collector.want(site.vm(engine))
            await room_is_made(site, engine)
            (holder,) = site.vm(engine).suspended
            before = holder.memory
            for _ in range(4):
                assert (await site.request("/fails")).status == 500
                await room_is_made(site, engine)
            assert holder.memory > before - (3 << 20)
            mock_clock.jump(1001)
        assert replies == {"/?mb=30": 200}


@pytest.mark.parametrize("engine", SLICING)
async def test_a_vm_that_breaks_while_its_garbage_is_collected_takes_nobody_along(
    engine: str, tmp_path: Path
) -> None:
    """It is retired and freed between two pieces of the collection, which then ends."""
    async with open_site(tmp_path, vm_site(engine), {"t.lua": "cd.say('ok')"}) as site:
        old = site.vm(engine)
        collector = site.lua.host.collector
        await collector._slices.acquire()
        collector.want(old)
        await turns_pass(3)
        site.lua.host.retire(old, "a test says so")
        await turns_pass(3)
        assert old.retired
        old.close()
        collector._slices.release()
        await turns_pass(5)
        assert (await site.request()).text == "ok\n"


@pytest.mark.parametrize("engine", ENGINES)
async def test_who_holds_the_most_goes_first(
    engine: str, tmp_path: Path, mock_clock: trio.testing.MockClock
) -> None:
    """When the VM runs full the largest run is ended, not the one that comes, nor a smaller."""
    # What is interrupted while it fills the VM would have room made for itself.
    config = 'lua_time_slice = "10s"\n' + vm_site(engine)
    async with open_site(tmp_path, config, {"t.lua": HOLD}) as site:
        replies: dict[str, int] = {}
        async with trio.open_nursery() as nursery:
            for megabytes in (10, 30, 17):
                await hold(site, nursery, replies, megabytes)
            assert not replies
            assert (await site.request("/light")).text == "1\n"
            await room_is_made(site, engine)
            await turns_pass(20)
            assert replies == {"/?mb=30": 500}
            log = site.log()
            assert re.search(
                r"lua entry thread aborted: lua_vm_memory: t\.lua had taken [23]\d\.\d MB,"
                r" the most of those in its VM, when that had \d\.\d MB left of 64\.0 MB\n"
                r"stack traceback:\ncoroutine 0:\n\t\[C\]: in [^\n]*\n\tt\.lua:8: in main chunk",
                log,
            ), log
            assert site.vm(engine).memory_used() < 40 << 20
            assert "retired" not in log
            mock_clock.jump(1001)
        assert replies == {"/?mb=10": 200, "/?mb=17": 200, "/?mb=30": 500}


@pytest.mark.parametrize("engine", SLICING)
async def test_neighbours_of_a_script_that_exhausts_memory_do_not_fail(
    engine: str, tmp_path: Path
) -> None:
    """Ten scripts that take all they get, again and again: all the light ones are answered."""
    config = vm_site(engine, "128m")
    taking = """
      local t = {}
      local own = tostring(t)        -- equal strings are one on LuaJIT
      while true do t[#t + 1] = ('x'):rep(1e4) .. own .. #t end
    """
    async with open_site(tmp_path, config, {"t.lua": taking}) as site:
        heavy: list[int] = []
        light: list[str] = []

        async def ask_heavy() -> None:
            heavy.extend([(await site.request()).status for _ in range(3)])

        async def ask_light() -> None:
            while len(heavy) < 30 or not light:
                light.append((await site.request("/light")).text)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask_light)
            for _ in range(10):
                nursery.start_soon(ask_heavy)
        assert set(light) == {"1\n"}, site.log()
        assert heavy == [500] * 30
        assert "retired" not in site.log()


async def test_a_vm_without_room_for_itself_is_refused_at_the_start(tmp_path: Path) -> None:
    """Every request would fail; the message says what an empty VM has."""
    with pytest.raises(
        ConfigError, match=r"lua_vm_memory: 200\.0 KB is too little: an empty VM of"
    ):
        async with open_site(
            tmp_path, 'lua_vm_memory = "200k"\n' + one_route("luajit"), {"t.lua": ""}
        ):
            pass


class RunWith:
    """What is counted of a run."""

    def __init__(self, memory: int) -> None:
        self.memory = memory
        self.grown = self.taken = 0


def run_with(memory: int) -> Any:
    return RunWith(memory)


@pytest.mark.parametrize(
    ("used", "sums", "ended"),
    [
        (5600, [5, 4000, 400], []),  # there is room
        (5700, [5, 400, 4000], [4000]),
        (6100, [5, 400, 300], [400, 300]),
        (6300, [90, 400, 300], [400, 300]),  # who holds less than a 64th is never ended
        (6300, [5, 99], []),
    ],
)
def test_as_many_are_ended_as_are_needed(used: int, sums: list[int], ended: list[int]) -> None:
    """The largest first, and nobody who holds little."""
    room = Room(6400)
    assert (room.line, room.brim) == (5600, 6000)
    assert [run.memory for run in room.victims(used, [run_with(size) for size in sums])] == ended


def test_a_large_vm_keeps_no_more_free_than_one_script_takes() -> None:
    assert Room(64 << 30).line == (64 << 30) - MAX_RESERVE


# ---------------------------------------------------------------------- whose it is
PLENTY = 10_000


class Memory:
    """A VM's, whose runs step as told."""

    def __init__(self) -> None:
        self.used = 1000
        self.sums = Sums(self.used)

    def step(self, run: Any, change: int) -> None:
        self.used += change
        self.sums.stepped(run, change, self.used)

    def collect(self, runs: list[Any], size: int) -> None:
        self.sums.collection_begins(runs)
        self.used -= size
        self.sums.collection_ends(runs, self.used)


def test_what_a_dropped_run_has_left_is_nobodys_credit() -> None:
    """Who steps while that is collected has not given back what it took."""
    memory, gone, run = Memory(), run_with(0), run_with(0)
    memory.step(gone, 500)
    memory.step(run, 300)
    memory.sums.dropped(gone)
    memory.step(run, -400)
    assert run.memory == 300
    memory.step(run, -200)
    assert (run.memory, run.grown) == (200, 200)
    memory.collect([run], 0)
    assert run.memory == 200


def test_nobody_holds_more_than_all() -> None:
    sums, run = Sums(100), run_with(0)
    sums.stepped(run, 900, 700)
    assert run.memory == 700


def test_a_whole_collection_is_shared_out_by_growth() -> None:
    """Nobody is credited with what an earlier one has left."""
    memory, held, grows = Memory(), run_with(0), run_with(0)
    memory.step(held, 600)
    memory.collect([held], 0)
    assert (held.memory, held.grown) == (600, 0)
    memory.step(held, 10)
    memory.step(grows, 300)
    memory.collect([held, grows], 200)
    assert [held.memory, grows.memory] == [600, 110]
    assert (held.grown, grows.grown) == (0, 0)


def test_who_has_taken_the_most_is_given_the_most() -> None:
    """It can hold but a small part of it: so no sum grows for ever that holds nothing."""
    memory, holds, takes = Memory(), run_with(0), run_with(0)
    memory.step(takes, 900)
    memory.collect([takes], 900)
    memory.step(takes, 300)
    memory.step(holds, 300)
    memory.collect([takes, holds], 300)
    assert [takes.memory, holds.memory] == [60, 240]


def test_garbage_that_is_collected_in_a_step_of_somebody_else_is_shared_out() -> None:
    """Whether that one has a sum, or was over with its first step."""
    memory, run, comes = Memory(), run_with(0), run_with(0)
    memory.step(run, 500)
    memory.step(comes, 50)
    memory.step(comes, -150)
    memory.used -= 200
    memory.collect([run], 0)
    assert [run.memory, comes.memory] == [200, 0]


def test_garbage_of_those_that_are_over_at_once_is_nobodys_credit() -> None:
    memory, run = Memory(), run_with(0)
    memory.step(run, 300)
    memory.used += 5000
    memory.collect([run], 5100)
    assert run.memory == 200


def test_what_dropped_runs_have_left_is_counted_once_when_it_goes_in_light_steps() -> None:
    """Those of runs that are over at once, which have no sums."""
    memory, gone, run = Memory(), run_with(0), run_with(0)
    memory.step(gone, 500)
    memory.step(run, 300)
    memory.sums.dropped(gone)
    memory.used -= 500
    memory.collect([run], 0)
    assert run.memory == 300


def test_what_a_dropped_run_had_been_given_too_much_of_comes_back() -> None:
    memory, gone, run = Memory(), run_with(0), run_with(0)
    memory.step(gone, 400)
    memory.step(run, 400)
    memory.collect([gone, run], 400)
    assert [gone.memory, run.memory] == [200, 200]
    memory.sums.dropped(gone)
    memory.step(run, 100)
    memory.collect([run], 500)
    assert run.memory == 0


@pytest.mark.parametrize(
    ("memory", "grown", "queued", "may_wait", "doubted"),
    [
        (3100, 3100, 0, False, False),  # most is left
        (3300, 3300, 0, False, True),
        (3300, 1500, 0, False, False),  # another such growth, and there is still room
        (3300, 1500, 800, False, True),
        (6300, 250, 0, False, True),
        (6300, 150, 0, False, False),  # hardly any of it can be garbage
        (9000, 150, 0, False, False),
        (9000, 250, 0, False, True),
        (6300, 6300, 0, True, False),
        (6500, 250, 0, True, True),
        (6500, 150, 0, True, False),
    ],
)
def test_what_has_grown_is_doubted_before_it_fails(
    memory: int, grown: int, queued: int, may_wait: bool, doubted: bool
) -> None:
    settings: Any = SimpleNamespace(memory_limit=6400)
    assert limits.in_doubt(settings, memory, grown, queued, may_wait) is doubted


class FullVM:
    """What a collector works on: all in use is garbage of the last slice."""

    retired = False
    making_room = None
    pause = None

    def __init__(self) -> None:
        self.collected_for: set[Any] = set()
        self.used = 950
        self.room = Room(1000)
        self.sums = Sums(0)
        self.run: Any = run_with(900)
        self.run.end = self.end
        self.suspended = {self.run}
        self.ended = False
        self.ends_alone = 0

    def end(self, ending: object) -> None:
        self.ended = True
        self.used = 0

    def memory_used(self) -> int:
        return self.used

    def collect_step(self) -> bool:
        """Cycles end at once; whoever computes between them makes as much garbage as they free."""
        self.ends_alone += 1
        if self.ends_alone == CYCLES:
            self.used = 10
        return True

    def room_is_made(self) -> None:
        self.making_room = None


async def test_nobody_is_ended_before_those_that_compute_have_stood_still() -> None:
    """What they let go of during a collection is there when it ends, and seems to be held."""
    slices = trio.Lock()
    vm: Any = FullVM()
    collector = Collector(slices, lambda *_: None)

    async def compute() -> None:
        while True:
            async with slices:
                vm.ends_alone = 0

    async with trio.open_nursery() as nursery:
        nursery.start_soon(collector.run)
        nursery.start_soon(compute)
        collector.want(vm)
        while vm.making_room is not None:
            await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()
    assert (vm.ended, vm.used) == (False, 10)
