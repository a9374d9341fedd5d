"""What ``cd.re`` stands on: the pattern cache, the limits, the names of groups, and ``pcre2``."""

from __future__ import annotations

import re
from pathlib import Path

import pcre2
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from pcre2 import _cy
from support.site import ENGINES, one_route, open_site

from candy_trio.lua.regex.cache import MAX_TEXT, RegexCache
from candy_trio.lua.regex.names import groups_by_name
from candy_trio.lua.regex.pcre import BadPattern, MatchError, Regex
from candy_trio.lua.regex.template import TemplateError, parse_template


# ---------------------------------------------------------------------- pcre2
def test_options_of_pcre2_are_where_they_are_expected() -> None:
    """The numbers in pcre.py are those of the library: each does what its letter promises."""
    assert pcre2.IGNORECASE == 0x08
    assert pcre2.DOTALL == 0x20
    assert pcre2.VERBOSE == 0x80
    assert pcre2.MULTILINE == 0x400
    assert pcre2.UNICODE == 0x80000
    assert _cy.CompileOption.UCP == 0x20000
    assert _cy.MatchOption.ANCHORED == 0x80000000
    assert Regex(rb"\x{41}", "", 0).search(b"A", 0) == (1, 1)  # no ALT_BSUX
    assert Regex(rb"\w", "u", 0).search("é".encode(), 0) is None  # no UCP
    assert Regex(b".", "U", 0).search(b"\xffa", 0) == (2, 2)  # MATCH_INVALID_UTF


def test_subject_is_checked_once_and_a_wrong_place_in_it_is_still_found() -> None:
    """After a first match the UTF-8 check is skipped; the place alone is looked at."""
    regex = Regex(b"x*", "u", 0)
    subject = "aé".encode()
    assert regex.search(subject, 0) == (1, 0)
    assert regex.search(subject, 1, checked=True) == (2, 1)
    with pytest.raises(MatchError, match="-11"):
        regex.search(subject, 2, checked=True)
    assert regex.search(subject, 3, checked=True) == (4, 3)


def test_too_deep_for_the_stack_of_compiled_code_goes_to_the_interpreter() -> None:
    """A long subject with a group that repeats is matched, not refused with error -27."""
    subject = b"ab" * 20_000
    assert Regex(b"^(?:a|b|c)*$", "jo", 10_000_000).search(subject, 0) == (1, len(subject))


@pytest.mark.parametrize(
    ("pattern", "subject", "end"),
    [(rb"[\w-.]+", b"a-.", 3), (b"[[:alpha:]-9]+", b"a-9", 3), (b"a{,3}", b"a{,3}", 5)],
)
def test_patterns_mean_what_pcre_8_makes_of_them(pattern: bytes, subject: bytes, end: int) -> None:
    """A hyphen after a class, a brace without a lower bound."""
    assert Regex(pattern, "", 0).search(subject, 0) == (1, end)
    with pytest.raises(pcre2.PatternError):
        pcre2.compile(rb"[\w-.]+")  # why pcre.py mends it


def test_place_of_an_error_does_not_count_the_prefix() -> None:
    """A match limit is written in front of the pattern, which no message shows."""
    with pytest.raises(BadPattern) as limited:
        Regex(b"ab)c", "", 1000)
    assert (
        limited.value.args[0] == b'pcre_compile() failed: unmatched parentheses in "ab)c" at ")c"'
    )


# ---------------------------------------------------------------------- names
GROUPS = st.recursive(
    st.sampled_from(
        ["a", ".", r"\(", "[()]", "[]()]", r"\Q(\E", "(?#()", "b", r"[^\](]", "(*COMMIT)"]
    ),
    lambda inner: st.builds(
        lambda start, parts, bar: start + bar.join(parts) + ")",
        st.sampled_from(["(", "(?:", "(?<n>", "(?'m'", "(?P<k>", "(?=", "(?|", "(?>"]),
        st.lists(inner, min_size=1, max_size=3),
        st.sampled_from(["", "|"]),
    ),
    max_leaves=8,
)


@given(st.lists(GROUPS, max_size=4).map("".join))
def test_groups_are_counted_as_pcre2_counts_them(pattern: str) -> None:
    """So that the lists of option D hold the right groups."""
    try:
        code = _cy.compile(pattern.encode(), 0x40, 2)
    except pcre2.PatternError:
        return  # different names for one number, say
    count, names = groups_by_name(pattern.encode(), extended=False)
    assert count == _cy.pattern_capture_count(code)
    known = _cy.pattern_name_dict(code)
    assert names.keys() == known.keys()
    for name, number in known.items():
        assert number in names[name]


# ---------------------------------------------------------------------- templates
@given(st.text("$10{}ab_ ", max_size=12))
def test_template_loses_no_text(text: str) -> None:
    """Put together again from its parts, a template is itself, but for its spellings of groups."""
    try:
        parts = parse_template(text.encode())
    except TemplateError:
        assert "$" in text
        return
    plain = b"".join(part if isinstance(part, bytes) else b"$%d" % part for part in parts)
    spelt = re.sub(r"\$\$|\$\{?(\d+)\}?", lambda m: f"${int(m[1])}" if m[1] else "$", text)
    if "{" not in text and "}" not in text:
        assert plain.decode() == spelt


async def test_log_says_what_is_wrong_with_a_template(tmp_path: Path) -> None:
    """The script gets one sentence for all mistakes, the error log nginx's own for each."""
    script = 'cd.re.sub("a", "a", "$x") cd.re.sub("a", "a", "${1") cd.re.sub("a", "a", "b$")'
    async with open_site(tmp_path, one_route("lua54"), {"t.lua": script}) as site:
        await site.request()
        log = site.log()
    assert 'attempt to use named capturing variable "x" (named captures not supported yet)' in log
    assert 'the closing bracket in "1" variable is missing' in log
    assert 'lua script: invalid capturing variable name found in "b$"' in log


# ---------------------------------------------------------------------- the cache
def test_cache_keeps_what_is_used() -> None:
    """What has been used since its last turn stays; the oldest of the others goes."""
    cache = RegexCache(max_entries=3, match_limit=0)
    first = [cache.number(pattern, b"") for pattern in (b"a", b"b", b"c")]
    cache.number(b"d", b"")  # everything counts as used at first: the oldest goes
    assert [cache.get(number) is not None for number in first] == [False, True, True]
    cache = RegexCache(max_entries=3, match_limit=0)
    first = [cache.number(pattern, b"") for pattern in (b"a", b"b", b"c")]
    cache.number(b"d", b"")
    assert cache.get(first[1]) is not None
    cache.number(b"e", b"")
    assert cache.get(first[1]) is not None
    assert cache.get(first[2]) is None


def test_cache_is_bounded_by_the_text_of_the_patterns() -> None:
    """Patterns of 50 KB are kept twenty at a time, not a thousand."""
    cache = RegexCache(max_entries=1000, match_limit=0)
    numbers = [cache.number(b"[%d]" % n + b"(?#" + b"x" * 50_000 + b")", b"") for n in range(30)]
    kept = sum(cache.get(number) is not None for number in numbers)
    assert kept == MAX_TEXT // 50_100


@pytest.mark.parametrize("engine", ENGINES)
async def test_forgotten_patterns_are_compiled_again(engine: str, tmp_path: Path) -> None:
    """With room for one pattern, every function still works, iterators that stand open too."""
    script = """
    local it = cd.re.gmatch(("k=v "):rep(10), "k")
    local out = {}
    for i = 1, 10 do
      out[#out + 1] = it()[0] .. cd.re.match("x" .. i, "\\\\d+")[0] .. cd.re.find("ab", "b")
      local function q() return cd.re.match("q", "q")[0] end
      out[#out + 1] = cd.re.sub("abc", "b", "<$0>") .. cd.re.gsub("aa", "a", q)
    end
    cd.say(table.concat(out, " "), it() == nil)
    """
    config = "lua_regex_cache_max_entries = 1\n" + one_route(engine)
    async with open_site(tmp_path, config, {"t.lua": script}) as site:
        reply = await site.request()
    assert reply.text == " ".join(f"k{n}2 a<b>cqq" for n in range(1, 11)) + "true\n", site.log()


# ---------------------------------------------------------------------- limits
async def test_match_limit_of_the_configuration(tmp_path: Path) -> None:
    """A pattern that tries too much gives up with OpenResty's error instead of running on."""
    script = """
    local subject = ("a"):rep(30) .. "!"
    cd.say(cd.re.match(subject, "(a|aa)+$"))
    cd.say(cd.re.match(subject, "a+!")[0])
    """
    config = "lua_regex_match_limit = 1000\n" + one_route("luajit")
    async with open_site(tmp_path, config, {"t.lua": script}) as site:
        reply = await site.request()
    assert reply.text == "nilpcre_exec() failed: -8\n" + "a" * 30 + "!\n"


async def test_nothing_of_a_request_is_left_in_the_matcher(tmp_path: Path) -> None:
    """Two requests whose callbacks wait in the middle of a gsub do not mix their texts."""
    script = """
    local name = cd.req.get_uri_args().name
    local function slow(m) cd.sleep(0.01) return "<" .. m[0] .. ">" end
    cd.print(cd.re.gsub(name .. "1 " .. name .. "2", "\\\\w+", slow))
    """
    async with open_site(tmp_path, one_route("luajit"), {"t.lua": script}) as site:
        replies = {}

        async def ask(name: str) -> None:
            replies[name] = (await site.request(f"/?name={name}")).text

        async with trio.open_nursery() as nursery:
            for name in ("a", "b", "c"):
                nursery.start_soon(ask, name)
    assert replies == {name: f"<{name}1> <{name}2>2" for name in ("a", "b", "c")}


@pytest.mark.parametrize("engine", ENGINES)
async def test_positions_that_are_none(engine: str, tmp_path: Path) -> None:
    """No number gets as far as Python that is no place: it would be the server's own failure."""
    script = """
    local split = require("ngx.re").split
    for _, pos in ipairs {0/0, 1/0, -1/0, 2^64, 1e300, -1e300, 0.5, -0.5, 2^31, 2^53} do
      local m, err = ngx.re.match("aaa", "a", "", {pos = pos})
      local from, _, problem = ngx.re.find("aaa", "a", "u", {pos = pos})
      cd.say(m and m[0] or err, " ", from or problem, " ", type(split("a,b", ",", "", {pos = pos})))
    end
    """
    async with open_site(tmp_path, one_route(engine), {"t.lua": script}) as site:
        lines = (await site.request()).text.splitlines()
        assert len(lines) == 10
        assert set(lines) == {
            "a 1 table", "pcre_exec() failed: -24 pcre_exec() failed: -24 table",
        }  # fmt: skip
        assert "Traceback" not in site.log()
