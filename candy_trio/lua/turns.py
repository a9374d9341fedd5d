"""Turns within an isolate: what keeps a busy script from showing others its half-done work.

Code written for OpenResty relies on being alone between two waits: a module's list may be half
relinked at any instruction. So a script that is interrupted keeps the turn of its isolate until
it waits or ends, and until then no other script of that isolate starts or goes on.

Rules of this module:

- A script steps only while nobody has the turn, or while it has it itself. So at the end of a
  step the turn is free for it to keep.
- The turn is taken only where somebody is in the way: scripts that are never interrupted find
  ``taken`` false, and that is all they pay.
- Waiting for it is in order, and is cancelled as any other wait.
- A run has it, not a task: the first step may be taken in another one than the rest.
- Whatever ``lua_interleave`` says, the turn is kept in the middle of a module's main chunk.
- Its holder is always runnable and waits for nobody's turn: there is nothing to deadlock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import trio

from candy_trio.observe.log import Level

if TYPE_CHECKING:
    from candy_trio.lua.current import LuaRun

WORTH_A_WARNING: Final = 1.0
"""Seconds for which others of the isolate were held up: two hundred slices."""


class Turns:
    """The turn of one isolate."""

    __slots__ = (
        "_held_since",
        "_holder",
        "_shares",
        "_waited",
        "_waiting",
        "_waiting_since",
        "taken",
    )

    def __init__(self, interleave: bool | None) -> None:
        """``interleave`` is ``lua_interleave``; None: until a module of the user's is there."""
        self.taken = False
        """Whether a script of the isolate stands interrupted; who is not its holder waits."""
        self._shares: bool | None = None if interleave is None else not interleave
        self._waiting = trio.lowlevel.ParkingLot()
        self._holder: LuaRun | None = None
        self._held_since = 0.0
        self._waited = 0  # how many waited while the holder had it
        self._waiting_since = 0.0  # since when one of them did

    def sharing_begins(self) -> None:
        """A module of the user's is about to be loaded: its state is everybody's."""
        if self._shares is None:
            self._shares = True

    def open_to(self, run: LuaRun) -> bool:
        """Whether ``run`` may step now."""
        return not self.taken or self._holder is run

    def holder(self) -> str:
        """Who has the turn, for a log: the script, and its connection as in the log's lines."""
        holder = self._holder
        if holder is None:
            return "another script"
        return f"{holder.name} (*{holder.exchange.connection.serial})"

    def keep(self, run: LuaRun) -> None:
        """``run`` was interrupted: nobody else's step comes before its own next one."""
        if (self._shares or run.loading) and self._holder is not run:
            self._begin(run)

    async def take(self, run: LuaRun) -> None:
        """Wait until ``run`` has the turn, which somebody else has now."""
        if not self._waited:
            self._waiting_since = trio.current_time()
        self._waited += 1
        await self._waiting.park()
        self._begin(run)

    def give_back(self, run: LuaRun) -> None:
        """``run`` waits or ends; harmless where it has no turn."""
        if self._holder is not run:
            return
        self._warn_if_long(run)
        self._holder = None
        # The next one has it from now on, and begins when it is woken: nobody comes in between.
        self.taken = bool(self._waiting.unpark())
        # That one waits no more; the others wait for it from here on.
        self._waited = len(self._waiting)
        self._waiting_since = trio.current_time()

    def _begin(self, run: LuaRun) -> None:
        self.taken = True
        self._holder = run
        self._held_since = trio.current_time()

    def _warn_if_long(self, run: LuaRun) -> None:
        now = trio.current_time()
        if not self._waited or now - self._waiting_since < WORTH_A_WARNING:
            return
        run.exchange.log(
            Level.WARN,
            f"{run.name} kept the turn of its isolate for {now - self._held_since:.3f} s, and"
            f" {self._waited} others of the isolate waited, for up to"
            f" {now - self._waiting_since:.3f} s: they share modules; see lua_interleave and"
            " lua_isolate",
        )
