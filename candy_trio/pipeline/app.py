"""What all requests of a worker share: configuration, routes and their handlers, logs, dicts."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from candy_trio.config.schema import Config, Redirect, Route
from candy_trio.handlers.base import Handler
from candy_trio.handlers.redirect import RedirectHandler
from candy_trio.http.writer import HeadWriter
from candy_trio.pipeline.records import access_record, log_context
from candy_trio.routing.table import RoutingTable

if TYPE_CHECKING:
    from candy_trio.observe.log import Level
    from candy_trio.observe.logs import Logs
    from candy_trio.pipeline.exchange import Exchange
    from candy_trio.shared_dict.base import SharedDictBackend


class LuaHost(Protocol):
    """What the worker asks of the layer that runs scripts."""

    def handler(self, route: Route) -> Handler:
        """A handler for a route whose content is a script."""

    def modes(self) -> list[str]:
        """A line for each engine in use: its version, and how it keeps limits."""

    async def run(self) -> None:
        """Whatever has to go on beside the requests; cancelled when the worker ends."""

    def close(self) -> None:
        """Close the VMs; after the last request."""


HandlerFactory = Callable[[Route], Handler]


class App:
    """One a worker; made by :mod:`candy_trio.process.worker`, read by everything below it."""

    config: Config
    shared: Mapping[str, SharedDictBackend]
    """The shared dicts by name."""
    lua: LuaHost | None
    """Set by the worker before the first request, if any route has a script."""
    stopping: bool
    """Whether the worker is shutting down: no connection is kept alive any more."""
    pid: int
    hostname: bytes
    variable_names: frozenset[str]
    """The variables that some route's ``set`` defines: nginx knows them everywhere."""
    factories: dict[type, HandlerFactory]
    """From the type of a route's content to what makes its handler."""

    def __init__(self, config: Config, logs: Logs, shared: Mapping[str, SharedDictBackend]) -> None:
        self.config = config
        self.routing = RoutingTable(config.hosts)
        self.logs = logs
        self.error_log = logs.error
        self.access_log = logs.access
        self.shared = shared
        self.head_writer = HeadWriter()
        self.lua = None
        self.stopping = False
        self.pid = os.getpid()
        self.hostname = socket.gethostname().encode()
        self.variable_names = frozenset(
            name.lower()
            for host in config.hosts
            for route in host.routes
            for name, _ in route.variables
        )
        self.factories = {Redirect: _redirect}
        self._handlers: dict[int, Handler] = {}

    def handler_for(self, route: Route) -> Handler:
        """The one handler of ``route``, made when it is first asked for."""
        handler = self._handlers.get(route.serial)
        if handler is None:
            handler = self._handlers[route.serial] = self.factories[type(route.content)](route)
        return handler

    def log_request(self, exchange: Exchange, level: Level, message: str | bytes) -> None:
        """Write to the error log what concerns ``exchange``."""
        if self.error_log.enabled(level):
            self.error_log.log(level, message, log_context(exchange))

    def log_access(self, exchange: Exchange) -> None:
        """Write the line of a request that is over to the access log, if there is one."""
        if self.access_log is not None:
            self.access_log.log(access_record(exchange))


def _redirect(route: Route) -> Handler:
    assert isinstance(route.content, Redirect)
    return RedirectHandler(route.content)
