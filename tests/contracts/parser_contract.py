"""What every request parser must do: `check_parser(make)`, or its `CHECKS` one by one.

Each case arrives whole, byte by byte, split at random, and with other requests around it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from corpora.malformed import CASES, MAX_HEADER_SIZE

from candy_trio.errors import ProtocolError
from candy_trio.http.events import END_OF_BODY, BodyData, Event, RequestHead
from candy_trio.http.parser import RequestParser

MakeParser = Callable[[int], RequestParser]
"""Makes a fresh parser, given its max_header_size in bytes."""

# Ways to split at random, for each case; the seed is fixed so that a failure stays one.
RANDOM_SPLITS = 10

# Raw bytes longer than this are not sent byte by byte but in pieces of a prime size.
BYTE_BY_BYTE_LIMIT = 2000


@dataclass(frozen=True)
class GoodCase:
    """One request, what its head says (of what `RequestHead` has), and its body."""

    name: str
    raw: bytes
    head: dict[str, Any]
    body: bytes = b""
    # Bytes of the head in `raw`: what comes before it is empty lines.
    empty_lines: bytes = b""


@dataclass
class Message:
    head: RequestHead
    parts: list[bytes] = field(default_factory=list)
    complete: bool = False

    @property
    def body(self) -> bytes:
        return b"".join(self.parts)


HOST = b"Host: a.example\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
ALL_BYTES = bytes(range(256))


def get(name: str, start: bytes, fields: bytes = HOST, **head: Any) -> GoodCase:
    return GoodCase(name, start + b"\r\n" + fields + b"\r\n", head)


def post(name: str, fields: bytes, sent: bytes, body: bytes, **head: Any) -> GoodCase:
    raw = b"POST /form HTTP/1.1\r\n" + HOST + fields + b"\r\n" + sent
    return GoodCase(name, raw, head, body)


GOOD_CASES = [
    get(
        "plain",
        b"GET /a?b=c HTTP/1.1",
        method=b"GET",
        target=b"/a?b=c",
        path=b"/a?b=c",
        minor=1,
        headers=[(b"Host", b"a.example")],
        host=b"a.example",
        content_length=0,
        chunked=False,
        keep_alive=True,
        expect_continue=False,
        has_body=False,
    ),
    get(
        "field names and values as sent",
        b"GET / HTTP/1.1",
        b"hOST:a.example:80\r\nX-A:  b \t \r\nx-a:\tc,d\r\nX-Empty:\r\nX-Blank: \t \r\n"
        b"X-Inner: a  b\tc\r\nX-Text: \xe9\xff\r\nX_y!#$%&'*+-.^`|~9: \"q\"\r\nX-A: b\r\n",
        headers=[
            (b"hOST", b"a.example:80"),
            (b"X-A", b"b"),
            (b"x-a", b"c,d"),
            (b"X-Empty", b""),
            (b"X-Blank", b""),
            (b"X-Inner", b"a  b\tc"),
            (b"X-Text", b"\xe9\xff"),
            (b"X_y!#$%&'*+-.^`|~9", b'"q"'),
            (b"X-A", b"b"),
        ],
        host=b"a.example:80",
    ),
    *(
        get(f"method {name}", name.encode() + b" / HTTP/1.1", method=name.encode(), has_body=False)
        for name in (
            "GET", "HEAD", "POST", "PUT", "DELETE", "MKCOL", "COPY", "MOVE", "OPTIONS", "PROPFIND",
            "PROPPATCH", "LOCK", "UNLOCK", "PATCH", "TRACE",
        )
    ),
    *(
        get(f"target {path.decode()}", b"GET " + path + b" HTTP/1.1", target=path, path=path)
        for path in (
            b"/",
            b"//",
            b"//b.example/c",
            b"/?",
            b"/??a",
            b"/a%20b%zz%00?%",
            b"/../..",
            b"/\"'<>[]{}|\\^`~!$&()*+,;=:@-._",
            b"/?\"'<>[]{}|\\^`~!$&()*+,;=:@-._/?",
            b"/http://b.example/",
        )
    ),
    *(
        get(
            f"absolute target {target.decode()}",
            b"GET " + target + b" HTTP/1.1",
            target=target,
            path=path,
            host=host,
            headers=[(b"Host", b"a.example")],
        )
        for target, path, host in (
            (b"http://b.example/c?d", b"/c?d", b"b.example"),
            (b"https://b.example:8443/", b"/", b"b.example:8443"),
            (b"HTTP://B.Example/", b"/", b"B.Example"),
            (b"http://b.example", b"/", b"b.example"),
            (b"http://b.example?d", b"/?d", b"b.example"),
            (b"http://[::1]:80/c", b"/c", b"[::1]:80"),
            (b"http://b.example//c", b"//c", b"b.example"),
        )
    ),
    get("OPTIONS *", b"OPTIONS * HTTP/1.1", target=b"*", path=b"*", host=b"a.example"),
    get("OPTIONS of a server", b"OPTIONS http://b HTTP/1.1", path=b"*", host=b"b"),
    get("OPTIONS of a query", b"OPTIONS http://b?c HTTP/1.1", path=b"/?c", host=b"b"),
    *(
        get(f"Host {host.decode()}", b"GET / HTTP/1.1", b"Host: " + host + b"\r\n", host=host)
        for host in (
            b"a",
            b"A.Example",
            b"a.example.",
            b"a:",
            b"a:8080",
            b"127.0.0.1:80",
            b"[::1]",
            b"[2001:db8::1]:443",
            b"[::ffff:192.0.2.1]",
            b"a_b.example",
            b"xn--bcher-kva.example",
        )
    ),
    get("HTTP/1.0", b"GET / HTTP/1.0", b"", minor=0, host=b"", keep_alive=False, headers=[]),
    get("HTTP/1.0 with Host", b"GET / HTTP/1.0", minor=0, host=b"a.example", keep_alive=False),
    *(
        get(
            f"HTTP/1.{minor}, Connection {' and '.join(value.decode() for value in values)}",
            b"GET / HTTP/1.%d" % minor,
            HOST + b"".join(b"Connection: " + value + b"\r\n" for value in values),
            keep_alive=keep_alive,
        )
        for minor, values, keep_alive in (
            (1, [b"close"], False),
            (1, [b"Close"], False),
            (1, [b"keep-alive"], True),
            (1, [b"keep-alive, close"], False),
            (1, [b"x , close,y"], False),
            (1, [b"x", b"close"], False),
            (1, [b"closed"], True),
            (1, [b"close-notify"], True),
            (1, [b""], True),
            (1, [b"upgrade"], True),
            (0, [b"keep-alive"], True),
            (0, [b"Keep-Alive"], True),
            (0, [b"x,\tkeep-alive "], True),
            (0, [b"keep-alive", b"close"], False),
            (0, [b"x"], False),
            (0, [b"keep-alive-x"], False),
            (0, [b"close"], False),
        )
    ),
    get(
        "Proxy-Connection says nothing",
        b"GET / HTTP/1.1",
        HOST + b"Proxy-Connection: close\r\n",
        keep_alive=True,
    ),
    get(
        "Upgrade is an ordinary request",
        b"GET /chat HTTP/1.1",
        HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\nX: y\r\n",
        headers=[
            (b"Host", b"a.example"),
            (b"Connection", b"Upgrade"),
            (b"Upgrade", b"websocket"),
            (b"X", b"y"),
        ],
        keep_alive=True,
    ),
    GoodCase(
        "empty lines first",
        b"\r\n\r\nGET / HTTP/1.1\r\n" + HOST + b"\r\n",
        {"path": b"/"},
        empty_lines=b"\r\n\r\n",
    ),
    post(
        "counted",
        b"Content-Length: 5\r\n",
        b"hello",
        b"hello",
        content_length=5,
        chunked=False,
        has_body=True,
    ),
    post("length 0", b"Content-Length: 0\r\n", b"", b"", content_length=0, has_body=False),
    post("length 00", b"Content-Length: 00\r\n", b"", b"", content_length=0, has_body=False),
    post("length with zeros", b"Content-Length: 005\r\n", b"hello", b"hello", content_length=5),
    post("length in blanks", b"Content-Length:\t 5\t \r\n", b"hello", b"hello", content_length=5),
    post("no length", b"", b"", b"", content_length=0, chunked=False, has_body=False),
    post("counted, all bytes", b"Content-Length: 256\r\n", ALL_BYTES, ALL_BYTES),
    post("counted, all CRLF", b"Content-Length: 40\r\n", b"\r\n" * 20, b"\r\n" * 20),
    post(
        "counted, and the last",
        b"Content-Length: 2\r\nConnection: close\r\n",
        b"hi",
        b"hi",
        keep_alive=False,
    ),
    post(
        "counted, with Upgrade",
        b"Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 5\r\n",
        b"hello",
        b"hello",
    ),
    post(
        "chunked",
        CHUNKED,
        b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
        b"hello world",
        content_length=0,
        chunked=True,
        has_body=True,
        headers=[(b"Host", b"a.example"), (b"Transfer-Encoding", b"chunked")],
    ),
    post(
        "chunked, spelled otherwise",
        b"transfer-ENCODING:\tChunked \r\n",
        b"1\r\na\r\n0\r\n\r\n",
        b"a",
        chunked=True,
        headers=[(b"Host", b"a.example"), (b"transfer-ENCODING", b"Chunked")],
    ),
    post("chunked, empty", CHUNKED, b"0\r\n\r\n", b"", chunked=True, has_body=True),
    post("chunked, all bytes", CHUNKED, b"100\r\n" + ALL_BYTES + b"\r\n0\r\n\r\n", ALL_BYTES),
    post("chunked, single bytes", CHUNKED, b"1\r\nx\r\n" * 50 + b"0\r\n\r\n", b"x" * 50),
    post(
        "chunked, looks like ends",
        CHUNKED,
        b"10\r\n\r\n\r\n0\r\n\r\n0\r\n\r\n\r\n\r\n000\r\n\r\n",
        b"\r\n\r\n0\r\n\r\n0\r\n\r\n\r\n",
    ),
    post("chunked, sizes in hex", CHUNKED, b"a\r\n0123456789\r\n0B\r\n0123456789a\r\n0\r\n\r\n",
         b"01234567890123456789a"),
    post("chunked, zeros", CHUNKED, b"0" * 15 + b"2\r\nhi\r\n" + b"0" * 16 + b"\r\n\r\n", b"hi"),
    post(
        "chunked, extensions",
        CHUNKED,
        b'2;a\r\nhi\r\n2;a=b;c="d \\" ;\t\\\\e";f\r\nho\r\n0;z=9\r\n\r\n',
        b"hiho",
    ),
    post(
        "chunked, trailers",
        CHUNKED,
        b"2\r\nhi\r\n0\r\nX: y\r\nX-Sum:  \xe9 z \r\nConnection: close\r\nUpgrade: a\r\nE:\r\n\r\n",
        b"hi",
        headers=[(b"Host", b"a.example"), (b"Transfer-Encoding", b"chunked")],
        keep_alive=True,
    ),
    post(
        "chunked, and the last", CHUNKED + b"Connection: close\r\n", b"2\r\nhi\r\n0\r\n\r\n", b"hi",
        keep_alive=False,
    ),
    post(
        "chunked, with Upgrade",
        b"Connection: upgrade\r\nUpgrade: h2c\r\n" + CHUNKED,
        b"5\r\nhello\r\n0\r\n\r\n",
        b"hello",
    ),
    post(
        "Expect", b"Expect: 100-Continue\r\nContent-Length: 2\r\n", b"hi", b"hi",
        expect_continue=True,
    ),
    post("Expect, chunked", b"Expect: 100-continue\r\n" + CHUNKED, b"0\r\n\r\n", b"",
         expect_continue=True),
    post("Expect without a body", b"Expect: 100-continue\r\n", b"", b"", expect_continue=False),
    GoodCase(
        "Expect on HTTP/1.0",
        b"POST / HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nhi",
        {"expect_continue": False, "content_length": 2},
        b"hi",
    ),
    GoodCase(
        "GET with a body",
        b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\n\r\nhi",
        {"method": b"GET", "has_body": True},
        b"hi",
    ),
]  # fmt: skip


def splits(raw: bytes) -> Iterator[list[bytes]]:
    """`raw` whole, byte by byte, and split at random; never an empty piece."""
    yield [raw]
    size = 1 if len(raw) <= BYTE_BY_BYTE_LIMIT else 997
    yield [raw[start : start + size] for start in range(0, len(raw), size)]
    chance = random.Random(raw)
    for _ in range(RANDOM_SPLITS if len(raw) <= BYTE_BY_BYTE_LIMIT else 2):
        cuts = chance.sample(range(1, len(raw)), k=min(chance.randint(1, 6), len(raw) - 1))
        edges = [0, *sorted(cuts), len(raw)]
        yield [raw[start:end] for start, end in pairwise(edges)]


def events_of(parser: RequestParser, pieces: Iterable[bytes]) -> Iterator[Event]:
    """Every event, each piece being fed when the parser asks for more."""
    for piece in pieces:
        parser.feed(piece)
        while (event := parser.next_event()) is not None:
            yield event


def messages_of(parser: RequestParser, pieces: Iterable[bytes]) -> list[Message]:
    """The messages that the events make up, whose order is checked."""
    messages: list[Message] = []
    for event in events_of(parser, pieces):
        if isinstance(event, RequestHead):
            assert not messages or messages[-1].complete
            messages.append(Message(event, complete=not event.has_body))
            continue
        assert messages
        message = messages[-1]
        assert not message.complete
        if isinstance(event, BodyData):
            assert event.data
            assert type(event.data) is bytes
            message.parts.append(event.data)
        else:
            assert event is END_OF_BODY
            message.complete = True
    return messages


def refusal_of(parser: RequestParser, pieces: Iterable[bytes]) -> ProtocolError | None:
    try:
        messages_of(parser, pieces)
    except ProtocolError as error:
        return error
    return None


def compare(case: GoodCase, message: Message) -> None:
    for attribute, value in case.head.items():
        assert getattr(message.head, attribute) == value, (case.name, attribute)
    head_end = case.raw.index(b"\r\n\r\n", len(case.empty_lines)) + 4
    assert message.head.raw == case.raw[len(case.empty_lines) : head_end], case.name
    for name, value in message.head.headers:
        assert type(name) is type(value) is bytes, case.name
    assert message.body == case.body, case.name
    assert message.complete, case.name


def check_good(make: MakeParser) -> None:
    """Each good request is read the same, however it is split."""
    for case in GOOD_CASES:
        for pieces in splits(case.raw):
            messages = messages_of(make(MAX_HEADER_SIZE), pieces)
            assert len(messages) == 1, case.name
            compare(case, messages[0])


def check_pipelined(make: MakeParser) -> None:
    """Good requests in one stream are read one by one, in order, until one closes."""
    lasting = [case for case in GOOD_CASES if case.head.get("keep_alive", True)]
    lasting = [case for case in lasting if b"HTTP/1.0" not in case.raw or "keep_alive" in case.head]
    stream = b"".join(case.raw for case in lasting)
    for size in (len(stream), 1, 7, 1000):
        pieces = (stream[start : start + size] for start in range(0, len(stream), size))
        messages = messages_of(make(MAX_HEADER_SIZE), pieces)
        assert len(messages) == len(lasting)
        for case, message in zip(lasting, messages, strict=True):
            compare(case, message)


def check_after_close(make: MakeParser) -> None:
    """What follows the last message of a connection is never looked at."""
    for case in GOOD_CASES:
        if case.head.get("keep_alive", True):
            continue
        for behind in (b"GET / HTTP/1.1\r\n" + HOST + b"\r\n", b"\x00garbage\r\n\r\n"):
            for pieces in splits(case.raw + behind):
                parser = make(MAX_HEADER_SIZE)
                messages = messages_of(parser, pieces)
                assert len(messages) == 1, case.name
                compare(case, messages[0])
                assert not parser.head_begun()


def check_malformed(make: MakeParser) -> None:
    """Each malformed request gets its status, however it is split, after a good one too."""
    good = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"
    for case in CASES:
        for pieces in [*splits(case.raw), [good + case.raw]]:
            error = refusal_of(make(MAX_HEADER_SIZE), pieces)
            assert error is not None, case.name
            assert error.status == case.status, (case.name, error.reason)


def check_error_stays(make: MakeParser) -> None:
    """After an error every call raises the same again, and nothing fed is looked at."""
    good = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"
    for case in CASES:
        parser = make(MAX_HEADER_SIZE)
        first = refusal_of(parser, [case.raw])
        assert first is not None, case.name
        parser.feed(good)
        second = refusal_of(parser, [good])
        assert second is not None, case.name
        assert (second.status, second.reason) == (first.status, first.reason), case.name
        assert not parser.head_begun()


def check_nothing_behind_an_error(make: MakeParser) -> None:
    """Whatever is wrong, no request hidden in or behind the bytes is ever reported."""
    hidden = b"\r\n\r\nGET /hidden HTTP/1.1\r\n" + HOST + b"\r\n"
    for case in CASES:
        for pieces in splits(case.raw + hidden):
            parser = make(MAX_HEADER_SIZE)
            heads = 0
            try:
                for event in events_of(parser, pieces):
                    heads += isinstance(event, RequestHead)
            except ProtocolError:
                pass
            else:
                raise AssertionError(f"accepted: {case.name}")
            assert heads == case.name.startswith("chunks:"), case.name


def check_early_refusal(make: MakeParser) -> None:
    """A client that will never send CRLF CRLF is refused at its first impossible byte."""
    for begun, status in (
        (b"GET / HTTP/1.1\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\n", 400),
        (b"GET / HTTP/1.1\rX", 400),
        (b"\n", 400),
        (b"\rX", 400),
        (b"\x16", 400),
        (b"GET /\x00", 400),
        (b"GET / HTTP/1.1\r\nX: \x7f", 400),
        (b"GET /\r\n", 400),
        (b"GET / HTTP/3.7\r\n", 505),
        (b"FOO / HTTP/1.1\r\n", 501),
        (b"GET * HTTP/1.1\r\n", 400),
    ):
        for pieces in ([begun], [begun[:-1], begun[-1:]], [bytes([code]) for code in begun]):
            parser = make(MAX_HEADER_SIZE)
            assert refusal_of(parser, [piece for piece in pieces[:-1] if piece]) is None, begun
            error = refusal_of(parser, pieces[-1:])
            assert error is not None, begun
            assert error.status == status, begun
    head = b"POST / HTTP/1.1\r\n" + HOST + CHUNKED + b"\r\n"
    for begun in (b"5\n", b"x", b"-", b" ", b"5 ", b"0" * 17, b"1\r\naX", b"1\r\na\rX", b"0\r\n\n",
                  b"0\r\nX\n", b"0\r\nX\rY", b"0\r\n\x00", b"5;a\n", b"5;\x00"):  # fmt: skip
        parser = make(MAX_HEADER_SIZE)
        assert refusal_of(parser, [head, begun[:-1]]) is None, begun
        error = refusal_of(parser, [begun[-1:]])
        assert error is not None, begun
        assert error.status == 400, begun


def check_sizes(make: MakeParser) -> None:
    """A head of max_header_size bytes passes, one more does not; empty lines don't count."""
    head = b"GET /" + b"a" * 50 + b" HTTP/1.1\r\n" + HOST + b"X: " + b"b" * 50 + b"\r\n\r\n"
    for raw in (head, b"\r\n" + head):
        for pieces in splits(raw):
            assert len(messages_of(make(len(head)), pieces)) == 1
        for pieces in splits(raw):
            error = refusal_of(make(len(head) - 1), pieces)
            assert error is not None
            assert error.status == 431
    line_size = head.index(b"\r\n") + 2
    for size, status in ((line_size, 431), (line_size - 1, 414)):
        for pieces in splits(head):
            error = refusal_of(make(size), pieces)
            assert error is not None
            assert error.status == status


def check_size_change(make: MakeParser) -> None:
    """max_header_size may change between two requests, in both directions."""
    large = b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"b" * 500 + b"\r\n\r\n"
    parser = make(len(large))
    assert len(messages_of(parser, [large])) == 1
    parser.max_header_size = 100
    error = refusal_of(parser, [large])
    assert error is not None
    assert error.status == 431
    parser = make(100)
    assert len(messages_of(parser, [b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"])) == 1
    parser.max_header_size = len(large)
    assert len(messages_of(parser, [large])) == 1


def check_head_begun(make: MakeParser) -> None:
    """head_begun tells part of a head from silence, from empty lines and from a body."""
    parser = make(MAX_HEADER_SIZE)
    steps: list[tuple[bytes, bool]] = [
        (b"", False),
        (b"\r", False),
        (b"\n", False),
        (b"G", True),
        (b"ET / HTTP/1.1\r\n" + HOST, True),
        (b"\r", True),
        (b"\n", False),
        (b"\r\n", False),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\n", False),
        (b"ab", False),
        (b"c", False),
        (b"P", True),
        (b"OST / HTTP/1.1\r\n" + HOST + CHUNKED + b"\r\n5", False),
        (b"\r\nhello\r\n0\r\n\r\n", False),
        (b"GET / HTTP/1.1\r\nConnection: close\r\n" + HOST, True),
        (b"\r\n", False),
        (b"G", False),
    ]
    for piece, begun in steps:
        if piece:
            for _ in events_of(parser, [piece]):
                pass
        assert parser.head_begun() is begun, piece


def check_read_ahead(make: MakeParser) -> None:
    """Several pieces may be fed before an event is asked for."""
    raw = b"".join(case.raw for case in GOOD_CASES if case.name in ("plain", "counted", "chunked"))
    for pieces in splits(raw):
        parser = make(MAX_HEADER_SIZE)
        for piece in pieces[:-1]:
            parser.feed(piece)
        messages = messages_of(parser, pieces[-1:])
        assert [message.body for message in messages] == [b"", b"hello", b"hello world"]


def check_body_untouched(make: MakeParser) -> None:
    """A piece that is all body passes as the very object that was fed: no copy."""
    parser = make(MAX_HEADER_SIZE)
    head = b"PUT / HTTP/1.1\r\n" + HOST + b"Content-Length: 100000\r\n\r\n"
    assert len(list(events_of(parser, [head]))) == 1
    piece = bytes(60000)
    (event,) = events_of(parser, [piece])
    assert isinstance(event, BodyData)
    assert event.data is piece
    tail = bytes(40000)
    event, end = events_of(parser, [tail])
    assert isinstance(event, BodyData)
    assert event.data is tail
    assert end is END_OF_BODY


def check_body_as_it_comes(make: MakeParser) -> None:
    """Body bytes are reported when they come, not when their chunk or the body is complete."""
    for framing, pieces in (
        (b"Content-Length: 4\r\n", [b"a", b"b", b"cd"]),
        (CHUNKED, [b"4\r\na", b"b", b"cd\r\n0\r\n\r\n"]),
    ):
        parser = make(MAX_HEADER_SIZE)
        assert len(list(events_of(parser, [b"PUT / HTTP/1.1\r\n" + HOST + framing + b"\r\n"]))) == 1
        seen = [list(events_of(parser, [piece])) for piece in pieces]
        assert seen == [[BodyData(b"a")], [BodyData(b"b")], [BodyData(b"cd"), END_OF_BODY]]


CHECKS: list[Callable[[MakeParser], None]] = [
    check_good,
    check_pipelined,
    check_after_close,
    check_malformed,
    check_error_stays,
    check_nothing_behind_an_error,
    check_early_refusal,
    check_sizes,
    check_size_change,
    check_head_begun,
    check_read_ahead,
    check_body_untouched,
    check_body_as_it_comes,
]


def check_parser(make: MakeParser) -> None:
    """Every check, in turn."""
    for check in CHECKS:
        check(make)
