"""The pattern functions that scripts get, against the engine's own, and that no C call is long."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from time import thread_time
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from support.site import open_site

from engines import registry
from engines.base import PREEMPTED, Returned, Yielded

ENGINES = ("luajit", "lua51", "lua52", "lua53", "lua54", "lua55")

BUDGETS = (-1, 150, 4e6)
"""Nanoseconds of a native call: for the Lua matcher alone, for all ways mixed, for what ships."""

COMPARE = rb"""
local K = ...
local N, native = K.library.string, {}
for _, name in ipairs {'find', 'match', 'gmatch', 'gsub'} do native[name] = string[name] end
local gsub, rep, type = string.gsub, string.rep, type

local function shown(...)
  local t = {...}
  for i = 1, select('#', ...) do
    local value = t[i]
    t[i] = type(value) == 'string' and string.format('%q', value)
           or (math.type and math.type(value) or type(value)) .. ' ' .. tostring(value)
  end
  return table.concat(t, ', ')
end
local function iterate(gmatch, s, pattern, init)
  local lines, iterator = {}, gmatch(s, pattern, init)
  local function collect(...)
    if select('#', ...) == 0 or ... == nil then return false end
    lines[#lines + 1] = shown(...)
    return #lines < 300
  end
  while collect(iterator()) do end
  return table.concat(lines, ' | ')
end
local function joined(...)
  local t = {...}
  for i = 1, #t do t[i] = tostring(t[i]) end
  return '<' .. table.concat(t, ';') .. '>'
end
local function called(f, ...)
  local text = shown(pcall(f, ...))
  return (gsub(gsub(text, "to '[^']*'", 'to F'), '%[candy compare%]:%d+: ', ''))
end
local replacements = {
  joined,
  {a = 'A', b = 2, ab = true, [1] = 'one', [2] = false},
  setmetatable({}, {__index = function(_, key) return '[' .. tostring(key) .. ']' end}),
  function(x) return x == 'a' and {} or nil end,
}

-- The first difference of ours from the native functions; nothing if there is none.
return function(s, pattern, init, plain, replacement, n)
  local function differs(what, a, b)
    if a ~= b then return what .. ' gave\n  ' .. b .. '\nin the place of\n  ' .. a end
  end
  local function gsubs(with)
    return differs('gsub with ' .. tostring(with), called(native.gsub, s, pattern, with, n),
                   called(N.gsub, s, pattern, with, n))
  end
  local function both(name, ...)
    return differs(name, called(native[name], ...), called(N[name], ...))
  end
  local problem = both('find', s, pattern, init, plain)
    or both('match', s, pattern, init)
    or differs('gmatch', called(iterate, native.gmatch, s, pattern, init),
               called(iterate, N.gmatch, s, pattern, init))
    or gsubs(replacement)
  for _, with in ipairs(replacements) do problem = problem or gsubs(with) end
  return problem
end, K.limit_patterns
"""


@cache
def _comparers() -> dict[str, tuple[Any, Any]]:
    """Of each engine: the function that compares, and the one that sets the budget."""
    comparers = {}
    for engine in ENGINES:
        vm: Any = registry.load(engine).new_vm()
        comparers[engine] = vm.execute(COMPARE, "compare", vm.kernel)
    return comparers


def differences(
    *args: object, budgets: tuple[float, ...] = BUDGETS, width: int | None = None
) -> list[str]:
    """What differs, on which engine; with windows of this width, if it is said."""
    found = []
    for engine, (compare, limit) in _comparers().items():
        for budget in budgets:
            limit(budget, width and width / WIDEST)
            problem = compare(*args)
            if problem is not None:
                found.append(f"{engine}, budget {budget}: {problem.decode('latin-1')}")
    return found


ATOMS = [
    *(
        b"a",
        b"b",
        b"ab",
        b".",
        b"%a",
        b"%d",
        b"%s",
        b"%w",
        b"%S",
        b"%g",
        b"%z",
        b"%%",
        b"%.",
        b"%-",
    ),
    *(
        b"[ab]",
        b"[^a]",
        b"[a-b%d]",
        b"[]]",
        b"[^]a]",
        b"[a-]",
        b"[%a-z]",
        b"[%]]",
        b"[%W]",
        b"[b-a]",
    ),
    *(
        b"[%D%d]",
        b"[^%s%d]",
        b"[\xe0-\xff]",
        b"\xe9",
        b"\0",
        b"[\0a]",
        b"[^\0]",
        b"-",
        b"]",
        b"^",
        b"$",
    ),
]
ZERO_WIDTH = [
    *(
        b"%bab",
        b"%b()",
        b"%b\0a",
        b"%baa",
        b"%f[a]",
        b"%f[^%a]",
        b"%f[%z]",
        b"%1",
        b"%2",
        b"%0",
        b"()",
    ),
    *(b"(", b")", b"^", b"$", b"*", b"\0"),
]
MALFORMED = [
    b"[",
    b"[a",
    b"%",
    b"%b",
    b"%ba",
    b"%f",
    b"%fa",
    b"[%",
    b"[^",
    b"[a-",
    b"[]",
    b"%f[",
    b"[^]",
]

_suffixes = st.sampled_from([b"", b"", b"?", b"*", b"+", b"-"])
_singles = st.builds(bytes.__add__, st.sampled_from(ATOMS), _suffixes)
_items = st.one_of(_singles, _singles, st.sampled_from(ZERO_WIDTH))
_plain = st.lists(_items, max_size=4).map(b"".join)
_captures = _plain.map(lambda inner: b"(" + inner + b")")
_patterns = st.builds(
    lambda anchor, items, end: anchor + b"".join(items) + end,
    st.sampled_from([b"", b"", b"^"]),
    st.lists(st.one_of(_items, _items, _captures), max_size=6),
    st.one_of(st.sampled_from([b"", b"", b"", b"$"]), st.sampled_from(MALFORMED)),
)
_subjects = st.lists(
    st.sampled_from([b"a", b"a", b"b", b"ab", b"(", b")", b"1", b" ", b"\0", b"]", b"\xe9", b"-"]),
    max_size=10,
).map(b"".join)
_subjects = st.one_of(_subjects, _subjects, st.builds(bytes.__mul__, _subjects, st.integers(2, 3)))
_replacements = st.lists(
    st.sampled_from([b"x", b"%0", b"%1", b"%2", b"%%", b"%", b"%a", b"\0", b"-"]), max_size=3
).map(b"".join)


@settings(max_examples=2000, deadline=None)
@given(
    _subjects,
    _patterns,
    st.one_of(st.none(), st.integers(-4, 12)),
    st.booleans(),
    _replacements,
    st.one_of(st.none(), st.integers(-1, 3)),
)
def test_results_and_errors_are_those_of_the_engine(
    subject: bytes, pattern: bytes, init: int | None, plain: bool, replacement: bytes, n: int | None
) -> None:
    """All four functions give what the engine's own give, whichever way a search goes."""
    problems = differences(subject, pattern, init, plain, replacement, n)
    assert not problems, "\n".join(problems)


MOST_STEPS = 10**7
"""What a pattern may take in vain, about: a matcher in Lua takes minutes for more."""

WIDEST = 16384
"""Bytes of the widest window that there is."""

_units = st.sampled_from([b"a", b"b", b"=", b" ", b"\0"])
_long_subjects = st.lists(_units, min_size=2, max_size=3).flatmap(
    lambda units: st.lists(
        st.one_of(
            st.sampled_from(units),
            st.sampled_from(units),
            st.builds(bytes.__mul__, st.sampled_from(units), st.integers(2, 25)),
        ),
        min_size=6,
        max_size=25,
    ).map(b"".join)
)
_sets = st.sampled_from(
    [
        *(b"a", b"b", b"=", b" ", b".", b"%a", b"%s", b"%S", b"%W", b"%z"),
        *(b"[ab]", b"[a=]", b"[^a]", b"[^=]", b"[^ab]", b"[^%z]"),
    ]
)
_parts = st.builds(bytes.__add__, _sets, st.sampled_from([b"", b"", b"?", b"*", b"+", b"+", b"-"]))
_parts = st.one_of(
    *(_parts,) * 5,
    st.sampled_from([b"ab", b"a=", b"()", b"%f[%a]", b"%f[ a=]", b"%f[^%w]", b".-", b".*", b"%1"]),
)
_sequences = st.lists(_parts, min_size=1, max_size=3).map(b"".join)
_ordinary_patterns = st.builds(
    lambda start, parts, end: start + b"".join(parts) + end,
    st.sampled_from([b"", b"", b"", b"", b"^", b"^%s*"]),
    st.lists(
        st.one_of(_sequences, _sequences.map(lambda inner: b"(" + inner + b")")),
        min_size=1,
        max_size=2,
    ),
    st.sampled_from([b""] * 6 + [b"$", b"(.*)", b"(.-)%s*$", b".-()[ab]*$", b"(.-)=", b".+"]),
)


@settings(
    max_examples=600,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
@given(
    _long_subjects,
    _ordinary_patterns,
    st.one_of(st.none(), st.none(), st.none(), st.integers(1, 60)),
    st.sampled_from([b"", b"<%0>", b"%1%1"]),
    st.one_of(st.none(), st.none(), st.none(), st.integers(0, 9)),
    st.sampled_from([-1, -1, 400, 2000]),
    st.integers(2, 40),
)
def test_long_subjects_are_cut_where_nobody_sees_it(
    subject: bytes,
    pattern: bytes,
    init: int | None,
    replacement: bytes,
    n: int | None,
    budget: float,
    width: int,
) -> None:
    """Windows and pieces that are shorter than what matches, or just as long, change nothing."""
    repeated = sum(map(pattern.count, (b"*", b"+", b"-")))
    assume(len(subject) ** (repeated + 1) <= MOST_STEPS)
    arguments = (subject, pattern, init, False, replacement, n)
    problems = differences(*arguments, budgets=(budget,), width=width)
    assert not problems, "\n".join(problems)


CUT = {
    # name: subject, pattern
    "a barrier that is passed": (b"11;2 1;1;2;11;2 ;1", b"%d+;%d"),
    "two barriers that are passed": (b"a=b;c=d;;a=;b=c;=d;a=b", b"%a+=%a+;"),
    "a first item that is repeated": (b"aaab aab b aaaaaab", b"a*b"),
    "a last item that is repeated": (b"aabbb aab abb aaabbbbb", b"aa+b*"),
    "all items are repeated": (b"aabbcc abc bbcc aacc", b"a*b*c*"),
    "pairs": (b"aaaaa aaaaaaa aaaa", b"aa"),
    "no repeated item": (b"abaababaabab", b"a.?b"),
    "a lazy item before the last byte": (b"<aa><b<c>>d><<>", b"<(.-)>"),
    "a lazy item before a set": (b"aa;b,,cc;,d", b"(.-)[,;]"),
    "a lazy item before two bytes": (b"{{a}}b{{c}d}}{{{e}}}}", b"{{(.-)}}"),
    "lazy items before single bytes": (b"a,b,c;d,e;f,,g;,,;;", b"(.-),(.-),(.-);"),
    "a lazy item before one that may be left out": (b"a\r\nb\nc\r\rd\n", b"(.-)\r?\n"),
    "quotes": (b'a"b"c""d"e"f', b'"[^"]*"'),
    "positions": (b"a bb  ccc dddd", b"()%a+()"),
    "a frontier": (b"aa bb  a=b =a", b"%f[%a]%a+%f[%A]"),
    "a frontier behind a barrier": (b"abb cbb abbb cb", b"%f[ab]b+"),
    "a frontier of spaces": (b"aa  bb   a  ", b"%f[ ] +"),
    "the end": (b"a  b   c    ", b"%s+$"),
    "the end, in vain": (b"a  b   c    d", b"%s+$"),
    "a trim": (b"    a  b   c    ", b"^%s*(.-)%s*$"),
    "a trim of nothing but spaces": (b"             ", b"^%s*(.-)%s*$"),
    "a trim without an anchor": (b"  a  b   c    ", b"()%s*(.-)()%s*()$"),
    "the first line": (b"aaaa\nbbb\ncc", b"^(.-)\n(.*)$"),
    "the rest": (b"key = value = more", b"(%a+)%s*=%s*(.+)"),
    "an empty match": (b"a,bb,,ccc,", b"([^,]*),?"),
}


@pytest.mark.parametrize("name", CUT)
def test_cuts_are_where_nothing_reaches(name: str) -> None:
    """The same with windows of every width, from those without a fence to those with many."""
    subject, pattern = CUT[name]
    problems = [
        problem
        for width in range(1, 24)
        for problem in differences(
            *(subject * 3, pattern, None, False, b"<%0>", None), budgets=(-1,), width=width
        )
    ]
    assert not problems, "\n".join(problems)


EDGES: dict[str, tuple[object, ...]] = {
    # name: subject, pattern, init, plain, replacement, n
    "an empty match behind one that is not": (b"abc d", b"%a*", None, False, b"<%0>", None),
    "an empty pattern": (b"abc", b"", None, False, b"-", None),
    "gmatch's ^ is no anchor": (b"^a^a", b"^a", None, False, b"x", None),
    "gmatch's ^ with a suffix": (b"^^^a", b"^*a", None, False, b"x", None),
    "init beyond the end": (b"abc", b"", 10, False, b"", None),
    "init just behind the end": (b"abc", b"", 4, False, b"", None),
    "init before the start": (b"abc", b"a", -10, False, b"", None),
    "init that is no whole number": (b"abc", b"%a", 2.5, False, b"x", 1.5),
    "init that is a float": (b"abc", b"()%a", 2.0, False, b"%1", 2.0),
    "init that is text": (b"abc", b"%a", b"2", False, b"x", b"2"),
    "init that is no number": (b"abc", b"%a", b"two", False, b"x", None),
    "init that is huge": (b"abc", b"%a", 1e300, False, b"x", None),
    "init that is not a number": (b"abc", b"%a", float("nan"), False, b"x", None),
    "n that is huge": (b"abc", b"%a", None, False, b"x", 1e15),
    "n that is negative": (b"abc", b"%a", None, False, b"x", -1),
    "n that is no number": (b"abc", b"%a", None, False, b"x", b"x"),
    "numbers for text": (121, 1, None, False, 3, None),
    "a float for text": (1.5, b"%.", None, False, 2.5, None),
    "a subject that is no text": (True, b"a", None, False, b"x", None),
    "a pattern that is no text": (b"a", True, None, False, b"x", None),
    "a replacement that is none": (b"a", b"a", None, False, True, None),
    "no replacement": (b"a", b"a", None, False, None, None),
    "\\0 in plain text": (b"a\0b.c", b"\0b", None, False, b"x", None),
    "\\0 before what is special": (b"a\0b.c", b"a\0.", None, False, b"x", None),
    "plain text that is special": (b"a.b", b".", 2, True, b"x", None),
    "32 captures": (b"a" * 40, b"(a)" * 32, None, False, b"%9", None),
    "33 captures": (b"a" * 40, b"()" * 33, None, False, b"%9", None),
    "199 levels": (b"a" * 300, b"a?" * 199, None, False, b"x", None),
    "200 levels": (b"a" * 300, b"a?" * 200, None, False, b"x", None),
    "200 levels that are left out": (b"b", b"a*" * 200, None, False, b"x", None),
    "200 levels of captures and hyphens": (
        *(b"a", b"()" * 30 + b"a-" * 170, None, False, b"x", None),
    ),
    "200 levels of +": (b"ab" * 100, b"a+b+" * 100, None, False, b"x", None),
    "a long run": (b"a" * 100 + b"b", b"()(a*)b", None, False, b"%1", None),
    "a long run of a set": (b"-_" * 100 + b"!", b"[%-_]+!", None, False, b"", None),
    "a long literal": (b"xy" * 200 + b"z", b"y" + b"xy" * 50 + b"z", None, False, b"", None),
    "a literal longer than one item": (b"x" * 5000, b"()" + b"x" * 4900, None, False, b"", None),
    "a literal that ends in a suffix": (b"abcc", b"()abc+", None, False, b"", None),
    "escapes in a literal": (b"a.b%c", b"()a%.b%%c", None, False, b"%%", None),
    "a set of all bytes": (bytes(range(256)), b"[%z\1-\xff]+", None, False, b"", None),
    "a frontier at both ends": (b"THE (quick) fox", b"%f[%a]%a+%f[%A]", None, False, b"<%0>", None),
    "a frontier before init": (b"aab", b"%f[a]a", 2, False, b"x", None),
    "a reference to a position": (b"aa", b"()a%1", None, False, b"x", None),
    "a reference to an empty capture": (b"ab", b"(c*)%1b", None, False, b"x", None),
    "a capture that is not closed": (b"ab", b"(a", None, False, b"x", None),
    "a capture that is not closed, named": (b"ab", b"(a(b)", None, False, b"%2%1", None),
    "an error that is never reached": (b"ab", b"x[", None, False, b"x", None),
    "many matches": (b"ab" * 3000, b"a", None, False, b"%0%0", None),
    "a large replacement": (b"a" * 300, b"%a", None, False, b"b" * 5000, None),
}


@pytest.mark.parametrize("name", EDGES)
def test_edges_are_those_of_the_engine(name: str) -> None:
    """The same comparison, of what random input meets too seldom."""
    problems = differences(*EDGES[name])
    assert not problems, "\n".join(problems)


LONG = {
    "a run over several windows": (b"a" * 200_000 + b"b", b"()a*b", b""),
    "a run that ends with a window": (b"a" * 65_536 + b"bc", b"^a*bc", b"x"),
    "a match that crosses windows": (b"a" * 65_535 + b"bcd" + b"a" * 70_000, b"b%ad", b"x"),
    "a literal that crosses windows": (b"a" * 65_530 + b"needle" * 3, b"eneedle()", b"x"),
    "a set far away": (b"a" * 300_000 + b"7", b"[%d][%d]?", b"x"),
    "everything": (b"a\n" * 100_000, b".*", b"<%0>"),
    "nothing": (b"a" * 300_000, b"%d", b"x"),
}


@pytest.mark.parametrize("name", LONG)
def test_long_subjects_give_what_they_gave(name: str) -> None:
    """Searches in several windows end like one that is not cut."""
    subject, pattern, replacement = LONG[name]
    arguments = (subject, pattern, None, False, replacement, None)
    problems = differences(*arguments, budgets=(1e5, 4e6))
    assert not problems, "\n".join(problems)


NEEDLES = {
    "in the middle": (b"ab" * 100_000 + b"needle" + b"ab" * 50_000, b"needle", None),
    "nowhere": (b"ab" * 300_000, b"abb", None),
    "long": (b"x" + b"ab" * 150_000 + b"c" * 90 + b"ab", b"ab" * 1000 + b"c" * 90, 3),
    "all but its last byte everywhere": (b"a" * 400_000, b"a" * 100_000 + b"b", None),
    "at the end, all but one byte everywhere": (b"a" * 400_000 + b"b", b"a" * 100_000 + b"b", None),
    "longer than the text": (b"a" * 300_000, b"a" * 300_001, None),
    "the text itself": (b"ab" * 150_000, b"ab" * 150_000, None),
    "empty, behind the end": (b"ab" * 150_000, b"", 300_001),
    "with what is special": (b"ab" * 200_000 + b"[.]*" * 20, b"[.]*" * 20, None),
}
FIND = b"""
local K = ...
local find = K.library.string.find
return function(s, needle, init) return find(s, needle, init, true) end
"""


@pytest.mark.parametrize("name", NEEDLES)
@pytest.mark.parametrize("engine", ENGINES)
def test_plain_text_is_found_where_it_is(engine: str, name: str) -> None:
    """Python's own search says where."""
    text, needle, init = NEEDLES[name]
    vm: Any = registry.load(engine).new_vm()
    first = text.find(needle, (init or 1) - 1)
    expected = None if first < 0 else (first + 1, first + len(needle))
    found = vm.execute(FIND, "find", vm.kernel)(text, needle, init)
    assert (None if found in (None, (None, None)) else found) == expected


# ---------------------------------------------------------------------- errors as scripts see them
ERRORS = """
local function at(f, ...) return select(2, pcall(f, ...)) end
cd.say(at(function() string.find('a', '[') end))
cd.say(at(function() local _ = ('a'):match('%') end))
cd.say(at(function() string.find('a', {}) end))
cd.say(at(function() local _ = ('a'):find({}) end))
cd.say(at(function() local _ = ('a'):find('a', {}) end))
cd.say(at(function() string.gsub('a', 'a', '%9') end))
cd.say(at(function() string.gsub('a', 'a', function() return {} end) end))
cd.say(at(function() string.gsub('a', 'a', function() error('mine') end) end))
cd.say(at(function() local _ = ('a'):gsub('a', true) end))
cd.say(at(function() for _ in string.gmatch('a', '(') do end end))
cd.say(at(function() for _ in string.gmatch({}, '(') do end end))
cd.say(at(string.find, 'a', '['))
"""
SAID = [
    r"1.lua:3: malformed pattern \(missing ']'\)",
    r"1.lua:4: malformed pattern \(ends with '%'\)",
    r"1.lua:5: bad argument #2 to 'find' \(string expected, got table\)",
    r"1.lua:6: bad argument #1 to 'find' \(string expected, got table\)",
    r"1.lua:7: bad argument #2 to 'find' \(number expected, got table\)",
    r"1.lua:8: invalid capture index.*",
    r"1.lua:9: invalid replacement value \(a table\)",
    r"1.lua:10: mine",
    r"1.lua:11: bad argument #2 to 'gsub' \(string/function/table expected.*\)",
    r"1.lua:12: unfinished capture",
    r"1.lua:13: bad argument #1 to 'gmatch' \(string expected, got table\)",
    r"malformed pattern \(missing ']'\)",
]


@pytest.mark.parametrize("engine", ENGINES)
async def test_errors_name_the_line_of_the_script(tmp_path: Path, engine: str) -> None:
    """As those of the native functions do, and none of ours."""
    config = (
        f'lua_engine = "{engine}"\n[[host]]\nport = 8080\n'
        '[[host.route]]\nlocation = "/"\nlua_script = "1.lua"\n'
    )
    async with open_site(tmp_path, config, {"1.lua": ERRORS}) as site:
        lines = (await site.request("/")).text.splitlines()
    assert len(lines) == len(SAID)
    for line, pattern in zip(lines, SAID, strict=True):
        assert re.fullmatch(pattern, line), line


# ---------------------------------------------------------------------- interruption
CPU_SECONDS = 0.03
"""Of one search that would take for ever, before it is given up."""

LONGEST = 0.025
"""CPU seconds of a step: a slice of 5 ms, and the 20 ms that one C call may take at most."""

ENDLESS = {
    "a lazy item": ("('a'):rep(200000)", ".-b"),
    "lazy items": ("('a'):rep(3000)", ".-.-.-b"),
    "greedy items": ("('a'):rep(600)", "a*a*a*a*a*a*b"),
    "a reference": ("('a'):rep(200000)", "(.-)%1b"),
    "balanced brackets": ("('('):rep(2000000)", "%b()"),
    "a set": ("('x'):rep(200000)", "[^y]-y"),
    "a reference in a loop": ("('a'):rep(20000)", "(a*)b?%1%1c"),
    "optional items": ("('a'):rep(60)", "a?" * 60 + "b"),
    "optional items beyond 64 bits": ("('a'):rep(80)", "a?" * 70 + "b"),
    "a huge set": ("('a'):rep(200000)", "[" + "bc%d" * 200 + "]"),
    "a huge set in a loop": ("('a'):rep(20000)", "[^" + "bc%d" * 200 + "]*d"),
    "everything": ("('a'):rep(8000000)", ".*b"),
    "a run without a barrier": ("('a'):rep(1000000)", "(%w+)=(%w+)"),
    "barriers far apart": ("(('a'):rep(60000) .. ' '):rep(20)", "%w+="),
    "barriers at the width of a window": ("(('a'):rep(16000) .. ' '):rep(80)", "(%w+)%s*=+"),
    "sets of many parts": ("('a,.;-+_x'):rep(100000)", "[ab,.;+_c-]+%d*[^%s,.a]*="),
    "quotes": ("('\"'):rep(2000000)", '"[^"]*"x'),
    "spaces": ("(' '):rep(3000000)", "^%s*(.-)%s*$"),
    "spaces, and the end": ("((' '):rep(30000) .. 'x'):rep(60)", "%s+$"),
    "opening braces": ("('{'):rep(2000000)", "{{(.-)}}"),
    "closing braces far away": ("(('{{'):rep(30000) .. '}}'):rep(30)", "{{(.-)}}"),
    "matches everywhere": ("('a'):rep(2000000)", "a"),
    "a long needle": ("('a'):rep(4000000)", "a" * 65_000 + "b"),
}
USES = {
    "find": "return find(s, pattern)",
    "match": "return match(s, pattern)",
    "gmatch": "for _ in gmatch(s, pattern) do end",
    "gsub": "return gsub(s, pattern, '')",
    "gsub with a function": "return gsub(s, pattern, function() end)",
}
HEAD = """
local K = ...
local N = K.library.string
local find, match, gmatch, gsub = N.find, N.match, N.gmatch, N.gsub
"""
SLICED = ("luajit", "lua53", "lua54", "lua55")


@pytest.mark.parametrize("engine", SLICED)
@pytest.mark.parametrize("name", ENDLESS)
def test_what_would_take_for_ever_is_interrupted(engine: str, name: str) -> None:
    """Of all functions: no step is longer than its slice and one C call."""
    vm: Any = registry.load(engine).new_vm(time_slice=0.005)
    subject, pattern = ENDLESS[name]
    head = f"{HEAD}local s, pattern = {subject}, [==[{pattern}]==]\nreturn function() "
    interruptions = 0
    for run, use in enumerate(USES.values()):
        # Without its answer, which the runs of "everything" do end with.
        body = f"{head}local function f() {use} end f() end"
        function, spent = vm.execute(body.encode(), "t", vm.kernel), 0.0
        started = thread_time()
        answer = vm.start(run, function)
        while True:
            seconds = thread_time() - started
            assert seconds < LONGEST, use
            spent += seconds
            if answer != PREEMPTED or spent > CPU_SECONDS:
                break
            interruptions += 1
            started = thread_time()
            answer = vm.resume(run)
        if answer == PREEMPTED:
            vm.drop(run)
        else:
            assert isinstance(answer, Returned), answer
    assert interruptions > 0
    vm.close()


CALLBACK = (
    HEAD
    + """
return function()
  local log = {}
  local text, count = gsub('a b c', '%a', function(letter)
    log[#log + 1] = K.wait('op', letter)
    return letter .. letter
  end)
  return text, count, table.concat(log, ',')
end
"""
)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_callback_of_gsub_can_wait(engine: str) -> None:
    """It is called by Lua, not from C."""
    vm: Any = registry.load(engine).new_vm()
    answer = vm.start(1, vm.execute(CALLBACK.encode(), "t", vm.kernel))
    for number, letter in enumerate((b"a", b"b", b"c")):
        assert answer == Yielded(b"op", (letter,))
        answer = vm.resume(1, number)
    assert answer == Returned((b"aa bb cc", 3, b"0,1,2"))


COMPUTING = (
    HEAD
    + """
return function()
  return gsub('ab', '%a', function()
    local x = 0
    for i = 1, 3e6 do x = x + i % 7 end
    return x
  end)
end
"""
)


@pytest.mark.parametrize("engine", SLICED)
def test_a_callback_of_gsub_is_interrupted(engine: str) -> None:
    """And goes on to the right result."""
    vm: Any = registry.load(engine).new_vm(time_slice=0.002)
    answer, interruptions = vm.start(1, vm.execute(COMPUTING.encode(), "t", vm.kernel)), 0
    while answer == PREEMPTED:
        interruptions += 1
        answer = vm.resume(1)
    assert interruptions >= 2
    assert isinstance(answer, Returned)
    text = b"".join(answer.values[:1])
    assert text[: len(text) // 2] == text[len(text) // 2 :]
    assert answer.values[1] == 2


# ---------------------------------------------------------------------- which way a search goes
JUDGE = b"""
local K = ...
return function(pattern, size)
  local is_anchored = string.sub(pattern, 1, 1) == '^'
  local program, kind = K.items.new(is_anchored and string.sub(pattern, 2) or pattern)
  repeat kind = K.items.read(program) until kind == K.items.DONE or kind == K.items.ERROR
  local judgement = K.cost.judge(program, is_anchored)
  if not judgement then return nil end
  return K.cost.search_fits(judgement, size), K.cost.gsub_fits(judgement, size)
end
"""
QUICK = {
    "%d+": 4000,
    '"[^"]*"': 20_000,
    "[<>&]": 20_000,
    "(%w+)=(%w*)": 500,
    "^%s*(.-)%s*$": 500,
    "^(%w+)%s*=%s*(%w+)$": 20_000,
    "[^,]*": 20_000,
    "%s+$": 500,
    "hello": 20_000,
}
"""Ordinary patterns, and subjects that stay the native functions' work."""


@pytest.mark.parametrize("pattern", QUICK)
def test_ordinary_calls_are_native(pattern: str) -> None:
    """The judge is not so careful that everyday patterns would be slow."""
    vm: Any = registry.load("lua54").new_vm()
    judge = vm.execute(JUDGE, "judge", vm.kernel)
    assert judge(pattern.encode(), QUICK[pattern]) == (True, True)


SLOW = [".-b", ".-.-.-b", "a*a*a*a*a*a*b", "(.-)%1", "%b()", "[^x]-x", "%w+=", "(a*)%1%1b"]


@pytest.mark.parametrize("pattern", SLOW)
def test_patterns_that_can_be_slow_are_not(pattern: str) -> None:
    """The native functions do not get them with a subject that is long enough for it."""
    vm: Any = registry.load("lua54").new_vm()
    judge = vm.execute(JUDGE, "judge", vm.kernel)
    assert judge(pattern.encode(), 20_000) == (False, False)
