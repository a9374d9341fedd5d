"""wrk, which makes the load: one thread, every answer awaited before the next request is sent."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import msgspec

from benchmarks.load_scenarios import Scenario

SCRIPT = Path(__file__).with_suffix(".lua")
TIMEOUT_SECONDS = 10
"""Of one answer; wrk's own is 2, which a thousand connections to a slow server may take."""


class Load(msgspec.Struct, frozen=True):
    """What wrk saw."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    errors: dict[str, int]

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


def missing() -> str | None:
    return None if shutil.which("wrk") else "wrk is not installed: it makes the load"


def version() -> str:
    done = subprocess.run(["wrk", "--version"], capture_output=True, text=True, check=False)
    return done.stdout.partition(" [")[0].removeprefix("wrk ")


def run(scenario: Scenario, port: int, seconds: int, folder: Path) -> Load:
    """Load on the server at ``port``; ends the program if a single request failed."""
    files = []
    for number, request in enumerate(scenario.request):
        path = folder / f"request-{number}"
        path.write_bytes(request.raw())
        files += [str(path)] * request.times
    done = subprocess.run(
        [
            *("wrk", "-t1", f"-c{scenario.connections}", f"-d{seconds}s"),
            *(f"--timeout={TIMEOUT_SECONDS}s", f"--script={SCRIPT}", f"http://127.0.0.1:{port}/"),
            *("--", *files),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    _, found, result = done.stdout.partition("\nresult: ")
    if done.returncode or not found:
        raise SystemExit(f"wrk: {done.stdout}{done.stderr}")
    load = msgspec.json.decode(result, type=Load)
    if any(load.errors.values()) or not load.requests:
        raise SystemExit(f"wrk, {scenario.title}: {load}")
    return load
