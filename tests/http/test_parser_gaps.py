"""What a library accepts by itself and our adapters refuse: the stricter reading wins.

Each case first shows that the library is as lenient as said. A case that fails there has become
superfluous in its check, or means that the library has moved.
"""

from __future__ import annotations

import gc
from typing import Literal

import h11
import httptools
import pytest
from contracts.parser_contract import messages_of, refusal_of

from candy_trio.http.parser import make_parser

Kind = Literal["httptools", "h11"]

START = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = START + b"Transfer-Encoding: chunked\r\n\r\n"


class Completion:
    complete = False

    def on_message_complete(self) -> None:
        self.complete = True


def httptools_accepts(raw: bytes) -> bool:
    completion = Completion()
    try:
        httptools.HttpRequestParser(completion).feed_data(raw)
    except httptools.HttpParserError:
        return False
    return completion.complete


def h11_accepts(raw: bytes) -> bool:
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(raw)
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.EndOfMessage):
                return True
            if event is h11.NEED_DATA:
                return False
    except h11.RemoteProtocolError:
        return False


LENIENT_HTTPTOOLS = {
    "no Host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two Hosts": (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    "invalid Host": (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    "HTTP/2.0": (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    "HTTP/0.9": (b"GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505),
    "ICE": (b"SOURCE / ICE/1.0\r\nHost: a\r\n\r\n", 400),
    "a WebDAV method": (b"REPORT / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    "two spaces": (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "two spaces behind": (b"GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "leading LF": (b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "leading CR": (b"\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "fragment": (b"GET /#a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "userinfo": (b"GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "another scheme": (b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "* beside OPTIONS": (b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "coding and HTTP/1.0": (
        b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400
    ),
    "coding list": (START + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    "long length": (START + b"Content-Length: " + b"0" * 30 + b"\r\n\r\n", 400),
    "long chunk size": (CHUNKED + b"0" * 30 + b"\r\n\r\n", 400),
    "obs-text in a quoted extension": (CHUNKED + b'1;a="\xe9"\r\nx\r\n0\r\n\r\n', 400),
    "long extension": (CHUNKED + b"0;" + b"a" * 1000 + b"\r\n\r\n", 400),
    "Host in the trailers": (CHUNKED + b"0\r\nHost: b\r\n\r\n", 400),
}  # fmt: skip

LENIENT_H11 = {
    "bare LF": (b"GET / HTTP/1.1\nHost: a\n\n", 400),
    "bare LF in the fields": (b"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400),
    "obs-fold": (b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n", 400),
    "control byte": (b"GET / HTTP/1.1\r\nHost: a\r\nX: y\x01\r\n\r\n", 400),
    "0x7f": (b"GET / HTTP/1.1\r\nHost: a\r\nX: y\x7f\r\n\r\n", 400),
    "equal lengths": (START + b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n", 400),
    "length list": (START + b"Content-Length: 0, 0\r\n\r\n", 400),
    "length and coding": (
        START + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400
    ),
    "coding and HTTP/1.0": (
        b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400
    ),
    "HTAB behind the coding": (START + b"Transfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n", 400),
    "long length": (START + b"Content-Length: " + b"0" * 20 + b"\r\n\r\n", 400),
    "HTTP/3.7": (b"GET / HTTP/3.7\r\nHost: a\r\n\r\n", 505),
    "HTTP/1.2": (b"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505),
    "any method": (b"FOO / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    "any target": (b"GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "fragment": (b"GET /#a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "any Host": (b"GET / HTTP/1.1\r\nHost: a b/c\r\n\r\n", 400),
    "space behind a chunk size": (CHUNKED + b"1 \r\nx\r\n0\r\n\r\n", 400),
    "bare CR in an extension": (CHUNKED + b"1;a\rb\r\nx\r\n0\r\n\r\n", 400),
    "NUL in an extension": (CHUNKED + b"1;\x00\r\nx\r\n0\r\n\r\n", 400),
    "long chunk size": (CHUNKED + b"0" * 20 + b"\r\n\r\n", 400),
    "bare LF in the trailers": (CHUNKED + b"0\r\nX: y\n\n", 400),
    "obs-fold in the trailers": (CHUNKED + b"0\r\nX: y\r\n z\r\n\r\n", 400),
    "length in the trailers": (CHUNKED + b"0\r\nContent-Length: 0\r\n\r\n", 400),
}  # fmt: skip


def check_refused(raw: bytes, status: int) -> None:
    for kind in ("httptools", "h11"):
        error = refusal_of(make_parser(kind, max_header_size=10000), [raw])
        assert error is not None, kind
        assert error.status == status, (kind, error.reason)


@pytest.mark.parametrize("name", LENIENT_HTTPTOOLS)
def test_httptools_accepts_we_refuse(name: str) -> None:
    """httptools by itself takes this for a complete message; both adapters refuse it."""
    raw, status = LENIENT_HTTPTOOLS[name]
    assert httptools_accepts(raw)
    check_refused(raw, status)


@pytest.mark.parametrize("name", LENIENT_H11)
def test_h11_accepts_we_refuse(name: str) -> None:
    """h11 by itself takes this for a complete message; both adapters refuse it."""
    raw, status = LENIENT_H11[name]
    assert h11_accepts(raw)
    check_refused(raw, status)


def test_httptools_refuses_bytes_alone() -> None:
    """httptools by itself refuses every control byte in a field and every bare CR or LF.

    Its adapter relies on that: it does not look at the bytes of a head that llhttp accepted.
    """
    raw = b"GET / HTTP/1.1\r\nHost: a\r\nX: yz\r\n\r\n"
    for position in range(len(b"GET"), len(raw) - 4):
        for code in (*range(0x09), *range(0x0A, 0x20), 0x7F):
            changed = b"%s%c%s" % (raw[:position], code, raw[position:])
            if changed.count(b"\r\n") == changed.count(b"\r") == changed.count(b"\n"):
                continue  # it completed a CRLF
            assert not httptools_accepts(changed), changed


@pytest.mark.parametrize("kind", ["httptools", "h11"])
def test_no_reference_cycle(kind: Kind) -> None:
    """A parser is freed as soon as its connection lets go of it, even after an error."""
    gc.disable()
    try:
        for raw in (CHUNKED + b"1\r\nx\r\n0\r\n\r\n", CHUNKED + b"1", START, b"GET /\x00\r\n"):
            parser = make_parser(kind, max_header_size=1000)
            if refusal_of(parser, [raw]) is None:
                assert messages_of(parser, []) == []
            kind_of_it = type(parser)
            before = sum(isinstance(thing, kind_of_it) for thing in gc.get_objects())
            del parser
            after = sum(isinstance(thing, kind_of_it) for thing in gc.get_objects())
            assert after == before - 1, raw
    finally:
        gc.enable()


BLANKS = b" " * 200_000


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "raw",
    [
        START + b"X:" + BLANKS + b"\x00\r\n\r\n",
        START + b"X:" + BLANKS + b"\r\n: \r\n\r\n",
        START + b"X:" + BLANKS + b"y" + BLANKS + b"\r\n z\r\n\r\n",
        START + b"Content-Length: 5," + BLANKS + b"5\r\n\r\n",
        START + b"Transfer-Encoding: chunked" + BLANKS + b"x\r\n\r\n",
        START + b"X: " + b"a " * 100_000 + b"\x00\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: " + b"a." * 100_000 + b"/\r\n\r\n",
        b"GET /" + b"a" * 200_000 + b"\x80 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http://" + b"a" * 200_000 + b"@ HTTP/1.1\r\nHost: a\r\n\r\n",
        CHUNKED + b"0\r\nX:" + BLANKS + b"\x00\r\n\r\n",
        CHUNKED + b"0\r\nX:" + BLANKS + b"y" + BLANKS + b"\x00\r\n\r\n",
    ],
    ids=lambda raw: repr(raw[:60]),
)
@pytest.mark.parametrize("kind", ["httptools", "h11"])
def test_no_quadratic_time(kind: Kind, raw: bytes) -> None:
    """No pattern looks at the same bytes again and again: else these would take minutes."""
    error = refusal_of(make_parser(kind, max_header_size=1_000_000), [raw])
    assert error is not None
    assert error.status in (400, 501)


def test_slow_head_is_scanned_once() -> None:
    """The bytes of a head that trickles in are each checked once, not once a piece."""
    parser = make_parser("httptools", max_header_size=100_000)
    parser.feed(b"GET / HTTP/1.1\r\nX: ")
    assert parser.next_event() is None
    for size in range(1, 50):
        parser.feed(b"a" * 10)
        assert parser.next_event() is None
        assert parser.scanned == len(b"GET / HTTP/1.1\r\nX: ") + 10 * size  # type: ignore[attr-defined]
