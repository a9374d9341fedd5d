"""Whole requests on every engine, from their bytes to the answer's: in memory, and over loopback.

    pip install -e '.[test,bench]'; python -m pytest benchmarks/test_request.py

A client sends one request after the other on one connection and waits for each answer. In memory
the server's connection runs on one of trio's memory streams, in this process, with no socket; over
loopback the server is a process of its own. Scripts and answers are those of benchmarks/scenarios/.
How it is measured stands in benchmarks/suites.py; ``first`` is the first request of a new server.
"""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, process_time
from typing import Self

import pytest
import trio
from support.site import open_site

from benchmarks import suites
from benchmarks.load import CONFIG, ROUTE
from benchmarks.load_scenarios import FOLDER, Request, load_scenarios
from benchmarks.servers import candy, free_port, server
from benchmarks.suites import Measure

SCENARIOS = {"hello": "hello", "JSON": "json"}
"""Works, by their scenarios: one script says a word, the other computes."""

REQUESTS = 200
"""Of one round."""

COLLECT_PATH = "/collect"
COLLECT = f"""
[[host.route]]
location = "= {COLLECT_PATH}"
lua_sandbox = false
content_by_lua = "collectgarbage() collectgarbage()"
"""
COLLECTED = Request(path=COLLECT_PATH, answer="")

TIMEOUT_SECONDS = 10
SIZE = 65536


def config_of(engine: str, request: Request, port: int) -> str:
    return (
        CONFIG.format(engine=engine, port=port, modules=FOLDER, more="access_log = false")
        + ROUTE.format(location=f"/{request.script}", script=FOLDER / f"{request.script}.lua")
        + COLLECT
    )


class Question:
    """A request and the bytes of its answers, which say their lengths."""

    def __init__(self, request: Request) -> None:
        self.raw = request.raw()
        self._request = request
        self._data = b""
        self._right: bytes | None = None
        """The last body that was the right one."""

    def add(self, data: bytes) -> bool:
        """Some more of the answer; whether that is the end of it, and then it is the right one."""
        assert data, "the server has closed the connection"
        self._data += data
        head, end, body = self._data.partition(b"\r\n\r\n")
        if not end:
            return False
        length = head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
        if len(body) < int(length):
            return False
        assert head.startswith(b"HTTP/1.1 200 "), head
        if body != self._right:
            assert self._request.matches(body.decode()), body
            self._right = body
        self._data = b""
        return True


class InMemory:
    """A site in this process: made, asked and ended by the thread that runs trio."""

    def __init__(self, engine: str, request: Request, nursery: trio.Nursery) -> None:
        self._engine = engine
        self._request = request
        self._question = Question(request)
        self._nursery = nursery
        self._over = trio.Event()
        self._ended = trio.Event()

    def __enter__(self) -> Self:
        trio.from_thread.run(self._nursery.start, self._serve)
        return self

    def __exit__(self, *_: object) -> None:
        trio.from_thread.run_sync(self._over.set)
        trio.from_thread.run(self._ended.wait)

    async def _serve(self, task_status: trio.TaskStatus[None]) -> None:
        with tempfile.TemporaryDirectory() as path:
            config = config_of(self._engine, self._request, 8080)
            async with open_site(Path(path), config) as site, site.connect() as self._stream:
                self._site = site
                task_status.started()
                await self._over.wait()
        self._ended.set()

    def first(self) -> float:
        """See :class:`benchmarks.suites.TellsFirst`."""
        return trio.from_thread.run(self._first) * REQUESTS

    async def _first(self) -> float:
        begun = process_time()
        await self._ask(1)
        return process_time() - begun

    def call(self) -> None:
        """See :class:`benchmarks.suites.Work`."""
        trio.from_thread.run(self._ask, REQUESTS)

    async def _ask(self, times: int) -> None:
        stream, question = self._stream, self._question
        for _ in range(times):
            await stream.send_all(question.raw)
            while not question.add(bytes(await stream.receive_some(SIZE))):
                pass

    def rest(self) -> None:
        """See :class:`benchmarks.suites.Work`."""
        trio.from_thread.run_sync(self._site.vm(self._engine).engine_vm.collect)


class OverLoopback:
    """A server process, asked by this one."""

    def __init__(self, sock: socket.socket, request: Request) -> None:
        self._sock = sock
        self._question = Question(request)
        self._collected = Question(COLLECTED)

    def first(self) -> float:
        """See :class:`benchmarks.suites.TellsFirst`."""
        begun = perf_counter()
        self._ask(self._question)
        return (perf_counter() - begun) * REQUESTS

    def call(self) -> None:
        """See :class:`benchmarks.suites.Work`."""
        for _ in range(REQUESTS):
            self._ask(self._question)

    def rest(self) -> None:
        """See :class:`benchmarks.suites.Work`."""
        self._ask(self._collected)

    def _ask(self, question: Question) -> None:
        self._sock.sendall(question.raw)
        while not question.add(self._sock.recv(SIZE)):
            pass


@contextmanager
def one_processor() -> Iterator[None]:
    """For this process and those that it starts. Where client and server wait for each other in
    turn, the scheduler's choice of one or two makes a factor of two."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def over_loopback(engine: str, request: Request) -> Iterator[OverLoopback]:
    with one_processor(), tempfile.TemporaryDirectory() as path:
        folder, port = Path(path), free_port()
        config = folder / "config.toml"
        config.write_text(config_of(engine, request, port))
        with (
            server(candy(config), port, folder),
            socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS) as sock,
        ):
            yield OverLoopback(sock, request)


def request_of(work: str) -> Request:
    (request,) = load_scenarios()[SCENARIOS[work]].request
    return request


@suites.in_this_process
@pytest.mark.parametrize("engine", suites.ENGINES)
@pytest.mark.parametrize("work", SCENARIOS)
async def test_in_memory(measure: Measure, engine: str, work: str) -> None:
    """What the server itself takes, and the streams."""
    request = request_of(work)
    async with trio.open_nursery() as nursery:
        # In a thread, because trio has this one, where Lua runs as it does in a server.
        await trio.to_thread.run_sync(
            lambda: measure(
                "request",
                f"{work} in memory",
                engine,
                lambda: InMemory(engine, request, nursery),
                calls=REQUESTS,
            )
        )


@suites.in_several_processes
@pytest.mark.parametrize("engine", suites.ENGINES)
@pytest.mark.parametrize("work", SCENARIOS)
def test_over_loopback(measure: Measure, engine: str, work: str) -> None:
    """What a client waits, that has the server for itself."""
    request = request_of(work)
    measure(
        "request",
        f"{work} over loopback",
        engine,
        lambda: over_loopback(engine, request),
        calls=REQUESTS,
    )
