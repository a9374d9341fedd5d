"""The whole configuration's routing: from a connection's local address and a Host field to a host.

Rules for addresses, nginx's:

- A wildcard address (``0.0.0.0``, ``::``) accepts for the specific ones of its family and port, so
  only the wildcard is listened on; the specific ones keep their hosts.
- A connection belongs to the hosts of its specific local address if there are any, else to those
  of the wildcard.
- Port 0 is known by its real number only once it is bound: a connection whose port nobody named
  belongs to the hosts of port 0. Addresses with port 0 never cover one another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from candy_trio.routing.locations import HostRoutes
from candy_trio.routing.vhosts import VirtualHosts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from candy_trio.config.schema import Host

_IPV4_MAPPED = "::ffff:"


class RoutingTable:
    """Immutable; a reload makes a new one."""

    def __init__(self, hosts: Sequence[Host]) -> None:
        by_address: dict[tuple[str, int], list[HostRoutes]] = {}
        for host in hosts:
            by_address.setdefault((host.ip, host.port), []).append(HostRoutes(host))
        self._virtual = {address: VirtualHosts(group) for address, group in by_address.items()}
        self._first = next(iter(self._virtual.values()))

    def addresses(self) -> list[tuple[str, int]]:
        """List what to listen on, in the order of the file."""
        return [
            (ip, port)
            for ip, port in self._virtual
            if port == 0 or ip == _wildcard(ip) or (_wildcard(ip), port) not in self._virtual
        ]

    def host_for(self, ip: str, port: int, host_header: bytes) -> HostRoutes:
        """Choose the host for a request that came in at the local address ``ip``, ``port``.

        ``host_header`` is the Host field as sent, port included, ``b""`` if there was none.
        """
        virtual = self._virtual.get((ip, port))
        if virtual is None:
            virtual = self._find(ip, port)
        return virtual.choose(host_header)

    def _find(self, ip: str, port: int) -> VirtualHosts:
        plain = ip.removeprefix(_IPV4_MAPPED) if "." in ip else ip
        for number in (port, 0):
            # A dual-stack "::" socket sees IPv4 clients at mapped addresses.
            for candidate in (plain, _wildcard(plain), "::"):
                virtual = self._virtual.get((candidate, number))
                if virtual is not None:
                    return virtual
        return self._first


def _wildcard(ip: str) -> str:
    return "::" if ":" in ip else "0.0.0.0"
