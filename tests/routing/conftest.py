"""Hosts made from locations alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from candy_trio.config.location import parse_location
from candy_trio.config.schema import Host, Redirect, Route

MakeHost = Callable[..., Host]


@pytest.fixture
def make_host() -> MakeHost:
    """``make_host(*locations, ip=…, port=…, names=…)``; each route redirects to its location."""

    def make(
        *locations: str, ip: str = "0.0.0.0", port: int = 80, names: tuple[str, ...] = ()
    ) -> Host:
        routes = tuple(
            Route(
                location=parse_location(location),
                content=Redirect(location, 301),
                internal=False,
                variables=(),
                default_type="text/plain",
                max_body_size=1,
                client_body_buffer_size=1,
                server_tokens=True,
                serial=serial,
            )
            for serial, location in enumerate(locations)
        )
        return Host(ip, port, names, 75.0, 1, 1, True, routes)

    return make
