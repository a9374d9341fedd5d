"""The error log, in nginx's line format, so that its tools read it::

    2026/11/22 10:00:00 [error] 123#0: *45 message, client: 127.0.0.1, server: localhost,
    request: "GET /a HTTP/1.1", host: "localhost", request_id: "0f…"

(on one line). Newlines and tabs of a message stay, as nginx writes Lua's tracebacks; what
comes from the client is escaped and can't begin a line of its own.
"""

from __future__ import annotations

import os
import time
from enum import IntEnum
from typing import TYPE_CHECKING, Final

import msgspec

from candy_trio.observe.text import SecondCache, error_time, escape, escape_message

if TYPE_CHECKING:
    from collections.abc import Callable

    from candy_trio.observe.writer import LogWriter, Loss


class Level(IntEnum):
    """Severities with nginx's numbers: the lower, the more severe."""

    STDERR = 0
    EMERG = 1
    ALERT = 2
    CRIT = 3
    ERR = 4
    WARN = 5
    NOTICE = 6
    INFO = 7
    DEBUG = 8


# nginx prints nothing between the brackets for STDERR; a word keeps the line parseable.
_NAMES: Final = {
    Level.STDERR: "stderr",
    Level.EMERG: "emerg",
    Level.ALERT: "alert",
    Level.CRIT: "crit",
    Level.ERR: "error",
    Level.WARN: "warn",
    Level.NOTICE: "notice",
    Level.INFO: "info",
    Level.DEBUG: "debug",
}

THRESHOLDS: Final = {
    "error": Level.ERR,
    "warn": Level.WARN,
    "info": Level.INFO,
    "debug": Level.DEBUG,
    "trace": Level.DEBUG,
}
"""The least severe level that each value of the key ``log_level`` shows."""


class LogContext(msgspec.Struct, frozen=True):
    """The connection and request that a message is about. Empty fields are left out."""

    connection: int  # serial number
    client: str
    server: str
    request: str | bytes  # the request line
    host: str | bytes
    request_id: str


class ErrorLog:
    """Messages of the server and of scripts.

    ``log`` may be called from anywhere in the worker's thread, at any time; what it writes and
    when is :class:`~candy_trio.observe.writer.LogWriter`'s business.
    """

    def __init__(
        self,
        writer: LogWriter,
        threshold: Level,
        *,
        clock: Callable[[], float] = time.time,
        pid: int | None = None,
    ) -> None:
        """``threshold`` is the least severe level written; ``clock`` gives seconds since the
        epoch; ``pid`` is what lines show, by default this process."""
        self.writer = writer
        self.threshold = threshold
        self._clock = clock
        self._time = SecondCache(error_time)
        pid = os.getpid() if pid is None else pid
        self._tags = [f" [{_NAMES[level]}] {pid}#0: ".encode("ascii") for level in Level]

    def enabled(self, level: int) -> bool:
        """Whether a message of ``level`` is written at all."""
        return level <= self.threshold

    def log(self, level: int, message: str | bytes, context: LogContext | None = None) -> None:
        """Write one message, if its level is enabled."""
        if level > self.threshold:
            return
        parts = [self._time(self._clock()), self._tags[level]]
        if context is None:
            parts.append(escape_message(_bytes(message)))
        else:
            parts += (
                b"*%d " % context.connection,
                escape_message(_bytes(message)),
                b", client: ",
                escape(_bytes(context.client)),
                b", server: ",
                escape(_bytes(context.server)),
            )
            for name, value in (
                (b"request", context.request),
                (b"host", context.host),
                (b"request_id", context.request_id),
            ):
                if value:
                    parts.append(b', %b: "%b"' % (name, escape(_bytes(value))))
        parts.append(b"\n")
        self.writer.write(b"".join(parts))

    def report_loss(self, name: str, loss: Loss) -> None:
        """Say that lines of the log ``name`` were dropped; for ``LogWriter.on_loss``."""
        self.log(
            Level.WARN,
            f"{name}: {loss.lines} lines ({loss.size} bytes) were lost: {loss.reason}",
        )


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
