"""What a script can wait for: each operation by its tag, with the phases where it is legal.

An operation is a coroutine function of the run and what the script gave; what it returns is what
the script's call gives back. It may raise what :mod:`candy_trio.errors` names: the run then ends.
Cancelling is trio's: a run that is cancelled here is never resumed again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import trio
from msgspec import Struct

from candy_trio.errors import ClientGone
from candy_trio.lua.api.request import read_body
from candy_trio.phase import Phase

if TYPE_CHECKING:
    from candy_trio.lua.current import LuaRun
    from engines.base import Plain

Values: TypeAlias = "tuple[Plain, ...]"
Perform: TypeAlias = Callable[..., Awaitable[Values]]


class Operation(Struct, frozen=True):
    """One thing a script can wait for."""

    phases: Phase
    perform: Perform


async def _sleep(run: LuaRun, seconds: float) -> Values:
    await trio.sleep(seconds)
    return ()


async def _give_way(run: LuaRun) -> Values:
    """``coroutine.yield`` outside a coroutine: others get their turn, as in OpenResty."""
    await trio.lowlevel.checkpoint()
    return ()


async def _read_body(run: LuaRun) -> Values:
    await run.exchange.body.read()
    return read_body(run.exchange)


async def _discard_body(run: LuaRun) -> Values:
    await run.exchange.body.discard()
    return ()


async def _load_body(run: LuaRun) -> Values:
    """The whole body where it lies in a file."""
    path = run.exchange.body.path
    return (b"" if path is None else await trio.Path(path).read_bytes(),)


async def _flush(run: LuaRun) -> Values:
    # Draining waits for nothing while the client keeps up: a script that flushes in a loop would
    # hold the event loop.
    await trio.lowlevel.checkpoint()
    try:
        await run.exchange.response.drain()
    except ClientGone:
        if run.settings.check_client_abort:
            raise
        return (False,)
    return (True,)


_HANDLERS = Phase.REWRITE | Phase.ACCESS | Phase.CONTENT
"""The phases before the response's head goes out, where body and output can be waited for."""

_WAITING = (
    _HANDLERS
    | Phase.TIMER
    | Phase.SSL_CLIENT_HELLO
    | Phase.SSL_CERTIFICATE
    | Phase.SSL_SESSION_FETCH
)
"""Where a script can wait at all: filters and the log can't."""

OPERATIONS: dict[bytes, Operation] = {
    b"sleep": Operation(_WAITING, _sleep),
    b"yield": Operation(_WAITING, _give_way),
    b"read_body": Operation(_HANDLERS, _read_body),
    b"discard_body": Operation(_HANDLERS, _discard_body),
    b"load_body": Operation(_HANDLERS, _load_body),
    b"flush": Operation(_HANDLERS, _flush),
}


async def perform(run: LuaRun, op: bytes, args: tuple[Any, ...]) -> Values:
    """Carry out what the run asks for."""
    return await OPERATIONS[op].perform(run, *args)
