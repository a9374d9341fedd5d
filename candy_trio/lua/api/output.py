"""What output.lua and response_headers.lua ask of the server: the response, and the logs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from candy_trio.errors import ClientGone
from candy_trio.observe.log import Level

if TYPE_CHECKING:
    from candy_trio.lua.current import Current


def callbacks(current: Current) -> dict[str, Callable[..., Any]]:
    """By name; ``current`` says whose response it is."""

    def begin_response(status: int, lines: bytes, length: float | None) -> bool:
        response = current.run.exchange.response
        response.begin(int(status), lines, None if length is None else int(length))
        return response.framing.startswith(b"Transfer-Encoding")

    def write(data: bytes) -> None:
        try:
            current.run.exchange.response.write(data)
        except ClientGone:
            current.run.client_gone()

    def end_response() -> None:
        try:
            current.run.exchange.response.end()
        except ClientGone:
            current.run.client_gone()

    def close_after_response() -> None:
        current.run.exchange.response.keep_alive = False

    def keeps_alive() -> bool:
        return current.run.exchange.response.keep_alive

    def log(level: int, message: bytes) -> None:
        current.log(Level(level), message)

    return {
        "begin_response": begin_response,
        "write": write,
        "end_response": end_response,
        "close_after_response": close_after_response,
        "keeps_alive": keeps_alive,
        "log": log,
    }
