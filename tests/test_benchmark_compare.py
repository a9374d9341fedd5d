"""benchmarks/compare.py finds what got slower in made-up runs, and nothing else."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection

import pytest
from support.engine_runs import MACHINE, WORKS, joined, made_up

from benchmarks.compare import REPEATS, Slower, decide, find_slower, only_in_one, steady_groups
from benchmarks.engine_run import ENGINES, Run


def places(found: list[Slower]) -> set[tuple[str | None, str | None, str]]:
    return {one.place for one in found}


def again(runs: list[Run]) -> Callable[[Collection[str]], Run]:
    """A repeated measurement that has been made before; of the groups that are asked for."""

    def measure(groups: Collection[str]) -> Run:
        run = runs.pop(0)
        kept = [one for one in run.benchmarks if one.group in groups]
        return Run(machine_info=MACHINE, datetime=run.datetime, benchmarks=kept)

    return measure


def silent(_: str) -> None:
    """Nobody reads what looks slow in a test."""


def test_a_machine_of_another_speed_is_nothing() -> None:
    """Neither five times as slow nor five times as fast, with 7 % of noise."""
    for machine in (5.0, 0.2):
        run = made_up(machine=machine, noise=random.Random(1))
        assert find_slower(run, made_up()) == []


@pytest.mark.parametrize("engine", ENGINES)
def test_one_work_on_one_engine(engine: str) -> None:
    """Is named with its engine and by how much, on a slower machine, too."""
    run = made_up({("sort", engine): 2.0}, machine=3.0)
    [found] = find_slower(run, made_up())
    assert (found.group, found.engine) == ("language: sort", engine)
    assert found.factor == pytest.approx(2.0)
    assert str(found) == f"language: sort, {engine}: takes 2.00 times what it did"


def test_one_work_on_half_of_the_engines() -> None:
    """Each of them is named."""
    slow = ("luajit", "lua54", "lua55")
    run = made_up({("sort", engine): 2.0 for engine in slow})
    assert places(find_slower(run, made_up())) == {("language: sort", it, "takes") for it in slow}


def test_one_work_on_all_engines() -> None:
    """The engines agree with one another, the other works tell."""
    run = made_up({("fib", engine): 1.8 for engine in ENGINES}, machine=0.5)
    [found] = find_slower(run, made_up())
    assert found.place == ("language: fib", None, "takes")
    assert found.factor == pytest.approx(1.8)
    assert "language: fib, all engines together" in str(found)


def test_all_works_on_one_engine() -> None:
    """The works agree with one another, the other engines tell."""
    run = made_up({(work, "lua53"): 1.8 for work in WORKS})
    [found] = find_slower(run, made_up())
    assert found.place == (None, "lua53", "takes")
    assert "all works together, lua53" in str(found)


def test_what_got_faster_makes_nothing_else_slower() -> None:
    """A work on five of six engines, and all of the sixth's works but one."""
    faster = {("sort", engine): 0.4 for engine in ENGINES if engine != "luajit"}
    assert find_slower(made_up(faster), made_up()) == []
    faster = {(work, "luajit"): 0.4 for work in WORKS if work != "nbody"}
    assert find_slower(made_up(faster), made_up()) == []


def test_threshold() -> None:
    """What it allows is left alone, and it can be chosen."""
    run = made_up({("fib", "lua54"): 1.4})
    assert find_slower(run, made_up()) == []
    assert places(find_slower(run, made_up(), 1.3)) == {("language: fib", "lua54", "takes")}


def test_what_scattered_needs_more() -> None:
    """A benchmark with two times is slow beyond both; its neighbours keep their threshold."""
    baseline = made_up(scatter={("sort", "luajit"): 1.0})
    slow = {("sort", "luajit"): 2.5, ("sort", "lua54"): 1.6}
    assert places(find_slower(made_up(slow), baseline)) == {("language: sort", "lua54", "takes")}
    [found] = find_slower(made_up({("sort", "luajit"): 3.2}), baseline)
    assert found.place == ("language: sort", "luajit", "takes")


def test_a_work_that_scattered_needs_more() -> None:
    """On all engines: their usual scatter counts, not that of one."""
    slow = {("fib", engine): 1.8 for engine in ENGINES}
    baseline = made_up(scatter={("fib", engine): 0.4 for engine in ENGINES})
    assert find_slower(made_up(slow), baseline) == []
    [found] = find_slower(made_up(slow), made_up(scatter={("fib", "luajit"): 0.4}))
    assert found.place == ("language: fib", None, "takes")


@pytest.mark.parametrize("engines", [("lua54",), ("luajit", "lua54")])
def test_few_engines(engines: tuple[str, ...]) -> None:
    """Where not all are installed, the slow one is named, and no other."""
    run = made_up({("fib", "lua54"): 2.0}, engines=engines)
    found = places(find_slower(run, made_up()))
    assert found == {("language: fib", "lua54", "takes")}


def test_times_by_the_clock_are_not_compared() -> None:
    """A busy machine makes them longer, and nothing else."""

    def with_requests(factor: float) -> Run:
        slow = {("over loopback", engine): factor for engine in ENGINES}
        of_two = made_up(slow, suite="request", works=["over loopback"], timer="perf_counter")
        return joined(made_up(), of_two)

    assert find_slower(with_requests(4.0), with_requests(1.0)) == []


def test_memory_is_compared_as_it_is() -> None:
    """Bytes are the same on every machine."""
    grown = {(work, engine): 1.6 for work in WORKS for engine in ENGINES}
    found = find_slower(made_up(held=grown), made_up(held={}))
    assert len(found) == len(WORKS) * len(ENGINES)
    assert str(found[0]) == "language: fib, luajit: holds 1.60 times what it did"


def test_one_noisy_measurement_is_no_regression() -> None:
    """What is mostly not slow when it is measured again was not slow."""
    noisy = made_up({("fib", "lua54"): 3.0})
    runs = [noisy, *(made_up(noise=random.Random(seed)) for seed in (2, 3))]
    assert decide(noisy, made_up(), again(runs), tell=silent) == []
    assert runs == []


def test_what_stays_slow_is_one() -> None:
    """Repeated is what looks slow, with steady works beside it; the least factor counts, and one
    measurement that sees nothing does not."""
    slow = {("fib", "lua54"): 3.0, ("sort", "lua51"): 2.5}
    still = [{("fib", "lua54"): 1.9}, {}, slow]
    asked: list[Collection[str]] = []
    measure = again([made_up(factors, machine=1.5) for factors in still])

    def measure_again(groups: Collection[str]) -> Run:
        asked.append(groups)
        return measure(groups)

    told: list[str] = []
    [found] = decide(made_up(slow), made_up(), measure_again, tell=told.append)
    assert found.place == ("language: fib", "lua54", "takes")
    assert found.factor == pytest.approx(1.9)
    first, second, third = (set(groups) for groups in asked)
    assert first & second >= {"language: fib", "language: sort"}
    assert "language: fib" in third
    assert "language: sort" not in third
    assert any("language: sort, lua51: takes 2.50 times" in line for line in told)


def test_what_is_slow_everywhere_stays_so_in_the_repetition() -> None:
    """A work on all engines, and all of an engine, beside few other works."""
    slow = {("fib", engine): 2.0 for engine in ENGINES}
    runs = [made_up(slow)] * REPEATS
    found = decide(made_up(slow), made_up(), again(runs), tell=silent)
    assert places(found) == {("language: fib", None, "takes")}
    slow = {(work, "lua52"): 2.0 for work in WORKS}
    runs = [made_up(slow)] * REPEATS
    found = decide(made_up(slow), made_up(), again(runs), tell=silent)
    assert places(found) == {(None, "lua52", "takes")}


def test_many_slow_works_do_not_hide_one_another() -> None:
    """More than the steady ones that are measured again with them."""
    works = [f"work {number}" for number in range(20)]
    slow = {(work, engine): 2.0 for work in works[:8] for engine in ENGINES}
    runs = [made_up(slow, works=works)] * REPEATS
    found = decide(made_up(slow, works=works), made_up(works=works), again(runs), tell=silent)
    assert places(found) == {(f"language: {work}", None, "takes") for work in works[:8]}


def test_noise_alone_is_not_measured_again() -> None:
    """Of a hundred runs with 7 % of noise in either."""
    noise = random.Random(3)

    def never(groups: Collection[str]) -> Run:
        raise AssertionError(groups)

    for _ in range(100):
        assert decide(made_up(noise=noise), made_up(noise=noise), never, tell=silent) == []


def test_steady_groups_are_those_that_changed_least() -> None:
    """The restless ones and those to be set beside them are not among them."""
    run = made_up({("sort", "luajit"): 0.5, ("say", "lua51"): 1.4}, machine=2.0)
    steady = steady_groups(run, made_up(), {"language: fib"})
    assert len(steady) == 5
    assert not {"language: sort", "language: say", "language: fib"} & set(steady)


def test_what_only_one_run_has_is_told() -> None:
    """A benchmark that is gone can't be slow, but is missed."""
    run = made_up(works=[*WORKS[1:]], engines=ENGINES[:2])
    baseline = made_up(engines=ENGINES[:1])
    assert set(only_in_one(run, baseline)) == {
        "language: fib, luajit: in the baseline alone",
        *(f"language: {work}, lua51: not in the baseline" for work in WORKS[1:]),
    }
