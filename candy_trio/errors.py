"""The errors of the server, one small tree.

CandyError
├── ConfigError      the configuration is wrong; holds every problem found
├── ProtocolError    the client broke HTTP; carries the status to answer with
├── ClientGone       the client left before its answer was complete
└── RequestError     this request can't be answered; carries the status and a log message

Lua's own errors live in :mod:`engines.errors`: engines know nothing of the server.
"""

from __future__ import annotations

from collections.abc import Sequence


class CandyError(Exception):
    """Root of everything the server raises on purpose."""


class ConfigError(CandyError):
    """The configuration can't be used; ``problems`` lists every reason, one line each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class ProtocolError(CandyError):
    """The client's bytes are not acceptable HTTP.

    ``status`` is what to answer with (RFC 9110 §15) before the connection is closed;
    ``reason`` is for the log, never for the response.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status}: {reason}")
        self.status = status
        self.reason = reason


class ClientGone(CandyError):
    """The client closed its side while its request was being served (logged as 499)."""


class RequestError(CandyError):
    """This one request fails with ``status``; ``reason`` goes to the error log."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
