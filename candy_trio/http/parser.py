"""The interface of the request parsers, and the choice of one.

Sans I/O: bytes go in, events come out; nothing here waits, reads a clock or knows a socket.
"""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from candy_trio.http.events import Event

REQUEST_LINE_SHOWN: Final = 1024
"""Bytes of a refused request line that logs show; nginx's error log cuts its lines, too."""


class RequestParser(metaclass=ABCMeta):
    """Reads the requests of one connection, one after the other.

    ``max_header_size`` limits a head, in bytes from its request line to its empty line, and
    likewise a trailer section. It may be changed between two requests.
    """

    def __init__(self, *, max_header_size: int) -> None:
        self.max_header_size = max_header_size

    @abstractmethod
    def feed(self, data: bytes) -> None:
        """Take what the socket gave. Never raises: what is wrong with it, `next_event` says."""

    @abstractmethod
    def next_event(self) -> Event | None:
        """The next event, or None when more data is needed.

        After a message that ends the connection (``keep_alive`` is false) it is None for ever:
        what a client sends beyond that is no request (RFC 9112 §9.6).

        Raises ProtocolError if the client's bytes are not acceptable, and the same again each
        time it is asked afterwards: no byte behind an error is ever interpreted.
        """

    @abstractmethod
    def head_begun(self) -> bool:
        """Whether part of a head is here and the rest is not.

        Then a client that stays silent is answered 408; otherwise it is an idle connection,
        closed without a word.
        """

    @abstractmethod
    def request_line(self) -> bytes:
        """Of a head that was refused or is not complete, the first line as far as it came, for
        the logs: at most ``REQUEST_LINE_SHOWN`` bytes."""


def make_parser(
    kind: Literal["auto", "httptools", "h11"], *, max_header_size: int
) -> RequestParser:
    """A parser of that kind; "auto" is httptools where it can be imported, else h11.

    Raises ImportError if "httptools" is asked for by name and is not there.
    """
    # Imported here since httptools is native code that a platform may lack.
    if kind != "h11":
        try:
            from candy_trio.http.parser_httptools import HttptoolsParser
        except ImportError:
            if kind == "httptools":
                raise
        else:
            return HttptoolsParser(max_header_size=max_header_size)
    from candy_trio.http.parser_h11 import H11Parser

    return H11Parser(max_header_size=max_header_size)
