"""One look for all connections that wait for a request: which of them has something to read.

Waiting in trio for each request costs a system call to arm epoll, a turn of the event loop, and
mostly a receive that finds nothing: together more than a small request.  Here a connection is told
to epoll once, edge-triggered, and what has arrived is served in this task, one connection after
the other; its own task is woken for what has to wait (:mod:`candy_trio.handover`).

Rules of this module:

- Who parks has found its socket empty: an edge that nobody is parked for is of no interest.
- A batch ends after BATCH_SECONDS: then it is the other tasks' turn.
- Answers of a batch are held back, a few at a time, and sent before anybody else runs.
- What a connection raises is raised in its own task, and costs no other one anything.
"""

from __future__ import annotations

import select
from time import perf_counter
from typing import TYPE_CHECKING, Final

import outcome
import trio

from candy_trio.handover import serve_others

if TYPE_CHECKING:
    import socket

    from candy_trio.server.outbound import Outbound
    from candy_trio.server.transport import SocketTransport

BATCH_SECONDS: Final = 0.002
"""How long requests are served before other tasks get their turn: those of the scripts that
compute, above all."""

BATCH_SIZE: Final = 64
"""Sockets that one look gives at most."""

MAX_HELD: Final = 16
"""Answers that leave together: a client on the same machine is woken once for them. 16 save the
server a tenth of a small request that 8 do not save, and 24 no more."""


class Poller:
    """See the module; one a worker."""

    works_here: Final = hasattr(select, "epoll")
    """Elsewhere than on Linux connections wait in trio."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._parked: dict[int, tuple[SocketTransport, trio.lowlevel.Task]] = {}
        self.now = 0.0
        """``trio.current_time()`` while requests are served in this task, asked once for all that
        had arrived; 0.0 at any other time."""
        self._holding: list[Outbound] = []

    def add(self, sock: socket.socket) -> None:
        """Look at ``sock`` from now on, until it is closed."""
        self._epoll.register(sock.fileno(), select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET)

    async def park(self, sock: socket.socket, parked: SocketTransport) -> None:
        """Call ``parked`` whenever ``sock`` can be read, until it does not want to stay."""
        descriptor = sock.fileno()
        self._parked[descriptor] = parked, trio.lowlevel.current_task()

        def abort(_raise_cancel: object) -> trio.lowlevel.Abort:
            del self._parked[descriptor]
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)

    def hold(self, holding: Outbound) -> bool:
        """Whether what ``holding`` has to send is to be held until it is told to send it."""
        if not self.now:
            return False
        self._holding.append(holding)
        return True

    async def run(self) -> None:
        """Serve what arrives, until cancelled."""
        serve_others()
        poll, parked = self._epoll.poll, self._parked
        try:
            while True:
                await trio.lowlevel.wait_readable(self._epoll.fileno())
                batch_ends = perf_counter() + BATCH_SECONDS
                while ready := poll(0, BATCH_SIZE):
                    self.now = trio.current_time()
                    for descriptor, events in ready:
                        if descriptor in parked:
                            self._serve(descriptor, events)
                            if len(self._holding) >= MAX_HELD:
                                self._send_held()
                            if perf_counter() > batch_ends:
                                self._pause()
                                await trio.lowlevel.checkpoint()
                                self.now = trio.current_time()
                                batch_ends = perf_counter() + BATCH_SECONDS
                    self._pause()
        finally:
            self._pause()
            self._epoll.close()

    def _pause(self) -> None:
        """Before anybody else runs."""
        self.now = 0.0
        self._send_held()

    def _send_held(self) -> None:
        held = self._holding.copy()
        self._holding.clear()
        for holding in held:
            holding.send_held()

    def _serve(self, descriptor: int, events: int) -> None:
        connection, task = self._parked[descriptor]
        try:
            # The end of a stream may have come with its last bytes: one edge for both.
            if connection.arrived(events != select.EPOLLIN):
                return
        except BaseException as error:
            del self._parked[descriptor]
            trio.lowlevel.reschedule(task, outcome.Error(error))
        else:
            del self._parked[descriptor]
            trio.lowlevel.reschedule(task)
