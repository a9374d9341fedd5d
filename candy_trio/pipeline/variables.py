"""nginx's variables of one exchange, by name: ``cd.var``, ``set`` and ``redirect_to``.

Rules of this module:

- What is never set and what is set to nothing differ: None is "not found" (nil in Lua).
- Names compare without case.  An exact name wins over the families (``arg_``, ``http_`` ...), and
  those over what ``set`` defines.
- Nothing is computed before it is asked for, and nothing is remembered: a variable is what it is
  now.

Checked against nginx 1.22, quirks included (see :func:`find_cookie`).
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import trio

from candy_trio.lua.api.text import decode_base64
from candy_trio.observe.log import Level
from candy_trio.observe.text import common_time, iso_time
from candy_trio.version import VERSION

if TYPE_CHECKING:
    from candy_trio.pipeline.exchange import Exchange

Getter = Callable[["Exchange"], bytes | None]

_TEMPLATE = re.compile(rb"\$(?:\{([A-Za-z0-9_]+)\}|([A-Za-z0-9_]+))")

_SEPARATOR = re.compile(rb"[;,] *")

_JOINED_HEADERS: Final = {b"cookie": b"; ", b"x-forwarded-for": b", "}
"""Header fields whose lines nginx 1.22 joins; of all others it gives the first line."""

_JOINED_RESPONSE_HEADERS: Final = frozenset((b"cache-control", b"link"))
"""The same of a response; with a comma."""

_SIZE_UNITS: Final = {b"k": 1024, b"m": 1024 * 1024}


def lookup(exchange: Exchange, name: str) -> bytes | None:
    """The value of the variable ``name`` (without the ``$``), None if there is none."""
    name = name.lower()
    getter = _GETTERS.get(name)
    if getter is not None:
        return getter(exchange)
    family, separator, rest = name.partition("_")
    if separator:
        if family == "arg":
            return find_argument(exchange.args, rest.encode("latin-1"))
        if family == "http":
            return _request_header(exchange, rest.encode("latin-1").replace(b"_", b"-"))
        if family == "cookie":
            header = _request_header(exchange, b"cookie")
            return None if header is None else find_cookie(header, rest.encode("latin-1"))
        if family == "sent" and rest.startswith("http_"):
            return _sent_header(exchange, rest[5:].encode("latin-1").replace(b"_", b"-"))
    if name in exchange.variables:
        return exchange.variables[name]
    if name in exchange.app.variable_names:
        return b""  # another route sets it: known, but without a value here
    if name.isascii() and name.isdigit():
        return _capture(exchange.captures, int(name) - 1)
    return None


def _capture(captures: tuple[bytes | None, ...], index: int) -> bytes | None:
    # As PCRE counts them: up to the last group that took part, those that did not being empty.
    if not 0 <= index < len(captures):
        return None
    if captures[index] is None and any(later is not None for later in captures[index:]):
        return b""
    return captures[index]


def interpolate(exchange: Exchange, template: str) -> bytes:
    """``template`` with its ``$name`` and ``${name}`` replaced; what is not found is empty."""
    if "$" not in template:
        return template.encode()

    def value(match: re.Match[bytes]) -> bytes:
        return lookup(exchange, (match[1] or match[2]).decode()) or b""

    return _TEMPLATE.sub(value, template.encode())


def assign(exchange: Exchange, name: str, value: bytes | None) -> None:
    """Set ``args``, ``limit_rate`` or a variable that some ``set`` defines; None takes it away.

    Raises ValueError with nginx's message for any other.
    """
    name = name.lower()
    if name == "args":
        exchange.set_args(value)
    elif name == "limit_rate":
        size = _parse_size(value or b"")
        if size is None:
            exchange.log(Level.ERR, b'invalid $limit_rate "%b"' % (value or b""))
        else:
            exchange.limit_rate = size
    elif name in _GETTERS:
        raise ValueError(f'variable "{name}" not changeable')
    elif name in exchange.app.variable_names:
        exchange.variables[name] = value
    else:
        raise ValueError(
            f'variable "{name}" not found for writing; maybe it is a built-in variable that is '
            f"not changeable or you forgot to use \"set ${name} '';\" in the config file to "
            "define it first"
        )


def find_argument(args: bytes, name: bytes) -> bytes | None:
    """The first ``name=value`` of a query string, not decoded; names compare without case.

    ``?a`` without a value is not found, as in nginx.
    """
    if not args or not name:
        return None
    prefix = name.lower() + b"="
    for argument in args.split(b"&"):
        if argument[: len(prefix)].lower() == prefix:
            return argument[len(prefix) :]
    return None


def find_cookie(header: bytes, name: bytes) -> bytes | None:
    """The first cookie of that name, as ``ngx_http_parse_multi_header_lines`` finds it.

    Commas separate, too, quotes mean nothing, and a name that no ``=`` follows hides the cookie
    behind it (``a;a=4`` has no ``a``).
    """
    name = name.lower()
    lowered = header.lower()
    end = len(header)
    position = 0
    while position < end and name:
        if lowered.startswith(name, position):
            position = _skip_spaces(header, position + len(name))
            if header[position : position + 1] == b"=":
                return header[position + 1 :].partition(b";")[0].lstrip(b" ")
            position += 1
        separator = _SEPARATOR.search(header, position)
        if separator is None:
            return None
        position = separator.end()
    return None


def _skip_spaces(data: bytes, position: int) -> int:
    while data[position : position + 1] == b" ":
        position += 1
    return position


def _parse_size(value: bytes) -> int | None:
    unit = _SIZE_UNITS.get(value[-1:].lower(), 1)
    digits = value[:-1] if unit != 1 else value
    return int(digits) * unit if digits.isdigit() else None


def _request_header(exchange: Exchange, name: bytes) -> bytes | None:
    """A request header field by its lower-case name, as it stands now."""
    values = [value for key, value in exchange.request_headers if key.lower() == name]
    if not values:
        return None
    joiner = _JOINED_HEADERS.get(name)
    return values[0] if joiner is None else joiner.join(values)


def _sent_header(exchange: Exchange, name: bytes) -> bytes | None:
    """A response header field: what is known of it so far."""
    response = exchange.response
    if name == b"connection":
        return b"keep-alive" if response.keep_alive else b"close"
    if name == b"keep-alive":
        return None
    values = []
    for line in (response.header_lines + response.framing).split(b"\r\n"):
        key, _, value = line.partition(b":")
        if key.lower() == name:
            values.append(value.strip(b" \t"))
            if name not in _JOINED_RESPONSE_HEADERS:
                break
    return b", ".join(values) or None


def _args(exchange: Exchange) -> bytes | None:
    return exchange.args if exchange.args or exchange.args_emptied else None


def _binary_remote_addr(exchange: Exchange) -> bytes | None:
    address = exchange.connection.client_addr
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.inet_pton(family, address)
    except OSError:  # not an IP connection
        return None


def _content_length(exchange: Exchange) -> bytes | None:
    sent = _request_header(exchange, b"content-length")
    if sent is not None:
        return sent
    if exchange.head.chunked and exchange.body.state == "read":
        return b"%d" % exchange.body.size
    return None


def _host(exchange: Exchange) -> bytes:
    """Lower case and without its port; the server's name if the client named none."""
    sent = exchange.head.host
    if exchange.request_headers is not exchange.head.headers:  # a script may have set another
        sent = _request_header(exchange, b"host") or b""
    sent = sent.lower()
    if not sent:
        return _server_name(exchange)
    if sent.startswith(b"["):
        return sent.partition(b"]")[0] + b"]"
    return sent.partition(b":")[0].removesuffix(b".")


def _server_name(exchange: Exchange) -> bytes:
    names = exchange.host.host.server_names
    return names[0].encode() if names else b""


def _document_root(exchange: Exchange) -> bytes:
    return str(exchange.app.config.folder).encode()


def _remote_user(exchange: Exchange) -> bytes | None:
    sent = _request_header(exchange, b"authorization")
    if sent is None:
        return None
    scheme, _, credentials = sent.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    user, colon, _ = (decode_base64(credentials.lstrip(b" ")) or b"").partition(b":")
    return user if colon and user else None


def _request_body(exchange: Exchange) -> bytes | None:
    # Asking for a variable reads nothing: only a body that is here already shows.
    body = exchange.body
    if body.data is None and body.path is None and body.state == "read":
        # One that was announced and is empty, or was discarded, is there.
        return None if _request_header(exchange, b"content-length") is None else b""
    return body.data


def _request_body_file(exchange: Exchange) -> bytes | None:
    path = exchange.body.path
    return None if path is None else path.encode()


def _request_completion(exchange: Exchange) -> bytes:
    response = exchange.response
    return b"OK" if response.ended and not response.aborted else b""


def _request_length(exchange: Exchange) -> bytes:
    # The body as it was decoded: nginx counts the chunk sizes, too.
    return b"%d" % (len(exchange.head.raw) + exchange.body.size)


def _number(value: float) -> bytes:
    return b"%.3f" % value


_GETTERS: Final[dict[str, Getter]] = {
    "args": _args,
    "binary_remote_addr": _binary_remote_addr,
    "body_bytes_sent": lambda e: b"%d" % e.response.body_bytes_sent,
    "bytes_sent": lambda e: b"%d" % e.response.bytes_sent,
    "connection": lambda e: b"%d" % e.connection.serial,
    "connection_requests": lambda e: b"%d" % e.connection.requests,
    "connection_time": lambda e: _number(trio.current_time() - e.connection.started_mono),
    "content_length": _content_length,
    "content_type": lambda e: _request_header(e, b"content-type"),
    "document_root": _document_root,
    "document_uri": lambda e: e.uri,
    "host": _host,
    "hostname": lambda e: e.app.hostname,
    "http2": lambda e: b"",
    "https": lambda e: b"on" if e.connection.scheme == "https" else b"",
    "is_args": lambda e: b"?" if e.args else b"",
    "limit_rate": lambda e: b"%d" % e.limit_rate,
    "msec": lambda e: _number(time.time()),
    "nginx_version": lambda e: VERSION.encode(),
    "pid": lambda e: b"%d" % e.app.pid,
    "pipe": lambda e: b"p" if e.connection.pipelined else b".",
    "query_string": _args,
    "realpath_root": lambda e: str(e.app.config.folder.resolve()).encode(),
    "remote_addr": lambda e: e.connection.client_addr.encode(),
    "remote_port": lambda e: b"%d" % e.connection.client_port,
    "remote_user": _remote_user,
    "request": lambda e: e.head.raw.partition(b"\r\n")[0],
    "request_body": _request_body,
    "request_body_file": _request_body_file,
    "request_completion": _request_completion,
    "request_filename": lambda e: _document_root(e) + e.uri,
    "request_id": lambda e: e.request_id().encode(),
    "request_length": _request_length,
    "request_method": lambda e: e.method,
    "request_time": lambda e: _number(trio.current_time() - e.started_mono),
    "request_uri": lambda e: e.head.path,
    "scheme": lambda e: e.connection.scheme.encode(),
    "server_addr": lambda e: e.connection.server_addr.encode(),
    "server_name": _server_name,
    "server_port": lambda e: b"%d" % e.connection.server_port,
    "server_protocol": lambda e: b"HTTP/1.%d" % e.head.minor,
    "status": lambda e: b"%03d" % e.response.status,
    "time_iso8601": lambda e: iso_time(time.localtime()).encode(),
    "time_local": lambda e: common_time(time.localtime()).encode(),
    "uri": lambda e: e.uri,
}
