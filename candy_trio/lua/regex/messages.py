"""What PCRE2 says, in the words and numbers of PCRE 8.

Scripts for OpenResty were written against PCRE 8's texts ("pcre_compile() failed: missing ) in
…"), and a few compare them. PCRE2 kept the numbers of its compile errors (plus 100) and changed
many texts; most places of errors it reports one byte further on. What is not listed here is the
same in both. tests/lua_cases/regex.toml has a pattern for each row, and runs on nginx, too.
"""

from __future__ import annotations

import re

MAX_MESSAGE = 127
"""Bytes of a compile error: what fits into lua-resty-core's buffer for it."""

_COMPILE: dict[int, tuple[str | None, int]] = {
    108: (None, -1),
    109: ("nothing to repeat", -1),
    111: (None, -1),
    114: ("missing )", 0),
    118: ("missing ) after comment", 0),
    122: ("unmatched parentheses", -1),
    124: ("malformed number or name after (?(", 0),
    125: ("lookbehind assertion is not fixed length", 0),
    128: ("assertion expected after (?( or (?(?C)", 0),
    134: ("character value in \\x{} or \\o{} is too large", 0),
    137: ("PCRE does not support \\L, \\l, \\N{name}, \\U, or \\u", -1),
    138: ("number after (?C is > 255", 0),
    139: ("closing ) for (?C expected", 0),
    141: (None, -1),
    142: ("syntax error in subpattern name (missing terminator)", 0),
    143: ("two named subpatterns have the same name", -1),
    144: ("group name must start with a non-digit", -1),
    147: ("unknown property name after \\P or \\p", -1),
    150: (None, -1),
    151: (None, -1),
    154: ("DEFINE group contains more than one branch", 0),
    155: (None, -1),
    158: ("(?R or (?[+-]digits must be followed by )", 0),
    164: (None, -1),
    165: (None, -1),
    167: (None, -1),
    168: ("\\c must be followed by an ASCII character", -1),
    169: (None, -1),
    178: ("digits missing in \\x{} or \\o{}", 0),
}
"""Number of PCRE2's error → (PCRE 8's text where it differs, how far its place is away)."""

_MISSING_PARENTHESIS = 114
_OPEN_OPTIONS = re.compile(rb"\(\?[-a-zA-Z]*\Z")

_UTF_ERRORS = range(-23, -2)
"""PCRE2_ERROR_UTF8_ERR21 to _ERR1: PCRE 8 has one number for all of them."""

_MATCH = {
    -33: -24,  # the start lies behind the end of the subject
    -36: -11,  # the start lies inside a UTF-8 character
    -46: -27,  # the stack of the compiled code
    -47: -8,  # match limit
    -48: -6,  # memory
    -52: -26,  # a recursion that eats nothing
    -53: -21,  # depth limit, PCRE 8's recursion limit
    -63: -21,  # heap limit, where PCRE2 keeps what PCRE 8 recursed for
}


def compile_error(pattern: bytes, code: int, message: str, position: int) -> bytes:
    """The message for a pattern that does not compile, as lua-nginx-module words it."""
    text, shift = _COMPILE.get(code, (None, 0))
    if code in _UTF_ERRORS:
        text = "invalid UTF-8 string"
    elif code == _MISSING_PARENTHESIS and _OPEN_OPTIONS.search(pattern):
        text = "unrecognized character after (? or (?-"
    rest = pattern[max(position + shift, 0) :]
    line = b'pcre_compile() failed: %b in "%b"' % ((text or message).encode(), pattern)
    if rest:
        line += b' at "%b"' % rest
    return line[:MAX_MESSAGE]


def match_error(code: int) -> int:
    """PCRE 8's number of what went wrong in a match."""
    if code in _UTF_ERRORS:
        return -10
    return _MATCH.get(code, code)
