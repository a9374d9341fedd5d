"""The engines' suites run by pytest in a process of their own, with a line that tells how far."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TextIO

from benchmarks.engine_run import Run, read_run
from benchmarks.servers import ROOT

MODULES = tuple(
    f"benchmarks/test_{name}.py"
    for name in ("language", "api", "crossing", "request", "compile", "footprints")
)

_DONE = re.compile(r"^\S+?::\w+\[(?P<what>.*)\] (?P<verdict>[A-Z]+) +\[ *(?P<percent>\d+)%\]")
_KEPT = 60
"""Lines of pytest's that are shown if it fails."""


class Suites:
    """What is run, and how."""

    def __init__(self, *, short: bool, only: str | None, slow_down: str | None) -> None:
        self._options = ["--short"] if short else []
        self.complete = only is None
        """Whether it leaves nothing out."""
        self._only = [] if only is None else ["-k", only]
        self._slow_down = slow_down

    def run(self) -> Run:
        """All of them, or those that pytest's -k finds."""
        return self._run([*self._only, *MODULES], self._slow_down)

    def run_again(self, measured: Run, groups: Collection[str]) -> Run:
        """Those benchmarks of ``measured`` that belong to one of the groups."""
        names = [one.fullname for one in measured.benchmarks if one.group in groups]
        slowed = self._slow_down
        if slowed is not None and slowed.rsplit(":", 2)[0] not in groups:
            slowed = None
        return self._run(names, slowed)

    def _run(self, what: Iterable[str], slow_down: str | None) -> Run:
        options = [*self._options, *([] if slow_down is None else ["--slow-down", slow_down])]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "run.json"
            command = [
                *(sys.executable, "-m", "pytest", "-v", "--no-header", "--benchmark-only"),
                *("-o", "addopts=", "--color=no", "--benchmark-quiet"),
                *(f"--benchmark-json={path}", *options, *what),
            ]
            _follow(command)
            return read_run(path)


def _follow(command: Sequence[str]) -> None:
    """Run it and tell how far it is; what it has said is shown only if it fails."""
    begun = time.monotonic()
    progress = Progress(sys.stderr)
    last: deque[str] = deque(maxlen=_KEPT)
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            last.append(line)
            progress.read(line, time.monotonic() - begun)
    progress.end()
    if process.returncode:
        raise SystemExit(f"{''.join(last)}\nthe suites have failed, so there is nothing to report")


class Progress:
    """One line that is written over on a terminal; elsewhere one for each tenth."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._told = -1

    def read(self, line: str, seconds: float) -> None:
        """A line of pytest's, and since when it runs."""
        done = _DONE.match(line)
        if done is None:
            return
        percent = int(done["percent"])
        clock = f"{int(seconds // 60)}:{int(seconds % 60):02}"
        if self._out.isatty():
            text = f"{percent:3} %  {clock}  {done['what']}"
            self._out.write(f"\r\x1b[K{text[:78]}")
        elif percent // 10 > self._told:
            self._told = percent // 10
            self._out.write(f"{percent:3} %  {clock}\n")
        self._out.flush()

    def end(self) -> None:
        if self._out.isatty():
            self._out.write("\r\x1b[K")
