"""What the host must never meet in lupa 2.8, one test for each rule of engines/lupa_vm.py.

Each runs in a process of its own: without its rule it ends that process or hangs it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGINES = ("luajit", "lua51", "lua52", "lua53", "lua54", "lua55")

PRELUDE = """
import gc, sys
from engines import registry
from engines.base import Failed, Returned, Yielded
engine = registry.load(sys.argv[1])
def start(vm, number, body, *callbacks):
    head = b"local K, f = ... return function() " + body + b" end"
    return vm.start(number, vm.execute(head, "t", vm.kernel, *callbacks))
"""

NO_TABLES_IN_CALLBACKS = """
saved, refused = [], []
vm = engine.new_vm()
vm.on_callback_error = refused.append
for number in range(300):
    start(vm, number, b"for i = 1, 3 do f({i = i}, function() return i end) end", saved.append)
    if number % 50 == 0:
        gc.collect(); vm.collect()
assert not saved and len(refused) == 900, (len(saved), len(refused))
assert all(type(error) is TypeError for error in refused)
print("survived")
"""

NO_TABLES_IN_ANY_PLACE = """
# Guards differ by how many arguments a callback takes: none lets anything through, none raises.
saved, refused = [], []
vm = engine.new_vm()
vm.on_callback_error = refused.append
def none(): saved.append(())
def one(a): saved.append((a,))
def two(a, b=None): saved.append((a, b))
def five(a, b=None, c=None, d=None, e=None): saved.append((a, b, c, d, e))
def any_number(*args): saved.append(args)
calls = (b"f({})", b"f(1, {})", b"f({}, 1)", b"f(1, 2, {})", b"f(1, 2, 3, 4, print)",
         b"f(nil, {})", b"f(coroutine.create(function() end))", b"f(1, 2, 3, 4, 5, 6, {})")
number = 0
for callback in (none, one, two, five, any_number):
    for call in calls:
        number += 1
        answer = start(vm, number, b"return " + call, callback)
        assert answer == Returned((None, b"internal error")), (callback, call, answer)
assert not saved and len(refused) == number, (saved, len(refused))
assert all(type(error) is TypeError for error in refused)
for callback, call, given in (
        (none, b"f()", ()), (one, b"f('a')", (b"a",)), (one, b"f(nil)", (None,)),
        (two, b"f(1)", (1, None)), (two, b"f(false, 2)", (False, 2)),
        (two, b"f(1, nil)", (1, None)), (five, b"f(1, 2, nil)", (1, 2, None, None, None)),
        (five, b"f(1, 2, 3, nil)", (1, 2, 3, None, None)),
        (five, b"f(1, 2)", (1, 2, None, None, None)), (five, b"f(1, 2, 3, 4, 5)", (1, 2, 3, 4, 5)),
        (any_number, b"f(1, 2, 3, 4, 5, 6)", (1, 2, 3, 4, 5, 6))):
    number += 1
    assert start(vm, number, call, callback) == Returned(()), (callback, call)
    assert saved.pop() == given, (callback, call)
for callback, call in ((none, b"f(1)"), (one, b"f()"), (one, b"f(1, 2)"), (two, b"f()"),
                       (two, b"f(1, 2, 3)"), (five, b"f()"), (five, b"f(1, 2, 3, 4, 5, 6)")):
    number += 1
    answer = start(vm, number, b"return " + call, callback)
    assert answer == Returned((None, b"internal error")), (callback, call, answer)
assert not saved
print("survived")
"""

LIMIT_ONLY_DURING_STEPS = """
vm = engine.new_vm(memory_limit=8 << 20)
answer = start(vm, 1, b"T = {} local i = 0 while true do i = i + 1 T[i] = {} end")
assert isinstance(answer, Failed) and answer.error == b"not enough memory", answer
for number in range(2, 2000):     # the host's own calls go on: they have no limit
    vm.execute(b"local f = ... return coroutine.create(f)", "t", vm.kernel[b"wait"])
vm.execute(b"T = nil", "t"); vm.collect()
assert start(vm, 3000, b"return 1") == Returned((1,))
print("survived")
"""

NO_ROOM_FOR_A_RESULT = """
vm = engine.new_vm(memory_limit=8 << 20)
body = b"local text, err = f() return text, err"
assert start(vm, 1, body, lambda: b"x" * (20 << 20)) == Returned((None, b"not enough memory"))
assert start(vm, 2, b"return #f()", lambda: b"x" * (1 << 20)) == Returned((1 << 20,))
print("survived")
"""

NO_EXCEPTION_OBJECTS = """
vm = engine.new_vm()
def bad(*args):
    raise RuntimeError("secret")
for body in (b"return type((f()))", b"return type(select(2, pcall(f)))",
             b"local ok, e = pcall(function() error((f())) end) return type(e)"):  # 5.5: a text
    answer = start(vm, 1, body, bad)
    assert answer in (Returned((b"nil",)), Returned((b"string",))), answer
assert vm.execute(b"return python, package.loaded.python", "t") == (None, None)
assert start(vm, 2, b"return type(f), tostring(f):match('^%a+')", bad) == \\
    Returned((b"function", b"function"))
print("survived")
"""

CALLBACKS_ENTER_ONCE = """
vm = engine.new_vm()
shared = lambda n: n * 2
functions = [vm.execute(b"local f = ... return function(n) return f(n) end", "t", shared)
             for _ in range(200)]
for _ in range(5):
    functions = functions[::2] + [
        vm.execute(b"local f = ... return function(n) return f(n) end", "t", shared)
        for _ in range(100)]
    gc.collect(); vm.collect(); vm.collect()
    assert all(f(21) == 42 for f in functions)
print("survived")
"""

RULES = {
    "no_tables_in_callbacks": NO_TABLES_IN_CALLBACKS,
    "no_tables_in_any_place": NO_TABLES_IN_ANY_PLACE,
    "limit_only_during_steps": LIMIT_ONLY_DURING_STEPS,
    "no_room_for_a_result": NO_ROOM_FOR_A_RESULT,
    "no_exception_objects": NO_EXCEPTION_OBJECTS,
    "callbacks_enter_once": CALLBACKS_ENTER_ONCE,
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("rule", RULES)
def test_host_rule(rule: str, engine: str) -> None:
    """The process outlives what breaks it without the rule, and the script gets an answer."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", PRELUDE + RULES[rule], engine],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "survived\n", done.stderr
