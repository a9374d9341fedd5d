"""Requests given byte by byte, where the form of a case in ``tests/lua_cases`` says too little.

What the scripts are told here was compared with nginx 1.22 and the Lua module 0.10.23.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from support.site import one_route, open_site, read_reply

pytestmark = pytest.mark.parametrize("engine", ["luajit", "lua51", "lua54", "lua55"])


async def answer(engine: str, folder: Path, script: str, request: str) -> tuple[int, str, str]:
    """Status, body and log of one request."""
    async with open_site(folder, one_route(engine), {"t.lua": script}) as site:
        reply = await site.raw(request.encode("latin-1"))
        return reply.status, reply.text, site.log()


async def test_empty_lines_before_a_request(engine: str, tmp_path: Path) -> None:
    """They are no part of the head that a script sees."""
    script = 'ngx.print("[", ngx.req.raw_header(), "][", ngx.req.raw_header(true), "]")'
    head = "GET /x HTTP/1.1\r\nHost:localhost\r\nX-A:  1\r\n\r\n"
    _, body, _ = await answer(engine, tmp_path, script, "\r\n\r\n" + head)
    assert body == f"[{head}][Host:localhost\r\nX-A:  1\r\n\r\n]"


async def test_http_10_without_a_field(engine: str, tmp_path: Path) -> None:
    """No Host at all: the variable falls back to the server's name, which is none here."""
    script = """
    ngx.print("[", ngx.req.raw_header(), "] [", ngx.var.host, "] ", ngx.var.http_host, " ",
              ngx.req.http_version(), " ", ngx.var.server_protocol, " ",
              next(ngx.req.get_headers()))"""
    head = "GET /x HTTP/1.0\r\n\r\n"
    _, body, _ = await answer(engine, tmp_path, script, head)
    assert body == f"[{head}] [] nil 1 HTTP/1.0 nil"


async def test_a_target_in_absolute_form(engine: str, tmp_path: Path) -> None:
    """Its authority is the host, and the field beside it a field like any other."""
    script = """
    local v = ngx.var
    ngx.print(v.host, " ", v.http_host, " ", v.request_uri, " ", v.uri, " ", v.args, " ",
              v.request)"""
    head = "GET http://Other.example:81/p?q=1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    _, body, _ = await answer(engine, tmp_path, script, head)
    assert body == (
        "other.example localhost /p?q=1 /p q=1 GET http://Other.example:81/p?q=1 HTTP/1.1"
    )


async def test_pipelined_requests_have_heads_of_their_own(engine: str, tmp_path: Path) -> None:
    """Also where the first has a body that its script says is shorter."""
    script = """
    ngx.req.set_header("Content-Length", 2) ngx.req.read_body()
    ngx.print(ngx.req.raw_header(), ngx.req.get_body_data(), " ", ngx.var.connection_requests)"""
    first = "POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n"
    second = "GET /b HTTP/1.1\r\nHost: localhost\r\n\r\n"
    async with open_site(tmp_path, one_route(engine), {"t.lua": script}) as site:
        stream = site.connect()
        async with stream:
            await stream.send_all((first + "hello").encode())
            assert (await read_reply(stream)).text == first + "he 1"
            await stream.send_all(second.encode())
            assert (await read_reply(stream)).text == second + "nil 2"


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(
    ("size", "told"),
    [
        (16384, "16384 nil 16384 nil 16384"),
        (16385, "nil string nil true 16385"),
        (40000, "nil string nil true 40000"),
    ],
)
async def test_bodies_around_the_buffer(
    engine: str, size: int, told: str, chunked: bool, tmp_path: Path
) -> None:
    """Up to client_body_buffer_size a body is in memory, above it in a file.

    nginx keeps up to a quarter more in memory, depending on how much came with the head.
    """
    script = """
    ngx.req.read_body()
    local data, file, var = ngx.req.get_body_data(), ngx.req.get_body_file(), ngx.var.request_body
    ngx.print(data and #data, " ", file and type(file), " ", var and #var, " ",
              file and ngx.var.request_body_file == file, " ", ngx.var.content_length)"""
    body = "x" * size
    if chunked:
        fields, sent = "Transfer-Encoding: chunked", f"{size:x}\r\n{body}\r\n0\r\n\r\n"
    else:
        fields, sent = f"Content-Length: {size}", body
    request = f"POST /t HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n\r\n{sent}"
    _, text, log = await answer(engine, tmp_path, script, request)
    assert text == told
    warned = log.count("a client request body is buffered to a temporary file /")
    assert warned == (size > 16384)


@pytest.mark.parametrize(
    ("script", "status", "length", "body"),
    [
        # All is held back: the head may still change, but an exit comes too late.
        ('ngx.say("a") ngx.status = 404 ngx.header.foo = "bar"', 404, "2", "a\n"),
        ('ngx.say("a") ngx.exit(404)', 200, "2", "a\n"),
        ('ngx.say("a") ngx.eof()', 200, "2", "a\n"),
        ('ngx.say("a") local a, b = ngx.flush(true) ngx.say(a, b)', 200, "15", "a\nnilbuffering\n"),
        ("ngx.say(ngx.headers_sent) ngx.say(ngx.headers_sent)", 200, "12", "false\nfalse\n"),
    ],
)
async def test_http_10_holds_back(
    engine: str, script: str, status: int, length: str, body: str, tmp_path: Path
) -> None:
    """To HTTP/1.0 a response goes as a whole, with its length."""
    async with open_site(tmp_path, one_route(engine), {"t.lua": script}) as site:
        reply = await site.raw(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
        assert (reply.status, reply.header("content-length"), reply.text) == (status, length, body)


async def test_a_condition_not_met_within_a_streamed_response(engine: str, tmp_path: Path) -> None:
    """The client gets the page for 412, whole; the script goes on, and so does the connection."""
    script = """
    ngx.header.etag = '"x"' ngx.print("abc") ngx.flush(true) ngx.print("def") ngx.flush(true)
    ngx.log(ngx.ERR, "went on, ", ngx.status)"""
    head = 'GET / HTTP/1.1\r\nHost: localhost\r\nIf-Match: "%s"\r\n\r\n'
    async with open_site(tmp_path, one_route(engine), {"t.lua": script}) as site:
        stream = site.connect()
        async with stream:
            await stream.send_all((head % "y").encode())
            reply = await read_reply(stream)
            assert reply.status == 412
            assert "412 Precondition Failed" in reply.text
            assert "abc" not in reply.text
            assert reply.header("etag") is None
            await stream.send_all((head % "x").encode())
            assert (await read_reply(stream)).text == "abcdef"
        assert "went on, 412" in site.log()


async def test_a_condition_in_any_spelling(engine: str, tmp_path: Path) -> None:
    """Names of fields have no case, HEAD is as good as GET."""
    script = """ngx.header.etag = '"x"' ngx.print("abc")"""
    async with open_site(tmp_path, one_route(engine), {"t.lua": script}) as site:
        request = b'HEAD / HTTP/1.1\r\nHost: localhost\r\nIF-NONE-match: "x"\r\n\r\n'
        reply = await site.raw(request, "HEAD")
        assert (reply.status, reply.header("content-length")) == (304, None)
