"""Replacement strings of ``sub`` and ``gsub``: ``$1``, ``${1}``, ``$0``, ``$$``.

What is a mistake in them, and what the log says of it, is nginx's (ngx_http_lua_script.c).
"""

from __future__ import annotations

import re
from typing import TypeAlias

Template: TypeAlias = tuple[bytes | int, ...]
"""Text, and numbers of groups, in turn."""

_VARIABLE = re.compile(
    rb"\$(?: (?P<dollar>\$) | (?P<number>\d+) | (?P<bracket>\{) (?P<inner>\w*) (?P<end>\}?)"
    rb"  | (?P<name>\w*) )",
    re.ASCII | re.VERBOSE,
)

_MAX_VARIABLES = 4096
"""Of one text: nginx has no limit, and a replacement could be gigabytes of groups."""

_MAX_TEXT = 1 << 20
"""Bytes: a template crosses with each call."""

_MAX_DIGITS = 10
_NO_GROUP = 1 << 30
"""For numbers with more digits, which no pattern has."""


class TemplateError(ValueError):
    """What the error log says; the script gets "failed to compile the replacement template"."""


def parse_template(text: bytes) -> Template:
    """Raises TemplateError."""
    if len(text) > _MAX_TEXT:
        raise TemplateError(f"a replacement template of more than {_MAX_TEXT} bytes")
    if text.count(b"$") > _MAX_VARIABLES:
        raise TemplateError(f"more than {_MAX_VARIABLES} variables in a replacement template")
    parts: list[bytes | int] = []
    end = 0
    for found in _VARIABLE.finditer(text):
        if found.start() > end:
            parts.append(text[end : found.start()])
        end = found.end()
        if found["dollar"]:
            parts.append(b"$")
            continue
        name = found["number"] or found["inner"] or found["name"]
        if found["bracket"] and not found["end"] and (name or end < len(text)):
            raise TemplateError(
                f'the closing bracket in "{_shown(name or b"")}" variable is missing'
            )
        if not name:
            raise TemplateError(
                f'lua script: invalid capturing variable name found in "{_shown(text)}"'
            )
        if not name.isdigit():
            raise TemplateError(
                f'attempt to use named capturing variable "{_shown(name)}"'
                " (named captures not supported yet)"
            )
        parts.append(int(name) if len(name) < _MAX_DIGITS else _NO_GROUP)
    if end < len(text):
        parts.append(text[end:])
    return tuple(parts)


def _shown(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")
