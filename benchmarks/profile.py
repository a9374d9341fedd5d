"""Where the time of a request goes, by function of the server's.

    python -m benchmarks.profile [--scenario hello] [--engine luajit] [--seconds S] [--functions N]
        [--store FILE] [--page FILE]

The server runs under wrk's load, first as it is installed, then as it is written, without compiled
modules, which no sampler sees into; that one is sampled from within (benchmarks/profiled.py says
how). Its shares are those of the second, what a request takes is told of both.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import sysconfig
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import msgspec

from benchmarks import wrk
from benchmarks.load import WARM_UP_SECONDS, command
from benchmarks.load_scenarios import Scenario, load_scenarios
from benchmarks.machine import Machine, describe_machine
from benchmarks.page import replace_part, store, table
from benchmarks.processes import processor_seconds
from benchmarks.servers import ROOT, free_port, server

Function = tuple[str, str]
"""Its file and its name."""

AREAS = {
    "engines/": "Lua",
    "candy_trio/lua/": "candy_trio: what runs scripts",
    "candy_trio/handlers/": "candy_trio: what runs scripts",
    "candy_trio/server/": "candy_trio: connections, recv and send",
    "candy_trio/http/": "candy_trio: HTTP",
    "candy_trio/": "candy_trio: the rest (exchange, phases, routing, logs)",
    "trio/": "trio and the wait for clients",
}
FUNCTIONS = 25
"""Shown."""

OTHER_AREA = "other libraries"
STANDARD_LIBRARY = sysconfig.get_path("stdlib")


class Sample(msgspec.Struct, frozen=True):
    """How often one stack was seen, innermost function first."""

    count: int
    stack: tuple[Function, ...]


class Row(msgspec.Struct, frozen=True):
    """A function's share of all samples, in percent."""

    function: str
    own: float
    with_callees: float


class Load(msgspec.Struct, frozen=True):
    """A server under load."""

    rate: float
    """Requests a second."""
    microseconds: float
    """Of the server's processor time for each request."""
    kernel: float
    """How much of that in the kernel, in percent."""


class ProfileReport(msgspec.Struct):
    """One run."""

    machine: Machine
    scenario: str
    engine: str
    installed: Load
    written: Load
    sampled_rate: float
    samples: int
    areas: dict[str, float]
    functions: list[Row]


def measure(scenario_name: str, engine: str, seconds: int) -> ProfileReport:
    scenario = load_scenarios()[scenario_name]
    with tempfile.TemporaryDirectory() as path:
        folder, port = Path(path), free_port()
        output = folder / "samples.json"
        plain = command(engine, scenario, port, folder)
        with server(plain, port, folder) as number:
            installed = load_of(number, scenario, port, seconds, folder)
        sampled = [sys.executable, "-m", "benchmarks.profiled", plain[-1], str(output)]
        with server(sampled, port, folder, {"CANDY_TRIO_PURE": "1"}) as number:
            written = load_of(number, scenario, port, seconds, folder)
            os.kill(number, signal.SIGUSR2)
            load = wrk.run(scenario, port, seconds, folder)
            os.kill(number, signal.SIGUSR2)
        samples = msgspec.json.decode(output.read_bytes(), type=list[Sample])
    count = sum(sample.count for sample in samples)
    return ProfileReport(
        machine=describe_machine(),
        scenario=scenario_name,
        engine=engine,
        installed=installed,
        written=written,
        sampled_rate=load.rate,
        samples=count,
        areas=areas_of(samples, count),
        functions=functions_of(samples, count),
    )


def load_of(number: int, scenario: Scenario, port: int, seconds: int, folder: Path) -> Load:
    """What the server with that process number does, checked and warmed up."""
    problem = scenario.check(port)
    if problem is not None:
        raise SystemExit(problem)
    wrk.run(scenario, port, WARM_UP_SECONDS, folder)
    before = processor_seconds(number)
    found = wrk.run(scenario, port, seconds, folder)
    user, kernel = (now - then for now, then in zip(processor_seconds(number), before, strict=True))
    total = user + kernel
    return Load(found.rate, total / found.requests * 1e6, kernel / total * 100)


def areas_of(samples: Iterable[Sample], count: int) -> dict[str, float]:
    found: Counter[str] = Counter()
    for sample in samples:
        found[area_of(sample.stack[0][0])] += sample.count
    return {name: share / count * 100 for name, share in found.most_common()}


def area_of(file: str) -> str:
    name = short(file)
    return next((area for prefix, area in AREAS.items() if name.startswith(prefix)), OTHER_AREA)


def functions_of(samples: Iterable[Sample], count: int) -> list[Row]:
    own: Counter[Function] = Counter()
    everything: Counter[Function] = Counter()
    for sample in samples:
        own[sample.stack[0]] += sample.count
        for function in set(sample.stack):
            everything[function] += sample.count
    return [
        Row(f"{short(file)}: {name}", share / count * 100, everything[file, name] / count * 100)
        for (file, name), share in own.most_common()
    ]


def short(file: str) -> str:
    """Beginning with the package."""
    file = file.rpartition("/site-packages/")[2]
    return file.removeprefix(f"{ROOT}/").removeprefix(f"{STANDARD_LIBRARY}/")


def summary(report: ProfileReport) -> list[str]:
    title = load_scenarios()[report.scenario].title
    return [
        f"{title}, {report.engine}: {told(report.installed)}. As it is written:"
        f" {told(report.written)}; {report.sampled_rate:,.0f} a second while it was sampled"
        f" ({report.samples:,} samples).",
    ]


def told(load: Load) -> str:
    return (
        f"{load.rate:,.0f} requests a second, each of which takes {load.microseconds:.1f} µs of the"
        f" server's processor time, {load.kernel:.0f} % of it in the kernel"
    )


def page_part(report: ProfileReport, functions: int) -> list[str]:
    machine = report.machine
    return [
        *summary(report),
        "",
        *table(["where", "%"], [[name, f"{share:.1f}"] for name, share in report.areas.items()]),
        "",
        *table(
            ["function", "% in it and in C that it calls", "% with all that it calls"],
            [
                [f"`{row.function}`", f"{row.own:.1f}", f"{row.with_callees:.1f}"]
                for row in report.functions[:functions]
            ],
        ),
        "",
        f"{machine.date}; {machine.processor}; {machine.system};"
        f" candy_trio {machine.versions['candy_trio']}.",
    ]


def print_report(report: ProfileReport, functions: int) -> None:
    print(*summary(report), sep="\n")
    for name, share in report.areas.items():
        print(f"  {share:5.1f} %  {name}")
    print("  own and C   with all")
    for row in report.functions[:functions]:
        print(f"  {row.own:7.1f} % {row.with_callees:8.1f} %  {row.function}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--scenario", default="hello", choices=list(load_scenarios()))
    parser.add_argument("--engine", default="luajit")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--functions", type=int, default=FUNCTIONS, help="how many are shown")
    parser.add_argument("--store", type=Path, help="a file for all that was measured, as JSON")
    parser.add_argument("--page", type=Path, help="a page whose table is written anew")
    arguments = parser.parse_args()
    if (reason := wrk.missing()) is not None:
        raise SystemExit(reason)
    report = measure(arguments.scenario, arguments.engine, arguments.seconds)
    print_report(report, arguments.functions)
    if arguments.store is not None:
        store(arguments.store, report)
    if arguments.page is not None:
        replace_part(arguments.page, "profile", page_part(report, arguments.functions))


if __name__ == "__main__":
    main()
