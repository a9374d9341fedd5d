"""Requests begin in the task that saw them arrive, and move to their connection's own if they wait.

Most requests never wait for anything, and a turn of the event loop for each costs more than many a
script.  So one task, :mod:`candy_trio.server.poller`, serves what has arrived on any connection,
and the coroutine of a request that has to wait is handed over in the middle, to be gone on with.

Rules of this module:

- Everything trio keeps for a task (cancel scopes, nurseries, what it waits for) belongs to the
  one that runs: so :func:`own_task` comes before whatever waits or opens a scope, and before
  nothing else, since others get their turn while the request moves.
- In a task that serves a connection of its own it does nothing.
"""

from __future__ import annotations

import types
from collections.abc import Awaitable, Coroutine, Generator
from contextvars import ContextVar
from typing import Any, Final

_LEAVE: Final = object()
"""What a coroutine yields that is to go on in another task."""

_DONE: Final = object()

_for_others: ContextVar[bool] = ContextVar("serves the requests of others' connections")


def serve_others() -> None:
    """From now on the current task begins what others finish."""
    _for_others.set(True)


async def own_task() -> None:
    """Go on in the task of the connection, if this one isn't it."""
    if _for_others.get(False):
        await _leave()


def begin(work: Coroutine[Any, Any, None]) -> Awaitable[None] | None:
    """Do ``work`` up to where it waits; what does the rest of it in the connection's task, or None.

    What it raises goes to the caller.  Where the current task is the connection's own, the rest
    has to be awaited before anything else is.
    """
    # Not send(): the exception that says that it is done costs half a microsecond.
    trap = next(work.__await__(), _DONE)
    if trap is _DONE:
        return None
    if trap is not _LEAVE and _for_others.get(False):
        try:
            work.throw(RuntimeError("a request waited before it was in its connection's task"))
        except StopIteration:
            return None
        raise AssertionError("it waits for another thing")
    return _rest(work, trap)


async def _rest(work: Coroutine[Any, Any, None], trap: object) -> None:
    await _go_on(work, trap)


@types.coroutine
def _leave() -> Generator[Any, None, None]:
    yield _LEAVE


@types.coroutine
def _go_on(work: Coroutine[Any, Any, None], trap: object) -> Generator[Any, Any, None]:
    """Trio's traps, and what it answers, for a coroutine that has been begun elsewhere."""
    try:
        if trap is _LEAVE:
            trap = work.send(None)
        while True:
            try:
                answer = yield trap
            except BaseException as error:
                trap = work.throw(error)
            else:
                trap = work.send(answer)
    except StopIteration:
        return
