"""Real sockets: the transport, the listeners, and a whole worker with its signals."""

from __future__ import annotations

import errno
import os
import signal
import socket
from typing import TYPE_CHECKING, Any

import pytest
import trio
import trio.testing
from serving import Lines, PythonHandler, hello, request, route
from support.site import turns_pass

from candy_trio.config.load import load_config
from candy_trio.errors import ClientGone, ConfigError
from candy_trio.observe.log import ErrorLog, Level
from candy_trio.process.worker import serve
from candy_trio.server.listen import EXHAUSTED_PAUSE, Listener, open_listeners
from candy_trio.server.transport import SocketTransport

if TYPE_CHECKING:
    from pathlib import Path

    from candy_trio.config.schema import Config, Route
    from candy_trio.handlers.base import Handler


class HelloHost:
    """Stands for the layer that runs scripts."""

    def __init__(self) -> None:
        self.closed = False

    def handler(self, route: Route) -> Handler:
        return PythonHandler(hello)

    def modes(self) -> list[str]:
        return []

    async def run(self) -> None:
        await trio.sleep_forever()

    def close(self) -> None:
        self.closed = True


def make_config(folder: Path, ip: str = "127.0.0.1", port: int = 0) -> Config:
    path = folder / "config.toml"
    path.write_text(f'[[host]]\nip = "{ip}"\nport = {port}\ntimeout = 5\n{route("hello")}')
    return load_config(path, engines=["luajit"])


async def refused(port: int) -> None:
    """Wait until nobody listens there any more."""
    while True:
        try:
            stream = await trio.open_tcp_stream("127.0.0.1", port)
        except OSError:
            return
        await stream.aclose()


async def read_until(stream: trio.abc.ReceiveStream, end: bytes) -> bytes:
    data = b""
    while end not in data:
        more = await stream.receive_some(65536)
        assert more, data
        data += more
    return data


async def test_worker_serves_reopens_logs_and_stops(tmp_path: Path) -> None:
    """From the listening socket to the log files: an answer over TCP, SIGUSR1 makes new files,
    SIGTERM ends an idle keep-alive connection and then the worker."""
    lua = HelloHost()
    logs = tmp_path / "logs"
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            listeners: list[Listener] = await nursery.start(
                serve, make_config(tmp_path), lambda app: lua
            )
            port = listeners[0].port
            assert port > 0
            stream = await trio.open_tcp_stream("127.0.0.1", port)
            await stream.send_all(request("GET", "/a"))
            assert b"200 OK" in await read_until(stream, b"hello /a")
            (logs / "access.log").rename(logs / "access.log.1")
            os.kill(os.getpid(), signal.SIGUSR1)
            while not (logs / "access.log").exists():
                await trio.lowlevel.checkpoint()
            await stream.send_all(request("GET", "/b"))
            await read_until(stream, b"hello /b")
            os.kill(os.getpid(), signal.SIGTERM)
            assert await stream.receive_some(1) == b""
            await stream.aclose()
    assert lua.closed
    assert "GET /a HTTP/1.1" in (logs / "access.log.1").read_text()
    assert "GET /b HTTP/1.1" in (logs / "access.log").read_text()
    errors = (logs / "error.log").read_text()
    assert f"listening on http://127.0.0.1:{port}" in errors
    assert errors.endswith(": stopped\n")


async def test_second_signal_ends_at_once(tmp_path: Path) -> None:
    """A request in flight holds a graceful stop up; the next signal does not wait for it."""
    started = trio.Event()

    class Stuck(HelloHost):
        def handler(self, route: Route) -> Handler:
            async def forever(exchange: Any) -> Any:
                started.set()
                await trio.sleep_forever()

            return PythonHandler(forever)

    with trio.fail_after(4):
        async with trio.open_nursery() as nursery:
            listeners = await nursery.start(serve, make_config(tmp_path), lambda app: Stuck())
            stream = await trio.open_tcp_stream("127.0.0.1", listeners[0].port)
            await stream.send_all(request("GET"))
            await started.wait()
            os.kill(os.getpid(), signal.SIGINT)
            await refused(listeners[0].port)  # while the request still runs
            os.kill(os.getpid(), signal.SIGINT)
            assert await stream.receive_some(1) == b""
            await stream.aclose()
    assert "stopping at once" in (tmp_path / "logs" / "error.log").read_text()
    assert '" 499 ' in (tmp_path / "logs" / "access.log").read_text()


async def test_taken_address_is_a_configuration_error(tmp_path: Path) -> None:
    """A port in use stops the start, names the key and what to do, and leaves nothing open."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ConfigError) as caught:
            await serve(make_config(tmp_path, port=port), lambda app: HelloHost())
    (problem,) = caught.value.problems
    assert f'ip = "127.0.0.1", port = {port}: the address is already in use' in problem


async def test_every_address_that_fails_is_named() -> None:
    """All problems at once, and the sockets that could be bound are closed again."""
    with socket.socket() as one, socket.socket() as two:
        taken = []
        for other in (one, two):
            other.bind(("127.0.0.1", 0))
            other.listen()
            taken.append(other.getsockname())
        with pytest.raises(ConfigError) as caught:
            open_listeners([taken[0], ("127.0.0.1", 0), taken[1]])
    assert len(caught.value.problems) == 2
    for (_, port), problem in zip(taken, caught.value.problems, strict=True):
        assert f"port = {port}: the address is already in use" in problem


@pytest.mark.parametrize(
    ("ip", "shown"), [("0.0.0.0", "127.0.0.1"), ("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")]
)
async def test_url_opens_in_a_browser(ip: str, shown: str) -> None:
    """The URL of the start log names an address that can be connected to."""
    try:
        (listener,) = open_listeners([(ip, 0)])
    except ConfigError:
        pytest.skip("no IPv6 here")
    assert listener.url == f"http://{shown}:{listener.port}"
    listener.close()


class Sockets:
    """A listening socket that fails when told to."""

    def __init__(self, outcomes: list[Any]) -> None:
        self._outcomes = outcomes

    def getsockname(self) -> tuple[str, int]:
        return "127.0.0.1", 1

    def accept(self) -> tuple[Any, None]:
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, OSError):
            raise outcome
        return outcome, None


async def test_accepting_survives_errors(autojump_clock: trio.testing.MockClock) -> None:
    """A client that gave up costs nothing; running out of descriptors pauses, and is logged."""
    outcomes = [OSError(errno.ECONNABORTED, "gone"), OSError(errno.EMFILE, "too many"), "one"]
    lines = Lines()
    log = ErrorLog(lines, Level.INFO)  # type: ignore[arg-type]
    listener = Listener(Sockets(outcomes))  # type: ignore[arg-type]
    started = trio.current_time()
    assert await listener._next(log) == "one"
    assert trio.current_time() - started == EXHAUSTED_PAUSE
    assert "[crit]" in lines.text
    assert "too many" in lines.text


async def test_accepting_pauses_at_the_cap(autojump_clock: trio.testing.MockClock) -> None:
    """Beyond the cap a client waits in the kernel's queue until another connection ends."""
    (listener,) = open_listeners([("127.0.0.1", 0)])
    served: list[socket.socket] = []
    release = trio.Event()

    async def hold(sock: socket.socket) -> None:
        served.append(sock)
        await release.wait()
        sock.close()

    async with trio.open_nursery() as nursery:
        log = ErrorLog(Lines(), Level.INFO)  # type: ignore[arg-type]
        nursery.start_soon(listener.accept, hold, nursery, trio.Semaphore(2), log)
        clients = [socket.create_connection(("127.0.0.1", listener.port)) for _ in range(3)]
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert len(served) == 2
        release.set()
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert len(served) == 3
        nursery.cancel_scope.cancel()
    listener.close()
    for client in clients:
        client.close()


async def test_clients_that_come_at_once_are_accepted_at_once() -> None:
    """One a turn of the loop would take seconds while others are served, a few ms in each."""
    (listener,) = open_listeners([("127.0.0.1", 0)])
    clients = [socket.create_connection(("127.0.0.1", listener.port)) for _ in range(10)]
    served: list[socket.socket] = []

    async def hold(sock: socket.socket) -> None:
        served.append(sock)
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        log = ErrorLog(Lines(), Level.INFO)  # type: ignore[arg-type]
        nursery.start_soon(listener.accept, hold, nursery, trio.Semaphore(100), log)
        await turns_pass(3)
        assert len(served) == 10
        nursery.cancel_scope.cancel()
    listener.close()
    for sock in (*clients, *served):
        sock.close()


async def test_socket_transport_moves_bytes() -> None:
    """What is here is received without waiting, what fits is sent without waiting, the rest as
    the peer takes it; the end of the stream is b""."""
    left, right = socket.socketpair()
    near, far = SocketTransport(left), SocketTransport(right)
    assert near.try_receive(10) is None
    assert far.try_send(b"hello") == 5
    assert near.try_receive(3) == b"hel"
    assert await near.receive(10) == b"lo"
    data = memoryview(b"x" * 10_000_000)
    sent = far.try_send(data)
    assert 0 < sent < len(data)
    assert far.try_send(data) == 0
    received = 0

    async def drain() -> None:
        nonlocal received
        while received < len(data):
            received += len(await near.receive(1_000_000))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(drain)
        while sent < len(data):
            sent += await far.send_some(data[sent:])
    assert received == len(data)
    await far.send_eof()
    assert await near.receive(1) == b""
    assert near.try_receive(1) == b""
    await far.aclose()
    await near.aclose()
    await near.aclose()


async def test_sending_to_a_closed_peer_is_client_gone() -> None:
    """A peer that is gone raises ClientGone, waited for or not."""
    left, right = socket.socketpair()
    near = SocketTransport(left)
    right.close()
    with pytest.raises(ClientGone):
        near.try_send(b"x")
    with pytest.raises(ClientGone):
        await near.send_some(b"x")
    await near.aclose()
