"""Whose request it is: the run that executes Lua now, for the callbacks of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from candy_trio.errors import ClientGone

if TYPE_CHECKING:
    from collections.abc import Callable

    import trio

    from candy_trio.config.schema import LuaSettings
    from candy_trio.errors import CandyError
    from candy_trio.lua.turns import Turns
    from candy_trio.observe.log import ErrorLog, Level
    from candy_trio.pipeline.exchange import Exchange


class LuaRun:
    """One run of a script: from its start to its end it belongs to one exchange."""

    name: str = ""
    """Its script's. This and the sums are there once it has waited or was interrupted."""
    computed: float = 0.0
    """Seconds of its steps so far."""
    memory: int = 0
    """Bytes that it holds, garbage included that nobody has collected: see ``room.py``."""
    grown: int = 0
    """How many of them it has taken since the last whole collection: some may be garbage."""
    collected: bool = False
    """Whether there has been such a one since it began to grow."""
    taken: int = 0
    """All the bytes that its steps have ever taken."""
    step_seconds: float = 0.0
    """Seconds of the last one."""
    scope: trio.CancelScope | None = None
    """Opened when the run first waits."""
    loading: int = 0
    """How many modules it is in the middle of loading."""
    turn_wanted: float | None = None
    """Since when it waits for the turn of its isolate."""
    ending: Callable[[], CandyError] | None = None
    """Why the run is to end, once somebody wants it to; makes what it ends with."""
    _hashes: dict[int, Any] | None = None
    _key_lists: dict[tuple[str, int], list[bytes]] | None = None

    def __init__(
        self,
        exchange: Exchange,
        number: int,
        settings: LuaSettings,
        started: float,
        turns: Turns,
    ) -> None:
        self.exchange = exchange
        self.number = number
        """The engine's number of it, unique in its VM."""
        self.settings = settings
        self.started = started
        """``trio.current_time()`` when it began."""
        self.turns = turns
        """Its isolate's."""

    @property
    def hashes(self) -> dict[int, Any]:
        """Those that are not finished, by number; see text.py."""
        if self._hashes is None:
            self._hashes = {}
        return self._hashes

    @property
    def key_lists(self) -> dict[tuple[str, int], list[bytes]]:
        """Those that are being worked through, by dictionary and number; see shared.py."""
        if self._key_lists is None:
            self._key_lists = {}
        return self._key_lists

    def end(self, ending: Callable[[], CandyError]) -> None:
        """Cancel the run, wherever it waits; ``ending`` is called before it is dropped.

        The first reason counts.
        """
        if self.ending is None:
            self.ending = ending
        if self.scope is not None:
            self.scope.cancel()

    def client_gone(self) -> None:
        """Cancel the run, for nobody waits for its answer; unless its route lets it go on."""
        if self.settings.check_client_abort:
            self.end(_gone)


def _gone() -> CandyError:
    return ClientGone("client closed connection while its script ran")


class Current:
    """Holds the run that executes; set before every step, read by callbacks.

    ``run`` is absent until a first run starts: callbacks that need it are called from runs only.
    """

    __slots__ = ("_error_log", "run")

    run: LuaRun

    def __init__(self, error_log: ErrorLog) -> None:
        self._error_log = error_log

    def loading(self, change: int) -> None:
        """The run begins (1) or ends (-1) to load a module."""
        self.run.loading += int(change)

    def log(self, level: Level, message: bytes | str) -> None:
        """Write to the error log, with the request's context where there is one."""
        if hasattr(self, "run"):
            self.run.exchange.log(level, message)
        else:
            self._error_log.log(level, message)
