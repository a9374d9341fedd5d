"""Which groups a name means where several have the same one (option ``D``).

The ``pcre2`` package gives one number for each name. PCRE2's own count and numbers decide whether
what is read off the pattern here is right.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_TOKEN = re.compile(
    rb"""
      \\Q .*? (?: \\E | \Z )                                  # quoted text
    | \\ .                                                    # an escape
    | \[ \^? \]? (?: \\. | \[:\^?\w+:\] | [^\]\\] )* \]?      # a class
    | \(\?\# [^)]* \)?                                        # a comment
    | \(\* [^)]* \)?                                          # a verb
    | (?P<branches> \(\?\| )                                  # groups that share numbers
    | \( \? P? [<'] (?P<name> [A-Za-z_]\w* ) [>']             # a named group
    | (?P<plain> \( (?!\?) )                                  # a group
    | (?P<open> \( )                                          # any other parenthesis
    | (?P<close> \) )
    | (?P<bar> \| )
    """,
    re.VERBOSE | re.DOTALL,
)

# Ends are optional: what has none is no pattern, or was misread, and must not be looked through
# from each of its places.

_COMMENT = re.compile(rb"\\.|\[(?:\\.|[^\]\\])*\]?|(#[^\n]*)", re.DOTALL)


class _Level:
    """What is open around a place: whether its branches share numbers, and from which on."""

    __slots__ = ("first", "highest", "shares")

    def __init__(self, shares: bool, count: int) -> None:
        self.shares = shares
        self.first = self.highest = count


def groups_by_name(pattern: bytes, extended: bool) -> tuple[int, dict[str, list[int]]]:
    """How many groups ``pattern`` has, and the numbers of each name, in order."""
    if extended:
        pattern = _COMMENT.sub(lambda found: b"" if found[1] else found[0], pattern)
    count = 0
    names: dict[str, list[int]] = {}
    levels = [_Level(False, 0)]
    for token in _TOKEN.finditer(pattern):
        kind = token.lastgroup
        if kind is None:
            continue
        level = levels[-1]
        if kind == "bar":
            if level.shares:
                level.highest = max(level.highest, count)
                count = level.first
        elif kind == "close":
            if len(levels) > 1:
                levels.pop()
                if level.shares:
                    count = max(level.highest, count)
        else:
            if kind in ("name", "plain"):
                count += 1
            if kind == "name":
                numbers = names.setdefault(token["name"].decode(), [])
                if count not in numbers:
                    numbers.append(count)
            levels.append(_Level(kind == "branches", count))
    return count, names


def has_top_level_bar(pattern: bytes, extended: bool) -> bool:
    """Whether there are alternatives outside all groups."""
    if extended:
        pattern = _COMMENT.sub(lambda found: b"" if found[1] else found[0], pattern)
    depth = 0
    for token in _TOKEN.finditer(pattern):
        kind = token.lastgroup
        if kind == "bar":
            if depth == 0:
                return True
        elif kind == "close":
            depth -= 1
        elif kind is not None:
            depth += 1
    return False


def named_groups(
    pattern: bytes, extended: bool, count: int, known: Mapping[str, int]
) -> list[tuple[str, int]]:
    """(name, number) of every named group, by name, as PCRE's own table has them.

    ``count`` and ``known`` are what PCRE2 says of the pattern; where they contradict what is read
    here, ``known`` alone counts.
    """
    counted, names = groups_by_name(pattern, extended)
    agrees = (
        counted == count
        and names.keys() == known.keys()
        and all(number in names[name] for name, number in known.items())
    )
    if not agrees:
        return sorted(known.items())
    return [(name, number) for name in sorted(names) for number in sorted(names[name])]
