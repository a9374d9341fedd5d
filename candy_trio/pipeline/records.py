"""What the logs are told of an exchange."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import trio

from candy_trio.observe.access_log import AccessRecord
from candy_trio.observe.log import LogContext

if TYPE_CHECKING:
    from candy_trio.pipeline.exchange import Exchange

_PROTOCOLS: Final = (b"HTTP/1.0", b"HTTP/1.1")


def access_record(exchange: Exchange) -> AccessRecord:
    """The line of the access log, made when the request is over."""
    referer = user_agent = user = b""
    head = exchange.head
    # One pass, and the length first: this runs for each request.
    for name, value in head.headers:
        size = len(name)
        if size == 10:
            if name.lower() == b"user-agent":
                user_agent = value
        elif size == 7:
            if name.lower() == b"referer":
                referer = value
        elif size == 13 and name.lower() == b"authorization":
            user = exchange.variable("remote_user") or b""
    response = exchange.response
    method, target, protocol = head.method, head.target, _PROTOCOLS[head.minor]
    if not method:  # refused: all that is known is its first line, as far as it came
        method, _, rest = head.raw.partition(b" ")
        target, _, protocol = rest.partition(b" ")
    return AccessRecord(
        time.time(),
        exchange.request_id(),
        exchange.connection.client_addr,
        method,
        target,
        protocol,
        response.status,
        response.body_bytes_sent,
        response.bytes_sent,
        trio.current_time() - exchange.started_mono,
        head.host,
        referer,
        user_agent,
        user,
    )


def log_context(exchange: Exchange) -> LogContext:
    """What a line of the error log says of the request that it is about."""
    names = exchange.host.host.server_names
    return LogContext(
        connection=exchange.connection.serial,
        client=exchange.connection.client_addr,
        server=names[0] if names else "",
        request=exchange.head.raw.partition(b"\r\n")[0],
        host=exchange.head.host,
        request_id=exchange.request_id(),
    )
