"""The access log's two formats."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import pytest

from candy_trio.observe.access_log import AccessLog, AccessRecord, JsonLine
from candy_trio.observe.writer import LogWriter

if TYPE_CHECKING:
    from pathlib import Path

RECORD = AccessRecord(
    time=1_795_341_600.25,
    request_id="0f" * 16,
    remote_addr="127.0.0.1",
    method=b"GET",
    uri=b"/a?b=c",
    protocol=b"HTTP/1.1",
    status=200,
    body_bytes_sent=12,
    bytes_sent=180,
    request_time=0.0123456,
    host=b"localhost:8080",
    referer=b"http://localhost/",
    user_agent=b"curl/8.0",
)


def line(path: Path, style: Literal["combined", "json"], **changes: Any) -> bytes:
    log = AccessLog(LogWriter(path / "access.log"), style)
    log.log(msgspec.structs.replace(RECORD, **changes))
    log.writer.close()
    return (path / "access.log").read_bytes()


def without_time(text: bytes) -> bytes:
    return re.sub(rb"\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]", b"[T]", text)


def test_combined_is_nginx_s_and_the_request_id(tmp_path: Path) -> None:
    """A line has nginx's combined form, then the request id."""
    assert without_time(line(tmp_path, "combined")) == (
        b'127.0.0.1 - - [T] "GET /a?b=c HTTP/1.1" 200 12 "http://localhost/" "curl/8.0" '
        + b"0f" * 16
        + b"\n"
    )


def test_combined_shows_what_is_absent_as_a_dash(tmp_path: Path) -> None:
    """No referer, no agent, no readable request: each is "-"."""
    got = line(tmp_path, "combined", method=b"", uri=b"", protocol=b"", status=400)
    assert b'] "-" 400 12 ' in got
    tmp = tmp_path / "2"
    assert b' 200 12 "-" "-" ' in line(tmp, "combined", referer=b"", user_agent=b"")


def test_combined_names_the_user(tmp_path: Path) -> None:
    """A user of HTTP authentication stands in the third place."""
    assert line(tmp_path, "combined", remote_user=b"joe").startswith(b"127.0.0.1 - joe [")


@pytest.mark.parametrize("field", ["method", "uri", "protocol", "referer", "user_agent"])
def test_combined_escapes_what_the_client_sent(tmp_path: Path, field: str) -> None:
    """Quotes, backslashes, line breaks and bytes above 126 of any field stay in their quotes."""
    got = line(tmp_path, "combined", **{field: b'x"\\\n\xc3\xbc'}, remote_user=b"joe")
    assert b"x\\x22\\x5C\\x0A\\xC3\\xBC" in got
    assert got.count(b'"') == 6
    assert got.count(b"\n") == 1
    assert b" joe " in got


def test_json_is_one_object_a_line(tmp_path: Path) -> None:
    """Every field of the record but the user is there, numbers as numbers, the time as ISO
    8601, the request time to the millisecond."""
    text = line(tmp_path, "json")
    assert text.count(b"\n") == 1
    assert text.endswith(b"\n")
    got = json.loads(text)
    assert re.fullmatch(r"2026-11-2[123]T\d\d:\d\d:00[+-]\d\d:\d\d", got.pop("time"))
    assert got == {
        "request_id": "0f" * 16,
        "remote_addr": "127.0.0.1",
        "method": "GET",
        "uri": "/a?b=c",
        "protocol": "HTTP/1.1",
        "status": 200,
        "body_bytes_sent": 12,
        "bytes_sent": 180,
        "request_time": 0.012,
        "host": "localhost:8080",
        "referer": "http://localhost/",
        "user_agent": "curl/8.0",
    }


def test_json_takes_any_bytes(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are replaced, quotes and line breaks escaped: the line parses."""
    got = json.loads(line(tmp_path, "json", uri=b'/\xff"\n', user_agent="ü".encode()))
    assert (got["uri"], got["user_agent"]) == ('/\ufffd"\n', "ü")


def test_json_has_the_fields_of_the_record() -> None:
    """No field of a record is forgotten in JSON, except the user."""
    record = [f.name for f in msgspec.structs.fields(AccessRecord)]
    assert [*(f.name for f in msgspec.structs.fields(JsonLine)), "remote_user"] == record
