"""What time.lua asks of the server: the clock and the date formats of HTTP."""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Callable
from typing import Any

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH_NUMBERS = {name: number for number, name in enumerate(_MONTHS, 1)}

_LATEST = 253402300799
"""The end of the year 9999: what a date of HTTP can say."""

_TWO_DIGIT_PIVOT = 70
"""Two-digit years below it are in this century, as nginx reads them."""

_ERROR = -1
"""What nginx's parser says of no date; the last second of 1969 is mistaken for it."""

# RFC 9110 §5.6.7: IMF-fixdate, and the obsolete RFC 850 and asctime forms. As lenient as nginx's
# ngx_parse_http_time: the name of the day and all that follows the date are passed over.
_IMF = re.compile(r"[^ ,]*, *(\d{2}) (\w{3}) (\d{4}) (\d{2}):(\d{2}):(\d{2})", re.A)
_RFC850 = re.compile(r"[^ ,]*, *(\d{2})-(\w{3})-(\d{2}) (\d{2}):(\d{2}):(\d{2})", re.A)
_ASCTIME = re.compile(r"[^ ,]* +(\w{3}) ( ?\d{1,2}) (\d{2}):(\d{2}):(\d{2}) (\d{4})", re.A)


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
        f"{_DAYS[t.tm_wday]}, {t.tm_mday:02} {_MONTHS[t.tm_mon - 1]} {t.tm_year:04} "
        f"{t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02} GMT"
    ).encode()


def cookie_time(seconds: float) -> bytes:
    """``ngx.cookie_time``: as nginx writes a cookie's Expires, with a two-digit year up to 2037."""
    t = _broken_down(seconds)
    year = f"{t.tm_year % 100:02}" if t.tm_year <= 2037 else f"{t.tm_year}"
    return (
        f"{_DAYS[t.tm_wday]}, {t.tm_mday:02}-{_MONTHS[t.tm_mon - 1]}-{year} "
        f"{t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02} GMT"
    ).encode()


def parse_http_time(text: bytes) -> int | None:
    """``ngx.parse_http_time``: seconds since the epoch, None if it is no date of HTTP."""
    source = text.decode("latin-1")
    if match := _IMF.match(source):
        day, month, year, hour, minute, second = match.groups()
    elif match := _RFC850.match(source):
        day, month, year, hour, minute, second = match.groups()
        year = str(int(year) + (2000 if int(year) < _TWO_DIGIT_PIVOT else 1900))
    elif match := _ASCTIME.match(source):
        month, day, hour, minute, second, year = match.groups()
    else:
        return None
    number = _MONTH_NUMBERS.get(month)
    if number is None or int(hour) > 23 or int(minute) > 59 or int(second) > 59:
        return None
    if int(year) == 0 or int(day) > calendar.monthrange(int(year), number)[1]:
        return None
    seconds = calendar.timegm((int(year), number, int(day), int(hour), int(minute), int(second)))
    return None if seconds == _ERROR else seconds


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
