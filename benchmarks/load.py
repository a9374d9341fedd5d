"""Requests a second of the server and its peers, scenario by scenario.

    pip install -e '.[bench]'; python -m benchmarks.load [--scenarios hello,json] [--rounds N]
        [--seconds S] [--engines luajit,lua54] [--store FILE] [--page FILE]

Needs wrk, and nginx with its Lua module. Every contestant runs one worker; in each round each of
them is started afresh, its answers are checked, it is warmed up and measured. Rounds alternate
between the contestants, because a shared machine's speed drifts: what counts are ratios of medians.
Ends with status 1 if an answer was wrong, a request failed or a bound of
benchmarks/scenarios/scenarios.toml was missed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import peers, wrk
from benchmarks.load_report import (
    NGINX,
    LoadReport,
    Measured,
    missed_bounds,
    page_tables,
    print_report,
)
from benchmarks.load_scenarios import FOLDER, Scenario, load_scenarios
from benchmarks.machine import describe_machine
from benchmarks.page import replace_part, store
from benchmarks.processes import processor_seconds, with_children
from benchmarks.servers import candy, free_port, nginx, nginx_missing, server

WARM_UP_SECONDS = 1

CONFIG = """
lua_engine = "{engine}"
http_parser = "httptools"
log_folder = "logs"
lua_package_path = "{modules}/?.lua"
{more}
[[host]]
ip = "127.0.0.1"
port = {port}
"""
ROUTE = """
[[host.route]]
location = "= {location}"
lua_script = "{script}"
"""


def command(name: str, scenario: Scenario, port: int, folder: Path) -> list[str]:
    """That starts the contestant: nginx, a peer, or an engine of Candy's."""
    if name == NGINX:
        return nginx(
            folder,
            port,
            scenario.scripts(),
            lua_modules=FOLDER,
            dicts=scenario.dicts,
            access_log=scenario.access_log,
        )
    if name in peers.PEERS:
        return peers.command(name, port, scenario.access_log)
    more = [] if scenario.access_log else ["access_log = false"]
    dicts = [f'{{ name = "{key}", size = "{size}" }}' for key, size in scenario.dicts.items()]
    if dicts:
        more.append(f"lua_shared_dict = [{', '.join(dicts)}]")
    config = folder / "config.toml"
    config.write_text(
        CONFIG.format(engine=name, port=port, modules=FOLDER, more="\n".join(more))
        + "".join(
            ROUTE.format(location=location, script=script)
            for location, script in scenario.scripts().items()
        )
    )
    return candy(config)


def measure(name: str, scenario: Scenario, seconds: int) -> tuple[wrk.Load, float]:
    """One round of one contestant: what wrk saw, and the processor time that the server took."""
    with tempfile.TemporaryDirectory() as path:
        folder, port = Path(path), free_port()
        with server(command(name, scenario, port, folder), port, folder) as number:
            problem = scenario.check(port)
            if problem is not None:
                raise SystemExit(f"{name}, {scenario.title}: {problem}")
            wrk.run(scenario, port, WARM_UP_SECONDS, folder)
            before = computed(number)
            load = wrk.run(scenario, port, seconds, folder)
            return load, computed(number) - before


def computed(number: int) -> float:
    """Seconds of processor time that a server's processes have taken."""
    return sum(sum(processor_seconds(process)) for process in with_children(number))


def contestants(scenario: Scenario, engines: list[str], missing: dict[str, str]) -> list[str]:
    names = [*(engines or scenario.engines), NGINX, *(peers.PEERS if scenario.peers else ())]
    return [name for name in names if name not in missing]


def missing_peers() -> dict[str, str]:
    """Who can't take part, and why."""
    found = {NGINX: nginx_missing()} | {name: peers.missing(name) for name in peers.PEERS}
    return {name: reason for name, reason in found.items() if reason is not None}


def arguments_of(names: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--scenarios", default=",".join(names), help="(default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of one measurement")
    parser.add_argument("--engines", default="", help="instead of those that each scenario names")
    parser.add_argument("--store", type=Path, help="a file for all that was measured, as JSON")
    parser.add_argument("--page", type=Path, help="a page whose table is written anew")
    arguments = parser.parse_args()
    arguments.scenarios = arguments.scenarios.split(",")
    arguments.engines = list(filter(None, arguments.engines.split(",")))
    if unknown := set(arguments.scenarios) - set(names):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    return arguments


def main() -> None:
    scenarios = load_scenarios()
    arguments = arguments_of(list(scenarios))
    if (reason := wrk.missing()) is not None:
        raise SystemExit(reason)
    missing = missing_peers()
    for name, reason in missing.items():
        print(f"without {name}: {reason}")
    report = LoadReport(
        machine=describe_machine(),
        rounds=arguments.rounds,
        seconds=arguments.seconds,
        missing=missing,
        scenarios={name: {} for name in arguments.scenarios},
    )
    for turn in range(arguments.rounds):
        for name, measured in report.scenarios.items():
            scenario = scenarios[name]
            for contestant in contestants(scenario, arguments.engines, missing):
                load, computing = measure(contestant, scenario, arguments.seconds)
                measured.setdefault(contestant, Measured()).add(load, computing)
                print(
                    f"{time.strftime('%X')} round {turn + 1}, {name}, {contestant}:"
                    f" {load.rate:,.0f}",
                    file=sys.stderr,
                )
    print_report(report, scenarios)
    if arguments.store is not None:
        store(arguments.store, report)
    if arguments.page is not None:
        replace_part(arguments.page, "load", page_tables(report, scenarios))
    if problems := missed_bounds(report, scenarios):
        raise SystemExit("\n".join(problems))


if __name__ == "__main__":
    main()
