"""How long light requests take beside scripts that compute: Candy and nginx's Lua module.

    python -m benchmarks.fairness [--engines luajit,lua54,lua55] [--rounds N] [--seconds S]

Two and then eight clients keep a heavy route busy, whose script computes for about a second (its
loop is calibrated for each server, alone on it); one client asks for the light route meanwhile.
Every server runs the same two scripts in one worker process; rounds alternate between the servers,
because a shared machine's speed drifts. Ends with status 1 where Candy's p99 is above its bound, or
a request of Candy's failed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from benchmarks.fairness_load import LIGHT_BODY, Outcome, Task, ask, connect, heavy_target
from benchmarks.servers import ROOT, candy, free_port, nginx, nginx_missing, server

BOUNDS = {2: 0.020, 8: 0.030}
"""Seconds that a light request may take at p99, by the number of heavy clients."""

HEAVY_SECONDS = 1.0
CALIBRATION_TURNS = 200_000
CALIBRATION_SECONDS = 0.3
"""A loop that takes at least so long tells how long the loop has to be."""

# A generator of pseudo-random numbers: Python computes its n-th number in no time. Now and then it
# makes a table and a string, so that the garbage collector has something to do.
MULTIPLIER, MODULUS = 16807, 2147483647
HEAVY = f"""
local n, x, kept = tonumber(ngx.var.arg_n), 1, {{}}
for i = 1, n do
  x = x * {MULTIPLIER} % {MODULUS}
  if i % 100 == 0 then kept[i % 1000] = {{i, "number " .. x}} end
end
ngx.say(string.format("%d", x))
"""
LIGHT = f'ngx.say("{LIGHT_BODY.decode().strip()}")'

NGINX = "nginx"

CONFIG = """
lua_engine = "{engine}"
http_parser = "httptools"
access_log = false
[[host]]
ip = "127.0.0.1"
port = {port}
[[host.route]]
location = "= /light"
lua_script = "light.lua"
[[host.route]]
location = "= /heavy"
lua_script = "heavy.lua"
"""


def result(turns: int) -> str:
    """What the heavy script answers."""
    return str(pow(MULTIPLIER, turns, MODULUS))


class Contestant:
    """One server: an engine of Candy's, or nginx."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.is_candy = name != NGINX
        self.outcomes: dict[int, Outcome] = {clients: Outcome() for clients in BOUNDS}
        self._turns: int | None = None
        self._port = free_port()
        self._folder = folder / name
        self._folder.mkdir()
        for script, text in (("light", LIGHT), ("heavy", HEAVY)):
            (self._folder / f"{script}.lua").write_text(text)

    @contextmanager
    def _running(self) -> Iterator[None]:
        if self.is_candy:
            config = self._folder / "config.toml"
            config.write_text(CONFIG.format(engine=self.name, port=self._port))
            command = candy(config)
        else:
            scripts = {f"/{name}": self._folder / f"{name}.lua" for name in ("light", "heavy")}
            command = nginx(self._folder, self._port, scripts)
        with server(command, self._port, self._folder):
            yield

    def measure(self, clients: int, seconds: float) -> None:
        """One round."""
        with self._running():
            if self._turns is None:
                self._turns = self._calibrate()
            task = Task(self._port, self._turns, result(self._turns), clients, seconds)
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.fairness_load", msgspec.json.encode(task)],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                check=True,
            )
        seen = msgspec.json.decode(done.stdout, type=Outcome)
        kept = self.outcomes[clients]
        kept.light += seen.light
        kept.heavy += seen.heavy
        kept.failures += seen.failures

    def _calibrate(self) -> int:
        client = connect(self._port)
        turns = CALIBRATION_TURNS
        while True:
            start = time.perf_counter()
            status, body = ask(client, heavy_target(turns))
            taken = time.perf_counter() - start
            if (status, body) != (200, f"{result(turns)}\n".encode()):
                raise SystemExit(f"{self.name}: {turns} turns alone: {status} {body!r}")
            if taken >= CALIBRATION_SECONDS:
                client.close()
                return round(turns * HEAVY_SECONDS / taken)
            turns *= 2

    def tell(self, clients: int) -> list[str]:
        """Print what was seen; gives back what is wrong with it."""
        outcome = self.outcomes[clients]
        light, heavy = sorted(outcome.light), sorted(outcome.heavy)
        if not light or not heavy:
            return [f"{self.name}: {len(light)} light answers, {len(heavy)} heavy ones"]
        p99 = percentile(light, 0.99)
        print(
            f"  {self.name:8} {len(light):7,} {percentile(light, 0.5) * 1e3:9.1f}"
            f" {p99 * 1e3:9.1f} {light[-1] * 1e3:9.1f} {len(heavy):7}"
            f" {percentile(heavy, 0.5):9.2f} {len(outcome.failures):7}"
        )
        if not self.is_candy:
            return []
        problems = [f"{self.name}, {clients} clients: {text}" for text in outcome.failures]
        if p99 >= BOUNDS[clients]:
            problems.append(
                f"{self.name}, {clients} clients: p99 {p99 * 1e3:.1f} ms,"
                f" not under {BOUNDS[clients] * 1e3:g}"
            )
        return problems


def percentile(values: list[float], share: float) -> float:
    """Of sorted values."""
    return values[min(int(len(values) * share), len(values) - 1)]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--engines", default="luajit,lua54,lua55")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5, help="of one round")
    arguments = parser.parse_args()
    names = arguments.engines.split(",")
    missing = nginx_missing()
    if missing is None:
        names.append(NGINX)
    else:
        print(f"without the comparison: {missing}")
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        contestants = [Contestant(name, Path(folder)) for name in names]
        for clients in BOUNDS:
            for _ in range(arguments.rounds):
                for contestant in contestants:
                    contestant.measure(clients, arguments.seconds)
            print(f"light requests beside {clients} clients on a script of about a second")
            print("            light    p50 ms    p99 ms    max ms   heavy    each s  failed")
            for contestant in contestants:
                problems += contestant.tell(clients)
    if problems:
        raise SystemExit("\n".join(problems))
    print("no request failed, every result was right")


if __name__ == "__main__":
    main()
