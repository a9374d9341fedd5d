"""find, match, gmatch and gsub as scripts get them, against the engine's own, on every engine.

    pip install '.[bench]'; python -m pytest benchmarks/test_patterns.py

Prints, for each engine, how many times the native function's time one call takes: both run in
the same VM, in turn, and the ratio is that of the least times. "by the Lua matcher" is what the
same call would take if it were not the native function's work.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any

import pytest

from benchmarks.engines import ENGINES, RATIOS
from engines import registry

CALLS = 2000
ROUNDS = 11

CASES = {
    "find, plain": "f('hello, 1234 and a longer tail', 'tail', 1, true)",
    "find, no special": "f('hello, 1234 and a longer tail', 'tail')",
    "find": "f('hello, 1234 and a longer tail', '%d+')",
    "find, with init": "f('hello, 1234 and a longer tail', '%d+', 4)",
    "match, two captures": "f('key = value', '^(%w+)%s*=%s*(%w+)$')",
    "match, trim": "f('   some text here   ', '^%s*(.-)%s*$')",
    "gmatch, 4 matches": "for _ in f('a=1&b=2&c=3&d=4', '(%w+)=(%w+)') do end",
    "gsub, text": "f('hello <b> world &', '[<>&]', '?')",
    "gsub, table": "f('hello <b> world &', '[<>&]', escapes)",
    "gsub, function": "f('hello <b> world &', '[<>&]', replace)",
}

LOOP = """
local K, calls = ...
local escapes = {['<'] = '&lt;', ['>'] = '&gt;', ['&'] = '&amp;'}
local function replace(letter) return escapes[letter] end
local function loop(f) return function() for _ = 1, calls do %s end end end
return loop(%s), K.limit_patterns
"""
"""Compiled once for each function, so that LuaJIT compiles a loop for each."""

BOUND = 1.5
"""How many times the native function's time a call that is its work may take, on LuaJIT."""


def _seconds(function: Any) -> float:
    started = perf_counter()
    function()
    return perf_counter() - started


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("engine", ENGINES)
def test_patterns(benchmark: Any, engine: str, name: str) -> None:
    """One call, beside one of the native function; within its bound on LuaJIT."""
    vm: Any = registry.load(engine).new_vm()
    function = name.split(",")[0]

    def loop(of: str) -> Any:
        source = LOOP % (CASES[name], f"{of}.{function}")
        return vm.execute(source.encode(), "benchmark", vm.kernel, CALLS)

    native, limit = loop("string")
    ours, _ = loop("K.library.string")
    times: dict[str, list[float]] = {"native": [], "ours": [], "matcher": []}
    native()
    ours()
    for _ in range(ROUNDS):
        times["native"].append(_seconds(native))
        times["ours"].append(_seconds(ours))
    limit(-1)
    matcher, _ = loop("K.library.string")
    matcher()
    times["matcher"].extend(_seconds(matcher) for _ in range(ROUNDS))
    limit(4e6)
    # The least of each: what the rest have more is the machine's other work.
    best = {way: min(seconds) / CALLS * 1e9 for way, seconds in times.items()}
    ratio = best["ours"] / best["native"]
    RATIOS.append(
        f"{name}, {engine}: {best['ours']:.0f} ns, {ratio:.2f} times the native function"
        f" (+{best['ours'] - best['native']:.0f} ns);"
        f" by the Lua matcher {best['matcher'] / best['native']:.1f} times"
    )
    benchmark.extra_info["ratio"] = ratio
    benchmark.pedantic(ours, rounds=ROUNDS)
    vm.close()
    if engine == "luajit" and "function" not in name and "table" not in name:
        assert ratio <= BOUND
