"""A VM's memory: whose it is, how much room there is, and who has to go when there is none.

Rules of this module:

- Numbers in, a decision out; it neither collects nor cancels.
- Two lines: above ``line`` room is made while all go on, above ``brim`` whoever wants to step
  waits for it. Between them is what lets light scripts pass meanwhile.
- Never the one that comes pays for those that are there: who has not begun is not chosen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from candy_trio.lua.current import LuaRun

RESERVE_PART: Final = 8
"""Which part of ``lua_vm_memory`` is kept free: most scripts need a small part of it."""

MAX_RESERVE: Final = 64 << 20
"""Bytes: as much as one script may take by default. More would be of no use to anybody."""

WORTH_ENDING: Final = 64
"""Which part of the VM a run must hold to be ended for it."""


class Room:
    """The lines of one VM."""

    __slots__ = ("brim", "limit", "line")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        """``lua_vm_memory``."""
        reserve = min(limit // RESERVE_PART, MAX_RESERVE)
        self.line = limit - reserve
        """Bytes in use from which room is made."""
        self.brim = limit - reserve // 2
        """Bytes in use from which nobody steps until room is made."""

    def victims(self, used: int, runs: Iterable[LuaRun]) -> list[LuaRun]:
        """Whom to end so that ``used`` falls below the line: those with the largest sums.

        Sums are estimates: whoever holds a good part of the VM goes, even if all of them together
        seem not to be enough. Those that hold little would die for nothing.
        """
        shortage = used - self.line
        chosen = []
        for run in sorted(runs, key=_memory, reverse=True):
            if shortage <= 0 or run.memory < self.limit // WORTH_ENDING:
                break
            chosen.append(run)
            shortage -= run.memory
        return chosen


class Sums:
    """Whose the memory of a VM is: keeps ``memory``, ``grown`` and ``taken`` of its runs.

    What a step adds is known. What a collection takes is not: it frees anybody's garbage, in any
    step or between them. What goes in a step is taken for the run's own, less what dropped runs
    have left. When a whole collection has ended no garbage is left, and what is in use beyond the
    modules is held by the runs: where their sums come to more than that, the difference is shared
    out. It goes to what each has grown by, which is all that can have become garbage, in proportion
    to all that it has ever taken: who takes without end can hold but a small part of it.
    """

    __slots__ = ("_base", "_grown", "_late", "_left_before", "_left_since")

    def __init__(self, used: int) -> None:
        self._base = used  # what is in use and no run's: modules, scripts, the server's own
        self._left_before = 0  # by dropped runs, when the collection began that goes on
        self._left_since = 0
        self._late = 0  # by those that were dropped since: it may still be there when that ends
        self._grown: dict[LuaRun, int] = {}  # as it was when the collection began

    def stepped(self, run: LuaRun, change: int, used: int) -> None:
        """A step of ``run`` changed what is in use by ``change`` bytes, to ``used``."""
        if change < 0:
            change += self._take_leftovers(-change)
        else:
            run.taken += change
        run.memory = max(0, min(run.memory + change, used))
        run.grown = max(0, run.grown + change)

    def dropped(self, run: LuaRun) -> None:
        """It has ended: what it held is garbage."""
        self._left_since += run.memory
        self._late += run.memory
        self._grown.pop(run, None)

    def collection_begins(self, runs: Iterable[LuaRun]) -> None:
        """What is garbage now will be gone when it ends."""
        self._left_before, self._left_since = self._left_before + self._left_since, 0
        self._late = 0
        self._grown = {run: run.grown for run in runs if run.grown}

    def collection_ends(self, runs: Iterable[LuaRun], used: int) -> None:
        """Share out what it has freed; ``used`` is in use now."""
        held = sum(run.memory for run in runs)
        excess = held + self._late - (used - self._base)
        rest = self._share_out(excess, self._grown)
        # What is left corrects the sums: dropped runs had been given too much of earlier ones.
        rest = self._share_out(rest, {run: run.memory for run in self._grown})
        # More than the runs account for is no run's, and less is so no more.
        self._base = used - self._late - (held - max(0, excess) + max(0, rest))
        for run, grown in self._grown.items():
            run.grown = max(0, run.grown - grown)
            run.collected = True
        self._left_before = 0
        self._grown = {}

    def _share_out(self, size: int, most: dict[LuaRun, int]) -> int:
        """Give it to runs, to each at most so much; gives what nobody could be given."""
        if size <= 0:
            return 0
        weight = sum(run.taken for run in most)
        for run in sorted(most, key=lambda run: most[run] / run.taken):
            share = min(most[run], run.memory, size * run.taken // weight)
            run.memory -= share
            size -= share
            weight -= run.taken
        return size

    def _take_leftovers(self, size: int) -> int:
        before = min(self._left_before, size)
        since = min(self._left_since, size - before)
        self._left_before -= before
        self._left_since -= since
        return before + since


def _memory(run: LuaRun) -> int:
    return run.memory
