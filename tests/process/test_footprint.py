"""What a server process holds, and what its start computes: the bounds of benchmarks/footprint.py
at a size that takes seconds, so that a regression shows before somebody measures.

Memory and processor time are asked of the kernel, so a busy machine changes neither much.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.footprint import idle_connections, opening_and_closing, streams
from benchmarks.start_up import bare_import_computing, first_answer_computing

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists() or sys.platform != "linux",
    reason="reads memory from Linux's /proc",
)

MEGABYTES = 64
CONNECTIONS = 400
CYCLES = 3000

GROWTH_MB = 2
"""Some 600 bytes for each of CYCLES; an open connection holds ten."""

START_RATIO = 2.5
START_MARGIN_SECONDS = 0.1
"""Of processor time; the clock that tells it may tick every hundredth of a second."""


def test_streams_are_not_held() -> None:
    """A response and an upload of 64 MB pass through without a tenth of them being in memory."""
    for value in streams(MEGABYTES):
        assert value.holds, value


def test_idle_connections_are_small() -> None:
    """400 connections that have been answered hold under 20 KB each, and all answer again."""
    for value in idle_connections(CONNECTIONS):
        assert value.holds, value


def test_connections_leave_nothing() -> None:
    """3,000 connections, half of them without a request, are closed: no growth to speak of."""
    [value] = opening_and_closing(CYCLES)
    assert value.value < GROWTH_MB, value


def test_start_computes_little_beside_its_imports() -> None:
    """The example's first answer takes 2.5 times the processor time at most that the bare import
    of the server's libraries takes."""
    bare = min(bare_import_computing() for _ in range(3))
    start = min(first_answer_computing() for _ in range(3))
    assert start < START_RATIO * bare + START_MARGIN_SECONDS
