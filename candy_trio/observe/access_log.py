"""The access log: one line a request.

"combined" is nginx's log format of that name (ngx_http_log_module), with the request id after
it, so that a line can be found in the error log. Programs that read combined lines ignore what
follows the user agent::

    $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent
    "$http_referer" "$http_user_agent" $request_id

(on one line). What comes from the client is escaped as nginx does: ``"``, ``\\``, control bytes
and all bytes above 126 as ``\\xXX``. What is absent is "-".

"json" is one object a line with the fields of :class:`JsonLine`; bytes that are not UTF-8 are
replaced by U+FFFD.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from candy_trio.observe.text import SecondCache, common_time, escape, iso_time, needs_escape

if TYPE_CHECKING:
    from collections.abc import Callable

    from candy_trio.observe.writer import LogWriter


# gc=False: one is made for every request, and it can't be part of a cycle.
class AccessRecord(msgspec.Struct, frozen=True, gc=False):
    """What the log says of one request; bytes are as they came from the client.

    Of a request that was refused, method, uri and protocol are the words of its first line, as
    far as it came; without any the request is logged as "-".
    """

    time: float  # when it ended: seconds since the epoch
    request_id: str
    remote_addr: str
    method: bytes
    uri: bytes  # request-target as sent
    protocol: bytes  # b"HTTP/1.1"
    status: int
    body_bytes_sent: int
    bytes_sent: int
    request_time: float  # seconds
    host: bytes
    referer: bytes
    user_agent: bytes
    remote_user: bytes = b""  # combined only


class JsonLine(msgspec.Struct, frozen=True, gc=False):
    """The fields of a line in format "json", in their order."""

    time: str  # 2026-11-22T10:00:00+00:00
    request_id: str
    remote_addr: str
    method: str
    uri: str
    protocol: str
    status: int
    body_bytes_sent: int
    bytes_sent: int
    request_time: float  # seconds, to the millisecond
    host: str
    referer: str
    user_agent: str


class AccessLog:
    """Writes records in one of the two formats."""

    def __init__(self, writer: LogWriter, style: Literal["combined", "json"]) -> None:
        self.writer = writer
        self._format: Callable[[AccessRecord], bytes]
        if style == "json":
            self._format = self._json
            self._time = SecondCache(iso_time)
            self._encoder = msgspec.json.Encoder()
        else:
            self._format = self._combined
            self._time = SecondCache(common_time)

    def log(self, record: AccessRecord) -> None:
        """Write the line of one request."""
        self.writer.write(self._format(record))

    def _combined(self, record: AccessRecord) -> bytes:
        method, uri, referer = record.method, record.uri, record.referer
        protocol, agent, user = record.protocol, record.user_agent, record.remote_user
        # Nearly always nothing is to be escaped: one look at all of it settles that.
        if needs_escape(b"".join((method, uri, protocol, referer, agent, user))):
            method, uri, protocol = escape(method), escape(uri), escape(protocol)
            referer, agent, user = escape(referer), escape(agent), escape(user)
        if protocol:
            request = b"%b %b %b" % (method, uri, protocol)
        else:  # refused: its line broke off
            request = b" ".join(filter(None, (method, uri))) or b"-"
        return b'%b - %b [%b] "%b" %d %d "%b" "%b" %b\n' % (
            record.remote_addr.encode(),
            user or b"-",
            self._time(record.time),
            request,
            record.status,
            record.body_bytes_sent,
            referer or b"-",
            agent or b"-",
            record.request_id.encode() or b"-",
        )

    def _json(self, record: AccessRecord) -> bytes:
        line = JsonLine(
            self._time(record.time).decode("ascii"),
            record.request_id,
            record.remote_addr,
            record.method.decode("utf-8", "replace"),
            record.uri.decode("utf-8", "replace"),
            record.protocol.decode("utf-8", "replace"),
            record.status,
            record.body_bytes_sent,
            record.bytes_sent,
            round(record.request_time, 3),
            record.host.decode("utf-8", "replace"),
            record.referer.decode("utf-8", "replace"),
            record.user_agent.decode("utf-8", "replace"),
        )
        return self._encoder.encode(line) + b"\n"
