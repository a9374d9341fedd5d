"""From the path of a request-target to the URI that locations are matched against.

Rules, those of nginx's ``ngx_http_parse_complex_uri`` with ``merge_slashes on``:

- Percent-encoding is undone once, before anything else: ``%2F`` separates segments and ``%2e%2e``
  climbs like their plain spellings. ``%25``, ``%3F`` and ``%23`` give plain characters.
- Adjacent slashes count as one, and then ``.`` and ``..`` are resolved (RFC 3986 §5.2.4).
- Climbing above the root is refused, never clamped; so are NUL and a ``%`` without two digits.
- A raw ``#`` ends the path (clients do not send fragments, RFC 9112 §3.2; nginx drops them).
"""

from __future__ import annotations

import re
from typing import Final

from candy_trio.errors import ProtocolError

# A path that is its own normal form: no segment is empty or begins with a dot, nothing to decode.
# Possessive, so that a long path costs one pass whether it matches or not.
_is_plain: Final = re.compile(rb"(?:/[^/.%#\0][^/%#\0]*+)++/?|/").fullmatch

_HEX_DIGITS: Final = "0123456789ABCDEFabcdef"
_DECODED: Final = {
    (high + low).encode(): bytes([int(high + low, 16)])
    for high in _HEX_DIGITS
    for low in _HEX_DIGITS
}

_DOTS: Final = (b".", b"..")


def normalize_path(raw: bytes) -> bytes:
    """Decode and resolve ``raw``, a path without its query.

    Raises ProtocolError(400) for a path that does not begin with a slash, leaves the root,
    contains NUL or a broken percent-encoding.
    """
    if _is_plain(raw):
        return raw
    path = _decode(raw.partition(b"#")[0])
    if not path.startswith(b"/"):
        raise ProtocolError(400, "the request path does not begin with a slash")
    if b"\0" in path:
        raise ProtocolError(400, "the request path contains NUL")
    segments: list[bytes] = []
    last = b""
    for last in path.split(b"/"):
        if last and last not in _DOTS:
            segments.append(last)
        elif last == b"..":
            if not segments:
                raise ProtocolError(400, "the request path leaves the root")
            segments.pop()
    names_folder = not last or last in _DOTS
    if names_folder:
        segments.append(b"")
    return b"/" + b"/".join(segments)


def _decode(path: bytes) -> bytes:
    first, *encoded = path.split(b"%")
    try:
        return first + b"".join([_DECODED[part[:2]] + part[2:] for part in encoded])
    except KeyError:
        raise ProtocolError(400, "the request path has a broken percent-encoding") from None
