"""The memory of a process, from Linux's /proc."""

from __future__ import annotations

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


def processor_ticks(number: int) -> int:
    """What it has computed, in the kernel and outside, in clock ticks of sysconf's."""
    # The name of the program, in parentheses, may hold anything.
    fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _field(number: int, name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{number}/status").read_text())
    assert found is not None
    return int(found[1]) * KILOBYTE
