"""Requests over real sockets that one task serves for all connections, see server/poller.py."""

from __future__ import annotations

import socket
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import trio
from serving import TEXT, Client, MakeSite, PythonHandler, Site, request

from candy_trio.errors import ClientGone
from candy_trio.handlers.base import DONE, Outcome
from candy_trio.handover import begin, own_task, serve_others
from candy_trio.pipeline.exchange import Exchange
from candy_trio.server.outbound import MAX_HELD_SIZE, Outbound
from candy_trio.server.poller import Poller
from candy_trio.server.transport import RECEIVE_SIZE, SocketTransport, Transport

POLLER = "the poller"

needs_epoll = pytest.mark.skipif(not Poller.works_here, reason="there is no epoll on this system")


class Anywhere(PythonHandler):
    """Waits behind ``own_task`` only, as handlers of scripts do."""

    begins_anywhere = True


class Polled:
    """A site whose connections one poller looks after."""

    def __init__(self, site: Site, poller: Poller) -> None:
        self.site = site
        self.poller = poller
        self.clients: list[Client] = []
        made = site.app.factories
        for content, factory in made.items():
            made[content] = lambda route, factory=factory: Anywhere(factory(route)._serve)

    async def connect(self, sends: bytes = b"") -> Client:
        """A client whose connection is parked; ``sends`` is there before that begins."""
        near, far = socket.socketpair()
        near.sendall(sends)
        self.site.serve(SocketTransport(far, self.poller))  # type: ignore[arg-type]
        near.setblocking(False)
        stream: Any = trio.SocketStream(trio.socket.from_stdlib_socket(near))
        client = Client(stream)
        self.clients.append(client)
        await trio.testing.wait_all_tasks_blocked()
        return client


def task_name() -> str:
    """Of the task that serves; the fixture names the poller's."""
    return "poller" if trio.lowlevel.current_task().name == POLLER else "own"


async def tell_task(exchange: Exchange) -> Outcome:
    """Answer with the name of the task that serves."""
    exchange.response.send_complete(200, TEXT, task_name().encode())
    return DONE


async def wait(exchange: Exchange) -> Outcome:
    """Wait for a moment, in a scope, in the connection's own task."""
    before = task_name()
    await own_task()
    with trio.move_on_after(0.01):
        await trio.sleep_forever()
    after = task_name()
    exchange.response.send_complete(200, TEXT, f"{before} {after}".encode())
    return DONE


async def watch(exchange: Exchange) -> Outcome:
    """Watch the client, and wait for nothing."""
    await own_task()
    exchange.watch_client(lambda: None)
    exchange.response.send_complete(200, TEXT, b"watched")
    exchange.unwatch_client()
    return DONE


async def wait_at_once(exchange: Exchange) -> Outcome:
    """What no handler that begins anywhere may do."""
    await trio.sleep(0.01)
    return DONE


async def more(exchange: Exchange) -> Outcome:
    """For a test to replace."""
    raise NotImplementedError


async def read(exchange: Exchange) -> Outcome:
    await exchange.body.read()
    exchange.response.send_complete(200, TEXT, b"%d" % exchange.body.size)
    return DONE


ROUTES = "".join(
    f'[[host.route]]\nlocation = "= /{name}"\ncontent_by_lua = "{name}"\n'
    for name in ("task", "wait", "wrong", "read", "watch", "more")
)


@pytest.fixture
async def polled(make_site: MakeSite, nursery: trio.Nursery) -> AsyncIterator[Polled]:
    site = make_site(
        "timeout = 5",
        routes=ROUTES,
        task=tell_task,
        wait=wait,
        wrong=wait_at_once,
        read=read,
        watch=watch,
        more=more,
    )
    poller = Poller()
    nursery.start_soon(poller.run, name=POLLER)
    polled = Polled(site, poller)
    yield polled
    for client in polled.clients:
        await client.stream.aclose()
    await trio.testing.wait_all_tasks_blocked()


def tasks(body: bytes) -> list[bool]:
    """Of the names in an answer, whether each is the poller's."""
    return [name == b"poller" for name in body.split()]


@needs_epoll
async def test_a_request_that_waits_for_nothing_is_served_by_the_poller(polled: Polled) -> None:
    """Each of them, one after the other and pipelined."""
    client = await polled.connect()
    for _ in range(3):
        assert tasks((await client.get("/task")).body) == [True]
    await client.send(request("GET", "/task") * 3)
    for _ in range(3):
        assert tasks((await client.answer()).body) == [True]


@needs_epoll
async def test_a_request_that_waits_moves_to_its_own_task(polled: Polled) -> None:
    """In the middle; the next one begins in the poller's again."""
    client = await polled.connect()
    for _ in range(2):
        assert tasks((await client.get("/wait")).body) == [True, False]
        assert tasks((await client.get("/task")).body) == [True]


@needs_epoll
async def test_waiting_requests_hold_nobody_up(polled: Polled) -> None:
    """Many wait at the same time, and others are answered meanwhile."""
    clients = [await polled.connect() for _ in range(20)]
    other = await polled.connect()
    for client in clients:
        await client.send(request("GET", "/wait"))
    assert (await other.get("/task")).status == 200
    for client in clients:
        assert (await client.answer()).status == 200


@needs_epoll
async def test_the_end_of_a_stream_that_comes_with_a_request(polled: Polled) -> None:
    """One edge tells of both: the request is answered, and the connection ends."""
    client = await polled.connect()
    await client.send(request("GET", "/task"))
    stream: Any = client.stream
    await stream.send_eof()
    assert (await client.answer()).status == 200
    assert await client.rest() == b""
    await trio.testing.wait_all_tasks_blocked()
    assert len(polled.site.connections) == 0


@needs_epoll
async def test_what_arrives_while_nobody_is_parked(polled: Polled) -> None:
    """Requests that come while one waits in its own task are served after it."""
    client = await polled.connect()
    await client.send(request("GET", "/wait"))
    await trio.testing.wait_all_tasks_blocked()
    await client.send(request("GET", "/task"))
    await trio.testing.wait_all_tasks_blocked()
    await client.send(request("GET", "/task"))
    assert tasks((await client.answer()).body) == [True, False]
    assert (await client.answer()).status == 200
    assert (await client.answer()).status == 200


@needs_epoll
async def test_more_than_one_receive_gives(polled: Polled) -> None:
    """A socket that holds more than a receive takes is received from again."""
    client = await polled.connect()
    piece = request("GET", "/task")
    count = 2 * RECEIVE_SIZE // len(piece)
    answered = 0

    async def send() -> None:
        await client.send(piece * count)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        while answered < count:
            assert (await client.answer()).status == 200
            answered += 1


@needs_epoll
@pytest.mark.parametrize("parked", [False, True])
@pytest.mark.parametrize("size", [0, 60_000])
async def test_a_client_that_is_never_silent(polled: Polled, size: int, parked: bool) -> None:
    """It sends the next request before it is answered; others get their turn all the same."""
    length = f"Content-Length: {size}"
    following = request("POST" if size else "GET", "/more", length, body=b"x" * size)
    answered = turns = 0
    near: Any = None

    async def more(exchange: Exchange) -> Outcome:
        nonlocal answered
        if not parked:
            await own_task()
        time.sleep(0.0002)  # noqa: ASYNC251 - it computes
        answered += 1
        if answered < 100:
            near.send(following)
        exchange.response.send_complete(200, TEXT, b"")
        return DONE

    polled.site.handlers["more"] = more
    client = await polled.connect()
    stream: Any = client.stream
    near = stream.socket._sock
    await client.send(following)
    while answered < 100:
        await trio.lowlevel.checkpoint()
        turns += 1
    assert turns >= 5


@needs_epoll
async def test_a_body_that_comes_in_pieces(polled: Polled) -> None:
    """Its first piece with the head, in the poller's task, the rest awaited in its own."""
    client = await polled.connect()
    await client.send(request("POST", "/read", "Content-Length: 10", body=b"12345"))
    await trio.testing.wait_all_tasks_blocked()
    await client.send(b"67890")
    assert (await client.answer()).body == b"10"
    assert tasks((await client.get("/task")).body) == [True]


@needs_epoll
async def test_a_watched_client_that_was_not_waited_for(polled: Polled) -> None:
    """From then on the watcher reads what arrives: the connection must not be parked."""
    client = await polled.connect(sends=request("GET", "/watch"))
    assert (await client.answer()).body == b"watched"
    with trio.fail_after(5):
        assert (await client.get("/task")).status == 200


@needs_epoll
async def test_a_handler_that_waits_where_it_may_not(polled: Polled) -> None:
    """It gets an error that says so; the poller goes on."""
    client = await polled.connect()
    assert (await client.get("/wrong")).status == 500
    assert "before it was in its connection's task" in polled.site.errors.text
    assert (await (await polled.connect()).get("/task")).status == 200


@needs_epoll
async def test_an_idle_connection_is_closed_in_time(polled: Polled) -> None:
    """Its task is parked and yet cancelled, and others are not."""
    client = await polled.connect()
    assert (await client.get("/task")).status == 200
    for connection in polled.site.connections._open:
        connection.deadline = 0.0
    polled.site.connections._look(trio.current_time())
    assert await client.rest() == b""
    assert (await (await polled.connect()).get("/task")).status == 200


@needs_epoll
async def test_a_connection_that_begins_when_all_has_been_cancelled(polled: Polled) -> None:
    """The poller may have ended before it: that is no mistake to be logged."""
    near, far = socket.socketpair()
    poller = Poller()
    with trio.CancelScope() as scope, near:
        scope.cancel()
        async with trio.open_nursery() as nursery:
            polled.site.nursery = nursery
            await trio.lowlevel.cancel_shielded_checkpoint()
            poller._epoll.close()
            polled.site.serve(SocketTransport(far, poller))  # type: ignore[arg-type]
    assert polled.site.errors.text == ""
    assert len(polled.site.connections) == 0


async def test_what_begins_elsewhere_is_gone_on_with_in_any_task() -> None:
    """``begin`` gives what is left to do, None where that is nothing."""
    steps: list[str] = []

    async def work(waits: bool) -> None:
        steps.append(trio.lowlevel.current_task().name)
        if waits:
            await own_task()
            await trio.lowlevel.checkpoint()
            steps.append(trio.lowlevel.current_task().name)

    rest: list[Any] = []

    async def other() -> None:
        serve_others()
        rest.append(begin(work(False)))
        rest.append(begin(work(True)))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(other, name="other")
    assert rest[0] is None
    await rest[1]
    assert steps == ["other", "other", trio.lowlevel.current_task().name]


class Held(Transport):
    """Holds what may be held, as among other requests of the poller's; takes ``room`` bytes."""

    peer_address = own_address = ("127.0.0.1", 0)

    def __init__(self) -> None:
        self.holding: list[Outbound] = []
        self.sends: list[bytes] = []
        self.room = 1 << 20
        self.gone = False

    def hold(self, holding: Outbound) -> bool:
        self.holding.append(holding)
        return True

    def try_receive(self, max_bytes: int) -> bytes | None:
        return None

    async def receive(self, max_bytes: int) -> bytes:
        raise NotImplementedError

    def try_send(self, data: bytes | memoryview) -> int:
        if self.gone:
            raise ClientGone("reset")
        taken = bytes(data[: self.room])
        self.room -= len(taken)
        self.sends.append(taken)
        return len(taken)

    async def send_some(self, data: bytes | memoryview) -> int:
        self.room = 1 << 20
        return self.try_send(data)

    async def send_eof(self) -> None:
        raise NotImplementedError

    async def aclose(self) -> None:
        raise NotImplementedError


async def test_answers_that_are_held_leave_in_one_send(nursery: trio.Nursery) -> None:
    """Nothing is sent before that is told, and they count as sent meanwhile."""
    transport = Held()
    outbound = Outbound(transport, nursery, 5)
    outbound.write(b"one")
    outbound.write(b"two")
    assert (transport.sends, outbound.sent, outbound.queued) == ([], 6, 0)
    assert transport.holding == [outbound]
    outbound.send_held()
    assert (transport.sends, outbound.sent, outbound.queued) == ([b"onetwo"], 6, 0)


async def test_what_a_socket_does_not_take_of_held_answers_is_queued(nursery: trio.Nursery) -> None:
    """It is waited for as any other answer, and comes before the next one."""
    transport = Held()
    outbound = Outbound(transport, nursery, 5)
    outbound.write(b"held")
    transport.room = 1
    outbound.send_held()
    assert (outbound.sent, outbound.queued) == (1, 3)
    outbound.write(b"next")
    await outbound.drain()
    assert b"".join(transport.sends) == b"heldnext"
    assert (outbound.sent, outbound.queued) == (8, 0)


async def test_a_large_answer_is_not_held(nursery: trio.Nursery) -> None:
    """To join it to others would cost more than it saves."""
    transport = Held()
    outbound = Outbound(transport, nursery, 5)
    outbound.write(b"x" * (MAX_HELD_SIZE + 1))
    assert len(transport.sends[0]) == MAX_HELD_SIZE + 1


async def test_a_client_that_is_gone_when_its_answer_is_sent(nursery: trio.Nursery) -> None:
    """The others' answers go on; whoever writes to it next hears of it."""
    transport = Held()
    outbound = Outbound(transport, nursery, 5)
    outbound.write(b"held")
    transport.gone = True
    outbound.send_held()
    with pytest.raises(ClientGone):
        outbound.write(b"next")


@needs_epoll
async def test_the_poller_holds_answers_of_a_batch_only(polled: Polled) -> None:
    """Outside of one there is nobody that would send them."""
    outbound = Outbound(Held(), polled.site.nursery, 5)
    assert not polled.poller.hold(outbound)
    clients = [await polled.connect() for _ in range(20)]
    for client in clients:
        await client.send(request("GET", "/task"))
    for client in clients:
        assert tasks((await client.answer()).body) == [True]
    assert polled.poller.now == 0.0
    assert not polled.poller._holding
