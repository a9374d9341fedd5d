"""What is over leaves nothing in a VM: runs by the thousand, however they ended."""

from __future__ import annotations

import pytest
from contracts.engine_contract import function

from engines import registry
from engines.base import LuaVM, Returned, Yielded

NAMES = ["lua51", "lua52", "lua53", "lua54", "lua55", "luajit"]
pytestmark = pytest.mark.parametrize("name", NAMES)

RUNS = 1000
NOISE = 100 * RUNS
"""Bytes: a tenth of what a run's thread alone takes; less is tables that have grown once."""

COLLECTIONS = 8
"""LuaJIT's buffer for new strings shrinks by half in each."""

ENDINGS = {
    "stopped in pcall": "K.pcall(function() K.finish() end)",
    "stopped in a handler": "K.xpcall(function() error(1) end, function() K.finish() end)",
    "stopped in a coroutine": "K.coroutine.wrap(function() K.pcall(K.finish) end)()",
    "dropped in pcall": "K.pcall(function() K.pcall(K.wait, 'op') end)",
    "dropped in a coroutine": "K.coroutine.wrap(function() K.pcall(K.wait, 'op') end)()",
    "coroutine left in pcall": "K.coroutine.wrap(function() K.pcall(K.coroutine.yield) end)()",
    "failed": "K.pcall(error, 1) error('x')",
}


def used(vm: LuaVM) -> int:
    for _ in range(COLLECTIONS):
        vm.collect()
    return vm.memory_used()


@pytest.mark.parametrize("body", ENDINGS.values(), ids=ENDINGS)
def test_a_run_that_is_over_is_collected(name: str, body: str) -> None:
    """Neither the thread of a run nor a coroutine of it stays, wherever the run was ended."""
    vm = registry.load(name).new_vm()
    run = function(vm, body)

    def runs(first: int) -> int:
        for number in range(first, first + RUNS):
            if isinstance(vm.start(number, run), Yielded):
                vm.drop(number)
        return used(vm)

    before = runs(1)
    assert runs(RUNS + 1) - before < NOISE
    vm.close()


DROPPED = {
    "in a handler": "K.xpcall(function() error(1) end, function() K.wait('op') end)",
    "after an error": "K.pcall(K.coroutine.wrap(function() error({}) end)) K.wait('op')",
}


@pytest.mark.parametrize("body", DROPPED.values(), ids=DROPPED)
def test_the_last_run_keeps_no_thread(name: str, body: str) -> None:
    """What it noted of an error does not keep the dropped thread that this happened in."""
    size = 10_000_000
    vm = registry.load(name).new_vm()
    before = used(vm)
    text = f"local text = string.rep('x', {size}) {body} return text"
    assert isinstance(vm.start(1, function(vm, text)), Yielded)
    vm.drop(1)
    assert used(vm) - before < size // 10
    vm.close()


def test_an_idle_thread_holds_no_answer(name: str) -> None:
    """What a run has returned is garbage as soon as the host has it."""
    size = 10_000_000
    vm = registry.load(name).new_vm()
    before = used(vm)
    answer = vm.start(1, function(vm, f"return string.rep('x', {size})"))
    assert isinstance(answer, Returned)
    assert len(answer.values[0] or b"") == size
    assert used(vm) - before < size // 10
    vm.close()
