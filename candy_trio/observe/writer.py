"""The way of log lines to their file.

Rules of this file:

- ``write`` only buffers. One task (``run``) writes: whatever is buffered, in one ``os.write``,
  then it lets the loop turn. So a turn costs one system call at most, and a burst few.
- A regular file takes what it is given at once, as far as the page cache goes. A pipe or a
  terminal ("-") may be slow: there the task waits until it is writable and gives it PIPE_BUF
  bytes, which a writable pipe takes without blocking (POSIX, write).
- The buffer is bounded: a line that would overfill it makes ``write`` write it out itself, as
  far as the descriptor takes it. A log that nobody reads must not stop the server.
- A line is never worth the server: what can't be written (disk full, reader gone or asleep) is
  dropped and counted, and the count reported once, when writing works again.
- It belongs to one thread. Outside of ``run`` everything works, too: lines wait in the buffer.
"""

from __future__ import annotations

import os
import select
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
import trio

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MAX_BUFFERED = 1_048_576
"""Bytes; a fifth of a second of an access log at 25,000 requests a second, and under a
millisecond to hand to the kernel."""

FLUSH_PATIENCE = 1.0
"""Seconds that ``flush`` waits for a pipe whose reader has stopped: long for a reader that is
alive, short beside a graceful stop."""

FILE_MODE = 0o644
"""Log shippers read the files as other users; nginx's mode, too."""


class Loss(msgspec.Struct, frozen=True):
    """What was dropped before writing worked again."""

    lines: int
    size: int  # bytes
    reason: str


class LogWriter:
    """A buffered log file, or a descriptor that someone else owns.

    ``on_loss`` is called when writing works again after lines were dropped; it may write a line
    itself, to this log or another.
    """

    def __init__(self, target: Path | int, on_loss: Callable[[Loss], None] | None = None) -> None:
        """Open ``target``: a path, whose folder is created, or a descriptor, which is neither
        reopened nor closed. OSError if it can't be."""
        self.on_loss = on_loss
        self._path = None if isinstance(target, int) else target
        self._descriptor = target if isinstance(target, int) else _open(target)
        self._may_stall = _may_stall(self._descriptor)
        self._buffer = bytearray()
        self._idle: trio.Event | None = None  # while the task waits for lines
        self._within_line = False  # what was written last ends there
        self._torn = False  # so does the file, and the rest of that line was dropped
        self._lost_lines = 0
        self._lost_size = 0
        self._lost_reason = ""

    def write(self, line: bytes) -> None:
        """Append ``line`` (its newline included). Never raises, never waits for a reader."""
        if len(self._buffer) + len(line) > MAX_BUFFERED:
            self._empty(patience=0.0)
        self._buffer += line
        if self._idle is not None:
            self._idle.set()
            self._idle = None

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Write what is buffered, until cancelled; then write the rest."""
        task_status.started()
        try:
            while True:
                if not self._buffer:
                    self._idle = trio.Event()
                    await self._idle.wait()
                if self._may_stall:
                    # Where it can't be waited for, the write will tell what is wrong with it.
                    with suppress(OSError):
                        await trio.lowlevel.wait_writable(self._descriptor)
                self._write_once()
                await trio.lowlevel.checkpoint()
        finally:
            self._idle = None
            self.flush()

    def flush(self) -> None:
        """Write all that is buffered, now."""
        self._empty(patience=FLUSH_PATIENCE)

    def reopen(self) -> None:
        """Open the path anew (logrotate has renamed the file); the buffer goes to the old one.
        If that fails, OSError, and the old file stays in use."""
        if self._path is None:
            return
        self.flush()
        descriptor = _open(self._path)
        os.close(self._descriptor)
        self._descriptor = descriptor
        self._may_stall = _may_stall(descriptor)
        self._within_line = self._torn = False

    def close(self) -> None:
        """Flush, and close what was opened here. Lines that come later are dropped."""
        self.flush()
        if self._path is not None and self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1
        self._may_stall = False

    def _empty(self, *, patience: float) -> None:
        while self._buffer:
            stalled = self._may_stall and not _is_writable(self._descriptor, patience)
            if stalled or (not self._write_once() and self._buffer):
                self._drop("the reader does not keep up")

    def _write_once(self) -> bool:
        """One write; False if nothing could be written (if it failed, the buffer is empty)."""
        data = b"\n" if self._torn else self._buffer
        limit = select.PIPE_BUF if self._may_stall else MAX_BUFFERED
        try:
            with memoryview(data) as view:
                written = os.write(self._descriptor, view[:limit])
        except BlockingIOError:
            return False
        except OSError as error:
            self._drop(error.strerror or str(error))
            return False
        self._within_line = data[written - 1] != ord("\n")
        if self._torn:
            self._torn = False
        else:
            del self._buffer[:written]
        if self._lost_lines:
            self._report_loss()
        return True

    def _drop(self, reason: str) -> None:
        self._lost_lines += self._buffer.count(b"\n")
        self._lost_size += len(self._buffer)
        self._lost_reason = reason
        self._buffer = bytearray()  # not clear(): a view of it may live on in a traceback
        self._torn = self._torn or self._within_line
        self._within_line = False

    def _report_loss(self) -> None:
        loss = Loss(self._lost_lines, self._lost_size, self._lost_reason)
        self._lost_lines = self._lost_size = 0
        if self.on_loss is not None:
            self.on_loss(loss)


def _open(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    return os.open(path, flags, FILE_MODE)


def _may_stall(descriptor: int) -> bool:
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(descriptor)


def _is_writable(descriptor: int, patience: float) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return bool(poll.poll(patience * 1000))
