"""Follows the chunked transfer coding on the raw bytes, strictly (RFC 9112 §7.1).

The rules of this file:

* The library decodes. This says how far the bytes that came belong to the body and are in
  order; just those are given to the library, and both must count the same data bytes. So
  what follows the body can't reach the wrong message, and a body that two readers could read
  in two ways is refused.
* A line is judged whole; until its CRLF is here its bytes wait outside, at most
  `MAX_CHUNK_LINE_SIZE` of them. What can't become a good line any more is refused at once.
* Extensions and trailer fields are checked and dropped. No whitespace anywhere around the size
  or in extensions: the RFC calls it "bad", llhttp refuses it.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

from candy_trio.errors import ProtocolError
from candy_trio.http.strict import FIELD_LINE, TOKEN

# Bytes of a chunk-size line with its CRLF. Sixteen digits and an extension or two; nobody
# sends more, and what is dropped need not be long.
MAX_CHUNK_LINE_SIZE: Final = 256

# 64 bits: what llhttp counts in. A longer number overflows somewhere, leading zeros or not.
MAX_CHUNK_SIZE_DIGITS: Final = 16

_SIZE: Final = rb"[0-9A-Fa-f]{1,%d}" % MAX_CHUNK_SIZE_DIGITS
_QUOTED: Final = rb'"(?:[\t !#-\[\]-~]|\\[\t !-~])*"'
CHUNK_LINE: Final = re.compile(
    rb"(" + _SIZE + rb")(?:;" + TOKEN + rb"(?:=(?:" + TOKEN + rb"|" + _QUOTED + rb"))?)*\r\n"
)
CHUNK_LINE_BEGUN: Final = re.compile(rb"(?:" + _SIZE + rb"(?:;[\t -~]*)?\r?)?")

TRAILER_BEGUN: Final = re.compile(rb"[^\x00-\x08\x0a-\x1f\x7f]*\r?")

# Fields that would frame or route the message if someone behind us merged the trailers into the
# head (RFC 9110 §6.5.1).
FORBIDDEN_TRAILERS: Final = frozenset([b"content-length", b"transfer-encoding", b"host"])


class Part(Enum):
    SIZE = "chunk-size line"
    DATA = "chunk data"
    DATA_END = "CRLF after chunk data"
    TRAILER = "trailer field, or the empty line"
    COMPLETE = "complete"


# Reading a member off an Enum class costs as much as the rest of a step.
SIZE, DATA, DATA_END, TRAILER, COMPLETE = Part


class ChunkCheck:
    """Follows one chunked body.

    ``data_size`` is how many data bytes the last `advance` went over.
    """

    __slots__ = ("chunk_left", "data_size", "part", "trailer_left")

    def __init__(self, *, max_trailer_size: int) -> None:
        self.part = SIZE
        self.chunk_left = 0
        self.data_size = 0
        self.trailer_left = max_trailer_size

    @property
    def complete(self) -> bool:
        """Whether the last byte of the body has been passed."""
        return self.part is COMPLETE

    def advance(self, buffer: bytes, start: int) -> int:
        """Where, from `start` on, the bytes end that belong to the body and are in order.

        Bytes of an incomplete line are not among them: pass them again, with more behind them.
        Raises ProtocolError 400, or 431 if the trailer section is too large.
        """
        pos = start
        end = len(buffer)
        self.data_size = 0
        while pos < end:
            part = self.part
            if part is SIZE:
                line = CHUNK_LINE.match(buffer, pos, pos + MAX_CHUNK_LINE_SIZE)
                if line is None:
                    begun = buffer[pos : pos + MAX_CHUNK_LINE_SIZE]
                    if len(begun) == MAX_CHUNK_LINE_SIZE or not CHUNK_LINE_BEGUN.fullmatch(begun):
                        raise ProtocolError(400, "malformed chunk-size line")
                    break
                pos = line.end()
                self.chunk_left = int(line[1], 16)
                self.part = DATA if self.chunk_left else TRAILER
            elif part is DATA:
                size = min(self.chunk_left, end - pos)
                pos += size
                self.data_size += size
                self.chunk_left -= size
                if not self.chunk_left:
                    self.part = DATA_END
            elif part is DATA_END:
                if not buffer.startswith(b"\r\n", pos):
                    if buffer[pos:] != b"\r":
                        raise ProtocolError(400, "no CRLF after chunk data")
                    break
                pos += 2
                self.part = SIZE
            elif part is TRAILER:
                size = self.trailer_line(buffer[pos : pos + self.trailer_left])
                if not size:
                    break
                pos += size
            else:
                break
        return pos

    def trailer_line(self, window: bytes) -> int:
        """Size of the trailer line that `window` begins with, 0 if it is not all here."""
        line_end = window.find(b"\n") + 1
        if not line_end:
            if not TRAILER_BEGUN.fullmatch(window):
                raise ProtocolError(400, "control byte or CR alone in the trailer section")
            if len(window) == self.trailer_left:
                raise ProtocolError(431, "trailer section too large")
            return 0
        self.trailer_left -= line_end
        if line_end == len(b"\r\n") and window.startswith(b"\r\n"):
            self.part = COMPLETE
            return line_end
        field = FIELD_LINE.fullmatch(window, 0, line_end - 2)
        if field is None or window[line_end - 2] != 0x0D:
            raise ProtocolError(400, "malformed trailer field")
        if field[1].lower() in FORBIDDEN_TRAILERS:
            raise ProtocolError(400, "framing field in the trailer section")
        return line_end
