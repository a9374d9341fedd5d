"""A run that is out of memory is over, whoever found it out and wherever that was."""

from __future__ import annotations

import contextlib
import importlib
from typing import Any

import pytest
from support.extension import need_extension
from support.programs import FOLDER

from engines import registry
from engines.base import PREEMPTED, Answer, Failed, LuaVM, Returned
from engines.memory import open_runtime

ENGINES = ("luajit", "lua51", "lua52", "lua53", "lua54", "lua55")

BODIES = {
    "by Lua": "local s = 'x' while true do s = s .. s end",
    "by Lua, to the last byte": "local t = {} while true do t = {t} end",
    "by a callback": "local text, message = large() if not text then K.raise(message) end",
}
AROUND = {
    "caught": "for i = 1, 9 do K.pcall(function() {} end) end",
    "caught by xpcall": "for i = 1, 9 do K.xpcall(function() {} end, function() end) end",
    "in a coroutine": "K.coroutine.resume(K.coroutine.create(function() {} end))",
    "in a comparator": "for i = 1, 9 do K.pcall(table.sort, {{3, 2, 1}}, function() {} end) end",
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("found", BODIES)
def test_no_script_goes_on_without_memory(engine: str, around: str, found: str) -> None:
    vm = registry.load(engine).new_vm(memory_limit=64 << 20)
    vm.memory_left = 1 << 20
    body = AROUND[around].format(BODIES[found])
    script = f"local K, large = ... return function() {body} return 'went on' end"
    compile_ = b"local script = ... return (loadstring or load)(script, '=script')(select(2, ...))"
    large = b"x" * (4 << 20)
    f = vm.execute(compile_, "t", script.encode(), vm.kernel, lambda: large)
    answer = vm.start(1, f)
    assert isinstance(answer, Failed), answer
    assert answer.limit == "memory", answer
    assert b"script:1:" in answer.traceback, answer
    vm.close()


def last_answer(vm: LuaVM, run: int, answer: Answer, left: int) -> Answer | None:
    """None of a run that is dropped because it is past ``left``."""
    while answer is PREEMPTED:
        left -= vm.step_memory
        if left <= 0:
            vm.drop(run)
            return None
        vm.memory_left = left
        answer = vm.resume(run)
    return answer


def test_the_collector_gets_its_table_of_strings() -> None:
    """It makes a smaller one while compiled code runs, and can't have that refused."""
    need_extension()
    vm = registry.load("luajit").new_vm(memory_limit=512 << 20, time_slice=10)
    fill = b"local t = {} return function(n) for i = 1, n do t[i] = 'a' .. i end t = nil end"
    assert vm.start(1, vm.execute(fill, "t"), 700_000) == Returned(())
    loop = b"""
        jit.opt.start("hotloop=3")
        return function(n)
            local t
            for i = 1, n do t = {i, t} if i % 8 == 0 then t = nil end end
        end
    """
    f = vm.execute(loop, "t")
    assert vm.start(2, f, 1000) == Returned(())
    vm.collect()
    least = most = vm.memory_used()
    for run in range(3, 200):
        vm.memory_left = None
        vm.execute(b"collectgarbage('step', 20)", "t")
        vm.memory_left = 1000
        last_answer(vm, run, vm.start(run, f, 400), 1000)
        least = min(least, vm.memory_used())
    assert least < most // 2, "the table did not get smaller"
    vm.close()


def test_large_objects_that_compiled_code_puts_off_are_made() -> None:
    """On its way out, or where another trace goes on from there."""
    need_extension()
    fields = ", ".join(f"k{number} = 1" for number in range(7000))
    body = f"""
        local dead = {{}}
        local function body()
            local kept = {{}}
            for i = 1, 4000 do
                local o = {{{fields}}}
                if i % 50 == 0 then kept[#kept + 1] = o end
            end
        end
        return function()
            local co = coroutine.create(body)
            dead[#dead + 1] = co
            return (coroutine.resume(co))
        end
    """
    vm = registry.load("luajit").new_vm(memory_limit=256 << 20, time_slice=0.01)
    f = vm.execute(body.encode(), "t")
    right = 0
    for run in range(1, 21):
        vm.memory_left = left = (64 << 20, 1 << 20, 3 << 20, 300_000, 5_000_000)[run % 5]
        right += last_answer(vm, run, vm.start(run, f), left) == Returned((True,))
        vm.collect()
        vm.collect()
    assert 4 <= right < 20
    vm.close()


REFUSED = ["string.sub(large, 2)", "string.upper(large)", "string.reverse(large)", "large .. 1"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("expression", REFUSED)
def test_a_refused_piece_leaves_a_stack_that_can_be_collected(engine: str, expression: str) -> None:
    """LuaJIT's own functions don't tell where the stack ends; an error in there left the end below
    the frame, the collector cleared the frame, and crashed on it in its next look at the thread."""
    need_extension()
    vm = registry.load(engine).new_vm(memory_limit=64 << 20)
    body = f"""
        local K = ...
        local large, kept = string.rep("abc", 100000), nil
        local function deep(n, ...)
            local a, b, c, d = n, n, n, n
            if n == 0 then kept = {expression} return end
            return (deep(n - 1, a, b, c, d))
        end
        local dead = {{}}
        return function()
            local co = K.coroutine.create(deep)
            dead[#dead + 1] = co
            local ok = K.coroutine.resume(co, 5)
            kept = nil
            return ok
        end
    """
    f = vm.execute(body.encode(), "t", vm.kernel)
    for number in range(1, 4):
        assert vm.start(number, f) == Returned((True,))
    vm.collect()
    vm.memory_left = 100_000
    answer = vm.start(4, f)
    assert isinstance(answer, Failed), answer
    assert answer.limit == "memory", answer
    for _ in range(2):
        vm.collect()
    vm.memory_left = 16 << 20
    assert vm.start(5, f) == Returned((True,))
    vm.close()


RUN = b"""
local source = ...
jit.opt.start("hotloop=5", "hotexit=3")
local dead = {}
return function()
  local co = coroutine.create(assert(loadstring(source)))
  dead[#dead + 1] = co
  return (coroutine.resume(co))
end, collectgarbage
"""


def test_luajit_outlives_a_limit_at_any_place() -> None:
    """Its compiler does not bear that it is refused memory, nor does an exit from what it made."""
    need_extension()
    lupa: Any = importlib.import_module("lupa.luajit21")
    runtime, memory = open_runtime(lupa, encoding=None)
    run, collect = runtime.execute(RUN, (FOLDER / "jit_tables.lua").read_bytes())
    assert run() is True
    for left in range(1000, 30_000, 100):
        collect()
        memory.limit(memory.handle, memory.used(memory.handle) + left)
        with contextlib.suppress(MemoryError, lupa.LuaError):
            run()
        memory.limit(memory.handle, 0)
        collect()
        collect()
    assert run() is True
    memory.detach()


@pytest.mark.parametrize("engine", ["luajit", "lua53", "lua54", "lua55"])
def test_a_slice_ends_when_little_memory_is_left(engine: str) -> None:
    """Lua does not always collect before it fails; so whoever resumes the run gets to do it."""
    need_extension()
    vm: Any = registry.load(engine).new_vm(memory_limit=64 << 20, time_slice=10)
    body = b"local last return function() for i = 1, 1e5 do last = {last} end end"
    vm.memory_left = 1 << 20
    assert vm.start(1, vm.execute(body, "t")) is PREEMPTED
    assert 3 << 18 <= vm.step_memory < 1 << 20
    vm.memory_left = 16 << 20
    assert vm.resume(1) == Returned(())
    vm.close()
