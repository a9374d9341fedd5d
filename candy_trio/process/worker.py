"""One worker: everything opened in order, served until told to stop, closed in reverse.

The order of the end is the point of this module: listeners first, then idle connections, then the
requests in flight within their hosts' ``timeout``, then Lua, then the logs, which have to take the
last lines of all the others.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import count
from typing import TYPE_CHECKING, Final, TypeAlias

import trio

from candy_trio.config.schema import LuaContent
from candy_trio.observe.log import Level
from candy_trio.observe.logs import open_logs
from candy_trio.pipeline.app import App, LuaHost
from candy_trio.process.signals import Order, open_orders
from candy_trio.server.connection import Connection
from candy_trio.server.connections import Connections
from candy_trio.server.listen import Listener, connection_capacity, open_listeners
from candy_trio.server.poller import Poller
from candy_trio.server.transport import SocketTransport
from candy_trio.shared_dict.memory import SharedDict
from candy_trio.version import VERSION

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator

    from candy_trio.config.schema import Config

STANDARD: Final = "-"
"""The ``log_folder`` that means standard error and standard output."""

CANDY_DICT: Final = "candy"
CANDY_DICT_SIZE: Final = 10 * 1024 * 1024
"""Bytes of the dict that is always there (``candy.shared``) unless the configuration names it."""

LuaFactory: TypeAlias = Callable[[App], LuaHost]
"""Makes the layer that runs scripts; it may raise ConfigError."""

Tell: TypeAlias = Callable[[str], None]
"""Shows one line to whoever started the server."""


async def serve(
    config: Config,
    make_lua: LuaFactory | None = None,
    tell: Tell | None = None,
    *,
    task_status: trio.TaskStatus[list[Listener]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve ``config`` until a signal says stop, or until cancelled (which ends at once).

    Started once all addresses are listened on, with the listeners.  Raises ConfigError for what
    only shows now: an address that is taken, a log that can't be written.  ``make_lua`` may be
    None only if no route has a script.  ``tell`` is given what the start has to say and the log
    does not put on the terminal.
    """
    # SIGINT is an order from the first moment on, so that Ctrl-C never shows a traceback.
    with open_orders() as orders, ExitStack() as closing:
        logs = open_logs(config)
        closing.callback(logs.close)
        app = App(config, logs, make_shared_dicts(config))
        if make_lua is not None:
            app.lua = make_lua(app)
            closing.callback(app.lua.close)
            app.factories[LuaContent] = app.lua.handler
        listeners = open_listeners(app.routing.addresses())
        for listener in listeners:
            closing.callback(listener.close)
        # Logs end after everything else, so theirs is the outer nursery.
        async with trio.open_nursery() as log_nursery:
            await log_nursery.start(logs.run)
            _announce(app, listeners, tell)
            await _serve_until_stopped(app, listeners, orders, task_status)
            app.error_log.log(Level.NOTICE, "stopped")
            log_nursery.cancel_scope.cancel()


async def _serve_until_stopped(
    app: App,
    listeners: list[Listener],
    orders: AsyncIterator[Order],
    task_status: trio.TaskStatus[list[Listener]],
) -> None:
    connections = Connections(min(host.timeout for host in app.config.hosts))
    serials = count(1)
    capacity = connection_capacity()

    poller = Poller() if Poller.works_here else None

    async def serve_socket(sock: socket.socket) -> None:
        await Connection(SocketTransport(sock, poller), app, connections, next(serials)).run()

    async with trio.open_nursery() as services:
        services.start_soon(connections.expire)
        if poller is not None:
            services.start_soon(poller.run)
        if app.lua is not None:
            services.start_soon(app.lua.run)
        async with trio.open_nursery() as serving:
            accepting = trio.CancelScope()
            services.start_soon(
                _obey, orders, app, listeners, connections, accepting, serving.cancel_scope
            )
            task_status.started(listeners)
            with accepting:
                async with trio.open_nursery() as accept_loops:
                    for listener in listeners:
                        accept_loops.start_soon(
                            listener.accept, serve_socket, serving, capacity, app.error_log
                        )
        services.cancel_scope.cancel()


async def _obey(
    orders: AsyncIterator[Order],
    app: App,
    listeners: list[Listener],
    connections: Connections,
    accepting: trio.CancelScope,
    serving: trio.CancelScope,
) -> None:
    async for order in orders:
        match order:
            case Order.STOP:
                app.error_log.log(
                    Level.NOTICE, f"stopping gracefully, {len(connections)} connections open"
                )
                app.stopping = True
                accepting.cancel()
                for listener in listeners:
                    listener.close()
                connections.stop()
            case Order.STOP_NOW:
                app.error_log.log(Level.NOTICE, "stopping at once")
                serving.cancel()
            case Order.REOPEN_LOGS:
                app.logs.reopen()
                app.error_log.log(Level.NOTICE, "logs reopened")


def make_shared_dicts(config: Config) -> dict[str, SharedDict]:
    """The dictionaries of a configuration, and the one that is always there."""
    sizes = {CANDY_DICT: CANDY_DICT_SIZE}
    sizes.update((settings.name, settings.size) for settings in config.shared_dicts)
    return {name: SharedDict(name, size, time.monotonic) for name, size in sizes.items()}


def _announce(app: App, listeners: list[Listener], tell: Tell | None) -> None:
    """Say in the log, and where that is a file also to ``tell``, what was started where."""
    log, folder = app.error_log, app.config.log_folder
    version = f"candy_trio/{VERSION}, Python {platform.python_version()}, trio {trio.__version__}"
    lines = [
        (Level.NOTICE, version),
        *((Level.NOTICE, mode) for mode in (app.lua.modes() if app.lua is not None else ())),
        *((Level.WARN, warning) for warning in app.config.warnings),
        *((Level.NOTICE, f"listening on {listener.url}") for listener in listeners),
    ]
    for level, line in lines:
        log.log(level, line)
        if tell is not None and (folder != STANDARD or not log.enabled(level)):
            tell(f"warning: {line}" if level == Level.WARN else line)
    if tell is not None and folder != STANDARD:
        tell(f"logs are in {folder}")
