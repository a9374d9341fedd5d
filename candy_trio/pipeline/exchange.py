"""The exchange: one request and its answer, the one object that travels through the phases.

Rules of this module:

- It holds, it does not do: what happens to a request stands in :mod:`candy_trio.pipeline.run`.
- ``head`` is what the client sent and never changes; ``method``, ``uri``, ``args`` and
  ``request_headers`` are what it stands for now, and scripts change them.
- Handlers and the Lua API lie below this layer and are given the object: what they need of the
  pipeline is a method here, not an import there.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from candy_trio.http import conditional
from candy_trio.http.body import BodySource, RequestBody
from candy_trio.http.dates import parse_http_time
from candy_trio.pipeline import variables
from candy_trio.pipeline.error_page import HTML, error_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from candy_trio.config.schema import Route
    from candy_trio.http.events import RequestHead
    from candy_trio.observe.log import Level
    from candy_trio.pipeline.app import App
    from candy_trio.pipeline.response import Response
    from candy_trio.routing.locations import HostRoutes


class ConnectionInfo:
    """What a request may know of the connection it came by."""

    __slots__ = (
        "client_addr",
        "client_port",
        "pipelined",
        "requests",
        "scheme",
        "serial",
        "server_addr",
        "server_port",
        "started_mono",
    )

    client_addr: str
    client_port: int
    server_addr: str
    server_port: int
    serial: int
    """Unique in the worker."""
    scheme: str
    started_mono: float
    """``trio.current_time()`` at the accept."""
    requests: int
    """Requests begun so far, the current one included."""
    pipelined: bool
    """Whether the current request was here before the last one was answered."""

    def __init__(
        self,
        *,
        client: tuple[str, int],
        server: tuple[str, int],
        serial: int,
        scheme: str,
        started_mono: float,
    ) -> None:
        self.client_addr, self.client_port = client
        self.server_addr, self.server_port = server
        self.serial = serial
        self.scheme = scheme
        self.started_mono = started_mono
        self.requests = 0
        self.pipelined = False


class ClientLink(BodySource, Protocol):
    """The connection as its current request needs it."""

    def watch_client(self, on_gone: Callable[[], None]) -> None:
        """See :meth:`Exchange.watch_client`."""

    def unwatch_client(self) -> None:
        """See :meth:`Exchange.unwatch_client`."""


class Exchange:
    """See the module; made by the connection, routed by the pipeline."""

    head: RequestHead
    app: App
    host: HostRoutes
    connection: ConnectionInfo
    response: Response
    started: float
    """``time.time()`` when the head was complete."""
    started_mono: float
    """``trio.current_time()`` then."""
    method: bytes
    uri: bytes = b""
    """Decoded, normalised, without the query string."""
    args: bytes = b""
    """The query string without its question mark, as sent."""
    args_emptied: bool = False
    """Whether a script made it empty: $args is then "" and not "not found"."""
    request_headers: list[tuple[bytes, bytes]]
    """Whoever changes it makes a copy first: the list is the head's."""
    route: Route
    """The route that serves the request now; a request that is refused never gets one."""
    captures: tuple[bytes | None, ...] = ()
    internal: bool = False
    jumps: int = 0
    variables: dict[str, bytes | None]
    """Values of ``set`` variables, names in lower case; None is "not found"."""
    limit_rate: int = 0
    """What ``$limit_rate`` was set to, in bytes a second; nothing acts on it yet."""
    lua: object = None
    """For the Lua layer to keep what it wants with this request."""
    _body: RequestBody | None = None
    _request_id: str = ""
    _judging_headers: list[tuple[bytes, bytes]] | None = None

    def __init__(
        self,
        head: RequestHead,
        app: App,
        host: HostRoutes,
        connection: ConnectionInfo,
        link: ClientLink,
        response: Response,
        started: float,
        started_mono: float,
    ) -> None:
        self.head = head
        self.app = app
        self.host = host
        self.connection = connection
        self.response = response
        self.started = started
        self.started_mono = started_mono
        self.method = head.method
        self.request_headers = head.headers
        self.variables = {}
        self._link = link

    @property
    def body(self) -> RequestBody:
        """The request's body; made when first asked for, since most requests have none."""
        body = self._body
        if body is None:
            route = self.route
            body = self._body = RequestBody(
                self._link if self.head.has_body else None,
                max_size=route.max_body_size,
                buffer_size=route.client_body_buffer_size,
            )
        return body

    def enter(self, route: Route, captures: tuple[bytes | None, ...]) -> None:
        """Make ``route`` the one that serves this request, its limits and ``set`` included."""
        self.route = route
        self.captures = captures
        self.response.server_tokens = route.server_tokens
        if self._body is not None:
            self._body.max_size = route.max_body_size
            self._body.buffer_size = route.client_body_buffer_size
        for name, template in route.variables:
            self.variables[name.lower()] = variables.interpolate(self, template)

    def set_args(self, args: bytes | None) -> None:
        """Put another query string in the place of the one there is; None: there is none."""
        self.args = args or b""
        self.args_emptied = args == b""

    def close(self) -> None:
        """The request is over: remove what it left behind."""
        if self._body is not None:
            self._body.close()

    def request_id(self) -> str:
        """32 hexadecimal digits, made when first asked for; nobody can guess them."""
        if not self._request_id:
            self._request_id = os.urandom(16).hex()
        return self._request_id

    def judge(self, lines: bytes) -> tuple[int, bytes]:
        """Status and header lines of a response that would be a 200, as the request's conditions
        make them: 304, or 412 instead of any response.
        """
        headers = self._judging_headers
        if headers is None:
            headers = self.request_headers
        # Scripts change a copy.
        if headers is self.head.headers and not self.head.conditional:
            return 200, lines
        conditions = conditional.conditions_of(headers)
        status = conditional.evaluate(conditions, lines, parse_http_time) if conditions else 200
        return status, lines if status == 200 else conditional.without_content(lines)

    def keep_conditions(self) -> None:
        """The fields as they are now judge the response, whatever becomes of them."""
        if self._judging_headers is None:
            self._judging_headers = self.request_headers

    def begin_page(self, status: int) -> None:
        """Answer with the page for ``status`` in the place of what is still to be written."""
        response = self.response
        page = error_page(status, response.server_tokens)
        response.begin(status, HTML, len(page))
        response.write(page)
        response.mute()

    def watch_client(self, on_gone: Callable[[], None]) -> None:
        """Call ``on_gone`` once if the client leaves before the request is over.

        Where it is known already that the client has left, from within this call.
        """
        self._link.watch_client(on_gone)

    def unwatch_client(self) -> None:
        """Call nothing any more; harmless when nothing is watched."""
        self._link.unwatch_client()

    def variable(self, name: str) -> bytes | None:
        """The nginx variable ``name``, None if there is none."""
        return variables.lookup(self, name)

    def assign(self, name: str, value: bytes | None) -> None:
        """Set a variable; raises ValueError with nginx's message where that is not possible."""
        variables.assign(self, name, value)

    def interpolate(self, template: str) -> bytes:
        """``template`` with its ``$variables`` replaced."""
        return variables.interpolate(self, template)

    def log(self, level: Level, message: str | bytes) -> None:
        """Write to the error log, with this request's context."""
        self.app.log_request(self, level, message)
