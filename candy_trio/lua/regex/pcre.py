"""One compiled regular expression, with OpenResty's options and error messages.

Rules of this file:

- It is the one place that uses PyPI's ``pcre2`` below its public interface. ``pcre2.compile``
  always sets ALT_BSUX, with which ``\\x{41}`` means 65 times "x", and UCP together with UTF, which
  OpenResty's ``u`` does not; ``Pattern.search`` takes no match options and costs three times
  the match itself. ``_cy``, on which both stand, has all of it; its version is bounded in
  pyproject.toml, and tests/lua/test_regex.py looks at what is used here.
- Patterns mean what PCRE 8 makes of them, with which OpenResty's scripts grew up:
  see :func:`_as_pcre8_reads_it` and :func:`_compile`. What PCRE2 can do beyond that (lookbehinds of
  bounded length, names of more than 32 bytes) it may; what it can't (``\\C``, which the package
  is built without) stays an error.
- Nothing here is unsafe, whatever a script gives: UTF-8 is checked by PCRE2 itself, once for each
  subject, and only then trusted for further matches at places that are known to be good.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any, TypeAlias

from pcre2 import LibraryError, PatternError, _cy

from candy_trio.lua.regex.messages import compile_error, match_error
from candy_trio.lua.regex.names import named_groups

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
_NO_JIT = 0x00002000  # of a match

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

_JIT_STACK = -46
_BAD_UTF_OFFSET = -36
_INVALID_RANGE = 150
_TOO_LARGE = 120
_TOO_LARGE_TEXT = "regular expression is too large"

_MAX_PATTERN = 1 << 16
"""Bytes: as much as can be compiled where each is one of the text. What is longer would be one
comment, or a list of words that nobody compiles for a request."""

_MAX_HYPHENS = 100
"""Hyphens of a pattern that only PCRE 8 takes: each costs another compile."""

_MAX_RECURSIVE = 4096
_RECURSION = re.compile(rb"\(\?(?:R|[-+]?0)|\\g[<'][-+]?0")
"""Recursions of the whole pattern, which cost the compiler to machine code the square of their
number: longer patterns with any are left to the interpreter."""

_HEAP_LIMIT = 64 * 1024
"""KB that one match may take. PCRE2's own limit is 20 GB, and (*NO_JIT), or what is too deep for
the stack of compiled code, comes to use it."""

_SETTINGS = re.compile(
    rb"(?:\(\*(?:LIMIT_[A-Z]+=\d+|(?:BSR_)?ANYCRLF|BSR_UNICODE|CASELESS_RESTRICT|CR|LF|CRLF|ANY|NUL"
    rb"|NOTEMPTY|NOTEMPTY_ATSTART|NO_AUTO_POSSESS|NO_DOTSTAR_ANCHOR|NO_JIT|NO_START_OPT"
    rb"|TURKISH_CASING|UCP|UTF8?)\))*"
)
"""What PCRE2 takes for settings at the start of a pattern. Of two the later one counts: the
server's limits go behind a script's."""
_MATCH_LIMIT = re.compile(rb"\(\*LIMIT_MATCH=0*(\d+)\)")

_NEW_QUANTIFIER = re.compile(
    rb"\\.|\{(?=[ \t]*(?:\d+[ \t]*(?:,[ \t]*(?:\d+[ \t]*)?)?|,[ \t]*\d+[ \t]*)\})", re.DOTALL
)
_QUANTIFIER = re.compile(rb"\{\d+(?:,\d*)?\}")

_CONTINUATION = frozenset(bytes([byte]) for byte in range(0x80, 0xC0))
"""The bytes of UTF-8 that begin no character."""

_CONTEXT: Any = _cy.create_match_context()
_match: Any = _cy.match
_span: Any = _cy.match_substring_span_bynumber

Spans: TypeAlias = tuple[int, ...]
"""For group 0, 1, …: where it begins as Lua counts, 0 if it took no part; where it ends."""


class BadPattern(ValueError):
    """The pattern does not compile; ``args[0]`` is the script's error message (bytes)."""


class MatchError(Exception):
    """A match that could not be carried through; ``args[0]`` is PCRE 8's number of the reason."""


class Regex:
    """A compiled pattern. ``used`` belongs to the cache that it is in."""

    __slots__ = (
        "_code",
        "_trusts_checks",
        "checks_each_time",
        "groups",
        "names",
        "pattern",
        "used",
    )

    def __init__(self, pattern: bytes, options: str, match_limit: int) -> None:
        """``options`` are OpenResty's letters; ``match_limit`` 0 is PCRE2's own (10 million).

        Raises BadPattern.
        """
        self.pattern = pattern
        self.used = True
        bits = 0
        for letter, bit in _OPTIONS.items():
            if letter in options:
                bits |= bit
        self._code = _compile(pattern, bits, match_limit)
        # With MATCH_INVALID_UTF there is nothing to check, and every place is a good one.
        self._trusts_checks: bool = _cy.pattern_is_utf(self._code) and "U" not in options
        self.checks_each_time = "U" in options
        """The interpreter then looks for invalid UTF-8 in all of the subject with each search."""
        self.groups: int = _cy.pattern_capture_count(self._code)
        known: dict[str, int] = _cy.pattern_name_dict(self._code)
        if bits & _DUPNAMES:
            self.names = named_groups(pattern, bool(bits & _EXTENDED), self.groups, known)
        else:
            self.names = sorted(known.items())

    def search(self, subject: bytes, position: int, *, checked: bool = False) -> Spans | None:
        """The first match at ``position`` (bytes from 0) or behind it. Raises MatchError.

        ``checked`` says that a search in this subject has succeeded: it is valid UTF-8.
        """
        options = 0
        if checked and self._trusts_checks:
            if subject[position : position + 1] in _CONTINUATION:
                raise MatchError(match_error(_BAD_UTF_OFFSET))
            options = _NO_UTF_CHECK
        try:
            found = _match(self._code, subject, len(subject), position, _CONTEXT, options)[0]
        except LibraryError as error:
            if error.code != _JIT_STACK:
                raise MatchError(match_error(error.code)) from None
            found = self._interpreted(subject, position, options)
        if found is None:
            return None
        start, end = _span(found, subject, 0)
        if self.groups == 0:
            return start + 1, end
        spans: list[int] = [start + 1, end]
        for group in range(1, self.groups + 1):
            start, end = _span(found, subject, group)
            spans += (start + 1, end)
        return tuple(spans)

    def _interpreted(self, subject: bytes, position: int, options: int) -> Any:
        """What is too deep for the stack of compiled code; the interpreter takes it from the
        heap."""
        try:
            return _match(self._code, subject, len(subject), position, _CONTEXT, options | _NO_JIT)[
                0
            ]
        except LibraryError as error:
            raise MatchError(match_error(error.code)) from None


def _compile(pattern: bytes, bits: int, match_limit: int) -> Any:
    """Raises BadPattern."""
    if len(pattern) > _MAX_PATTERN:
        raise BadPattern(
            compile_error(pattern[:_MAX_PATTERN], _TOO_LARGE, _TOO_LARGE_TEXT, len(pattern))
        )
    # Both are set by ``_cy`` unless they are taken away.
    unwanted = (_ALT_BSUX | _UCP) & ~bits
    text = _as_pcre8_reads_it(pattern)
    found = _SETTINGS.match(text)
    settings = found[0] if found else b""
    limits = _limits(settings, match_limit)
    text = settings + limits + text[len(settings) :]
    hyphens = 0
    while True:
        try:
            code = _cy.compile(text, bits, unwanted)
            break
        except PatternError as error:
            position = error.pos
            # PCRE2 refuses a hyphen after a class, as in [\w-.]; PCRE 8 takes it for itself.
            if (
                error.code == _INVALID_RANGE
                and text[position - 1 : position] == b"-"
                and hyphens < _MAX_HYPHENS
            ):
                text = text[: position - 1] + b"\\" + text[position - 1 :]
                hyphens += 1
                continue
            if position > len(settings):
                position = max(position - len(limits), len(settings))
            reason = error.msg.partition("; ")[2]
            raise BadPattern(compile_error(pattern, error.code, reason, position)) from None
    if len(pattern) <= _MAX_RECURSIVE or _RECURSION.search(pattern) is None:
        with suppress(LibraryError):  # where there is no machine code, the interpreter does it
            _cy.jit_compile(code)
    return code


def _limits(settings: bytes, match_limit: int) -> bytes:
    """The server's limits, for a pattern with these settings."""
    limits = b"(*LIMIT_HEAP=%d)" % _HEAP_LIMIT
    if match_limit:
        # What has more digits does not compile.
        own = [int(digits[:10]) for digits in _MATCH_LIMIT.findall(settings)]
        limits += b"(*LIMIT_MATCH=%d)" % min([match_limit, *own[-1:]])
    return limits


def _as_pcre8_reads_it(pattern: bytes) -> bytes:
    """``{,3}`` and ``{ 1 }`` are quantifiers since PCRE2 10.43 and were text before."""
    if b"{" not in pattern or b"\\Q" in pattern:
        return pattern

    def escaped(found: re.Match[bytes]) -> bytes:
        if found[0] != b"{" or _QUANTIFIER.match(pattern, found.start()):
            return found[0]
        return b"\\{"

    return _NEW_QUANTIFIER.sub(escaped, pattern)
