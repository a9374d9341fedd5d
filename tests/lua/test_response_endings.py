"""How a response ends on the wire: complete, or cut so that the client can tell."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from support.site import Site, one_route, open_site
from trio.testing import MockClock

pytestmark = pytest.mark.parametrize("engine", ["luajit", "lua51", "lua54", "lua55"])

LAST_CHUNK = b"0\r\n\r\n"


async def exchange(site: Site, head: str = "GET / HTTP/1.1", fields: str = "") -> bytes:
    """All bytes that the server sends for one request until it closes or keeps silent."""
    received = b""
    async with site.connect() as stream:
        await stream.send_all(f"{head}\r\nHost: localhost\r\n{fields}\r\n".encode())
        with trio.move_on_after(2):
            while data := await stream.receive_some(65536):
                received += data
            return received + b"<closed>"
    return received


async def test_a_script_that_raises_after_flush(
    engine: str, tmp_path: Path, autojump_clock: MockClock
) -> None:
    """The connection is cut without a last chunk, and the log has the error."""
    script = 'cd.print("part") cd.flush(true) error("boom")'
    async with open_site(tmp_path, one_route(engine), {"t.lua": script}) as site:
        received = await exchange(site)
        assert received.endswith(b"4\r\npart\r\n<closed>")
        assert "runtime error: t.lua:1: boom" in site.log()


@pytest.mark.parametrize("status", ["444", "408", "499", "cd.ERROR"])
async def test_exit_that_closes_after_flush(
    engine: str, status: str, tmp_path: Path, autojump_clock: MockClock
) -> None:
    """exit(444) and its like close the connection without a last chunk."""
    script = f'cd.print("part") cd.flush(true) cd.print("unsent") cd.exit({status})'
    async with open_site(tmp_path, one_route(engine), {"t.lua": script}) as site:
        received = await exchange(site)
        assert received.endswith(b"4\r\npart\r\n<closed>")
        assert "attempt to set status" not in site.log()


async def test_exit_with_an_error_status_after_flush(
    engine: str, tmp_path: Path, autojump_clock: MockClock
) -> None:
    """An ordinary status comes too late: the response ends as it should, on a connection that
    goes on."""
    script = 'cd.print("part") cd.flush(true) cd.exit(500)'
    async with open_site(tmp_path, one_route(engine), {"t.lua": script}) as site:
        received = await exchange(site)
        assert received.endswith(b"4\r\npart\r\n" + LAST_CHUNK)


async def test_eof_reaches_the_client_while_the_script_goes_on(
    engine: str, tmp_path: Path, autojump_clock: MockClock
) -> None:
    """The response is complete at eof; what follows runs, and its error only goes to the log."""
    script = 'cd.print("all") cd.eof() cd.sleep(1) cd.log(cd.ERR, "later") error("boom")'
    route = one_route(engine, 'lua_script = "t.lua"\nlua_check_client_abort = false')
    async with open_site(tmp_path, route, {"t.lua": script}) as site:
        received = await exchange(site)
        assert received.startswith(b"HTTP/1.1 200 OK\r\n")
        assert LAST_CHUNK in received
        log = site.log()
        assert "later" in log
        assert "t.lua:1: boom" in log


async def test_a_body_shorter_than_its_content_length(
    engine: str, tmp_path: Path, autojump_clock: MockClock
) -> None:
    """The connection closes after it: nothing else can tell the client."""
    script = 'cd.header.content_length = 4 cd.print("ab")'
    async with open_site(tmp_path, one_route(engine), {"t.lua": script}) as site:
        received = await exchange(site)
        assert b"Content-Length: 4\r\n" in received
        assert received.endswith(b"\r\n\r\nab<closed>")


async def test_connection_close(engine: str, tmp_path: Path, autojump_clock: MockClock) -> None:
    """A script that sets Connection: close gets it, streamed or not."""
    for script in (
        'cd.header["Connection"] = "Close" cd.print("x")',
        'cd.header["Connection"] = "close" cd.print("x") cd.flush() cd.print("y")',
        'cd.header["Connection"] = "close" cd.exit(404)',
    ):
        folder = tmp_path / str(len(script))
        folder.mkdir()
        async with open_site(folder, one_route(engine), {"t.lua": script}) as site:
            received = await exchange(site)
            assert received.count(b"Connection: close\r\n") == 1
            assert received.endswith(b"<closed>")


async def test_http_10_is_buffered(engine: str, tmp_path: Path, autojump_clock: MockClock) -> None:
    """The head goes last, with a Content-Length: it can be set until the end, on both views."""
    script = """
    ngx.say("a") local r, err = ngx.flush(true) local r2, err2 = ngx.flush()
    ngx.print(tostring(r), err, err2, tostring(ngx.headers_sent), ngx.req.http_version())
    ngx.header["X-Late"] = "1" ngx.print(string.rep("x", 70000))
    """
    async with open_site(tmp_path, one_route(engine), {"t.lua": script}) as site:
        received = await exchange(site, "GET / HTTP/1.0")
        head, _, body = received.partition(b"\r\n\r\n")
        text = b"a\nnilbufferingbufferingfalse1" + b"x" * 70000
        assert body == text + b"<closed>"
        assert b"X-Late: 1" in head
        assert b"Transfer-Encoding" not in head
        assert b"Content-Length: %d" % len(text) in head


async def test_http_10_unbuffered(engine: str, tmp_path: Path, autojump_clock: MockClock) -> None:
    """With lua_http10_buffering = false, or a Content-Length, it is sent when the script says."""
    script = 'ngx.print("ab") ngx.print(ngx.flush(true)) ngx.header["X-Late"] = "1"'
    keys = 'lua_script = "t.lua"\nlua_http10_buffering = false'
    async with open_site(tmp_path, one_route(engine, keys), {"t.lua": script}) as site:
        received = await exchange(site, "GET / HTTP/1.0")
        assert received.endswith(b"\r\n\r\nab1<closed>")
        assert b"X-Late" not in received
        assert b"Content-Length" not in received


async def test_http_10_with_a_content_length(
    engine: str, tmp_path: Path, autojump_clock: MockClock
) -> None:
    """A length that the script gives lets flush send at once."""
    script = 'ngx.header.content_length = 3 ngx.print("ab") ngx.print(ngx.flush(true))'
    async with open_site(tmp_path, one_route(engine), {"t.lua": script}) as site:
        received = await exchange(site, "GET / HTTP/1.0", "Connection: keep-alive\r\n")
        assert b"Content-Length: 3\r\n" in received
        assert received.endswith(b"\r\n\r\nab1")
