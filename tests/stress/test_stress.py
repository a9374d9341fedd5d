"""Mixed scripts under stress: for a few seconds; with CANDY_TRIO_LONG=1 for two minutes.

By hand, before slices are changed: ``stress.run --seconds 1200``, and once on a lupa that checks
itself (``build_asserting_lupa.sh``).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from stress import run

ROOT = Path(__file__).parents[2]
LONG = os.environ.get("CANDY_TRIO_LONG") == "1"
SECONDS = 120 if LONG else 4

RUNS = {
    "both": ["--engines", "luajit,lua54"],
    "lua55": ["--engines", "lua55"],
    "ctypes": ["--engines", "luajit,lua54", "--mode", "ctypes"],
    "limits alone": ["--engines", "lua51", "--mode", "hooks"],
    "server": ["--engines", "luajit,lua54", "--server"],
}


@pytest.mark.timeout(SECONDS * 3 + 120)
@pytest.mark.parametrize("kind", RUNS)
def test_nothing_breaks(kind: str) -> None:
    """No crash, no wrong answer, nothing that resists, and (over minutes) no growth of memory."""
    path = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    done = subprocess.run(
        [sys.executable, "-m", "stress.run", "--seconds", str(SECONDS), *RUNS[kind]],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout
    assert "wrong: 0" in done.stdout


@pytest.mark.parametrize(
    ("later", "grows"),
    [([77, 45, 96, 61, 107, 58, 90, 60] * 10, False), ([61 + n for n in range(80)], True)],
)
def test_what_is_called_growth(
    monkeypatch: pytest.MonkeyPatch, later: list[int], grows: bool
) -> None:
    """A high moment is none; what is there at each rest, and ever more, is."""
    growth = run.Growth(1200)
    sizes = iter([61, *later])
    monkeypatch.setattr(run, "resident_bytes", lambda: next(sizes) << 20)
    growth.look([])
    growth._settled_at = 0
    for _ in later:
        growth.look([])
    assert bool(growth.verdict()) is grows
