"""Connections that end in every way there is leave nothing behind: no task, no descriptor, no file.

A whole worker on real sockets, in this process, so that its tasks can be counted.
"""

from __future__ import annotations

import gc
import os
import socket
import struct
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import pytest
import trio
import trio.testing
from running import get, read_rest, read_until

from candy_trio.config.load import load_config
from candy_trio.handlers.lua_script import LuaRoutes
from candy_trio.pipeline.exchange import Exchange
from candy_trio.process.worker import serve
from candy_trio.server.connection import Connection

ROUNDS: Final = 14
"""How often each way is gone, at the same time as the others: more than 300 connections."""

SETTLE: Final = 10.0
"""Seconds until the server must have noticed that everybody has left."""

CONFIG = """
lua_time_limit = "1s"
[[host]]
ip = "127.0.0.1"
port = 0
timeout = "400ms"
max_body_size = 60000
[[host.route]]
location = "= /quick"
content_by_lua = 'cd.print("quick")'
[[host.route]]
location = "= /sleep"
content_by_lua = 'cd.sleep(30)'
[[host.route]]
location = "= /nap"
content_by_lua = 'cd.sleep(0.05) cd.print("nap")'
[[host.route]]
location = "= /deaf"
lua_check_client_abort = false
content_by_lua = 'cd.sleep(0.1) cd.print("nobody")'
[[host.route]]
location = "= /body"
client_body_buffer_size = 1000
content_by_lua = 'cd.req.read_body() cd.print(cd.req.get_body_file() and "file" or "memory")'
[[host.route]]
location = "= /endless"
content_by_lua = '''
local part = ("x"):rep(100000)
while true do cd.print(part) cd.flush(true) end
'''
[[host.route]]
location = "= /fail"
content_by_lua = 'cd.print("begun") cd.flush(true) error("afterwards")'
[[host.route]]
location = "= /silent"
content_by_lua = 'cd.exit(444)'
[[host.route]]
location = "= /raise"
content_by_lua = 'error("at once")'
"""

POST: Final = (
    b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\nExpect: 100-continue\r\n\r\n"
)

Way = Callable[[trio.SocketStream], Awaitable[None]]


def reset(stream: trio.SocketStream) -> None:
    """Close with RST: lingering for no time at all."""
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.socket.close()


async def nothing(stream: trio.SocketStream) -> None:
    """Connect and close."""


async def reset_at_once(stream: trio.SocketStream) -> None:
    reset(stream)


async def idle(stream: trio.SocketStream) -> None:
    """Say nothing until the server closes."""
    assert await read_rest(stream) == b""


async def keep_alive(stream: trio.SocketStream) -> None:
    for _ in range(3):
        await stream.send_all(get("/quick"))
        await read_until(stream, b"quick")


async def idle_after_a_request(stream: trio.SocketStream) -> None:
    await stream.send_all(get("/nap"))
    assert (await read_rest(stream)).endswith(b"nap")


async def pipelined(stream: trio.SocketStream) -> None:
    await stream.send_all(get("/quick") * 40)
    reset(stream)


async def close_asked_for(stream: trio.SocketStream) -> None:
    await stream.send_all(b"GET /quick HTTP/1.0\r\n\r\n")
    assert (await read_rest(stream)).endswith(b"quick")


async def malformed(stream: trio.SocketStream) -> None:
    await stream.send_all(b"NONSENSE\r\n\r\n" + b"x" * 100_000)
    assert (await read_rest(stream)).startswith(b"HTTP/1.1 400 ")


async def half_a_head(stream: trio.SocketStream) -> None:
    await stream.send_all(get("/quick")[:-2])
    assert (await read_rest(stream)).startswith(b"HTTP/1.1 408 ")


async def half_a_head_half_closed(stream: trio.SocketStream) -> None:
    await stream.send_all(get("/quick")[:-2])
    await stream.send_eof()
    assert await read_rest(stream) == b""


async def half_a_head_reset(stream: trio.SocketStream) -> None:
    await stream.send_all(get("/quick")[:-2])
    reset(stream)


async def leave_a_script(stream: trio.SocketStream) -> None:
    await stream.send_all(get("/sleep"))
    await trio.sleep(0.02)


async def half_close_a_script(stream: trio.SocketStream) -> None:
    await stream.send_all(get("/sleep"))
    await stream.send_eof()
    assert await read_rest(stream) == b""


async def reset_a_script(stream: trio.SocketStream) -> None:
    await stream.send_all(get("/sleep"))
    await trio.sleep(0.02)
    reset(stream)


async def reset_a_deaf_script(stream: trio.SocketStream) -> None:
    await stream.send_all(get("/deaf"))
    await trio.sleep(0.02)
    reset(stream)


async def outlast_a_script(stream: trio.SocketStream) -> None:
    """Past ``lua_time_limit``."""
    await stream.send_all(get("/sleep"))
    await read_until(stream, b"504 Gateway Time-out</h1>")


async def body_in_a_file(stream: trio.SocketStream) -> None:
    await stream.send_all(POST % b"/body")
    await read_until(stream, b"100 Continue\r\n\r\n")
    await stream.send_all(b"x" * 50_000)
    await read_until(stream, b"file")


async def leave_a_body(stream: trio.SocketStream) -> None:
    await stream.send_all(POST % b"/body" + b"x" * 20_000)
    await trio.sleep(0.02)


async def reset_a_body(stream: trio.SocketStream) -> None:
    await stream.send_all(POST % b"/body" + b"x" * 20_000)
    await trio.sleep(0.02)
    reset(stream)


async def stall_a_body(stream: trio.SocketStream) -> None:
    await stream.send_all(POST % b"/body" + b"x" * 20_000)
    await read_until(stream, b"408 Request Time-out</h1>")


async def body_too_large(stream: trio.SocketStream) -> None:
    await stream.send_all(POST.replace(b"50000", b"70000") % b"/body" + b"x" * 70_000)
    assert (await read_rest(stream)).startswith(b"HTTP/1.1 413 ")


async def body_unread(stream: trio.SocketStream) -> None:
    await stream.send_all(POST % b"/quick")
    assert (await read_rest(stream)).endswith(b"quick")


async def leave_a_stream(stream: trio.SocketStream) -> None:
    await stream.send_all(get("/endless"))
    await read_until(stream, b"xxx")


async def reset_a_stream(stream: trio.SocketStream) -> None:
    await stream.send_all(get("/endless"))
    await read_until(stream, b"xxx")
    reset(stream)


async def read_nothing(stream: trio.SocketStream) -> None:
    """Until the server gives up."""
    await stream.send_all(get("/endless"))
    await trio.sleep(1)


async def script_that_fails(stream: trio.SocketStream) -> None:
    await stream.send_all(get("/fail"))
    answer = await read_rest(stream)
    assert answer.endswith(b"begun\r\n")


async def script_that_is_silent(stream: trio.SocketStream) -> None:
    await stream.send_all(get("/silent"))
    assert await read_rest(stream) == b""


async def error_page(stream: trio.SocketStream) -> None:
    await stream.send_all(get("/raise"))
    await read_until(stream, b"500 Internal Server Error</h1>")


WAYS: Final[list[Way]] = [
    nothing,
    reset_at_once,
    idle,
    keep_alive,
    idle_after_a_request,
    pipelined,
    close_asked_for,
    malformed,
    half_a_head,
    half_a_head_half_closed,
    half_a_head_reset,
    leave_a_script,
    half_close_a_script,
    reset_a_script,
    reset_a_deaf_script,
    outlast_a_script,
    body_in_a_file,
    leave_a_body,
    reset_a_body,
    stall_a_body,
    body_too_large,
    body_unread,
    leave_a_stream,
    reset_a_stream,
    read_nothing,
    script_that_fails,
    script_that_is_silent,
    error_page,
]


def open_things() -> tuple[int, int]:
    """Descriptors of this process and tasks of trio's."""
    return len(os.listdir("/proc/self/fd")), trio.lowlevel.current_statistics().tasks_living


def alive(kind: type) -> int:
    gc.collect()
    return sum(isinstance(thing, kind) for thing in gc.get_objects())


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts descriptors in /proc")
@pytest.mark.parametrize("parser", ["httptools", "h11"])
async def test_no_way_to_end_leaves_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parser: str
) -> None:
    """All ways at once, ROUNDS times: afterwards tasks and descriptors are as many as before,
    no body file is left, no connection or exchange is held, the log knows of no mistake of the
    server, and the next request is answered."""
    bodies = tmp_path / "bodies"
    bodies.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(bodies))
    path = tmp_path / "config.toml"
    path.write_text(f'http_parser = "{parser}"\n{CONFIG}')
    config = load_config(path, engines=["luajit"])
    earlier = {kind: alive(kind) for kind in (Connection, Exchange)}  # other tests'
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            [listener] = await nursery.start(serve, config, LuaRoutes)

            async def go(way: Way) -> None:
                stream = await trio.open_tcp_stream("127.0.0.1", listener.port)
                try:
                    await way(stream)
                except Exception as error:
                    error.add_note(way.__name__)
                    raise
                finally:
                    stream.socket.close()

            async def check_answered() -> None:
                await go(keep_alive)

            await check_answered()
            before = await settled(lambda: True)
            async with trio.open_nursery() as clients:
                for _ in range(ROUNDS):
                    for way in WAYS:
                        clients.start_soon(go, way)
            await settled(lambda: open_things() == before)
            assert open_things() == before
            held = [alive(kind) - others for kind, others in earlier.items()]
            assert max(held) <= 1  # the VM's last run
            assert list(bodies.iterdir()) == []
            await check_answered()
            nursery.cancel_scope.cancel()
    log = (tmp_path / "logs" / "error.log").read_text()
    assert "[crit]" not in log
    assert "Traceback" not in log


async def settled(done: Callable[[], bool]) -> tuple[int, int]:
    """Wait until ``done``, SETTLE at most, and until nothing has happened for a moment."""
    with trio.move_on_after(SETTLE):
        while not done():  # noqa: ASYNC110 - a server that told would not be the real one
            await trio.sleep(0.05)
    await trio.testing.wait_all_tasks_blocked(0.2)
    return open_things()
