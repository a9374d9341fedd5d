"""The answer to one request: framing, accounting, and what may happen in which order.

Rules of this module:

- Either ``send_complete`` once, or ``begin``, any number of ``write``, then ``end``; ``abort`` at
  any time.  Anything else is the caller's mistake: RuntimeError.
- Nothing here waits but ``drain``, and that only while bytes are queued.
- It has no reference to its exchange: a cycle would leave every request to the collector.
"""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from typing import Final

from mypy_extensions import mypyc_attr

from candy_trio.http.writer import (
    CHUNKED,
    LAST_CHUNK,
    HeadWriter,
    chunk,
    forbids_body,
    length_line,
)

JOIN_LIMIT: Final = 64 * 1024
"""Bytes of body that are copied behind the head to save a system call; copying more costs as
much as the call."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Sink(metaclass=ABCMeta):
    """What a response writes to: :class:`candy_trio.server.outbound.Outbound`."""

    queued: int = 0
    """Bytes that wait to be sent."""
    sent: int = 0
    """Bytes that the transport has taken, or is about to."""

    @abstractmethod
    def write(self, data: bytes) -> None:
        """Send or queue, in order, without waiting; raises ClientGone."""

    @abstractmethod
    async def drain(self) -> None:
        """Wait until nothing is queued; raises ClientGone."""


class Response:
    """See the module.  ``write`` and all that wait may raise ClientGone."""

    status: int = 0
    """The status sent; what the access log shows."""
    header_lines: bytes = b""
    """The caller's header lines, as sent."""
    framing: bytes = b""
    """The Content-Length or Transfer-Encoding line, as sent."""
    head_sent: bool = False
    """Whether status and headers are fixed (they may still be on their way)."""
    ended: bool = False
    """Whether the response is complete or aborted."""
    aborted: bool = False
    body_size: int = 0
    """Bytes of body given by the caller, before framing."""
    cut: int = 0
    """Bytes given beyond the promised length, and not sent."""
    _sent_before: int = -1
    _head_size: int = 0
    _held: bytes = b""
    """A head that waits for the first part of its body, to leave with it."""
    _chunked: bool = False
    _suppressed: bool = False
    _remaining: int = -1
    """Bytes of body still promised, -1: no length was given."""

    def __init__(
        self,
        sink: Sink,
        writer: HeadWriter,
        *,
        is_head: bool,
        minor: int,
        keep_alive: bool,
        server_tokens: bool,
    ) -> None:
        self._sink = sink
        self._writer = writer
        self._is_head = is_head
        self._minor = minor
        self.keep_alive = keep_alive
        """Whether the connection goes on after this response; no longer read once the head is
        made, but turned false whenever the end of the response can be told by closing only."""
        self.server_tokens = server_tokens

    @property
    def queued(self) -> int:
        """Bytes that wait for the client to take them."""
        return self._sink.queued + len(self._held)

    @property
    def bytes_sent(self) -> int:
        """Bytes on the wire so far, head included."""
        return 0 if self._sent_before < 0 else self._sink.sent - self._sent_before

    @property
    def body_bytes_sent(self) -> int:
        """Bytes on the wire so far without the head; chunk sizes count, as in nginx."""
        return max(0, self.bytes_sent - self._head_size)

    def send_complete(self, status: int, header_lines: bytes, body: bytes) -> None:
        """Send or queue head and body, the body's length in the head."""
        if self.head_sent or self.ended:
            raise RuntimeError("the response has begun already")
        framing = b"" if forbids_body(status) else length_line(len(body))
        self.body_size = len(body)
        head = self._make_head(status, header_lines, framing)
        self.ended = True
        if self._is_head or not framing:
            self._sink.write(head)
        elif len(body) <= JOIN_LIMIT:
            self._sink.write(head + body)
        else:
            self._sink.write(head)
            self._sink.write(body)

    def begin(self, status: int, header_lines: bytes, content_length: int | None) -> None:
        """Fix the head; it leaves with the first write, or with :meth:`flush`.

        Without a length the body is chunked, or for HTTP/1.0 ends with the connection.
        """
        if self.head_sent or self.ended:
            raise RuntimeError("the response has begun already")
        framing = b""
        self._suppressed = self._is_head
        if forbids_body(status):
            self._suppressed = True
        elif content_length is not None:
            framing = length_line(content_length)
            self._remaining = content_length
        elif not self._is_head:
            if self._minor:
                self._chunked = True
                framing = CHUNKED
            else:
                self.keep_alive = False
        self._held = self._make_head(status, header_lines, framing)

    def write(self, data: bytes) -> None:
        """Send or queue a part of the body; the queue is the caller's to bound, by ``drain``."""
        if self.ended or not self.head_sent:
            raise RuntimeError("the response has ended" if self.ended else "it has not begun")
        if self._remaining >= 0:
            if len(data) > self._remaining:
                self.cut += len(data) - self._remaining
                data = data[: self._remaining]
            self._remaining -= len(data)
        if not data:
            return  # as a chunk it would end the body
        self.body_size += len(data)
        if self._suppressed:
            return
        if self._chunked:
            data = chunk(data)
        if self._held:
            data, self._held = self._held + data, b""
        self._sink.write(data)

    def mute(self) -> None:
        """From now on what is written is not sent: the body is complete without it."""
        self._suppressed = True
        self._remaining = -1

    def flush(self) -> None:
        """Send or queue a head that waits for its body; a body never waits here."""
        if self._held:
            head, self._held = self._held, b""
            self._sink.write(head)

    async def drain(self) -> None:
        """Wait until all that was written is handed to the socket: back-pressure."""
        self.flush()
        await self._sink.drain()

    def end(self) -> None:
        """End the body without waiting; the connection closes after it if bytes are missing."""
        if self.ended:
            return
        if not self.head_sent:
            raise RuntimeError("the response has not begun")
        self.ended = True
        if self._remaining > 0 and not self._suppressed:
            self.keep_alive = False
            self.aborted = True
        last, self._held = self._held, b""
        if self._chunked:
            last += LAST_CHUNK
        if last:
            self._sink.write(last)

    def abort(self, status: int | None = None) -> None:
        """Give the response up: nothing more is written, the connection will be closed.

        ``status`` is for the access log; the client gets what it has got.
        """
        self.ended = True
        self.aborted = True
        self.keep_alive = False
        self._held = b""
        if status is not None:
            self.status = status

    def _make_head(self, status: int, header_lines: bytes, framing: bytes) -> bytes:
        self.status = status
        self.header_lines = header_lines
        self.framing = framing
        self.head_sent = True
        self._sent_before = self._sink.sent
        head = self._writer.head(
            status,
            header_lines,
            framing,
            keep_alive=self.keep_alive,
            server_tokens=self.server_tokens,
        )
        self._head_size = len(head)
        return head
