"""``server_name``: which names a configuration may give, and their one spelling."""

from __future__ import annotations

import ipaddress
import re

FORMS = 'expected a host name such as "example.com", "*.example.com" or "_"'

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?"
_NAME = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*", re.ASCII)
_MAX_LENGTH = 253  # RFC 1035 §2.3.4, as text without the trailing dot


def parse_server_name(text: str) -> str:
    """Return the name in lower case without a trailing dot; ValueError if it is none.

    An IPv6 literal stands in brackets, as in a Host field. International names are given in their
    ASCII form, which is what browsers send.
    """
    name = text.lower().removesuffix(".")
    if name.startswith("[") and name.endswith("]"):
        try:
            ipaddress.IPv6Address(name[1:-1])
        except ValueError:
            raise ValueError(FORMS) from None
        return name
    if len(name) > _MAX_LENGTH or not _NAME.fullmatch(name):
        raise ValueError(FORMS)
    return name
