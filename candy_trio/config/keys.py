"""The keys that a configuration file may hold, level by level.

A field's name is the key, its type what the key takes, its default what holds when no level says
otherwise. To support a new key, add a field here, take it out of ``UNSUPPORTED`` and use it in
:mod:`candy_trio.config.resolve`.
"""

from __future__ import annotations

import ipaddress
from typing import Annotated, Any, ClassVar, Literal, Self

from msgspec import Meta, Struct

from candy_trio.config.units import Duration, Size

KIBIBYTE = 1 << 10
MEBIBYTE = 1 << 20
GIBIBYTE = 1 << 30

DEFAULT_PACKAGE_PATH = "lualib/?.lua;lualib/?/init.lua"


class Text(str):
    """A non-empty string that is safe in a header, a log line and a path."""

    __slots__ = ()
    forms: ClassVar[str] = "a string that is not empty and has no control characters"

    @classmethod
    def parse(cls, value: object) -> Self:
        """Raise ValueError for anything else."""
        if not isinstance(value, str) or not value or any(c < " " or c == "\x7f" for c in value):
            raise ValueError(cls.forms)
        return cls(value)


class IpAddress(str):
    """An IPv4 or IPv6 literal in canonical spelling."""

    __slots__ = ()
    forms: ClassVar[str] = 'an IP address such as "127.0.0.1", "0.0.0.0" or "::1"'

    @classmethod
    def parse(cls, value: object) -> Self:
        """Raise ValueError for anything else."""
        if not isinstance(value, str):
            raise ValueError(cls.forms)
        return cls(ipaddress.ip_address(value).compressed)


Port = Annotated[int, Meta(ge=0, le=65535, description="a port number, 0 to 65535")]
Count = Annotated[int, Meta(ge=0, le=2**31 - 1, description="a whole number from 0 to 2147483647")]
Tables = list[dict[str, Any]]


class Inheritable(Struct, frozen=True, kw_only=True):
    """Keys of all three levels: a route overrides its host, a host the top level."""

    lua_engine: Text = Text("luajit")
    lua_isolate: Text | None = None
    lua_interleave: bool | None = None
    lua_sandbox: bool = True
    lua_code_cache: bool = True
    lua_time_limit: Duration = Duration(30)
    lua_cpu_limit: Duration = Duration(5)
    lua_memory_limit: Size = Size(64 * MEBIBYTE)
    lua_use_default_type: bool = True
    lua_transform_underscores_in_response_headers: bool = True
    lua_http10_buffering: bool = True
    client_body_buffer_size: Size = Size(16 * KIBIBYTE)
    server_tokens: bool = True
    default_type: Text = Text("text/plain")


class TopKeys(Inheritable, frozen=True, kw_only=True):
    """The top level of the file."""

    log_level: Literal["trace", "debug", "info", "warn", "error"] = "info"
    log_folder: Text = Text("./logs")
    access_log: Annotated[
        Literal["combined", "json"] | bool, Meta(description='"combined", "json" or false')
    ] = "combined"
    http_parser: Literal["auto", "h11", "httptools"] = "auto"
    lua_vm_memory: Size = Size(GIBIBYTE)
    lua_package_path: Text = Text(DEFAULT_PACKAGE_PATH)
    lua_time_slice: Duration = Duration.parse("5ms")
    lua_regex_match_limit: Count = 0
    lua_regex_cache_max_entries: Count = 1024
    lua_shared_dict: Annotated[
        Tables, Meta(description="an array of tables, [[lua_shared_dict]]")
    ] = []
    host: Annotated[Tables, Meta(description="an array of tables, [[host]]")] = []


class HostKeys(Inheritable, frozen=True, kw_only=True):
    """One ``[[host]]``."""

    ip: IpAddress = IpAddress("0.0.0.0")
    port: Port = 8080
    server_name: Annotated[
        str | list[str], Meta(description="a host name or an array of host names")
    ] = []
    timeout: Duration = Duration(75)
    max_body_size: Size = Size(10 * MEBIBYTE)
    max_header_size: Size = Size(32 * KIBIBYTE)
    route: Annotated[Tables, Meta(description="an array of tables, [[host.route]]")] = []


class RouteKeys(Inheritable, frozen=True, kw_only=True):
    """One ``[[host.route]]``."""

    location: str | None = None
    lua_script: Text | None = None
    content_by_lua_file: Text | None = None
    content_by_lua: str | None = None
    redirect_to: Text | None = None
    redirect_code: Literal[301, 302, 303, 307, 308] = 301
    internal: bool = False
    set: Annotated[dict[str, Any], Meta(description="a table of variables, [host.route.set]")] = {}
    lua_need_request_body: bool = False
    lua_check_client_abort: bool = True


class SharedDictKeys(Struct, frozen=True, kw_only=True):
    """One entry of ``lua_shared_dict``."""

    name: Text | None = None
    size: Size | None = None


_PHASES = (
    "rewrite_by_lua",
    "access_by_lua",
    "header_filter_by_lua",
    "body_filter_by_lua",
    "log_by_lua",
    "init_by_lua",
    "init_worker_by_lua",
)

UNSUPPORTED_HANDLERS = frozenset({
    "root",
    "proxy_pass",
    "upstream",
    "forward_proxy",
    "status_page",
})  # fmt: skip

UNSUPPORTED = UNSUPPORTED_HANDLERS | frozenset({
    *_PHASES,
    *(f"{phase}_file" for phase in _PHASES),
    "workers",
    "compression",
    "ssl",
    "certificate",
    "certificate_key",
    "headers",
    "index",
    "auto_index",
    "proxy_timeout",
    "error_page",
    "not_found_page",
    "gzip",
    "deflate",
    "br",
    "zstd",
    "level",
    "lua_socket_connect_timeout",
    "lua_socket_send_timeout",
    "lua_socket_read_timeout",
    "lua_socket_pool_size",
    "lua_socket_keepalive_timeout",
    "lua_max_pending_timers",
    "lua_max_running_timers",
})  # fmt: skip
"""Keys that later releases bring, refused wherever they stand."""


class Level(Struct, frozen=True):
    """One kind of table: its keys, and how to name it to a person."""

    keys: type[Struct]
    title: str
    unsupported: frozenset[str] = UNSUPPORTED


TOP = Level(TopKeys, "at the top level, above the first [[host]]")
HOST = Level(HostKeys, "in [[host]]")
ROUTE = Level(RouteKeys, "in [[host.route]]", UNSUPPORTED | {"max_body_size"})
SHARED_DICT = Level(SharedDictKeys, "in [[lua_shared_dict]]", frozenset({"backend"}))
