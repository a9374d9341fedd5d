"""A real server process, ``python -m candy_trio``: started, listened to, told to stop."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import trio

ROOT: Final = Path(__file__).parents[2]
COMMAND: Final = (sys.executable, "-m", "candy_trio")
ENVIRONMENT: Final = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""}
"""The checkout's own server, installed or not; and its output as a user gets it."""

PATIENCE: Final = 30.0
"""Seconds until what is waited for has failed to come; a start takes an idle machine 0.4."""


class Running:
    """One process; made by :func:`running`."""

    def __init__(self, process: trio.Process) -> None:
        self.process = process
        self.errors = ""
        """What it has written to standard error so far."""
        self._news = trio.Event()
        self._ended = False
        self._streams: list[trio.SocketStream] = []

    async def said(self, pattern: str) -> re.Match[str]:
        """The first place on standard error that matches, waited for."""
        with trio.move_on_after(PATIENCE):
            while not (found := re.search(pattern, self.errors)) and not self._ended:
                await self._news.wait()
            if found:
                return found
        raise AssertionError(f"{pattern!r} is not in {self.errors!r}")

    async def connect(self) -> trio.SocketStream:
        """A connection to the first address it names; closed at the end of the block, too."""
        port = int((await self.said(r"listening on http://127\.0\.0\.1:(\d+)\n"))[1])
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        self._streams.append(stream)
        return stream

    async def end(self) -> int:
        """Wait until it ends by itself; its exit status."""
        with trio.fail_after(PATIENCE):
            return await self.process.wait()

    def close_connections(self) -> None:
        """Close what :meth:`connect` gave."""
        for stream in self._streams:
            stream.socket.close()

    async def listen(self) -> None:
        """Collect what it writes to standard error; runs until it closes that."""
        assert self.process.stderr is not None
        async for data in self.process.stderr:
            self.errors += data.decode()
            news, self._news = self._news, trio.Event()
            news.set()
        self._ended = True
        self._news.set()


@asynccontextmanager
async def running(config: Path, *arguments: str) -> AsyncIterator[Running]:
    """The server on ``config``, killed at the end of the block if it still runs."""
    process = await trio.lowlevel.open_process(
        [*COMMAND, *arguments, str(config)],
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    server = Running(process)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.listen)
            yield server
            nursery.cancel_scope.cancel()
    finally:
        server.close_connections()
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()
            assert process.stderr is not None
            await process.stderr.aclose()


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A command line that ends by itself, run in ``folder``."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def write_config(
    folder: Path, script: str = 'cd.print("hello")', *, top: str = "", host: str = ""
) -> Path:
    """A configuration of one inline script on a free port, its logs in ``folder``/logs."""
    path = folder / "config.toml"
    path.write_text(
        f'{top}\n[[host]]\nip = "127.0.0.1"\nport = 0\n{host}\n'
        f"[[host.route]]\nlocation = \"/\"\ncontent_by_lua = '''{script}'''\n"
    )
    return path


def get(path: str = "/") -> bytes:
    """The bytes of a request on a connection that stays."""
    return f"GET {path} HTTP/1.1\r\nHost: a.example\r\n\r\n".encode()


async def read_until(stream: trio.abc.ReceiveStream, end: bytes) -> bytes:
    """What comes until ``end`` has come."""
    data = b""
    with trio.fail_after(PATIENCE):
        while end not in data:
            more = await stream.receive_some(65536)
            assert more, data
            data += more
    return data


async def read_rest(stream: trio.abc.ReceiveStream) -> bytes:
    """What comes until the server closes."""
    data = b""
    with trio.fail_after(PATIENCE):
        while more := await stream.receive_some(65536):
            data += more
    return data
