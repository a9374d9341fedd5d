"""Listening sockets: opened from the configuration, then accepting for as long as wanted.

Rules of this module:

- Sockets are bound before anything is served, so that a port that is taken stops the start with
  a message that names the key, and never a server that is half there.
- Accepting pauses while the connections are at their cap: who is queued in the kernel waits there.
  It pauses, too, when the process runs out of descriptors, since trying again at once would spin.
"""

from __future__ import annotations

import errno
import resource
import socket
from typing import TYPE_CHECKING, Final

import trio

from candy_trio.errors import ConfigError
from candy_trio.observe.log import Level

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from candy_trio.observe.log import ErrorLog

BACKLOG: Final = 511
"""Connections that the kernel keeps for us until they are accepted; nginx's number."""

MAX_CONNECTIONS: Final = 10_000
"""Open connections of a worker: each holds some 8 KB here, beside its socket's buffers."""

RESERVED_DESCRIPTORS: Final = 64
"""Descriptors kept from connections for logs, body files, scripts' sources and the event loop."""

ACCEPT_BATCH: Final = 16
"""Connections accepted without the ones that are open getting a turn."""

EXHAUSTED_PAUSE: Final = 0.1
"""Seconds to wait when no descriptor or no memory is left for one more connection."""

_EXHAUSTED: Final = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))

_PROBLEMS: Final = {
    errno.EADDRINUSE: "the address is already in use; stop the other program or choose a free port",
    errno.EACCES: "not permitted; ports below 1024 need privileges, choose a higher one",
    errno.EADDRNOTAVAIL: "this machine has no such address",
}


class Listener:
    """One bound and listening socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        name = sock.getsockname()
        self.ip: str = name[0]
        self.port: int = name[1]
        """The real one, also where the configuration says 0."""

    @property
    def url(self) -> str:
        """Where a browser on this machine finds it."""
        if self.ip in ("0.0.0.0", "127.0.0.1"):
            host = "127.0.0.1"
        elif ":" in self.ip:
            host = "[::1]" if self.ip == "::" else f"[{self.ip}]"
        else:
            host = self.ip
        return f"http://{host}:{self.port}"

    async def accept(
        self,
        serve: Callable[[socket.socket], Awaitable[None]],
        nursery: trio.Nursery,
        capacity: trio.Semaphore,
        log: ErrorLog,
    ) -> None:
        """Start ``serve`` in ``nursery`` for each connection, until cancelled.

        ``capacity`` is shared by all listeners: every connection takes one of it.
        """
        accepted = 0
        while True:
            try:
                capacity.acquire_nowait()  # acquire() would be a turn of the loop for each
            except trio.WouldBlock:
                await capacity.acquire()
            sock = None
            try:
                sock = await self._next(log)
            finally:
                if sock is None:
                    capacity.release()
            nursery.start_soon(_serve_and_release, serve, sock, capacity)
            accepted += 1
            if accepted % ACCEPT_BATCH == 0:
                await trio.lowlevel.checkpoint()

    async def _next(self, log: ErrorLog) -> socket.socket:
        while True:
            try:
                return self._sock.accept()[0]
            except BlockingIOError:
                await trio.lowlevel.wait_readable(self._sock)
            except OSError as error:
                if error.errno not in _EXHAUSTED:
                    # This one client gave up while it waited (accept(2) lists a dozen errors), or
                    # the socket was closed a moment ago: then this is where the task ends.
                    await trio.lowlevel.checkpoint()
                    continue
                log.log(Level.CRIT, f"accept: {error.strerror}; pausing {EXHAUSTED_PAUSE:g} s")
                await trio.sleep(EXHAUSTED_PAUSE)

    def close(self) -> None:
        """Stop listening; harmless when repeated."""
        if self._sock.fileno() != -1:
            trio.lowlevel.notify_closing(self._sock)
            self._sock.close()


async def _serve_and_release(
    serve: Callable[[socket.socket], Awaitable[None]],
    sock: socket.socket,
    capacity: trio.Semaphore,
) -> None:
    try:
        await serve(sock)
    finally:
        capacity.release()


def open_listeners(addresses: Sequence[tuple[str, int]]) -> list[Listener]:
    """Bind all addresses; raises ConfigError that names every one that can't be."""
    listeners: list[Listener] = []
    problems: list[str] = []
    for ip, port in addresses:
        try:
            listeners.append(Listener(_bind(ip, port)))
        except OSError as error:
            reason = _PROBLEMS.get(error.errno or 0, error.strerror or str(error))
            problems.append(f'[[host]] ip = "{ip}", port = {port}: {reason}')
    if problems:
        for listener in listeners:
            listener.close()
        raise ConfigError(problems)
    return listeners


def connection_capacity() -> trio.Semaphore:
    """The cap on connections: MAX_CONNECTIONS, or what the limit on descriptors leaves."""
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if descriptors == resource.RLIM_INFINITY:
        return trio.Semaphore(MAX_CONNECTIONS)
    return trio.Semaphore(max(1, min(MAX_CONNECTIONS, descriptors - RESERVED_DESCRIPTORS)))


def _bind(ip: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # "::" and "0.0.0.0" are two addresses of the configuration, with hosts of their own.
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((ip, port))
        sock.listen(BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock
