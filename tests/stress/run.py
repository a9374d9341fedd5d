"""Stress: scripts of every kind on every chosen engine in one process, with slices of a fraction of
what a server gives them; runs are dropped half-way, VMs closed, retired and made anew.

    PYTHONPATH=tests python -m stress.run --seconds 1200 --engines luajit,lua54

It runs in a process of its own, and ends with status 1 and says why where that crashed or hung, an
answer was wrong, a script that had to end did not, nothing was interrupted, or memory grew.
``--server`` sends requests through the whole server instead: ``stress.server``.
"""

from __future__ import annotations

import argparse
import ctypes
import faulthandler
import gc
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from io import FileIO
from pathlib import Path
from typing import get_args

from stress.cases import Case, load_cases
from stress.machine import MEBIBYTE, Machine

from engines.slicer import Mode

HANG_LIMIT = 60.0
"""Seconds without a step after which the process tells where it stands, and ends."""

MAX_WRONG = 20
REPORT_EVERY = 30.0
REST_EVERY = 10.0

VM_GROWTH = 1.25
VM_NOISE = 2 * MEBIBYTE
"""Caches of patterns and scripts, pooled threads, LuaJIT's traces: they have their limits."""

PROCESS_GROWTH = 1.10
PROCESS_NOISE = 24 * MEBIBYTE


class Growth:
    """Memory at moments when nothing runs: what it was by the first minute's end, and after it."""

    def __init__(self, seconds: float) -> None:
        self._settled_at = time.monotonic() + min(60.0, seconds / 2)
        self._judges = seconds >= 120
        self._process_base = 0
        self._process_later: list[int] = []
        self._vm_base: dict[int, int] = {}
        self.said: list[str] = []

    def look(self, machines: Sequence[Machine]) -> None:
        """Bring everything to rest and compare."""
        for machine in machines:
            vm = id(machine.current)
            steps, used = machine.rest()
            if steps < 3000:
                continue
            base = self._vm_base.setdefault(vm, used)
            if used > base * VM_GROWTH + VM_NOISE:
                self.said.append(
                    f"{machine.engine}: the VM has {used} bytes, {base} when it was first at rest"
                )
        gc.collect()
        _give_back()
        resident = resident_bytes()
        if time.monotonic() < self._settled_at:
            self._process_base = max(self._process_base, resident)
        else:
            self._process_later.append(resident)

    def verdict(self) -> list[str]:
        """What grew.

        The C library keeps pieces of what was freed, more or fewer from rest to rest: 45 to 107 MiB
        in one run. What has leaked is there at each rest: so the least of the last ones counts.
        """
        last = min(self._process_later[-max(3, len(self._process_later) // 4) :], default=0)
        if self._judges and last > self._process_base * PROCESS_GROWTH + PROCESS_NOISE:
            self.said.append(
                f"the process has at least {last >> 20} MiB,"
                f" {self._process_base >> 20} when it had settled"
            )
        return self.said

    def forget(self, machine: Machine) -> None:
        """Its VM is not the one that has been looked at: a new one may get the old one's id."""
        self._vm_base.pop(id(machine.current), None)

    def __str__(self) -> str:
        text = f"{self._process_base >> 20} MiB settled"
        if self._process_later:
            least, most = min(self._process_later), max(self._process_later)
            text += f", {least >> 20} to {most >> 20} MiB later"
        return text


def _give_back() -> None:
    """Have the C library return what it keeps: pieces of what was freed are no growth."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it
    if trim is not None:
        trim(0)


def resident_bytes() -> int:
    """Of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def stress(options: argparse.Namespace, engines: Sequence[str], note: FileIO) -> list[str]:
    """Run it; what went wrong. ``note`` says at any time what is being done."""
    rng = random.Random(options.seed)
    seconds: float = options.seconds
    faulthandler.dump_traceback_later(HANG_LIMIT, exit=True)
    machines = [
        Machine(
            engine,
            chosen(options, load_cases(engine)),
            options.slice,
            options.mode,
            rng,
            options.patience,
            note,
        )
        for engine in engines
    ]
    for machine in machines:
        print(f"{machine.engine}: {len(machine.cases)} cases, {machine.mode}", flush=True)
    growth = Growth(seconds)
    begun = alive = reported = rested = time.monotonic()
    while True:
        now = time.monotonic()
        if now - begun >= seconds or any(len(m.wrong) >= MAX_WRONG for m in machines):
            break
        if now - alive > 1:
            alive = now
            faulthandler.dump_traceback_later(HANG_LIMIT, exit=True)
        machine = rng.choice(machines)
        machine.step()
        chance = rng.random()
        if chance < 0.01:
            machine.collect()
        elif chance < 0.015:
            machine.recompile()
        elif chance < 0.02:
            machine.flush()
        elif chance < 0.0205:
            gc.collect()
        elif chance < 0.0208:
            machine.drop_all()
        elif chance < 0.02088:
            growth.forget(machine)
            machine.replace()
            growth.forget(machine)
        elif chance < 0.02094:
            growth.forget(machine)
            machine.retire()
            growth.forget(machine)
        if now - rested > min(REST_EVERY, seconds / 8):
            rested = now
            growth.look(machines)
        if now - reported > REPORT_EVERY:
            reported = now
            report(machines, growth, now - begun)
    growth.look(machines)
    for machine in machines:
        machine.close()
    report(machines, growth, time.monotonic() - begun)
    faulthandler.cancel_dump_traceback_later()
    note.truncate(0)
    wrong = [text for machine in machines for text in machine.wrong] + growth.verdict()
    wrong += [
        f"{machine.engine}: nothing was interrupted"
        for machine in machines
        if machine.slices and not machine.counts["interruptions"]
    ]
    return wrong


def chosen(options: argparse.Namespace, cases: list[Case]) -> list[Case]:
    """Those that the command line wants."""
    return [
        case
        for case in cases
        if (not options.only or re.search(options.only, case.name))
        and not (options.without and re.search(options.without, case.name))
    ]


def report(machines: Sequence[Machine], growth: Growth, elapsed: float) -> None:
    """The counts so far."""
    print(f"after {elapsed:.0f} s, memory {growth}:")
    for machine in machines:
        counts = ", ".join(f"{n} {name}" for name, n in sorted(machine.counts.items()))
        late, case = machine.slowest
        print(f"  {machine.engine}: {counts}; the latest end: {late * 1000:.0f} ms late ({case})")
    sys.stdout.flush()


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="stress.run")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--engines", default="luajit,lua54")
    parser.add_argument("--slice", type=float, default=0.0005)
    parser.add_argument("--mode", choices=get_args(Mode), help="default: the best there is")
    parser.add_argument(
        "--patience", type=float, default=1.0, help="for lupas that check themselves"
    )
    parser.add_argument("--only", help="cases whose names match this regular expression")
    parser.add_argument("--without", help="cases whose names do not match this")
    parser.add_argument("--server", action="store_true", help="through the whole server")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside is None:
        return watch([*sys.argv[1:], "--seed", str(options.seed)])
    faulthandler.enable()
    engines = options.engines.split(",")
    if options.server:
        from stress.server import stress_server

        wrong = stress_server(engines, options.seconds, options.slice, options.seed)
    else:
        with Path(options.inside).open("wb", buffering=0) as note:
            wrong = stress(options, engines, note)
    for text in wrong:
        print("WRONG:", text)
    print("wrong:", len(wrong))
    return 1 if wrong else 0


def watch(arguments: list[str]) -> int:
    """Run it in a process of its own; if that crashes or hangs, tell in what."""
    print("arguments:", *arguments, flush=True)
    with tempfile.NamedTemporaryFile() as note:
        command = [sys.executable, "-m", "stress.run", *arguments, "--inside", note.name]
        status = subprocess.run(command, check=False).returncode
        doing = note.read().decode()
    if status not in (0, 1) or doing:
        print(f"WRONG: ended with status {status} in: {doing.strip()}")
        return 1
    return status


if __name__ == "__main__":
    sys.exit(main())
