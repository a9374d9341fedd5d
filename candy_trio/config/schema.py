"""The configuration as the server uses it: resolved, checked, frozen.

Everything inherited is already merged in, every path is absolute, every size is in bytes and every
duration in seconds. Nothing here knows TOML; :mod:`candy_trio.config.load` makes these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from pathlib import Path


class ScriptSource(Struct, frozen=True):
    """Where the text of a script is: in a file (``path``) or in the configuration (``text``)."""

    path: Path | None
    text: bytes | None
    chunk: str
    """Lua's chunk name: ``@scripts/hello.lua`` as written, or ``=content_by_lua(FILE:LINE)``."""


class LuaSettings(Struct, frozen=True):
    """How the scripts of one route run."""

    engine: str
    isolate: str | None
    sandbox: bool
    code_cache: bool
    interleave: bool | None
    """None: automatic, only while no module of the user's is loaded."""
    time_limit: float
    """Wall-clock seconds, waiting included."""
    cpu_limit: float
    """Seconds spent executing Lua."""
    memory_limit: int
    """Bytes that one run may add to its VM and queue for output."""
    need_request_body: bool
    check_client_abort: bool
    use_default_type: bool
    transform_underscores_in_response_headers: bool
    http10_buffering: bool


class LuaContent(Struct, frozen=True):
    """A route answered by a script."""

    source: ScriptSource
    lua: LuaSettings


class Redirect(Struct, frozen=True):
    """A route answered by a Location header."""

    to: str
    code: int


class Location(Struct, frozen=True):
    """What a route matches; ``pattern`` excludes the modifier, also the ``@`` of a name."""

    modifier: Literal["", "=", "^~", "~", "~*", "@"]
    pattern: str


class Route(Struct, frozen=True):
    """One ``[[host.route]]``."""

    location: Location
    content: LuaContent | Redirect
    internal: bool
    variables: tuple[tuple[str, str], ...]
    default_type: str
    max_body_size: int
    client_body_buffer_size: int
    server_tokens: bool
    serial: int
    """Unique in the configuration, in the order of the file."""


class Host(Struct, frozen=True):
    """One ``[[host]]``; several may share an address and are told apart by ``server_names``."""

    ip: str
    """Canonical IPv4 or IPv6 literal."""
    port: int
    """0: the system picks a free one."""
    server_names: tuple[str, ...]
    """Lower case, without a trailing dot; ``*.example.com`` is a wildcard."""
    timeout: float
    max_body_size: int
    max_header_size: int
    server_tokens: bool
    routes: tuple[Route, ...]


class SharedDict(Struct, frozen=True):
    """One entry of ``lua_shared_dict``."""

    name: str
    size: int


class Config(Struct, frozen=True):
    """A whole configuration file."""

    path: Path
    folder: Path
    log_level: Literal["trace", "debug", "info", "warn", "error"]
    log_folder: str
    """An absolute path, or ``-``: standard error and standard output."""
    access_log: Literal["combined", "json"] | None
    http_parser: Literal["auto", "h11", "httptools"]
    lua_time_slice: float
    lua_vm_memory: int
    lua_regex_match_limit: int
    """Of PCRE2, for one match; 0: its own."""
    lua_regex_cache_max_entries: int
    lua_package_path: tuple[Path, ...]
    """Absolute patterns; ``?`` stands for the module's name."""
    package_path_text: str
    """``lua_package_path`` as written, for ``package.path``."""
    shared_dicts: tuple[SharedDict, ...]
    hosts: tuple[Host, ...]
    warnings: tuple[str, ...]
    """For the log at start: what is valid and yet can't be meant."""
