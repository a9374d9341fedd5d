"""A site served over memory streams: routes from TOML, handlers in Python, a client in bytes.

A route names its handler where a script would stand: ``content_by_lua = "hello"``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import trio
import trio.testing

from candy_trio.handlers.base import DONE, Handler, Outcome
from candy_trio.observe.access_log import AccessLog, AccessRecord
from candy_trio.pipeline.app import App
from candy_trio.pipeline.exchange import Exchange
from candy_trio.server.connection import Connection
from candy_trio.server.connections import Connections
from candy_trio.server.transport import StreamTransport

Serve = Callable[[Exchange], Awaitable[Outcome]]

TEXT = b"Content-Type: text/plain\r\n"


class PythonHandler(Handler):
    def __init__(self, serve: Serve) -> None:
        self._serve = serve

    async def handle(self, exchange: Exchange) -> Outcome:
        return await self._serve(exchange)


class Lines:
    """Stands for a LogWriter: keeps what is written."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, line: bytes) -> None:
        self.text += line.decode()


class Records(AccessLog):
    """Keeps the records instead of writing lines."""

    def __init__(self) -> None:
        self.all: list[AccessRecord] = []

    def log(self, record: AccessRecord) -> None:
        self.all.append(record)


@dataclass
class Answer:
    status: int
    head: str
    body: bytes
    complete: bool = True

    def header(self, name: str) -> str | None:
        for line in self.head.split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return None


@dataclass
class Client:
    stream: trio.StapledStream[Any, Any]
    buffer: bytes = b""
    ended: bool = False

    async def send(self, data: bytes) -> None:
        await self.stream.send_all(data)

    async def get(self, path: str = "/", *lines: str) -> Answer:
        await self.send(request("GET", path, *lines))
        return await self.answer()

    async def answer(self, *, to_head: bool = False) -> Answer:
        """The next answer, by its framing; a body cut short is given as not complete."""
        while b"\r\n\r\n" not in self.buffer:
            assert await self._more(), f"closed after {self.buffer!r}"
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        answer = Answer(int(head.split(b" ")[1]), head.decode(), b"")
        if to_head or answer.status in (100, 204, 304):
            return answer
        length = answer.header("content-length")
        if length is not None:
            while len(self.buffer) < int(length) and answer.complete:
                answer.complete = await self._more()
            answer.body = self.buffer[: int(length)]
            self.buffer = self.buffer[int(length) :]
        elif answer.header("transfer-encoding") == "chunked":
            while (size := await self._chunk(answer)) > 0:
                pass
            answer.complete = size == 0
        else:
            answer.body = await self.rest()
        return answer

    async def _chunk(self, answer: Answer) -> int:
        while b"\r\n" not in self.buffer:
            if not await self._more():
                return -1
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        size = int(line, 16)
        while len(self.buffer) < size + 2:
            if not await self._more():
                return -1
        answer.body += self.buffer[:size]
        assert self.buffer[size : size + 2] == b"\r\n"
        self.buffer = self.buffer[size + 2 :]
        return size

    async def rest(self) -> bytes:
        """All that comes until the server closes."""
        while await self._more():
            pass
        data, self.buffer = self.buffer, b""
        return data

    async def _more(self) -> bool:
        data = await self.stream.receive_some(65536)
        self.buffer += data
        return bool(data)


def request(method: str, path: str = "/", *lines: str, body: bytes = b"") -> bytes:
    head = [f"{method} {path} HTTP/1.1", "Host: example.test", *lines, "", ""]
    return "\r\n".join(head).encode() + body


async def hello(exchange: Exchange) -> Outcome:
    exchange.response.send_complete(200, TEXT, b"hello " + exchange.uri)
    return DONE


@dataclass
class Site:
    app: App
    connections: Connections
    nursery: trio.Nursery
    errors: Lines
    access: Records
    handlers: dict[str, Serve]
    serials: list[int] = field(default_factory=list)

    async def connect(self) -> Client:
        near, far = trio.testing.memory_stream_pair()
        self.serve(StreamTransport(far))
        return Client(near)

    def serve(self, transport: StreamTransport) -> Connection:
        self.serials.append(len(self.serials) + 1)
        connection = Connection(transport, self.app, self.connections, self.serials[-1])
        self.nursery.start_soon(connection.run)
        return connection

    async def statuses(self) -> list[int]:
        """What the access log shows once everybody waits for something."""
        await trio.testing.wait_all_tasks_blocked()
        return [record.status for record in self.access.all]


MakeSite = Callable[..., Site]


def route(name: str, location: str = "/", more: str = "") -> str:
    return f'[[host.route]]\nlocation = "{location}"\ncontent_by_lua = "{name}"\n{more}\n'
