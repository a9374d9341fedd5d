"""The error log's lines and levels."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from candy_trio.observe.log import THRESHOLDS, ErrorLog, Level, LogContext
from candy_trio.observe.writer import LogWriter, Loss

if TYPE_CHECKING:
    from pathlib import Path

NOON = 1_795_341_600.5

CONTEXT = LogContext(
    connection=45,
    client="127.0.0.1",
    server="localhost",
    request=b"GET /a HTTP/1.1",
    host=b"localhost",
    request_id="0f" * 16,
)

TIME = rb"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "error.log"


def lines(path: Path, log: ErrorLog) -> bytes:
    """What was logged, without the times."""
    log.writer.close()
    return re.sub(rb"(?m)^" + TIME + rb" ", b"", path.read_bytes())


def open_log(path: Path, threshold: Level = Level.DEBUG) -> ErrorLog:
    return ErrorLog(LogWriter(path), threshold, clock=lambda: NOON, pid=123)


def test_a_line_is_nginx_s_and_the_request_id(path: Path) -> None:
    """A message about a request has nginx's form, and the request id at its end."""
    log = open_log(path)
    log.log(Level.ERR, "message", CONTEXT)
    log.writer.close()
    assert re.fullmatch(
        TIME + rb" \[error\] 123#0: \*45 message, client: 127\.0\.0\.1, server: localhost, "
        rb'request: "GET /a HTTP/1\.1", host: "localhost", request_id: "(0f){16}"\n',
        path.read_bytes(),
    )


def test_a_message_of_the_server_has_no_connection(path: Path) -> None:
    """Without a context a line is the process and the message."""
    log = open_log(path)
    log.log(Level.NOTICE, b"listening on 127.0.0.1:8080")
    assert lines(path, log) == b"[notice] 123#0: listening on 127.0.0.1:8080\n"


def test_what_is_unknown_is_left_out(path: Path) -> None:
    """Before a request is read there is no request line, host or id to show."""
    log = open_log(path)
    log.log(Level.INFO, "closed", LogContext(7, "::1", "", "", "", ""))
    assert lines(path, log) == b"[info] 123#0: *7 closed, client: ::1, server: \n"


def test_the_client_cannot_forge_lines(path: Path) -> None:
    """Line breaks and quotes in what the client sent are escaped."""
    log = open_log(path)
    log.log(Level.ERR, "m", LogContext(1, "c", "s", b'GET /"\n[x] HTTP/1.1', b"a\r\nb", ""))
    assert lines(path, log) == (
        b"[error] 123#0: *1 m, client: c, server: s, "
        b'request: "GET /\\x22\\x0A[x] HTTP/1.1", host: "a\\x0D\\x0Ab"\n'
    )


def test_messages_are_any_bytes(path: Path) -> None:
    """Tracebacks keep their lines and tabs, text its UTF-8, all bytes are accepted."""
    log = open_log(path)
    log.log(Level.ERR, "é\nstack traceback:\n\tmain chunk")
    log.log(Level.ERR, bytes(range(256)))
    log.log(Level.ERR, "lone \udcff surrogate")
    got = lines(path, log)
    assert got.startswith("[error] 123#0: é\nstack traceback:\n\tmain chunk\n".encode())
    assert b"\\x00" in got
    assert b"\x00" not in got
    assert got.endswith(b"lone \xff surrogate\n")


@pytest.mark.parametrize(
    ("log_level", "least"),
    [
        ("error", Level.ERR),
        ("warn", Level.WARN),
        ("info", Level.INFO),
        ("debug", Level.DEBUG),
        ("trace", Level.DEBUG),
    ],
)
def test_levels(path: Path, log_level: str, least: Level) -> None:
    """Each log_level shows its own level and all that are more severe, and enabled says so."""
    log = open_log(path, THRESHOLDS[log_level])
    for level in Level:
        log.log(level, level.name)
    shown = [line.split(b" ")[-1].decode() for line in lines(path, log).splitlines()]
    assert shown == [level.name for level in Level if level <= least]
    assert [level for level in Level if log.enabled(level)] == [Level[name] for name in shown]


def test_level_names(path: Path) -> None:
    """Each level is named in brackets as nginx names it."""
    log = open_log(path)
    for level in Level:
        log.log(level, "")
    names = [line.split(b"]")[0][1:].decode() for line in lines(path, log).splitlines()]
    assert names == ["stderr", "emerg", "alert", "crit", "error", "warn", "notice", "info", "debug"]


def test_the_process_is_this_one_by_default(path: Path) -> None:
    """Lines show the process that opened the log."""
    log = ErrorLog(LogWriter(path), Level.INFO)
    log.log(Level.INFO, "x")
    assert lines(path, log) == b"[info] %d#0: x\n" % os.getpid()


def test_losses_are_reported(path: Path) -> None:
    """A log that lost lines is named in the error log, with how much and why."""
    log = open_log(path)
    log.report_loss("access.log", Loss(12, 3400, "No space left on device"))
    assert lines(path, log) == (
        b"[warn] 123#0: access.log: 12 lines (3400 bytes) were lost: No space left on device\n"
    )
