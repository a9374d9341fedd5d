"""On which line of a TOML file each key stands.

tomli keeps no positions, and a person wants them. Rules:

- The text has already been accepted by tomli: this walks valid TOML only and checks nothing.
- A path is a tuple of names and array indices, ``("host", 0, "route", 2, "location")``.
- A key's line is the one its first part stands on (``content_by_lua = '''`` and not the text that
  follows); a table's is its header's, or its first mention where no header names it.
- Nesting costs no recursion: a file may nest as deeply as tomli lets it.
"""

from __future__ import annotations

import re

import tomli

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
# Multi-line strings may end in up to two quotes of their own before the closing three.
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|' + r"'''.*?'{3,5}" + r'|"(?:\\.|[^"\\\n])*"' + r"|'[^'\n]*'",
    re.DOTALL,
)
_OTHER_VALUE = re.compile(r"[^,\]}#\r\n]+")


def key_lines(text: str) -> dict[Path, int]:
    """Map every table and key of ``text`` to its line, counted from 1."""
    return _Walk(text).lines


class _Walk:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.lines: dict[Path, int] = {}
        self._counted_to = 0
        self._line = 1
        self._last_index: dict[Path, int] = {}  # of each array of tables
        table: Path = ()
        while self._skip(_BLANK):
            if self.text[self.position] == "[":
                table = self._header()
            else:
                self._value(self._key(table))

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        """Move past ``pattern``; false at the end of the text."""
        found = pattern.match(self.text, self.position)
        if found:
            self.position = found.end()
        return self.position < len(self.text)

    def _mark(self, path: Path, at: int) -> None:
        self._line += self.text.count("\n", self._counted_to, at)
        self._counted_to = at
        self.lines.setdefault(path, self._line)

    def _names(self) -> list[str]:
        """Read ``a."b c".d``."""
        names = []
        while True:
            self._skip(_SPACE)
            if quoted := _STRING.match(self.text, self.position):
                names.append(tomli.loads(f"key = {quoted[0]}")["key"])
                self.position = quoted.end()
            else:
                bare = _BARE_KEY.match(self.text, self.position)
                assert bare is not None
                names.append(bare[0])
                self.position = bare.end()
            self._skip(_SPACE)
            if not self.text.startswith(".", self.position):
                return names
            self.position += 1

    def _header(self) -> Path:
        start = self.position
        brackets = 2 if self.text.startswith("[[", start) else 1
        self.position += brackets
        names = self._names()
        self.position += brackets
        path: Path = ()
        for depth, name in enumerate(names, start=1):
            path = (*path, name)
            self._mark(path, start)
            if depth == len(names) and brackets == 2:
                self._last_index[path] = self._last_index.get(path, -1) + 1
            if path in self._last_index:
                path = (*path, self._last_index[path])
                self._mark(path, start)
        return path

    def _key(self, table: Path) -> Path:
        start = self.position
        path = table
        for name in self._names():
            path = (*path, name)
            self._mark(path, start)
        self.position += 1  # the equals sign
        self._skip(_SPACE)
        return path

    def _value(self, path: Path) -> None:
        # Each open bracket: its path, and the index of the next element (None in inline tables).
        open_brackets: list[tuple[Path, int | None]] = []
        while True:
            self._skip(_BLANK)
            opening = self.text[self.position]
            if opening == "[":
                open_brackets.append((path, 0))
                self.position += 1
            elif opening == "{":
                open_brackets.append((path, None))
                self.position += 1
            else:
                self._skip(_STRING if opening in "\"'" else _OTHER_VALUE)
            while open_brackets:
                self._skip(_BLANK)
                if self.text[self.position] == ",":
                    self.position += 1
                elif self.text[self.position] in "]}":
                    self.position += 1
                    open_brackets.pop()
                else:
                    break
            if not open_brackets:
                return
            container, index = open_brackets[-1]
            if index is None:
                path = self._key(container)
            else:
                path = (*container, index)
                open_brackets[-1] = (container, index + 1)
                self._mark(path, self.position)
