"""ngx.re.match and its like on every engine, against a bare search of pcre2 from Python.

    pip install -e '.[bench]'; python -m pytest benchmarks/test_regex.py

Prints, for each engine, how many times a bare ``pcre2`` search one call from Lua takes: both are
measured in turn, and the ratio is that of the medians.
"""

from __future__ import annotations

from typing import Any

import pcre2
import pytest

from benchmarks.engines import ENGINES, LuaBenchmark, report

SUBJECT = "hello, 1234 and a longer tail of words behind it"
PATTERN = r"([a-z]+), (\d+)"

SCRIPTS = {
    "match": f'ngx.re.match(subject, [[{PATTERN}]], "jo")',
    "match, no group": r'ngx.re.match(subject, [[\d+]], "jo")',
    "find": r'ngx.re.find(subject, [[\d+]], "jo")',
    "sub": r'ngx.re.sub(subject, [[\d+]], "<$0>", "jo")',
    "gsub, 9 matches": r'ngx.re.gsub(subject, [[\w+]], "<$0>", "jo")',
}
MATCH_BOUND = 2.5
"""How many bare searches a match may take on LuaJIT."""

PATTERNS = {"match": PATTERN}
"""Of the bare search, where it is not the one below."""


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("engine", ENGINES)
def test_regex(benchmark: Any, engine: str, name: str) -> None:
    """One call of the function, beside one bare search; a match within its bound."""
    search = pcre2.compile(PATTERNS.get(name, r"\d+").encode()).search
    subject = SUBJECT.encode()

    def searches(count: int) -> None:
        for _ in range(count):
            search(subject)

    with LuaBenchmark(engine, f"local subject = [[{SUBJECT}]]", SCRIPTS[name]) as lua:
        ratio = report(benchmark, f"{name}, {engine}", lua, "a pcre2 search", searches)
    if engine == "luajit" and name.startswith("match"):
        assert ratio <= MATCH_BOUND
