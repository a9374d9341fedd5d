"""Hosts by address and name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from candy_trio.config.schema import Host
from candy_trio.routing.table import RoutingTable

MakeHost = Callable[..., Host]


@pytest.mark.parametrize(
    ("host_header", "index"),
    [
        (b"example.com", 1),
        (b"EXAMPLE.com", 1),
        (b"example.com.", 1),
        (b"example.com:8080", 1),
        (b"Example.Com.:80", 1),
        (b"www.example.com", 2),
        (b"a.b.example.com", 2),
        (b"A.B.Example.com.:1", 2),
        (b"x.b.example.com", 2),
        (b"x.shop.example.com", 3),
        (b"shop.example.com", 4),
        (b".example.com", 0),
        (b"notexample.com", 0),
        (b"com", 0),
        (b"", 0),
        (b":80", 0),
        (b"[::1]", 5),
        (b"[::1]:8080", 5),
        (b"[::2]:8080", 0),
        (b"[", 0),
        (b"10.0.0.1:80", 5),
        (b"\xff", 0),
    ],
)
def test_the_name_chooses_the_host(make_host: MakeHost, host_header: bytes, index: int) -> None:
    """Exact, then the longest wildcard, then the first; case, port and final dot do not count."""
    hosts = [
        make_host(names=("default",)),
        make_host(names=("example.com",)),
        make_host(names=("*.example.com",)),
        make_host(names=("*.shop.example.com",)),
        make_host(names=("shop.example.com",)),
        make_host(names=("[::1]", "10.0.0.1")),
    ]
    assert RoutingTable(hosts).host_for("0.0.0.0", 80, host_header).host is hosts[index]


def test_a_lone_wildcard_does_not_match_its_own_domain(make_host: MakeHost) -> None:
    """``*.example.com`` stands for one label at least, as in nginx."""
    hosts = [make_host(names=("a",)), make_host(names=("*.example.com",))]
    assert RoutingTable(hosts).host_for("0.0.0.0", 80, b"example.com").host is hosts[0]


def test_a_specific_address_has_hosts_of_its_own(make_host: MakeHost) -> None:
    """A wildcard's names are not looked at on a specific address, nor the other way round."""
    hosts = [
        make_host(names=("any",)),
        make_host(ip="127.0.0.1", names=("local",)),
        make_host(ip="127.0.0.1", names=("other",)),
        make_host(ip="::", names=("six",)),
        make_host(ip="::1", names=("six-local",)),
        make_host(port=81, names=("port",)),
    ]
    table = RoutingTable(hosts)

    def chosen(ip: str, port: int, header: bytes) -> int:
        return hosts.index(table.host_for(ip, port, header).host)

    assert chosen("127.0.0.1", 80, b"any") == 1
    assert chosen("127.0.0.1", 80, b"other") == 2
    assert chosen("10.0.0.1", 80, b"local") == 0
    assert chosen("0.0.0.0", 80, b"x") == 0
    assert chosen("fe80::1", 80, b"any") == 3
    assert chosen("::1", 80, b"six") == 4
    assert chosen("127.0.0.1", 81, b"local") == 5


def test_an_ipv4_client_of_a_dual_stack_socket_finds_its_host(make_host: MakeHost) -> None:
    """Mapped addresses count as IPv4, and as ``::`` where no IPv4 host listens."""
    four, six = make_host(ip="127.0.0.1", port=1), make_host(ip="::", port=2)
    table = RoutingTable([four, six])
    assert table.host_for("::ffff:127.0.0.1", 1, b"").host is four
    assert table.host_for("::ffff:127.0.0.1", 2, b"").host is six


def test_port_zero_is_found_by_the_port_it_got(make_host: MakeHost) -> None:
    """The configuration can't know the number that the system picks."""
    fixed, free = make_host(port=80), make_host(port=0, ip="127.0.0.1")
    table = RoutingTable([fixed, free])
    assert table.host_for("127.0.0.1", 43210, b"").host is free
    assert table.host_for("127.0.0.1", 0, b"").host is free
    assert table.host_for("127.0.0.1", 80, b"").host is fixed


def test_an_address_that_nobody_named_gets_the_first_host(make_host: MakeHost) -> None:
    """There is always an answer."""
    host = make_host(ip="10.0.0.1")
    assert RoutingTable([host]).host_for("192.0.2.1", 9, b"").host is host


def test_each_address_is_listened_on_once(make_host: MakeHost) -> None:
    """Shared addresses count once; a wildcard covers its family and port, but never port 0."""
    table = RoutingTable(
        [
            make_host(ip="127.0.0.1", port=80),
            make_host(ip="0.0.0.0", port=80),
            make_host(ip="0.0.0.0", port=80, names=("a",)),
            make_host(ip="::1", port=80),
            make_host(ip="127.0.0.1", port=81),
            make_host(ip="0.0.0.0", port=0),
            make_host(ip="127.0.0.1", port=0),
        ]
    )
    assert table.addresses() == [
        ("0.0.0.0", 80),
        ("::1", 80),
        ("127.0.0.1", 81),
        ("0.0.0.0", 0),
        ("127.0.0.1", 0),
    ]
