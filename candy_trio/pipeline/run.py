"""The straight line of a request through the phases.  Start reading here.

::

    serve ──► enter the route ──► CONTENT ──► Done ──────► finish the response ──► LOG
                   ▲                 │
                   └──── Jump ◄──────┼──────► Finish ────► the page for a status ──► LOG
                                     │
                                     └──────► an error ──► its status ─────────────► LOG

The phases before and after CONTENT have their places in ``serve``; each is a function of the
exchange that returns an outcome to leave the line, or None to go on.

What ends a request early is decided in ``serve`` alone: before the head is sent the client gets
the page of the error's status, afterwards the connection is closed without an end of the body.
In both cases the access log shows that status.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Final

from candy_trio.errors import ClientGone, ProtocolError, RequestError
from candy_trio.handlers.base import Finish, Jump
from candy_trio.handover import own_task
from candy_trio.http.strict import METHODS
from candy_trio.http.writer import forbids_body
from candy_trio.observe.log import Level
from candy_trio.pipeline.error_page import HTML, error_page, shown_status
from candy_trio.routing.paths import normalize_path

if TYPE_CHECKING:
    from candy_trio.handlers.base import Outcome
    from candy_trio.pipeline.exchange import Exchange

MAX_JUMPS: Final = 10
"""Internal redirects of one request; nginx's number, which its error messages document."""

CLIENT_GONE: Final = 499
"""nginx's status for a client that left before it was answered; it stands in logs only."""

SILENT: Final = frozenset((408, 444, CLIENT_GONE))
"""Statuses that a handler ends a request with when nothing shall be sent at all."""


ALLOW: Final = b"Allow: %b\r\n" % b", ".join(sorted(METHODS))
"""The answer to ``OPTIONS *``, which asks about the server as a whole (RFC 9110 §9.3.7): no route
is asked, so these are the methods that reach one.  (nginx refuses the request with 400.)"""


async def serve(exchange: Exchange) -> None:
    """Answer one request, then log it; raises nothing but what cancels it.

    May be begun in any task, see :mod:`candy_trio.handover`.
    """
    response = exchange.response
    try:
        try:
            if exchange.head.path == b"*":
                response.send_complete(200, ALLOW, b"")
            else:
                _enter_requested(exchange)
                while True:
                    # REWRITE and ACCESS come here; HEADER_FILTER and BODY_FILTER where the
                    # response is sent.
                    handler = exchange.app.handler_for(exchange.route)
                    if not handler.begins_anywhere:
                        await own_task()
                    outcome = await handler.handle(exchange)
                    if not isinstance(outcome, Jump):
                        break
                    _enter_jump(exchange, outcome)
                _end(exchange, outcome)
            if response.queued and not response.aborted:
                await response.drain()
        except Exception as error:
            await _fail(exchange, error)
    finally:
        _log(exchange)
        exchange.close()


async def refuse(exchange: Exchange, error: ProtocolError) -> None:
    """Answer a request whose head could not be read; its exchange has no route."""
    try:
        await _fail(exchange, error)
    finally:
        _log(exchange)


def _enter_requested(exchange: Exchange) -> None:
    """Route what the client asked for."""
    path, _, exchange.args = exchange.head.path.partition(b"?")
    exchange.uri = normalize_path(path)
    match = exchange.host.match(exchange.uri)
    if match is None or match.route.internal:
        problem = "no route for" if match is None else "only internal requests reach"
        raise RequestError(404, f'{problem} "{exchange.uri.decode(errors="replace")}"')
    route = match.route
    exchange.enter(route, match.captures)
    if exchange.head.content_length and exchange.head.content_length > route.max_body_size > 0:
        raise ProtocolError(
            413,
            f"client intended to send too large body: {exchange.head.content_length} bytes",
        )


def _enter_jump(exchange: Exchange, jump: Jump) -> None:
    """Route what a handler asked for; all routes can be reached this way."""
    exchange.internal = True
    exchange.jumps += 1
    target = jump.uri.decode(errors="replace")
    named = target.startswith("@")
    if exchange.jumps > MAX_JUMPS:
        raise RequestError(
            500,
            "rewrite or internal redirection cycle while "
            + (
                f'redirect to named location "{target}"'
                if named
                else f'internally redirecting to "{target}"'
            ),
        )
    if named:
        match = exchange.host.named(target[1:])
        if match is None:
            raise RequestError(500, f'could not find named location "{target}"')
    else:
        exchange.uri = jump.uri
        match = exchange.host.match(jump.uri)
        if match is None:
            raise RequestError(404, f'no route for "{target}"')
    if jump.args is not None:
        exchange.args = jump.args
    exchange.enter(match.route, match.captures)


def _end(exchange: Exchange, outcome: Outcome) -> None:
    """Complete the response as the handler asked for."""
    response = exchange.response
    if isinstance(outcome, Finish):
        if outcome.status in SILENT or response.head_sent:
            response.abort(outcome.status)
        else:
            _send_page(exchange, outcome)
    elif not response.ended:
        if response.head_sent:
            response.end()
        else:
            response.send_complete(200, b"", b"")
    if response.cut:
        exchange.log(
            Level.ERR,
            f"the response body is {response.cut} bytes longer than its Content-Length: cut",
        )


def _send_page(exchange: Exchange, finish: Finish) -> None:
    status = finish.status
    page = b"" if forbids_body(status) else error_page(status, exchange.response.server_tokens)
    lines = HTML + finish.header_lines if page else finish.header_lines
    exchange.response.send_complete(shown_status(status), lines, page)


async def _fail(exchange: Exchange, error: Exception) -> None:
    """Translate an error into the end of the response and its line in the error log."""
    response = exchange.response
    if isinstance(error, ClientGone):
        exchange.log(Level.INFO, str(error) or "client closed connection")
        response.abort(CLIENT_GONE)
        return
    if isinstance(error, ProtocolError):
        # What follows on the connection can't be trusted any more.
        response.keep_alive = False
        status = error.status
        exchange.log(Level.INFO, error.reason)
    elif isinstance(error, RequestError):
        status = error.status
        exchange.log(Level.ERR, error.reason)
    else:
        status = 500
        exchange.log(Level.ERR, "".join(traceback.format_exception(error)).rstrip())
    if response.head_sent or response.ended:
        response.abort(status)
        return
    try:
        _send_page(exchange, Finish(status))
        await response.drain()
    except ClientGone as gone:
        exchange.log(Level.INFO, str(gone))
        response.abort(CLIENT_GONE)


def _log(exchange: Exchange) -> None:
    """The LOG phase."""
    if not exchange.response.status:
        exchange.response.status = CLIENT_GONE  # cancelled before it had an answer
    exchange.app.log_access(exchange)
