"""ASGI servers that the load harness compares with: one worker each, at their best settings.

The application is benchmarks/scenarios/application.py. All of them run uvloop, and what costs time
and can be left out is left out: HTTP/2, websockets, ASGI's lifespan, headers of proxies.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

APPLICATION = "benchmarks.scenarios.application:application"

Command = Callable[[int, bool], list[str]]
"""Of a server on a port, with or without an access log."""


def _uvicorn(port: int, access_log: bool) -> list[str]:
    return [
        *(sys.executable, "-m", "uvicorn", APPLICATION, "--port", str(port)),
        *("--loop", "uvloop", "--http", "httptools", "--ws", "none", "--lifespan", "off"),
        "--no-proxy-headers",
        "--access-log" if access_log else "--no-access-log",
    ]


def _granian(port: int, access_log: bool) -> list[str]:
    return [
        *(sys.executable, "-m", "granian", APPLICATION, "--port", str(port)),
        *("--interface", "asginl", "--loop", "uvloop", "--http", "1", "--no-ws"),
        "--access-log" if access_log else "--no-access-log",
    ]


def _hypercorn(port: int, access_log: bool) -> list[str]:
    return [
        *(sys.executable, "-m", "hypercorn", APPLICATION, "--bind", f"127.0.0.1:{port}"),
        *("--worker-class", "uvloop", "--workers", "1"),
        *(("--access-logfile", "-") if access_log else ()),
    ]


# The packages that a peer is made of, and its command.
_PEERS: dict[str, tuple[tuple[str, ...], Command]] = {
    "uvicorn": (("uvicorn", "uvloop", "httptools"), _uvicorn),
    "granian": (("granian", "uvloop"), _granian),
    "hypercorn": (("hypercorn", "uvloop"), _hypercorn),
}

PEERS = tuple(_PEERS)


def command(name: str, port: int, access_log: bool) -> list[str]:
    return _PEERS[name][1](port, access_log)


def missing(name: str) -> str | None:
    """Why there is no such peer here, or None."""
    lacking = [package for package in _PEERS[name][0] if _version(package) is None]
    return f"not installed: {', '.join(lacking)}" if lacking else None


def versions() -> dict[str, str]:
    """Of all packages that peers are made of and that are there."""
    names = dict.fromkeys(package for packages, _ in _PEERS.values() for package in packages)
    found = {name: _version(name) for name in names}
    return {name: version for name, version in found.items() if version is not None}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
