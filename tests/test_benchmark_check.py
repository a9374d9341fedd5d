"""python -m benchmarks.report --compare, with real measurements of four small works."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WORKS = "language and (fib or nbody or closures or coroutines) and lua5"
SLOWED = "language: fib:lua54:3"

pytestmark = pytest.mark.skipif(
    find_spec("pytest_benchmark") is None or find_spec("matplotlib") is None,
    reason="the bench extra is not installed: pip install -e '.[test,bench]'",
)


def report(*arguments: str) -> tuple[int, str]:
    """Its status, and what it has said."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.report", "--short", "-k", WORKS, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("baseline")
    path = folder / "run.json"
    status, said = report("--store", str(path), "--into", str(folder))
    assert status == 0, said
    return path


def test_the_same_code_is_not_slower(baseline: Path) -> None:
    """The check passes, and says how much it has compared."""
    status, said = report("--compare", str(baseline))
    assert status == 0, said
    assert "20 benchmarks" in said
    assert "none slower" in said


def test_a_work_that_takes_three_times_as_long_is_caught(baseline: Path) -> None:
    """It, and nothing else, is named as slower."""
    status, said = report("--compare", str(baseline), "--slow-down", SLOWED)
    assert status == 1, said
    [line] = [line for line in said.splitlines() if line.startswith("SLOWER")]
    assert line.startswith("SLOWER: language: fib, lua54: takes ")
