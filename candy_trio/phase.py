"""The phases of a request, in their order.

Flags, so that what is legal in several phases declares them in one value.  In this release
requests pass through CONTENT and LOG only; the others keep their places.
"""

from __future__ import annotations

from enum import Flag, auto


class Phase(Flag):
    """One phase, or a set of them."""

    REWRITE = auto()
    ACCESS = auto()
    CONTENT = auto()
    HEADER_FILTER = auto()
    BODY_FILTER = auto()
    LOG = auto()
