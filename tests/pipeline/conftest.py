"""Exchanges made by hand, without a connection."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from candy_trio.config.load import load_config
from candy_trio.http.parser import make_parser
from candy_trio.http.writer import HeadWriter
from candy_trio.observe.log import ErrorLog, Level
from candy_trio.observe.logs import Logs
from candy_trio.pipeline.app import App
from candy_trio.pipeline.exchange import ConnectionInfo, Exchange
from candy_trio.pipeline.response import Response
from candy_trio.pipeline.response import Sink as BaseSink

MakeExchange = Callable[..., Exchange]

CONFIG = """
[[host]]
ip = "127.0.0.1"
port = 8080
server_name = "first.test"
[[host.route]]
location = "~ ^/re/(a)?(.)x$"
redirect_to = "/"
[[host.route]]
location = "= /other"
redirect_to = "/"
set = { other = "1" }
[[host.route]]
location = "/"
redirect_to = "/"
set = { mine = "a$arg_a", Twice = "${mine}-$mine" }
"""


class Sink(BaseSink):
    """What a connection would send; ``room`` bytes are taken at once, the rest is queued."""

    def __init__(self) -> None:
        self.data = b""
        self.writes = 0
        self.room = 1 << 60
        self.queued = 0
        self.sent = 0
        self.drained = 0

    def write(self, data: bytes) -> None:
        self.writes += 1
        self.data += data
        taken = min(self.room, len(data))
        self.room -= taken
        self.sent += taken
        self.queued += len(data) - taken

    async def drain(self) -> None:
        self.drained += 1
        self.sent += self.queued
        self.queued = 0


class Link:
    """A connection with the given pieces of a body."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = list(pieces)

    def body_arrived(self) -> bytes | None:
        return self.pieces.pop(0) if self.pieces else None

    async def await_body(self) -> None:
        raise NotImplementedError

    def watch_client(self, on_gone: Callable[[], None]) -> None:
        raise NotImplementedError

    def unwatch_client(self) -> None:
        raise NotImplementedError


class NoLines:
    def write(self, line: bytes) -> None:
        pass


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def make_exchange(tmp_path: Path, sink: Sink) -> MakeExchange:
    """``make_exchange(b"GET / HTTP/1.1\\r\\n…", *pieces of its body)``, routed."""
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    writer: Any = NoLines()
    app = App(load_config(path, engines=["luajit"]), Logs(ErrorLog(writer, Level.INFO), None), {})
    info = ConnectionInfo(
        client=("127.0.0.9", 40000),
        server=("127.0.0.1", 8080),
        serial=7,
        scheme="http",
        started_mono=100.0,
    )

    def make(raw: bytes, *pieces: bytes) -> Exchange:
        parser = make_parser("h11", max_header_size=32768)
        parser.feed(raw)
        head: Any = parser.next_event()
        host = app.routing.host_for("127.0.0.1", 8080, head.host)
        response = Response(
            sink,
            HeadWriter(),
            is_head=head.method == b"HEAD",
            minor=head.minor,
            keep_alive=head.keep_alive,
            server_tokens=True,
        )
        info.requests += 1
        exchange = Exchange(head, app, host, info, Link(*pieces), response, 1000.0, 100.0)
        path, _, exchange.args = head.path.partition(b"?")
        exchange.uri = path
        match = host.match(path)
        assert match is not None
        exchange.enter(match.route, match.captures)
        return exchange

    return make
