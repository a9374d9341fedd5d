"""The phases of a request, in their order, then those that belong to none.

Flags, so that what is legal in several phases declares them in one value.  In this release
requests pass through CONTENT and LOG only; the others keep their places.
"""

from __future__ import annotations

from enum import Flag, auto


class Phase(Flag):
    """One phase, or a set of them."""

    SET = auto()
    REWRITE = auto()
    ACCESS = auto()
    CONTENT = auto()
    HEADER_FILTER = auto()
    BODY_FILTER = auto()
    LOG = auto()
    BALANCER = auto()
    TIMER = auto()
    INIT = auto()
    INIT_WORKER = auto()
    EXIT_WORKER = auto()
    SSL_CLIENT_HELLO = auto()
    SSL_CERTIFICATE = auto()
    SSL_SESSION_FETCH = auto()
    SSL_SESSION_STORE = auto()
