"""Whether something got slower: one run beside a stored one, by ratios within each of them.

Seconds mean nothing between two runs: the machine is another, or somebody shares it. What lasts is
how much longer one benchmark takes than the others of its run. So each benchmark's change, its time
now by its time then, is set beside two sorts of others, and their median is robust against one that
changed itself:

- the same work on the other engines: does not see what slows a work down on all engines;
- other works on the same engine: does not see what slows all of an engine down.

One benchmark got slower if it did beside both; a work, if it did beside the other works on more
than half of the engines; an engine, if it did beside the other engines at more than half of the
works. What scattered in the stored run has to be slower by that much more: a work that LuaJIT
compiles now well and now badly has two times, and chance decides which one a run sees.

What slows everything down alike looks like a slower machine, and is not seen. Times by the clock,
of work that several processes do, are left out: a busy machine makes them longer than those that
count the processor's time, again and again.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from benchmarks.engine_run import Group, Run

THRESHOLD = 1.5
"""How many times the time is too much."""

REPEATS = 3
"""How often what looks slow is measured again."""

MISSES = 1
"""How often it may look as fast as before then: somebody shares the machine."""

YARDSTICKS = 5
"""Groups that are measured again with it, to set it beside: those that changed least."""

Place = tuple[str, str]
"""A group and an engine."""

Changes = Mapping[Place, float]
"""How many times its time before each takes."""


@dataclass(frozen=True)
class Slower:
    """What got slower, by how much; None stands for all."""

    group: str | None
    engine: str | None
    factor: float
    what: str = "takes"
    """Its time; "holds": its memory."""

    @property
    def place(self) -> tuple[str | None, str | None, str]:
        return self.group, self.engine, self.what

    def __str__(self) -> str:
        group = self.group or "all works together"
        engine = "all engines together" if self.engine is None else self.engine
        return f"{group}, {engine}: {self.what} {self.factor:.2f} times what it did"


def changes(run: Run, baseline: Run) -> Changes:
    """Of the benchmarks that both have, and that say more than how busy the machine is."""
    return dict(_quotients(run, baseline, _own_time))


def find_slower(
    run: Run,
    baseline: Run,
    threshold: float = THRESHOLD,
    *,
    yardsticks: Collection[str] | None = None,
) -> list[Slower]:
    """The works that count for "other works on the same engine" are ``yardsticks``, or all."""
    changed = changes(run, baseline)
    beside_engines = _ratios(changed, lambda group, _, other: other[0] == group)
    beside_works = _ratios(
        changed,
        lambda _, engine, other: (
            other[1] == engine and (yardsticks is None or other[0] in yardsticks)
        ),
    )
    scatter = {
        (group.name, engine): one.spread
        for group in baseline.groups()
        for engine, one in group.on.items()
    }
    usual = {group.name: group.spread() for group in baseline.groups()}
    found = [
        *((Slower(it, None, factor), usual[it]) for it, factor in _most(beside_works, 0)),
        *((Slower(None, it, factor), 0.0) for it, factor in _most(beside_engines, 1)),
    ]
    for place in changed:
        ratios = [of_one[place] for of_one in (beside_engines, beside_works) if place in of_one]
        if ratios:
            found.append((Slower(*place, min(ratios)), scatter[place]))
    grown = _quotients(run, baseline, lambda group, engine: group.on[engine].extra_info.bytes)
    found += [(Slower(*place, factor, "holds"), 0.0) for place, factor in grown]
    return [one for one, room in found if one.factor > threshold * (1 + room)]


def decide(
    run: Run,
    baseline: Run,
    measure_again: Callable[[Collection[str]], Run],
    threshold: float = THRESHOLD,
    *,
    tell: Callable[[str], object] = print,
) -> list[Slower]:
    """What is slower in ``run``, and mostly still is when its groups are measured again."""
    suspects = find_slower(run, baseline, threshold)
    yardsticks = steady_groups(run, baseline, {one.group for one in suspects if one.group})
    misses = Counter[object]()
    for _ in range(REPEATS):
        if not suspects:
            break
        tell("Looks slower, and is measured again:")
        for one in suspects:
            tell(f"  {one}")
        groups = dict.fromkeys([*(one.group for one in suspects if one.group), *yardsticks])
        again = find_slower(measure_again(groups), baseline, threshold, yardsticks=yardsticks)
        factors = {one.place: one.factor for one in again}
        misses.update(one.place for one in suspects if one.place not in factors)
        suspects = [
            replace(one, factor=min(one.factor, factors.get(one.place, one.factor)))
            for one in suspects
            if misses[one.place] <= MISSES
        ]
    return suspects


def steady_groups(run: Run, baseline: Run, without: Collection[str]) -> list[str]:
    """Of the others, those that changed most like everything else did."""
    changed = changes(run, baseline)
    if not changed:
        return []
    usual = statistics.median(changed.values())
    unrest: dict[str, float] = {}
    for (group, _), change in changed.items():
        unrest[group] = max(unrest.get(group, 1.0), change / usual, usual / change)
    return sorted(unrest.keys() - set(without), key=lambda group: unrest[group])[:YARDSTICKS]


def only_in_one(run: Run, baseline: Run) -> Iterator[str]:
    """One line for each group and engine that can't be compared."""
    now, then = _places(run), _places(baseline)
    for group, engine in then - now:
        yield f"{group}, {engine}: in the baseline alone"
    for group, engine in now - then:
        yield f"{group}, {engine}: not in the baseline"


def _own_time(group: Group, engine: str) -> float | None:
    one = group.on[engine]
    return None if one.is_by_the_clock else one.time


def _places(run: Run) -> set[Place]:
    return {(group.name, engine) for group in run.groups() for engine in group.on}


def _quotients(
    run: Run, baseline: Run, value: Callable[[Group, str], float | None]
) -> Iterator[tuple[Place, float]]:
    before = {group.name: group for group in baseline.groups()}
    for group in run.groups():
        for engine in group.on:
            old = before.get(group.name)
            if old is None or engine not in old.on:
                continue
            now, then = value(group, engine), value(old, engine)
            if now and then:
                yield (group.name, engine), now / then


def _ratios(changed: Changes, stands_beside: Callable[[str, str, Place], bool]) -> Changes:
    """Each change beside the median of the others that it is to be set beside."""
    ratios = {}
    for place, change in changed.items():
        others = [
            of_other
            for other, of_other in changed.items()
            if other != place and stands_beside(*place, other)
        ]
        if others:
            ratios[place] = change / statistics.median(others)
    return ratios


def _most(ratios: Changes, part: int) -> Iterator[tuple[str, float]]:
    """For each group (part 0) or engine (part 1) the factor that more than half of it reach."""
    of_each: dict[str, list[float]] = {}
    for place, ratio in ratios.items():
        of_each.setdefault(place[part], []).append(ratio)
    for name, of_it in of_each.items():
        if len(of_it) > 1:
            yield name, statistics.median_low(of_it)
