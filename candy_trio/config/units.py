"""Sizes and durations as a configuration file writes them.

Each is a plain number underneath (bytes, seconds); the classes exist so that a table of keys can
say by its types alone what a key takes.
"""

from __future__ import annotations

import math
import re
from typing import ClassVar, Self

_SIZE = re.compile(r"(\d+)([kmg])", re.IGNORECASE | re.ASCII)
_SIZE_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}  # powers of two, as in nginx

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m)", re.ASCII)
_DURATION_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0}  # seconds

# What the kernel, msgspec and Lua's doubles all count without loss; nothing real comes near it.
_MAX_SIZE = 1 << 53  # bytes


class Size(int):
    """A positive number of bytes."""

    forms: ClassVar[str] = 'a size above 0: a number of bytes, or "10k", "10m", "1g"'

    @classmethod
    def parse(cls, value: object) -> Self:
        """Raise ValueError for anything that is not a size, zero and booleans included."""
        if isinstance(value, str) and (found := _SIZE.fullmatch(value)):
            value = int(found[1]) * _SIZE_UNITS[found[2].lower()]
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _MAX_SIZE:
            raise ValueError(cls.forms)
        return cls(value)


class Duration(float):
    """A positive, finite number of seconds."""

    forms: ClassVar[str] = 'a duration above 0: seconds as a number, or "500ms", "15s", "2m"'

    @classmethod
    def parse(cls, value: object) -> Self:
        """Raise ValueError for anything that is not a duration, zero and booleans included."""
        if isinstance(value, str) and (found := _DURATION.fullmatch(value)):
            value = float(found[1]) * _DURATION_UNITS[found[2]]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(cls.forms)
        try:
            seconds = float(value)
        except OverflowError:
            raise ValueError(cls.forms) from None
        if not (math.isfinite(seconds) and seconds > 0):
            raise ValueError(cls.forms)
        return cls(seconds)
