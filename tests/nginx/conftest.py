"""The nginx of a session, and the two peers of the differential tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.nginx import Nginx, Peers, missing, nginx_http, run_nginx


@pytest.fixture(scope="session")
def nginx() -> Iterator[Nginx]:
    """One that serves ``tests/nginx/scripts``; a skip that says why where there is none."""
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    with run_nginx(nginx_http) as running:
        yield running


@pytest.fixture(scope="session")
def peers(nginx: Nginx, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peers]:
    with Peers(nginx, tmp_path_factory.mktemp("peers")) as running:
        yield running
