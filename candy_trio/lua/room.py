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

        None at all if that would not be enough: what fills the VM is then no script's that runs.
        """
        shortage = used - self.line
        chosen = []
        for run in sorted(runs, key=_memory, reverse=True):
            if shortage <= 0 or run.memory <= 0:
                break
            chosen.append(run)
            shortage -= run.memory
        return chosen if shortage <= 0 else []


def _memory(run: LuaRun) -> int:
    return run.memory
