"""The graceful stop, connection by connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio
import trio.testing
from serving import TEXT, MakeSite, Site, request, route

from candy_trio.handlers.base import DONE, Outcome

if TYPE_CHECKING:
    from trio.testing import MockClock

    from candy_trio.pipeline.exchange import Exchange


def stop(site: Site) -> None:
    """What the worker does."""
    site.app.stopping = True
    site.connections.stop()


async def test_idle_connections_end_at_once(make_site: MakeSite) -> None:
    """Connections that wait for a request, first or next, are closed."""
    site = make_site()
    fresh, used = await site.connect(), await site.connect()
    await used.get()
    await trio.testing.wait_all_tasks_blocked()
    assert len(site.connections) == 2
    stop(site)
    assert await fresh.rest() == b""
    assert await used.rest() == b""
    assert len(site.connections) == 0


async def test_requests_in_flight_are_finished(make_site: MakeSite) -> None:
    """A request that runs gets its answer, with Connection: close, and no other follows."""
    go = trio.Event()

    async def slow(exchange: Exchange) -> Outcome:
        await go.wait()
        exchange.response.send_complete(200, TEXT, b"done")
        return DONE

    site = make_site(slow=slow, routes=route("slow"))
    client = await site.connect()
    await client.send(request("GET") + request("GET"))
    await trio.testing.wait_all_tasks_blocked()
    stop(site)
    await trio.testing.wait_all_tasks_blocked()
    go.set()
    answer = await client.answer()
    assert (answer.body, answer.header("connection")) == (b"done", "close")
    assert await client.rest() == b""
    assert await site.statuses() == [200]


async def test_head_that_has_begun_is_served(make_site: MakeSite) -> None:
    """A request whose head is on its way counts as in flight."""
    site = make_site()
    client = await site.connect()
    await client.send(b"GET / HTTP/1.1\r\n")
    await trio.testing.wait_all_tasks_blocked()
    stop(site)
    await client.send(b"Host: a\r\n\r\n")
    answer = await client.answer()
    assert (answer.status, answer.header("connection")) == (200, "close")


async def test_request_that_takes_too_long_is_cut(
    make_site: MakeSite, autojump_clock: MockClock
) -> None:
    """In flight means within the host's timeout; then the connection ends, and the log tells."""

    async def forever(exchange: Exchange) -> Outcome:
        await trio.sleep_forever()
        return DONE

    site = make_site("timeout = 5", forever=forever, routes=route("forever"))
    client = await site.connect()
    await client.send(request("GET"))
    await trio.testing.wait_all_tasks_blocked()
    stop(site)
    started = trio.current_time()
    assert await client.rest() == b""
    assert trio.current_time() - started == 5
    assert await site.statuses() == [499]
