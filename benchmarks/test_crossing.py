"""What crossing between Python and Lua takes on every engine.

    pip install -e '.[test,bench]'; python -m pytest benchmarks/test_crossing.py

Most of it is measured at the engine's own interface (engines/base.py), without the server's API.
How it is measured stands in benchmarks/suites.py.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any, Self

import pytest

from benchmarks import suites
from benchmarks.engines import LuaBenchmark
from benchmarks.suites import Measure
from engines import registry
from engines.base import PREEMPTED, Answer, Plain, Returned, Yielded

pytestmark = suites.in_this_process

TIME_SLICE = 0.005

LUA = b"""
local K, callback = ...
local wait = K.wait
local function call_python(n)
  local sum = 0
  for i = 1, n do sum = sum + callback(i) end
  return sum
end
local function add(a) return a + 1 end
local function wait_often(n)
  for i = 1, n do
    if wait('op', i) ~= i + 1 then error('not what was to come') end
  end
end
local function return_at_once(n) return n end
local function wait_once(n) return wait('op', n) end
local function give_back(text)
  while true do text = wait('op', text) end
end
return {
  call_python = call_python, add = add, wait_often = wait_often, return_at_once = return_at_once,
  wait_once = wait_once, give_back = give_back,
}
"""


class Crossing:
    """A VM without the API, and what crosses into it and back, ``calls`` times."""

    def __init__(self, engine: str, cross: Callable[[Crossing], None], calls: int) -> None:
        self.calls = calls
        self._numbers = count(1)
        self._cross = cross
        self.vm = registry.load(engine).new_vm(time_slice=TIME_SLICE)
        self.lua: Any = self.vm.execute(LUA, "crossing", self.vm.kernel, lambda a: a)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.lua = None
        self.vm.close()

    def call(self) -> None:
        """See :class:`benchmarks.suites.Work`."""
        self._cross(self)

    def rest(self) -> None:
        """See :class:`benchmarks.suites.Work`."""
        self.vm.collect()

    def start(self, function: bytes, argument: Plain) -> tuple[int, Answer]:
        """A run of one of the functions above, and what it answers first."""
        run = next(self._numbers)
        answer = self.vm.start(run, self.lua[function], argument)
        while answer is PREEMPTED:
            answer = self.vm.resume(run)
        return run, answer

    def resume(self, run: int, value: Plain) -> Answer:
        answer = self.vm.resume(run, value)
        while answer is PREEMPTED:
            answer = self.vm.resume(run)
        return answer


def lua_calls_python(crossing: Crossing) -> None:
    n = crossing.calls
    assert crossing.lua[b"call_python"](n) == n * (n + 1) // 2


def python_calls_lua(crossing: Crossing) -> None:
    add = crossing.lua[b"add"]
    for number in range(crossing.calls):
        assert add(number) == number + 1


def resume_and_yield(crossing: Crossing) -> None:
    run, answer = crossing.start(b"wait_often", crossing.calls)
    for number in range(1, crossing.calls + 1):
        assert isinstance(answer, Yielded)
        assert answer.args == (number,)
        answer = crossing.resume(run, number + 1)
    assert isinstance(answer, Returned)


def pooled_thread(crossing: Crossing) -> None:
    for number in range(crossing.calls):
        _, answer = crossing.start(b"return_at_once", number)
        assert isinstance(answer, Returned)
        assert answer.values == (number,)


def fresh_thread(crossing: Crossing) -> None:
    """A run that is dropped takes its thread with it: there is none to use again."""
    for number in range(crossing.calls):
        run, answer = crossing.start(b"wait_once", number)
        assert isinstance(answer, Yielded)
        assert answer.args == (number,)
        crossing.vm.drop(run)


def strings(size: int) -> Callable[[Crossing], None]:
    """There and back, each another one, because Lua may know the same one again."""
    tail = bytes(range(256)) * (size // 256)

    def cross(crossing: Crossing) -> None:
        text = b""
        run, answer = crossing.start(b"give_back", text)
        for number in range(crossing.calls):
            assert isinstance(answer, Yielded)
            assert answer.args == (text,)
            text = b"%08d" % number + tail[8:]
            answer = crossing.resume(run, text)
        assert isinstance(answer, Yielded)
        assert answer.args == (text,)
        crossing.vm.drop(run)

    return cross


WORKS: dict[str, tuple[Callable[[Crossing], None], int]] = {
    "Lua calls Python": (lua_calls_python, 5000),
    "Python calls Lua": (python_calls_lua, 5000),
    "resume and yield": (resume_and_yield, 2000),
    "a pooled thread": (pooled_thread, 1000),
    "a fresh thread": (fresh_thread, 1000),
    "1 KB string": (strings(1024), 1000),
    "100 KB string": (strings(102_400), 100),
}
"""What is done, and how often in a round."""


@pytest.mark.parametrize("engine", suites.ENGINES)
@pytest.mark.parametrize("work", WORKS)
def test_crossing(measure: Measure, engine: str, work: str) -> None:
    """One way to cross."""
    cross, calls = WORKS[work]
    measure("crossing", work, engine, lambda: Crossing(engine, cross, calls), calls=calls)


HEADER_TABLES = 500


@pytest.mark.parametrize("engine", suites.ENGINES)
def test_header_table(measure: Measure, engine: str) -> None:
    """A table of ten header fields, made from what Python hands over."""

    def fresh() -> LuaBenchmark:
        return LuaBenchmark(
            engine,
            "local get_headers, headers = ngx.req.get_headers",
            "headers = get_headers()",
            'cd.print(headers["x-forwarded-proto"], " ", headers["x-request-id"])',
            calls=HEADER_TABLES,
            answer=b"https 01J9ZB3M6S9N4T9D3Q7XK2F5WA",
        )

    measure("crossing", "header table", engine, fresh, calls=HEADER_TABLES)
