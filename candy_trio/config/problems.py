"""Everything that is wrong with one configuration file, each with its place.

A problem reads ``FILE: TABLE.PATH: what is wrong (line N)``; they are reported in the order of the
file's lines.
"""

from __future__ import annotations

import difflib
import json
import re
from functools import cached_property
from typing import TYPE_CHECKING

from candy_trio.config.lines import Path, key_lines
from candy_trio.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SHOWN_LENGTH = 60  # characters of an offending value; enough to recognise it by


class Problems:
    """Collects problems and knows where in the file they are."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self._text = text
        self._found: list[tuple[int, str]] = []

    @cached_property
    def _lines(self) -> dict[Path, int]:
        # Walking the text is slow next to parsing it: only files that need it pay.
        return key_lines(self._text)

    def line(self, path: Path) -> int:
        """Line of ``path``, or of the nearest table around it."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def add(self, path: Path, message: str) -> None:
        """Report ``message`` about the key or table at ``path``."""
        line = self.line(path)
        self._found.append((line, f"{self.place(path)}: {message} (line {line})"))

    def place(self, path: Path) -> str:
        """``config.toml: host[0].route[2].lua_time_limit``."""
        return f"{self.file}: {dotted(path)}" if path else self.file

    def raise_if_any(self) -> None:
        """Raise ConfigError with all that was added."""
        if self._found:
            raise ConfigError([text for _, text in sorted(self._found, key=lambda item: item[0])])


def dotted(path: Path) -> str:
    """Write ``("host", 0, "port")`` as ``host[0].port``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            name = part if _BARE_KEY.fullmatch(part) else json.dumps(part, ensure_ascii=False)
            text += f".{name}" if text else name
    return text


def shown(value: object) -> str:
    """Write a value as its author would recognise it, cut to a line's length."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "an array"
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, bool | str) else str(value)
    return text if len(text) <= _SHOWN_LENGTH else f"{text[:_SHOWN_LENGTH]}…"


def listed(values: Iterable[object], last: str = "or") -> str:
    """Write ``"a", "b" or "c"``."""
    *front, tail = [shown(value) for value in values]
    return f"{', '.join(front)} {last} {tail}" if front else tail


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Suggest the known name that is closest to ``word``, if one is close."""
    if isinstance(word, str) and (close := difflib.get_close_matches(word, list(known), n=1)):
        return f'; did you mean "{close[0]}"?'
    return ""
