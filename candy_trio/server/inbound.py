"""What a client sends, in order, and the news that it has left.

Rules of this module:

- Two tasks must never wait to receive on one connection.  Until a watcher has been started the
  connection's own task reads directly, or the poller while that is parked, which is the fast path;
  from then on, for the rest of the connection, the watcher is the only reader and everyone else
  takes from its buffer.
- The watcher reads READ_AHEAD bytes at most, then parks until they are consumed: a client can't
  fill memory by sending while its request runs.  While it is parked it sees no end of the stream.
- A client that closes its sending side counts as gone, as in nginx: HTTP has no half-close.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import trio

from candy_trio.server.transport import RECEIVE_SIZE

if TYPE_CHECKING:
    from collections.abc import Callable

    from candy_trio.server.transport import Transport

MAX_EAGER_READS: Final = 16
"""Pieces of a body that are read without a wait in a row: a client that keeps up with its server
must not keep it from the others."""

READ_AHEAD: Final = 64 * 1024
"""Bytes that the watcher holds at most for a request that does not read them."""


class Inbound:
    """The receiving half of one connection."""

    __slots__ = (
        "_arrived",
        "_buffer",
        "_consumed",
        "_eager_reads",
        "_ended",
        "_on_gone",
        "_transport",
        "watching",
    )

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._buffer = bytearray()
        self._ended = False
        self.watching = False
        """Whether a watcher reads, from now on."""
        self._on_gone: Callable[[], None] | None = None
        self._arrived = trio.Event()
        self._consumed = trio.Event()
        self._eager_reads = 0

    async def arrivals(self, take: Callable[[bytes], bool]) -> None:
        """See :meth:`Transport.arrivals`."""
        if self.watching:
            while take(await self.receive()):
                pass
        else:
            self._eager_reads = 0
            await self._transport.arrivals(take)

    def receive_nowait(self) -> bytes | None:
        """The next bytes if they are here, b"" at the end, None if it takes :meth:`receive`.

        None, too, when it is the other tasks' turn.
        """
        if self.watching:
            return self._take()
        self._eager_reads += 1
        if self._eager_reads > MAX_EAGER_READS:
            return None
        data = self._transport.try_receive(RECEIVE_SIZE)
        if data is not None and not data:
            self._ended = True
        return data

    async def receive(self) -> bytes:
        """Wait for the next bytes, b"" at the end; for one task at a time.

        Cancelling it loses nothing.
        """
        self._eager_reads = 0
        if not self.watching:
            data = await self._transport.receive(RECEIVE_SIZE)
            self._ended = not data
            return data
        while (buffered := self._take()) is None:
            self._arrived = trio.Event()
            await self._arrived.wait()
        return buffered

    def watch(self, nursery: trio.Nursery, on_gone: Callable[[], None]) -> None:
        """Call ``on_gone`` once if the client leaves before :meth:`unwatch`.

        A client that has left already is told of at once, from within this call.
        """
        self._on_gone = on_gone
        if self._ended:
            self._report()
        elif not self.watching:
            self.watching = True
            nursery.start_soon(self._read_ahead)

    def unwatch(self) -> None:
        """The request that watched is over; reading ahead goes on."""
        self._on_gone = None

    def _take(self) -> bytes | None:
        if self._buffer:
            data = bytes(self._buffer)
            self._buffer.clear()
            self._consumed.set()
            return data
        return b"" if self._ended else None

    async def _read_ahead(self) -> None:
        while not self._ended:
            while len(self._buffer) >= READ_AHEAD:
                self._consumed = trio.Event()
                await self._consumed.wait()
            data = await self._transport.receive(READ_AHEAD - len(self._buffer))
            self._buffer += data
            self._ended = not data
            self._arrived.set()
        self._report()

    def _report(self) -> None:
        on_gone, self._on_gone = self._on_gone, None
        if on_gone is not None:
            on_gone()
