"""What the parsers say: a request's head, pieces of its body, the end of its body.

A head without a body is the whole message: no :class:`EndOfBody` follows it, which saves
the commonest requests an event.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec


# gc=False: these hold bytes, numbers and a list of pairs of bytes, so no cycle can go through
# them, and the collector need not look at one object more for each request.
class RequestHead(msgspec.Struct, frozen=True, gc=False):
    """Request line and header fields, checked (RFC 9112 §3, §5, §6).

    Frozen, but ``headers`` is a plain list: whoever changes header fields copies it first.
    """

    method: bytes
    """One of :data:`candy_trio.http.strict.METHODS`."""
    target: bytes
    """The request-target exactly as sent."""
    path: bytes
    """The target in origin-form, query included (``/a?b=c``), or ``*``."""
    minor: int
    """HTTP/1.<minor>: 0 or 1."""
    headers: list[tuple[bytes, bytes]]
    """In order, names as sent, values without the whitespace around them."""
    raw: bytes
    """The head exactly as received, from the request line to the empty line inclusive."""
    host: bytes
    """The authority of an absolute-form target, else the Host field, with the port if one was
    sent; empty if an HTTP/1.0 client sent neither."""
    content_length: int
    """Bytes of body to come; 0 for none, and for a chunked body."""
    chunked: bool
    keep_alive: bool
    """Whether the client lets the connection go on after this message (RFC 9112 §9.3)."""
    expect_continue: bool
    """Whether the client waits for "100 Continue" before it sends the body."""

    @property
    def has_body(self) -> bool:
        """Whether body events follow."""
        return self.chunked or self.content_length > 0


class BodyData(msgspec.Struct, frozen=True, gc=False):
    """Some bytes of the body, never none, transfer coding removed."""

    data: bytes


class EndOfBody(msgspec.Struct, frozen=True, gc=False):
    """The body is complete; trailer fields were checked and dropped."""


END_OF_BODY = EndOfBody()

Event: TypeAlias = RequestHead | BodyData | EndOfBody
