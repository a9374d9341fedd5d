"""The body of one request: read when someone asks for it, in memory or in a temporary file.

Rules of this module:

- Nothing is read, and no ``100 Continue`` is sent, before someone asks for the body.
- Framing is the parser's business and bytes come from a :class:`BodySource`; this module counts,
  stores and cleans up.
- A body that Python's memory should not hold goes to a file with plain, blocking writes of at most
  FILE_WRITE_SIZE bytes: into the page cache that takes some 20 µs, a hop to a thread takes more.
"""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from typing import Final, Literal, Protocol

from candy_trio.errors import ProtocolError

FILE_WRITE_SIZE: Final = 64 * 1024
"""Bytes written to the temporary file at once, so that the event loop never waits for long."""


class BodySource(Protocol):
    """Where the bytes of the current request's body come from."""

    async def receive_body(self) -> bytes | None:
        """The next bytes, None at the end; a pending ``100 Continue`` is sent before waiting.

        Raises ProtocolError (400 for broken framing, 408 for a client that stalls) and
        ClientGone.
        """


class RequestBody:
    """See the module; ``state`` says how far it is, ``data`` and ``path`` where it lies."""

    __slots__ = (
        "_auto_clean",
        "_source",
        "buffer_size",
        "data",
        "limit",
        "max_size",
        "path",
        "size",
        "state",
    )

    def __init__(self, source: BodySource | None, *, max_size: int, buffer_size: int) -> None:
        """``source`` is None where the request has no body."""
        self._source = source
        self._auto_clean = False
        self.max_size = max_size
        """Bytes accepted at most, 0 for any number (nginx's client_max_body_size)."""
        self.buffer_size = buffer_size
        """Bytes kept in memory at most."""
        self.limit: int | None = None
        """Bytes kept at most, if there is such a limit; what comes behind them is dropped."""
        self.state: Literal["unread", "read", "discarded", "replaced"] = "unread"
        self.data: bytes | None = None
        """The body, None if it is in a file, if there is none, or if it was not read."""
        self.path: str | None = None
        """The file that holds the body, None if it is in memory."""
        self.size = 0
        """Bytes received, transfer coding removed."""

    async def read(self) -> None:
        """Read the whole body; does nothing if it was read or discarded before.

        Raises ProtocolError: 413 above ``max_size``, 400 and 408 as the source does; and
        ClientGone.  After an error the body can't be read again.
        """
        if self.state != "unread":
            return
        self.state = "read"
        source, self._source = self._source, None
        if source is None:
            return
        parts: list[bytes] = []
        kept = 0
        file: io.FileIO | None = None
        try:
            while (data := await source.receive_body()) is not None:
                self._count(data)
                if self.limit is not None:
                    data = data[: max(0, self.limit - kept)]
                    if not data:
                        continue
                kept += len(data)
                if file is None and kept > self.buffer_size:
                    file = self._create_file()
                    for part in parts:
                        _write(file, part)
                    parts.clear()
                if file is None:
                    parts.append(data)
                else:
                    _write(file, data)
        finally:
            if file is not None:
                file.close()
        if file is None:
            self.data = b"".join(parts)

    async def discard(self) -> None:
        """Read what has not been read and forget it; what had been read is forgotten too.

        Raises what :meth:`read` raises.
        """
        source, self._source = self._source, None
        self.replace(None, None, auto_clean=False)
        self.state = "discarded"
        if source is None:
            return
        while (data := await source.receive_body()) is not None:
            self._count(data)

    def replace(self, data: bytes | None, path: str | None, auto_clean: bool) -> None:
        """Put another body in the place of the one that was read.

        ``auto_clean`` says that the file at ``path`` is to be removed with the request.
        """
        if path is not None and path == self.path:
            return  # the temporary file that is there already
        self.close()
        self.state = "replaced"
        self.data = data
        self.path = path
        self._auto_clean = auto_clean

    def append_to_file(self, data: bytes) -> str:
        """The path of the temporary file that holds the body, ``data`` added to its end."""
        if self.path is None:
            file = self._create_file()
            self.data = None
        else:
            file = io.FileIO(self.path, "ab")
        with file:
            _write(file, data)
        assert self.path is not None
        return self.path

    def close(self) -> None:
        """Remove the temporary file, if there is one; harmless when repeated."""
        if self._auto_clean and self.path is not None:
            with contextlib.suppress(OSError):
                os.unlink(self.path)
        self._auto_clean = False
        self.data = None
        self.path = None

    def _count(self, data: bytes) -> None:
        self.size += len(data)
        if self.max_size and self.size > self.max_size:
            raise ProtocolError(413, f"the request body is larger than {self.max_size} bytes")

    def _create_file(self) -> io.FileIO:
        descriptor, self.path = tempfile.mkstemp(prefix="candy_trio-body-")
        self._auto_clean = True
        return io.FileIO(descriptor, "wb")


def _write(file: io.FileIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view[:FILE_WRITE_SIZE]) :]
