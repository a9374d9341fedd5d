"""What signals ask of a worker, as an iteration: the handlers themselves only enqueue.

SIGTERM and SIGINT ask for a graceful stop, and for the end at once when they come again;
SIGUSR1 asks for new log files, so that logrotate can rename the old ones.
"""

from __future__ import annotations

import signal
from contextlib import contextmanager
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

import trio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

_STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class Order(Enum):
    """What a worker is told to do."""

    STOP = auto()
    STOP_NOW = auto()
    REOPEN_LOGS = auto()


@contextmanager
def open_orders() -> Iterator[AsyncIterator[Order]]:
    """The orders that come while this is open; to be used in the main thread only.

    SIGINT is an order here, never a KeyboardInterrupt.
    """
    with trio.open_signal_receiver(*_STOP_SIGNALS, signal.SIGUSR1) as signals:
        yield _orders(signals)


async def _orders(signals: AsyncIterator[int]) -> AsyncIterator[Order]:
    stopping = False
    async for number in signals:
        if number not in _STOP_SIGNALS:
            yield Order.REOPEN_LOGS
        else:
            yield Order.STOP_NOW if stopping else Order.STOP
            stopping = True
