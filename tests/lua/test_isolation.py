"""Requests that interleave never see each other, and isolates share nothing but the VM."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import trio
from support.site import ENGINES, one_route, open_site

SCRIPT = """
local token = cd.req.get_uri_args().token
local naps = tonumber(cd.req.get_uri_args().naps)
secret = token                       -- a global of this request
cd.header["X-Token"] = token
cd.ctx.token = token
ngx.status = 220 + tonumber(token) % 50
cd.say(token)
for i = 1, naps do
  cd.sleep(cd.req.get_uri_args().nap / 1000)
  assert(secret == token and cd.ctx.token == token and cd.header["X-Token"] == token)
  assert(cd.req.get_uri_args().token == token and cd.req.get_headers()["x-sent"] == token)
  assert(pcall(function() cd.sleep(0) assert(secret == token) end))
  local co = coroutine.wrap(function() cd.sleep(0) coroutine.yield(secret) return secret end)
  assert(co() == token)
  cd.sleep(0)
  assert(co() == token)
  cd.say(secret)
end
"""


@pytest.mark.parametrize("engine", ENGINES)
async def test_200_requests_at_once_keep_to_themselves(
    engine: str, tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """Locals, globals, headers, status, ctx, arguments and output belong to one request."""
    rng = random.Random(engine)
    answered = 0
    async with open_site(tmp_path, one_route(engine), {"t.lua": SCRIPT}) as site:

        async def one(token: str) -> None:
            nonlocal answered
            naps = rng.randint(1, 5)
            target = f"/?token={token}&naps={naps}&nap={rng.uniform(0, 50):.1f}"
            reply = await site.request(target, headers={"X-Sent": token})
            assert reply.status == 220 + int(token) % 50, site.log()
            assert reply.header("X-Token") == token
            assert reply.text == (token + "\n") * (naps + 1)
            answered += 1

        async with trio.open_nursery() as nursery:
            for _ in range(200):
                nursery.start_soon(one, str(rng.randrange(10**9)))
    assert answered == 200


TWO_ROUTES = """
lua_engine = "{engine}"
[[host]]
[[host.route]]
location = "/a"
lua_script = "a.lua"
{a}
[[host.route]]
location = "/b"
lua_script = "b.lua"
{b}
"""

CHANGES_EVERYTHING = """
local m = require "shared"
m.count = m.count + 1
string.shout = function(s) return s:upper() .. "!" end
table.insert = nil
cd.say = nil
ngx.extra = "x"
package.loaded.planted = true
leaked = "global"
cd.print(("a"):shout(), m.count)
"""

LOOKS_AROUND = """
local m = require "shared"
cd.print(tostring(string.shout), tostring(table.insert ~= nil), tostring(ngx.extra),
         tostring(package.loaded.planted), tostring(leaked), m.count)
"""

MODULE = "return {count = 0}"


@pytest.mark.parametrize("engine", ENGINES)
async def test_an_isolate_sees_nothing_of_another(engine: str, tmp_path: Path) -> None:
    """By default each route has libraries, API tables and modules of its own."""
    files = {"a.lua": CHANGES_EVERYTHING, "b.lua": LOOKS_AROUND, "lualib/shared.lua": MODULE}
    config = TWO_ROUTES.format(engine=engine, a="", b="")
    async with open_site(tmp_path, config, files) as site:
        for count in (1, 2):
            assert (await site.request("/a")).text == f"A!{count}", site.log()
            assert (await site.request("/b")).text == "niltruenilnilnil0", site.log()


@pytest.mark.parametrize("engine", ENGINES)
async def test_routes_of_one_isolate_share(engine: str, tmp_path: Path) -> None:
    """lua_isolate: modules, libraries and API additions are common, globals are not."""
    name = 'lua_isolate = "both"'
    files = {
        "a.lua": CHANGES_EVERYTHING.replace("cd.say = nil", "").replace("table.insert = nil", ""),
        "b.lua": LOOKS_AROUND.replace("string.shout", "string.shout ~= nil"),
        "lualib/shared.lua": MODULE,
    }
    config = TWO_ROUTES.format(engine=engine, a=name, b=name)
    async with open_site(tmp_path, config, files) as site:
        assert (await site.request("/a")).text == "A!1", site.log()
        assert (await site.request("/b")).text == "truetruextruenil1", site.log()


@pytest.mark.parametrize("engine", ENGINES)
async def test_without_code_cache_nothing_lasts(engine: str, tmp_path: Path) -> None:
    """lua_code_cache = false: each request has modules and libraries of its own."""
    files = {"t.lua": CHANGES_EVERYTHING, "lualib/shared.lua": MODULE}
    config = one_route(engine, 'lua_script = "t.lua"\nlua_code_cache = false')
    async with open_site(tmp_path, config, files) as site:
        for _ in range(3):
            assert (await site.request("/")).text == "A!1", site.log()
