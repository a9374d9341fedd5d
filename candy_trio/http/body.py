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
from typing import TYPE_CHECKING, Final, Literal, Protocol

from candy_trio.errors import ProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable

FILE_WRITE_SIZE: Final = 64 * 1024
"""Bytes written to the temporary file at once, so that the event loop never waits for long."""


class BodySource(Protocol):
    """Where the bytes of the current request's body come from."""

    def body_arrived(self) -> bytes | None:
        """The next bytes that are here, b"" if they must be waited for, None at the end.

        Raises ProtocolError 400 for broken framing, and ClientGone.
        """

    async def await_body(self) -> None:
        """Wait for more; a pending ``100 Continue`` is sent before.

        Raises ProtocolError 408 for a client that stalls, and ClientGone.
        """


class RequestBody:
    """See the module; ``state`` says how far it is, ``data`` and ``path`` where it lies."""

    limit: int | None = None
    """Bytes kept at most, if there is such a limit; what comes behind them is dropped."""
    state: Literal["unread", "read", "discarded", "replaced"] = "unread"
    data: bytes | None = None
    """The body, None if it is in a file, if there is none, or if it was not read."""
    path: str | None = None
    """The file that holds the body, None if it is in memory."""
    size: int = 0
    """Bytes received, transfer coding removed."""
    file_told: bool = False
    """Whether a log was told that it went to a file."""
    _auto_clean: bool = False
    _kept: int = 0
    _file: io.FileIO | None = None
    failure: Exception | None = None
    """What reading has ended with where nothing could be raised; whoever waits for it raises it,
    and until then the body is one to wait for."""

    def __init__(self, source: BodySource | None, *, max_size: int, buffer_size: int) -> None:
        """``source`` is None where the request has no body."""
        self._source = source
        self._parts: list[bytes] = []
        self.max_size = max_size
        """Bytes accepted at most, 0 for any number (nginx's client_max_body_size)."""
        self.buffer_size = buffer_size
        """Bytes kept in memory at most."""

    async def read(self) -> None:
        """Read the whole body; does nothing if it was read or discarded before.

        Raises ProtocolError: 413 above ``max_size``, 400 and 408 as the source does; and
        ClientGone.  After an error the body can't be read again.
        """
        await self._until(self.read_arrived)

    def read_arrived(self) -> bool:
        """Read what is here; whether the whole body was.  Raises as :meth:`read` does."""
        if self.state != "unread":
            return self.failure is None
        if not self._go_through(self._keep):
            return False
        self.state = "read"
        if self._file is None:
            if self._parts:
                self.data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
            elif self._source is not None:
                self.data = b""
        self._end_reading()
        return True

    async def discard(self) -> None:
        """Read what has not been read and forget it; what had been read is forgotten too.

        Raises what :meth:`read` raises.
        """
        await self._until(self.discard_arrived)

    def discard_arrived(self) -> bool:
        """Discard what is here; whether the whole body was.  Raises as :meth:`read` does."""
        if self.failure is not None:
            return False
        if self.state != "discarded":
            self.replace(None, None, auto_clean=False)
            self.state = "discarded"
        if not self._go_through(self._count):
            return False
        self._end_reading()
        return True

    def _go_through(self, take: Callable[[bytes], None]) -> bool:
        source = self._source
        if source is None:
            return True
        try:
            while True:
                data = source.body_arrived()
                if data is None:
                    return True
                if not data:
                    return False
                take(data)
        except BaseException:
            self._give_up()
            raise

    async def _until(self, taken: Callable[[], bool]) -> None:
        failure, self.failure = self.failure, None
        if failure is not None:
            raise failure
        while not taken():
            assert self._source is not None
            try:
                await self._source.await_body()
            except BaseException:
                self._give_up()
                raise

    def _give_up(self) -> None:
        if self.state == "unread":
            self.state = "read"
        self._end_reading()

    def _end_reading(self) -> None:
        self._source = None
        self._parts.clear()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _keep(self, data: bytes) -> None:
        self._count(data)
        if self.limit is not None:
            data = data[: max(0, self.limit - self._kept)]
            if not data:
                return
        self._kept += len(data)
        file = self._file
        if file is None and self._kept > self.buffer_size:
            file = self._file = self._create_file()
            for part in self._parts:
                _write(file, part)
            self._parts.clear()
        if file is None:
            self._parts.append(data)
        else:
            _write(file, data)

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
        if self._file is not None:
            self._file.close()
            self._file = None
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
