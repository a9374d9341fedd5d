"""One run of the engines' suites: what pytest-benchmark has stored of it, and its ratios.

The file is pytest-benchmark's own; what nothing here reads is left out when it is stored again.
A group is one work ("language: fib") on several engines. Benchmarks that don't say their suite,
work and engine belong to no group, and are left out.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from pathlib import Path

import msgspec

REFERENCE = "lua54"
"""The engine whose speed is 1."""

UNSTEADY = 0.15
"""A work whose rounds lie further apart is not counted in means: its figures would be chance."""

SUITES = ("language", "api", "crossing", "request", "compile", "memory")
"""In the order in which they are shown; any other follows."""

ENGINES = ("luajit", "lua51", "lua52", "lua53", "lua54", "lua55")
"""Likewise."""


class Stats(msgspec.Struct):
    """Seconds, of all rounds."""

    min: float
    median: float
    iqr: float
    rounds: int


class ExtraInfo(msgspec.Struct, omit_defaults=True):
    """What a suite says of its benchmark."""

    suite: str | None = None
    work: str | None = None
    engine: str | None = None
    first: float | None = None
    """Seconds of the first run in a fresh VM."""
    bytes: float | None = None
    """What it holds, in the memory suite."""
    calls: int = 1
    """How many of what the work is named for are made in one round."""


class Options(msgspec.Struct):
    """How pytest-benchmark was told to measure."""

    timer: str = "process_time"


class Benchmark(msgspec.Struct):
    """One work on one engine."""

    group: str | None
    fullname: str
    extra_info: ExtraInfo
    stats: Stats
    options: Options = msgspec.field(default_factory=Options)

    @property
    def is_by_the_clock(self) -> bool:
        """What else the machine does is in its time, too."""
        return self.options.timer != "process_time"

    @property
    def engine(self) -> str:
        return self.extra_info.engine or ""

    @property
    def time(self) -> float:
        return self.stats.median

    @property
    def spread(self) -> float:
        """How far the middle half of its rounds lie apart, as a part of their median."""
        return self.stats.iqr / self.time if self.time else 0.0

    @property
    def time_of_one(self) -> float:
        """Seconds for one of its calls, warm."""
        return self.time / self.extra_info.calls

    @property
    def first_time_of_one(self) -> float | None:
        """Likewise, in the first run."""
        first = self.extra_info.first
        return None if first is None else first / self.extra_info.calls


class Processor(msgspec.Struct):
    """As cpuinfo names it."""

    brand_raw: str = "a processor without a name"
    count: int = 0


class MachineInfo(msgspec.Struct):
    """Where it was measured."""

    node: str
    system: str
    release: str
    python_version: str
    cpu: Processor = msgspec.field(default_factory=Processor)
    versions: dict[str, str] = msgspec.field(default_factory=dict)


class Commit(msgspec.Struct):
    """What was measured."""

    id: str = ""
    dirty: bool = False


class Group(msgspec.Struct, frozen=True):
    """One work, on the engines that did it."""

    suite: str
    work: str
    on: dict[str, Benchmark]

    @property
    def name(self) -> str:
        return f"{self.suite}: {self.work}"

    def speed(self, engine: str) -> float | None:
        """How many times as fast as the reference it is, warm."""
        return _ratio(self._times(), engine)

    def first_speed(self, engine: str) -> float | None:
        """Likewise in the first run, beside the reference's first run."""
        return _ratio({name: one.extra_info.first for name, one in self.on.items()}, engine)

    def lightness(self, engine: str) -> float | None:
        """How many times the bytes that it holds would fit into what the reference holds."""
        return _ratio({name: one.extra_info.bytes for name, one in self.on.items()}, engine)

    def spread(self) -> float:
        """Of the engine in the middle."""
        return statistics.median(one.spread for one in self.on.values())

    def is_steady(self) -> bool:
        return self.spread() <= UNSTEADY

    def _times(self) -> dict[str, float | None]:
        return {name: one.time for name, one in self.on.items()}


class Run(msgspec.Struct):
    """All that one call of pytest has measured."""

    machine_info: MachineInfo
    datetime: str
    benchmarks: list[Benchmark]
    version: str = ""
    commit_info: Commit = msgspec.field(default_factory=Commit)

    def groups(self) -> list[Group]:
        """Suite by suite."""
        found: dict[tuple[str, str], dict[str, Benchmark]] = {}
        for one in self.benchmarks:
            extra = one.extra_info
            if extra.suite and extra.work and extra.engine:
                found.setdefault((extra.suite, extra.work), {})[extra.engine] = one
        groups = [
            Group(suite, work, {engine: on[engine] for engine in in_order(on, ENGINES)})
            for (suite, work), on in found.items()
        ]
        suites = in_order({group.suite for group in groups}, SUITES)
        return sorted(groups, key=lambda group: suites.index(group.suite))

    def spread(self) -> float:
        """Of the benchmark in the middle."""
        return statistics.median(one.spread for one in self.benchmarks)


def read_run(path: Path) -> Run:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Run)
    except FileNotFoundError:
        raise SystemExit(f"{path}: there is no such file") from None
    except msgspec.DecodeError as error:
        raise SystemExit(f"{path}: not what pytest-benchmark stores: {error}") from None


def store_run(path: Path, run: Run) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(run)) + b"\n")


def in_order(names: Iterable[str], order: tuple[str, ...]) -> list[str]:
    """Those with a place in ``order``, then the others by name."""
    there = set(names)
    return [name for name in order if name in there] + sorted(there.difference(order))


def _ratio(values: dict[str, float | None], engine: str) -> float | None:
    own, reference = values.get(engine), values.get(REFERENCE)
    return reference / own if own and reference else None
