"""Both logs of a worker, opened as the configuration says."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Literal, Protocol

import trio

from candy_trio.errors import ConfigError
from candy_trio.observe.access_log import AccessLog
from candy_trio.observe.log import THRESHOLDS, ErrorLog, Level
from candy_trio.observe.writer import LogWriter

ERROR_LOG = "error.log"
ACCESS_LOG = "access.log"

STDOUT = 1
STDERR = 2


class LogSettings(Protocol):
    """What the logs need of the configuration."""

    @property
    def log_level(self) -> str: ...  # a key of THRESHOLDS
    @property
    def log_folder(self) -> str: ...  # "-" or a path
    @property
    def access_log(self) -> Literal["combined", "json"] | None: ...


class Logs:
    """The error log and, unless switched off, the access log."""

    def __init__(self, error: ErrorLog, access: AccessLog | None) -> None:
        self.error = error
        self.access = access

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Write what is logged, until cancelled; what is buffered then is still written."""
        async with trio.open_nursery() as nursery:
            for writer in self._writers():
                await nursery.start(writer.run)
            task_status.started()

    def reopen(self) -> None:
        """Open the files anew (SIGUSR1, after logrotate renamed them). One that can't be opened
        is kept as it is, and the error log says so."""
        for writer in self._writers():
            try:
                writer.reopen()
            except OSError as error:
                self.error.log(Level.ALERT, f"reopening a log failed: {error}")

    def flush(self) -> None:
        """Write all that is buffered, now."""
        for writer in self._writers():
            writer.flush()

    def close(self) -> None:
        """Flush and close both; after ``run`` has ended. The error log goes last, which may
        have something to say of the other."""
        for writer in self._writers():
            writer.close()

    def _writers(self) -> list[LogWriter]:
        access = [] if self.access is None else [self.access.writer]
        return [*access, self.error.writer]


def open_logs(config: LogSettings) -> Logs:
    """Open the logs that ``config`` asks for; ConfigError if a file can't be written."""
    error_writer = _open(config.log_folder, ERROR_LOG, STDERR)
    error = ErrorLog(error_writer, THRESHOLDS[config.log_level])
    error_writer.on_loss = partial(error.report_loss, ERROR_LOG)
    if config.access_log is None:
        return Logs(error, None)
    access_writer = _open(config.log_folder, ACCESS_LOG, STDOUT)
    access_writer.on_loss = partial(error.report_loss, ACCESS_LOG)
    return Logs(error, AccessLog(access_writer, config.access_log))


def _open(folder: str, name: str, standard: int) -> LogWriter:
    target = standard if folder == "-" else Path(folder, name)
    try:
        return LogWriter(target)
    except OSError as error:
        if folder == "-":
            mend = "standard error and output must be open; or name a folder"
        else:
            mend = (
                'name a folder that the server may write to, or "-" for standard error and output'
            )
        raise ConfigError(
            [f'log_folder = "{folder}": cannot write {name}: {error.strerror}; {mend}']
        ) from error
