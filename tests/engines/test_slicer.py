"""Time slices and the limit of a step, in each mode on each engine."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any

import pytest
from support.extension import need_extension

import engines
from engines import registry
from engines.base import PREEMPTED, Answer, Failed, Returned, Yielded
from engines.errors import EngineUnavailable
from engines.lupa_vm import LupaVM
from engines.slicer import VARIABLE, Mode

SLICE = 0.002
SLICED = [
    (engine, mode)
    for engine in ("luajit", "lua53", "lua54", "lua55")
    for mode in ("extension", "ctypes")
]
LIMITED = [
    *SLICED,
    ("lua51", "extension"),
    ("lua52", "extension"),
    *((engine, "hooks") for engine in ("luajit", "lua51", "lua52", "lua53", "lua54", "lua55")),
]

Make = Callable[..., LupaVM]


@pytest.fixture
def make() -> Iterator[Make]:
    vms: list[LupaVM] = []

    def made(engine: str, mode: Mode | None, time_slice: float = SLICE) -> LupaVM:
        if mode is not None:
            need_extension(mode)
        module: Any = registry.load(engine)._module  # type: ignore[attr-defined]
        vms.append(LupaVM(module, None, time_slice, mode))
        return vms[-1]

    yield made
    for vm in vms:
        vm.close()


def function(vm: LupaVM, body: str) -> Any:
    head = (
        "local K = ... local pcall, xpcall, coroutine = K.pcall, K.xpcall, K.coroutine\n"
        "local gsub, sort = string.gsub, table.sort\n"  # C's, which call Lua where nothing yields
    )
    return vm.execute(f"{head}return function(a) {body}\nend".encode(), "t", vm.kernel)


def finish(vm: LupaVM, answer: Answer, run: int = 1, most: int = 10_000) -> tuple[Answer, int]:
    """The run's last answer, and how often it was interrupted."""
    interruptions = 0
    while answer == PREEMPTED and interruptions < most:
        interruptions += 1
        answer = vm.resume(run)
    return answer, interruptions


SUM = "local x = 0 for i = 1, a do x = x + i % 7 end return x"


def turns(engine: str) -> int:
    return 30_000_000 if engine == "luajit" else 3_000_000


@pytest.mark.parametrize(("engine", "mode"), SLICED)
def test_a_long_run_is_interrupted_and_goes_on(make: Make, engine: str, mode: Mode) -> None:
    """It ends with the right result, and no step takes much longer than its slice."""
    vm = make(engine, mode)
    n = turns(engine)
    answer, interruptions = finish(vm, vm.start(1, function(vm, SUM), n))
    assert answer == Returned((sum(range(7)) * (n // 7) + sum(i % 7 for i in range(n % 7 + 1)),))
    assert interruptions >= 5
    assert vm.slices


@pytest.mark.parametrize(("engine", "mode"), SLICED)
def test_a_step_lasts_as_long_as_a_slice(make: Make, engine: str, mode: Mode) -> None:
    vm = make(engine, mode, 0.005)
    answer = vm.start(1, function(vm, "while true do end"))
    steps = []
    for _ in range(20):
        assert answer == PREEMPTED
        answer = vm.resume(1)
        steps.append(vm.step_seconds)
    assert 0.004 < min(steps) < 0.015


@pytest.mark.parametrize(("engine", "mode"), SLICED)
def test_coroutines_do_not_notice(make: Make, engine: str, mode: Mode) -> None:
    """Interrupted four coroutines deep, each goes on where it was, and its yields arrive."""
    vm = make(engine, mode)
    body = """
      local function level(depth)
        return coroutine.wrap(function()
          local inner = depth > 1 and level(depth - 1)
          for i = 1, 20 do
            local x = 0
            for j = 1, a do x = x + j % 3 end
            coroutine.yield(inner and inner() + 1 or x)
          end
        end)
      end
      local out, first = 0, level(4)
      for i = 1, 20 do out = out + first() end
      return out"""
    n = turns(engine) // 60
    expected = 20 * (sum(j % 3 for j in range(1, n + 1)) + 3)
    answer, interruptions = finish(vm, vm.start(1, function(vm, body), n))
    assert answer == Returned((expected,))
    assert interruptions >= 5


@pytest.mark.parametrize(("engine", "mode"), SLICED)
def test_a_coroutine_under_a_comparator_goes_on(make: Make, engine: str, mode: Mode) -> None:
    """Where what resumed it can't yield, the interruption is taken back and no error appears."""
    vm = make(engine, mode)
    body = """
      local busy = coroutine.wrap(function()
        while true do
          local x = 0
          for j = 1, a do x = x + j % 3 end
          coroutine.yield(x)
        end
      end)
      local t = {5, 3, 8, 1, 9, 2, 7}
      sort(t, function(p, q) busy() return p < q end)
      return table.concat(t, ' ')"""
    answer, _ = finish(vm, vm.start(1, function(vm, body), turns(engine) // 5))
    assert answer == Returned((b"1 2 3 5 7 8 9",))


@pytest.mark.parametrize(("engine", "mode"), SLICED)
def test_operations_and_interruptions_mix(make: Make, engine: str, mode: Mode) -> None:
    """An operation's values arrive although the run is interrupted before and after it."""
    vm = make(engine, mode)
    body = f"""
      local out = ''
      for i = 1, 5 do
        local x = 0
        for j = 1, {turns(engine) // 4} do x = x + j % 3 end
        out = out .. K.wait('op', i)
      end
      return out"""
    answer = vm.start(1, function(vm, body))
    seen, interruptions = [], 0
    while not isinstance(answer, Returned):
        if answer == PREEMPTED:
            interruptions += 1
            answer = vm.resume(1)
        else:
            assert isinstance(answer, Yielded), answer
            seen.append(answer.args)
            answer = vm.resume(1, b"<%d>" % len(seen))
    assert seen == [(1,), (2,), (3,), (4,), (5,)]
    assert answer == Returned((b"<1><2><3><4><5>",))
    assert interruptions


RESISTING = {
    "comparator": "sort({3, 2, 1}, function() while true do end end)",
    "comparator that catches": """sort({3, 2, 1}, function()
        while true do pcall(function() while true do end end) end end)""",
    "loop of gsubs that catch": """
        local function loop() while true do end end
        while true do pcall(gsub, 'abc', '.', loop) end""",
    "coroutine under a comparator": """sort({3, 2, 1}, function()
        local co = coroutine.wrap(function() while true do end end)
        while true do pcall(co) end end)""",
    "coroutines made under a comparator": """
        local function loop() while true do end end
        local function try() coroutine.resume(coroutine.create(loop)) end
        sort({3, 2, 1}, function() while true do try() end end)""",
    "xpcall": "while true do xpcall(error, function() while true do end end) end",
    "pcall at the end of the stack": "local function f() while true do pcall(f) end end f()",
    "comparators within each other": """
        local function f() while true do pcall(sort, {3, 2, 1}, f) end end f()""",
    "deep": """local function f() sort({2, 1}, function() pcall(f) while true do end end) end
        while true do pcall(f) end""",
}


@pytest.mark.parametrize("name", RESISTING)
@pytest.mark.parametrize(("engine", "mode"), LIMITED)
def test_what_resists_ends(make: Make, engine: str, mode: Mode, name: str) -> None:
    """It is unwound once it is past what it was allowed, or can be left where it is interrupted."""
    vm = make(engine, mode)
    vm.seconds_left = 0.1
    started = perf_counter()
    answer, _ = finish(vm, vm.start(1, function(vm, RESISTING[name])), most=50)
    assert answer == PREEMPTED or isinstance(answer, Failed), answer
    if isinstance(answer, Failed):
        assert answer.limit == "seconds"
        # 5.3 can't tell where a hook has suspended it: see at_hook in kernel.lua.
        assert b"candy t]" in answer.traceback or (engine == "lua53" and not answer.traceback)
    vm.drop(1)
    assert perf_counter() - started < 1
    # The VM is in order: the next run is neither interrupted at once nor unwound.
    vm.seconds_left = 5
    assert finish(vm, vm.start(2, function(vm, SUM), 1000), 2)[0] == Returned((3003,))
    answer, _ = finish(vm, vm.start(3, function(vm, SUM), turns(engine)), 3)
    assert isinstance(answer, Returned)


@pytest.mark.parametrize("engine", ["lua53", "lua54", "lua55"])
def test_a_hook_that_is_lost_comes_again(make: Make, engine: str) -> None:
    """PUC-Lua loses one that a tick sets at the very moment when it notes that it has none."""
    vm = make(engine, "extension")
    vm.seconds_left = 0.05
    body = "sort({3, 2, 1}, function() while true do debug.sethook() end end)"
    answer, _ = finish(vm, vm.start(1, function(vm, body)))
    assert isinstance(answer, Failed)
    assert answer.limit == "seconds"


@pytest.mark.parametrize(("engine", "mode"), LIMITED)
def test_the_time_is_looked_at_without_memory(make: Make, engine: str, mode: Mode) -> None:
    """What looks at it may be a callback, which has no room for a text by then."""
    vm = make(engine, mode)
    vm.memory_left = 1 << 20
    body = "local t = {} while true do t[#t + 1] = #t .. '' end"
    f = function(vm, body)
    answer = vm.start(1, f)
    while answer == PREEMPTED:
        vm.memory_left = max(vm.memory_left - vm.step_memory, 0)
        answer = vm.resume(1)
    assert isinstance(answer, Failed)
    assert answer.limit == "memory", answer


@pytest.mark.parametrize(("engine", "mode"), [p for p in LIMITED if p[0] in ("lua54", "lua55")])
def test_pending_close_variables_have_a_short_time(make: Make, engine: str, mode: Mode) -> None:
    """The <close> variables of a thread that died run once, and a loop in one is ended."""
    vm = make(engine, mode)
    vm.seconds_left = 5
    text = """
      local looping <close> = setmetatable({}, {__close = function() while true do end end})
      local closed <close> = setmetatable({}, {__close = function() K.closed = true end})
      error('first', 0)"""
    started = perf_counter()
    answer = vm.start(1, function(vm, text))
    assert isinstance(answer, Failed)
    assert (answer.error, answer.limit) == (b"first", None)
    assert perf_counter() - started < 1
    assert vm.start(2, function(vm, "return K.closed")) == Returned((True,))


# Through ctypes LuaJIT's hook goes off on the whole way up, before the way is noted.
@pytest.mark.parametrize(("engine", "mode"), [p for p in SLICED if p != ("luajit", "ctypes")])
def test_the_traceback_of_an_interrupted_run_begins_innermost(
    make: Make, engine: str, mode: Mode
) -> None:
    vm = make(engine, mode)
    body = """
      local function spin() while true do end end
      local outer = coroutine.wrap(function() coroutine.wrap(spin)() end)
      outer()"""
    assert finish(vm, vm.start(1, function(vm, body)), most=5)[0] == PREEMPTED
    parts = vm.traceback(1).split(b"stack traceback:\n")
    if engine == "lua53":  # see at_hook in kernel.lua
        parts.insert(0, b"[candy t]:4")
    assert len(parts) == 3
    # LuaJIT does not tell the line of a thread that a hook has suspended, but that of its function.
    assert b"[candy t]:4" in parts[0]
    assert b"[candy t]:5:" in parts[1]
    assert b"[candy t]:6:" in parts[2]


@pytest.mark.parametrize("engine", ["luajit", "lua54"])
def test_nothing_ticks_while_nothing_runs(make: Make, engine: str) -> None:
    """After a last tick that finds no run there are no signals: poll() would end with EINTR."""
    vm = make(engine, "extension")
    assert finish(vm, vm.start(1, function(vm, SUM), turns(engine)))[0] != PREEMPTED
    poll = ctypes.CDLL(None).poll
    poll(None, 0, 20)
    assert poll(None, 0, 50) == 0


@pytest.mark.parametrize("engine", ["luajit", "lua54"])
def test_a_forked_process_has_a_timer_of_its_own(make: Make, engine: str) -> None:
    vm = make(engine, "extension")
    spin = function(vm, "while true do end")
    assert vm.start(1, spin) == PREEMPTED
    child = os.fork()
    if child == 0:
        interrupted = vm.start(2, spin) == PREEMPTED and vm.resume(1) == PREEMPTED
        os._exit(0 if interrupted else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert vm.resume(1) == PREEMPTED


@pytest.mark.parametrize(
    ("first", "mode"),
    [("extension", "by the C ext"), ("ctypes", "through ctypes"), ("hooks", "by a hook in Lua")],
)
def test_the_environment_names_the_first_mode_to_try(
    make: Make, monkeypatch: pytest.MonkeyPatch, first: Mode, mode: str
) -> None:
    need_extension(first)
    monkeypatch.setenv(VARIABLE, first)
    assert mode in make("lua54", None).mode
    assert ("hook in Lua" if first == "ctypes" else mode) in make("lua51", None).mode


def test_a_mode_that_there_is_not_is_refused(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "timer")
    message = "CANDY_TRIO_SLICER=timer: must be one of extension, ctypes, hooks"
    with pytest.raises(EngineUnavailable, match=message):
        make("lua54", None)


@pytest.mark.parametrize("mode", ["extension", "ctypes"])
def test_a_second_luajit_takes_the_slices(make: Make, mode: Mode) -> None:
    """LuaJIT's profiler is one for the process: the older VM keeps its runs, and the limit."""
    old = make("luajit", mode)
    spin = function(old, SUM)
    assert old.start(1, spin, turns("luajit")) == PREEMPTED
    new = make("luajit", mode)
    assert new.slices
    assert not old.slices
    assert new.start(1, function(new, "while true do end")) == PREEMPTED
    old.seconds_left = 20
    assert isinstance(old.resume(1), Returned)
    old.seconds_left = 0.1
    answer = old.start(
        2, function(old, "while true do pcall(function() while true do end end) end")
    )
    assert isinstance(answer, Failed)
    assert answer.limit == "seconds"
    answer = old.start(3, function(old, RESISTING["pcall at the end of the stack"]))
    assert isinstance(answer, Failed)
    assert answer.limit == "seconds"
    old.close()
    assert new.resume(1) == PREEMPTED


def test_a_tick_of_a_vm_without_slices_does_nothing(make: Make) -> None:
    """It was made while the VM had them; by now LuaJIT's profiler may be nobody's."""
    old = make("luajit", "extension", 0.2)
    spin = function(old, "while true do end")
    old.seconds_left = 1
    assert old.start(1, spin) == PREEMPTED
    make("luajit", "extension").close()
    assert isinstance(old.resume(1), Failed)


@pytest.mark.parametrize("engine", ["lua54", "lua55"])
def test_ticks_do_not_slow_a_call_down_whatever_the_depth(make: Make, engine: str) -> None:
    """To set a hook they walk the whole chain of calls: once for a call, not again in each tick."""
    taken = []

    def work() -> None:
        began = thread_time()
        sum(range(5_000_000))
        taken.append(thread_time() - began)

    vm = make(engine, "extension", 0.00005)
    body = "local function f(n) if n == 0 then work() return 0 end return 1 + f(n - 1) end return f"
    f = vm.execute(b"local work = ... " + body.encode(), "t", work)
    for run, depth in enumerate((1, 150_000)):
        answer, _ = finish(vm, vm.start(run, f, depth), run)
        assert answer == Returned((depth,))
    shallow, deep = taken
    assert deep < 2 * shallow


@pytest.mark.parametrize("locals_", [0, 20, 150])
@pytest.mark.parametrize("catch", ["pcall(f)", "xpcall(f, function(e) return e end)"])
@pytest.mark.parametrize("mode", ["extension", "ctypes"])
def test_no_script_hides_at_the_end_of_the_stack(
    make: Make, mode: Mode, catch: str, locals_: int
) -> None:
    """LuaJIT has no room for a hook there, and raises in its place."""
    vm = make("luajit", mode)
    make("luajit", mode)  # takes the slices: what is left is a hook that comes now and then
    names = ", ".join(f"a{i}" for i in range(locals_))
    frame = f"local {names}" if names else ""
    vm.seconds_left = 0.05
    started = thread_time()
    answer = vm.start(
        1, function(vm, f"local function f() {frame} while true do {catch} end end f()")
    )
    assert isinstance(answer, Failed), answer
    assert answer.limit == "seconds"
    assert thread_time() - started < 1


def test_a_process_outlives_its_vms(make: Make) -> None:
    """A tick that comes when the VM is closed ends nothing, whatever the signal's default is."""
    for _ in range(20):
        for engine in ("luajit", "lua54"):
            vm = make(engine, "extension", 0.00005)
            assert vm.start(1, function(vm, "while true do end")) == PREEMPTED
            vm.close()
    until = perf_counter() + 0.01
    while perf_counter() < until:
        pass


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_the_extension_compiles_without_warnings(tmp_path: Path, compiler: str) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler} on this machine")
    include = sysconfig.get_path("include")
    flags = ["-std=gnu11", "-O2", "-fPIC", "-shared", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    source = Path(engines.__file__).with_name("_slicer.c")
    command = [compiler, *flags, f"-I{include}", str(source), "-o", str(tmp_path / "x.so")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
