"""What the parsers say: a request's head, pieces of its body, the end of its body.

A head without a body is the whole message: no :class:`EndOfBody` follows it, which saves
the commonest requests an event.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec


class RequestHead:
    """Request line and header fields, checked (RFC 9112 §3, §5, §6).

    Nothing of it ever changes: whoever changes header fields copies the list first.
    """

    __slots__ = (
        "chunked",
        "conditional",
        "content_length",
        "expect_continue",
        "has_body",
        "headers",
        "host",
        "keep_alive",
        "method",
        "minor",
        "path",
        "raw",
        "target",
    )

    def __init__(
        self,
        method: bytes,
        target: bytes,
        path: bytes,
        minor: int,
        headers: list[tuple[bytes, bytes]],
        raw: bytes,
        host: bytes,
        content_length: int,
        chunked: bool,
        keep_alive: bool,
        expect_continue: bool,
        conditional: bool,
    ) -> None:
        self.method: Final = method
        """One of :data:`candy_trio.http.strict.METHODS`."""
        self.target: Final = target
        """The request-target exactly as sent."""
        self.path: Final = path
        """The target in origin-form, query included (``/a?b=c``), or ``*``."""
        self.minor: Final = minor
        """HTTP/1.<minor>: 0 or 1."""
        self.headers: Final = headers
        """In order, names as sent, values without the whitespace around them."""
        self.raw: Final = raw
        """The head exactly as received, from the request line to the empty line inclusive."""
        self.host: Final = host
        """The authority of an absolute-form target, else the Host field, with the port if one was
        sent; empty if an HTTP/1.0 client sent neither."""
        self.content_length: Final = content_length
        """Bytes of body to come; 0 for none, and for a chunked body."""
        self.chunked: Final = chunked
        self.has_body: Final = chunked or content_length > 0
        """Whether body events follow."""
        self.keep_alive: Final = keep_alive
        """Whether the client lets the connection go on after this message (RFC 9112 §9.3)."""
        self.expect_continue: Final = expect_continue
        """Whether the client waits for "100 Continue" before it sends the body."""
        self.conditional: Final = conditional
        """Whether the answer depends on what the client has, see `conditional`."""


# gc=False: what holds bytes alone can't be part of a cycle, and the collector need not look at it.
class BodyData(msgspec.Struct, frozen=True, gc=False):
    """Some bytes of the body, never none, transfer coding removed."""

    data: bytes


class EndOfBody(msgspec.Struct, frozen=True, gc=False):
    """The body is complete; trailer fields were checked and dropped."""


END_OF_BODY: Final = EndOfBody()

Event: TypeAlias = RequestHead | BodyData | EndOfBody
