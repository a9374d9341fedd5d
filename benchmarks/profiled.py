"""The server, sampled: ``python -m benchmarks.profiled CONFIG OUTPUT``, for benchmarks/profile.py.

SIGUSR2 begins sampling and, sent again, ends it; at its end the server leaves what was seen in
OUTPUT, as JSON.

A timer's signal looks at Python's stack. Python takes a signal between two instructions, after the
C call that it came into: so the time of recv(2), or of a run of Lua, counts for the function that
called it, which is what a reader wants to know. cProfile would add a microsecond to each of a
hundred calls of a request; a sample costs some ten, a few hundred times a second. The timer counts
the process's own processor time, in the kernel and outside, so that nothing is told of a machine
that others use, too. (Python's setitimer could do that with SIGPROF alone, which interrupts Lua.)
"""

from __future__ import annotations

import ctypes
import json
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from types import CodeType, FrameType

from candy_trio.cli import main as serve

INTERVAL_NANOSECONDS = 2_000_000
"""Linux looks at such a timer at each tick of its clock only: some kernels tick every 4 ms."""


class Timer:
    """Sends SIGALRM as the process's processor time goes on."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._timer = ctypes.c_void_p()
        created = self._libc.timer_create(
            time.CLOCK_PROCESS_CPUTIME_ID, None, ctypes.byref(self._timer)
        )
        assert created == 0, ctypes.get_errno()

    def set(self, nanoseconds: int) -> None:
        """The interval; 0 ends it."""
        times = (ctypes.c_long * 4)(0, nanoseconds, 0, nanoseconds)
        status = self._libc.timer_settime(self._timer, 0, times, None)
        assert status == 0, ctypes.get_errno()


class Sampler:
    """Counts stacks, innermost function first."""

    def __init__(self) -> None:
        self._stacks: Counter[tuple[CodeType, ...]] = Counter()
        self._timer = Timer()
        self._running = False
        signal.signal(signal.SIGALRM, self._sample)
        signal.signal(signal.SIGUSR2, self._toggle)

    def _toggle(self, number: int, frame: FrameType | None) -> None:
        self._running = not self._running
        self._timer.set(INTERVAL_NANOSECONDS if self._running else 0)

    def _sample(self, number: int, frame: FrameType | None) -> None:
        stack = []
        while frame is not None:
            stack.append(frame.f_code)
            frame = frame.f_back
        self._stacks[tuple(stack)] += 1

    def write(self, path: Path) -> None:
        """Each stack as functions, with how often it was seen."""
        samples = [
            {"count": count, "stack": [[code.co_filename, code.co_qualname] for code in stack]}
            for stack, count in self._stacks.items()
        ]
        path.write_text(json.dumps(samples))


def main() -> None:
    sampler = Sampler()
    status = serve([sys.argv[1]])
    sampler.write(Path(sys.argv[2]))
    raise SystemExit(status)


if __name__ == "__main__":
    main()
