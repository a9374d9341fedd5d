"""The two parsers agree on what is accepted, what it means, and the status of what is not."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import pytest
from contracts.parser_contract import GOOD_CASES, Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from candy_trio.errors import ProtocolError
from candy_trio.http.events import BodyData, RequestHead
from candy_trio.http.parser import make_parser

Kind = Literal["httptools", "h11"]

# Small enough for a generated head or trailer section to be too large now and then, in bytes.
MAX_HEADER_SIZE = 400

# Hypothesis gets this many examples, a few milliseconds each.
EXAMPLES = 500

# One in so many parts of a generated request is odd: about half of the requests are good.
ODDNESS = 40


@dataclass
class Reading:
    messages: list[Message]
    status: int | None

    def essence(self) -> tuple[object, ...]:
        """What must not depend on parser or split.

        Of a body that is refused in the middle, how much came before the refusal does depend
        on the split; so only complete bodies count.
        """
        return (
            [
                (
                    [getattr(message.head, name) for name in RequestHead.__slots__],
                    message.complete,
                    message.body if message.complete else b"",
                )
                for message in self.messages
            ],
            self.status,
        )


def read(kind: Kind, pieces: list[bytes]) -> Reading:
    parser = make_parser(kind, max_header_size=MAX_HEADER_SIZE)
    messages: list[Message] = []
    try:
        for piece in pieces:
            parser.feed(piece)
            while (event := parser.next_event()) is not None:
                if isinstance(event, RequestHead):
                    messages.append(Message(event, complete=not event.has_body))
                elif isinstance(event, BodyData):
                    messages[-1].parts.append(event.data)
                else:
                    messages[-1].complete = True
    except ProtocolError as error:
        return Reading(messages, error.status)
    return Reading(messages, None)


def check_agreement(raw: bytes, cuts: list[int]) -> Reading:
    """Read `raw` in four ways, compare, and hold each accepted head against its bytes."""
    edges = [0, *sorted({cut % (len(raw) + 1) for cut in cuts}), len(raw)]
    pieces = [raw[a:b] for a, b in pairwise(edges) if a < b]
    whole = read("httptools", [raw])
    for other in (read("h11", [raw]), read("httptools", pieces), read("h11", pieces)):
        assert other.essence() == whole.essence()
    for message in whole.messages:
        check_head(message.head)
    return whole


def check_head(head: RequestHead) -> None:
    """The head says what its bytes say, in the only way they can be read."""
    lines = head.raw.split(b"\r\n")
    assert b"\r" not in b"".join(lines)
    assert b"\n" not in b"".join(lines)
    assert lines[0] == b"%s %s HTTP/1.%d" % (head.method, head.target, head.minor)
    assert lines[-2:] == [b"", b""]
    sent = [line.split(b":", 1) for line in lines[1:-2]]
    assert head.headers == [(name, value.strip(b" \t")) for name, value in sent]
    names = [name.lower() for name, _ in head.headers]
    assert names.count(b"host") == 1 or (head.minor == 0 and b"host" not in names)
    assert names.count(b"content-length") + names.count(b"transfer-encoding") <= 1
    assert head.chunked == (b"transfer-encoding" in names)
    assert len(head.raw) <= MAX_HEADER_SIZE


def mostly(
    usual: st.SearchStrategy[bytes], odd: st.SearchStrategy[bytes]
) -> st.SearchStrategy[bytes]:
    return st.integers(0, ODDNESS).flatmap(lambda number: odd if number == 0 else usual)


def some(*values: bytes) -> st.SearchStrategy[bytes]:
    return st.sampled_from(values)


anything = st.binary(max_size=8)
crlf = mostly(st.just(b"\r\n"), some(b"\n", b"\r", b"\r\r\n", b"\n\r", b"", b" \r\n", b"\r\n "))
methods = mostly(
    some(b"GET", b"POST", b"OPTIONS", b"HEAD"), some(b"get", b"CONNECT", b"PRI", b"") | anything
)
targets = mostly(
    some(b"/", b"/a?b=c", b"http://b.example/c", b"*", b"http://b:80", b"//x"),
    some(b"", b"a", b"/#f", b"http://", b"http://u@b/", b"/\x80", b"https:/b", b"/ b") | anything,
)
versions = mostly(
    some(b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0"),
    some(b"HTTP/2.0", b"HTTP/1.2", b"ICE/1.0") | anything,
)
spaces = mostly(st.just(b" "), some(b"  ", b"\t", b"", b"\x0b"))
colons = mostly(some(b":", b": ", b":\t "), some(b" :", b"", b": :", b":\x0b", b"\t:", b"::"))
ends = mostly(some(b"", b"", b" ", b" \t"), some(b"\x00", b"\x0c", b"\xa0", b"\x7f"))

FIELD_VALUES: dict[bytes, list[bytes]] = {
    b"Host": [b"a.example", b"a:80", b"[::1]", b"", b"a b", b"a/b", b"a:b", b"u@a"],
    b"Connection": [b"close", b"keep-alive", b"Upgrade", b"x, close", b"", b"keep-alive, upgrade"],
    b"Content-Length": [
        b"5",
        b"0",
        b"05",
        b"5, 5",
        b"+5",
        b"",
        b"9" * 18,
        b"9" * 19,
        b"5\t",
        b"1 2",
    ],
    b"Transfer-Encoding": [b"chunked", b"Chunked", b"gzip", b"gzip, chunked", b"", b"chunked, x"],
    b"Expect": [b"100-continue", b"100-Continue", b"x", b""],
    b"Upgrade": [b"websocket", b"h2c", b""],
    b"Proxy-Connection": [b"close", b"keep-alive", b"upgrade"],
    b"Keep-Alive": [b"timeout=5"],
    b"X-A": [b"b", b"", b"\xe9", b"a  b", b"\tc", b"\x01", b"a" * 150],
}
names = st.sampled_from(sorted(FIELD_VALUES))
spellings = st.sampled_from([bytes, bytes.lower, bytes.upper, bytes.swapcase])


@st.composite
def field_lines(draw: st.DrawFn) -> bytes:
    name = draw(names)
    value = draw(
        mostly(st.sampled_from(FIELD_VALUES[name][:3]), st.sampled_from(FIELD_VALUES[name]))
    )
    name = draw(spellings)(name)
    if draw(st.integers(0, 30)) == 0:
        name = draw(anything)
    return name + draw(colons) + value + draw(ends) + draw(crlf)


@st.composite
def chunk_parts(draw: st.DrawFn) -> bytes:
    data = draw(
        mostly(some(b"a", b"hello", b"\r\n\r\n", b"0\r\n\r\n"), st.binary(min_size=1, max_size=40))
    )
    size = b"%x" % len(data)
    size = draw(
        mostly(st.just(size), some(b"0" + size, b"0x" + size, b"+" + size, b"", b"1") | anything)
    )
    extension = draw(
        mostly(
            st.just(b""),
            some(b";a", b";a=b", b';a="b\\"c"', b" ", b";", b"; a", b";a\x01", b';a="', b";a=b;c"),
        )
    )
    return size + extension + draw(crlf) + data + draw(crlf)


@st.composite
def chunked_bodies(draw: st.DrawFn) -> bytes:
    parts = b"".join(draw(st.lists(chunk_parts(), max_size=4)))
    last = draw(mostly(some(b"0", b"000"), some(b"", b"00x", b"0;a", b"-0")))
    trailers = b"".join(draw(st.lists(field_lines(), max_size=2)) if draw(st.booleans()) else [])
    return parts + last + draw(crlf) + trailers + draw(crlf)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """A request that is nearly always nearly right."""
    version = draw(versions)
    fields = draw(st.lists(field_lines(), max_size=4))
    if draw(st.integers(0, 9)):
        fields.insert(draw(st.integers(0, len(fields))), b"Host: a.example\r\n")
    fields = [line for line in fields if not line.lower().startswith(b"host")] + [
        line for line in fields if line.lower().startswith(b"host")
    ][: draw(st.sampled_from([1, 1, 1, 1, 2, 0]))]
    body = b""
    framing = draw(st.sampled_from(["none", "counted", "chunked", "as drawn"]))
    if framing != "as drawn":
        fields = [
            line
            for line in fields
            if not line.lower().startswith((b"content-length", b"transfer-encoding"))
        ]
    if framing == "counted":
        body = draw(anything)
        fields.append(b"Content-Length: %d\r\n" % len(body))
    elif framing == "chunked":
        body = draw(chunked_bodies())
        fields.append(b"Transfer-Encoding: chunked\r\n")
    line = draw(methods) + draw(spaces) + draw(targets) + draw(spaces) + version + draw(crlf)
    start = draw(mostly(st.just(b""), some(b"\r\n", b"\r\n" * 5, b"\n", b"\r")))
    return start + line + b"".join(fields) + draw(crlf) + body


@st.composite
def mutated(draw: st.DrawFn, source: st.SearchStrategy[bytes]) -> bytes:
    """`source` with a few bytes inserted, removed, replaced or repeated."""
    raw = bytearray(draw(source))
    odd_bytes = some(
        b"\r",
        b"\n",
        b"\r\n",
        b"\x00",
        b" ",
        b"\t",
        b":",
        b"\x80",
        b"\xff",
        b"\x0b",
        b";",
        b"0",
        b",",
    ) | st.binary(min_size=1, max_size=2)
    for _ in range(draw(st.integers(1, 3))):
        position = draw(st.integers(0, len(raw)))
        size = draw(st.integers(0, 3))
        raw[position : position + size] = draw(odd_bytes | st.just(b""))
    return bytes(raw)


good_requests = st.sampled_from(
    [case.raw for case in GOOD_CASES if len(case.raw) < MAX_HEADER_SIZE]
)
streams = st.lists(requests() | good_requests | mutated(good_requests), min_size=1, max_size=3).map(
    b"".join
)
cut_lists = st.lists(st.integers(0, 2000), max_size=8)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(streams, cut_lists)
def test_generated_requests(raw: bytes, cuts: list[int]) -> None:
    """Requests from a grammar with errors: same heads, bodies and status in all four readings."""
    check_agreement(raw, cuts)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated(good_requests), cut_lists)
def test_mutated_requests(raw: bytes, cuts: list[int]) -> None:
    """Good requests with a few bytes changed: same heads, bodies and status."""
    check_agreement(raw, cuts)


@settings(max_examples=EXAMPLES // 2, deadline=None)
@given(st.binary(max_size=200), cut_lists)
def test_noise(raw: bytes, cuts: list[int]) -> None:
    """Bytes that nobody meant as a request: same outcome, and no error but ProtocolError."""
    check_agreement(raw, cuts)


BYTE_BASES = {
    "head": b"GET /a?b HTTP/1.1\r\nHost: a:80\r\nX: b c\r\n\r\n",
    "absolute": b"GET http://a:8/b HTTP/1.1\r\nHost: a\r\n\r\n",
    "counted": b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi",
    "chunked": b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    "options": b"OPTIONS * HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
}
CHUNKED_BODY = b'2;a="b"\r\nhi\r\n0\r\nX: b\r\n\r\n'


@pytest.mark.parametrize("change", ["replaced", "inserted"])
@pytest.mark.parametrize("base", BYTE_BASES)
def test_every_byte_everywhere(base: str, change: str) -> None:
    """Each of the 256 byte values at each place of a request: same heads, bodies and status."""
    raw = BYTE_BASES[base]
    size = 1 if change == "replaced" else 0
    for position in range(len(raw)):
        before, after = raw[:position], raw[position + size :]
        for code in range(256):
            changed = b"%s%c%s" % (before, code, after)
            one, other = read("httptools", [changed]), read("h11", [changed])
            assert one.essence() == other.essence(), changed
            for message in one.messages:
                check_head(message.head)


@pytest.mark.parametrize("change", ["replaced", "inserted"])
def test_every_byte_in_a_chunked_body(change: str) -> None:
    """Each of the 256 byte values at each place of a chunked body: same data and status."""
    size = 1 if change == "replaced" else 0
    for position in range(len(CHUNKED_BODY)):
        for code in range(256):
            body = b"%s%c%s" % (CHUNKED_BODY[:position], code, CHUNKED_BODY[position + size :])
            raw = BYTE_BASES["chunked"] + body
            one, other = read("httptools", [raw]), read("h11", [raw])
            assert one.essence() == other.essence(), raw


def test_cases_shuffled() -> None:
    """Any field lines of the good cases together, in any order: same heads, bodies and status."""
    chance = random.Random(20)
    lines = sorted(
        {line for case in GOOD_CASES for line in case.raw.split(b"\r\n")[1:] if b":" in line}
    )
    for _ in range(1000):
        chosen = chance.sample(lines, k=chance.randint(0, 5))
        raw = b"\r\n".join([b"POST / HTTP/1.%d" % chance.randint(0, 1), *chosen, b"", b""])
        check_agreement(raw + b"5\r\nhello\r\n0\r\n\r\n", [chance.randrange(200)])
