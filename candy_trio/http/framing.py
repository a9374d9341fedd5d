"""Cuts a connection's bytes into heads and bodies, for a library to parse.

The rules of this file:

* A head ends at the first CRLF CRLF, and a library is given just that head, whole: what is not
  strictly a head ending there, the checks in `strict` refuse. So a library never holds bytes
  of the next message, and needs no state that survives a message.
* A body of known length is counted here, and its bytes pass as they came, without a copy where
  possible. A chunked body is followed by `chunk_check` and decoded by the library.
* While a head is incomplete, what has come of it is already checked, so that a client that will
  never send CRLF CRLF (bare LFs, TLS on a plain port) is refused at once. Each byte is looked
  at once, however many pieces it comes in.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Final, Protocol

from candy_trio.errors import ProtocolError
from candy_trio.http.chunk_check import ChunkCheck
from candy_trio.http.events import END_OF_BODY, BodyData, Event, RequestHead
from candy_trio.http.parser import REQUEST_LINE_SHOWN, RequestParser
from candy_trio.http.strict import check_bytes, check_request_line

# Empty lines before a request line are skipped (RFC 9112 §2.2): old clients sent one after a
# body. More than a few is no such client.
MAX_EMPTY_LINES: Final = 4

_CR: Final = 0x0D
_HEAD_END: Final = b"\r\n\r\n"


# What comes next. Numbers and no Enum: a member of one is looked up at each use.
HEAD: Final = 0  # a head, or the part of it that has come
COUNTED: Final = 1  # a body of known length
CHUNKED: Final = 2  # a chunked body
BODY_END: Final = 3  # a body is complete, and has yet to be reported so
CLOSED: Final = 4  # the last message of the connection is complete
FAILED: Final = 5  # an error was raised


class ChunkDecoder(Protocol):
    """The library's reading of one chunked body."""

    @property
    def complete(self) -> bool:
        """Whether the library has seen the end of the body."""

    def decode(self, piece: bytes) -> bytes:
        """The data in `piece`. Raises ProtocolError 400."""


class FramedParser(RequestParser):
    """A parser lacking but the library: `parse_head` and `make_chunk_decoder`."""

    def __init__(self, *, max_header_size: int) -> None:
        super().__init__(max_header_size=max_header_size)
        self.state: int = HEAD
        # What is before `pos` is done with. An offset, since cutting the buffer for each of
        # many pipelined requests would copy all that follow.
        self.buffer = b""
        self.pos = 0
        self.empty_lines = 0
        # Of an incomplete head: how many bytes are known to be in order, and whether its
        # request line is among them.
        self.scanned = 0
        self.line_checked = False
        self.body_left = 0
        self.keep_alive = True
        self.chunk_check: ChunkCheck | None = None
        self.chunk_decoder: ChunkDecoder | None = None
        self.refused = b""
        # Not the exception itself: its traceback would keep this parser alive in a cycle.
        self.failure = (400, "")

    @abstractmethod
    def parse_head(self, raw: bytes) -> RequestHead:
        """Parse and check a head that ends at its first CRLF CRLF. Raises ProtocolError."""

    @abstractmethod
    def make_chunk_decoder(self) -> ChunkDecoder:
        """A decoder for the chunked body that follows."""

    def feed(self, data: bytes) -> None:
        if self.state == CLOSED or self.state == FAILED:
            return
        if self.pos == len(self.buffer):
            self.buffer = data
        else:
            self.buffer = self.buffer[self.pos :] + data
        self.pos = 0

    def next_event(self) -> Event | None:
        state = self.state
        if state == HEAD and self.pos == len(self.buffer):
            return None
        try:
            if state == HEAD:
                buffer, pos = self.buffer, self.pos
                try:
                    return self.next_head()
                except ProtocolError:
                    self.refused = first_line(buffer, pos)
                    raise
            if state == COUNTED:
                return self.next_counted()
            if state == CHUNKED:
                return self.next_decoded()
        except ProtocolError as error:
            self.state = FAILED
            self.failure = (error.status, error.reason)
            self.buffer = b""
            self.pos = 0
            raise
        if state == BODY_END:
            self.end_message()
            return END_OF_BODY
        if state == FAILED:
            raise ProtocolError(*self.failure)
        return None

    def request_line(self) -> bytes:
        return self.refused or first_line(self.buffer, self.pos)

    def head_begun(self) -> bool:
        if self.state != HEAD or self.pos == len(self.buffer):
            return False
        return bool(self.buffer[self.pos :].lstrip(b"\r\n"))

    def next_head(self) -> RequestHead | None:
        buffer = self.buffer
        pos = self.pos
        if buffer[pos] == _CR:
            pos = self.skip_empty_lines()
            if buffer[pos:] in (b"", b"\r"):
                return None
        # The end may have begun in what was scanned; never before the end of the request line.
        search_from = pos + self.scanned - len(_HEAD_END) + 1 if self.line_checked else pos
        end = buffer.find(_HEAD_END, search_from, pos + self.max_header_size)
        if end < 0:
            self.scan_incomplete()
            return None
        end += len(_HEAD_END)
        raw = buffer[pos:end]
        if end == len(buffer):
            self.buffer = b""
            self.pos = 0
        else:
            self.pos = end
        head = self.parse_head(raw)
        self.empty_lines = 0
        self.scanned = 0
        self.line_checked = False
        self.keep_alive = head.keep_alive
        if head.chunked:
            self.state = CHUNKED
            self.chunk_check = ChunkCheck(max_trailer_size=self.max_header_size)
            self.chunk_decoder = self.make_chunk_decoder()
        elif head.content_length:
            self.state = COUNTED
            self.body_left = head.content_length
        elif not head.keep_alive:
            self.end_message()
        return head

    def skip_empty_lines(self) -> int:
        while self.buffer.startswith(b"\r\n", self.pos):
            self.empty_lines += 1
            if self.empty_lines > MAX_EMPTY_LINES:
                raise ProtocolError(400, "too many empty lines before a request")
            self.pos += 2
        return self.pos

    def scan_incomplete(self) -> None:
        """Refuse what can't become a good head any more, in the order that `strict` gives."""
        start = self.pos
        size = len(self.buffer) - start
        window = self.buffer[start : start + self.max_header_size]
        if not self.line_checked:
            line_end = window.find(b"\n", self.scanned) + 1
            if line_end:
                check_bytes(window[:line_end])
                check_request_line(window[: line_end - 2])
                self.line_checked = True
                self.scanned = line_end
        # The LF of a CR at the end may be on its way.
        end = len(window) - window.endswith(b"\r")
        check_bytes(window[self.scanned : end])
        self.scanned = end
        if size >= self.max_header_size:
            if self.line_checked:
                raise ProtocolError(431, "request head too large")
            raise ProtocolError(414, "request line too long")

    def next_counted(self) -> BodyData | None:
        available = len(self.buffer) - self.pos
        if not available:
            return None
        data = self.take(min(available, self.body_left))
        self.body_left -= len(data)
        if not self.body_left:
            self.state = BODY_END
        return BodyData(data)

    def next_decoded(self) -> Event | None:
        assert self.chunk_check is not None
        assert self.chunk_decoder is not None
        size = self.chunk_check.advance(self.buffer, self.pos) - self.pos
        if not size:
            return None
        data = self.chunk_decoder.decode(self.take(size))
        complete = self.chunk_check.complete
        if len(data) != self.chunk_check.data_size or self.chunk_decoder.complete != complete:
            raise ProtocolError(400, "chunked body that can be read in two ways")
        if complete:
            self.state = BODY_END
        if data:
            return BodyData(data)
        return self.next_event() if complete else None

    def take(self, size: int) -> bytes:
        """The next `size` bytes; the very object that was fed if that is all of it."""
        end = self.pos + size
        data = self.buffer[self.pos : end]
        if end == len(self.buffer):
            self.buffer = b""
            self.pos = 0
        else:
            self.pos = end
        return data

    def end_message(self) -> None:
        self.chunk_check = None
        self.chunk_decoder = None
        if self.keep_alive:
            self.state = HEAD
        else:
            self.state = CLOSED
            self.buffer = b""
            self.pos = 0


def first_line(buffer: bytes, pos: int) -> bytes:
    """The first line behind ``pos`` that is not empty, cut for a log."""
    text = buffer[pos : pos + REQUEST_LINE_SHOWN].lstrip(b"\r\n")
    return text.partition(b"\n")[0].rstrip(b"\r")
