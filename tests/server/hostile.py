"""A site whose one route is a Lua script that reads its body, for clients of bad intent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trio
import trio.testing
from serving import Client, Lines, Records

from candy_trio.config.load import load_config
from candy_trio.config.schema import LuaContent
from candy_trio.handlers.lua_script import LuaRoutes
from candy_trio.observe.log import ErrorLog, Level
from candy_trio.observe.logs import Logs
from candy_trio.pipeline.app import App
from candy_trio.server.connection import Connection
from candy_trio.server.connections import Connections
from candy_trio.server.transport import StreamTransport

PARSERS = ("httptools", "h11")

TIMEOUT = 5.0
"""Seconds; the host's timeout."""

CONFIG = f"""
http_parser = "PARSER"
[[host]]
ip = "127.0.0.1"
port = 0
timeout = {TIMEOUT:g}
[[host.route]]
location = "/"
content_by_lua = '''
cd.req.read_body()
cd.print("read ", #(cd.req.get_body_data() or ""))
'''
[[host.route]]
location = "= /unread"
content_by_lua = 'cd.print("unread")'
[[host.route]]
location = "= /early"
content_by_lua = '''
cd.print("early ")
cd.flush(true)
cd.req.read_body()
cd.print(cd.req.get_body_data())
'''
"""

GOOD = b"GET /good HTTP/1.1\r\nHost: a.example\r\n\r\n"


class HostileSite:
    """Connections in memory to one App, which outlives any one ``trio.run``."""

    def __init__(self, app: App, errors: Lines, access: Records) -> None:
        self.app = app
        self.errors = errors
        self.access = access
        self.connections = Connections(TIMEOUT)

    def connect(self, nursery: trio.Nursery) -> Client:
        near, far = trio.testing.memory_stream_pair()
        connection = Connection(StreamTransport(far), self.app, self.connections, 1)
        nursery.start_soon(connection.run)
        return Client(near)

    def check_unhurt(self) -> None:
        """Nothing but refusals was logged: no mistake of the server's own."""
        assert "Traceback" not in self.errors.text
        assert "[crit]" not in self.errors.text
        assert "[error]" not in self.errors.text


@contextmanager
def open_hostile_site(folder: Path, parser: str) -> Iterator[HostileSite]:
    path = folder / "config.toml"
    path.write_text(CONFIG.replace("PARSER", parser))
    errors, access = Lines(), Records()
    logs = Logs(ErrorLog(errors, Level.INFO), access)  # type: ignore[arg-type]
    app = App(load_config(path, engines=["luajit"]), logs, {})
    app.lua = LuaRoutes(app)
    app.factories[LuaContent] = app.lua.handler
    try:
        yield HostileSite(app, errors, access)
    finally:
        app.lua.close()
