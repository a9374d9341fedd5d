"""What regex.lua asks of the server: compiling, matching, replacing.

Rules of this file:

- A call does a bounded number of matches (``limit``), and none after ``_MAX_TIME``, so that a
  script is never away for long. A search that takes longer than that goes on in the next call.
- A pattern is known by its number; False says that the number has gone and Lua has to ask
  :func:`compile_regex` again.
- Errors are numbers, PCRE 8's; regex.lua words them.
"""

from __future__ import annotations

import struct
from codecs import utf_8_decode
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Any

from candy_trio.lua.regex.cache import RegexCache
from candy_trio.lua.regex.pcre import BadPattern, MatchError, Regex, Spans
from candy_trio.lua.regex.template import Template, TemplateError, parse_template
from candy_trio.observe.log import Level

if TYPE_CHECKING:
    from candy_trio.lua.current import Current
    from engines.base import Plain

_MAX_TEMPLATES = 256
"""Parsed replacement strings that are kept; most scripts have a handful."""

_MAX_TEMPLATE_TEXT = 1 << 20
"""Bytes of them; the last one is kept whatever its size."""

_MAX_WORK = 8192
"""Groups, and parts of a template, that a call deals with if it is to make more than one match."""

_MAX_CHECKED = 1 << 23
"""Bytes that a call looks through for invalid UTF-8 if it is to make more than one match."""

_MAX_TIME = 0.005
"""Seconds after which a call begins no further match: one may take hundreds of milliseconds within
its match limit."""

_ENOUGH = 1 << 20
"""Bytes of replaced text after which a call makes no more matches."""

_MAX_REPLACED = 1 << 23
"""Bytes that one match may be replaced by: a template can name a group thousands of times."""

_NO_MEMORY = -6


def callbacks(
    current: Current, max_entries: int, match_limit: int
) -> dict[str, Callable[..., Any]]:
    """By name, for one VM."""
    cache = RegexCache(max_entries, match_limit)
    templates: dict[bytes, Template] = {}
    template_text = 0

    def re_compile(pattern: bytes, options: bytes) -> tuple[Plain, ...]:
        """(number, groups, "NAME:NUMBER\\n" for each named group), or (None, message)."""
        try:
            number = cache.number(pattern, options)
        except BadPattern as problem:
            return None, problem.args[0]
        regex = cache.get(number)
        assert regex is not None
        names = "".join(f"{name}:{group}\n" for name, group in regex.names)
        return number, regex.groups, names.encode()

    def re_match(
        number: int, subject: bytes, position: int, checked: bool = False
    ) -> Plain | tuple[Plain, ...]:
        """The spans of the first match, None, False, (None, error), or (True, where to go on)."""
        regex = cache.get(number)
        if regex is None:
            return False
        try:
            until = perf_counter() + _MAX_TIME
            found = regex.search(subject, position, checked=checked, until=until)
        except MatchError as error:
            return None, error.args[0]
        return (True, found) if isinstance(found, int) else found

    def re_check(before: bytes, text: bytes) -> bytes | bool:
        """Whether a piece of a text behind ``before`` can be UTF-8: False, or what is left over."""
        text = before + text
        try:
            read = utf_8_decode(text, "strict", False)[1]
        except UnicodeDecodeError:
            return False
        return text[read:]

    def re_matches(
        number: int, subject: bytes, position: int, first: bool, limit: int
    ) -> Plain | tuple[Plain, ...]:
        """(spans as 32-bit numbers, next position or None, error or None), or False.

        ``first`` says that no match has been made in this subject yet.
        """
        regex = cache.get(number)
        if regex is None:
            return False
        limit = min(limit, _affordable(regex, subject, 0))
        pack = struct.Struct(f"<{2 * regex.groups + 2}i").pack
        packed: list[bytes] = []
        end = perf_counter() + _MAX_TIME
        matches = _Matches(regex, subject, position, first, end)
        while len(packed) < limit and (spans := matches.next()) is not None:
            packed.append(pack(*spans))
            if perf_counter() > end:
                break
        return b"".join(packed), matches.position, matches.error

    def re_replace(
        number: int, subject: bytes, replacement: bytes, position: int, copied: int, limit: int
    ) -> Plain | tuple[Plain, ...]:
        """Up to ``limit`` replacements: (text from ``copied`` on, next position or None, what is
        copied by then, how many, error or None), or False."""
        regex = cache.get(number)
        if regex is None:
            return False
        template = templates.get(replacement) or parse_template(replacement)
        may_be_large = len(template) * len(subject) > _MAX_REPLACED
        limit = min(limit, _affordable(regex, subject, len(template)))
        pieces: list[bytes] = []
        count = size = 0
        end = perf_counter() + _MAX_TIME
        matches = _Matches(regex, subject, position, position == 0, end)
        while count < limit and size < _ENOUGH and (spans := matches.next()) is not None:
            count += 1
            if may_be_large and _size(spans, template) > _MAX_REPLACED:
                return b"", None, copied, count, _NO_MEMORY
            text = b"".join(
                [
                    part if isinstance(part, bytes) else _group(subject, spans, part)
                    for part in template
                ]
            )
            size += len(text)
            pieces += (subject[copied : spans[0] - 1], text)
            copied = spans[1]
            if perf_counter() > end:
                break
        return b"".join(pieces), matches.position, copied, count, matches.error

    def re_parts(replacement: bytes) -> bytes:
        """The parts of a template: "LENGTH:TEXT", or "NUMBER$" of a group."""
        return b"".join(
            b"%d:%b" % (len(part), part) if isinstance(part, bytes) else b"%d$" % part
            for part in templates.get(replacement) or parse_template(replacement)
        )

    def re_template(replacement: bytes) -> bool:
        """Whether it is one; the error log says why it is not."""
        nonlocal template_text
        if replacement in templates:
            return True
        try:
            template = parse_template(replacement)
        except TemplateError as problem:
            current.log(Level.ERR, str(problem))
            return False
        template_text += len(replacement)
        if len(templates) >= _MAX_TEMPLATES or template_text > _MAX_TEMPLATE_TEXT:
            templates.clear()
            template_text = len(replacement)
        templates[replacement] = template
        return True

    return {
        "re_compile": re_compile,
        "re_match": re_match,
        "re_check": re_check,
        "re_matches": re_matches,
        "re_replace": re_replace,
        "re_template": re_template,
        "re_parts": re_parts,
    }


class _Matches:
    """One match after the other, as OpenResty steps: behind an empty one by a byte."""

    __slots__ = ("_checked", "_end", "_regex", "_subject", "error", "position")

    def __init__(
        self, regex: Regex, subject: bytes, position: int, first: bool, end: float
    ) -> None:
        self._regex = regex
        self._subject = subject
        self._checked = not first
        self._end = end
        self.position: int | None = position
        """Where the next search begins; None when there is nothing left to find."""
        self.error: int | None = None

    def next(self) -> Spans | None:
        """None: there is no other one, or none was found by the end of the call's time."""
        position = self.position
        if position is None:
            return None
        self.position = None
        try:
            spans = self._regex.search(
                self._subject, position, checked=self._checked, until=self._end
            )
        except MatchError as error:
            self.error = error.args[0]
            return None
        if spans is None:
            return None
        self._checked = True
        if isinstance(spans, int):
            self.position = spans
            return None
        end = spans[1]
        if end == spans[0] - 1:
            end += 1
        if end <= len(self._subject):
            self.position = end
        return spans


def _affordable(regex: Regex, subject: bytes, parts: int) -> int:
    """How many matches a call may make, each followed by so many parts of a template."""
    matches = 1 + _MAX_WORK // (regex.groups + 1 + parts)
    if regex.checks_each_time and len(subject) * matches > _MAX_CHECKED:
        return 1 + _MAX_CHECKED // len(subject)
    return matches


def _size(spans: Spans, template: Template) -> int:
    """Bytes that a match is replaced by."""
    size = 0
    for part in template:
        if isinstance(part, bytes):
            size += len(part)
        elif 2 * part < len(spans):
            size += max(spans[2 * part + 1] - spans[2 * part] + 1, 0)
    return size


def _group(subject: bytes, spans: Spans, group: int) -> bytes:
    index = 2 * group
    if index >= len(spans) or not spans[index]:
        return b""
    return subject[spans[index] - 1 : spans[index + 1]]
