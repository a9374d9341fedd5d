"""Redirect routes: ``redirect_to`` and ``redirect_code``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candy_trio.handlers.base import Finish, Handler, Outcome

if TYPE_CHECKING:
    from candy_trio.config.schema import Redirect
    from candy_trio.pipeline.exchange import Exchange

_UNSAFE = bytes(range(0x20)) + b"\x7f"


class RedirectHandler(Handler):
    """Answers every request with a Location, whose ``$variables`` are the request's."""

    begins_anywhere = True

    def __init__(self, redirect: Redirect) -> None:
        self._to = redirect.to
        self._code = redirect.code

    async def handle(self, exchange: Exchange) -> Outcome:
        location = escape_controls(exchange.interpolate(self._to))
        return Finish(self._code, b"Location: %b\r\n" % location)


def escape_controls(value: bytes) -> bytes:
    """``value`` with its control bytes as %XX.

    ``$uri`` is decoded: without this a request for ``/%0d%0aSet-Cookie:x`` would write header
    lines of its own.
    """
    if value.translate(None, _UNSAFE) == value:
        return value
    return b"".join(b"%%%02X" % code if code in _UNSAFE else bytes((code,)) for code in value)
