"""Scripts whose first step is taken in the poller's task, see candy_trio/handover.py."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
import trio.testing
from support.site import one_route, open_site, read_reply, request_bytes

from candy_trio.server.poller import Poller

pytestmark = pytest.mark.skipif(not Poller.works_here, reason="there is no epoll on this system")

MODULE = "local M = {} function M.spin(n) for i = 1, n do M.n = i end end return M"
SLOW = "local t = {}\nfor i = 1, 3000000 do\nt[i % 9] = i\nend\nreturn {done = true}"


@pytest.mark.parametrize("engine", ["luajit", "lua54"])
async def test_an_interrupted_script_keeps_its_turn_in_its_own_task(
    tmp_path: Path, engine: str
) -> None:
    """It is kept where the first step ended, given back where the last one did."""
    config = f"""
log_level = "debug"
lua_engine = "{engine}"
lua_time_slice = "2ms"
[[host]]
[[host.route]]
location = "= /spin"
lua_isolate = "one"
content_by_lua = 'require("spinner").spin(3000000) cd.say("spun")'
[[host.route]]
location = "= /slow"
content_by_lua = 'cd.say(require("slow").done)'
"""
    files = {"lualib/spinner.lua": MODULE, "lualib/slow.lua": SLOW}
    async with open_site(tmp_path, config, files, polled=True) as site:
        for path, text in (("/spin", "spun\n"), ("/slow", "true\n")):
            replies: list[str] = []

            async def ask(
                stream: trio.abc.Stream, path: str = path, replies: list[str] = replies
            ) -> None:
                async with stream:
                    await stream.send_all(request_bytes(path))
                    replies.append((await read_reply(stream)).text)

            streams = [site.connect() for _ in range(3)]
            await trio.testing.wait_all_tasks_blocked()  # until they are parked
            with trio.fail_after(30):
                async with trio.open_nursery() as nursery:
                    for stream in streams:
                        nursery.start_soon(ask, stream)
            assert replies == [text] * 3, site.log()
        assert site.interruptions(engine)


@pytest.mark.parametrize("engine", ["luajit", "lua54"])
@pytest.mark.parametrize("discards", [False, True])
async def test_a_body_that_failed_where_nothing_could_wait_has_failed(
    tmp_path: Path, engine: str, discards: bool
) -> None:
    """It is not taken for an empty one when it is asked for again."""
    read = "cd.req.discard_body()" if discards else "cd.req.read_body()"
    script = f'pcall(require, "reads") {read} cd.print(cd.req.get_body_data() or 0)'
    files = {"lualib/reads.lua": f"{read} return true"}
    config = one_route(engine, f"content_by_lua = '{script}'")
    config = config.replace("[[host]]", "[[host]]\nmax_body_size = 10")
    async with open_site(tmp_path, config, files, polled=True) as site:
        for body, status in ((b"5\r\nabcde\r\n" * 4, 413), (b"nonsense", 400)):
            raw = request_bytes("/", "POST", {"Transfer-Encoding": "chunked"}, body)
            assert (await site.raw(raw, "POST")).status == status


@pytest.mark.parametrize("engine", ["luajit", "lua54"])
@pytest.mark.parametrize("here", [False, True])
async def test_a_body_that_no_file_can_be_made_for_is_an_error(
    tmp_path: Path, engine: str, here: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it has arrived with its head: it is not taken for an empty one."""
    script = 'cd.req.read_body() cd.print(cd.req.get_body_data() or "nothing")'
    config = one_route(engine, f"content_by_lua = '{script}'\nclient_body_buffer_size = 10")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    async with open_site(tmp_path, config, polled=True) as site, site.connect() as stream:
        head, body = request_bytes("/", "POST", {"Content-Length": "20"}), b"x" * 20
        await stream.send_all(head + body if here else head)
        await trio.testing.wait_all_tasks_blocked()
        if not here:
            await stream.send_all(body)
        assert (await read_reply(stream, "POST")).status == 500
        assert "No such file or directory" in site.log()
