"""What the charts show: for each group its engines' bars, as parts of the chart's width.

Speeds are ratios to the reference's, on a scale where half as fast is as far from 1 as twice as
fast; a bar begins at 1, and goes to the right if its engine is faster. Memory is shown as it is:
its bars begin at nothing.
"""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from benchmarks.engine_look import label, percent, size, times
from benchmarks.engine_run import ENGINES, REFERENCE, Group, in_order

Bar = tuple[float, float]
"""From where to where, between 0 and 1."""


@dataclass(frozen=True)
class Row:
    """One engine's."""

    engine: str
    bar: Bar
    first: Bar | None
    figures: tuple[str, str]


@dataclass(frozen=True)
class Panel:
    """One group's, or one suite's."""

    title: str
    heads: tuple[str, str]
    base: float
    """Where the reference's 1 is."""
    ticks: Sequence[tuple[float, str]]
    rows: Sequence[Row]
    note: str = ""
    """What is to be known beside its title."""


@dataclass(frozen=True)
class Scale:
    """The powers of two between which speeds are shown."""

    low: int
    high: int

    def place(self, speed: float) -> float:
        return (math.log2(speed) - self.low) / (self.high - self.low)

    def ticks(self) -> list[tuple[float, str]]:
        """Not more than a phone has room for."""
        step = 1 if self.high - self.low <= 7 else 2
        powers = [power for power in range(self.low, self.high + 1) if power % step == 0]
        return [(self.place(2.0**power), _power_of_two(power)) for power in powers]


def scale_of(speeds: Iterable[float | None]) -> Scale:
    """One for all panels with these, so that their bars can be compared."""
    there = [speed for speed in speeds if speed is not None]
    # A bar that is a hair longer than a power of two needs no further one.
    low = math.floor(math.log2(min(there, default=1.0)) + 0.02)
    high = math.ceil(math.log2(max(there, default=1.0)) - 0.02)
    return Scale(min(low, -1), max(high, 1))


def panels_of(groups: Sequence[Group]) -> list[Panel]:
    """One for each group, of speeds, or of memory if that is what it measures."""
    scale = scale_of(
        speed
        for group in groups
        for engine in group.on
        for speed in (group.speed(engine), group.first_speed(engine))
    )
    return [replace(_panel_of(group, scale), note=_note(group)) for group in groups]


def overview(suites: Mapping[str, Sequence[Group]]) -> list[Panel]:
    """One for each suite, named as its title: geometric means over its steady groups."""
    suites = {title: [it for it in groups if it.is_steady()] for title, groups in suites.items()}
    suites = {title: groups for title, groups in suites.items() if groups}
    scale = scale_of(
        mean_of(groups, engine)
        for groups in suites.values()
        for engine in _engines(groups)
        for mean_of in (mean_speed, mean_first_speed)
        if not all(map(is_memory, groups))
    )
    return [_overview_panel(title, groups, scale) for title, groups in suites.items()]


def is_memory(group: Group) -> bool:
    return group.lightness(REFERENCE) is not None


def mean_speed(groups: Iterable[Group], engine: str) -> float | None:
    return mean(group.speed(engine) for group in groups)


def mean_first_speed(groups: Iterable[Group], engine: str) -> float | None:
    """Over the groups that have a first run."""
    return mean(group.first_speed(engine) for group in groups if group.first_speed(REFERENCE))


def mean(ratios: Iterable[float | None]) -> float | None:
    """Geometric, because they are ratios; None if one lacks."""
    there = list(ratios)
    known = [ratio for ratio in there if ratio is not None]
    return statistics.geometric_mean(known) if known and len(known) == len(there) else None


def _note(group: Group) -> str:
    return "" if group.is_steady() else f"rounds {percent(group.spread())} apart"


def _panel_of(group: Group, scale: Scale) -> Panel:
    if is_memory(group):
        held = {it: one.extra_info.bytes for it, one in group.on.items() if one.extra_info.bytes}
        reference = held[REFERENCE]
        figures = {it: (size(amount), times(amount / reference)) for it, amount in held.items()}
        heads = ("holds", f"of {label(REFERENCE).removeprefix('PUC ')}’s")
        return _amounts(group.work, held, figures, heads, size)
    warm = {engine: group.speed(engine) for engine in group.on}
    return _speeds(group.work, warm, {it: group.first_speed(it) for it in group.on}, scale)


def _overview_panel(title: str, groups: Sequence[Group], scale: Scale) -> Panel:
    engines = _engines(groups)
    if all(map(is_memory, groups)):
        means = {it: mean(group.lightness(it) for group in groups) for it in engines}
        held = {it: 1 / lightness for it, lightness in means.items() if lightness}
        figures = {it: (times(amount), "") for it, amount in held.items()}
        return _amounts(title, held, figures, ("holds", ""), lambda amount: f"{amount:g}")
    warm = {it: mean_speed(groups, it) for it in engines}
    return _speeds(title, warm, {it: mean_first_speed(groups, it) for it in engines}, scale)


def _engines(groups: Iterable[Group]) -> list[str]:
    return in_order({engine for group in groups for engine in group.on}, ENGINES)


def _speeds(
    title: str,
    warm: Mapping[str, float | None],
    first: Mapping[str, float | None],
    scale: Scale,
) -> Panel:
    base = scale.place(1.0)
    rows = []
    for engine, speed in warm.items():
        if speed is None:
            continue
        early = first[engine]
        rows.append(
            Row(
                engine,
                (base, scale.place(speed)),
                None if early is None else (base, scale.place(early)),
                (times(speed), "" if early is None else times(early)),
            )
        )
    heads = ("warm", "first run" if any(first.values()) else "")
    return Panel(title, heads, base, scale.ticks(), rows)


def _amounts(
    title: str,
    amounts: Mapping[str, float],
    figures: Mapping[str, tuple[str, str]],
    heads: tuple[str, str],
    show: Callable[[float], str],
) -> Panel:
    """Bars from nothing."""
    end = max(amounts.values())
    step = _round_step(end)
    steps = [count * step for count in range(1, int(end / step) + 1)]
    ticks = [(0.0, "0"), *((it / end, re.sub(r"\.0+\b", "", show(it))) for it in steps)]
    rows = [Row(it, (0.0, amount / end), None, figures[it]) for it, amount in amounts.items()]
    return Panel(title, heads, amounts[REFERENCE] / end, ticks, rows)


def _round_step(most: float) -> float:
    """1, 2 or 5 times a power of ten, so that there are two to four ticks besides 0."""
    power = 10.0 ** math.floor(math.log10(most))
    return next(step * power for step in (0.2, 0.5, 1, 2) if most < 4.9 * step * power)


def _power_of_two(power: int) -> str:
    halves = {-1: "½", -2: "¼", -3: "⅛"}
    return halves.get(power, f"1/{2**-power}" if power < 0 else str(2**power))
