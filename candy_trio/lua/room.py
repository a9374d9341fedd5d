"""A VM's memory: how much room there is, and who has to go when there is none.

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


class Leftovers:
    """What dropped runs have left in a VM, as far as nobody has collected it.

    A run whose step collects that has not given back what it took itself: without this count a
    script that fills the memory would seem to hold nothing, for what others before it filled.
    """

    __slots__ = ("_old", "_young")

    def __init__(self) -> None:
        self._old = 0  # from before the collection that goes on
        self._young = 0

    def add(self, size: int) -> None:
        """A run is dropped that had taken so much."""
        self._young += size

    def collected(self, size: int) -> int:
        """So much less is in use: gives how much of it was leftovers."""
        old = min(self._old, size)
        young = min(self._young, size - old)
        self._old -= old
        self._young -= young
        return old + young

    def collection_begins(self) -> None:
        """What is there now will be gone when it ends."""
        self._old, self._young = self._old + self._young, 0

    def collection_ends(self) -> None:
        """See :meth:`collection_begins`."""
        self._old = 0


def _memory(run: LuaRun) -> int:
    return run.memory
