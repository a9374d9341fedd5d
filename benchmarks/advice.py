"""Which engine for what: sentences chosen and filled by the figures of one run.

Each topic is a way to use an engine, and has the figures that speak for it. What they say is put
into words here; nothing of it is known beforehand.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.engine_look import duration, label, labels, listed, times
from benchmarks.engine_run import ENGINES, REFERENCE, Group, Run, in_order
from benchmarks.panels import mean

LEAST_MARGIN = 0.05
"""Engines that are nearer to each other than this part are level; or than the run's own spread."""
MATTERS = 1.25
"""How many times as good as the last the first has to be, if the choice is to matter."""
NAMED = 3
"""Exceptions that are named."""

Value = Callable[[Group, str], float | None]
"""How an engine stands at a work, beside the reference; more is better."""


@dataclass(frozen=True)
class Topic:
    """One use, and what is looked at for it."""

    title: str
    """As a heading."""
    phrase: str
    """As a part of a sentence."""
    suite: str
    value: Value = Group.speed
    shown: Callable[[float], float] = float
    """Such a value as it is told."""
    told: str = "as fast as {}"
    more: str = "faster"
    without: Sequence[str] = ()
    """Engines that are no choice here."""
    works: Sequence[str] = ()
    """Those that count, or all."""
    adds: Callable[[Sequence[Group], Sequence[str]], str] | None = None
    """A sentence more, of the groups and of the engines from the best to the last."""


@dataclass(frozen=True)
class Advice:
    """On one topic."""

    topic: Topic
    engines: Sequence[str]
    """The best; none if it hardly matters."""
    lead: str
    """A sentence."""
    more: Sequence[str]
    """Further ones."""


def advise(run: Run) -> list[Advice]:
    """On each topic that the run has figures for."""
    margin = margin_of(run)
    groups = run.groups()
    there = (_advice(topic, groups, margin) for topic in TOPICS)
    return [advice for advice in there if advice is not None]


def margin_of(run: Run) -> float:
    """By how much engines have to differ not to be level."""
    return max(LEAST_MARGIN, run.spread())


def in_short(advices: Sequence[Advice]) -> str:
    """One sentence for each choice that is the best of something, the most useful first."""
    uses: dict[tuple[str, ...], list[str]] = {}
    for advice in advices:
        uses.setdefault(tuple(advice.engines), []).append(advice.topic.phrase)
    indifferent = uses.pop((), [])
    told = [
        f"{labels(engines, 'or')} for {listed(phrases)}."
        for engines, phrases in sorted(uses.items(), key=lambda item: -len(item[1]))
    ]
    if indifferent:
        told.append(f"For {listed(indifferent)} the choice hardly matters.")
    return " ".join(told)


def _advice(topic: Topic, all_groups: Sequence[Group], margin: float) -> Advice | None:
    timed = [
        group
        for group in all_groups
        if group.suite == topic.suite
        and (not topic.works or group.work in topic.works)
        and topic.value(group, REFERENCE) is not None
    ]
    groups = [group for group in timed if group.is_steady()]
    engines = in_order({it for group in groups for it in group.on} - {*topic.without}, ENGINES)
    found = {it: mean(topic.value(group, it) for group in groups) for it in engines}
    means = {it: value for it, value in found.items() if value is not None}
    if len(means) < 2:
        return None
    ranks = sorted(means, key=means.__getitem__, reverse=True)
    spread = means[ranks[0]] / means[ranks[-1]]
    best = [it for it in ranks if means[it] * (1 + margin) >= means[ranks[0]]]
    more = []
    if spread < MATTERS:
        best, lead = [], _indifferent(ranks, spread)
        more.append(_widest(topic, groups, ranks))
    else:
        lead = _lead(topic, groups, best, ranks, means)
        more += _exceptions(topic, groups, ranks, margin)
    if topic.adds is not None:
        more.append(topic.adds(groups, ranks))
    unsteady = [group.work for group in timed if group not in groups]
    if unsteady:
        more.append(f"Too unsteady in this run to count: {listed(unsteady)}.")
    return Advice(topic, best, lead, more)


def _indifferent(ranks: Sequence[str], spread: float) -> str:
    return (
        f"The best, {label(ranks[0])}, is {times(spread)} as good as the last, {label(ranks[-1])}:"
        " let the language decide."
    )


def _widest(topic: Topic, groups: Sequence[Group], ranks: Sequence[str]) -> str:
    """The work at which the engines differ most."""
    ends = []
    for group in groups:
        values = {it: topic.value(group, it) or 0.0 for it in ranks}
        best, last = max(values, key=values.__getitem__), min(values, key=values.__getitem__)
        ends.append((values[best] / values[last], group.work, best, last))
    ratio, work, best, last = max(ends)
    return f"Furthest apart at {work}: {label(best)} is {times(ratio)} as good as {label(last)}."


def _lead(
    topic: Topic,
    groups: Sequence[Group],
    best: Sequence[str],
    ranks: Sequence[str],
    means: dict[str, float],
) -> str:
    """Who is ahead, by how much, and who is last."""

    def tell(value: float) -> str:
        return times(topic.shown(value))

    first, last = ranks[0], ranks[-1]
    others = [it for it in ranks if it not in best]
    if len(best) > 1:
        text = f"{labels(best)} are level"
        if REFERENCE not in best:
            text += f", {tell(means[first])} {topic.told.format(label(REFERENCE))}"
    elif first == REFERENCE:
        text = f"{label(first)} is ahead"
    else:
        text = f"{tell(means[first])} {topic.told.format(label(REFERENCE))}"
        highest = max(groups, key=lambda group: topic.value(group, first) or 0.0)
        lowest = min(groups, key=lambda group: topic.value(group, first) or 0.0)
        if len(groups) > 2 and highest != lowest:
            text += (
                f", from {tell(topic.value(lowest, first) or 0.0)} ({lowest.work})"
                f" to {tell(topic.value(highest, first) or 0.0)} ({highest.work})"
            )
    if others and others[0] not in (REFERENCE, last):
        text += f"; next comes {label(others[0])} with {tell(means[others[0]])}"
    if last == REFERENCE:
        return f"{text}, which is last."
    return f"{text}; {label(last)} is last with {tell(means[last])}."


def _exceptions(
    topic: Topic, groups: Sequence[Group], ranks: Sequence[str], margin: float
) -> list[str]:
    """Works at which the best of all is not the best."""
    first = ranks[0]
    better: list[tuple[float, str, str]] = []
    for group in groups:
        values = {it: topic.value(group, it) or 0.0 for it in ranks}
        champion = max(values, key=values.__getitem__)
        ratio = values[champion] / values[first]
        if ratio > 1 + 2 * margin:
            better.append((ratio, champion, f"{group.work} ({times(ratio)})"))
    if not better or len(groups) < 2:
        return []
    better.sort(reverse=True)
    works: dict[str, list[str]] = {}
    for _, champion, work in better[:NAMED]:
        works.setdefault(champion, []).append(work)
    named = [f"{label(it)} at {listed(of_it)}" for it, of_it in works.items()]
    if len(better) > NAMED:
        named.append(f"others at {len(better) - NAMED} more")
    return [f"Not everywhere: {topic.more} than {label(first)} is {', '.join(named)}."]


def _warm_up(groups: Sequence[Group], ranks: Sequence[str]) -> str:
    """How much longer than a warm run the first one takes."""
    longer = {}
    for engine in dict.fromkeys((ranks[0], REFERENCE)):
        ratios = [
            first / group.on[engine].time
            for group in groups
            if engine in group.on and (first := group.on[engine].extra_info.first)
        ]
        longer[engine] = statistics.median(ratios)
    told = [f"{times(ratio)} a warm one on {label(engine)}" for engine, ratio in longer.items()]
    return f"A first run takes {listed(told)}, at the median work."


def _one(groups: Sequence[Group], ranks: Sequence[str]) -> str:
    """What the first of the works takes in time."""
    group = groups[0]
    there = [it for it in dict.fromkeys((ranks[0], REFERENCE, ranks[-1])) if it in group.on]
    took = [f"{duration(group.on[it].time_of_one)} with {label(it)}" for it in there]
    work = group.work
    return f"{work[0].upper()}{work[1:]} takes {listed(took)}."


TEXT = (
    *("string building", "pattern matching", "template rendering"),
    *("json parsing", "json encoding"),
)

TOPICS = (
    Topic("Computing, on a busy route", "computing", "language"),
    Topic(
        "Computing, on a route that is rarely asked",
        "computing once in a while",
        "language",
        Group.first_speed,
        adds=_warm_up,
    ),
    Topic(
        "Computing, and not on LuaJIT",
        "computing without LuaJIT",
        "language",
        without=("luajit",),
    ),
    Topic("Working on text", "working on text", "language", works=TEXT),
    Topic("Calling the API", "calling the API", "api"),
    Topic("Waiting, and passing text", "waiting and passing text", "crossing"),
    Topic("A whole small request", "small requests", "request", adds=_one),
    Topic(
        "Scripts that are new or have changed",
        "scripts that change",
        "compile",
        works=("cold",),
        adds=_one,
    ),
    Topic(
        "Little memory",
        "little memory",
        "memory",
        Group.lightness,
        shown=lambda lightness: 1 / lightness,
        told="the memory of {}",
        more="lighter",
    ),
)
