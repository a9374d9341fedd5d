"""Time limits of a connection, on trio's mock clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing
from serving import TEXT, MakeSite, request, route

from candy_trio.handlers.base import DONE, Outcome
from candy_trio.server.connections import GRAIN
from candy_trio.server.transport import StreamTransport

if TYPE_CHECKING:
    from trio.testing import MockClock

    from candy_trio.pipeline.exchange import Exchange


async def read(exchange: Exchange) -> Outcome:
    await exchange.body.read()
    return DONE


async def test_idle_connection_is_closed_without_a_word(
    make_site: MakeSite, autojump_clock: MockClock
) -> None:
    """An idle connection ends the host's timeout after its last answer, and not before."""
    site = make_site("timeout = 5")
    client = await site.connect()
    await trio.sleep(4)
    await client.get()
    await trio.sleep(4)
    await client.get()
    started = trio.current_time()
    assert await client.rest() == b""
    assert 5 <= trio.current_time() - started <= 5 + 2 * GRAIN
    assert await site.statuses() == [200, 200]


async def test_head_that_stalls_is_answered_408(
    make_site: MakeSite, autojump_clock: MockClock
) -> None:
    """Where a head has begun, its client is told."""
    site = make_site("timeout = 5")
    client = await site.connect()
    await client.send(b"GET / HTTP/1.1\r\nHost: a")
    assert (await client.answer()).status == 408
    assert await client.rest() == b""
    assert await site.statuses() == [408]


async def test_head_that_drips_is_answered_408(
    make_site: MakeSite, autojump_clock: MockClock
) -> None:
    """A byte now and then does not keep a head alive: it has the timeout as a whole."""
    client = await make_site("timeout = 5").connect()
    started = trio.current_time()
    for byte in b"GET / HT":
        await client.send(bytes([byte]))
        await trio.sleep(1)
    assert (await client.answer()).status == 408
    assert trio.current_time() - started < 9


@pytest.mark.parametrize("requests", [1, 16, 17])
async def test_idle_time_is_not_the_time_of_a_head(
    make_site: MakeSite, autojump_clock: MockClock, requests: int
) -> None:
    """A head has the whole timeout from its first byte on, whatever went before."""

    async def slow(exchange: Exchange) -> Outcome:
        if b"wait" in exchange.args:
            await trio.sleep(1)
        exchange.response.send_complete(200, TEXT, b"")
        return DONE

    client = await make_site("timeout = 5", slow=slow, routes=route("slow")).connect()
    waiting = requests == 1
    for _ in range(2):
        first = request("GET", "/?wait" if waiting else "/")
        await client.send(first[:9])  # a head that drips, before
        await trio.sleep(1)
        await client.send(first[9:] + request("GET") * (requests - 1))
        for _ in range(requests):
            assert (await client.answer()).status == 200
        await trio.sleep(3)
    last = request("GET")
    await client.send(last[:9])
    await trio.sleep(4)
    await client.send(last[9:])
    assert (await client.answer()).status == 200


async def test_body_that_stalls_is_answered_408(
    make_site: MakeSite, autojump_clock: MockClock
) -> None:
    """A body may take its time, but must not pause for longer than the timeout."""
    site = make_site("timeout = 5", read=read, routes=route("read"))
    client = await site.connect()
    await client.send(request("POST", "/", "Content-Length: 10"))
    for _ in range(4):
        await trio.sleep(4)
        await client.send(b"x")
    started = trio.current_time()
    assert (await client.answer()).status == 408
    assert 4.9 <= trio.current_time() - started <= 5.1
    assert await site.statuses() == [408]


async def test_slow_handler_has_no_such_limit(
    make_site: MakeSite, autojump_clock: MockClock
) -> None:
    """The timeout is the client's: a handler may take longer."""

    async def slow(exchange: Exchange) -> Outcome:
        await trio.sleep(100)
        exchange.response.send_complete(200, TEXT, b"late")
        return DONE

    client = await make_site("timeout = 5", slow=slow, routes=route("slow")).connect()
    assert (await client.get()).body == b"late"
    assert (await client.get()).body == b"late"


async def test_each_connection_has_its_own_time(
    make_site: MakeSite, autojump_clock: MockClock
) -> None:
    """A short timeout of one host does not end the connections of another."""
    second = '[[host]]\nip = "127.0.0.1"\nport = 80\nserver_name = "b"\ntimeout = 2\n'
    site = make_site("timeout = 50", routes=route("hello") + second + route("hello"))
    client = await site.connect()
    await trio.sleep(49)
    assert (await client.get()).status == 200


async def test_client_that_does_not_read_is_given_up(
    make_site: MakeSite, autojump_clock: MockClock
) -> None:
    """A send that stalls for the timeout ends the connection; the log says 499."""

    async def endless(exchange: Exchange) -> Outcome:
        exchange.response.begin(200, TEXT, None)
        while True:
            exchange.response.write(b"x" * 10_000)
            await exchange.response.drain()

    site = make_site("timeout = 5", endless=endless, routes=route("endless"))
    near, far = trio.testing.lockstep_stream_pair()
    site.serve(StreamTransport(far))
    await near.send_all(request("GET"))
    await near.receive_some(1000)
    await trio.sleep(4.9)
    assert await site.statuses() == []
    await trio.sleep(0.2)
    assert await site.statuses() == [499]
    assert "took nothing for 5 seconds" in site.errors.text
    await near.aclose()


async def test_lingering_ends(make_site: MakeSite, autojump_clock: MockClock) -> None:
    """After a refusal a client may go on sending, but neither in silence nor for ever."""
    client = await make_site().connect()
    await client.send(b"NONSENSE\r\n\r\n")
    assert (await client.answer()).status == 400
    started = trio.current_time()

    async def send_for_ever() -> None:
        while True:
            await client.send(b"more")
            await trio.sleep(1)

    with pytest.raises(trio.BrokenResourceError):
        await send_for_ever()
    assert 29 <= trio.current_time() - started <= 32
