"""The pages that the server itself gives: errors and redirects, byte for byte nginx's."""

from __future__ import annotations

from typing import Final

from candy_trio.http.writer import REASONS, server_product

PAGE_STATUSES: Final = frozenset(REASONS) - {100, 101, 200, 201, 202, 204, 206, 304}
"""nginx has a page for these (417 and 431 are ours), for any other status a body without bytes."""

_TITLES: Final = {302: "Found", 401: "Authorization Required"}
"""Where nginx's page says something else than its status line."""

_BAD_REQUESTS: Final = {
    494: "Request Header Or Cookie Too Large",
    495: "The SSL certificate error",
    496: "No required SSL certificate was sent",
    497: "The plain HTTP request was sent to HTTPS port",
}
"""nginx's own statuses that the client is told of as 400, and why."""

HTML: Final = b"Content-Type: text/html\r\n"


def error_page(status: int, server_tokens: bool) -> bytes:
    """The body for ``status``, b"" if there is no page for it.

    ``server_tokens`` false leaves the server's version out, as in its header.
    """
    reason = _BAD_REQUESTS.get(status)
    if reason is not None:
        title, heading = f"400 {reason}", "400 Bad Request"
        reason = f"<center>{reason}</center>\r\n"
    elif status in PAGE_STATUSES:
        title = heading = f"{status} {_TITLES.get(status) or REASONS[status]}"
    else:
        return b""
    return (
        "<html>\r\n"
        f"<head><title>{title}</title></head>\r\n"
        "<body>\r\n"
        f"<center><h1>{heading}</h1></center>\r\n"
        f"{reason or ''}"
        f"<hr><center>{server_product(server_tokens)}</center>\r\n"
        "</body>\r\n"
        "</html>\r\n"
    ).encode()


def shown_status(status: int) -> int:
    """What the client is told."""
    return 400 if status in _BAD_REQUESTS else status
