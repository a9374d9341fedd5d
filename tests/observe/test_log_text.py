"""Escapes and times of log lines."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candy_trio.observe.text import (
    SecondCache,
    common_time,
    error_time,
    escape,
    escape_message,
    iso_time,
    needs_escape,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        (b"/plain?a=b%20c", b"/plain?a=b%20c"),
        (b'say "hi"', b"say \\x22hi\\x22"),
        (b"back\\slash", b"back\\x5Cslash"),
        (b"line\r\nbreak\t", b"line\\x0D\\x0Abreak\\x09"),
        (b"\x00\x1f\x7f\x80\xff", b"\\x00\\x1F\\x7F\\x80\\xFF"),
        ("ü".encode(), b"\\xC3\\xBC"),
    ],
)
def test_escape_is_nginx_s(text: bytes, escaped: bytes) -> None:
    """Quotes, backslashes, control bytes and bytes above 126 become \\xXX, in upper case."""
    assert escape(text) == escaped
    assert needs_escape(text) == (text != escaped)


@given(st.binary())
def test_nothing_leaves_the_quotes(text: bytes) -> None:
    """What is escaped is printable ASCII without quotes, and can be read back exactly."""
    escaped = escape(text)
    assert all(0x20 <= byte < 0x7F for byte in escaped)
    assert b'"' not in escaped
    assert escaped.decode("unicode_escape").encode("latin-1") == text


def test_messages_keep_lines_tabs_and_utf8() -> None:
    """A traceback stays readable; terminal escapes, NUL and CR do not get through."""
    message = "é: stack traceback:\n\t[C]: \x1b[31m\r\0\x7f".encode()
    assert (
        escape_message(message) == "é: stack traceback:\n\t[C]: \\x1B[31m\\x0D\\x00\\x7F".encode()
    )
    assert escape_message(b'plain \\ "quoted"') == b'plain \\ "quoted"'


@pytest.mark.parametrize(
    ("zone", "common", "iso"),
    [
        ("UTC", "22/Nov/2026:10:00:07 +0000", "2026-11-22T10:00:07+00:00"),
        ("IST-5:30", "22/Nov/2026:15:30:07 +0530", "2026-11-22T15:30:07+05:30"),
        ("NST3:30", "22/Nov/2026:06:30:07 -0330", "2026-11-22T06:30:07-03:30"),
    ],
    indirect=["zone"],
)
def test_times_are_local_with_their_offset(zone: None, common: str, iso: str) -> None:
    """Both formats give local time and its distance from UTC, also for half hours."""
    t = time.localtime(1_795_341_607)
    assert common_time(t) == common
    assert iso_time(t) == iso


@pytest.mark.parametrize("zone", ["UTC"], indirect=True)
def test_error_log_time(zone: None) -> None:
    """The error log's time is nginx's."""
    assert error_time(time.localtime(1_795_341_607)) == "2026/11/22 10:00:07"


def test_times_are_made_once_a_second() -> None:
    """Within a second the text is kept; the next second, or an earlier one, gets its own."""
    made = []

    def render(t: time.struct_time) -> str:
        made.append(t)
        return str(t.tm_sec)

    cached = SecondCache(render)
    texts = [cached(now) for now in (60.0, 60.5, 60.999, 61.0, 60.0)]
    assert texts == [b"0", b"0", b"0", b"1", b"0"]
    assert len(made) == 3
