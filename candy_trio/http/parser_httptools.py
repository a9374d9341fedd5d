"""Requests parsed by httptools, which is llhttp, the parser of Node.js.

What llhttp lets through and `strict` refuses: a missing, second or invalid Host, methods and
protocols that are not ours, versions 0.9 and 2.0, several spaces in the request line, a
fragment in the target, whitespace behind values (left to us to strip). It refuses by itself
whatever is wrong with single bytes and line ends, so the raw bytes of a head need no second
look: tests/http/ holds that for every byte value in every part of a head.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from candy_trio.errors import ProtocolError
from candy_trio.http.framing import ChunkDecoder, FramedParser
from candy_trio.http.strict import build_head, refusal

if TYPE_CHECKING:
    from candy_trio.http.events import RequestHead

# Makes a fresh llhttp ready for a chunked body. Not the request's own head: one that asks for
# an upgrade would stop llhttp before the body, and a server that does not upgrade must read it
# (RFC 9110 §7.8).
CHUNKED_HEAD: Final = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"


class HeadCallbacks:
    """What llhttp calls while it reads a head.

    An object of its own, since llhttp keeps references to the methods: were they the parser's,
    each connection would leave a cycle for the garbage collector.
    """

    def __init__(self) -> None:
        self.target = b""
        self.headers: list[tuple[bytes, bytes]] = []

    # For httptools, which asks for each of its callbacks, one that is missing is an exception.
    on_message_begin: ClassVar = None
    on_headers_complete: ClassVar = None
    on_body: ClassVar = None
    on_message_complete: ClassVar = None
    on_chunk_header: ClassVar = None
    on_chunk_complete: ClassVar = None

    def on_url(self, target: bytes) -> None:
        self.target = target

    def on_header(self, name: bytes, value: bytes) -> None:
        # llhttp leaves the whitespace behind a value; SP and HTAB are all it lets in.
        self.headers.append((name, value.rstrip()))


class HttptoolsParser(FramedParser):
    def __init__(self, *, max_header_size: int) -> None:
        super().__init__(max_header_size=max_header_size)
        self.callbacks = HeadCallbacks()

    def parse_head(self, raw: bytes) -> RequestHead:
        callbacks = self.callbacks
        headers = callbacks.headers = []
        # A fresh one costs 0.2 µs. One kept for the next head would have to agree with us on
        # whether there is a next one, and it heeds Proxy-Connection.
        llhttp = HttpRequestParser(callbacks)
        try:
            llhttp.feed_data(raw)
        except HttpParserUpgrade:
            # For us an ordinary request. llhttp has stopped behind the head, where we stop, too.
            pass
        except HttpParserError as error:
            raise refusal(raw, str(error)) from None
        return build_head(raw, llhttp.get_method(), callbacks.target, headers)

    def make_chunk_decoder(self) -> ChunkDecoder:
        return HttptoolsChunkDecoder()


class BodyCallbacks:
    """What llhttp calls while it reads a chunked body."""

    __slots__ = ("complete", "on_body", "parts")

    def __init__(self) -> None:
        self.complete = False
        self.parts: list[bytes] = []
        self.on_body = self.parts.append

    def on_message_complete(self) -> None:
        self.complete = True


class HttptoolsChunkDecoder:
    def __init__(self) -> None:
        self.callbacks = BodyCallbacks()
        self.llhttp = HttpRequestParser(self.callbacks)
        self.llhttp.feed_data(CHUNKED_HEAD)

    @property
    def complete(self) -> bool:
        return self.callbacks.complete

    def decode(self, piece: bytes) -> bytes:
        try:
            self.llhttp.feed_data(piece)
        except HttpParserError as error:
            raise ProtocolError(400, str(error)) from None
        parts = self.callbacks.parts
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        parts.clear()
        return data
