"""Lua's reading of a string as a number (Lua 5.4 manual §3.1 and §3.4.3), and sums of its
numbers."""

from __future__ import annotations

import re

_DECIMAL_INTEGER = re.compile(rb"[-+]?[0-9]+")
_DECIMAL_FLOAT = re.compile(rb"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_HEX_INTEGER = re.compile(rb"[-+]?0[xX][0-9a-fA-F]+")
_HEX_FLOAT = re.compile(
    rb"[-+]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)(?:[pP][-+]?[0-9]+)?"
)

_MAX_LENGTH = 200
"""Bytes; Lua's own limit for the text of a number (L_MAXLENNUM), and what keeps the
conversion of a long string of digits, quadratic in Python, out of reach of scripts."""


_MAX_TEXT = 65_536
"""Bytes with the blanks around it, which Lua takes any number of."""


def lua_number(text: bytes) -> int | float | None:
    """The number that ``text`` spells, or None; Python's own spellings (1_000, nan) don't
    count."""
    if len(text) > _MAX_TEXT:
        return None
    text = text.strip(b" \f\n\r\t\v")
    if len(text) > _MAX_LENGTH:
        return None
    if _DECIMAL_INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL_FLOAT.fullmatch(text):
        return float(text)
    if _HEX_INTEGER.fullmatch(text):
        return int(text, 16)
    if _HEX_FLOAT.fullmatch(text):
        try:
            return float.fromhex(text.decode("ascii"))
        except OverflowError:
            return float("-inf") if text.startswith(b"-") else float("inf")
    return None


MAX_INTEGER = 2**63 - 1
MIN_INTEGER = -(2**63)


def lua_sum(a: int | float, b: int | float) -> int | float:
    """Integers stay integers as far as 64 bits go, then they become floats."""
    total = a + b
    if type(total) is int and not MIN_INTEGER <= total <= MAX_INTEGER:
        return float(total)
    return total
