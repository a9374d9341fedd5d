"""Which host serves a request, among those that listen on the same address.

nginx's order: the exact name, the longest ``*.`` wildcard, the first host of the file. Names
compare without case, port and trailing dot (RFC 3986 §3.2.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from candy_trio.routing.locations import HostRoutes


class VirtualHosts:
    """The hosts of one address, in the order of the file; there is at least one."""

    def __init__(self, hosts: Sequence[HostRoutes]) -> None:
        self.default = hosts[0]
        self._exact: dict[bytes, HostRoutes] = {}
        self._wildcards: dict[bytes, HostRoutes] = {}  # ".example.com" stands for "*.example.com"
        for routes in hosts:
            for name in routes.host.server_names:
                if name.startswith("*."):
                    self._wildcards[name[1:].encode()] = routes
                else:
                    self._exact[name.encode()] = routes

    def choose(self, host_header: bytes) -> HostRoutes:
        """Choose by the Host field as sent; the default host where no name matches."""
        if not self._exact and not self._wildcards:
            return self.default
        # On the default port browsers send the bare name: no need to take it apart.
        found = self._exact.get(host_header)
        if found is not None:
            return found
        name = _bare_name(host_header)
        found = self._exact.get(name)
        if found is not None:
            return found
        if self._wildcards:
            dot = name.find(b".", 1)  # a wildcard stands for at least one label
            while dot != -1:
                found = self._wildcards.get(name[dot:])
                if found is not None:
                    return found
                dot = name.find(b".", dot + 1)
        return self.default


def _bare_name(host_header: bytes) -> bytes:
    name = host_header.lower()
    if name.startswith(b"["):
        return name.partition(b"]")[0] + b"]"  # an IPv6 literal has colons of its own
    return name.partition(b":")[0].removesuffix(b".")
