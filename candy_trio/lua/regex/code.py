"""PCRE2's compiled code: made of a pattern, run on a subject.

Rules of this file:

- It and pcre.py are the only places that use PyPI's ``pcre2`` below its public interface.
  ``pcre2.compile`` always sets ALT_BSUX, with which ``\\x{41}`` means 65 times "x", and UCP
  together with UTF, which OpenResty's ``u`` does not; ``Pattern.search`` takes no match options
  and costs three times the match itself. ``_cy``, on which both stand, has all of it; its version
  is bounded in pyproject.toml, and tests/lua/test_regex.py looks at what is used here.
- Patterns mean what PCRE 8 makes of them, with which OpenResty's scripts grew up:
  see :func:`_as_pcre8_reads_it` and :func:`compile_source`. What PCRE2 can do beyond that
  (lookbehinds of bounded length, names of more than 32 bytes) it may; what it can't (``\\C``, which
  the package is built without) stays an error.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from msgspec import Struct
from pcre2 import LibraryError, PatternError, _cy

from candy_trio.lua.regex.messages import compile_error, match_error

_ALT_BSUX = 0x00000002
_UCP = 0x00020000
_NO_JIT = 0x00002000  # of a match

_JIT_STACK = -46
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

_HEAP_LIMIT = 16 * 1024
"""KB that one match may take, 8 ms to get them alone. PCRE2's own limit is 20 GB, and (*NO_JIT),
or what is too deep for the stack of compiled code, comes to use it."""

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

MATCH_LIMIT = -8
"""PCRE 8's number for it, in a MatchError."""

_CONTEXT: Any = _cy.create_match_context()
_match: Any = _cy.match


class BadPattern(ValueError):
    """The pattern does not compile; ``args[0]`` is the script's error message (bytes)."""


class MatchError(Exception):
    """A match that could not be carried through; ``args[0]`` is PCRE 8's number of the reason."""


class Source(Struct, frozen=True):
    """A pattern that compiles, and what it takes to compile it again with other limits."""

    code: Any
    settings: bytes
    """What it begins with and PCRE2 takes for settings."""
    text: bytes
    """The rest."""
    bits: int

    def compile(self, text: bytes, match_limit: int) -> Any:
        """Code for another text under the same settings; None if it does not compile."""
        try:
            code = _cy.compile(
                self.settings + _limits(self.settings, match_limit) + text,
                self.bits,
                (_ALT_BSUX | _UCP) & ~self.bits,
            )
        except PatternError:
            return None
        _to_machine_code(code, text)
        return code


def run(code: Any, subject: bytes, position: int, options: int) -> Any:
    """PCRE2's data of the first match at ``position`` or behind it, or None. Raises MatchError."""
    try:
        return _match(code, subject, len(subject), position, _CONTEXT, options)[0]
    except LibraryError as error:
        if error.code != _JIT_STACK:
            raise MatchError(match_error(error.code)) from None
    # What is too deep for the stack of compiled code the interpreter takes from the heap.
    try:
        return _match(code, subject, len(subject), position, _CONTEXT, options | _NO_JIT)[0]
    except LibraryError as error:
        raise MatchError(match_error(error.code)) from None


def compile_source(pattern: bytes, bits: int, match_limit: int) -> Source:
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
    _to_machine_code(code, text)
    return Source(code, settings, text[len(settings) + len(limits) :], bits)


def _to_machine_code(code: Any, text: bytes) -> None:
    if len(text) <= _MAX_RECURSIVE or _RECURSION.search(text) is None:
        with suppress(LibraryError):  # where there is no machine code, the interpreter does it
            _cy.jit_compile(code)


def _limits(settings: bytes, match_limit: int) -> bytes:
    """The server's limits, for a pattern with these settings."""
    limits = b"(*LIMIT_HEAP=%d)" % _HEAP_LIMIT
    # What has more digits does not compile.
    own = [int(digits[:10]) for digits in _MATCH_LIMIT.findall(settings)]
    return limits + b"(*LIMIT_MATCH=%d)" % min([match_limit, *own[-1:]])


def _as_pcre8_reads_it(pattern: bytes) -> bytes:
    """``{,3}`` and ``{ 1 }`` are quantifiers since PCRE2 10.43 and were text before."""
    if b"{" not in pattern or b"\\Q" in pattern:
        return pattern

    def escaped(found: re.Match[bytes]) -> bytes:
        if found[0] != b"{" or _QUANTIFIER.match(pattern, found.start()):
            return found[0]
        return b"\\{"

    return _NEW_QUANTIFIER.sub(escaped, pattern)
