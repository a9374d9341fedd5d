"""All connections of a worker: their time limits while they wait for a head, and their end.

A cancel scope for each wait for a request would cost 7 µs, moving the deadline of one that stays
3 µs.  So a waiting connection only notes until when it waits, and one task for all looks when the
earliest of these times has come.  Deadlines move forwards only, and none is nearer than the
shortest timeout of the configuration: sleeping until the earliest of both misses none.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import trio

if TYPE_CHECKING:
    from candy_trio.server.connection import Connection

GRAIN: Final = 0.1
"""Seconds between two looks at least, and so how late a timeout may come: a look at 10,000
connections takes a millisecond."""


class Connections:
    """The set of open connections; one a worker."""

    def __init__(self, shortest_timeout: float) -> None:
        self._open: set[Connection] = set()
        self._shortest = shortest_timeout

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: Connection) -> None:
        """A connection begins."""
        self._open.add(connection)

    def discard(self, connection: Connection) -> None:
        """A connection has ended."""
        self._open.discard(connection)

    async def expire(self) -> None:
        """End connections whose time is up, until cancelled."""
        while True:
            next_look = self._look(trio.current_time())
            await trio.sleep_until(next_look)

    def _look(self, now: float) -> float:
        """End those whose time is up at ``now``, and say when to look again."""
        earliest = now + self._shortest
        for connection in self._open:
            if connection.deadline <= now:
                connection.deadline = math.inf
                connection.expire()
            else:
                earliest = min(earliest, connection.deadline)
        return max(earliest, now + GRAIN)

    def stop(self) -> None:
        """Close idle connections at once; the others finish what they are at, in time."""
        for connection in self._open:
            connection.stop()
