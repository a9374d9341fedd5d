"""A server in memory: a configuration and its scripts in a folder, connections over streams.

Or over real sockets, whose requests one task begins, as in a worker: ``open_site(polled=True)``.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import h11
import trio
from msgspec import Struct
from trio.testing import memory_stream_pair

from candy_trio.config.load import load_config
from candy_trio.config.schema import LuaContent
from candy_trio.handlers.lua_script import LuaRoutes
from candy_trio.observe.logs import open_logs
from candy_trio.pipeline.app import App
from candy_trio.process.worker import make_shared_dicts
from candy_trio.server.connection import Connection
from candy_trio.server.connections import Connections
from candy_trio.server.poller import Poller
from candy_trio.server.transport import SocketTransport, StreamTransport, Transport
from engines import registry

ENGINES = ("luajit", "lua51", "lua52", "lua53", "lua54", "lua55")
SLICING = ("luajit", "lua53", "lua54", "lua55")
"""Those that interrupt scripts; the others limit them only."""
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Reply(Struct, frozen=True):
    """What came back."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The one value of a field, several joined by ", "."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(values) if values else None

    @property
    def text(self) -> str:
        return self.body.decode("latin-1")


class Site:
    """See the module; made by :func:`open_site`."""

    def __init__(
        self,
        app: App,
        lua: LuaRoutes,
        folder: Path,
        nursery: trio.Nursery,
        poller: Poller | None = None,
    ) -> None:
        self.app = app
        self.lua = lua
        self.folder = folder
        self.poller = poller
        self._nursery = nursery
        self._serials = count(1)
        self._connections = Connections(min(host.timeout for host in app.config.hosts))

    def connect(self) -> trio.abc.Stream:
        """The client's end of a new connection."""
        transport: Transport
        client: trio.abc.Stream
        if self.poller is not None:
            near, far = socket.socketpair()
            near.setblocking(False)
            client = trio.SocketStream(trio.socket.from_stdlib_socket(near))
            transport = SocketTransport(far, self.poller)
        else:
            client, server = memory_stream_pair()
            transport = StreamTransport(server, ("127.0.0.1", 40000), ("127.0.0.1", 8080))
        connection = Connection(transport, self.app, self._connections, next(self._serials))
        self._nursery.start_soon(connection.run)
        return client

    async def request(
        self,
        target: str = "/",
        *,
        method: str = "GET",
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> Reply:
        """One request on a connection of its own."""
        raw = request_bytes(target, method, headers, body)
        return await self.raw(raw, method)

    async def raw(self, data: bytes, method: str = "GET") -> Reply:
        """The bytes of one request, and its reply."""
        stream = self.connect()
        async with stream:
            await stream.send_all(data)
            return await read_reply(stream, method)

    def vm(self, engine: str) -> Any:
        """The VM that new requests of that engine's routes run in."""
        return self.lua.host.vm(engine)

    def interruptions(self, engine: str) -> int:
        """How often runs in it have been interrupted."""
        count: int = self.vm(engine).engine_vm.interruptions()
        return count

    def access_log(self) -> str:
        """The access log so far."""
        self.app.logs.flush()
        return (self.folder / "logs" / "access.log").read_text("utf-8", "replace")

    def log(self) -> str:
        """The error log so far."""
        self.app.logs.flush()
        return (self.folder / "logs" / "error.log").read_text("utf-8", "replace")


def request_bytes(
    target: str,
    method: str = "GET",
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    body: bytes = b"",
) -> bytes:
    """A request as it is sent; Host and Content-Length are added where they are missing."""
    fields = list(headers.items() if isinstance(headers, Mapping) else headers)
    if not any(name.lower() == "host" for name, _ in fields):
        fields.insert(0, ("Host", "localhost"))
    if body and not any(name.lower() == "transfer-encoding" for name, _ in fields):
        fields.append(("Content-Length", str(len(body))))
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + body


async def read_reply(stream: trio.abc.ReceiveStream, method: str = "GET") -> Reply:
    """One response off ``stream``; a connection closed without one has status 0."""
    parser = h11.Connection(h11.CLIENT)
    parser.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
    parser.send(h11.EndOfMessage())
    status, headers = 0, []
    body = bytearray()  # a long answer comes in many small chunks
    while True:
        try:
            event = parser.next_event()
        except h11.RemoteProtocolError:
            return Reply(status, headers, bytes(body))
        if event is h11.NEED_DATA:
            parser.receive_data(await stream.receive_some(65536))
        elif isinstance(event, h11.Response):
            status = event.status_code
            headers = [(k.decode(), v.decode("latin-1")) for k, v in event.headers.raw_items()]
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
            return Reply(status, headers, bytes(body))


@asynccontextmanager
async def open_site(
    folder: Path,
    config: str,
    files: Mapping[str, str | bytes] | None = None,
    *,
    polled: bool = False,
) -> AsyncIterator[Site]:
    """A site of ``config`` (TOML text) whose folder holds ``files``."""
    for name, content in (files or {}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path = folder / "config.toml"
    path.write_text(config)
    loaded = load_config(path, engines=registry.names())
    logs = open_logs(loaded)
    app = App(loaded, logs, make_shared_dicts(loaded))
    lua = LuaRoutes(app)
    app.lua = lua
    app.factories[LuaContent] = lua.handler
    failure: BaseException | None = None
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lua.run)
            poller = Poller() if polled and Poller.works_here else None
            if poller is not None:
                nursery.start_soon(poller.run)
            try:
                yield Site(app, lua, folder, nursery, poller)
            except AssertionError as error:  # as itself, not in a group: pytest explains it then
                failure = error
            nursery.cancel_scope.cancel()
        if failure is not None:
            raise failure
    finally:
        lua.close()
        logs.close()


def script_keys(*lines: str) -> str:
    """The keys of a route whose script is t.lua, and more of them."""
    return "\n".join(('lua_script = "t.lua"', *lines))


async def turns_pass(times: int = 10) -> None:
    """So many turns of the event loop."""
    for _ in range(times):
        await trio.lowlevel.checkpoint()


def one_route(engine: str, script_keys: str = 'lua_script = "t.lua"') -> str:
    """A configuration of one route, /, on ``engine``."""
    return f"""
log_level = "debug"
lua_engine = "{engine}"
[[host]]
port = 8080
[[host.route]]
location = "/"
{script_keys}
"""
