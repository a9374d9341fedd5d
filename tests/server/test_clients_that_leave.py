"""How a request learns that its client is gone, and what is read ahead meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing
from serving import TEXT, Client, MakeSite, request, route

from candy_trio.errors import ClientGone
from candy_trio.handlers.base import DONE, Outcome
from candy_trio.server.inbound import READ_AHEAD
from candy_trio.server.transport import StreamTransport

if TYPE_CHECKING:
    from candy_trio.pipeline.exchange import Exchange


class Watching:
    """A handler that waits for its client to leave, or to be told to answer."""

    def __init__(self) -> None:
        self.gone = 0
        self.scope = trio.CancelScope()
        self.answer = trio.Event()

    async def __call__(self, exchange: Exchange) -> Outcome:
        exchange.watch_client(self._leave)
        with trio.CancelScope() as self.scope:
            await self.answer.wait()
        if self.gone:
            raise ClientGone("client closed connection")
        exchange.unwatch_client()
        exchange.response.send_complete(200, TEXT, b"hello " + exchange.uri)
        return DONE

    def _leave(self) -> None:
        self.gone += 1
        self.scope.cancel()


async def test_client_that_closes_cancels_its_request(make_site: MakeSite) -> None:
    """A half-closed connection counts as gone: the callback runs once, nothing is sent, 499."""
    watching = Watching()
    site = make_site(watching=watching, routes=route("watching"))
    client = await site.connect()
    await client.send(request("GET"))
    await trio.testing.wait_all_tasks_blocked()
    assert watching.gone == 0
    await client.stream.send_eof()
    assert await client.rest() == b""
    assert watching.gone == 1
    assert await site.statuses() == [499]
    assert "client closed connection" in site.errors.text


async def test_client_that_had_left_before_is_reported_at_once(make_site: MakeSite) -> None:
    """The end of the stream that was seen under an earlier request is not forgotten."""
    watching = Watching()
    site = make_site(watching=watching, routes=route("watching"))
    client = await site.connect()
    await client.send(request("GET", "/a") + request("GET", "/b"))
    await trio.testing.wait_all_tasks_blocked()
    await client.stream.send_eof()
    assert await client.rest() == b""
    assert await site.statuses() == [499]


async def test_requests_behind_a_watched_one_are_served(make_site: MakeSite) -> None:
    """What the watcher reads ahead is the next requests, and it stays the only reader."""
    watching = Watching()
    client = await make_site(watching=watching, routes=route("watching")).connect()
    await client.send(request("GET", "/a"))
    await trio.testing.wait_all_tasks_blocked()
    await client.send(request("GET", "/b"))
    await trio.testing.wait_all_tasks_blocked()
    watching.answer.set()
    assert (await client.answer()).body == b"hello /a"
    assert (await client.answer()).body == b"hello /b"
    assert (await client.get("/c")).body == b"hello /c"


async def test_body_is_read_through_the_watcher(make_site: MakeSite) -> None:
    """A body that arrives while its request is watched comes whole, also above the read-ahead."""
    answer = trio.Event()

    async def late(exchange: Exchange) -> Outcome:
        exchange.watch_client(lambda: None)
        await answer.wait()
        await exchange.body.read()
        exchange.response.send_complete(200, TEXT, b"%d" % exchange.body.size)
        return DONE

    client = await make_site(late=late, routes=route("late")).connect()
    size = 3 * READ_AHEAD
    await client.send(request("POST", "/", f"Content-Length: {size}", body=b"x" * size))
    await trio.testing.wait_all_tasks_blocked()
    answer.set()
    assert (await client.answer()).body == b"%d" % size


async def test_reading_ahead_is_bounded(
    make_site: MakeSite, autojump_clock: trio.testing.MockClock
) -> None:
    """A client that sends and sends while its request waits is not read beyond the limit."""
    watching = Watching()
    site = make_site(watching=watching, routes=route("watching"))
    near, far = trio.testing.lockstep_stream_pair()
    site.serve(StreamTransport(far))
    head = request("POST", "/", "Content-Length: 1000000")
    await near.send_all(head)
    taken = 0
    with trio.move_on_after(1):
        while True:
            await near.send_all(b"x" * 1024)
            taken += 1024
    assert READ_AHEAD - 1024 <= taken <= READ_AHEAD + 1024


async def test_unwatched_request_goes_on(make_site: MakeSite) -> None:
    """A client that leaves while nobody watches disturbs nothing: the answer is just not read."""
    answer = trio.Event()

    async def stubborn(exchange: Exchange) -> Outcome:
        exchange.watch_client(lambda: pytest.fail("unwatched"))
        exchange.unwatch_client()
        await answer.wait()
        exchange.response.send_complete(200, TEXT, b"anyway")
        return DONE

    site = make_site(stubborn=stubborn, routes=route("stubborn"))
    client = await site.connect()
    await client.send(request("GET"))
    await trio.testing.wait_all_tasks_blocked()
    await client.stream.send_eof()
    await trio.testing.wait_all_tasks_blocked()
    answer.set()
    assert (await client.answer()).body == b"anyway"
    assert await site.statuses() == [200]


async def test_client_that_vanishes_while_it_is_sent_to(make_site: MakeSite) -> None:
    """A write to a closed connection raises ClientGone in the handler; the log says 499."""
    go = trio.Event()

    async def writing(exchange: Exchange) -> Outcome:
        exchange.response.begin(200, TEXT, None)
        await go.wait()
        for _ in range(3):
            exchange.response.write(b"x")
            await exchange.response.drain()
        return DONE

    site = make_site(writing=writing, routes=route("writing"))
    client: Client = await site.connect()
    await client.send(request("GET"))
    await trio.testing.wait_all_tasks_blocked()
    await client.stream.aclose()
    go.set()
    assert await site.statuses() == [499]
    assert len(site.connections) == 0
