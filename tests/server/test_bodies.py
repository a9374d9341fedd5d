"""Request bodies as the connection sees them: limits, 100-continue, and what nobody reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trio
from serving import TEXT, MakeSite, request, route

from candy_trio.handlers.base import DONE, Outcome

if TYPE_CHECKING:
    from candy_trio.pipeline.exchange import Exchange


async def echo(exchange: Exchange) -> Outcome:
    await exchange.body.read()
    body = exchange.body
    data = body.data if body.path is None else await trio.Path(body.path).read_bytes()
    exchange.response.send_complete(200, TEXT, data or b"")
    return DONE


async def test_continue_is_sent_when_the_body_is_read(make_site: MakeSite) -> None:
    """A client that waits for 100 gets it once the handler reads, then sends, then is answered."""
    client = await make_site(echo=echo, routes=route("echo")).connect()
    await client.send(request("POST", "/", "Content-Length: 3", "Expect: 100-continue"))
    assert (await client.answer()).status == 100
    await client.send(b"abc")
    answer = await client.answer()
    assert (answer.status, answer.body) == (200, b"abc")
    assert answer.header("connection") == "keep-alive"
    assert (await client.get()).status == 200


async def test_continue_is_not_sent_when_nobody_reads(make_site: MakeSite) -> None:
    """An unread body gets no 100, and the connection closes: whether it comes nobody can tell."""
    client = await make_site().connect()
    await client.send(request("POST", "/", "Content-Length: 3", "Expect: 100-continue"))
    answer = await client.answer()
    assert answer.status == 200
    assert answer.header("connection") == "close"
    assert await client.rest() == b""


async def test_continue_is_not_sent_when_the_body_is_here(make_site: MakeSite) -> None:
    """A client that did not wait needs no 100."""
    client = await make_site(echo=echo, routes=route("echo")).connect()
    await client.send(
        request("POST", "/", "Content-Length: 3", "Expect: 100-continue", body=b"abc")
    )
    answer = await client.answer()
    assert (answer.status, answer.body) == (200, b"abc")


async def test_declared_body_above_the_limit_is_refused_at_once(make_site: MakeSite) -> None:
    """413 comes before the handler runs and before a byte of the body is sent."""
    ran = []

    async def handler(exchange: Exchange) -> Outcome:
        ran.append(exchange)
        return DONE

    site = make_site('max_body_size = "1k"', routes=route("handler"), handler=handler)
    client = await site.connect()
    await client.send(request("POST", "/", "Content-Length: 1025", "Expect: 100-continue"))
    answer = await client.answer()
    assert answer.status == 413
    assert answer.header("connection") == "close"
    assert await client.rest() == b""
    assert not ran
    assert await site.statuses() == [413]


async def test_chunked_body_above_the_limit_is_refused_on_the_way(make_site: MakeSite) -> None:
    """A chunked body is counted as it comes; at the limit it passes, one byte above it is 413."""
    site = make_site('max_body_size = "1k"', routes=route("echo"), echo=echo)
    for extra, status in ((0, 200), (1, 413)):
        client = await site.connect()
        await client.send(request("POST", "/", "Transfer-Encoding: chunked"))
        await client.send(b"200\r\n" + b"a" * 512 + b"\r\n")
        size = 512 + extra
        await client.send(b"%x\r\n" % size + b"b" * size + b"\r\n0\r\n\r\n")
        assert (await client.answer()).status == status
    assert await client.rest() == b""


async def test_small_unread_body_is_skipped(make_site: MakeSite) -> None:
    """A short body that nobody reads is dropped, and the next request is found behind it."""
    client = await make_site().connect()
    await client.send(request("POST", "/a", "Content-Length: 1000", body=b"x" * 400))
    assert (await client.answer()).body == b"hello /a"
    await client.send(b"x" * 600 + request("GET", "/b"))
    assert (await client.answer()).body == b"hello /b"


async def test_large_unread_body_ends_the_connection(make_site: MakeSite) -> None:
    """A long one is not waited for: the answer says close, and the client can read it in peace
    while it is still sending."""
    client = await make_site().connect()
    await client.send(request("POST", "/a", "Content-Length: 1000000"))
    answer = await client.answer()
    assert answer.header("connection") == "close"
    await client.send(b"x" * 100_000)
    assert await client.rest() == b""


async def test_long_chunked_unread_body_ends_the_connection(make_site: MakeSite) -> None:
    """The length of a chunked body shows too late for the head, but not for the connection."""
    client = await make_site().connect()
    await client.send(request("POST", "/a", "Transfer-Encoding: chunked"))
    assert (await client.answer()).status == 200
    await client.send(b"11000\r\n" + b"x" * 0x11000 + b"\r\n")
    assert await client.rest() == b""


async def test_broken_chunk_is_answered_400(make_site: MakeSite) -> None:
    """Broken framing found while the handler reads: 400, and the connection ends."""
    site = make_site(echo=echo, routes=route("echo"))
    client = await site.connect()
    await client.send(request("POST", "/", "Transfer-Encoding: chunked", body=b"zz\r\n"))
    assert (await client.answer()).status == 400
    assert await client.rest() == b""
    assert await site.statuses() == [400]


async def test_all_bytes_come_in_unchanged(make_site: MakeSite) -> None:
    """A body above the buffer goes through a file: every byte value, in order, and back out."""
    body = bytes(range(256)) * 4096
    paths: list[Path] = []

    async def through_file(exchange: Exchange) -> Outcome:
        outcome = await echo(exchange)
        assert exchange.body.path is not None
        paths.append(Path(exchange.body.path))
        return outcome

    client = await make_site(echo=through_file, routes=route("echo")).connect()
    for _ in range(2):
        await client.send(request("POST", "/", f"Content-Length: {len(body)}", body=body))
        assert (await client.answer()).body == body
    assert len(set(paths)) == 2
    await trio.testing.wait_all_tasks_blocked()
    assert not any(path.exists() for path in paths)


async def test_client_that_leaves_in_its_body_is_gone(make_site: MakeSite) -> None:
    """The end of the stream within a body: nothing is answered, 499 in the log."""
    site = make_site(echo=echo, routes=route("echo"))
    client = await site.connect()
    await client.send(request("POST", "/", "Content-Length: 10", body=b"abc"))
    await client.stream.send_eof()
    assert await client.rest() == b""
    assert await site.statuses() == [499]


@pytest.mark.parametrize(("host", "status"), [("small", 431), ("large", 200)])
async def test_header_limit_of_each_host(make_site: MakeSite, host: str, status: int) -> None:
    """Hosts of one address have header limits of their own."""
    second = (
        '[[host]]\nip = "127.0.0.1"\nport = 80\nserver_name = "small"\nmax_header_size = "1k"\n'
        + route("hello")
    )
    site = make_site('server_name = "large"', routes=route("hello") + second)
    client = await site.connect()
    await client.send(f"GET / HTTP/1.1\r\nHost: {host}\r\nX: {'x' * 1100}\r\n\r\n".encode())
    assert (await client.answer()).status == status
    assert await site.statuses() == [status]
