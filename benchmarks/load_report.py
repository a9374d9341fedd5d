"""What the load harness measured: medians, ratios, bounds; printed, stored, put on a page."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping

import msgspec

from benchmarks.load_scenarios import Scenario
from benchmarks.machine import Machine
from benchmarks.page import table
from benchmarks.peers import PEERS
from benchmarks.wrk import Load

NGINX = "nginx"
OTHERS = (NGINX, *PEERS)
"""Contestants that are no engine of Candy's."""


class Measured(msgspec.Struct):
    """Of one contestant in one scenario, round by round."""

    rates: list[float] = msgspec.field(default_factory=list)
    """Requests a second."""
    p50_ms: list[float] = msgspec.field(default_factory=list)
    p99_ms: list[float] = msgspec.field(default_factory=list)
    computing_us: list[float] = msgspec.field(default_factory=list)
    """Microseconds of the server's processor time for each request, on all cores together."""

    def add(self, load: Load, computing: float) -> None:
        self.rates.append(round(load.rate, 1))
        self.p50_ms.append(load.p50_ms)
        self.p99_ms.append(load.p99_ms)
        self.computing_us.append(round(computing / load.requests * 1e6, 1))

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)

    @property
    def computing(self) -> float:
        return statistics.median(self.computing_us)


class LoadReport(msgspec.Struct):
    """One run of the harness."""

    machine: Machine
    rounds: int
    seconds: int
    missing: dict[str, str]
    scenarios: dict[str, dict[str, Measured]]

    def ratio(self, scenario: str, of: str, to: str) -> float | None:
        """Of medians; None if one of the two did not take part."""
        measured = self.scenarios[scenario]
        if of not in measured or to not in measured:
            return None
        return measured[of].rate / measured[to].rate

    def contestants(self) -> list[str]:
        there = dict.fromkeys(name for measured in self.scenarios.values() for name in measured)
        return [
            *(name for name in there if name not in OTHERS),
            *filter(there.__contains__, OTHERS),
        ]

    def engines(self) -> list[str]:
        return [name for name in self.contestants() if name not in OTHERS]


def print_report(report: LoadReport, scenarios: Mapping[str, Scenario]) -> None:
    for name, measured in report.scenarios.items():
        print(scenarios[name].title)
        for contestant, of_it in measured.items():
            print(
                f"  {contestant:10} {of_it.rate:9,.0f} requests/s"
                f" ({min(of_it.rates):,.0f} to {max(of_it.rates):,.0f}),"
                f" p50 {statistics.median(of_it.p50_ms):.2f} ms,"
                f" p99 {statistics.median(of_it.p99_ms):.2f} ms,"
                f" {of_it.computing:.0f} µs of its processor time each"
            )
        bounds = scenarios[name].all_bounds()
        for engine in report.engines():
            for other in report.contestants():
                ratio = report.ratio(name, engine, other)
                if ratio is None or other in report.engines():
                    continue
                bound = bounds.get(f"{engine}/{other}")
                print(f"    {engine} to {other}: {ratio:.2f}{_verdict(ratio, bound)}")


def _verdict(ratio: float, bound: float | None) -> str:
    if bound is None:
        return ""
    return f", at least {bound:g} as it should" if ratio >= bound else f", BELOW {bound:g}"


def missed_bounds(report: LoadReport, scenarios: Mapping[str, Scenario]) -> list[str]:
    """One line for each."""
    missed = []
    for name in report.scenarios:
        for pair, bound in scenarios[name].all_bounds().items():
            of, _, to = pair.partition("/")
            ratio = report.ratio(name, of, to)
            if ratio is not None and ratio < bound:
                missed.append(f"{scenarios[name].title}: {pair} is {ratio:.3f}, not {bound:g}")
    return missed


def page_tables(report: LoadReport, scenarios: Mapping[str, Scenario]) -> list[str]:
    """For docs/performance.md: requests a second, ratios, and what they were measured on."""
    contestants = report.contestants()
    others = [name for name in contestants if name not in report.engines()]
    machine = report.machine
    versions = "; ".join(f"{name} {text}" for name, text in machine.versions.items())
    absent = [f"Without {name}: {reason}." for name, reason in report.missing.items()]
    return [
        "Requests a second, medians:",
        "",
        *table(["scenario", *contestants], _rows(report, scenarios, lambda it: f"{it.rate:,.0f}")),
        "",
        "Ratios of these medians, and what each has to be at least:",
        "",
        *table(
            ["scenario, engine", *(f"to {name}" for name in others)],
            _ratios(report, scenarios, others),
        ),
        "",
        "Microseconds of processor time that the server takes for a request, on all cores together,"
        " medians:",
        "",
        *table(
            ["scenario", *contestants], _rows(report, scenarios, lambda it: f"{it.computing:.0f}")
        ),
        "",
        "Milliseconds until the answer, at the median / at the 99th percentile, medians:",
        "",
        *table(["scenario", *contestants], _rows(report, scenarios, _latency)),
        "",
        f"{machine.date}; {machine.processor}, shared with the load; {machine.system};"
        f" {report.rounds} rounds of {report.seconds} seconds. {versions}.",
        *absent,
    ]


def _rows(
    report: LoadReport, scenarios: Mapping[str, Scenario], show: Callable[[Measured], str]
) -> list[list[str]]:
    return [
        [
            scenarios[name].title,
            *(show(measured[key]) if key in measured else "" for key in report.contestants()),
        ]
        for name, measured in report.scenarios.items()
    ]


def _latency(measured: Measured) -> str:
    p50, p99 = statistics.median(measured.p50_ms), statistics.median(measured.p99_ms)
    return f"{p50:.2g} / {p99:.2g}" if p99 < 100 else f"{p50:.2g} / {p99:.0f}"


def _ratios(
    report: LoadReport, scenarios: Mapping[str, Scenario], others: list[str]
) -> list[list[str]]:
    rows = []
    for name, measured in report.scenarios.items():
        bounds = scenarios[name].all_bounds()
        for engine in filter(measured.__contains__, report.engines()):
            cells = [f"{scenarios[name].title}, {engine}"]
            for other in others:
                ratio, bound = report.ratio(name, engine, other), bounds.get(f"{engine}/{other}")
                cell = "" if ratio is None else f"{ratio:.2f}"
                cells.append(f"{cell} (≥ {bound:g})" if cell and bound is not None else cell)
            rows.append(cells)
    return rows
