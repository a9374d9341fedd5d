"""Searching so that no call takes long, whatever the pattern and the subject are.

PCRE2's match limit counts the steps of one attempt, at one place of the subject; a search makes an
attempt at each place, and a step may look through all of the subject (``.*``). So:

- A long subject is searched in *windows*, of so many places that to look through the subject once
  for each is a matter of milliseconds. A window is the same pattern behind ``\\G.{0,n}?``: to
  PCRE2 it is a single attempt, and the limit counts the steps of all its places. Between
  windows whoever asked can be told to go on later.
- A window begins with few steps. Where they do not suffice and the time that they took allows
  it, it is tried again with eight times as many. What does not get through even alone, at one
  place, is an error: OpenResty's for its match limit.

What the short subjects of most calls need is a single plain search with DIRECT_LIMIT.
"""

from __future__ import annotations

import re
from time import perf_counter, thread_time
from typing import Any, Literal

from candy_trio.lua.regex.code import MATCH_LIMIT, MatchError, Source, run
from candy_trio.lua.regex.names import has_top_level_bar

DIRECT_LIMIT = 1600
"""Steps of a plain search at each place; see :meth:`Budgeted.is_quick`."""

_QUICK = 500
"""Bytes of a subject in which a plain search is quick: that many attempts are 3 ms at most."""

_QUICK_WORK = 8_000_000
"""Bytes of subject, times those of a pattern that repeats nothing: as much as 5 ms are good for."""

_LIMITS = (3, 25, 200, 1600, 12_800, 102_400, 800_000, 3_000_000)
"""Steps that a window may take; a step takes 2 to 30 ns of machine code if it looks at little."""

_WINDOWS = (4096, 512, 64, 8, 1)
"""Places in a window."""

_LOOKS = 20_000_000
"""Bytes that a window looks at, if it looks through the subject from each of its places, or with
each of its first steps: some 6 ms."""

_MOST = 0.010
"""Seconds that a window may be expected to take."""

_LATE = 0.010
"""Seconds behind the time to stop at which an attempt may be expected to end."""

_SHORT = 5000
"""Bytes of a subject in which attempts at all places are quick enough to be made together."""

_WHOLE = re.compile(rb"\(\?(?:R|[-+]?0)|\\g[<'][-+]?0")
"""Recursion of the whole pattern, of which ``\\G.{0,n}?`` would be a part."""

_TOGETHER = re.compile(rb"\\G|\(\*")
"""What says where the next attempt is made, or looks where the search began: ``\\G``, verbs."""

_REFERENCE = re.compile(rb"\\[gk1-9]|\(\?P=")
_LONG_GROUP = re.compile(rb"\([^()]*[*+{][^()]*\)")
"""A group that can be long, and is compared with as much of the subject by a reference to it."""

_REPEATS = re.compile(rb"[*+?{]|\\[gk1-9]|\(\?[P&\d+-]")
"""Without any of these no attempt looks at more than the pattern's own length, nor goes back."""

_ALL_LINES = re.compile(rb"\(\?[a-zA-Z^]*m")

_ANCHORED = 0x80000000
_EXTENDED = 0x00000080
_MULTILINE = 0x00000400
_MATCH_INVALID_UTF = 0x04000000
_NO_UTF_CHECK = 0x40000000
_MOST_BYTES = 4  # of a character in UTF-8


class _Later(Exception):
    """There is no more time in this call."""


class Budgeted:
    """A pattern's ways to be searched for."""

    __slots__ = (
        "_cap",
        "_codes",
        "_compares",
        "_counts_characters",
        "_mode",
        "_once",
        "_repeats",
        "_source",
    )

    def __init__(self, source: Source, counts_characters: bool) -> None:
        text, bits = source.text, source.bits
        self._source = source
        self._counts_characters = counts_characters
        self._repeats = _REPEATS.search(text) is not None
        self._compares = bool(_REFERENCE.search(text) and _LONG_GROUP.search(text))
        self._mode: Literal["windows", "places", "together"] = "windows"
        if _TOGETHER.search(text):
            self._mode = "together"
        elif bits & _MATCH_INVALID_UTF or _WHOLE.search(text):
            self._mode = "places"
        self._once = bool(bits & _ANCHORED) or (
            text[:1] == b"^"
            and text[1:2] not in (b"*", b"+", b"?", b"{")
            and not bits & _MULTILINE
            and _ALL_LINES.search(text) is None
            and not has_top_level_bar(text, bool(bits & _EXTENDED))
        )
        """Whether it matches at the first place or nowhere."""
        self._cap = _WINDOWS[0]
        """The window that the search which goes on in the next call has come down to."""
        self._codes: dict[tuple[int, int], Any] = {}

    def is_quick(self, length: int) -> bool:
        """Whether a plain search of that many bytes is."""
        if self._repeats:
            return length <= _QUICK
        return length * (len(self._source.text) + 8) <= _QUICK_WORK

    def search(self, subject: bytes, position: int, options: int, until: float) -> Any:
        """The data of the first match, None, or the place to go on from. Raises MatchError."""
        length = len(subject)
        window = min(
            self._cap,
            next(w for w in _WINDOWS if not self._repeats or w == 1 or w * length <= _LOOKS),
        )
        while True:
            if self._mode != "windows" or self._once or position > length:
                window = 1
            try:
                found = self._window(window, subject, position, options, until)
            except _Later:
                self._cap = window
                return position
            except MatchError as error:
                if error.args[0] != MATCH_LIMIT or window == 1:
                    self._cap = _WINDOWS[0]
                    raise
                window //= 8
                continue
            if found is not None or self._once or self._mode == "together":
                self._cap = _WINDOWS[0]
                return found
            if self._counts_characters:
                options |= _NO_UTF_CHECK
            position = self._behind(subject, position, window)
            if position > length:
                self._cap = _WINDOWS[0]
                return None
            if perf_counter() > until:
                self._cap = min(window * 8, _WINDOWS[0])
                return position

    def _behind(self, subject: bytes, position: int, places: int) -> int:
        if not self._counts_characters:
            return position + places
        text = subject[position : position + _MOST_BYTES * places].decode("utf-8", "ignore")
        if len(text) < places:
            return len(subject) + 1
        return position + len(text[:places].encode())

    def _window(
        self, places: int, subject: bytes, position: int, options: int, until: float
    ) -> Any:
        """One window with as many steps as it needs, and as there is time for."""
        length = len(subject)
        affordable = _LOOKS / (length + 1)
        level = len([limit for limit in _LIMITS[1:] if limit <= affordable])
        while _LIMITS[level] < 2 * places:  # each place takes a step or two
            level += 1
        if self._mode == "places":
            options |= _ANCHORED
        elif self._mode == "together" and self._repeats and length - position > _SHORT:
            raise MatchError(MATCH_LIMIT)
        while True:
            code = self._codes.get((places, _LIMITS[level]))
            if code is None:
                code = self._codes[places, _LIMITS[level]] = self._compiled(places, _LIMITS[level])
                if perf_counter() > until:
                    raise _Later
            begun = thread_time()
            try:
                return run(code, subject, position, options)
            except MatchError as error:
                if error.args[0] != MATCH_LIMIT or (self._compares and length > _SHORT):
                    raise
                level += 1
                if level == len(_LIMITS):
                    raise
                expected = (thread_time() - begun) * _LIMITS[level] / _LIMITS[level - 1]
                if expected > _MOST:
                    raise
                if perf_counter() + expected > until + _LATE:
                    raise _Later from None

    def _compiled(self, places: int, limit: int) -> Any:
        source = self._source
        if self._mode == "windows":
            # A comment of an extended pattern ends with its line.
            end = b"\n)" if source.bits & _EXTENDED else b")"
            lead = b"\\G(?s:.{0,%d}?)(?:" % (places - 1) if places > 1 else b"\\G(?:"
            code = source.compile(lead + source.text + end, limit)
            if code is not None:
                return code
            self._mode = "together"
        return source.compile(source.text, limit)
