"""Requests that must be refused, each with the status of the refusal.

Data only, for the parsers' own tests and for tests over sockets. Each `raw` is refused by what
it holds, without waiting for more bytes, under a limit of `MAX_HEADER_SIZE` on heads. Where a
chunked body is malformed, the head before it is good, and the refusal comes while the body is
read.
"""

from __future__ import annotations

from dataclasses import dataclass

# The default of the configuration, in bytes.
MAX_HEADER_SIZE = 32 * 1024


@dataclass(frozen=True)
class MalformedCase:
    name: str
    raw: bytes
    status: int


def shown(data: bytes) -> str:
    """`data` as a short name that a test report can print."""
    return ascii(data.decode("latin-1"))[1:-1]


def line(name: str, request_line: bytes, status: int) -> MalformedCase:
    return MalformedCase(
        f"request line: {name}", request_line + b"\r\nHost: a.example\r\n\r\n", status
    )


def fields(
    name: str, block: bytes, status: int, start: bytes = b"POST / HTTP/1.1"
) -> MalformedCase:
    """`block` is what stands between a good Host field and the empty line."""
    return MalformedCase(
        f"fields: {name}", start + b"\r\nHost: a.example\r\n" + block + b"\r\n", status
    )


def hosts(name: str, block: bytes, status: int = 400, version: bytes = b"1.1") -> MalformedCase:
    return MalformedCase(
        f"host: {name}", b"GET / HTTP/" + version + b"\r\n" + block + b"\r\n", status
    )


CHUNKED_HEAD = b"POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunks(name: str, body: bytes, status: int = 400) -> MalformedCase:
    return MalformedCase(f"chunks: {name}", CHUNKED_HEAD + body, status)


CONTROLS = [*range(0x20), 0x7F]
# What a control byte alone does: CR and LF are separate cases, HTAB is allowed in values.
PLAIN_CONTROLS = [code for code in CONTROLS if code not in (0x09, 0x0A, 0x0D)]
NOT_IN_TOKENS = b'"(),/:;<=>?@[\\]{}'

REQUEST_LINES = [
    line("no version", b"GET /", 400),
    line("no version, a space", b"GET / ", 400),
    line("method alone", b"GET", 400),
    line("empty words", b"  ", 400),
    line("no method", b" / HTTP/1.1", 400),
    line("no target", b"GET  HTTP/1.1", 400),
    line("no target, one space", b"GET HTTP/1.1", 400),
    line("two spaces before the target", b"GET  / HTTP/1.1", 400),
    line("two spaces before the version", b"GET /  HTTP/1.1", 400),
    line("space behind the version", b"GET / HTTP/1.1 ", 400),
    line("word behind the version", b"GET / HTTP/1.1 x", 400),
    line("space before the method", b" GET / HTTP/1.1", 400),
    line("tab before the target", b"GET\t/ HTTP/1.1", 400),
    line("tab before the version", b"GET /\tHTTP/1.1", 400),
    line("CRLF before the target", b"GET\r\n/ HTTP/1.1", 400),
    line("bare LF behind it", b"GET / HTTP/1.1\nX: y", 400),
    line("bare CR behind it", b"GET / HTTP/1.1\rX: y", 400),
    line("bare LF in the target", b"GET /\na HTTP/1.1", 400),
    line("bare CR in the target", b"GET /\ra HTTP/1.1", 400),
    line("CR CR LF", b"GET / HTTP/1.1\r", 400),
    line("bare LF before it", b"\nGET / HTTP/1.1", 400),
    line("bare CR before it", b"\rGET / HTTP/1.1", 400),
    line("empty line, then bare LF", b"\r\n\nGET / HTTP/1.1", 400),
    line("empty line, then space", b"\r\n GET / HTTP/1.1", 400),
    line("too many empty lines", b"\r\n" * 10 + b"GET / HTTP/1.1", 400),
    line("a thousand empty lines", b"\r\n" * 1000 + b"GET / HTTP/1.1", 400),
    line("TLS client hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    line("a response", b"HTTP/1.1 200 OK", 400),
    line("SSH", b"SSH-2.0-OpenSSH_9.6", 400),
    line("PROXY protocol", b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2", 400),
    line("byte order mark", b"\xef\xbb\xbfGET / HTTP/1.1", 400),
    # Versions that look like one: 505. Anything else is no request line: 400.
    *(
        line(f"HTTP/{version}", b"GET / HTTP/" + version.encode(), 505)
        for version in ("0.0", "0.9", "1.2", "1.9", "2.0", "2.1", "3.0", "3.7", "9.9")
    ),
    *(
        line(f"version {shown(version)}", b"GET / " + version, 400)
        for version in (
            b"HTTP/1",
            b"HTTP/1.",
            b"HTTP/.1",
            b"HTTP/11",
            b"HTTP/1.10",
            b"HTTP/01.1",
            b"HTTP/1.01",
            b"HTTP/1,1",
            b"HTTP/1.1.1",
            b"HTTP/-1.1",
            b"HTTP/+1.1",
            b"HTTP/a.b",
            b"HTTP/1.x",
            b"HTTP/1 .1",
            b"HTTP/ 1.1",
            b"HTTP /1.1",
            b"HTTP1.1",
            b"http/1.1",
            b"Http/1.1",
            b"HTTPS/1.1",
            b"HTTP//1.1",
            b"HTTP\\1.1",
            b"ICE/1.0",
            b"RTSP/1.0",
            b"SIP/2.0",
            b"HTTP/\xb2.0",
            b"HTTP/1.\xb9",
            b"HTTP/1.1\xa0",
            b"HTT\xd0/1.1",
            b"1.1",
        )
    ),
    line("HTTP/2 preface", b"PRI * HTTP/2.0", 505),
    line("unknown method on an unknown version", b"FOO / HTTP/2.0", 505),
    line("source on ICE", b"SOURCE / ICE/1.0", 400),
    *(
        line(f"method {method}", method.encode() + b" / HTTP/1.1", 501)
        for method in (
            "FOO",
            "get",
            "Get",
            "GETT",
            "GE",
            "G",
            "X-METHOD",
            "M-SEARCH",
            "SEARCH",
            "PURGE",
            "REPORT",
            "BIND",
            "LINK",
            "QUERY",
            "SOURCE",
            "PRI",
            "DESCRIBE",
            "SETUP",
            "NOTIFY",
            "MKACTIVITY",
            "ACL",
            "!#$%&'*+-.^_`|~09",
            "1",
            "OPTIONS_",
            "A" * 100,
        )
    ),
    line("CONNECT", b"CONNECT a.example:443 HTTP/1.1", 501),
    line("CONNECT to a path", b"CONNECT / HTTP/1.1", 501),
    line("unknown method, bad target", b"FOO a HTTP/1.1", 501),
    *(
        line(f"method with {shown(bytes([code]))}", b"G" + bytes([code]) + b"T / HTTP/1.1", 400)
        for code in [*NOT_IN_TOKENS, 0x80, 0xC3, 0xFF]
    ),
    *(
        line(f"method with 0x{code:02x}", b"G" + bytes([code]) + b"T / HTTP/1.1", 400)
        for code in CONTROLS
    ),
    *(
        line(f"target with 0x{code:02x}", b"GET /a" + bytes([code]) + b"b HTTP/1.1", 400)
        for code in [*CONTROLS, 0x20, 0x80, 0xA0, 0xE9, 0xFF]
    ),
    *(
        line(f"target {shown(target)}", b"GET " + target + b" HTTP/1.1", 400)
        for target in (
            b"a",
            b"index.html",
            b"?a=b",
            b"*",
            b"*/",
            b"**",
            b"/a#b",
            b"#",
            b"/#",
            b"/?a#b",
            b"a.example:80",
            b"//\x80",
            b"/\xc3\xa9",
            b"/?\xe9",
            b"http:/a.example/",
            b"http:a.example",
            b"http://",
            b"http:///",
            b"http:///a",
            b"http://?a",
            b"http://:80/",
            b"http://u@a.example/",
            b"http://u:p@a.example/",
            b"http://@a.example/",
            b"http://a.example:http/",
            b"http://a.example:-1/",
            b"http://a.example:123456/",
            b"http://a.example:80:80/",
            b"http://a b/",
            b"http://a.example\\b/",
            b"http://a.example/#f",
            b"http://a.example#f",
            b"http://[::1/",
            b"http://::1/",
            b"http://[]/",
            b"http://[zz]/",
            b"http://a..b/",
            b"http://.a/",
            b"http://a%41.example/",
            b"http://\xe9.example/",
            b"http://a.example/\xe9",
            b"http://a<b>/",
            b"ftp://a.example/",
            b"ws://a.example/",
            b"file:///etc/passwd",
            b"javascript:alert(1)",
            b"httpx://a.example/",
            b"://a.example/",
            b"\\\\a.example\\",
        )
    ),
    line("OPTIONS with **", b"OPTIONS ** HTTP/1.1", 400),
    line("OPTIONS with */", b"OPTIONS */ HTTP/1.1", 400),
    line("OPTIONS with *?", b"OPTIONS *?a HTTP/1.1", 400),
    line("POST to *", b"POST * HTTP/1.1", 400),
]

FIELDS = [
    fields("obs-fold with a space", b"X: a\r\n b\r\n", 400),
    fields("obs-fold with a tab", b"X: a\r\n\tb\r\n", 400),
    fields("obs-fold that is blank", b"X: a\r\n \r\n", 400),
    fields("obs-fold that hides chunked", b"Transfer-Encoding:\r\n chunked\r\n", 400),
    fields("obs-fold that hides a length", b"Content-Length:\r\n\t5\r\n", 400),
    fields("obs-fold of Host", b" b\r\n", 400),
    MalformedCase("fields: obs-fold first", b"GET / HTTP/1.1\r\n X: y\r\nHost: a\r\n\r\n", 400),
    MalformedCase("fields: blank line first", b"GET / HTTP/1.1\r\n \r\nHost: a\r\n\r\n", 400),
    fields("bare LF line end", b"X: y\nZ: z\r\n", 400),
    fields("bare LF, then obs-fold", b"X: y\n z\r\n", 400),
    fields("bare LF in a value", b"X: y\nz\r\n", 400),
    fields("bare LF hides a length", b"X: y\nContent-Length: 5\r\n", 400),
    fields("bare CR hides a length", b"X: y\rContent-Length: 5\r\n", 400),
    fields("bare CR in a value", b"X: y\rz\r\n", 400),
    fields("bare CR at the end of a value", b"X: y\r\r\n", 400),
    fields("bare CR in a name", b"X\rY: z\r\n", 400),
    fields("bare LF in a name", b"X\nY: z\r\n", 400),
    fields("LF CR", b"X: y\n\rZ: z\r\n", 400),
    fields("bare LF for the empty line", b"X: y\r\n\n", 400),
    fields("bare CR for the empty line", b"X: y\r\n\r", 400),
    fields("LF LF in the middle", b"X: y\n\nGET /b HTTP/1.1\r\n", 400),
    MalformedCase("fields: all bare LF", b"GET / HTTP/1.1\nHost: a.example\n\n", 400),
    MalformedCase("fields: all bare LF, no field", b"GET / HTTP/1.1\n\n", 400),
    MalformedCase("fields: all bare CR", b"GET / HTTP/1.1\rHost: a.example\r\r", 400),
    MalformedCase("fields: last LF bare", b"GET / HTTP/1.1\r\nHost: a.example\r\n\n", 400),
    MalformedCase("fields: bare LF behind Host", b"GET / HTTP/1.1\r\nHost: a.example\n\r\n", 400),
    *(
        fields(f"0x{code:02x} in a value", b"X: a" + bytes([code]) + b"b\r\n", 400)
        for code in PLAIN_CONTROLS
    ),
    *(
        fields(f"0x{code:02x} at the start of a value", b"X:" + bytes([code]) + b"b\r\n", 400)
        for code in PLAIN_CONTROLS
    ),
    *(
        fields(f"0x{code:02x} at the end of a value", b"X: a" + bytes([code]) + b"\r\n", 400)
        for code in PLAIN_CONTROLS
    ),
    *(
        fields(f"0x{code:02x} in a name", b"X" + bytes([code]) + b"Y: a\r\n", 400)
        for code in [*CONTROLS, 0x20, 0x80, 0xC3, 0xFF]
    ),
    *(
        fields(f"{shown(bytes([code]))} in a name", b"X" + bytes([code]) + b"Y: a\r\n", 400)
        for code in NOT_IN_TOKENS
        if code != ord(":")
    ),
    fields("space before the colon", b"X : y\r\n", 400),
    fields("tab before the colon", b"X\t: y\r\n", 400),
    fields("space before the colon of a length", b"Content-Length : 5\r\n", 400),
    fields("space before the colon of a coding", b"Transfer-Encoding : chunked\r\n", 400),
    fields("0x0b before the colon of a coding", b"Transfer-Encoding\x0b: chunked\r\n", 400),
    fields("0x0b before chunked", b"Transfer-Encoding: \x0bchunked\r\n", 400),
    fields("0x0c before a length", b"Content-Length: \x0c5\r\n", 400),
    fields("space before the name", b"X: y\r\n Content-Length: 5\r\n", 400),
    fields("empty name", b": y\r\n", 400),
    fields("empty name and value", b":\r\n", 400),
    fields("only a space for a name", b" : y\r\n", 400),
    fields("no colon", b"X\r\n", 400),
    fields("no colon, spaces", b"X y\r\n", 400),
    fields("no colon in the last", b"X: y\r\nZ\r\n", 400),
    fields("a second request line", b"GET /b HTTP/1.1\r\n", 400),
    fields("quoted name", b'"X": y\r\n', 400),
    # Content-Length
    fields("equal lengths", b"Content-Length: 5\r\nContent-Length: 5\r\n", 400),
    fields("equal lengths, other case", b"Content-Length: 5\r\ncontent-length: 5\r\n", 400),
    fields("unequal lengths", b"Content-Length: 5\r\nContent-Length: 6\r\n", 400),
    fields("two lengths of 0", b"Content-Length: 0\r\nContent-Length: 0\r\n", 400),
    fields("two lengths, one empty", b"Content-Length: 5\r\nContent-Length:\r\n", 400),
    fields("three lengths", b"Content-Length: 5\r\n" * 3, 400),
    *(
        fields(f"length {shown(value)}", b"Content-Length: " + value + b"\r\n", 400)
        for value in (
            b"",
            b" ",
            b"5, 5",
            b"5,5",
            b"5,6",
            b",5",
            b"5,",
            b"5 5",
            b"5\t5",
            b"5 6",
            b"+5",
            b"-5",
            b"-0",
            b"+0",
            b"0x5",
            b"5h",
            b"0b1",
            b"0o7",
            b"1_000",
            b"5.0",
            b"5.",
            b".5",
            b"1e3",
            b"five",
            b'"5"',
            b"'5'",
            b"(5)",
            b"5;a",
            b"5 ;",
            b"\xb2",
            b"\xb9",
            b"\xd9\xa1",
            b"\xa05",
            b"5\xa0",
            b"chunked",
            b"NaN",
            b"inf",
            b"9" * 19,
            b"9" * 20,
            b"9" * 21,
            b"9" * 100,
            b"18446744073709551615",
            b"18446744073709551616",
            b"18446744073709551621",
            b"9223372036854775808",
            b"0" * 19,
            b"0" * 18 + b"5",
            b"0" * 100 + b"5",
        )
    ),
    # Transfer-Encoding
    *(
        fields(f"length {first}chunked", block, 400)
        for first, block in (
            ("before ", b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
            ("behind ", b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
            ("of 0 before ", b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"),
            ("before upper-case ", b"CONTENT-LENGTH: 5\r\nTRANSFER-ENCODING: CHUNKED\r\n"),
            ("before not ", b"Content-Length: 5\r\nTransfer-Encoding: identity\r\n"),
            ("behind gzip, ", b"Transfer-Encoding: gzip, chunked\r\nContent-Length: 5\r\n"),
            ("before empty un", b"Content-Length: 5\r\nTransfer-Encoding:\r\n"),
        )
    ),
    fields("chunked on HTTP/1.0", b"Transfer-Encoding: chunked\r\n", 400, start=b"POST / HTTP/1.0"),
    fields("gzip on HTTP/1.0", b"Transfer-Encoding: gzip\r\n", 400, start=b"POST / HTTP/1.0"),
    fields(
        "chunked on HTTP/1.0, keep-alive",
        b"Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n",
        400,
        start=b"POST / HTTP/1.0",
    ),
    fields("chunked, then a tab", b"Transfer-Encoding: chunked\t\r\n", 400),
    fields("chunked, then space and tab", b"Transfer-Encoding: Chunked \t\r\n", 400),
    fields("chunked, then tab and space", b"Transfer-Encoding: chunked\t \r\n", 400),
    fields("chunked twice", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 501),
    fields(
        "chunked, then identity",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        501,
    ),
    fields("gzip, then chunked", b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", 501),
    *(
        fields(f"coding {shown(value)}", b"Transfer-Encoding: " + value + b"\r\n", 501)
        for value in (
            b"",
            b"gzip",
            b"identity",
            b"deflate",
            b"compress",
            b"gzip, chunked",
            b"gzip,chunked",
            b"chunked, gzip",
            b"chunked, chunked",
            b"chunked,",
            b",chunked",
            b", chunked",
            b"chunked;q=1",
            b"chunked; a=b",
            b"xchunked",
            b"chunkedx",
            b"chunke",
            b"chunked chunked",
            b"chunked identity",
            b'"chunked"',
            b"'chunked'",
            b"x-chunked",
            b"\xe7hunked",
            b"chunked\xa0",
            b"chunked\x85",
            b"c hunked",
            b"chun\tked",
            b"5",
            b"true",
        )
    ),
    # Expect
    *(
        fields(f"Expect {shown(value)}", b"Content-Length: 5\r\nExpect: " + value + b"\r\n", 417)
        for value in (
            b"",
            b"100",
            b"continue",
            b"200-ok",
            b"100-continue, x",
            b"100-continue,100-continue",
            b"x, 100-continue",
            b"100-continued",
            b"100 continue",
            b"100-continue;a=b",
            b"417",
        )
    ),
    fields("Expect good, then bad", b"Expect: 100-continue\r\nExpect: x\r\n", 417),
    fields("Expect bad, then good", b"Expect: x\r\nExpect: 100-continue\r\n", 417),
    fields("Expect bad on HTTP/1.0", b"Expect: x\r\n", 417, start=b"POST / HTTP/1.0"),
    # Several faults: the order of http/strict.py
    fields("bad field and bad Expect", b"Expect: x\r\nX Y: z\r\n", 400),
    fields("bad field and gzip", b"Transfer-Encoding: gzip\r\nX : y\r\n", 400),
    fields("gzip and bad Expect", b"Expect: x\r\nTransfer-Encoding: gzip\r\n", 501),
    fields("bad version and bad field", b"X : y\r\n", 505, start=b"GET / HTTP/2.0"),
    fields("bad method and bad field", b"X\x00: y\r\n", 501, start=b"FOO / HTTP/1.1"),
    fields("bad target and gzip", b"Transfer-Encoding: gzip\r\n", 400, start=b"POST a HTTP/1.1"),
    fields(
        "bad method and two lengths", b"Content-Length: 5\r\n" * 2, 501, start=b"FOO / HTTP/1.1"
    ),
]

HOSTS = [
    hosts("none", b""),
    hosts("none among others", b"X: y\r\nAccept: */*\r\n"),
    hosts("none, X-Host", b"X-Host: a.example\r\n"),
    hosts("none beside an absolute target's like", b"Hosts: a\r\n"),
    MalformedCase("host: none beside an absolute target", b"GET http://a/ HTTP/1.1\r\n\r\n", 400),
    MalformedCase("host: none beside OPTIONS *", b"OPTIONS * HTTP/1.1\r\n\r\n", 400),
    MalformedCase(
        "host: bad beside an absolute target", b"GET http://a/ HTTP/1.1\r\nHost: a b\r\n\r\n", 400
    ),
    MalformedCase(
        "host: two beside an absolute target",
        b"GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        400,
    ),
    hosts("two equal", b"Host: a\r\nHost: a\r\n"),
    hosts("two unequal", b"Host: a\r\nHost: b\r\n"),
    hosts("two, other case", b"Host: a\r\nHOST: b\r\n"),
    hosts("two, one empty", b"Host: a\r\nHost:\r\n"),
    hosts("two, apart", b"Host: a\r\nX: y\r\nhost: a\r\n"),
    hosts("two on HTTP/1.0", b"Host: a\r\nHost: b\r\n", version=b"1.0"),
    hosts("empty on HTTP/1.0", b"Host:\r\n", version=b"1.0"),
    hosts("invalid on HTTP/1.0", b"Host: a b\r\n", version=b"1.0"),
    *(
        hosts(f"{shown(value)}", b"Host: " + value + b"\r\n")
        for value in (
            b"",
            b" ",
            b":",
            b":80",
            b"a b",
            b"a\tb",
            b"a/b",
            b"a/",
            b"/",
            b"a\\b",
            b"a?b",
            b"a#b",
            b"u@a",
            b"u:p@a",
            b"@a",
            b"a@",
            b"http://a",
            b"//a",
            b"a:b",
            b"a:80b",
            b"a:-80",
            b"a:+80",
            b"a:0x50",
            b"a:80:80",
            b"a:123456",
            b"a: 80",
            b"a :80",
            b"a:8 0",
            b"a, b",
            b'"a"',
            b"<a>",
            b"a<b",
            b"a>b",
            b"{a}",
            b"a|b",
            b"a^b",
            b"a`b",
            b"a%41",
            b"a%",
            b"%00",
            b"[",
            b"]",
            b"[]",
            b"[::1",
            b"::1]",
            b"::1",
            b"[::1]a",
            b"a[::1]",
            b"[::g]",
            b"[::1]:b",
            b"[::1]]",
            b"[[::1]]",
            b"..",
            b".",
            b".a",
            b"a..b",
            b"a..",
            b"../a",
            b"a\xe9",
            b"\xff",
            b"a\xc2\xa0",
        )
    ),
]

_FILL = b"a" * MAX_HEADER_SIZE
SIZES = [
    MalformedCase("size: line over the limit", b"GET /" + _FILL + b" HTTP/1.1\r\n\r\n", 414),
    MalformedCase("size: endless line", b"GET /" + _FILL, 414),
    MalformedCase("size: endless method", b"G" * MAX_HEADER_SIZE, 414),
    MalformedCase("size: one field over the limit", b"GET / HTTP/1.1\r\nX: " + _FILL, 431),
    MalformedCase("size: endless name", b"GET / HTTP/1.1\r\n" + _FILL, 431),
    MalformedCase(
        "size: complete head over the limit",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + _FILL + b"\r\n\r\n",
        431,
    ),
    MalformedCase(
        "size: many fields", b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 6000 + b"\r\n", 431
    ),
    MalformedCase("size: bad byte first", b"GET / HTTP/1.1\r\nX: \x00" + _FILL, 400),
    MalformedCase("size: bad line first", b"FOO / HTTP/1.1\r\nX: " + _FILL, 501),
    MalformedCase("size: bad byte behind the limit", b"GET /" + _FILL + b"\x00", 414),
    chunks("trailer over the limit", b"0\r\nX: " + _FILL, 431),
    chunks("many trailers", b"0\r\n" + b"X: y\r\n" * 6000 + b"\r\n", 431),
    chunks("endless extension", b"5;" + _FILL),
    chunks("long extension", b"5;" + b"a" * 300 + b"\r\nhello\r\n0\r\n\r\n"),
    chunks("many extensions", b"5" + b";a" * 150 + b"\r\nhello\r\n0\r\n\r\n"),
    chunks("endless zeros", b"0" * MAX_HEADER_SIZE),
]

CHUNKS = [
    *(
        chunks(f"size {shown(size)}", size + b"\r\nhello\r\n0\r\n\r\n")
        for size in (
            b"",
            b" ",
            b"+5",
            b"-5",
            b"-0",
            b"0x5",
            b"0X5",
            b"x5",
            b"5x",
            b"5h",
            b"$5",
            b"5,",
            b"5.0",
            b"5_0",
            b"1_0",
            b" 5",
            b"5 ",
            b"\t5",
            b"5\t",
            b"5  ;a",
            b"5 ;a",
            b"5; a",
            b"5;a ",
            b"5 5",
            b"5\x00",
            b"\x005",
            b"5\x0b",
            b"5\xa0",
            b"\xb2",
            b"G",
            b"five",
            b'"5"',
            b"0" * 16 + b"5",
            b"1" + b"0" * 16,
            b"f" * 17,
            b"F" * 32,
            b"0" * 17,
            b"5\r",
            b"5\n",
            b"\n5",
            b"\r5",
            b"5;\x00",
            b"5;a\x01",
            b"5;a\rb",
            b"5;a\nb",
            b"5;a\x7f",
            b"5;a\x80",
            b'5;a="\x00"',
            b'5;a="',
            b'5;a="b',
            b'5;a="b"c',
            b'5;a="b\nc"',
            b'5;a="b\rc"',
            b"5;a=b=c",
            b"5;a==b",
            b"5;=b",
            b"5;a=b c",
            b"5;a = b",
            b"5;;a",
            b"5;",
            b"5;a;",
            b"5;a=",
            b"5=a",
            b"5:a",
            b'5;a="\\',
            b'5;"a"',
            b"5;a,b",
        )
    ),
    chunks("bare LF behind the size", b"5\nhello\r\n0\r\n\r\n"),
    chunks("bare CR behind the size", b"5\rhello\r\n0\r\n\r\n"),
    chunks("bare LF behind an extension", b"5;a\nhello\r\n0\r\n\r\n"),
    chunks("all bare LF", b"5\nhello\n0\n\n"),
    chunks("empty line first", b"\r\n5\r\nhello\r\n0\r\n\r\n"),
    chunks("no CRLF behind the data", b"5\r\nhello0\r\n\r\n"),
    chunks("bare LF behind the data", b"5\r\nhello\n0\r\n\r\n"),
    chunks("bare CR behind the data", b"5\r\nhello\r0\r\n\r\n"),
    chunks("LF CR behind the data", b"5\r\nhello\n\r0\r\n\r\n"),
    chunks("CR CR LF behind the data", b"5\r\nhello\r\r\n0\r\n\r\n"),
    chunks("two CRLF behind the data", b"5\r\nhello\r\n\r\n0\r\n\r\n"),
    chunks("data longer than said", b"4\r\nhello\r\n0\r\n\r\n"),
    chunks("data shorter than said", b"6\r\nhello\r\n0\r\n\r\n"),
    chunks("data shorter by two", b"7\r\nhello\r\n0\r\n\r\n"),
    chunks("size in decimal", b"10\r\n0123456789\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
    chunks("bad second size", b"5\r\nhello\r\nx\r\nhello\r\n0\r\n\r\n"),
    chunks("not chunked at all", b"hello=world&a=b"),
    chunks("a request instead", b"GET /b HTTP/1.1\r\nHost: a\r\n\r\n"),
    chunks("bare LF behind the last size", b"0\n\r\n"),
    chunks("bare LF for the empty line", b"0\r\n\n"),
    chunks("bare CR for the empty line", b"0\r\n\rx"),
    chunks("CR CR LF for the empty line", b"0\r\n\r\r\n"),
    chunks("data in place of the end", b"0\r\nhello\r\n\r\n"),
    chunks("space in place of the end", b"0\r\n \r\n\r\n"),
    chunks("trailer with bare LF", b"0\r\nX: y\n\r\n"),
    chunks("trailer with bare CR", b"0\r\nX: y\rz\r\n\r\n"),
    chunks("trailer with NUL", b"0\r\nX: y\x00\r\n\r\n"),
    chunks("trailer with 0x7f", b"0\r\nX: y\x7f\r\n\r\n"),
    chunks("trailer with space before the colon", b"0\r\nX : y\r\n\r\n"),
    chunks("trailer with no colon", b"0\r\nX\r\n\r\n"),
    chunks("trailer with empty name", b"0\r\n: y\r\n\r\n"),
    chunks("trailer folded", b"0\r\nX: y\r\n z\r\n\r\n"),
    chunks("trailer that is a request", b"0\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n"),
    chunks("trailer Content-Length", b"0\r\nContent-Length: 5\r\n\r\n"),
    chunks("trailer Transfer-Encoding", b"0\r\ntransfer-encoding: chunked\r\n\r\n"),
    chunks("trailer Host", b"0\r\nHost: b.example\r\n\r\n"),
]

CASES: list[MalformedCase] = [*REQUEST_LINES, *FIELDS, *HOSTS, *SIZES, *CHUNKS]
