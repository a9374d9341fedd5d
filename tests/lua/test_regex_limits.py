"""What no pattern, subject or template may do: keep the server busy, or take its memory."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from support.site import one_route, open_site

from candy_trio.lua.api.regex import callbacks
from candy_trio.lua.regex.names import groups_by_name
from candy_trio.lua.regex.pcre import BadPattern, MatchError, Regex
from candy_trio.lua.regex.template import TemplateError, parse_template
from candy_trio.observe.log import Level

LONG = 60_000
"""Bytes of a pattern, near what is taken: time by the square of it is 10 s and more."""

SOON = 1.0


class _Log:
    def log(self, _level: Level, _message: str) -> None: ...


@pytest.fixture(autouse=True)
def _no_time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("candy_trio.lua.api.regex.perf_counter", lambda: 0.0)
    monkeypatch.setattr("candy_trio.lua.regex.budget.perf_counter", lambda: 0.0)


def _callbacks(match_limit: int = 0) -> dict[str, Callable[..., Any]]:
    log: Any = _Log()
    return callbacks(log, 16, match_limit)


def _compile(pattern: bytes, options: str = "") -> None:
    try:
        Regex(pattern, options, 0)
    except BadPattern:
        return


@pytest.mark.parametrize(
    "pattern",
    [
        b"[\\w-.]" * (LONG // 6),
        b"{1," + b" " * LONG,
        b"{1" + b" " * LONG,
        b"{1,1" + b" " * LONG,
        b"{,1" + b" " * LONG,
        b"(?#" + b"{1, " * (LONG // 4) + b")",
        b"(?x)a#" + b"(?#" * (LONG // 3),
        b"(?x)a#" + b"(*" * (LONG // 2),
        b"(?x)a#" + b"[" * LONG,
        b"\\Q" + b"[" * LONG + b"\\E",
        b"(?x)a#" + b"(?<" * (LONG // 3),
        b"(?R)" * (LONG // 4),
        b"\\g<0>" * (LONG // 5),
    ],
    ids=lambda pattern: repr(pattern[:9]),
)
@pytest.mark.parametrize("options", ["", "Dx"])
def test_compiling_takes_no_square_of_the_length(pattern: bytes, options: str) -> None:
    begun = time.process_time()
    _compile(pattern, options)
    assert time.process_time() - begun < SOON


@pytest.mark.parametrize("text", [b"(?#", b"(*", b"[", b"[\\", b"\\Q", b"[:a"])
@pytest.mark.parametrize("extended", [False, True])
def test_reading_names_takes_no_square_of_the_length(text: bytes, extended: bool) -> None:
    begun = time.process_time()
    groups_by_name(text * (LONG // len(text)) + b"\\", extended)
    assert time.process_time() - begun < SOON


def test_a_pattern_that_is_too_long_is_refused_in_pcres_words() -> None:
    with pytest.raises(BadPattern, match="regular expression is too large"):
        Regex(b"(?#" + b"x" * 100_000 + b")", "", 0)


def test_many_option_letters_are_read_at_once() -> None:
    begun = time.process_time()
    assert Regex(b"A", "j" * 20_000_000 + "i", 0).search(b"a", 0) == (1, 1)
    assert time.process_time() - begun < SOON


@pytest.mark.parametrize(
    "settings",
    [
        b"",
        b"(*LIMIT_MATCH=9000000)",
        b"(*UTF)(*LIMIT_MATCH=0000000009000000)(*NO_JIT)",
        b"(*UTF8)(*LIMIT_MATCH=9000000)",
    ],
)
def test_a_pattern_cannot_lift_the_match_limit(settings: bytes) -> None:
    """1,000 are not enough for 2 to the 12 ways, the 9 million of the pattern would be."""
    with pytest.raises(MatchError, match="-8"):
        Regex(settings + b"^(a+)+[bc]", "", 1000).search(b"a" * 18, 0)
    assert Regex(settings + b"^(a+)+[bc]", "", 0).search(b"a" * 18, 0) is None


def test_a_pattern_can_lower_the_match_limit() -> None:
    with pytest.raises(MatchError, match="-8"):
        Regex(b"(*LIMIT_MATCH=10)^(a+)+[bc]", "", 1_000_000).search(b"a" * 18, 0)


def test_place_of_an_error_behind_settings() -> None:
    """The server's limits stand behind them, and are not counted."""
    with pytest.raises(BadPattern) as caught:
        Regex(b"(*UCP)(*CRLF)ab(?z)c", "", 0)
    assert caught.value.args[0].endswith(b'in "(*UCP)(*CRLF)ab(?z)c" at "z)c"')


@pytest.mark.parametrize("settings", [b"", b"(*NO_JIT)", b"(*LIMIT_HEAP=20000000)(*NO_JIT)"])
def test_a_match_takes_a_bounded_heap(settings: bytes) -> None:
    """With thousands of groups each step back is 100 KB; PCRE2 itself would go to 20 GB."""
    regex = Regex(settings + b"^(?:(a)|b|c)*$" + b"()" * 4000, "", 10_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(MatchError, match="-21"):
        regex.search(b"abc" * 100_000, 0)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400 * 1024  # KB


def test_a_call_with_many_groups_makes_few_matches() -> None:
    calls = _callbacks()
    number, groups, _ = calls["re_compile"](b"x" + b"()" * 1000, b"")
    assert groups == 1000
    packed, position, _ = calls["re_matches"](number, b"x" * 100, 0, True, 64)
    assert len(packed) == 9 * 8 * 1001
    assert position == 9
    assert calls["re_template"](b"$1")
    assert calls["re_replace"](number, b"x" * 100, b"$1", 0, 0, 256)[3] == 9


def test_a_call_with_a_long_template_makes_few_matches() -> None:
    calls = _callbacks()
    number = calls["re_compile"](b"x", b"")[0]
    assert calls["re_template"](b"$0" * 4096)
    text, position, copied, done, error = calls["re_replace"](
        number, b"x" * 100, b"$0" * 4096, 0, 0, 256
    )
    assert (text, position, copied, done, error) == (b"x" * 8192, 2, 2, 2, None)


def test_a_call_that_checks_a_long_subject_each_time_makes_few_matches() -> None:
    calls = _callbacks()
    number = calls["re_compile"](b"(*NO_JIT)a", b"U")[0]
    assert calls["re_template"](b"b")
    long, short = b"a" * 4_000_000, b"a" * 1000
    assert len(calls["re_matches"](number, long, 0, True, 64)[0]) == 8 * 3
    assert calls["re_replace"](number, long, b"b", 0, 0, 256)[3] == 3
    assert len(calls["re_matches"](number, short, 0, True, 64)[0]) == 8 * 64
    assert calls["re_replace"](number, short, b"b", 0, 0, 256)[3] == 256


def test_a_call_begins_no_match_after_some_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each may take long within its match limit: a hundred of them would be seconds."""
    monkeypatch.setattr("candy_trio.lua.api.regex.perf_counter", count().__next__)
    calls = _callbacks()
    number = calls["re_compile"](b"b", b"")[0]
    assert calls["re_template"](b"x")
    assert len(calls["re_matches"](number, b"b" * 100, 0, True, 64)[0]) == 8
    assert calls["re_replace"](number, b"b" * 100, b"x", 0, 0, 256)[3] == 1


def test_a_call_stops_when_it_has_made_a_megabyte() -> None:
    calls = _callbacks()
    number = calls["re_compile"](b"x", b"")[0]
    replacement = b"y" * 400_000
    assert calls["re_template"](replacement)
    assert calls["re_replace"](number, b"x" * 100, replacement, 0, 0, 256)[3] == 3


def test_a_replacement_of_gigabytes_is_refused() -> None:
    """Before any of it is made."""
    calls = _callbacks()
    number = calls["re_compile"](b".*", b"s")[0]
    template = b"$0" * 4096
    assert calls["re_template"](template)
    answer = calls["re_replace"](number, b"x" * 10_000_000, template, 0, 0, 1)
    assert answer == (b"", None, 0, 1, -6)


def test_a_template_of_too_many_variables_is_none() -> None:
    assert len(parse_template(b"$1" * 4096)) == 4096
    with pytest.raises(TemplateError, match="more than 4096 variables"):
        parse_template(b"$1" * 4097)


async def test_long_patterns_leave_no_memory_behind(tmp_path: Path) -> None:
    """Neither in Lua nor in Python: a megabyte or two of 60 MB stays."""
    script = """
    collectgarbage("collect")
    local before = collectgarbage("count")
    for i = 1, 1000 do
      assert(ngx.re.match("a", "a(?#" .. i .. ("x"):rep(60000) .. ")", "", nil, {}))
    end
    collectgarbage("collect")
    cd.say(collectgarbage("count") - before < 4096)
    """
    config = "lua_sandbox = false\n" + one_route("lua54")
    async with open_site(tmp_path, config, {"t.lua": script}) as site:
        assert (await site.request()).text == "true\n"
