"""Dates in header fields, as HTTP writes them (RFC 9110 §5.6.7)."""

from __future__ import annotations

import calendar
import re

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH_NUMBERS = {name: number for number, name in enumerate(MONTHS, 1)}

_TWO_DIGIT_PIVOT = 70
"""Two-digit years below it are in this century, as nginx reads them."""

_ERROR = -1
"""What nginx's parser says of no date; the last second of 1969 is mistaken for it."""

_MAX_DATE = 1024
"""Bytes that are looked at; a date with a name of a day as long is none."""

# RFC 9110 §5.6.7: IMF-fixdate, and the obsolete RFC 850 and asctime forms. As lenient as nginx's
# ngx_parse_http_time: the name of the day and all that follows the date are passed over.
_IMF = re.compile(r"[^ ,]*, *(\d{2}) (\w{3}) (\d{4}) (\d{2}):(\d{2}):(\d{2})", re.A)
_RFC850 = re.compile(r"[^ ,]*, *(\d{2})-(\w{3})-(\d{2}) (\d{2}):(\d{2}):(\d{2})", re.A)
_ASCTIME = re.compile(r"[^ ,]* +(\w{3}) ( ?\d{1,2}) (\d{2}):(\d{2}):(\d{2}) (\d{4})", re.A)


def parse_http_time(text: bytes) -> int | None:
    """Seconds since the epoch, None if it is no date of HTTP."""
    source = text[:_MAX_DATE].decode("latin-1")
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
