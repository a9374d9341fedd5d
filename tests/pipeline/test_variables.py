"""nginx's variables; the expected values were read off nginx 1.22."""

from __future__ import annotations

import os
import re
import socket
from typing import TYPE_CHECKING, Any

import pytest
import trio

from candy_trio.pipeline.variables import find_argument, find_cookie

if TYPE_CHECKING:
    from collections.abc import Callable

    import trio.testing

    MakeExchange = Callable[..., Any]

REQUEST = (
    b"GET /a/b?x=1&A=%20b HTTP/1.1\r\n"
    b"Host: Example.TEST:8080\r\n"
    b"Content-Type: text/x\r\n"
    b"Cookie: a=1; b=2\r\n"
    b"Cookie: c=3\r\n"
    b"X-Twice: one\r\n"
    b"X-Twice: two\r\n"
    b"X-Forwarded-For: 1\r\n"
    b"X-Forwarded-For: 2\r\n"
    b"Authorization: Basic dXNlcjpwYTpzcw==\r\n"
    b"\r\n"
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("arg_a", b"%20b"),
        ("ARG_X", b"1"),
        ("arg_none", None),
        ("args", b"x=1&A=%20b"),
        ("query_string", b"x=1&A=%20b"),
        ("is_args", b"?"),
        ("binary_remote_addr", b"\x7f\0\0\x09"),
        ("body_bytes_sent", b"0"),
        ("bytes_sent", b"0"),
        ("connection", b"7"),
        ("connection_requests", b"1"),
        ("connection_time", b"1.500"),
        ("content_length", None),
        ("content_type", b"text/x"),
        ("cookie_b", b"2"),
        ("cookie_C", b"3"),
        ("cookie_none", None),
        ("document_uri", b"/a/b"),
        ("host", b"example.test"),
        ("hostname", socket.gethostname().encode()),
        ("http2", b""),
        ("http_cookie", b"a=1; b=2; c=3"),
        ("http_host", b"Example.TEST:8080"),
        ("http_none", None),
        ("http_x_forwarded_for", b"1, 2"),
        ("http_x_twice", b"one"),
        ("https", b""),
        ("limit_rate", b"0"),
        ("pid", str(os.getpid()).encode()),
        ("pipe", b"."),
        ("remote_addr", b"127.0.0.9"),
        ("remote_port", b"40000"),
        ("remote_user", b"user"),
        ("request", b"GET /a/b?x=1&A=%20b HTTP/1.1"),
        ("request_body", None),
        ("request_body_file", None),
        ("request_completion", b""),
        ("request_length", str(len(REQUEST)).encode()),
        ("request_method", b"GET"),
        ("request_time", b"1.500"),
        ("request_uri", b"/a/b?x=1&A=%20b"),
        ("scheme", b"http"),
        ("sent_http_content_type", None),
        ("server_addr", b"127.0.0.1"),
        ("server_name", b"first.test"),
        ("server_port", b"8080"),
        ("server_protocol", b"HTTP/1.1"),
        ("status", b"000"),
        ("uri", b"/a/b"),
        ("URI", b"/a/b"),
        ("mine", b"a%20b"),
        ("twice", b"a%20b-a%20b"),
        ("other", b""),
        ("1", None),
        ("0", None),
        ("nope", None),
        ("", None),
        ("\xb2", None),
    ],
)
async def test_lookup(
    make_exchange: MakeExchange,
    mock_clock: trio.testing.MockClock,
    name: str,
    value: bytes | None,
) -> None:
    """Each variable of a request is what nginx gives; what is not there is None, not empty."""
    mock_clock.jump(101.5 - trio.current_time())
    assert make_exchange(REQUEST).variable(name) == value


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("msec", rb"\d{10,}\.\d{3}"),
        ("nginx_version", rb"\d+\.\d+\.\d+"),
        ("request_id", rb"[0-9a-f]{32}"),
        ("time_iso8601", rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d"),
        ("time_local", rb"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}"),
        ("document_root", rb"/.+[^/]"),
        ("realpath_root", rb"/.+[^/]"),
        ("request_filename", rb"/.+/a/b"),
    ],
)
async def test_lookup_of_what_varies(
    make_exchange: MakeExchange, name: str, pattern: bytes
) -> None:
    """Variables of time and place have nginx's form."""
    value = make_exchange(REQUEST).variable(name)
    assert re.fullmatch(pattern, value)


async def test_request_without_anything(make_exchange: MakeExchange) -> None:
    """No query string is nil, not ""; without a Host the server's name stands in."""
    exchange = make_exchange(b"GET / HTTP/1.0\r\n\r\n")
    for name in ("args", "query_string", "remote_user", "http_host", "content_type", "cookie_a"):
        assert exchange.variable(name) is None, name
    assert exchange.variable("is_args") == b""
    assert exchange.variable("host") == b"first.test"
    assert exchange.variable("server_protocol") == b"HTTP/1.0"


async def test_captures(make_exchange: MakeExchange) -> None:
    """$1 to $9 are the groups of the location, empty where only a later one took part."""
    exchange = make_exchange(b"GET /re/bx HTTP/1.0\r\n\r\n")
    assert [exchange.variable(name) for name in "0123"] == [None, b"", b"b", None]


async def test_content_length_of_a_chunked_body(make_exchange: MakeExchange) -> None:
    """It is unknown until the body has been read; request_length grows with it."""
    raw = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    exchange = make_exchange(raw, b"abc", b"de")
    assert exchange.variable("content_length") is None
    await exchange.body.read()
    assert exchange.variable("content_length") == b"5"
    assert exchange.variable("request_body") == b"abcde"
    assert exchange.variable("request_length") == str(len(raw) + 5).encode()


async def test_response_variables(make_exchange: MakeExchange) -> None:
    """sent_http_* knows the caller's lines and the framing; sizes and completion follow."""
    exchange = make_exchange(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    exchange.response.send_complete(404, b"X-A: 1\r\nX-A: 2\r\nContent-Type: t/x\r\n", b"abc")
    for name, value in {
        "sent_http_x_a": b"1",
        "sent_http_content_type": b"t/x",
        "sent_http_content_length": b"3",
        "sent_http_connection": b"keep-alive",
        "sent_http_none": None,
        "status": b"404",
        "body_bytes_sent": b"3",
        "request_completion": b"OK",
    }.items():
        assert exchange.variable(name) == value, name


@pytest.mark.parametrize(
    ("args", "value"),
    [
        (b"A=5&a=6", b"5"),
        (b"ba=1&a&a=7", b"7"),
        (b"x=a=1", None),
        (b"a", None),
        (b"a=", b""),
        (b"", None),
    ],
)
def test_find_argument(args: bytes, value: bytes | None) -> None:
    """The first pair of that name, whatever its case; a name without = is not one."""
    assert find_argument(args, b"a") == value


@pytest.mark.parametrize(
    ("header", "value"),
    [
        (b"A = 5 ; b=", b"5 "),
        (b"ba=1; a=2; a=3", b"2"),
        (b"x,a=2;b", b"2"),
        (b"a;a=4", None),
        (b'x="1; a=3";a=4', b'3"'),
        (b"aa=1", None),
        (b"", None),
        (b"a", None),
        (b"a=", b""),
    ],
)
def test_find_cookie(header: bytes, value: bytes | None) -> None:
    """nginx's way through a Cookie header, oddities included."""
    assert find_cookie(header, b"a") == value


def test_template(make_exchange: MakeExchange) -> None:
    """$name and ${name} are replaced, what is not found is empty, other dollars stay."""
    exchange = make_exchange(REQUEST)
    assert exchange.interpolate("$uri|${args}x|$nope|$|$-é") == (
        b"/a/b|x=1&A=%20bx||$|$-" + "é".encode()
    )


def test_assigning(make_exchange: MakeExchange) -> None:
    """args, limit_rate and set variables take values, of other routes too; None takes away."""
    exchange = make_exchange(REQUEST)
    exchange.assign("args", b"q=1")
    assert exchange.variable("query_string") == b"q=1"
    exchange.assign("MINE", b"new")
    assert exchange.variable("mine") == b"new"
    exchange.assign("other", b"\0\xff")
    assert exchange.variable("other") == b"\0\xff"
    exchange.assign("mine", None)
    assert exchange.variable("mine") is None
    exchange.assign("limit_rate", b"12k")
    assert exchange.variable("limit_rate") == b"12288"
    exchange.assign("args", None)
    assert exchange.variable("args") is None


@pytest.mark.parametrize(
    "name", ["host", "status", "uri", "request_body", "query_string", "is_args", "pid"]
)
def test_assigning_what_is_fixed(make_exchange: MakeExchange, name: str) -> None:
    """Built-in variables refuse."""
    with pytest.raises(ValueError, match=f'^variable "{name}" not changeable$'):
        make_exchange(REQUEST).assign(name, b"x")


@pytest.mark.parametrize("name", ["nope", "arg_a", "cookie_x", "http_x", "sent_http_x", "1"])
def test_assigning_what_is_unknown(make_exchange: MakeExchange, name: str) -> None:
    """All others were never defined, those of the families included."""
    message = (
        f'variable "{name}" not found for writing; maybe it is a built-in variable that is not '
        f"changeable or you forgot to use \"set ${name} '';\" in the config file to define it first"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make_exchange(REQUEST).assign(name, b"x")
