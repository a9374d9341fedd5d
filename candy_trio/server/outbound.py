"""What goes to a client: sent at once where that is possible, queued where it is not.

Rules of this module:

- Order is the order of the calls.  Bytes are tried on the transport only while nothing is queued.
- Where the poller answers several clients it has small answers held, and tells when to send them,
  before any other task runs (:meth:`Outbound.send_held`).  To all others they are sent.
- The one task that waits to send is ``_send_queued``, in the connection's nursery; it exists only
  while something is queued.  A request that is cancelled while it waits in ``drain`` therefore
  never leaves half a chunk behind.
- A client that takes nothing for ``timeout`` seconds is given up: the queue is dropped, and who
  waits or writes from then on gets ClientGone.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import trio

from candy_trio.errors import ClientGone
from candy_trio.handover import own_task
from candy_trio.pipeline.response import Sink

if TYPE_CHECKING:
    from candy_trio.server.transport import Transport

SEND_SIZE: Final = 64 * 1024
"""Bytes handed to the transport at once: small queued parts are joined up to it, and large ones
cut, so that progress shows on transports that say only when they are done."""


MAX_HELD_SIZE: Final = 16 * 1024
"""Bytes of an answer that may be held: what takes longer to send is sent at once."""


class Outbound(Sink):
    """The sending half of one connection."""

    def __init__(self, transport: Transport, nursery: trio.Nursery, timeout: float) -> None:
        self._transport = transport
        self._nursery = nursery
        self._queue: deque[bytes | memoryview] = deque()
        self._idle: trio.Event | None = None  # not None: the sending task runs
        self._failure: str | None = None
        self._held = b""  # answers that leave together with those to others, see poller.py
        self.timeout = timeout
        """Seconds that a send may stall."""

    def write(self, data: bytes) -> None:
        """Send ``data``, or queue what can't be sent without waiting; raises ClientGone.

        Among other requests that are answered at the same time it may be held for a moment.
        """
        if self._failure is not None:
            raise ClientGone(self._failure)
        if self._held:
            self._held += data
            self.sent += len(data)
        elif self._idle is None and len(data) <= MAX_HELD_SIZE and self._transport.hold(self):
            self._held = data
            self.sent += len(data)
        else:
            self._send(data)

    def send_held(self) -> None:
        """Send what was held."""
        held, self._held = self._held, b""
        self.sent -= len(held)
        # Who hears of it, if not who wrote: whoever writes next.
        with suppress(ClientGone):
            self._send(held)

    def _send(self, data: bytes) -> None:
        rest: bytes | memoryview = data
        if self._idle is None:
            try:
                count = self._transport.try_send(data)
            except ClientGone as error:
                self._fail(str(error))
                raise
            self.sent += count
            if count == len(data):
                return
            if count:
                rest = memoryview(data)[count:]
            self._idle = trio.Event()
            self._nursery.start_soon(self._send_queued)
        self._queue.append(rest)
        self.queued += len(rest)

    async def drain(self) -> None:
        """Wait until all that was written is handed to the transport; raises ClientGone.

        Not a checkpoint when nothing is queued.
        """
        if self._idle is not None:
            await own_task()
        if self._idle is not None:
            await self._idle.wait()
        if self._failure is not None:
            raise ClientGone(self._failure)

    async def _send_queued(self) -> None:
        idle = self._idle
        assert idle is not None
        try:
            while self._queue:
                with trio.move_on_after(self.timeout) as scope:
                    count = await self._transport.send_some(self._next_piece())
                if scope.cancelled_caught:
                    self._fail(f"the client took nothing for {self.timeout:g} seconds")
                    break
                self._taken(count)
        except ClientGone as error:
            self._fail(str(error))
        finally:
            self._idle = None
            idle.set()

    def _next_piece(self) -> bytes | memoryview:
        """The front of the queue, SEND_SIZE bytes at most; it stays queued."""
        queue = self._queue
        first = queue[0]
        if len(first) >= SEND_SIZE:
            return memoryview(first)[:SEND_SIZE]
        if len(queue) == 1:
            return first
        parts = [queue.popleft()]
        size = len(first)
        while queue and size + len(queue[0]) <= SEND_SIZE:
            size += len(queue[0])
            parts.append(queue.popleft())
        joined = b"".join(parts)
        queue.appendleft(joined)
        return joined

    def _taken(self, count: int) -> None:
        self.sent += count
        self.queued -= count
        first = self._queue.popleft()
        if count < len(first):
            self._queue.appendleft(memoryview(first)[count:])

    def _fail(self, reason: str) -> None:
        self._failure = reason
        self._queue.clear()
        self.queued = 0
