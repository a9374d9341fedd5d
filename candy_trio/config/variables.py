"""Which variables a configuration may define, and which it may name in ``set`` and ``redirect_to``.

What a variable's value is, :mod:`candy_trio.pipeline.variables` knows; a test holds the two lists
together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from candy_trio.config.problems import Problems, did_you_mean, shown

if TYPE_CHECKING:
    from candy_trio.config.lines import Path as KeyPath

BUILT_IN = frozenset(
    (
        *("args", "binary_remote_addr", "body_bytes_sent", "bytes_sent", "connection"),
        *("connection_requests", "connection_time", "content_length", "content_type"),
        *("document_root", "document_uri", "host", "hostname", "http2", "https", "is_args"),
        *("limit_rate", "msec", "nginx_version", "pid", "pipe", "query_string", "realpath_root"),
        *("remote_addr", "remote_port", "remote_user", "request", "request_body"),
        *("request_body_file", "request_completion", "request_filename", "request_id"),
        *("request_length", "request_method", "request_time", "request_uri", "scheme"),
        *("server_addr", "server_name", "server_port", "server_protocol", "status"),
        *("time_iso8601", "time_local", "uri"),
    )
)
FAMILIES = ("arg_", "cookie_", "http_", "sent_http_")

_NAMED = re.compile(r"\$(?:\{([A-Za-z0-9_]+)\}|([A-Za-z0-9_]+))")


def is_servers_own(name: str) -> bool:
    """Whether the server defines the variable, so that ``set`` can't."""
    name = name.lower()
    return name in BUILT_IN or name.startswith(FAMILIES) or name.isdigit()


class Variables:
    """All that a file defines and names; nginx's variables are one set for all hosts."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._defined: set[str] = set()
        self._templates: list[tuple[KeyPath, str]] = []

    def define(self, name: str, path: KeyPath) -> None:
        """A ``set`` defines ``name``."""
        if is_servers_own(name):
            self._problems.add(path, f'"{name}" is a variable of the server\'s own: take another')
        self._defined.add(name.lower())

    def use(self, template: str, path: KeyPath) -> None:
        """A value may name variables, also those that are defined further down."""
        self._templates.append((path, template))

    def check(self) -> None:
        """Report every name that nothing defines; at the end of the file."""
        for path, template in self._templates:
            for name in _names(template):
                if not is_servers_own(name) and name.lower() not in self._defined:
                    near = did_you_mean(name, (*self._defined, *BUILT_IN))
                    self._problems.add(path, f"unknown variable ${name} in {shown(template)}{near}")


def _names(template: str) -> Iterator[str]:
    for match in _NAMED.finditer(template):
        yield match[1] or match[2]
