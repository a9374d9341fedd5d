"""Responses as bytes: status line, the server's own header lines, framing (RFC 9112).

Sans-I/O: functions of their arguments and of the second that it is.  Headers keep one order, for
every response: Server, Date, what the caller gives, framing, Connection (nginx's, so far as the
caller's own lines allow).  The status line says HTTP/1.1 to every client, as RFC 9112 §2.3 asks
for and nginx does.
"""

from __future__ import annotations

import re
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Final

from candy_trio.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
CHUNKED: Final = b"Transfer-Encoding: chunked\r\n"
LAST_CHUNK: Final = b"0\r\n\r\n"
KEEP_ALIVE: Final = b"Connection: keep-alive\r\n\r\n"
CLOSE: Final = b"Connection: close\r\n\r\n"

MAX_REMEMBERED: Final = 256
"""Beginnings of heads that are kept within a second: most scripts say the same few header lines."""

REASONS: Final[dict[int, str]] = {
    100: "Continue",
    101: "Switching Protocols",
    200: "OK",
    201: "Created",
    202: "Accepted",
    204: "No Content",
    206: "Partial Content",
    301: "Moved Permanently",
    302: "Moved Temporarily",
    303: "See Other",
    304: "Not Modified",
    307: "Temporary Redirect",
    308: "Permanent Redirect",
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Not Allowed",
    406: "Not Acceptable",
    408: "Request Time-out",
    409: "Conflict",
    410: "Gone",
    411: "Length Required",
    412: "Precondition Failed",
    413: "Request Entity Too Large",
    414: "Request-URI Too Large",
    415: "Unsupported Media Type",
    416: "Requested Range Not Satisfiable",
    417: "Expectation Failed",
    421: "Misdirected Request",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Temporarily Unavailable",
    504: "Gateway Time-out",
    505: "HTTP Version Not Supported",
    507: "Insufficient Storage",
}
"""nginx's phrases, not the RFC's ("Moved Temporarily"); statuses that nginx has no phrase for are
sent without one.  417 and 431 are ours: nginx serves in place of the one, and answers 400 in
place of the other."""


_OMISSION: Final = re.compile(rb"(?m)^(?:Server|Date):\r\n")


def server_product(with_version: bool) -> str:
    """What the Server header and the error pages call this server."""
    return f"candy_trio/{VERSION}" if with_version else "candy_trio"


def chunk(data: bytes) -> bytes:
    """``data``, not empty, as one chunk (RFC 9112 §7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def forbids_body(status: int) -> bool:
    """Statuses that never have content (RFC 9110 §6.4.1)."""
    return status == 204 or status == 304 or status < 200


class HeadWriter:
    """Makes response heads; one a worker, for the sake of what it remembers within a second."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._second = -1
        self._date = b""
        self._beginnings: dict[tuple[int, bool, bytes], bytes] = {}

    def head(
        self,
        status: int,
        header_lines: bytes,
        framing: bytes,
        *,
        keep_alive: bool,
        server_tokens: bool,
    ) -> bytes:
        """The whole head, its empty line included.

        ``header_lines`` are complete lines; Server and Date are added unless they are among them,
        and left out where they are there without a value.
        ``framing`` is what :func:`length_line` gives, CHUNKED, or b"" where nothing is said.
        """
        second = int(self._now())
        if second != self._second:
            self._second = second
            self._date = b"Date: %b\r\n" % formatdate(second, usegmt=True).encode()
            self._beginnings.clear()
        key = (status, server_tokens, header_lines)
        beginning = self._beginnings.get(key)
        if beginning is None:
            if len(self._beginnings) >= MAX_REMEMBERED:
                self._beginnings.clear()
            beginning = self._beginnings[key] = self._begin(status, server_tokens, header_lines)
        return beginning + framing + (KEEP_ALIVE if keep_alive else CLOSE)

    def _begin(self, status: int, server_tokens: bool, header_lines: bytes) -> bytes:
        present = b"\n" + header_lines.lower()
        parts = [status_line(status)]
        if b"\nserver:" not in present:
            parts.append(b"Server: %b\r\n" % server_product(server_tokens).encode())
        if b"\ndate:" not in present:
            parts.append(self._date)
        parts.append(_OMISSION.sub(b"", header_lines))
        return b"".join(parts)


def length_line(length: int) -> bytes:
    """The Content-Length line."""
    return b"Content-Length: %d\r\n" % length


def status_line(status: int) -> bytes:
    """``HTTP/1.1 200 OK`` and its line end; the space stays where there is no phrase."""
    return f"HTTP/1.1 {status} {REASONS.get(status, '')}\r\n".encode()
