"""Text of log lines: escapes and timestamps."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

# nginx's escape=default (ngx_http_log_module): `"`, `\`, and all but 0x20 to 0x7E.
_ESCAPES: Final = tuple(
    chr(byte) if 0x20 <= byte < 0x7F and byte not in b'"\\' else f"\\x{byte:02X}"
    for byte in range(256)
)
_PLAIN: Final = bytes(byte for byte in range(256) if len(_ESCAPES[byte]) == 1)
_ESCAPE_TABLE: Final = dict(enumerate(_ESCAPES))

# What a message may hold besides: tracebacks have lines and tabs, and text is UTF-8.
_CONTROL: Final = bytes(byte for byte in (*range(0x20), 0x7F) if byte not in b"\n\t")
_CONTROL_TABLE: Final = {byte: _ESCAPES[byte] for byte in _CONTROL}


def needs_escape(text: bytes) -> bool:
    """Whether :func:`escape` would change ``text``."""
    # Four times quicker than a regular expression, and this runs once a request.
    return bool(text.translate(None, _PLAIN))


def escape(text: bytes) -> bytes:
    """``text`` within double quotes in a line: nothing in it can end the quotes or the line."""
    if not needs_escape(text):
        return text
    return text.decode("latin-1").translate(_ESCAPE_TABLE).encode("latin-1")


def escape_message(message: bytes) -> bytes:
    """``message`` without control bytes other than newlines and tabs; UTF-8 stays readable."""
    if len(message.translate(None, _CONTROL)) == len(message):
        return message
    return message.decode("latin-1").translate(_CONTROL_TABLE).encode("latin-1")


class SecondCache:
    """The text of a time, made anew once a second only."""

    __slots__ = ("_render", "_second", "_text")

    def __init__(self, render: Callable[[time.struct_time], str]) -> None:
        self._render = render
        self._second = -1
        self._text = b""

    def __call__(self, now: float) -> bytes:
        """The text for ``now``, seconds since the epoch, in local time."""
        second = int(now)
        if second != self._second:
            self._text = self._render(time.localtime(second)).encode("ascii")
            self._second = second
        return self._text


# Not strftime's %b: months are English in every locale, as in nginx.
_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)


def _offset(t: time.struct_time, separator: str) -> str:
    minutes = t.tm_gmtoff // 60
    hours, minutes_left = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02}{separator}{minutes_left:02}"


def error_time(t: time.struct_time) -> str:
    """As nginx's error log: ``2026/11/22 10:00:00``."""
    return time.strftime("%Y/%m/%d %H:%M:%S", t)


def common_time(t: time.struct_time) -> str:
    """nginx's ``$time_local``: ``22/Nov/2026:10:00:00 +0000``."""
    month = _MONTHS[t.tm_mon - 1]
    return f"{t.tm_mday:02}/{month}/{t.tm_year}:{time.strftime('%H:%M:%S', t)} {_offset(t, '')}"


def iso_time(t: time.struct_time) -> str:
    """nginx's ``$time_iso8601``: ``2026-11-22T10:00:00+00:00``."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", t) + _offset(t, ":")
