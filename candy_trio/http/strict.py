"""What a request head must be for us to accept it, whichever library parses it.

The rules of this file:

* The library parses. A head is split into method, target and fields by httptools or h11 alone;
  what is here looks at the result and at the raw bytes, and only ever refuses more.
* Whatever is accepted here, both libraries accept, and read alike. The differential test in
  tests/http/ holds that; where one library is stricter than the other, the rule is written here.
* One message, one status: it depends neither on the library nor on how the bytes were split by
  the network. So faults have an order: bytes and form of the request line (400), version (505),
  method (501), target (400); then bytes of the fields (400), form of the fields (400), framing
  fields (400, then 501), Expect (417). `refusal` walks through it; it runs for refused heads
  only.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from candy_trio.errors import ProtocolError
from candy_trio.http.conditional import CONDITIONS
from candy_trio.http.events import RequestHead

# What routes can answer. CONNECT is absent: it asks for a tunnel, and there is no proxy yet.
METHODS: Final = frozenset(
    b"GET HEAD POST PUT DELETE MKCOL COPY MOVE OPTIONS PROPFIND PROPPATCH LOCK UNLOCK PATCH "
    b"TRACE".split()
)

# RFC 9112 §6.3 asks to guard against overflow: 18 decimal digits fit any signed 64-bit reader
# that this request may be handed to.
MAX_CONTENT_LENGTH_DIGITS: Final = 18

# The bytes that may occur in a head at all: HTAB, CR, LF (whose pairing is checked by counting),
# SP, VCHAR, obs-text (RFC 9110 §5.5, RFC 9112 §2.2).
HEAD_BYTES: Final = bytes([0x09, 0x0A, 0x0D, *range(0x20, 0x7F), *range(0x80, 0x100)])

TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"

# A request line apart from the meaning of its parts. The target may still hold obs-text here.
REQUEST_LINE: Final = re.compile(rb"(" + TOKEN + rb") ([!-~\x80-\xff]+) HTTP/([0-9]\.[0-9])")

# Possessive, or else a bad byte behind n blanks would be looked for n times.
FIELD_LINE: Final = re.compile(rb"(" + TOKEN + rb"):[ \t]*+([^\x00-\x08\x0a-\x1f\x7f]*+)")

# VCHAR without "#": a fragment is not part of a request-target (RFC 9112 §3.2). Bytes from 0x80
# on must be percent-encoded: nginx lets them pass, h11 and llhttp don't, and the stricter
# reading wins.
ORIGIN_FORM: Final = re.compile(rb"/[!\"$-~]*")
ABSOLUTE_FORM: Final = re.compile(rb"[Hh][Tt][Tt][Pp][Ss]?://([^/?#]*)([/?][!\"$-~]*)?")

# uri-host [ ":" port ] (RFC 9110 §7.2, RFC 3986 §3.2.2), no userinfo, not empty; like nginx
# without empty labels, since scripts build file names and URLs of it. No percent-encoding
# either: DNS has no such names, and whoever compares names would have to decode first.
_LABEL: Final = rb"[A-Za-z0-9\-_~!$&'()*+,;=]+"
HOST: Final = re.compile(
    rb"(?:\[[0-9A-Fa-f:.]+\]|" + _LABEL + rb"(?:\." + _LABEL + rb")*\.?)(?::[0-9]{0,5})?"
)

MINOR_VERSIONS: Final = {b" HTTP/1.1": 1, b" HTTP/1.0": 0}
_VERSION_LENGTH: Final = len(b" HTTP/1.1")

FRAMING_FIELDS: Final = frozenset(
    [b"host", b"content-length", b"transfer-encoding", b"connection", b"expect"]
)

LOOKED_AT: Final = FRAMING_FIELDS | CONDITIONS


@lru_cache(maxsize=256)
def is_host(value: bytes) -> bool:
    """Whether it can stand in a Host field. Clients name the same few again and again."""
    return HOST.fullmatch(value) is not None


def is_clean(part: bytes) -> bool:
    """Whether every byte may occur in a head, and CR and LF occur as CRLF only."""
    return not part.translate(None, HEAD_BYTES) and part.count(b"\r\n") == part.count(
        b"\n"
    ) == part.count(b"\r")


def check_bytes(part: bytes) -> None:
    """Raise ProtocolError 400 unless `part` is clean."""
    if not is_clean(part):
        raise ProtocolError(400, "control byte, or CR or LF alone, in the head")


def check_request_line(line: bytes) -> None:
    """Raise ProtocolError for a line (without its CRLF) that can't begin a request for us."""
    match = REQUEST_LINE.fullmatch(line)
    if match is None:
        raise ProtocolError(400, "malformed request line")
    method, target, version = match.groups()
    if version not in (b"1.0", b"1.1"):
        raise ProtocolError(505, f"HTTP version {version.decode()}")
    if method not in METHODS:
        raise ProtocolError(501, f"method {method.decode()}")
    resolve_target(method, target)


def resolve_target(method: bytes, target: bytes) -> tuple[bytes, bytes | None]:
    """Path (with query) and authority of a request-target (RFC 9112 §3.2).

    The authority is None unless the target has one. Raises ProtocolError 400.
    """
    if ORIGIN_FORM.fullmatch(target):
        return target, None
    if target == b"*":
        if method != b"OPTIONS":
            raise ProtocolError(400, "target * is for OPTIONS only")
        return target, None
    match = ABSOLUTE_FORM.fullmatch(target)
    if match is None:
        raise ProtocolError(
            400, "invalid request target (what is not ASCII has to be percent-encoded)"
        )
    authority, path = match.groups(b"")
    if not HOST.fullmatch(authority):
        raise ProtocolError(400, "invalid host in the request target")
    if path.startswith(b"/"):
        return path, authority
    # Without a path it means the root, for OPTIONS the server (RFC 9112 §3.2.4).
    return (b"*" if method == b"OPTIONS" and not path else b"/" + path), authority


def read_framing(
    minor: int, headers: list[tuple[bytes, bytes]]
) -> tuple[bytes, int, bool, bool, bool, bool]:
    """Host, content length, chunked, keep-alive, expect-continue, conditional: as the fields say.

    Raises ProtocolError 400, 417 or 501. Every doubt about where this message ends is an
    error, never a guess: guesses are what request smuggling lives on (RFC 9112 §11.2).
    """
    host: bytes | None = None
    length: bytes | None = None
    coding: bytes | None = None
    connection: bytes | None = None
    expect: bytes | None = None
    conditional = False
    for name, value in headers:
        lower = name.lower()
        if lower not in LOOKED_AT:
            continue
        if lower == b"host":
            if host is not None:
                raise ProtocolError(400, "more than one Host")
            host = value
        elif lower == b"connection":
            connection = value if connection is None else connection + b"," + value
        elif lower == b"content-length":
            if length is not None:
                raise ProtocolError(400, "more than one Content-Length")
            length = value
        elif lower == b"transfer-encoding":
            coding = value if coding is None else coding + b"," + value
        elif lower in CONDITIONS:
            conditional = True
        elif expect is None or expect.lower() == b"100-continue":
            # Of several, one that can't be met is enough to fail.
            expect = value

    if host is None:
        if minor == 1:
            raise ProtocolError(400, "HTTP/1.1 without Host")
        host = b""
    elif not is_host(host):
        raise ProtocolError(400, "invalid Host")

    content_length = 0
    if length is not None:
        # isdigit of bytes is ASCII only, and false for nothing, signs, lists and blanks.
        if not length.isdigit() or len(length) > MAX_CONTENT_LENGTH_DIGITS:
            raise ProtocolError(400, "invalid Content-Length")
        content_length = int(length)
    if coding is not None:
        if length is not None:
            raise ProtocolError(400, "both Content-Length and Transfer-Encoding")
        if minor == 0:
            raise ProtocolError(400, "Transfer-Encoding on HTTP/1.0")
        if coding.lower() != b"chunked":
            raise ProtocolError(501, "Transfer-Encoding other than chunked")

    if connection is None:
        keep_alive = minor == 1
    elif connection == b"keep-alive":
        keep_alive = True
    else:
        options = {option.strip(b" \t") for option in connection.lower().split(b",")}
        keep_alive = b"close" not in options and (minor == 1 or b"keep-alive" in options)

    expect_continue = False
    if expect is not None:
        if expect.lower() != b"100-continue":
            raise ProtocolError(417, "Expect other than 100-continue")
        # On HTTP/1.0 it is ignored (RFC 9110 §10.1.1); without a body there is nothing to ask.
        expect_continue = minor == 1 and (coding is not None or content_length > 0)
    return host, content_length, coding is not None, keep_alive, expect_continue, conditional


def build_head(
    raw: bytes, method: bytes, target: bytes, headers: list[tuple[bytes, bytes]]
) -> RequestHead:
    """The checked head, from what a library made of `raw` (request line to empty line).

    Raises ProtocolError with the status that this file's order gives.
    """
    line_end = raw.find(b"\r\n")
    minor = MINOR_VERSIONS.get(raw[max(0, line_end - _VERSION_LENGTH) : line_end])
    if (
        minor is None
        or method not in METHODS
        # The parts and two spaces are the whole line: llhttp would take several spaces, a
        # leading LF, and protocols other than HTTP.
        or len(method) + len(target) + 1 + _VERSION_LENGTH != line_end
        # A line is a field: the library has seen neither more nor fewer lines than there are.
        or len(headers) + 2 != raw.count(b"\n")
    ):
        raise refusal(raw, "malformed request head")
    path: bytes = target
    authority: bytes | None = None
    if not ORIGIN_FORM.fullmatch(target):
        path, authority = resolve_target(method, target)
    host, content_length, chunked, keep_alive, expect_continue, conditional = read_framing(
        minor, headers
    )
    return RequestHead(
        method,
        target,
        path,
        minor,
        headers,
        raw,
        # A Host beside an absolute-form target must be there and be valid, but does not count
        # (RFC 9112 §3.2.2).
        host if authority is None else authority,
        content_length,
        chunked,
        keep_alive,
        expect_continue,
        conditional,
    )


def refusal(raw: bytes, reason: str) -> ProtocolError:
    """Why this head is refused; `reason` is the library's, for what has no status of its own."""
    line_end = raw.find(b"\n") + 1
    lines = raw[line_end:]
    try:
        check_bytes(raw[:line_end])
        check_request_line(raw[: line_end - 2])
        check_bytes(lines)
        fields = []
        for line in lines[: -len(b"\r\n\r\n")].split(b"\r\n") if len(lines) > 2 else ():
            match = FIELD_LINE.fullmatch(line)
            if match is None:
                return ProtocolError(400, "malformed header field")
            fields.append((match[1], match[2].rstrip(b" \t")))
        read_framing(1 if raw[line_end - 3 : line_end - 2] == b"1" else 0, fields)
    except ProtocolError as error:
        return error
    return ProtocolError(400, reason)
