"""The language suite's programs on LuaJIT: this server beside nginx with its Lua module.

    python -m benchmarks.language_nginx [--servers N] [--rounds N] [--seconds S]
        [--programs fib,sort] [--store FILE]

Both serve the same scripts, which do a program's work so many times that a request takes about S
seconds on nginx, and tell the processor time that it took; HTTP does not count. Rounds alternate
between the servers, because a shared machine's speed drifts. Servers are started anew N times,
because which traces LuaJIT records is partly chance. What is told of each program is nginx's time
in shares of ours: at 1 both are as fast, at 2 this server is twice as fast. Status 1 if the
geometric mean is below its bound, or a result was wrong.
"""

from __future__ import annotations

import argparse
import http.client
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from benchmarks import programs
from benchmarks.load import CONFIG, ROUTE
from benchmarks.machine import Machine, describe_machine
from benchmarks.page import store
from benchmarks.programs import Program, language_programs
from benchmarks.servers import candy, free_port, nginx, nginx_missing, server

MEAN_BOUND = 0.9

SCRIPT = """
local program, times = require("{name}"), tonumber(ngx.var.arg_times)
local result
local begun = os.clock()
for _ = 1, times do result = program({size}) end
ngx.say(os.clock() - begun)
ngx.say(result)
"""
TIMEOUT_SECONDS = 60


class Measured(msgspec.Struct):
    """One program on both servers."""

    times: int = 0
    """How often a request does its work."""
    ours: list[list[float]] = msgspec.field(default_factory=list)
    """Seconds of the processor, by server and round."""
    nginx: list[list[float]] = msgspec.field(default_factory=list)

    @property
    def ratio(self) -> float:
        """nginx's time in shares of ours."""
        return statistics.median(
            statistics.median(theirs) / statistics.median(ours)
            for ours, theirs in zip(self.ours, self.nginx, strict=True)
        )


class LanguageReport(msgspec.Struct):
    """One run."""

    machine: Machine
    programs: dict[str, Measured]
    ratios: dict[str, float] = {}
    mean: float = 0.0


class Contestant:
    """A server that has all programs."""

    def __init__(self, port: int) -> None:
        self._client = http.client.HTTPConnection("127.0.0.1", port, TIMEOUT_SECONDS)

    def seconds(self, program: Program, times: int) -> float:
        """What that many times of its work took."""
        self._client.request("GET", f"/{program.name}?times={times}")
        response = self._client.getresponse()
        answer = response.read().decode()
        taken, _, result = answer.partition("\n")
        if (response.status, result) != (200, f"{program.result}\n"):
            raise SystemExit(f"{program.name}: {response.status} {answer!r}")
        return float(taken)

    def close(self) -> None:
        self._client.close()


@contextmanager
def contestants(wanted: list[Program]) -> Iterator[tuple[Contestant, Contestant]]:
    """This server and nginx, just started."""
    with tempfile.TemporaryDirectory() as path:
        folder, port, nginx_port = Path(path), free_port(), free_port()
        scripts = {f"/{program.name}": folder / f"{program.name}.lua" for program in wanted}
        for program in wanted:
            text = SCRIPT.format(name=program.name, size=program.size)
            scripts[f"/{program.name}"].write_text(text)
        config = folder / "config.toml"
        more = "access_log = false"
        config.write_text(
            CONFIG.format(engine="luajit", port=port, modules=programs.FOLDER, more=more)
            + "".join(
                ROUTE.format(location=location, script=script)
                for location, script in scripts.items()
            )
        )
        command = nginx(folder, nginx_port, scripts, lua_modules=programs.FOLDER)
        with (
            server(candy(config), port, folder),
            server(command, nginx_port, folder),
            closing(Contestant(port)) as ours,
            closing(Contestant(nginx_port)) as theirs,
        ):
            yield ours, theirs


def measure(
    wanted: list[Program], servers: int, rounds: int, seconds: float
) -> dict[str, Measured]:
    measured = {program.title: Measured() for program in wanted}
    for turn in range(servers):
        with contestants(wanted) as (ours, theirs):
            for program in wanted:
                kept = measured[program.title]
                if not kept.times:
                    kept.times = times_of(theirs, program, seconds)
                ours.seconds(program, kept.times)
                theirs.seconds(program, kept.times)
                kept.ours.append([])
                kept.nginx.append([])
                for _ in range(rounds):
                    kept.ours[-1].append(ours.seconds(program, kept.times))
                    kept.nginx[-1].append(theirs.seconds(program, kept.times))
                print(
                    f"{time.strftime('%X')} servers {turn + 1}, {program.title}:"
                    f" {statistics.median(kept.ours[-1]):.3f} s,"
                    f" nginx {statistics.median(kept.nginx[-1]):.3f} s",
                    file=sys.stderr,
                )
    return measured


def times_of(contestant: Contestant, program: Program, seconds: float) -> int:
    """How often the work has to be done to take as long."""
    times = 1
    while (taken := contestant.seconds(program, times)) < seconds / 2:
        times *= 2
    return max(1, round(times * seconds / taken))


def arguments_of(names: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--servers", type=int, default=5, help="how often both are started")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.1, help="of one request")
    parser.add_argument("--programs", default=",".join(names), help="(default: %(default)s)")
    parser.add_argument("--store", type=Path, help="a file for all that was measured, as JSON")
    arguments = parser.parse_args()
    arguments.programs = arguments.programs.split(",")
    if unknown := set(arguments.programs) - set(names):
        parser.error(f"no such program: {', '.join(sorted(unknown))}")
    return arguments


def main() -> None:
    if (reason := nginx_missing()) is not None:
        raise SystemExit(reason)
    known = {program.name: program for program in language_programs()}
    arguments = arguments_of(list(known))
    wanted = [known[name] for name in arguments.programs]
    measured = measure(wanted, arguments.servers, arguments.rounds, arguments.seconds)
    report = LanguageReport(machine=describe_machine(), programs=measured)
    report.ratios = {name: kept.ratio for name, kept in measured.items()}
    report.mean = statistics.geometric_mean(report.ratios.values())
    for name, ratio in report.ratios.items():
        print(f"{name}: {ratio:.2f}")
    print(f"geometric mean: {report.mean:.3f}, at least {MEAN_BOUND}")
    if arguments.store is not None:
        store(arguments.store, report)
    if report.mean < MEAN_BOUND:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
