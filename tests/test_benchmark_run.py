"""Runs of the engines' suites as files, and what is told while they are measured."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from support.engine_runs import made_up

from benchmarks.engine_run import read_run, store_run
from benchmarks.suite_run import Progress

LINES = [
    "collecting ... collected 3 items",
    "benchmarks/test_language.py::test_language[fib-lua51] PASSED                      [  3%]",
    "benchmarks/test_language.py::test_language[string building-lua52] PASSED          [ 12%]",
    "benchmarks/test_crossing.py::test_crossing[1 KB string-luajit] FAILED             [100%]",
    "=== 1 failed, 2 passed in 0.46s ===",
]


class Terminal(io.StringIO):
    """Writes on it can be seen."""

    def isatty(self) -> bool:
        return True


def test_a_stored_run_is_read_as_it_was(tmp_path: Path) -> None:
    """With all that reports and comparisons need."""
    run = made_up({("fib", "luajit"): 0.1}, firsts={("sort", "lua54"): 2.0}, held={})
    store_run(tmp_path / "run.json", run)
    assert read_run(tmp_path / "run.json") == run


def test_what_pytest_benchmark_writes_is_read(tmp_path: Path) -> None:
    """With much that nothing here needs; benchmarks of other suites belong to no group."""
    stats = {"min": 0.8, "median": 1.0, "iqr": 0.1, "rounds": 5, "max": 2.0, "outliers": "0;1"}
    named = {"suite": "api", "work": "cd.say", "engine": "lua54", "calls": 1000, "more": [1]}
    others = ({"ratio": 2.5}, {"suite": "api", "work": "cd.say", "engine": "luajit"})
    benchmarks = [
        {"group": "g", "name": "n", "fullname": "f", "extra_info": extra, "stats": stats}
        for extra in (named, *others)
    ]
    machine = {"node": "n", "system": "s", "release": "r", "python_version": "3", "cpu": {}}
    text = {"machine_info": machine, "datetime": "2026-01-01T00:00:00", "benchmarks": benchmarks}
    path = tmp_path / "run.json"
    path.write_text(json.dumps(text))
    [group] = read_run(path).groups()
    assert (group.name, list(group.on)) == ("api: cd.say", ["luajit", "lua54"])
    assert group.on["lua54"].time_of_one == 0.001
    assert group.spread() == pytest.approx(0.1)


def test_another_file_is_refused(tmp_path: Path) -> None:
    """By its name, without a traceback."""
    path = tmp_path / "run.json"
    with pytest.raises(SystemExit, match=r"run\.json: there is no such file"):
        read_run(path)
    path.write_text('{"benchmarks": 1}')
    with pytest.raises(SystemExit, match=r"run\.json: not what pytest-benchmark stores"):
        read_run(path)


def test_progress_on_a_terminal() -> None:
    """One line that is written over: how far, since when, what was done last."""
    out = Terminal()
    progress = Progress(out)
    for number, line in enumerate(LINES):
        progress.read(line, 30.0 * number)
    progress.end()
    begin = "\r\x1b[K"
    assert out.getvalue().split(begin) == [
        "",
        "  3 %  0:30  fib-lua51",
        " 12 %  1:00  string building-lua52",
        "100 %  1:30  1 KB string-luajit",
        "",
    ]


def test_progress_in_a_log() -> None:
    """A line for each tenth, not for each benchmark."""
    out = io.StringIO()
    progress = Progress(out)
    for percent in (2, 5, 11, 19, 20, 99, 100):
        progress.read(f"benchmarks/t.py::test_t[x-lua54] PASSED  [{percent:3}%]", 61.0)
    progress.end()
    told = [line.split()[0] for line in out.getvalue().splitlines()]
    assert told == ["2", "11", "20", "99", "100"]
