"""nginx's ``location`` argument: reading one, and compiling its regular expression.

The only module that imports pcre2 for routing; configuration checks and the routing table both
come here, so what ``--check`` accepts is what serves.
"""

from __future__ import annotations

import re
from typing import Final

import pcre2

from candy_trio.config.schema import Location

FORMS: Final = '"/prefix", "= /exact", "^~ /prefix", "~ regex", "~* regex" or "@name"'

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*", re.ASCII)

PatternError = pcre2.LibraryError
"""What a compiled pattern's ``search`` raises: a match limit, or bad UTF-8 under ``(*UTF)``."""


def parse_location(text: str) -> Location:
    """Read the value of ``location``; as in nginx, the space after a modifier may be missing.

    Raises ValueError with a message that says what is wrong.
    """
    if text.startswith("@"):
        if not _NAME.fullmatch(text, 1):
            raise ValueError('expected a name after the "@" (letters, digits, "_", "-", ".")')
        return Location("@", text[1:])
    # "~*" before "~": the longer modifier is the one that is meant.
    for modifier in ("=", "^~", "~*", "~"):
        if text.startswith(modifier):
            pattern = text.removeprefix(modifier).strip(" \t")
            break
    else:
        modifier, pattern = "", text
    location = Location(modifier, pattern)  # type: ignore[arg-type]
    if modifier in ("~", "~*"):
        if not pattern:
            raise ValueError(f"expected {FORMS}")
        compile_regex(location)
    elif not pattern.startswith("/"):
        raise ValueError(f"expected {FORMS}")
    return location


def compile_regex(location: Location) -> pcre2.Pattern:
    """Compile a ``~`` or ``~*`` location to match bytes; raises ValueError if it is malformed."""
    flags = pcre2.IGNORECASE if location.modifier == "~*" else 0
    try:
        return pcre2.compile(location.pattern.encode(), flags)
    except pcre2.PatternError as error:
        raise ValueError(f"bad regular expression: {error.msg}") from None
