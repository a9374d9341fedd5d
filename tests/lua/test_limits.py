"""lua_time_limit, lua_cpu_limit, a client that leaves: what ends a script, wherever it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import trio
from support.site import ENGINES, GET, SLICING, one_route, open_site, script_keys, turns_pass

from candy_trio.config.schema import LuaSettings
from candy_trio.lua import limits

# ---------------------------------------------------------------------- computing
COMPUTING = {
    "a loop": "while true do end",
    "in pcall": "while true do pcall(function() while true do end end) end",
    "in a coroutine": "coroutine.wrap(function() while true do end end)()",
    "in a module": "require('busy').loop()",
    "in __index": "local x = setmetatable({}, {__index = function() while true do end end}).x",
    "in a comparator": "table.sort({1, 2, 3}, function() while true do end end)",
    "in tostring": "tostring(setmetatable({}, {__tostring = function() while true do end end}))",
}
MODULES = {"lualib/busy.lua": "return {loop = function() while true do end end}"}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("where", COMPUTING)
async def test_the_cpu_limit_answers_504(engine: str, where: str, tmp_path: Path) -> None:
    """Whatever computes is ended: script, usage, limit and where it was are logged, and the VM
    serves on."""
    script = f"if cd.req.get_uri_args().ok then\n  cd.say('ok')\nelse\n  {COMPUTING[where]}\nend"
    files = {"t.lua": script, **MODULES}
    config = one_route(engine, script_keys("lua_cpu_limit = 0.1", 'lua_time_limit = "10m"'))
    async with open_site(tmp_path, config, files) as site:
        assert (await site.request()).status == 504, site.log()
        log = site.log()
        assert "[error]" in log
        assert "lua entry thread aborted: lua_cpu_limit: t.lua computed 0.1" in log
        assert " s of at most 0.1 s" in log
        if engine != "lua53":  # which can't be asked where an interrupted thread stands
            assert " s of at most 0.1 s\nstack traceback:\ncoroutine 0:\n\t" in log
            assert re.search(
                r"\tt\.lua:(\d:)? in main chunk, client", log
            )  # LuaJIT may lose the line
        assert "[candy" not in log
        assert '" 504 ' in site.access_log()
        assert (await site.request("/?ok=1")).text == "ok\n"


@pytest.mark.parametrize("engine", ENGINES)
async def test_the_cpu_limit_adds_up_what_lies_between_waits(engine: str, tmp_path: Path) -> None:
    """A script that sleeps often does not get away; sleeping itself costs it nothing."""
    script = "while true do for i = 1, 1e5 do local x = i % 7 end cd.sleep(0) end"
    config = one_route(engine, script_keys("lua_cpu_limit = 0.1", 'lua_time_limit = "10m"'))
    async with open_site(tmp_path, config, {"t.lua": script}) as site:
        assert (await site.request()).status == 504
        assert "lua_cpu_limit: t.lua computed 0.1" in site.log()


@pytest.mark.parametrize("engine", ENGINES)
async def test_sleeping_is_no_computing(
    engine: str, tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """Ten seconds of sleep are within a CPU limit of one."""
    config = one_route(engine, script_keys("lua_cpu_limit = 1"))
    async with open_site(tmp_path, config, {"t.lua": "cd.sleep(10) cd.say('woke')"}) as site:
        assert (await site.request()).text == "woke\n"


@pytest.mark.parametrize("engine", ENGINES)
async def test_the_time_limit_ends_what_computes(engine: str, tmp_path: Path) -> None:
    """Also below the CPU limit, and where nothing can be interrupted."""
    script = (
        "if cd.req.get_uri_args().n then while true do end end\n" + COMPUTING["in a comparator"]
    )
    config = one_route(engine, script_keys("lua_time_limit = 0.1"))
    async with open_site(tmp_path, config, {"t.lua": script}) as site:
        for target in ("/", "/?n=1"):
            assert (await site.request(target)).status == 504
        log = site.log()
        assert log.count("lua entry thread aborted: lua_time_limit: t.lua ran 0.") == 2
        traced = 0 if engine == "lua53" else 2
        assert log.count(" s of at most 0.1 s\nstack traceback:\ncoroutine 0:\n") == traced


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_limit_after_the_head_cuts_the_connection(engine: str, tmp_path: Path) -> None:
    """No last chunk, so that nobody takes the part for the whole; the access log shows 504."""
    script = "cd.say('x') cd.flush() while true do end"
    config = one_route(engine, script_keys("lua_cpu_limit = 0.1"))
    async with open_site(tmp_path, config, {"t.lua": script}) as site:
        stream = site.connect()
        await stream.send_all(GET)
        data = b"".join([part async for part in stream])
        assert data.startswith(b"HTTP/1.1 200")
        assert data.endswith(b"2\r\nx\n\r\n")
        assert '" 504 ' in site.access_log()


@pytest.mark.parametrize("engine", SLICING)
async def test_others_are_served_meanwhile(engine: str, tmp_path: Path) -> None:
    """Eight scripts compute without an end; a light one of another route is not delayed by more
    than a few slices, and they end at their limits."""
    config = one_route(engine, script_keys("lua_cpu_limit = 0.1")) + (
        '[[host.route]]\nlocation = "/light"\ncontent_by_lua = "cd.say(1)"\n'
    )
    async with open_site(tmp_path, config, {"t.lua": "while true do end"}) as site:
        statuses: list[int] = []

        async def ask() -> None:
            statuses.append((await site.request()).status)

        async with trio.open_nursery() as nursery:
            for _ in range(8):
                nursery.start_soon(ask)
            await turns_pass()
            for _ in range(5):
                assert (await site.request("/light")).text == "1\n"
            assert not statuses
        assert statuses == [504] * 8


# ---------------------------------------------------------------------- a cancel scope
PLACES = {
    "computing": "while true do end",
    "computing in a coroutine": "coroutine.wrap(function() while true do end end)()",
    "sleeping": "cd.sleep(1000)",
    "giving way": "while true do coroutine.yield() end",
    "writing to a slow client": "while true do cd.say(('x'):rep(1e5)) cd.flush(true) end",
    "reading a body that does not come": "cd.req.read_body()",
}


@pytest.mark.parametrize("engine", SLICING)
@pytest.mark.parametrize("place", PLACES)
async def test_a_cancel_scope_ends_a_run_wherever_it_is(
    engine: str, place: str, tmp_path: Path, mock_clock: trio.testing.MockClock
) -> None:
    """lua_time_limit is one: not before its deadline, and at once then; never resumed again."""
    script = f"{PLACES[place]} ngx.shared.candy:set('went', 'on')"
    config = one_route(
        engine,
        script_keys("lua_time_limit = 3", 'lua_cpu_limit = "10m"', 'lua_memory_limit = "1g"'),
    )
    config = 'lua_vm_memory = "2g"\n' + config
    async with open_site(tmp_path, config, {"t.lua": script}) as site:
        stream = site.connect()
        await stream.send_all(GET.replace(b"\r\n\r\n", b"\r\nContent-Length: 5\r\n\r\n"))
        await turns_pass(20)
        mock_clock.jump(2.9)
        await turns_pass(20)
        assert "lua_time_limit" not in site.log()
        mock_clock.jump(0.1)
        await turns_pass(20)
        log = site.log()
        assert "lua entry thread aborted: lua_time_limit: t.lua ran 3.000 s of at most 3 s" in log
        assert not site.vm(engine).suspended
        assert site.app.shared["candy"].get(b"went") == (None, None)
        await stream.aclose()


@pytest.mark.parametrize("engine", SLICING)
async def test_a_client_that_leaves_ends_a_computing_script(engine: str, tmp_path: Path) -> None:
    """499 in the access log, and the script computes no more."""
    config = one_route(engine, script_keys('lua_cpu_limit = "10m"', 'lua_time_limit = "10m"'))
    async with open_site(tmp_path, config, {"t.lua": "while true do end"}) as site:
        stream = site.connect()
        await stream.send_all(GET)
        await turns_pass(20)
        assert len(site.vm(engine).suspended) == 1
        await stream.aclose()
        await turns_pass(20)
        assert not site.vm(engine).suspended
        interruptions = site.interruptions(engine)
        assert " 499 " in site.access_log()
        await turns_pass(20)
        assert site.interruptions(engine) == interruptions > 0


@pytest.mark.parametrize("engine", SLICING)
async def test_a_client_may_leave_a_script_that_goes_on(engine: str, tmp_path: Path) -> None:
    """lua_check_client_abort = false: its computing ends by itself."""
    script = """
      local d = ngx.shared.candy
      while not d:get("alone") do end
      d:set("went", "on")
    """
    config = one_route(engine, script_keys("lua_check_client_abort = false"))
    async with open_site(tmp_path, config, {"t.lua": script}) as site:
        stream = site.connect()
        await stream.send_all(GET)
        await turns_pass(20)
        assert len(site.vm(engine).suspended) == 1
        await stream.aclose()
        site.app.shared["candy"].set(b"alone", 1, 0)
        await turns_pass(20)
        assert site.app.shared["candy"].get(b"went")[0] == b"on"


# ---------------------------------------------------------------------- the sums
def settings_of(time_limit: float, cpu_limit: float, memory_limit: int) -> LuaSettings:
    return LuaSettings(
        engine="luajit",
        isolate=None,
        sandbox=True,
        code_cache=True,
        interleave=None,
        time_limit=time_limit,
        cpu_limit=cpu_limit,
        memory_limit=memory_limit,
        need_request_body=False,
        check_client_abort=True,
        use_default_type=True,
        transform_underscores_in_response_headers=True,
        http10_buffering=True,
    )


SETTINGS = settings_of(10, 5, 1000)


@pytest.mark.parametrize(
    ("elapsed", "computed", "left"),
    [(0, 0, 5), (4, 1, 4), (8, 1, 2), (9.5, 4.75, 0.25), (11, 0, 0), (0, 6, 0)],
)
def test_a_step_gets_what_is_left_of_both_times(
    elapsed: float, computed: float, left: float
) -> None:
    """The smaller of the two, and never less than nothing."""
    assert limits.seconds_left(SETTINGS, elapsed, computed) == left


def test_a_step_gets_the_memory_that_is_left() -> None:
    """Of its limit, less what it has and has queued; in a VM with room half as much again."""
    assert limits.memory_left(SETTINGS, 300, 100, plenty=False) == SETTINGS.memory_limit - 400
    assert limits.memory_left(SETTINGS, 900, 200, plenty=False) == 0
    assert limits.memory_left(SETTINGS, 300, 100, plenty=True) == SETTINGS.memory_limit * 1.5 - 400


@pytest.mark.parametrize(
    ("computed", "memory", "queued", "key", "usage"),
    [
        (4.999, 1000, 0, None, ""),
        (5.004, 0, 0, "lua_cpu_limit", "computed 5.004 s of at most 5 s"),
        (
            0,
            0,
            2048,
            "lua_memory_limit",
            "took 2.0 KB, 2.0 KB of it queued output, of at most 1.0 KB",
        ),
        (0, 3072, 0, "lua_memory_limit", "took 3.0 KB of at most 1.0 KB"),
        (
            0,
            600,
            600,
            "lua_memory_limit",
            "took 1.2 KB, 0.6 KB of it queued output, of at most 1.0 KB",
        ),
    ],
)
def test_what_a_run_is_past(
    computed: float, memory: int, queued: int, key: str | None, usage: str
) -> None:
    """At its limit it may be, with its time at an end."""
    breach = limits.after_step(SETTINGS, computed, memory, queued)
    assert (None if breach is None else breach.key) == key
    assert breach is None or breach.usage == usage


def test_which_time_has_ended_a_step() -> None:
    """The CPU's if that is used up, else the time since the start."""
    assert limits.of_seconds(SETTINGS, 6, 5.0).key == "lua_cpu_limit"
    assert limits.of_seconds(SETTINGS, 10.0, 4.9).key == "lua_time_limit"


def test_which_memory_has_ended_a_step() -> None:
    """The run's own, or that of the VM where this had less left."""
    assert limits.of_memory(SETTINGS, 500, 0, 400).key == "lua_vm_memory"
    assert limits.of_memory(SETTINGS, 500, 0, 600).key == "lua_memory_limit"
    assert limits.of_memory(SETTINGS, 1500, 0, 0).key == "lua_memory_limit"


def test_large_sizes_are_told_in_megabytes() -> None:
    assert limits.size(64 << 20) == "64.0 MB"
