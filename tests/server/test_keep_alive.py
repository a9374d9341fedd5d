"""One connection after another request: order, framing, and when the connection ends."""

from __future__ import annotations

import pytest
import trio
from serving import TEXT, MakeSite, request, route

from candy_trio.handlers.base import DONE, Outcome
from candy_trio.pipeline.exchange import Exchange


async def stream(exchange: Exchange) -> Outcome:
    exchange.response.begin(200, TEXT, None)
    exchange.response.write(b"one ")
    await exchange.response.drain()
    exchange.response.write(b"two")
    return DONE


async def echo(exchange: Exchange) -> Outcome:
    await exchange.body.read()
    exchange.response.send_complete(200, TEXT, exchange.body.data or b"")
    return DONE


async def test_connection_is_kept_for_the_next_request(make_site: MakeSite) -> None:
    """A second request on one connection is answered, and each has a line in the access log."""
    site = make_site()
    client = await site.connect()
    first = await client.get("/a")
    assert (first.status, first.body) == (200, b"hello /a")
    assert first.header("connection") == "keep-alive"
    assert (await client.get("/b")).body == b"hello /b"
    assert await site.statuses() == [200, 200]
    assert [record.uri for record in site.access.all] == [b"/a", b"/b"]
    assert len({record.request_id for record in site.access.all}) == 2


async def test_pipelined_requests_are_answered_in_order(make_site: MakeSite) -> None:
    """Forty requests in one segment, more than are served without a pause, come back in order."""
    client = await make_site().connect()
    paths = [f"/{number}" for number in range(40)]
    await client.send(b"".join(request("GET", path) for path in paths))
    for path in paths:
        assert (await client.answer()).body == b"hello " + path.encode()


async def test_who_was_here_before_the_last_answer_is_pipelined(make_site: MakeSite) -> None:
    """That is what $pipe tells, also behind requests that waited."""
    pipelined: list[bool] = []

    async def tell(exchange: Exchange) -> Outcome:
        pipelined.append(exchange.connection.pipelined)
        if b"wait" in exchange.args:
            await trio.lowlevel.checkpoint()
        return DONE

    client = await make_site(tell=tell, routes=route("tell")).connect()
    for sent in (request("GET") * 2, request("GET", "/?wait") * 2, request("GET")):
        await client.send(sent)
        for _ in range(sent.count(b"GET")):
            assert (await client.answer()).status == 200
    assert pipelined == [False, True, False, True, False]


async def test_request_may_arrive_byte_by_byte(make_site: MakeSite) -> None:
    """Where the segments end means nothing."""
    client = await make_site(echo=echo, routes=route("echo")).connect()
    for byte in request("POST", "/", "Content-Length: 3", body=b"abc"):
        await client.send(bytes([byte]))
    assert (await client.answer()).body == b"abc"


@pytest.mark.parametrize(
    ("line", "kept"),
    [("", False), ("Connection: keep-alive\r\n", True), ("Connection: close\r\n", False)],
)
async def test_http_10_is_kept_only_if_asked_for(
    make_site: MakeSite, line: str, kept: bool
) -> None:
    """HTTP/1.0 closes after the answer unless the client asks for more, and is told which."""
    client = await make_site().connect()
    await client.send(
        f"GET / HTTP/1.0\r\n{line}\r\n\r\n".replace("\r\n\r\n\r\n", "\r\n\r\n").encode()
    )
    answer = await client.answer()
    assert answer.status == 200
    assert answer.header("connection") == ("keep-alive" if kept else "close")
    if kept:
        assert (await client.get()).status == 200
    else:
        assert await client.rest() == b""


async def test_close_is_honoured(make_site: MakeSite) -> None:
    """Connection: close gets its answer, says so, and ends the connection."""
    client = await make_site().connect()
    answer = await client.get("/", "Connection: close")
    assert answer.header("connection") == "close"
    assert await client.rest() == b""


async def test_head_has_length_but_no_body(make_site: MakeSite) -> None:
    """HEAD gets the head of GET; the next answer on the connection is not mistaken for a body."""
    client = await make_site().connect()
    await client.send(request("HEAD", "/a") + request("GET", "/b"))
    answer = await client.answer(to_head=True)
    assert answer.header("content-length") == "8"
    assert (await client.answer()).body == b"hello /b"


async def test_head_of_a_stream_has_no_framing(make_site: MakeSite) -> None:
    """HEAD for a response of unknown length: no chunks, no length, and the connection lives."""
    client = await make_site(stream=stream, routes=route("stream")).connect()
    await client.send(request("HEAD") + request("GET"))
    answer = await client.answer(to_head=True)
    assert answer.header("transfer-encoding") is None
    assert answer.header("content-length") is None
    assert (await client.answer()).body == b"one two"


async def test_unknown_length_is_chunked(make_site: MakeSite) -> None:
    """A response that begins without a length is chunked on 1.1, and the connection lives."""
    client = await make_site(stream=stream, routes=route("stream")).connect()
    for _ in range(2):
        answer = await client.get()
        assert answer.header("transfer-encoding") == "chunked"
        assert answer.body == b"one two"
        assert answer.complete


async def test_unknown_length_ends_a_10_connection(make_site: MakeSite) -> None:
    """HTTP/1.0 knows no chunks: the end of the body is the end of the connection."""
    client = await make_site(stream=stream, routes=route("stream")).connect()
    await client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    answer = await client.answer()
    assert answer.header("transfer-encoding") is None
    assert answer.header("connection") == "close"
    assert answer.body == b"one two"


async def test_chunked_body_comes_in(make_site: MakeSite) -> None:
    """A chunked request body is read whole, and what follows it is the next request."""
    client = await make_site(echo=echo, routes=route("echo")).connect()
    chunked = request(
        "POST", "/", "Transfer-Encoding: chunked", body=b"3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"
    )
    await client.send(chunked + chunked)
    for _ in range(2):
        assert (await client.answer()).body == b"abcd"


@pytest.mark.parametrize("path", ["*", "http://example.test/x"])
async def test_other_forms_of_targets(make_site: MakeSite, path: str) -> None:
    """OPTIONS * is answered without a route, an absolute-form target like its path."""
    client = await make_site().connect()
    await client.send(request("OPTIONS" if path == "*" else "GET", path))
    answer = await client.answer()
    assert answer.status == 200
    assert answer.body == (b"" if path == "*" else b"hello /x")
    assert (answer.header("allow") is not None) == (path == "*")


async def test_broken_request_ends_the_connection(make_site: MakeSite) -> None:
    """What is no request gets 400 after the answers to those before it; nothing behind is read."""
    site = make_site()
    client = await site.connect()
    await client.send(request("GET", "/a") + b"NONSENSE\r\n\r\n" + request("GET", "/b"))
    assert (await client.answer()).body == b"hello /a"
    answer = await client.answer()
    assert answer.status == 400
    assert answer.header("connection") == "close"
    assert b"<h1>400 Bad Request</h1>" in answer.body
    assert await client.rest() == b""
    assert await site.statuses() == [200, 400]
