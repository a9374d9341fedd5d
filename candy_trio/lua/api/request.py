"""What request.lua, body.lua and variables.lua ask of the server about the current request."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from candy_trio.observe.log import Level
from candy_trio.routing.paths import normalize_path

if TYPE_CHECKING:
    from candy_trio.http.body import RequestBody
    from candy_trio.lua.current import Current
    from candy_trio.pipeline.exchange import Exchange

BUFFERED_TO_FILE = b"a client request body is buffered to a temporary file "
"""nginx's warning, wherever a body outgrows its buffer."""

_MAX_FIELDS = 8192
_MAX_HEAD = 1 << 17
"""Header fields, and bytes of them, up to which a script can set some: each look at one goes
through all, and one for a cookie takes 10 ms with as many bytes."""

_NO_HOST = re.compile(rb"/|\.\.|^\.?(?::|$)")
"""What nginx takes for no host: a slash, an empty label, nothing before the port."""


def callbacks(current: Current) -> dict[str, Callable[..., Any]]:
    """By name; ``current`` says whose request it is."""

    def exchange() -> Exchange:
        return current.run.exchange

    def get_method() -> bytes:
        return exchange().method

    def set_method(name: bytes) -> None:
        exchange().method = name

    def get_uri() -> bytes:
        return current_uri(exchange())

    def get_args() -> bytes:
        return exchange().args

    def set_uri(uri: bytes, args: bytes | None) -> None:
        request = exchange()
        request.uri = uri
        if args is not None:
            request.set_args(args)

    def set_args(args: bytes) -> None:
        exchange().set_args(args)

    def request_headers() -> bytes:
        # Neither a name nor a value can hold a newline: the parser refuses it, Lua escapes it.
        return b"".join([b"%b:%b\n" % field for field in exchange().request_headers])

    def set_header(name: bytes, value: bytes | None) -> bool:
        # As in nginx the first field of that name stays where it is, and keeps its spelling.
        request = exchange()
        lowered = name.lower()
        sets = value is not None
        fields = []
        for field in request.request_headers:
            if field[0].lower() != lowered:
                fields.append(field)
            elif value is not None:
                fields.append((field[0], value))
                value = None
        if value is not None:
            fields.append((name, value))
        if sets and not _is_head(fields):
            return False
        request.request_headers = fields
        if lowered == b"content-length":
            limit_body(request)
        return True

    def add_header(name: bytes, value: bytes) -> bool:
        request = exchange()
        fields = [*request.request_headers, (name, value)]
        if not _is_head(fields):
            return False
        request.request_headers = fields
        return True

    def keep_conditions() -> None:
        exchange().keep_conditions()

    def is_host(value: bytes) -> bool:
        return _NO_HOST.search(value) is None

    def http_version() -> float:
        return 1.0 if exchange().head.minor == 0 else 1.1

    def start_time() -> float:
        return int(exchange().started * 1000) / 1000

    def replace_body(data: bytes | None, path: bytes | None, auto_clean: bool) -> None:
        exchange().body.replace(data, None if path is None else os.fsdecode(path), auto_clean)
        set_content_length(len(data or b"") if path is None else os.path.getsize(path))

    def arrived_body() -> tuple[bool, bytes | None, bytes | None] | bool:
        """Whether the whole body is here; then what it is. What went wrong, whoever waits says."""
        request = exchange()
        if not attempt(request.body, request.body.read_arrived):
            return False
        return (True, *read_body(request))

    def discarded_body() -> bool:
        body = exchange().body
        return attempt(body, body.discard_arrived)

    def read_no_body() -> None:
        # What a body of no bytes, or one that was discarded, is once it is read.
        if exchange().body.state in ("unread", "discarded"):
            exchange().body.state = "read"

    def drop_body() -> None:
        exchange().body.replace(None, None, auto_clean=False)

    def append_to_body_file(data: bytes) -> bytes:
        request = exchange()
        begins = request.body.path is None
        path = os.fsencode(request.body.append_to_file(data))
        if begins:
            request.log(Level.WARN, BUFFERED_TO_FILE + path)
        return path

    def set_content_length(length: float) -> None:
        set_header(b"Content-Length", b"%d" % length)

    def body_buffer_size() -> int:
        return exchange().body.buffer_size

    def body_file_exists(path: bytes) -> bool:
        return os.path.isfile(path)

    def get_variable(name: bytes) -> bytes | None:
        return exchange().variable(name.decode("latin-1"))

    def set_variable(name: bytes, value: bytes | None) -> bytes | None:
        try:
            exchange().assign(name.decode("latin-1"), value)
        except ValueError as error:
            return str(error).encode("latin-1", "replace")
        return None

    return {
        "get_method": get_method,
        "set_method": set_method,
        "get_uri": get_uri,
        "get_args": get_args,
        "set_uri": set_uri,
        "set_args": set_args,
        "request_headers": request_headers,
        "set_header": set_header,
        "add_header": add_header,
        "keep_conditions": keep_conditions,
        "is_host": is_host,
        "http_version": http_version,
        "start_time": start_time,
        "is_internal": lambda: exchange().internal,
        "raw_header": lambda: exchange().head.raw,
        "replace_body": replace_body,
        "arrived_body": arrived_body,
        "discarded_body": discarded_body,
        "read_no_body": read_no_body,
        "drop_body": drop_body,
        "append_to_body_file": append_to_body_file,
        "set_content_length": set_content_length,
        "body_buffer_size": body_buffer_size,
        "body_file_exists": body_file_exists,
        "get_variable": get_variable,
        "set_variable": set_variable,
    }


def _is_head(fields: list[tuple[bytes, bytes]]) -> bool:
    if len(fields) > _MAX_FIELDS:
        return False
    return sum([len(name) + len(value) for name, value in fields]) <= _MAX_HEAD


def attempt(body: RequestBody, take_arrived: Callable[[], bool]) -> bool:
    """What it says; False where it raises what can't be raised here, and is kept for later."""
    try:
        return take_arrived()
    except Exception as error:
        body.failure = error
        return False


def read_body(exchange: Exchange) -> tuple[bytes | None, bytes | None]:
    """What a script is told of a body that was read: what it is, or the name of its file."""
    body = exchange.body
    if body.path is None:
        return body.data, None
    path = os.fsencode(body.path)
    if body.state == "read" and not body.file_told:
        body.file_told = True
        exchange.log(Level.WARN, BUFFERED_TO_FILE + path)
    return body.data, path


def limit_body(exchange: Exchange) -> None:
    """A script that says another Content-Length gets as much of a body not yet read, at most.

    Where the body ends is not for a script to say: the rest is read and dropped.
    """
    if exchange.head.chunked or exchange.body.state != "unread":
        return
    length = exchange.variable("http_content_length")
    exchange.body.limit = int(length) if length else 0


def current_uri(exchange: Exchange) -> bytes:
    """Candy's ``get_uri``: path and query as they stand, the path as sent until it is changed."""
    sent = exchange.head.path.partition(b"?")[0]
    path = sent if normalize_path(sent) == exchange.uri else exchange.uri
    return path + b"?" + exchange.args if exchange.args else path
