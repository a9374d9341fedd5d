"""A run of a script whose request comes from nobody: for a VM without a server around it."""

from __future__ import annotations

from collections.abc import Callable

import trio

from candy_trio.config.schema import LuaContent
from candy_trio.http.events import RequestHead
from candy_trio.lua.current import LuaRun
from candy_trio.lua.turns import Turns
from candy_trio.pipeline.app import App
from candy_trio.pipeline.exchange import ConnectionInfo, Exchange
from candy_trio.pipeline.response import Response, Sink


class Nowhere(Sink):
    """Takes what a response sends."""

    def write(self, data: bytes) -> None:
        self.sent += len(data)

    async def drain(self) -> None:
        pass


class Nobody:
    """A client that sends no body and never leaves."""

    def body_arrived(self) -> bytes | None:
        return None

    async def await_body(self) -> None:
        await trio.lowlevel.checkpoint()

    def watch_client(self, on_gone: Callable[[], None]) -> None:
        pass

    def unwatch_client(self) -> None:
        pass


def make_run(app: App, number: int = 1, started: float = 0.0) -> LuaRun:
    """A run of the first route's script, for ``GET /``."""
    host = app.routing.host_for("127.0.0.1", 80, b"")
    route = host.host.routes[0]
    assert isinstance(route.content, LuaContent)
    raw = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    fields = [(b"Host", b"localhost")]
    head = RequestHead(
        *(b"GET", b"/", b"/", 1, fields, raw, b"localhost", 0, False, True, False, False)
    )
    client, server = ("127.0.0.1", 40000), ("127.0.0.1", 80)
    info = ConnectionInfo(
        client=client, server=server, serial=1, scheme="http", started_mono=started
    )
    response = Response(
        Nowhere(), app.head_writer, is_head=False, minor=1, keep_alive=True, server_tokens=True
    )
    exchange = Exchange(head, app, host, info, Nobody(), response, started, started)
    exchange.enter(route, ())
    return LuaRun(exchange, number, route.content.lua, started, Turns(interleave=True))
