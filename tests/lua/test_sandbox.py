"""Scripts can't get out of the sandbox: the attempts of ``escapes.toml``, on every engine.

Each attempt runs as one route's script; then another route's script, in an isolate of its own on
the same VM, must see every library, every API table and every string method as before.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import tomli
import trio
import trio.testing
from support.site import ENGINES, Site, one_route, open_site

LIST = tomli.loads(Path(__file__).with_name("escapes.toml").read_text("utf-8"))
MISSING: list[str] = LIST["missing"]
ESCAPES: list[dict[str, Any]] = LIST["escape"]
MINIMUM = 80
"""Attempts that the suite promises."""

# All on the first line, so that a script's own line numbers stay.
PRELUDE = (
    "local function shown(ok, ...) local parts, n = {...}, select('#', ...) "
    "for i = 1, n do local kind = type(parts[i]) "
    "if kind == 'table' or kind == 'function' or kind == 'thread' then parts[i] = kind "
    "else parts[i] = tostring(parts[i]) end end "
    "cd.say((ok and '' or 'error: ') .. table.concat(parts, ' ', 1, n)) end "
    "local function try(f, ...) return shown(pcall(f, ...)) end "
    "local function eval(text) return load('return ' .. text)() end "
)

# Everything that the script of another route can see of the VM, as text: identities included.
PROBE = """
local lines, seen = {}, {}
local function note(...)
  local parts = {...}
  for i = 1, select('#', ...) do parts[i] = tostring(parts[i]) end
  lines[#lines + 1] = table.concat(parts, ' ')
end
local function walk(path, t)
  if seen[t] then return end
  seen[t] = true
  local keys = {}
  for key in next, t do keys[#keys + 1] = tostring(key) end
  table.sort(keys)
  for _, key in ipairs(keys) do
    local value = rawget(t, key)
    if key ~= 'ctx' then note(path .. '.' .. key, value) end
    if type(value) == 'table' then walk(path .. '.' .. key, value) end
  end
  note(path, 'metatable', getmetatable(t))
end
walk('loaded', package.loaded)
walk('ctx', cd.ctx)
for key, value in next, _G do note('global', key, type(value)) end
note('globals', getmetatable(_G), rawequal(_G, _G._G), leaked, leaked2, leaked3, leaked4, x)
note('strings', getmetatable(''), ('Ab'):upper(), ('Ab'):lower(), ('x').split, ('x').leaked)
local loop = 0
for i = 1, 500 do if ('x'):upper() == 'X' then loop = loop + 1 end end
note('loop', loop, ('%d'):format(loop))
local headers = cd.req.get_headers()
note('api', cd.escape_uri('a b'), cd.req.get_method(), headers.host, headers.none,
     ngx.req.get_headers().Host, cd.resp.get_headers().none, ngx.OK, cd.get_phase())
note('running', type(coroutine.running()), pcall(error, 'x', 0), select('#', pcall(error)))
cd.say(table.concat(lines, '\\n'))
"""


def routes(engine: str, script: str, extra: str = "") -> tuple[str, dict[str, str]]:
    """A route that attacks and one that looks, each in its own isolate."""
    config = f"""
log_level = "debug"
lua_engine = "{engine}"
[[host]]
port = 8080
[[host.route]]
location = "= /attack"
lua_script = "t.lua"
{extra}
[[host.route]]
location = "= /probe"
lua_script = "probe.lua"
"""
    return config, {"t.lua": PRELUDE + script, "probe.lua": PROBE}


async def probed(site: Site) -> str:
    reply = await site.request("/probe")
    assert reply.status == 200, site.log()
    return reply.text


def attempts() -> list[Any]:
    return [
        pytest.param(escape, engine, id=f"{escape['name']}-{engine}")
        for escape in ESCAPES
        for engine in escape.get("engines", ENGINES)
    ]


@pytest.mark.parametrize(("escape", "engine"), attempts())
async def test_escape_fails(escape: dict[str, Any], engine: str, tmp_path: Path) -> None:
    """It fails as expected, twice on one VM, and a script of another route sees nothing of it."""
    config, files = routes(engine, escape["script"])
    files["lualib/m.lua"] = escape.get("module", "return 'm'")
    (tmp_path / "lualib").mkdir()
    (tmp_path / "lualib" / "binary.lua").write_bytes(b"\x1bLua")
    async with open_site(tmp_path, config, files) as site:
        before = await probed(site)
        for _ in range(2):
            reply = await site.request("/attack")
            said = reply.text
            assert reply.status == 200, site.log()
            assert re.fullmatch(escape["expect"], said, re.DOTALL), (engine, said)
            assert "[candy" not in said
            assert await probed(site) == before
        assert "Traceback" not in site.log(), site.log()


@pytest.mark.parametrize("engine", ENGINES)
async def test_what_is_missing_is_nil(engine: str, tmp_path: Path) -> None:
    """Not one of the names that a sandboxed script must not have is there, under any path."""
    lines = [f"cd.say(tostring({expression}))" for expression in MISSING]
    config, files = routes(engine, "")
    files["t.lua"] = "\n".join(lines)
    async with open_site(tmp_path, config, files) as site:
        reply = await site.request("/attack")
    assert reply.status == 200
    there = [
        name for name, value in zip(MISSING, reply.text.split(), strict=True) if value != "nil"
    ]
    assert there == []


def test_there_are_enough_attempts() -> None:
    """The list holds at least as many attempts as the project promises."""
    assert len(MISSING) + len(ESCAPES) >= MINIMUM
    assert len({escape["name"] for escape in ESCAPES}) == len(ESCAPES)


@pytest.mark.parametrize("engine", ENGINES)
async def test_string_methods_of_two_isolates_in_turn(engine: str, tmp_path: Path) -> None:
    """Hot loops compiled against one isolate's string table never use it in the other's."""
    loop = """
        local seen = {}
        for i = 1, 300 do seen[('x'):which()] = true end
        for name in pairs(seen) do cd.print(name) end"""
    config, files = routes(engine, "")
    files["t.lua"] = "function string.which() return 'attack' end" + loop
    files["probe.lua"] = "function string.which() return 'probe' end" + loop
    async with open_site(tmp_path, config, files) as site:
        for _ in range(20):
            assert (await site.request("/attack")).text == "attack"
            assert (await site.request("/probe")).text == "probe"


@pytest.mark.parametrize("engine", ENGINES)
async def test_string_methods_while_another_isolate_runs(engine: str, tmp_path: Path) -> None:
    """A script that waits finds its own string methods again, whoever ran in between."""
    config, files = routes(engine, "")
    files["t.lua"] = """
        function string.which() return 'attack' end
        for i = 1, 5 do
          cd.print(coroutine.wrap(function() cd.sleep(0) return ('x'):which() end)(), ' ')
        end"""
    files["probe.lua"] = files["t.lua"].replace("attack", "probe")
    async with open_site(tmp_path, config, files) as site:
        replies: dict[str, str] = {}

        async def fetch(name: str) -> None:
            replies[name] = (await site.request(f"/{name}")).text

        async with trio.open_nursery() as nursery:
            nursery.start_soon(fetch, "attack")
            nursery.start_soon(fetch, "probe")
    assert replies == {"attack": "attack " * 5, "probe": "probe " * 5}


@pytest.mark.parametrize("engine", ENGINES)
async def test_another_requests_threads_are_out_of_reach(engine: str, tmp_path: Path) -> None:
    """A module may keep a request's thread and coroutine: the next request can't resume them."""
    config, files = routes(engine, "", 'lua_isolate = "shared"')
    files["lualib/kept.lua"] = "return {}"
    files["t.lua"] = """
        local kept = require('kept')
        kept.entry = coroutine.running()
        kept.waiting = coroutine.create(function() cd.sleep(10) return 'mine' end)
        cd.say(coroutine.resume(kept.waiting))"""
    files["probe.lua"] = """
        local kept = require('kept')
        for _, co in ipairs {kept.entry, kept.waiting} do
          cd.say(tostring(coroutine.status(co)), ' ', tostring(select(2, coroutine.resume(co))))
          if coroutine.close then cd.say((pcall(coroutine.close, co))) end
        end"""
    config = config.replace('"probe.lua"', '"probe.lua"\nlua_isolate = "shared"')
    async with open_site(tmp_path, config, files) as site:
        replies: dict[str, str] = {}

        async def fetch(name: str) -> None:
            replies[name] = (await site.request(f"/{name}")).text

        async with trio.open_nursery() as nursery:
            nursery.start_soon(fetch, "attack")
            await trio.testing.wait_all_tasks_blocked()
            await fetch("probe")
            nursery.cancel_scope.cancel()
    lines = [line for line in replies["probe"].splitlines() if line != "false"]
    assert lines == ["normal cannot resume non-suspended coroutine"] * 2


@pytest.mark.parametrize("engine", ENGINES)
async def test_seeding_does_not_make_anothers_numbers_known(engine: str, tmp_path: Path) -> None:
    """The same seed, set by one route before each request of another, repeats nothing there."""
    config, files = routes(engine, "math.randomseed(1)")
    files["probe.lua"] = "cd.say(math.random(2^30), ' ', math.random(2^30))"
    drawn = set()
    async with open_site(tmp_path, config, files) as site:
        for _ in range(5):
            await site.request("/attack")
            drawn.add((await site.request("/probe")).text)
    assert len(drawn) == 5


TRUSTED = """
local function has(library, ...)
  for _, name in ipairs {...} do
    if library[name] == nil then cd.say('lacks ', name) end
  end
end
has(os, 'execute', 'exit', 'remove', 'rename', 'tmpname', 'getenv', 'setlocale')
has(debug, 'getinfo', 'getlocal', 'setlocal', 'getupvalue', 'setupvalue', 'getmetatable',
    'setmetatable', 'getregistry', 'gethook', 'traceback')
has(io, 'open', 'lines', 'read', 'write')
has(_G, 'io', 'loadfile', 'dofile')
has(package, 'loadlib', 'cpath', 'searchpath', _VERSION == 'Lua 5.1' and 'loaders' or 'searchers')
assert(load(string.dump(function() return 'dumped' end))() == 'dumped')
assert(type(setmetatable({}, {__gc = function() end})) == 'table')
assert(type(collectgarbage()) == 'number' and type(collectgarbage('count')) == 'number')
assert(debug.getinfo(1, 'S').short_src == 't.lua')
local name = os.tmpname()
local file = assert(io.open(name, 'w'))
file:write('return ...')
file:close()
assert(assert(loadfile(name))('loaded') == 'loaded' and dofile(name) == nil)
package.path = name:gsub('[^/]+$', '?')
assert(require(name:match('[^/]*$')) == name:match('[^/]*$'))
os.remove(name)
assert(not loadfile(name) and not pcall(dofile, name))
-- What would defeat limits.
local registered = debug.getregistry()._LOADED
if debug.sethook or registered.debug.sethook then cd.say('sethook') end
if pcall(collectgarbage, 'stop') then cd.say('stop') end
if pcall(require, 'jit.profile') then cd.say('profile') end
if jit then
  assert(require('ffi').abi('le') ~= nil and require('ffi') == require('ffi'))
  assert(type(jit.on) == 'function' and type(jit.status()) == 'boolean' and newproxy())
  assert(require('table.new')(4, 4) and require('jit.util').funcinfo(function() end))
end
cd.say('all there')
"""


@pytest.mark.parametrize("engine", ENGINES)
async def test_trusted_scripts_have_it_back(engine: str, tmp_path: Path) -> None:
    """lua_sandbox = false gives all of it, but for what would defeat limits; others stay boxed."""
    config, files = routes(engine, "", "lua_sandbox = false")
    files["t.lua"] = TRUSTED
    async with open_site(tmp_path, config, files) as site:
        before = await probed(site)
        reply = await site.request("/attack")
        assert reply.status == 200, site.log()
        assert reply.text == "all there\n"
        assert await probed(site) == before


@pytest.mark.parametrize("engine", ["lua52", "lua53", "lua54", "lua55"])
async def test_finalizers_of_trusted_scripts_run_in_scripts(engine: str, tmp_path: Path) -> None:
    """In the collector's order, also in a later request; not those of a script that failed."""
    script = """
      local dict = ngx.shared.d
      local kind = ngx.var.arg_kind
      local meta = {__gc = function(o)
        cd.sleep(0)
        dict:set("said", (dict:get("said") or "") .. o.name)
      end}
      for i = 1, 3 do setmetatable({name = kind .. i .. " "}, meta) end
      if kind == "failing" then error("failed") end
      if kind == "last" then collectgarbage() collectgarbage() end
      cd.say(dict:get("said") or "nothing")
    """
    route = one_route(engine, 'lua_script = "t.lua"\nlua_sandbox = false')
    config = 'lua_shared_dict = [{name = "d", size = "1m"}]\n' + route
    async with open_site(tmp_path, config, {"t.lua": script}) as site:
        assert (await site.request("/?kind=first")).text == "nothing\n"
        assert (await site.request("/?kind=failing")).status == 500
        said = (await site.request("/?kind=last")).text.split()
        assert said == ["last3", "last2", "last1", "first3", "first2", "first1"], site.log()
