"""The memory and the processor time of a process, from Linux's /proc."""

from __future__ import annotations

import os
import re
from pathlib import Path

KILOBYTE = 1024


def resident_bytes(number: int) -> int:
    """What it holds now."""
    return _field(number, "VmRSS")


def peak_bytes(number: int) -> int:
    """The most that it has held since :func:`reset_peak`."""
    return _field(number, "VmHWM")


def reset_peak(number: int) -> None:
    Path(f"/proc/{number}/clear_refs").write_text("5")


def processor_seconds(number: int) -> tuple[float, float]:
    """What it has computed, outside the kernel and in it."""
    # The name of the program, in parentheses, may hold anything.
    fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    tick = os.sysconf("SC_CLK_TCK")
    return int(fields[11]) / tick, int(fields[12]) / tick


def with_children(number: int) -> list[int]:
    """The process and those that it has started, and so on: some servers have their worker so."""
    found = [number]
    for path in Path(f"/proc/{number}/task").glob("*/children"):
        for child in path.read_text().split():
            found += with_children(int(child))
    return found


def _field(number: int, name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{number}/status").read_text())
    assert found is not None
    return int(found[1]) * KILOBYTE
