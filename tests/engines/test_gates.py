"""Gates: C functions of the extension in the place of library functions of ours, on PUC-Lua.

That results and errors are the native functions' is shown by ``test_library_differential.py``.
"""

from __future__ import annotations

from typing import Any

import pytest
from support.extension import need_extension

from engines import registry
from engines.base import PREEMPTED, Returned

ENGINES = ("lua53", "lua54", "lua55")
SLICE = 0.002
PRELUDE = b"""local K = ...
local base, strings, tables = K.library.base, K.library.string, K.library.table
"""
FUNCTIONS = {
    "string": ("find", "match", "format", "upper", "lower", "reverse", "rep"),
    "table": ("insert", "remove"),
    "base": ("tostring", "tonumber"),
}


def vm_of(engine: str) -> Any:
    need_extension()
    return registry.load(engine).new_vm(time_slice=SLICE)


def function(vm: Any, body: str) -> Any:
    return vm.execute(PRELUDE + f"return function(a) {body} end".encode(), "t", vm.kernel)


@pytest.mark.parametrize("engine", ENGINES)
def test_library_functions_are_c_functions(engine: str) -> None:
    vm = vm_of(engine)
    try:
        for library, names in FUNCTIONS.items():
            for name in names:
                what = f"return debug.getinfo(K.library.{library}.{name}, 'S').what"
                assert function(vm, what)() == b"C", name
    finally:
        vm.close()


# What is not for C: each counts to `a` in Lua that a gate has called.
HANDED_ON = {
    "insert": """
        local count = 0
        local function store(t, key, value) for i = 1, a do count = count + 1 end end
        tables.insert(setmetatable({}, {__newindex = store}), 1)
        return count""",
    "remove": """
        local count = 0
        local function load() for i = 1, a do count = count + 1 end return 'x' end
        tables.remove(setmetatable({}, {__index = load, __len = function() return 1 end}))
        return count""",
    "tostring": """
        local count = 0
        local function describe() for i = 1, a do count = count + 1 end return '' end
        base.tostring(setmetatable({}, {__tostring = describe}))
        return count""",
    "format": """
        local count = 0
        local function describe() for i = 1, a do count = count + 1 end return '' end
        strings.format('%s', 'x')
        strings.format('%s', setmetatable({}, {__tostring = describe}))
        return count""",
    "insert in front": """
        local t = {}
        for i = 1, 300000 do t[i] = i end
        tables.insert(t, 1, a)
        for i = 1, 300000 do if t[i + 1] ~= i then error(i) end end
        return t[1]""",
    "remove in front": """
        local t = {a}
        for i = 1, 300000 do t[i + 1] = i end
        local first = tables.remove(t, 1)
        for i = 1, 300000 do if t[i] ~= i then error(i) end end
        return first""",
    "find": """
        local text = ('a'):rep(400)
        strings.find('a', '.-.-b')
        if strings.find(text, '.-.-b') then error('found') end
        return a""",
}


@pytest.mark.parametrize("name", HANDED_ON)
@pytest.mark.parametrize("engine", ENGINES)
def test_what_a_gate_hands_on_is_interrupted(engine: str, name: str) -> None:
    vm = vm_of(engine)
    try:
        answer = vm.start(1, function(vm, HANDED_ON[name]), 1_000_000)
        interruptions = 0
        while answer == PREEMPTED:
            interruptions += 1
            answer = vm.resume(1)
        assert answer == Returned((1_000_000,))
        assert interruptions > 2
    finally:
        vm.close()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_finalizer_may_call_a_gate_when_the_slicer_is_gone(engine: str) -> None:
    """The last finalizers run when the VM is closed, and nobody sees what they raise."""
    vm = vm_of(engine)
    seen: list[bytes] = []
    body = """
      local function finalize()
        local t = {}
        tables.insert(t, strings.format('%d', strings.find('ab', 'b')))
        SEEN(tables.remove(t))
      end
      local forever = setmetatable({}, {__gc = finalize})
      coroutine.wrap(function() KEPT = forever coroutine.yield() end)()"""
    vm.execute(b"SEEN = ...", "t", lambda value: seen.append(value))
    function(vm, body)()
    vm.close()
    del vm
    assert seen == [b"2"]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_gate_learns_patterns_for_ever(engine: str) -> None:
    """What is known is forgotten from time to time; the gates get to know what comes after it."""
    vm = vm_of(engine)
    body = """
      for i = 1, 5000 do
        if strings.match('abc' .. i, 'c' .. i) ~= 'c' .. i then return i end
      end
      strings.match('xyz', '[^y]+')
      local held = {debug.getupvalue(strings.match, 3)}
      return held[2]['[^y]+'] ~= nil"""
    try:
        assert function(vm, body)() is True
    finally:
        vm.close()
