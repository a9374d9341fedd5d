"""What time.lua asks of the server: the clock and the date formats of HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from candy_trio.http.dates import MONTHS, parse_http_time

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_LATEST = 253402300799
"""The end of the year 9999: what a date of HTTP can say."""


def now() -> float:
    """``ngx.now``: seconds since the epoch, to the millisecond."""
    return time.time_ns() // 1_000_000 / 1000


def today(seconds: float) -> bytes:
    """``ngx.today``: the local date, ``yyyy-mm-dd``."""
    return time.strftime("%Y-%m-%d", time.localtime(seconds)).encode()


def localtime(seconds: float) -> bytes:
    """``ngx.localtime``: ``yyyy-mm-dd hh:mm:ss``, local."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds)).encode()


def utctime(seconds: float) -> bytes:
    """``ngx.utctime``: ``yyyy-mm-dd hh:mm:ss``, UTC."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds)).encode()


def http_time(seconds: float) -> bytes:
    """``ngx.http_time``: IMF-fixdate (RFC 9110 §5.6.7)."""
    t = _broken_down(seconds)
    return (
        f"{_DAYS[t.tm_wday]}, {t.tm_mday:02} {MONTHS[t.tm_mon - 1]} {t.tm_year:04} "
        f"{t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02} GMT"
    ).encode()


def cookie_time(seconds: float) -> bytes:
    """``ngx.cookie_time``: as nginx writes a cookie's Expires, with a two-digit year up to 2037."""
    t = _broken_down(seconds)
    year = f"{t.tm_year % 100:02}" if t.tm_year <= 2037 else f"{t.tm_year}"
    return (
        f"{_DAYS[t.tm_wday]}, {t.tm_mday:02}-{MONTHS[t.tm_mon - 1]}-{year} "
        f"{t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02} GMT"
    ).encode()


def _broken_down(seconds: float) -> time.struct_time:
    # nginx's ngx_gmtime takes a negative time for the epoch; NaN compares false with all.
    return time.gmtime(min(seconds, _LATEST) if seconds > 0 else 0)


CALLBACKS: dict[str, Callable[..., Any]] = {
    "now": now,
    "today": today,
    "localtime": localtime,
    "utctime": utctime,
    "http_time": http_time,
    "cookie_time": cookie_time,
    "parse_http_time": parse_http_time,
}
