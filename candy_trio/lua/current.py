"""Whose request it is: the run that executes Lua now, for the callbacks of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import trio

    from candy_trio.config.schema import LuaSettings
    from candy_trio.observe.log import ErrorLog, Level
    from candy_trio.pipeline.exchange import Exchange


class LuaRun:
    """One run of a script: from its start to its end it belongs to one exchange."""

    __slots__ = (
        "exchange",
        "gone",
        "hashes",
        "key_lists",
        "number",
        "scope",
        "settings",
        "started",
    )

    def __init__(
        self, exchange: Exchange, number: int, settings: LuaSettings, started: float
    ) -> None:
        self.exchange = exchange
        self.number = number
        """The engine's number of it, unique in its VM."""
        self.settings = settings
        self.started = started
        """``trio.current_time()`` when it began."""
        self.scope: trio.CancelScope | None = None
        """Opened when the run first waits."""
        self.hashes: dict[int, Any] = {}
        """Those that are not finished, by number; see text.py."""
        self.key_lists: dict[tuple[str, int], list[bytes]] = {}
        """Those that are being worked through, by dictionary and number; see shared.py."""
        self.gone = False
        """Whether the client has left, and the run is to end for it."""

    def client_gone(self) -> None:
        """Cancel the run, for nobody waits for its answer; unless its route lets it go on."""
        if not self.settings.check_client_abort:
            return
        self.gone = True
        if self.scope is not None:
            self.scope.cancel()


class Current:
    """Holds the run that executes; set before every step, read by callbacks.

    ``run`` is absent until a first run starts: callbacks that need it are called from runs only.
    """

    __slots__ = ("_error_log", "run")

    run: LuaRun

    def __init__(self, error_log: ErrorLog) -> None:
        self._error_log = error_log

    def log(self, level: Level, message: bytes | str) -> None:
        """Write to the error log, with the request's context where there is one."""
        if hasattr(self, "run"):
            self.run.exchange.log(level, message)
        else:
            self._error_log.log(level, message)
