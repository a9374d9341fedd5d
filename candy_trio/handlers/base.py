"""What a handler is: something that is given an exchange and says how it ended.

Values come back, nothing is called back: where a request goes next is decided in
:mod:`candy_trio.pipeline.run` alone, from one of the three outcomes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Final, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    # The exchange is handed down to handlers, which need its type and nothing else from above.
    from candy_trio.pipeline.exchange import Exchange


class Done(Struct, frozen=True):
    """The response is complete, or aborted, or begun and to be finished by the pipeline.

    If nothing was sent at all the answer is 200 without a body.
    """


class Jump(Struct, frozen=True):
    """Route again: ``uri`` is decoded (b"/x"), or the name of a location (b"@name").

    ``args`` None keeps the query string as it stands.
    """

    uri: bytes
    args: bytes | None = None


class Finish(Struct, frozen=True):
    """Answer with ``status``: from 300 on with the server's page for it.

    ``header_lines`` are sent with it (Location, say), Content-Type is the page's.  408, 444 and
    499 close the connection without an answer, as in nginx.
    """

    status: int
    header_lines: bytes = b""


Outcome: TypeAlias = Done | Jump | Finish

DONE: Final = Done()


class Handler(ABC):
    """Answers requests; one object per route serves all of them, also at the same time."""

    begins_anywhere: ClassVar[bool] = False
    """Whether it asks for its connection's task itself, by :func:`candy_trio.handover.own_task`,
    before it waits.  For others the pipeline does, which costs a turn of the event loop."""

    @abstractmethod
    async def handle(self, exchange: Exchange) -> Outcome:
        """Serve ``exchange``.

        May raise RequestError and ProtocolError (that status), ClientGone (nothing is sent,
        499 in the log) and anything else (500 and a traceback in the log).
        """
