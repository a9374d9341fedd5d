"""What every engine must do: ``check_engine`` proves one, a third-party one, too.

Each check gets a fresh VM. A trusted chunk here stands for the server's own Lua; what a script
would call is taken from the kernel, as the sandbox does.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from engines.base import PREEMPTED, Answer, Failed, LuaEngine, LuaVM, Returned, Yielded
from engines.errors import LuaRuntimeError, LuaSyntaxError

ALL_BYTES = bytes(range(256))

VM_MEMORY = 200_000_000

CHECKS: list[Callable[[LuaVM], None]] = []
LIMIT_CHECKS: list[Callable[[LuaVM], None]] = []


def check(function: Callable[[LuaVM], None]) -> Callable[[LuaVM], None]:
    CHECKS.append(function)
    return function


def check_limits(function: Callable[[LuaVM], None]) -> Callable[[LuaVM], None]:
    """For checks that need a VM with time slices and a memory limit."""
    LIMIT_CHECKS.append(function)
    return function


def limited_vm(engine: LuaEngine, check: Callable[[LuaVM], None]) -> LuaVM:
    """As a server makes it; only what is about slices shall see an interruption."""
    time_slice = 0.002 if check in LIMIT_CHECKS else 1.0
    return engine.new_vm(memory_limit=VM_MEMORY, time_slice=time_slice)


def check_engine(engine: LuaEngine) -> None:
    """Run every check on VMs of ``engine``."""
    assert engine.name
    assert engine.version()
    for function in CHECKS:
        with closing(engine.new_vm()) as vm:
            function(vm)
    for function in (*CHECKS, *LIMIT_CHECKS):
        with closing(limited_vm(engine, function)) as vm:
            function(vm)


def function(vm: LuaVM, body: str) -> Any:
    """A Lua function(a, b, c) of ``body``, which sees the kernel as K."""
    source = f"local K = ...\nreturn function(a, b, c) {body}\nend"
    return vm.execute(source.encode(), "t", vm.kernel)


def run(vm: LuaVM, body: str, *args: Any, number: int = 1) -> Any:
    return vm.start(number, function(vm, body), *args)


@check
def plain_values_cross_unchanged(vm: LuaVM) -> None:
    for value in (b"", ALL_BYTES, 0, -1, 2**31, 1.5, True, False, None, b"x" * 1_000_000):
        answer = run(vm, "return a, b, 'end'", value, None)
        assert answer == Returned((value, None, b"end"))
        assert type(answer.values[0]) is type(value)


@check
def a_yield_is_told_from_a_return(vm: LuaVM) -> None:
    assert run(vm, "return 'sleep', 1") == Returned((b"sleep", 1))
    assert run(vm, "return K.wait('sleep', 1)", number=2) == Yielded(b"sleep", (1,))
    assert vm.resume(2, b"sleep", 2) == Returned((b"sleep", 2))
    assert run(vm, "return", number=3) == Returned(())
    assert run(vm, "return nil", number=4) == Returned((None,))


@check
def an_operation_takes_and_gives_any_values(vm: LuaVM) -> None:
    answer = run(vm, "local p, q, r = K.wait('op', a, nil, b) return r, q, p", ALL_BYTES, 2)
    assert answer == Yielded(b"op", (ALL_BYTES, None, 2))
    assert vm.resume(1, None, ALL_BYTES, False) == Returned((False, ALL_BYTES, None))


@check
def pcall_without_arguments_says_its_own_name(vm: LuaVM) -> None:
    answer = run(vm, "local pcall = K.pcall return select(2, pcall(pcall))")
    assert answer == Returned((b"bad argument #1 to 'pcall' (value expected)",))


@check
def an_uncaught_error_is_an_answer(vm: LuaVM) -> None:
    answer = run(vm, "local function inner() error('boom', 0) end\ninner()")
    assert isinstance(answer, Failed)
    assert answer.error == b"boom"
    assert b"inner" in answer.traceback
    assert not answer.traceback.startswith(b"stack traceback")
    assert run(vm, "error(12, 0)", number=2).error == b"12"
    assert run(vm, "error(nil)", number=3).error in (None, b"<no error object>")  # 5.5's own text
    for value in ("{}", "print", "setmetatable({}, {__tostring = function() return 'x' end})"):
        assert run(vm, f"error({value})", number=3).error is None


@check
def runs_interleave_and_keep_their_locals(vm: LuaVM) -> None:
    f = function(vm, "local mine = a for i = 1, 3 do K.wait('op', mine) end return mine")
    for number in range(1, 101):
        assert vm.start(number, f, number) == Yielded(b"op", (number,))
    for _ in range(2):
        for number in range(100, 0, -1):
            assert vm.resume(number) == Yielded(b"op", (number,))
    for number in range(1, 101):
        assert vm.resume(number) == Returned((number,))


@check
def a_dropped_run_is_forgotten(vm: LuaVM) -> None:
    vm.execute(b"collectgarbage() collectgarbage()", "t")
    vm.collect()
    before = vm.memory_used()
    body = "local t = {} for i = 1, 1000 do t[i] = {} end K.wait('op') return #t"
    for number in range(100):
        assert isinstance(run(vm, body, number=number), Yielded)
    held = vm.memory_used()
    for number in range(100):
        vm.drop(number)
        vm.drop(number)
    vm.collect()
    vm.collect()
    assert held - before > 1_000_000
    assert vm.memory_used() - before < (held - before) / 4


@check
def a_suspended_run_tells_where_it_stands(vm: LuaVM) -> None:
    run(vm, "local function waiting() K.wait('op') return 1 end\nreturn waiting() + 1")
    assert b"waiting" in vm.traceback(1)
    vm.drop(1)
    assert vm.traceback(1) == b""


@check
def waiting_passes_through_protected_calls(vm: LuaVM) -> None:
    body = """
      local ok, x = K.pcall(function() return K.wait('op', 1) end)
      local ok2, y = K.xpcall(function() return K.wait('op', 2) end, function() end)
      return ok, x, ok2, y"""
    assert run(vm, body) == Yielded(b"op", (1,))
    assert vm.resume(1, b"x") == Yielded(b"op", (2,))
    assert vm.resume(1, b"y") == Returned((True, b"x", True, b"y"))


@check
def waiting_passes_through_coroutines_unseen(vm: LuaVM) -> None:
    body = """
      local co = K.coroutine
      local inner = co.wrap(function()
        local got = K.wait('op', 'inner')
        co.yield('first', got)
        return 'second'
      end)
      local outer = co.create(function() return inner() end)
      local ok, p, q = co.resume(outer)
      return ok, p, q, co.status(outer), inner()"""
    assert run(vm, body) == Yielded(b"op", (b"inner",))
    assert vm.resume(1, 7) == Returned((True, b"first", 7, b"dead", b"second"))


@check
def a_coroutine_that_waits_counts_as_running(vm: LuaVM) -> None:
    body = """
      local co = K.coroutine
      held = co.create(function() K.wait('op') return 'done' end)
      return co.resume(held)"""
    assert isinstance(run(vm, body), Yielded)
    other = run(vm, "local c = K.coroutine return c.status(held), c.resume(held)", number=2)
    assert other == Returned((b"normal", False, b"cannot resume non-suspended coroutine"))
    assert vm.resume(1) == Returned((True, b"done"))


@check
def errors_pass_through_protected_calls_whole(vm: LuaVM) -> None:
    body = """
      local t = {}
      local ok, e = K.pcall(error, t)
      local ok2, e2 = K.xpcall(function() error('x', 0) end, function(m) return m .. 'y' end)
      local ok3, e3 = K.pcall(K.coroutine.wrap(function() error(t) end))
      return ok, e == t, ok2, e2, ok3, e3 == t, K.pcall(function(...) return ... end, 1, nil)"""
    assert run(vm, body).values == (False, True, False, b"xy", False, True, True, 1, None)


ENDINGS = {
    "plain": "K.finish()",
    "in pcall": "K.pcall(function() K.finish() end)",
    "in xpcall": "K.xpcall(function() K.finish() end, function() return 1 end)",
    "in an xpcall handler": "K.xpcall(error, function() K.finish() end)",
    "in a loop of pcalls": "while true do K.pcall(K.finish) end",
    "in a coroutine": "K.coroutine.wrap(function() K.finish() end)()",
    "in nested coroutines": """
        local co = K.coroutine
        co.wrap(function() K.pcall(function()
          co.resume(co.create(function() K.pcall(K.finish) end)) end) end)()""",
    "in a comparator": "table.sort({3, 1, 2}, function() K.finish() end)",
    "in a comparator, caught": """
        table.sort({3, 1, 2}, function() K.pcall(K.finish) return true end)""",
    "in a gsub callback": "string.gsub('abc', '.', function() K.pcall(K.finish) end)",
    "in __index": "local x = setmetatable({}, {__index = function() K.pcall(K.finish) end}).x",
    "in __add": "local x = setmetatable({}, {__add = function() K.finish() end}) + 1",
    "in __lt": """local mt = {__lt = function() K.finish() end}
        local x = setmetatable({}, mt) < setmetatable({}, mt)""",
    "in __tostring": "tostring(setmetatable({}, {__tostring = function() K.finish() end}))",
    "in __concat": "local x = setmetatable({}, {__concat = function() K.finish() end}) .. 'x'",
    "in an iterator": "for x in function() K.finish() end do end",
    "in a metamethod in a coroutine in pcall": """
        K.pcall(K.coroutine.wrap(function()
          return setmetatable({}, {__index = function() K.pcall(K.finish) end}).x end))""",
}


@check
def a_run_ends_itself_from_any_depth(vm: LuaVM) -> None:
    vm.execute(b"local K = ... K.S.finish = function() return 'finished' end", "t", vm.kernel)
    for number, (place, body) in enumerate(ENDINGS.items(), 1):
        answer = run(vm, f"{body}\nwent_on = true\nreturn 'went on'", number=number)
        assert answer == Returned((b"finished",)), place
        assert run(vm, "return went_on", number=1000) == Returned((None,)), place


@check
def an_error_after_the_end_stays_unheard(vm: LuaVM) -> None:
    vm.execute(b"local K = ... K.S.finish = function() return 'finished' end", "t", vm.kernel)
    body = "K.S.R.done = true error('late')"
    assert run(vm, body) == Returned((b"finished",))
    assert run(vm, "return 1", number=2) == Returned((1,))


@check
def callbacks_take_and_give_plain_values(vm: LuaVM) -> None:
    seen: list[tuple[object, ...]] = []

    def callback(*args: object) -> Any:
        seen.append(args)
        return (1, None, ALL_BYTES, True)

    result = vm.execute(b"local f = ... return f(nil, 2, 'x', false)", "t", callback)
    assert result == (1, None, ALL_BYTES, True)
    assert seen == [(None, 2, b"x", False)]


@check
def a_callback_that_raises_answers_nil_and_a_text(vm: LuaVM) -> None:
    raised: list[BaseException] = []
    vm.on_callback_error = raised.append

    def callback() -> None:
        raise ValueError("secret")

    result = vm.execute(
        b"local f = ... local ok, a, b = pcall(f) return ok, type(a), b", "t", callback
    )
    assert result == (True, b"nil", b"internal error")
    assert [type(error) for error in raised] == [ValueError]


@check
def trusted_chunks_report_errors(vm: LuaVM) -> None:
    with pytest.raises(LuaSyntaxError, match=r"bad\.lua"):
        vm.execute(b"x =", "bad.lua")
    with pytest.raises(LuaRuntimeError, match="boom"):
        vm.execute(b"error('boom')", "bad.lua")


@check
def memory_is_told_and_collected(vm: LuaVM) -> None:
    before = vm.memory_used()
    assert before > 0
    vm.execute(b"held = string.rep('x', 5000000)", "t")
    assert vm.memory_used() >= 5_000_000
    vm.execute(b"held = nil", "t")
    for _ in range(4):  # LuaJIT and 5.1 halve their string buffer with each
        vm.collect()
    assert vm.memory_used() < before + 1_000_000


def to_its_end(vm: LuaVM, answer: Answer, number: int = 1) -> Answer:
    while answer == PREEMPTED:
        answer = vm.resume(number)
    return answer


@check_limits
def a_computing_run_is_interrupted_or_ended(vm: LuaVM) -> None:
    vm.seconds_left = 0.2
    answer = run(vm, "while true do end")
    if vm.slices:
        assert answer == PREEMPTED
        assert 0 < vm.step_seconds < 0.2
        # 5.3 can't tell where a hook has suspended a thread: see kernel.lua.
        assert vm.traceback(1) or vm.execute(b"return _VERSION", "t") == b"Lua 5.3"
        vm.drop(1)
    else:
        assert isinstance(answer, Failed)
        assert answer.limit == "seconds"
        assert vm.step_seconds > 0.1
    vm.seconds_left = 20.0
    answer = to_its_end(vm, run(vm, SUM, number=2), 2)
    assert answer == Returned((sum(i % 7 for i in range(1, 5_000_001)),))


SUM = "local x = 0 for i = 1, 5000000 do x = x + i % 7 end return x"


@check_limits
def an_interrupted_run_leaves_the_others_theirs(vm: LuaVM) -> None:
    """Runs that go on in turn each have what is theirs: record, number, values of operations."""
    body = f"local mine = K.S.R {SUM.replace('return x', '')} return mine == K.S.R, K.wait('op', a)"
    answers: dict[int, Answer] = {n: run(vm, body, n, number=n) for n in (1, 2, 3)}
    while PREEMPTED in answers.values():
        for number, answer in answers.items():
            if answer == PREEMPTED:
                answers[number] = vm.resume(number)
    assert answers == {n: Yielded(b"op", (n,)) for n in (1, 2, 3)}
    assert [vm.resume(n, n * 10) for n in (1, 2, 3)] == [
        Returned((True, n * 10)) for n in (1, 2, 3)
    ]


@check_limits
def what_catches_its_end_ends(vm: LuaVM) -> None:
    vm.seconds_left = 0.2
    body = """
      local pcall = K.pcall
      local function loop() while true do end end
      table.sort({3, 2, 1}, function() while true do pcall(loop) end end)"""
    answer = to_its_end(vm, run(vm, body))
    assert isinstance(answer, Failed)
    assert answer.limit == "seconds"
    assert answer.traceback


@check_limits
def a_run_has_memory_of_its_own(vm: LuaVM) -> None:
    """Past ``memory_left`` it ends, whatever it catches; the VM and other runs go on."""
    vm.memory_left = 10_000_000
    body = "local t = {('x'):rep(100000)} K.wait('op') return #t[1]"
    vm.collect()
    waiting = run(vm, body, number=7)
    taken = vm.step_memory
    while waiting == PREEMPTED:
        waiting = vm.resume(7)
        taken += vm.step_memory
    assert waiting == Yielded(b"op", ())
    assert 100_000 <= taken < 1_000_000
    for number, body in enumerate(HOGS, 10):
        vm.seconds_left, vm.memory_left = 20.0, 10_000_000
        answer = run(vm, body, number=number)
        while answer == PREEMPTED and vm.memory_left > 0:
            vm.memory_left -= vm.step_memory
            answer = vm.resume(number)
        if isinstance(answer, Failed):
            assert (answer.error, answer.limit) == (b"not enough memory", "memory"), body
        else:
            assert vm.memory_left <= 0, body
            vm.drop(number)
        vm.collect()
    assert to_its_end(vm, vm.resume(7), 7) == Returned((100_000,))


HOGS = (
    "local t = {} for i = 1, 1e9 do t[i] = {} end",
    "local s = 'x' while true do s = s .. s end",
    "return ('x'):rep(100000000)",
    "local t = {} while true do K.pcall(function() t[#t + 1] = ('x'):rep(1000) .. #t end) end",
    "local t = {} while true do K.xpcall(function() t[#t + 1] = {#t} end, function() end) end",
    "local c = K.coroutine local t = {} c.wrap(function() while true do t = {t, {}, {}} end end)()",
    """local c, t = K.coroutine, {}
       while true do c.resume(c.create(function() t[#t + 1] = ('x'):rep(999) .. #t end)) end""",
    "local t = {} while true do local x = #t t[x + 1] = function() return x end end",
)


@check_limits
def large_values_need_no_room_of_the_script(vm: LuaVM) -> None:
    """What a run is given may be larger than what it has left: it is its sum that tells."""
    vm.memory_left = 1_000_000
    vm.collect()
    assert to_its_end(vm, run(vm, "return #K.wait('op')")) == Yielded(b"op", ())
    assert to_its_end(vm, vm.resume(1, b"x" * 5_000_000)) == Returned((5_000_000,))


@check_limits
def a_vm_without_room_takes_no_step(vm: LuaVM) -> None:
    assert to_its_end(vm, run(vm, "return #K.wait('op')")) == Yielded(b"op", ())
    answer = vm.resume(1, b"x" * VM_MEMORY)
    assert isinstance(answer, Failed)
    assert answer.limit == "memory"
    assert to_its_end(vm, run(vm, "return 1", number=2), 2) == Returned((1,))


@check_limits
def garbage_is_collected_in_steps(vm: LuaVM) -> None:
    assert to_its_end(vm, run(vm, "for i = 1, 300000 do local t = {i} end")) == Returned(())
    steps = 0
    while not vm.collect_step():
        steps += 1
        assert steps < 100_000


@check_limits
def a_retired_vm_goes_on_with_its_runs(vm: LuaVM) -> None:
    assert to_its_end(vm, run(vm, "return K.wait('op')")) == Yielded(b"op", ())
    vm.retire()
    assert to_its_end(vm, vm.resume(1, 5)) == Returned((5,))
