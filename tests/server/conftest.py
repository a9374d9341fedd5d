"""A site served over memory streams, see :mod:`serving`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
from serving import Lines, MakeSite, PythonHandler, Records, Serve, Site, hello, route

from candy_trio.config.load import load_config
from candy_trio.config.schema import LuaContent, Route
from candy_trio.handlers.base import Handler
from candy_trio.observe.log import ErrorLog, Level
from candy_trio.observe.logs import Logs
from candy_trio.pipeline.app import App
from candy_trio.server.connections import Connections


@pytest.fixture
async def make_site(tmp_path: Path, nursery: trio.Nursery) -> AsyncIterator[MakeSite]:
    """``make_site(handlers…, host="timeout = 5", routes="[[host.route]]…")``."""

    def make(host: str = "", routes: str = "", top: str = "", **handlers: Serve) -> Site:
        path = tmp_path / "config.toml"
        path.write_text(
            f'{top}\n[[host]]\nip = "127.0.0.1"\nport = 80\n{host}\n{routes or route("hello")}'
        )
        config = load_config(path, engines=["luajit"])
        lines, records = Lines(), Records()
        logs = Logs(ErrorLog(lines, Level.INFO), records)  # type: ignore[arg-type]
        app = App(config, logs, {})
        known: dict[str, Serve] = {"hello": hello, **handlers}

        def handler(route: Route) -> Handler:
            assert isinstance(route.content, LuaContent)
            text = route.content.source.text
            assert text is not None
            return PythonHandler(known[text.decode()])

        app.factories[LuaContent] = handler
        connections = Connections(min(host.timeout for host in config.hosts))
        nursery.start_soon(connections.expire)
        return Site(app, connections, nursery, lines, records, known)

    yield make
    nursery.cancel_scope.cancel()
