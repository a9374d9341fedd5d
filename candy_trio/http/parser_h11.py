"""Requests parsed by h11, pure Python: slower, and there on every platform.

What h11 lets through and `strict` or `chunk_check` refuses: LF alone as a line end, obs-fold,
control bytes and bare CR in values and chunk extensions, equal Content-Length fields and lists,
Content-Length with Transfer-Encoding, Transfer-Encoding on HTTP/1.0, any version of one digit
each, any method and target, any Host value.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import h11

from candy_trio.errors import ProtocolError
from candy_trio.http.framing import ChunkDecoder, FramedParser
from candy_trio.http.strict import build_head, is_clean, refusal

if TYPE_CHECKING:
    from candy_trio.http.events import RequestHead

# Makes a fresh h11 connection ready for a chunked body, as in the other adapter.
CHUNKED_HEAD = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"

# The fields whose values h11 rewrites, and their values as sent with the whitespace around.
REWRITTEN_FIELDS = frozenset([b"content-length", b"transfer-encoding"])
AS_SENT = re.compile(rb"\r\n(content-length|transfer-encoding):([^\r]*)", re.IGNORECASE)


class H11Parser(FramedParser):
    def parse_head(self, raw: bytes) -> RequestHead:
        if not is_clean(raw):
            raise refusal(raw, "malformed request head")
        # One h11 connection a message: reusing one means reporting our responses to it.
        connection = h11.Connection(h11.SERVER)
        connection.receive_data(raw)
        try:
            request = connection.next_event()
        except h11.RemoteProtocolError as error:
            raise refusal(raw, str(error)) from None
        if not isinstance(request, h11.Request):
            raise refusal(raw, "malformed request head")
        headers = restore_values(raw, request.headers.raw_items())
        return build_head(raw, request.method, request.target, headers)

    def make_chunk_decoder(self) -> ChunkDecoder:
        return H11ChunkDecoder(max_trailer_size=self.max_header_size)


def restore_values(raw: bytes, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """`headers` with the values that were sent where h11 has put its own.

    It makes "5" of "5, 5", which `strict` must see to refuse it, and "chunked" of "Chunked".
    Of two such fields it makes one or an error; `build_head` misses the line then.
    Raises ProtocolError 400 for a coding with HTAB behind it, since llhttp does.
    """
    for index, (name, _) in enumerate(headers):
        lower = name.lower()
        if lower in REWRITTEN_FIELDS:
            for sent_name, sent_value in AS_SENT.findall(raw):
                if sent_name.lower() == lower:
                    value = sent_value.strip(b" \t")
                    if lower == b"transfer-encoding" and b"\t" in sent_value.lstrip(b" \t"):
                        raise refusal(raw, "HTAB behind Transfer-Encoding")
                    headers[index] = (name, value)
                    break
    return headers


class H11ChunkDecoder:
    def __init__(self, *, max_trailer_size: int) -> None:
        self.complete = False
        # Of what `chunk_check` passes, h11 holds back nothing but a trailer section.
        self.connection = h11.Connection(h11.SERVER, max_incomplete_event_size=max_trailer_size)
        self.connection.receive_data(CHUNKED_HEAD)
        self.connection.next_event()

    def decode(self, piece: bytes) -> bytes:
        self.connection.receive_data(piece)
        parts: list[bytes] = []
        while not self.complete:
            try:
                # Any: what h11 declares as bytes is a bytearray, which compiled code would refuse.
                event: Any = self.connection.next_event()
            except h11.RemoteProtocolError as error:
                raise ProtocolError(400, str(error)) from None
            is_data = isinstance(event, h11.Data)
            if is_data:
                parts.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                self.complete = True
            else:
                break
        return b"".join(parts)
