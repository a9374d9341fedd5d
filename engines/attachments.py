"""What has to let go of a Lua state before it is freed, whoever drops it."""

from __future__ import annotations

from typing import Any, Protocol


class Attachment(Protocol):
    """Something outside of a Lua state that holds its address."""

    def detach(self) -> None:
        """Forget it."""


class Attachments:
    """Of one state, which lives as long as they do, since they hold its ``runtime``.

    Not compiled, since what mypyc compiles runs ``__del__`` on objects that were never made.
    """

    def __init__(self, runtime: Any) -> None:
        self._runtime = runtime
        self._parts: list[Attachment] = []

    def add(self, part: Attachment) -> None:
        """One more; the last one is detached first."""
        self._parts.append(part)

    def detach(self) -> None:
        """Detach all, and let go of the state; harmless when repeated."""
        while self._parts:
            self._parts.pop().detach()
        self._runtime = None

    def __del__(self) -> None:
        # A VM that nobody closed must not be ticked at any more.
        self.detach()
