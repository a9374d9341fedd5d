"""Clients that are broken in their manners rather than in their bytes, on trio's mock clock."""

from __future__ import annotations

import errno
import math
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from hostile import GOOD, PARSERS, TIMEOUT, HostileSite, open_hostile_site
from serving import TEXT, Client, Lines, MakeSite, request, route
from trio.testing import MockClock

from candy_trio.handlers.base import DONE, Outcome
from candy_trio.observe.log import ErrorLog, Level
from candy_trio.pipeline.exchange import Exchange
from candy_trio.server.connection import (
    LINGER_PAUSE,
    LINGER_TIME,
    MAX_REQUESTS_IN_A_ROW,
    STOPPING_LINGER_PAUSE,
)
from candy_trio.server.connections import GRAIN
from candy_trio.server.listen import Listener
from candy_trio.server.transport import SocketTransport, StreamTransport


@pytest.fixture(params=PARSERS)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[HostileSite]:
    with open_hostile_site(tmp_path, request.param) as site:
        yield site


@pytest.fixture
async def server(site: HostileSite, nursery: trio.Nursery) -> AsyncIterator[trio.Nursery]:
    nursery.start_soon(site.connections.expire)
    yield nursery
    nursery.cancel_scope.cancel()


async def drip(client: Client, data: bytes) -> None:
    """A byte a second, until it is all sent or the server has closed."""
    for byte in data:
        try:
            await client.send(bytes([byte]))
        except trio.BrokenResourceError:
            return
        await trio.sleep(1)


async def test_a_head_by_the_second(
    site: HostileSite, server: trio.Nursery, autojump_clock: MockClock
) -> None:
    """A head that drips has ``timeout`` as a whole: 408, however it goes on."""
    client = site.connect(server)
    started = trio.current_time()
    server.start_soon(drip, client, GOOD * 10)
    assert (await client.answer()).status == 408
    assert trio.current_time() - started <= TIMEOUT + 2 * GRAIN
    assert await client.rest() == b""


async def test_empty_lines_by_the_second(
    site: HostileSite, server: trio.Nursery, autojump_clock: MockClock
) -> None:
    """Empty lines before a head do not keep a connection open."""
    client = site.connect(server)
    started = trio.current_time()
    server.start_soon(drip, client, b"\r\n" * 50)
    answer = await client.rest()
    assert trio.current_time() - started <= TIMEOUT + 2 * GRAIN
    assert answer[9:12] in (b"400", b"")


async def test_a_body_by_the_second_is_read(
    site: HostileSite, server: trio.Nursery, autojump_clock: MockClock
) -> None:
    """A body that is wanted may take its time, while it does not stall."""
    client = site.connect(server)
    await client.send(request("POST", "/", "Content-Length: 20"))
    server.start_soon(drip, client, b"x" * 20)
    assert (await client.answer()).body == b"read 20"
    assert await site_goes_on(client)


async def test_an_unwanted_body_by_the_second(
    site: HostileSite, server: trio.Nursery, autojump_clock: MockClock
) -> None:
    """A body that nobody reads is waited for LINGER_TIME at most, not a byte at a time for ever;
    then the client has LINGER_TIME more to read the answer."""
    client = site.connect(server)
    await client.send(request("POST", "/unread", "Content-Length: 60000"))
    started = trio.current_time()
    server.start_soon(drip, client, b"x" * 60000)
    assert (await client.answer()).body == b"unread"
    assert await client.rest() == b""
    assert trio.current_time() - started == LINGER_TIME
    await trio.sleep(LINGER_TIME + GRAIN)
    assert len(site.connections) == 0


async def test_an_unwanted_body_that_never_comes(
    site: HostileSite, server: trio.Nursery, autojump_clock: MockClock
) -> None:
    """Nor is one that stalls: the connection ends after ``timeout``."""
    client = site.connect(server)
    await client.send(request("POST", "/unread", "Content-Length: 10"))
    assert (await client.answer()).body == b"unread"
    started = trio.current_time()
    assert await client.rest() == b""
    assert trio.current_time() - started <= TIMEOUT + GRAIN
    await trio.sleep(LINGER_PAUSE + GRAIN)
    assert len(site.connections) == 0


async def site_goes_on(client: Client) -> bool:
    await client.send(GOOD)
    return (await client.answer()).status == 200


@pytest.mark.parametrize("cut", [1, 10, len(GOOD) - 1])
async def test_half_closing_within_a_head(
    site: HostileSite, server: trio.Nursery, autojump_clock: MockClock, cut: int
) -> None:
    """A client that ends within a head gets no answer and holds nothing."""
    client = site.connect(server)
    await client.send(GOOD[:cut])
    await client.stream.send_eof()
    assert await client.rest() == b""
    await trio.testing.wait_all_tasks_blocked()
    assert len(site.connections) == 0
    assert site.access.all == []


@pytest.mark.parametrize("body", [b"", b"hell", b"5\r\nhello\r\n0"])
async def test_half_closing_within_a_body(
    site: HostileSite, server: trio.Nursery, autojump_clock: MockClock, body: bytes
) -> None:
    """A client that ends within its body is gone: nothing is sent, 499 is logged."""
    framing = "Transfer-Encoding: chunked" if body[:1] == b"5" else "Content-Length: 5"
    client = site.connect(server)
    await client.send(request("POST", "/", framing, body=body))
    await client.stream.send_eof()
    assert await client.rest() == b""
    await trio.testing.wait_all_tasks_blocked()
    assert len(site.connections) == 0
    assert [record.status for record in site.access.all] == [499]


async def test_half_closing_behind_a_request(
    site: HostileSite, server: trio.Nursery, autojump_clock: MockClock
) -> None:
    """``printf … | nc``: a script that waits for nothing answers a client that has ended."""
    client = site.connect(server)
    await client.send(request("POST", "/", "Content-Length: 5", body=b"hello"))
    await client.stream.send_eof()
    answer = await client.rest()
    assert answer.endswith(b"read 5")
    await trio.testing.wait_all_tasks_blocked()
    assert len(site.connections) == 0


async def test_continue_never_stands_within_an_answer(
    site: HostileSite, server: trio.Nursery, autojump_clock: MockClock
) -> None:
    """A script that answers before it reads the body gets what comes of it, and the client no
    "100 Continue" in the middle of the answer's body."""
    client = site.connect(server)
    await client.send(request("POST", "/early", "Content-Length: 4", "Expect: 100-continue"))
    await trio.testing.wait_all_tasks_blocked()
    await client.send(b"body")
    answer = await client.answer()
    assert (answer.status, answer.body, answer.complete) == (200, b"early body", True)


async def test_refused_body_within_an_answer(
    site: HostileSite, server: trio.Nursery, autojump_clock: MockClock
) -> None:
    """A body that turns out malformed after the head was sent: the answer breaks off, the log
    says 400."""
    client = site.connect(server)
    await client.send(request("POST", "/early", "Transfer-Encoding: chunked", body=b"nonsense\r\n"))
    answer = await client.answer()
    assert (answer.status, answer.body, answer.complete) == (200, b"early ", False)
    assert [record.status for record in site.access.all] == [400]
    site.check_unhurt()


async def test_an_answer_read_by_the_second(make_site: MakeSite, autojump_clock: MockClock) -> None:
    """A slow reader gets all of it, however long that takes, as long as it takes something."""

    async def long(exchange: Exchange) -> Outcome:
        exchange.response.begin(200, TEXT, None)
        for _ in range(5):
            exchange.response.write(b"z" * 100)
            await exchange.response.drain()
        exchange.response.end()
        await exchange.response.drain()
        return DONE

    site = make_site("timeout = 5", long=long, routes=route("long"))
    near, far = trio.testing.lockstep_stream_pair()
    site.serve(StreamTransport(far))
    await near.send_all(request("GET", "/", "Connection: close"))
    data = b""
    while more := await near.receive_some(100):
        data += more
        await trio.sleep(1)
    assert data.count(b"z") == 500
    assert data.endswith(b"\r\n0\r\n\r\n")
    assert await site.statuses() == [200]
    await near.aclose()


async def test_pipelined_requests_are_not_dropped_without_a_word(make_site: MakeSite) -> None:
    """A stop behind a response that promised keep-alive, with requests of the client's here
    already: the next one is answered and told that it is the last."""

    async def stop(exchange: Exchange) -> Outcome:
        exchange.response.send_complete(200, TEXT, b"before")
        site.app.stopping = True
        site.connections.stop()
        return DONE

    site = make_site(stop=stop, routes=route("stop", "= /stop") + route("hello"))
    client = await site.connect()
    await client.send(request("GET", "/stop") + request("GET") * 3)
    promised, last = await client.answer(), await client.answer()
    assert (promised.body, promised.header("connection")) == (b"before", "keep-alive")
    assert (last.body, last.header("connection")) == (b"hello /", "close")
    assert await client.rest() == b""
    assert await site.statuses() == [200, 200]


async def test_stop_between_two_pipelined_requests(make_site: MakeSite) -> None:
    """A stop that comes when the connection gives way to others, MAX_REQUESTS_IN_A_ROW behind
    each other: the last request that had come whole is not lost."""
    for _ in range(100):  # trio runs what can run in any order: now and then ours comes too late
        site = make_site()
        near, far = socket.socketpair()
        client = SocketTransport(near)
        client.try_send(request("GET") * (MAX_REQUESTS_IN_A_ROW + 1))
        site.serve(SocketTransport(far))  # type: ignore[arg-type]
        while len(site.access.all) < MAX_REQUESTS_IN_A_ROW:
            await trio.lowlevel.checkpoint()
        if len(site.access.all) == MAX_REQUESTS_IN_A_ROW:
            break
        await client.aclose()
    site.app.stopping = True
    site.connections.stop()
    assert await site.statuses() == [200] * (MAX_REQUESTS_IN_A_ROW + 1)
    answers = client.try_receive(65536)
    assert answers is not None
    assert answers.count(b"Connection: close\r\n") == 1
    await client.aclose()


async def test_connection_accepted_at_the_last_moment(
    make_site: MakeSite, autojump_clock: MockClock
) -> None:
    """One that begins when the stop was ordered already has its ``timeout`` to end, too."""

    async def forever(exchange: Exchange) -> Outcome:
        await trio.sleep_forever()
        return DONE

    site = make_site("timeout = 5", forever=forever, routes=route("forever"))
    site.app.stopping = True
    site.connections.stop()
    left, right = socket.socketpair()
    near = SocketTransport(left)
    near.try_send(request("GET"))
    started = trio.current_time()
    site.serve(SocketTransport(right))  # type: ignore[arg-type]
    assert await near.receive(1) == b""
    assert trio.current_time() - started == 5
    await near.aclose()
    assert await site.statuses() == [499]


async def test_stop_does_not_wait_for_a_refused_client(
    make_site: MakeSite, autojump_clock: MockClock
) -> None:
    """A client that was refused and stays, sending, holds a shutdown up no longer than
    STOPPING_LINGER_PAUSE."""
    site = make_site()
    client = await site.connect()
    await client.send(b"NONSENSE\r\n\r\n")
    assert (await client.answer()).status == 400
    await trio.testing.wait_all_tasks_blocked()
    site.app.stopping = True
    site.connections.stop()
    started = trio.current_time()
    while len(site.connections):
        await client.send(b"more")
        await trio.sleep(0.1)
    assert trio.current_time() - started <= STOPPING_LINGER_PAUSE + 0.1


class ClosedSocket:
    """A listening socket that was closed after its task had been woken."""

    def __init__(self) -> None:
        self.tries = 0

    def getsockname(self) -> tuple[str, int]:
        return "127.0.0.1", 1

    def accept(self) -> tuple[Any, None]:
        self.tries += 1
        assert self.tries < 100, "the event loop hangs here"
        raise OSError(errno.EBADF, "Bad file descriptor")


async def test_a_listener_closed_in_the_same_moment_ends() -> None:
    """A client that connects in the very turn in which the server stops does not hang it."""
    sock = ClosedSocket()
    listener = Listener(sock)  # type: ignore[arg-type]
    log = ErrorLog(Lines(), Level.INFO)  # type: ignore[arg-type]
    with trio.move_on_after(math.inf) as accepting:
        accepting.cancel()
        await listener._next(log)
    assert accepting.cancelled_caught
    assert sock.tries == 1
