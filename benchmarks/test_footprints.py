"""What a VM holds on every engine, and what one thing more in it does.

    pip install -e '.[test,bench]'; python -m pytest benchmarks/test_footprints.py

``bytes`` in extra_info is what one of them holds, its garbage collected; the time is what making it
takes. How it is measured stands in benchmarks/suites.py. What a process holds that serves requests
is measured by benchmarks/footprint.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from benchmarks import suites
from benchmarks.engines import LuaBenchmark, Worker
from benchmarks.suites import Measure
from candy_trio.lua.vm import ScriptVM
from engines.base import PREEMPTED, Yielded

pytestmark = suites.in_this_process

THREAD = b"local wait = ...  return function() return wait('op') end"
WAIT = b"local K = ...  return K.wait"


class Held:
    """So many of something, made by a call and held until the next one is to come."""

    def __init__(
        self,
        used: Callable[[], int],
        make: Callable[[], Any],
        drop: Callable[[Any], object],
        count: int,
    ) -> None:
        """``used``: the bytes that are held without garbage, now."""
        self.count = count
        self._used = used
        self._make = make
        self._drop = drop
        self._held: list[Any] = []

    def call(self) -> None:
        """See :class:`benchmarks.suites.Work`."""
        self._held = [self._make() for _ in range(self.count)]

    def rest(self) -> None:
        """See :class:`benchmarks.suites.Work`."""
        while self._held:
            self._drop(self._held.pop())
        self._used()

    def size(self) -> int:
        """Bytes of one of them."""
        self.rest()
        before = self._used()
        self.call()
        after = self._used()
        self.rest()
        assert after > before
        return (after - before) // self.count


def _used(vm: ScriptVM) -> int:
    vm.engine_vm.collect()
    vm.engine_vm.collect()  # what finalizers and weak tables let go of in the first
    return vm.memory_used()


@contextmanager
def vms(engine: str) -> Iterator[Held]:
    """VMs that no script has run in."""
    worker, made = Worker(engine), []

    def make() -> ScriptVM:
        made.append(worker.new_vm())
        return made[-1]

    def drop(vm: ScriptVM) -> None:
        made.remove(vm)
        vm.close()

    held = Held(lambda: sum(_used(vm) for vm in made), make, drop, 1)
    try:
        yield held
    finally:
        held.rest()
        worker.close()


@contextmanager
def isolates(engine: str) -> Iterator[Held]:
    """A route's environment: its own libraries, modules and API tables."""
    with LuaBenchmark(engine, "", "") as lua:
        vm = lua.vm
        yield Held(lambda: _used(vm), lambda: vm.new_isolate(sandboxed=True), vm.drop_isolate, 50)


@contextmanager
def threads(engine: str) -> Iterator[Held]:
    """Runs of the engine that wait, without the server's API."""
    with LuaBenchmark(engine, "", "") as lua:
        vm, engine_vm = lua.vm, lua.vm.engine_vm
        wait = engine_vm.execute(WAIT, "wait", engine_vm.kernel)
        function = engine_vm.execute(THREAD, "thread", wait)

        def make() -> int:
            number = vm.next_number()
            answer = engine_vm.start(number, function)
            while answer is PREEMPTED:
                answer = engine_vm.resume(number)
            assert isinstance(answer, Yielded)
            return number

        yield Held(lambda: _used(vm), make, engine_vm.drop, 200)


@contextmanager
def requests(engine: str) -> Iterator[Held]:
    """Scripts that wait: a thread, globals of its own and the request's record."""
    with LuaBenchmark(engine, "ngx.sleep(60)", "") as lua:

        def make() -> int:
            run = lua.new_run()
            assert isinstance(lua.take(run), Yielded)
            return run.number

        yield Held(lambda: _used(lua.vm), make, lua.vm.engine_vm.drop, 200)


THINGS = {
    "VM at rest": vms,
    "environment of a route": isolates,
    "thread": threads,
    "request that waits": requests,
}


@pytest.mark.parametrize("engine", suites.ENGINES)
@pytest.mark.parametrize("work", THINGS)
def test_footprints(measure: Measure, engine: str, work: str) -> None:
    """What one more holds, and how long it takes to make."""
    things = THINGS[work]
    with things(engine) as held:
        size, count = held.size(), held.count
    measure("memory", work, engine, lambda: things(engine), calls=count, has_first=False, size=size)
