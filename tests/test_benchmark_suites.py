"""How the benchmarks that compare engines measure (benchmarks/suites.py), without the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest

from benchmarks.suites import Effort, Measure, SlowDown

EFFORT = Effort(vms=2, rounds=3, warm_up=2.0)
"""A clock that goes on by a second whenever it is read makes two turns of that."""


class Work:
    def __init__(self, seen: list[str]) -> None:
        self._seen = seen

    def call(self) -> None:
        self._seen.append("call")

    def rest(self) -> None:
        self._seen.append("rest")


class WorkWithFirst(Work):
    def first(self) -> float:
        self._seen.append("first")
        return 7.0


class Benchmark:
    """Stands for pytest-benchmark's fixture."""

    group = ""

    def __init__(self, seen: list[str]) -> None:
        self.extra_info: dict[str, Any] = {}
        self._seen = seen

    def pedantic(
        self, target: Callable[..., object], setup: Callable[[], Any], rounds: int
    ) -> None:
        for _ in range(rounds):
            args, kwargs = setup()
            self._seen.append("round")
            target(*args, **kwargs)


def measured(
    slow_down: str | None = None, kind: type[Work] = Work, **options: Any
) -> tuple[Benchmark, str]:
    """The fixture, and what was done, a letter for each: v for a new VM, - where it is closed,
    c for call, r for rest, R where a round begins, f for the method first."""
    seen: list[str] = []

    @contextmanager
    def fresh() -> Iterator[Work]:
        seen.append("vm")
        yield kind(seen)
        seen.append("-")

    benchmark, clock = Benchmark(seen), count(1.0)
    switch = None if slow_down is None else SlowDown(slow_down)
    measure = Measure(benchmark, EFFORT, switch, lambda: next(clock))
    measure("language", "fib: slow", "lua54", fresh, **options)
    letters = {"round": "R"}
    return benchmark, "".join(letters.get(what, what[0]) for what in seen)


def test_each_vm_is_new_and_has_a_first_time_a_warm_up_and_rests_before_its_rounds() -> None:
    """Nothing but the calls of rounds is between a rest and the next; VMs are closed in between."""
    benchmark, seen = measured()
    assert seen == ("vrc" + "cc" + "rRc" * 3 + "-") * 2
    assert benchmark.group == "language: fib: slow"


def test_what_a_report_reads_is_in_extra_info() -> None:
    """The first time is the clock's, of the work's call."""
    benchmark, _ = measured(calls=10, size=99)
    expected = {"suite": "language", "work": "fib: slow", "engine": "lua54", "calls": 10}
    assert benchmark.extra_info == {**expected, "bytes": 99, "first": 1.0}


def test_work_that_has_no_first_time_of_its_own_tells_none() -> None:
    """Making a second VM takes as long as making the first."""
    benchmark, _ = measured(has_first=False)
    assert "first" not in benchmark.extra_info


def test_work_may_tell_its_first_time_itself() -> None:
    """Where a call is many requests, and one of them the first."""
    benchmark, seen = measured(kind=WorkWithFirst)
    assert benchmark.extra_info["first"] == 7.0
    assert seen.startswith("vrf" + "cc" + "rRc")


def test_a_slow_down_does_the_work_of_one_benchmark_more_often() -> None:
    """In every round; the group's name may have colons in it."""
    _, seen = measured("language: fib: slow:lua54:3")
    assert seen == ("vrccc" + "ccc" * 2 + "rRccc" * 3 + "-") * 2


@pytest.mark.parametrize("text", ["language: fib: slow:lua55:3", "language: fib:lua54:3"])
def test_a_slow_down_leaves_others_alone(text: str) -> None:
    """Another engine; another work. And it knows that it has met nothing."""
    _, seen = measured(text)
    assert seen.count("c") == measured()[1].count("c")
    switch = SlowDown(text)
    assert switch.factor_of("language: fib: slow", "lua54") == 1
    assert not switch.used


@pytest.mark.parametrize("text", ["", "fib", "language: fib", "language: fib:lua54:twice", "a:b:0"])
def test_a_slow_down_that_is_not_understood_is_refused(text: str) -> None:
    """Else the check that it is for would have nothing to catch."""
    with pytest.raises(ValueError, match="not GROUP:ENGINE:FACTOR"):
        SlowDown(text)
