"""One compiled regular expression, with OpenResty's options and error messages.

Nothing here is unsafe, whatever a script gives: UTF-8 is checked by PCRE2 itself, once for each
subject, and only then trusted for further matches at places that are known to be good.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

from pcre2 import _cy

from candy_trio.lua.regex.budget import DIRECT_LIMIT, Budgeted
from candy_trio.lua.regex.code import MATCH_LIMIT, BadPattern, MatchError, compile_source, run
from candy_trio.lua.regex.messages import match_error
from candy_trio.lua.regex.names import named_groups

__all__ = ["BadPattern", "MatchError", "Regex", "Spans"]

_ANCHORED = 0x80000000
_ALLOW_EMPTY_CLASS = 0x00000001
_ALT_BSUX = 0x00000002
_CASELESS = 0x00000008
_DOTALL = 0x00000020
_DUPNAMES = 0x00000040
_EXTENDED = 0x00000080
_MATCH_UNSET_BACKREF = 0x00000200
_MULTILINE = 0x00000400
_UCP = 0x00020000
_UTF = 0x00080000
_MATCH_INVALID_UTF = 0x04000000
_NO_UTF_CHECK = 0x40000000  # of a match

_OPTIONS = {
    "a": _ANCHORED,
    "i": _CASELESS,
    "m": _MULTILINE,
    "s": _DOTALL,
    "x": _EXTENDED,
    "D": _DUPNAMES,
    "u": _UTF,
    # OpenResty skips the check of the subject, and what is wrong in it corrupts memory.
    "U": _UTF | _MATCH_INVALID_UTF,
    "J": _ALT_BSUX | _MATCH_UNSET_BACKREF | _ALLOW_EMPTY_CLASS,
}
"""``j`` and ``o`` need nothing: every pattern is compiled to machine code and kept."""

_BAD_UTF_OFFSET = -36

_CONTINUATION = frozenset(bytes([byte]) for byte in range(0x80, 0xC0))
"""The bytes of UTF-8 that begin no character."""

_span: Any = _cy.match_substring_span_bynumber

Spans: TypeAlias = tuple[int, ...]
"""For group 0, 1, …: where it begins as Lua counts, 0 if it took no part; where it ends."""


class Regex:
    """A compiled pattern. ``used`` belongs to the cache that it is in."""

    __slots__ = (
        "_budgeted",
        "_code",
        "_trusts_checks",
        "checks_each_time",
        "groups",
        "names",
        "pattern",
        "used",
    )

    def __init__(self, pattern: bytes, options: str, match_limit: int) -> None:
        """``options`` are OpenResty's letters; ``match_limit`` 0 is the limit of
        :mod:`candy_trio.lua.regex.budget`, under which no call takes long.

        Raises BadPattern.
        """
        self.pattern = pattern
        self.used = True
        bits = 0
        for letter, bit in _OPTIONS.items():
            if letter in options:
                bits |= bit
        source = compile_source(pattern, bits, match_limit or DIRECT_LIMIT)
        self._code = source.code
        # With MATCH_INVALID_UTF there is nothing to check, and every place is a good one.
        self._trusts_checks: bool = _cy.pattern_is_utf(self._code) and "U" not in options
        self.checks_each_time = "U" in options
        """The interpreter then looks for invalid UTF-8 in all of the subject with each search."""
        self._budgeted = None if match_limit else Budgeted(source, self._trusts_checks)
        self.groups: int = _cy.pattern_capture_count(self._code)
        known: dict[str, int] = _cy.pattern_name_dict(self._code)
        if bits & _DUPNAMES:
            self.names = named_groups(pattern, bool(bits & _EXTENDED), self.groups, known)
        else:
            self.names = sorted(known.items())

    def search(
        self, subject: bytes, position: int, *, checked: bool = False, until: float = math.inf
    ) -> Spans | int | None:
        """The first match at ``position`` (bytes from 0) or behind it. Raises MatchError.

        ``checked`` says that a search in this subject has succeeded: it is valid UTF-8. Where
        there is more to do at ``until`` (by perf_counter), the answer is where to go on.
        """
        options = 0
        if checked and self._trusts_checks:
            if subject[position : position + 1] in _CONTINUATION:
                raise MatchError(match_error(_BAD_UTF_OFFSET))
            options = _NO_UTF_CHECK
        if self._budgeted is None or self._budgeted.is_quick(len(subject) - position):
            try:
                found = run(self._code, subject, position, options)
            except MatchError as error:
                if self._budgeted is None or error.args[0] != MATCH_LIMIT:
                    raise
                found = self._budgeted.search(subject, position, options, until)
        else:
            found = self._budgeted.search(subject, position, options, until)
        if found is None or type(found) is int:
            return found
        start, end = _span(found, subject, 0)
        if self.groups == 0:
            return start + 1, end
        spans: list[int] = [start + 1, end]
        for group in range(1, self.groups + 1):
            start, end = _span(found, subject, group)
            spans += (start + 1, end)
        return tuple(spans)
