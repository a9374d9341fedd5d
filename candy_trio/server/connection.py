"""One connection: requests in, one after the other, answers out, in one task and one nursery.

Rules of this module:

- The connection's own task runs everything that concerns its current request.  The nursery holds
  two helpers, which start only when they are needed: the one that sends what is queued and the
  one that watches for a client that leaves.
- One cancel scope (``_scope``) encloses all requests.  It is cancelled only while the task waits
  for a head: when that takes too long, or at shutdown when nothing has begun.  The nursery's own
  scope is the harder one: it ends requests in flight.
- The end of a response decides about the connection, never the other way round: a response that
  was told ``keep_alive`` false, or that could not be completed, is the last one.

Time limits: an idle connection is closed without a word after the host's ``timeout``; a head has
to be complete within the ``timeout`` of its first byte (408), however slowly it drips; a body may
pause for the ``timeout`` between two reads (408).
"""

from __future__ import annotations

import math
import time
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import trio

from candy_trio.errors import ClientGone, ProtocolError
from candy_trio.handover import begin, own_task
from candy_trio.http.events import BodyData, RequestHead
from candy_trio.http.parser import make_parser
from candy_trio.http.writer import CONTINUE
from candy_trio.observe.log import Level
from candy_trio.pipeline.exchange import ConnectionInfo, Exchange
from candy_trio.pipeline.response import Response
from candy_trio.pipeline.run import refuse, serve
from candy_trio.server.inbound import Inbound
from candy_trio.server.outbound import Outbound

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from candy_trio.pipeline.app import App
    from candy_trio.routing.locations import HostRoutes
    from candy_trio.server.connections import Connections
    from candy_trio.server.transport import Transport

DISCARD_LIMIT: Final = 64 * 1024
"""Bytes of a body that nobody read which are read and dropped to keep the connection: cheaper for
both sides than a new connection up to about this size."""

MAX_REQUESTS_IN_A_ROW: Final = 16
"""Pipelined requests served before others get their turn."""

LINGER_TIME: Final = 30.0
"""Seconds that a client may go on sending after the last answer, so that it gets to read it: a
closed socket that receives data is reset, and the reset overtakes the answer (RFC 9112 §9.6).
And seconds for the rest of a body that nobody read: one that drips must not hold a connection
for ever.  nginx's lingering_time, and the next its lingering_timeout."""

LINGER_PAUSE: Final = 5.0
"""Seconds that it may be silent meanwhile."""

STOPPING_LINGER_PAUSE: Final = 0.5
"""The same at shutdown, when nobody is to be kept waiting: what was on its way has arrived."""


class Connection:
    """See the module.  ``deadline`` is read by :class:`Connections`."""

    def __init__(
        self,
        transport: Transport,
        app: App,
        connections: Connections,
        serial: int,
        scheme: str = "http",
    ) -> None:
        self.deadline = math.inf
        """Until when the connection waits for a head, on trio's clock."""
        self._transport = transport
        self._app = app
        self._connections = connections
        self._inbound = Inbound(transport)
        self._info = ConnectionInfo(
            client=transport.peer_address,
            server=transport.own_address,
            serial=serial,
            scheme=scheme,
            started_mono=trio.current_time(),
        )
        self._default = self._host_for(b"")
        self._parser = make_parser(
            app.config.http_parser, max_header_size=self._default.host.max_header_size
        )
        self._scope = trio.CancelScope()
        self._ending = False  # the scope is cancelled: what arrives now arrives too late
        self._expired = False
        self._lingers = False  # the client may still be sending when the last answer is out
        self._lingering: trio.CancelScope | None = None
        self._over = False
        self._head_begun = False  # of the request that is waited for
        self._rest: Awaitable[None] | None = None  # what the connection's own task has to do
        # The current request:
        self._response: Response | None = None
        self._host_header = b""
        self._host = self._default
        self._timeout: float = self._default.host.timeout
        self._max_header_size: int = self._default.host.max_header_size
        self._body_done = True
        self._must_continue = False
        self._reusable = False  # whether the connection goes on once the body is read

    async def run(self) -> None:
        """Serve the connection until it ends, then close it; raises nothing but Cancelled."""
        try:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                self._outbound = Outbound(self._transport, nursery, self._timeout)
                self._connections.add(self)
                if self._app.stopping:  # accepted just before
                    self._limit_end()
                self.deadline = trio.current_time() + self._timeout
                with self._scope:
                    await self._serve_requests()
                if self._expired and self._parser.head_begun():
                    await self._refuse(ProtocolError(408, "client timed out"))
                with suppress(ClientGone):  # an aborted response may have left something
                    await self._outbound.drain()
                if self._lingers:
                    await self._linger()
                if nursery.child_tasks:
                    nursery.cancel_scope.cancel()
        except Exception as error:
            # A mistake of this server: the worker goes on, and the log tells.
            self._app.error_log.log(Level.CRIT, "".join(traceback.format_exception(error)).rstrip())
        finally:
            self._connections.discard(self)
            await self._transport.aclose()

    def expire(self) -> None:
        """The time for a head is up."""
        self._expired = self._ending = True
        self._scope.cancel()

    def stop(self) -> None:
        """The server shuts down: end at once if idle, else after the current request."""
        if self._lingering is not None:
            self._lingering.deadline = trio.current_time() + STOPPING_LINGER_PAUSE
        response = self._response
        if response is not None:
            if not response.head_sent:  # else the client was promised that the connection goes on
                response.keep_alive = False
        elif not self._parser.head_begun():
            self._ending = True
            self._scope.cancel()
        self._limit_end()

    def _limit_end(self) -> None:
        """At shutdown: what is in flight has the host's timeout to end."""
        self._nursery.cancel_scope.deadline = trio.current_time() + self._timeout

    async def _serve_requests(self) -> None:
        goes_on = True
        rounds = 0
        while not self._over:
            if goes_on:
                rounds += 1
                if rounds % MAX_REQUESTS_IN_A_ROW == 0:  # what is to be done need not have waited
                    await trio.lowlevel.checkpoint()
                await self._inbound.arrivals(self._take)
            rest, self._rest = self._rest, None
            if rest is not None:
                await rest
                self._info.pipelined = True  # what is here now
            goes_on = self._over or self._serve_arrived()

    def _take(self, data: bytes) -> bool:
        """Serve what has come, as far as nothing has to be waited for.

        Whether all that is left is to wait for more.  Otherwise the connection is over, or its own
        task has ``_rest`` to do.
        """
        if not data or self._ending:
            self._over = True
            return False
        self._parser.feed(data)
        self._info.pipelined = False
        return self._serve_arrived()

    def _serve_arrived(self) -> bool:
        """What :meth:`_take` says, of what the parser has."""
        in_a_row = 0
        while True:
            if in_a_row == MAX_REQUESTS_IN_A_ROW:
                # Before the parser is asked: a request it has given out must not be cancelled here.
                self._rest = _give_way()
                self._head_begun = False
                return False
            try:
                head = self._parser.next_event()
            except ProtocolError as error:
                self._rest = self._refuse(error)
                break
            if head is None:
                if self._waits_for_head(in_a_row):
                    return True
                self._over = True
                break
            assert isinstance(head, RequestHead)
            if not self._serve(head):
                break
            in_a_row += 1
            self._info.pipelined = True
        self.deadline = math.inf
        return False

    def _waits_for_head(self, served: int) -> bool:
        """Note until when; ``served`` requests came with what there is of the next one."""
        begun = self._parser.head_begun()
        if served:
            self._head_begun = begun
        elif begun and not self._head_begun:
            self._head_begun = True
            self.deadline = trio.current_time() + self._timeout
        return begun or not self._app.stopping

    def _serve(self, head: RequestHead) -> bool:
        """Serve one request; whether that is done, and the connection goes on."""
        exchange = self._make_exchange(head)
        if len(head.raw) <= self._max_header_size:
            rest = begin(serve(exchange))
        else:  # the parser applies the limit of the default host
            error = ProtocolError(431, f"head larger than {self._max_header_size} bytes")
            rest = begin(refuse(exchange, error))
        response = exchange.response
        # Once there is a watcher it is the one that reads: nothing arrives at a parked connection.
        waits = rest is not None or self._inbound.watching
        if waits or (response.keep_alive and not self._body_done):
            self._rest = self._finish(rest, head, response)
            return False
        if not response.keep_alive:
            self._end_with(head, response)
            return False
        self._response = None
        self.deadline = exchange.started_mono + self._timeout
        return True

    async def _finish(
        self, rest: Awaitable[None] | None, head: RequestHead, response: Response
    ) -> None:
        """Do of a request what has to wait."""
        if rest is not None:
            await rest
        self._inbound.unwatch()
        if not response.keep_alive:
            self._end_with(head, response)
        elif not self._body_done and not await self._discard_body():
            self._lingers = self._over = True
        self._response = None
        self._head_begun = self._parser.head_begun()
        self.deadline = trio.current_time() + self._timeout

    def _end_with(self, head: RequestHead, response: Response) -> None:
        """The connection ends with this response."""
        # A client that asked for the end sends nothing more.
        self._lingers = not self._body_done or (head.keep_alive and not response.aborted)
        self._over = True

    def _make_exchange(self, head: RequestHead) -> Exchange:
        info = self._info
        info.requests += 1
        if head.host != self._host_header:
            self._host_header = head.host
            self._host = self._host_for(head.host)
            self._timeout = self._outbound.timeout = self._host.host.timeout
            self._max_header_size = self._host.host.max_header_size
        host = self._host
        keep_alive = head.keep_alive and not self._app.stopping
        if head.has_body:
            self._body_done = False
            self._must_continue = head.expect_continue
            self._reusable = keep_alive
            # Unless the body is read after all (see body_arrived): a client that waits for
            # "100 Continue" may send the body or leave it out, there is no telling which.
            keep_alive = (
                keep_alive and not head.expect_continue and head.content_length <= DISCARD_LIMIT
            )
        response = self._response = Response(
            self._outbound,
            self._app.head_writer,
            is_head=head.method == b"HEAD",
            minor=head.minor,
            keep_alive=keep_alive,
            server_tokens=host.host.server_tokens,
        )
        now, mono = time.time(), self._transport.now()
        return Exchange(head, self._app, host, info, self, response, now, mono)

    def _host_for(self, host_header: bytes) -> HostRoutes:
        return self._app.routing.host_for(
            self._info.server_addr, self._info.server_port, host_header
        )

    def body_arrived(self) -> bytes | None:
        """See :class:`candy_trio.http.body.BodySource`."""
        if self._body_done:
            return None
        while True:
            event = self._parser.next_event()
            if isinstance(event, BodyData):
                self._must_continue = False
                return event.data
            if event is not None:
                self._body_done = True
                response = self._response
                if self._reusable and response is not None and not response.head_sent:
                    response.keep_alive = not self._app.stopping
                return None
            data = self._inbound.receive_nowait()
            if data is None:
                return b""
            self._feed_body(data)

    async def await_body(self) -> None:
        """See :class:`candy_trio.http.body.BodySource`."""
        await own_task()
        if self._must_continue:
            self._must_continue = False
            response = self._response
            # Within an answer that has begun it would be read as part of its body.
            if response is not None and not response.head_sent:
                self._outbound.write(CONTINUE)
        data = None
        with trio.move_on_after(self._timeout):
            data = await self._inbound.receive()
        if data is None:
            raise ProtocolError(408, "client timed out while sending its body")
        self._feed_body(data)

    def _feed_body(self, data: bytes) -> None:
        if not data:
            raise ClientGone("client prematurely closed connection")
        self._parser.feed(data)

    async def _discard_body(self) -> bool:
        """Whether what is left of the body was short, and is gone."""
        size = 0
        with trio.move_on_after(LINGER_TIME), suppress(ProtocolError, ClientGone):
            while (data := self.body_arrived()) is not None:
                size += len(data)
                if size > DISCARD_LIMIT:
                    return False
                if not data:
                    await self.await_body()
            return True
        return False

    def watch_client(self, on_gone: Callable[[], None]) -> None:
        """See :meth:`Exchange.watch_client`."""
        self._inbound.watch(self._nursery, on_gone)

    def unwatch_client(self) -> None:
        """See :meth:`Exchange.unwatch_client`."""
        self._inbound.unwatch()

    async def _refuse(self, error: ProtocolError) -> None:
        """Answer what is no request, as the last thing on this connection."""
        self._lingers = self._over = True
        # What stands for a head that could not be read, in the answer and in the logs.
        line = self._parser.request_line()
        head = RequestHead(b"", b"", b"/", 1, [], line, b"", 0, False, False, False, False)
        await refuse(self._make_exchange(head), error)

    async def _linger(self) -> None:
        """Read and drop what the client still sends, until it closes or for LINGER_TIME."""
        await self._transport.send_eof()
        pause = STOPPING_LINGER_PAUSE if self._app.stopping else LINGER_PAUSE
        with trio.move_on_after(LINGER_TIME) as self._lingering:
            while True:
                with trio.move_on_after(pause) as scope:
                    data = await self._inbound.receive()
                if scope.cancelled_caught or not data:
                    return


async def _give_way() -> None:
    await trio.lowlevel.checkpoint()
