"""The bytes of one connection, whatever carries them.

Rules of this module:

- At most one task at a time waits to receive and at most one waits to send (trio's own rule for
  a file descriptor).  :mod:`candy_trio.server.inbound` and :mod:`candy_trio.server.outbound`
  keep it; nothing else may touch a transport while a connection runs.
- A peer that resets is a peer that is gone: receiving gives b"", sending raises ClientGone.
- Nothing here knows HTTP, hosts or timeouts.
"""

from __future__ import annotations

import contextlib
import socket
from abc import ABCMeta, abstractmethod
from typing import TYPE_CHECKING, Final

import trio
from mypy_extensions import mypyc_attr

from candy_trio.errors import ClientGone

if TYPE_CHECKING:
    from collections.abc import Callable

    from candy_trio.server.outbound import Outbound
    from candy_trio.server.poller import Poller

RECEIVE_SIZE: Final = 64 * 1024
"""Bytes asked for at once: a usual socket buffer holds no more, and a body of the usual
``client_body_buffer_size`` arrives in one piece."""

MAX_RECEIVES: Final = 4
"""Receives in a row that gave something before others get their turn: a client that sends as fast
as it is answered is never found silent."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Transport(metaclass=ABCMeta):
    """A two-way stream of bytes with addresses."""

    @property
    @abstractmethod
    def peer_address(self) -> tuple[str, int]:
        """Address and port of the other side."""

    @property
    @abstractmethod
    def own_address(self) -> tuple[str, int]:
        """Address and port of this side."""

    @abstractmethod
    def try_receive(self, max_bytes: int) -> bytes | None:
        """What is here already, None if that is nothing, b"" once the peer sends no more."""

    @abstractmethod
    async def receive(self, max_bytes: int) -> bytes:
        """Wait for at least one byte and give at most ``max_bytes``; b"" as above.

        Always a checkpoint.  Cancelling it loses nothing.
        """

    async def arrivals(self, take: Callable[[bytes], bool]) -> None:
        """Give ``take`` what arrives, b"" at the end, until it wants no more; or for some time.

        Perhaps in another task, see :mod:`candy_trio.handover`.  Cancelling it loses nothing.
        """
        while take(await self.receive(RECEIVE_SIZE)):
            pass

    def now(self) -> float:
        """``trio.current_time()``, or a time shortly before it that is cheaper to get."""
        return trio.current_time()

    def hold(self, holding: Outbound) -> bool:
        """Whether ``holding`` shall not send yet, but when it is told to."""
        return False

    @abstractmethod
    def try_send(self, data: bytes | memoryview) -> int:
        """How many bytes were taken without waiting, 0 if none; raises ClientGone."""

    @abstractmethod
    async def send_some(self, data: bytes | memoryview) -> int:
        """Wait until bytes could be sent and say how many; raises ClientGone.

        Cancelled while it waits it has sent nothing that it does not report, except on streams
        that can't tell: there a cancelled send leaves the connection fit for closing only.
        """

    @abstractmethod
    async def send_eof(self) -> None:
        """Say that nothing more will come while the other direction stays open, if possible."""

    @abstractmethod
    async def aclose(self) -> None:
        """Close at once; never raises, harmless when repeated."""


class SocketTransport(Transport):
    """A connected TCP socket, read and written first and waited for only if that fails.

    trio's SocketStream passes a checkpoint and a lock at each call: a bare keep-alive loop
    reached 30,000 requests a second with it, 58,000 this way.
    """

    def __init__(self, sock: socket.socket, poller: Poller | None = None) -> None:
        """``poller`` waits for requests, where there is one; else trio does."""
        sock.setblocking(False)
        with contextlib.suppress(OSError):  # not TCP, or reset already
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._recv = sock.recv
        self._send = sock.send
        self._poller = poller
        self._polled = False
        self._waited = False  # in trio, which then wants to hear of the socket's end
        self._must_pause = False
        self._take: Callable[[bytes], bool] = _refuse

    @property
    def peer_address(self) -> tuple[str, int]:
        try:
            return _address(self._sock.getpeername())
        except OSError:  # reset between accept and now
            return "", 0

    @property
    def own_address(self) -> tuple[str, int]:
        try:
            return _address(self._sock.getsockname())
        except OSError:
            return "", 0

    def try_receive(self, max_bytes: int) -> bytes | None:
        try:
            return self._recv(max_bytes)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    async def arrivals(self, take: Callable[[bytes], bool]) -> None:
        poller = self._poller
        if poller is None:
            await super().arrivals(take)
            return
        self._take = take
        try:
            # Also when it comes back: what arrived in between was nobody's edge.
            if self.arrived(to_the_end=True):
                if not self._polled:
                    # Where all is cancelled at once, the poller may have ended before.
                    await trio.lowlevel.checkpoint_if_cancelled()
                    self._polled = True
                    poller.add(self._sock)
                await poller.park(self._sock, self)
            if self._must_pause:
                self._must_pause = False
                await trio.lowlevel.checkpoint()
        finally:
            self._take = _refuse  # its owner, with which it would be a cycle

    def now(self) -> float:
        poller = self._poller
        return (poller.now if poller is not None else 0.0) or trio.current_time()

    def hold(self, holding: Outbound) -> bool:
        return self._poller is not None and self._poller.hold(holding)

    def arrived(self, to_the_end: bool) -> bool:
        """Serve what can be read, for the poller; whether to stay parked.

        Unless ``to_the_end``, a receive that gives less than it might is the last one.
        """
        for _ in range(MAX_RECEIVES):
            try:
                data = self._recv(RECEIVE_SIZE)
            except BlockingIOError:
                return True
            except OSError:
                data = b""
            if not self._take(data):
                return False
            if len(data) < RECEIVE_SIZE and not to_the_end:
                return True  # that was all, and the next byte is an edge
        self._must_pause = True
        return False

    async def receive(self, max_bytes: int) -> bytes:
        self._waited = True
        while True:
            try:
                await trio.lowlevel.wait_readable(self._sock)
            except (OSError, trio.ClosedResourceError):
                return b""
            data = self.try_receive(max_bytes)
            if data is not None:
                return data

    def try_send(self, data: bytes | memoryview) -> int:
        try:
            return self._send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise ClientGone(f"sending failed: {error}") from None

    async def send_some(self, data: bytes | memoryview) -> int:
        while True:
            sent = self.try_send(data)
            if sent:
                return sent
            self._waited = True
            try:
                await trio.lowlevel.wait_writable(self._sock)
            except (OSError, trio.ClosedResourceError) as error:
                raise ClientGone(f"sending failed: {error}") from None

    async def send_eof(self) -> None:
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)

    async def aclose(self) -> None:
        if self._waited and self._sock.fileno() != -1:
            trio.lowlevel.notify_closing(self._sock)
        self._sock.close()


class StreamTransport(Transport):
    """Any trio stream: TLS, a Unix socket, a pair of memory streams in a test."""

    def __init__(
        self,
        stream: trio.abc.Stream,
        peer_address: tuple[str, int] = ("127.0.0.1", 0),
        own_address: tuple[str, int] = ("127.0.0.1", 0),
    ) -> None:
        self._stream = stream
        self._peer_address = peer_address
        self._own_address = own_address

    @property
    def peer_address(self) -> tuple[str, int]:
        return self._peer_address

    @property
    def own_address(self) -> tuple[str, int]:
        return self._own_address

    def try_receive(self, max_bytes: int) -> bytes | None:
        return None  # a stream has no way to receive without waiting

    async def receive(self, max_bytes: int) -> bytes:
        try:
            return bytes(await self._stream.receive_some(max_bytes))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return b""

    def try_send(self, data: bytes | memoryview) -> int:
        return 0  # a stream has no way to send without waiting

    async def send_some(self, data: bytes | memoryview) -> int:
        try:
            await self._stream.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise ClientGone(f"sending failed: {error}") from None
        return len(data)

    async def send_eof(self) -> None:
        if isinstance(self._stream, trio.abc.HalfCloseableStream):
            with contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                await self._stream.send_eof()

    async def aclose(self) -> None:
        with contextlib.suppress(trio.BrokenResourceError):
            await trio.aclose_forcefully(self._stream)


def _refuse(_data: bytes) -> bool:
    raise AssertionError("nobody takes what arrives")


def _address(name: object) -> tuple[str, int]:
    """The (host, port) of a socket address; Unix sockets have none."""
    if isinstance(name, tuple):
        return str(name[0]), int(name[1])
    return "", 0
