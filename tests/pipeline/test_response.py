"""Responses on the wire: heads, framing, and what must not happen twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from candy_trio.http.writer import MAX_REMEMBERED, HeadWriter, length_line, status_line
from candy_trio.pipeline.error_page import error_page
from candy_trio.pipeline.response import Response
from candy_trio.version import VERSION

if TYPE_CHECKING:
    Sink = Any

SERVER = f"candy_trio/{VERSION}".encode()
DATE = b"Sun, 06 Nov 1994 08:49:37 GMT"
NOW = 784111777.9


def make(sink: Sink, *, is_head: bool = False, minor: int = 1) -> Response:
    return Response(
        sink,
        HeadWriter(lambda: NOW),
        is_head=is_head,
        minor=minor,
        keep_alive=True,
        server_tokens=True,
    )


def test_head_in_order() -> None:
    """Server, Date, the caller's lines, framing, Connection."""
    head = HeadWriter(lambda: NOW).head(
        200, b"X-A: b\r\n", length_line(5), keep_alive=True, server_tokens=True
    )
    assert head == (
        b"HTTP/1.1 200 OK\r\nServer: " + SERVER + b"\r\nDate: " + DATE + b"\r\n"
        b"X-A: b\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n"
    )


def test_date_follows_the_clock() -> None:
    """What is remembered within a second is forgotten with it."""
    now = NOW
    writer = HeadWriter(lambda: now)

    def head() -> bytes:
        return writer.head(200, b"", b"", keep_alive=False, server_tokens=False)

    first = head()
    assert head() == first
    now += 1
    assert head() == first.replace(b"08:49:37", b"08:49:38")


@pytest.mark.parametrize(
    ("lines", "server", "date"),
    [
        (b"server: mine\r\n", 0, 1),
        (b"A: b\r\nDATE: never\r\n", 1, 0),
        (b"Server: a\r\nDate: b\r\n", 0, 0),
        (b"X-Server: a\r\nLast-Date: b\r\nX: server: date:\r\n", 1, 1),
    ],
)
def test_own_server_and_date_are_kept(lines: bytes, server: int, date: int) -> None:
    """The caller's Server and Date replace ours; other names that end alike don't."""
    head = HeadWriter(lambda: NOW).head(200, lines, b"", keep_alive=True, server_tokens=True)
    assert head.count(b"Server: " + SERVER) == server
    assert head.count(b"Date: " + DATE) == date
    assert lines in head


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (200, b"HTTP/1.1 200 OK\r\n"),
        (302, b"HTTP/1.1 302 Moved Temporarily\r\n"),
        (413, b"HTTP/1.1 413 Request Entity Too Large\r\n"),
        (503, b"HTTP/1.1 503 Service Temporarily Unavailable\r\n"),
        (299, b"HTTP/1.1 299 \r\n"),
    ],
)
def test_status_line(status: int, line: bytes) -> None:
    """nginx's phrases; none where it has none."""
    assert status_line(status) == line


def test_page_is_nginx_s() -> None:
    """Byte for byte, with this server's name."""
    assert error_page(404, True) == (
        b"<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n"
        b"<center><h1>404 Not Found</h1></center>\r\n<hr><center>" + SERVER + b"</center>\r\n"
        b"</body>\r\n</html>\r\n"
    )
    assert b"<center>candy_trio</center>" in error_page(404, False)
    assert b"<title>302 Found</title>" in error_page(302, True)
    assert b"<title>401 Authorization Required</title>" in error_page(401, True)


@pytest.mark.parametrize("status", [200, 204, 300, 304, 305, 407, 418, 451, 599])
def test_statuses_without_a_page(status: int) -> None:
    """nginx has none for these either."""
    assert error_page(status, True) == b""


def test_beginnings_of_heads_are_not_kept_without_end() -> None:
    """Scripts that never say the same twice fill no memory, and get the lines that they say."""
    writer = HeadWriter(lambda: NOW)
    for number in range(3 * MAX_REMEMBERED):
        line = b"X-Number: %d\r\n" % number
        head = writer.head(200, line, b"", keep_alive=True, server_tokens=True)
        assert line in head
    assert len(writer._beginnings) <= MAX_REMEMBERED


async def test_complete_response_is_one_write(sink: Sink) -> None:
    """Head and body leave together; nothing is waited for."""
    response = make(sink)
    response.send_complete(200, b"", b"hello")
    assert sink.writes == 1
    assert sink.drained == 0
    assert sink.data.endswith(b"Content-Length: 5\r\nConnection: keep-alive\r\n\r\nhello")
    assert response.bytes_sent == len(sink.data)
    assert response.body_bytes_sent == 5
    assert response.ended


async def test_complete_response_waits_for_a_slow_client(sink: Sink) -> None:
    """What could not be sent at once is queued, and can be waited for."""
    sink.room = 10
    response = make(sink)
    response.send_complete(200, b"", b"hello")
    assert response.queued
    await response.drain()
    assert sink.drained == 1


async def test_large_body_is_not_copied(sink: Sink) -> None:
    """Head and a large body are two writes."""
    make(sink).send_complete(200, b"", b"x" * 100_000)
    assert sink.writes == 2
    assert sink.data.endswith(b"x" * 100_000)


@pytest.mark.parametrize("status", [204, 304])
async def test_no_body_where_none_is_allowed(sink: Sink, status: int) -> None:
    """204 and 304 have neither body nor framing, whatever the caller gives."""
    make(sink).send_complete(status, b"", b"body")
    response = make(sink)
    response.begin(status, b"", None)
    response.write(b"body")
    response.end()
    await response.drain()
    for head in sink.data.split(b"\r\n\r\n")[:2]:
        assert b"Content-Length" not in head
        assert b"Transfer-Encoding" not in head
    assert b"body" not in sink.data
    assert sink.data.count(b"\r\n\r\n") == 2


async def test_head_leaves_with_the_first_part(sink: Sink) -> None:
    """begin sends nothing; the first write takes the head along, flush sends it alone."""
    response = make(sink)
    response.begin(200, b"", None)
    assert sink.writes == 0
    assert response.queued > 0
    response.write(b"abc")
    assert sink.writes == 1
    assert sink.data.endswith(
        b"Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n3\r\nabc\r\n"
    )
    response.end()
    await response.drain()
    assert sink.data.endswith(b"3\r\nabc\r\n0\r\n\r\n")
    other = make(sink)
    other.begin(200, b"", None)
    other.flush()
    other.flush()
    assert sink.writes == 3


async def test_empty_part_does_not_end_the_body(sink: Sink) -> None:
    """An empty chunk would be the last one."""
    response = make(sink)
    response.begin(200, b"", None)
    response.write(b"")
    response.write(b"a")
    response.end()
    await response.drain()
    assert sink.data.count(b"0\r\n\r\n") == 1
    assert sink.data.endswith(b"\r\n\r\n1\r\na\r\n0\r\n\r\n")


async def test_promised_length(sink: Sink) -> None:
    """A body is cut at its length and counted; one that is too short closes the connection."""
    response = make(sink)
    response.begin(200, b"", 3)
    response.write(b"ab")
    response.write(b"cd")
    response.end()
    await response.drain()
    assert sink.data.endswith(b"\r\n\r\nabc")
    assert (response.cut, response.body_size, response.keep_alive) == (1, 3, True)
    short = make(sink)
    short.begin(200, b"", 3)
    short.write(b"ab")
    short.end()
    await short.drain()
    assert (short.keep_alive, short.aborted) == (False, True)


async def test_head_request_promises_without_sending(sink: Sink) -> None:
    """A declared length stands in the head of HEAD, and its missing body is no fault."""
    response = make(sink, is_head=True)
    response.begin(200, b"", 1000)
    response.end()
    await response.drain()
    assert b"Content-Length: 1000\r\n" in sink.data
    assert response.keep_alive


async def test_abort_drops_a_head_that_has_not_left(sink: Sink) -> None:
    """Nothing more is written after abort; the status is the log's."""
    response = make(sink)
    response.begin(200, b"", None)
    response.abort(500)
    response.end()
    await response.drain()
    assert sink.writes == 0
    assert (response.status, response.keep_alive) == (500, False)
    with pytest.raises(RuntimeError):
        response.write(b"x")


async def test_wrong_order_raises(sink: Sink) -> None:
    """A response begins once, has a body after its head, and none after its end."""
    response = make(sink)
    with pytest.raises(RuntimeError):
        response.write(b"x")
    with pytest.raises(RuntimeError):
        response.end()
    response.begin(200, b"", None)
    with pytest.raises(RuntimeError):
        response.begin(200, b"", None)
    with pytest.raises(RuntimeError):
        response.send_complete(200, b"", b"")
    response.end()
    await response.drain()
    response.end()
    with pytest.raises(RuntimeError):
        response.write(b"x")
