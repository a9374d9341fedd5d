"""What output.lua and response_headers.lua ask of the server: the response, and the logs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from candy_trio.errors import ClientGone
from candy_trio.http.conditional import PRECONDITION_FAILED
from candy_trio.observe.log import Level

if TYPE_CHECKING:
    from candy_trio.lua.current import Current


class KeptHead(Struct, frozen=True):
    """What a script had made of its response when it handed the request on to another location.

    As in nginx, it is where the next script starts. ``exchange.lua`` holds it in between: the
    next script may be one of another VM.
    """

    status: int | None
    """None if it was not set."""
    lines: bytes
    """What response_headers.lua dumped."""
    untyped: bool
    """Whether the Content-Type was removed."""
    body_read: bool
    """Whether the request's body was read."""


def callbacks(current: Current) -> dict[str, Callable[..., Any]]:
    """By name; ``current`` says whose response it is."""

    def begin_response(status: int, lines: bytes, length: float | None) -> int:
        exchange = current.run.exchange
        status = int(status)
        if status == 200:
            status, lines = exchange.judge(lines)
        if status == PRECONDITION_FAILED:
            try:
                exchange.begin_page(status)
            except ClientGone:
                current.run.client_gone()
        else:
            exchange.response.begin(status, lines, None if length is None else int(length))
        return status

    def write(data: bytes) -> bool:
        """Whether the run may go on: what its client does not take fills the memory."""
        run = current.run
        response = run.exchange.response
        try:
            response.write(data)
        except ClientGone:
            run.client_gone()
        return response.queued <= run.settings.memory_limit

    def end_response() -> None:
        try:
            current.run.exchange.response.end()
        except ClientGone:
            current.run.client_gone()

    def close_after_response() -> None:
        current.run.exchange.response.keep_alive = False

    def keeps_alive() -> bool:
        return current.run.exchange.response.keep_alive

    def keep_head(
        status: int | None, lines: bytes, untyped: bool | None, body_read: bool | None
    ) -> None:
        current.run.exchange.lua = KeptHead(status, lines, bool(untyped), bool(body_read))

    def kept_head() -> tuple[int | None, bytes, bool, bool]:
        kept = current.run.exchange.lua
        assert isinstance(kept, KeptHead)
        return kept.status, kept.lines, kept.untyped, kept.body_read

    def log(level: int, message: bytes) -> None:
        current.log(Level(level), message)

    return {
        "begin_response": begin_response,
        "write": write,
        "end_response": end_response,
        "close_after_response": close_after_response,
        "keeps_alive": keeps_alive,
        "keep_head": keep_head,
        "kept_head": kept_head,
        "log": log,
    }
