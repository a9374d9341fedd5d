"""The compiled patterns of one VM, under numbers that its Lua half knows them by.

Bounded by entries (``lua_regex_cache_max_entries``) and by the text of the patterns. What goes
first is what has not been used since it was last looked at (the clock algorithm): an exact order of
use would cost every match. Whoever asks by a number that has gone compiles again.
"""

from __future__ import annotations

from collections import OrderedDict

from candy_trio.lua.regex.pcre import Regex

MAX_TEXT = 1 << 20
"""Bytes of patterns and options that are kept: compiled code is some ten times that."""


class RegexCache:
    """See the module; ``match_limit`` is that of :class:`candy_trio.lua.regex.pcre.Regex`."""

    def __init__(self, max_entries: int, match_limit: int) -> None:
        self._max_entries = max(max_entries, 1)
        self._match_limit = match_limit
        self._numbers: OrderedDict[tuple[bytes, bytes], int] = OrderedDict()
        self._regexes: dict[int, Regex] = {}
        self._text = 0
        self._next = 1

    def number(self, pattern: bytes, options: bytes) -> int:
        """The number of a pattern, compiled if need be. Raises BadPattern."""
        key = (pattern, options)
        number = self._numbers.get(key)
        if number is None:
            regex = Regex(pattern, options.decode("latin-1"), self._match_limit)
            number = self._next
            self._next += 1
            self._numbers[key] = number
            self._regexes[number] = regex
            self._text += len(pattern) + len(options)
            self._make_room()
        return number

    def get(self, number: int) -> Regex | None:
        """The pattern of that number; None if it has gone."""
        regex = self._regexes.get(number)
        if regex is not None:
            regex.used = True
        return regex

    def _make_room(self) -> None:
        numbers = self._numbers
        while len(numbers) > self._max_entries or (self._text > MAX_TEXT and len(numbers) > 1):
            key, number = numbers.popitem(last=False)
            regex = self._regexes[number]
            if regex.used:
                regex.used = False
                numbers[key] = number
            else:
                del self._regexes[number]
                self._text -= len(key[0]) + len(key[1])
