"""Conditional requests: what nginx makes of a 200 whose request asked for it under a condition.

The rules of this file:

- Only a response of status 200 is looked at, whatever the method, and only once its head is known:
  a script has done its work by then, and may have set the request's fields itself.
- The order is RFC 9110 §13.2.2's but for two habits of nginx 1.22, which scripts know: without a
  Last-Modified, If-Unmodified-Since is not met (the RFC would pass over it); and where both
  If-None-Match and If-Modified-Since are sent, both must find the client's copy fresh.
- Times compare as nginx's ``if_modified_since exact``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, TypeAlias

Fields: TypeAlias = list[tuple[bytes, bytes]]
ParseDate: TypeAlias = Callable[[bytes], "int | None"]

NOT_MODIFIED: Final = 304
PRECONDITION_FAILED: Final = 412

CONDITIONS: Final = frozenset(
    (b"if-match", b"if-none-match", b"if-modified-since", b"if-unmodified-since")
)
_OF_CONTENT: Final = re.compile(
    rb"(?mi)^(?:content-type|content-encoding|accept-ranges):[^\r\n]*\r\n"
)
_END_OF_TAG: Final = re.compile(rb"[ \t]*(?:,|\Z)")
_SEPARATORS: Final = re.compile(rb"[ \t,]*")


def conditions_of(headers: Fields) -> dict[bytes, bytes]:
    """The conditions among a request's fields, the first of each name."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        lowered = name.lower()
        if lowered in CONDITIONS:
            found.setdefault(lowered, value)
    return found


def evaluate(conditions: dict[bytes, bytes], lines: bytes, parse_date: ParseDate) -> int:
    """200, 304 or 412 for a response with these header lines."""
    etag = modified = None
    for line in lines.split(b"\r\n"):
        name, _, value = line.partition(b":")
        lowered = name.lower()
        if lowered == b"etag":
            etag = value.strip(b" \t")
        elif lowered == b"last-modified":
            modified = parse_date(value.strip(b" \t"))

    unmodified_since = conditions.get(b"if-unmodified-since")
    if unmodified_since is not None:
        since = parse_date(unmodified_since)
        if modified is None or since is None or since < modified:
            return PRECONDITION_FAILED
    match = conditions.get(b"if-match")
    if match is not None and not _matches(match, etag, weak=False):
        return PRECONDITION_FAILED

    modified_since = conditions.get(b"if-modified-since")
    none_match = conditions.get(b"if-none-match")
    if modified_since is None and none_match is None:
        return 200
    if modified_since is not None and (modified is None or parse_date(modified_since) != modified):
        return 200
    if none_match is not None and not _matches(none_match, etag, weak=True):
        return 200
    return NOT_MODIFIED


def without_content(lines: bytes) -> bytes:
    """Header lines for a 304: nothing that describes a content."""
    return _OF_CONTENT.sub(b"", lines)


def _matches(listed: bytes, etag: bytes | None, *, weak: bool) -> bool:
    """Whether a list of entity tags has this one (RFC 9110 §8.8.3.2)."""
    if listed == b"*":
        return True
    if etag is None:
        return False
    if weak:
        etag = etag.removeprefix(b"W/")
    # Looked for and not split at commas: a tag may hold some.
    position = 0
    while position < len(listed):
        if weak and listed.startswith(b"W/", position):
            position += 2
        if listed.startswith(etag, position):
            position += len(etag)
            if _END_OF_TAG.match(listed, position):
                return True
        comma = listed.find(b",", position)
        if comma < 0:
            return False
        separators = _SEPARATORS.match(listed, comma)
        assert separators is not None
        position = separators.end()
    return False
