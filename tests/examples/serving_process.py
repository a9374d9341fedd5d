"""A real server process, and HTTP requests to it over real sockets."""

from __future__ import annotations

import http.client
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from support import site

ROOT: Final = Path(__file__).parents[2]

LOG_TIMEOUT: Final = 30.0
"""Seconds until a line must be there; the first one of a server takes an idle machine 0.3."""

STOP_TIMEOUT: Final = 30.0
"""Seconds until a server that was told to stop must have ended."""

REQUEST_TIMEOUT: Final = 20.0
"""Seconds that one read may take: a hang is a failure, not a wait for the whole suite's limit."""

_LISTENING: Final = r"listening on http://127\.0\.0\.1:(\d+)"


class Reply(site.Reply, frozen=True):
    """What came back; the examples speak UTF-8."""

    @property
    def text(self) -> str:
        return self.body.decode()


class Server:
    """One process; made by :func:`serve`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: list[str] = []
        self._news = threading.Condition()
        self._ended = False
        self.port = 0
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def request(
        self,
        target: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Reply:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=REQUEST_TIMEOUT)
        try:
            connection.request(method, target, body, dict(headers or {}))
            response = connection.getresponse()
            return Reply(response.status, response.getheaders(), response.read())
        finally:
            connection.close()

    def connect(self) -> socket.socket:
        """A connection of bare bytes."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=REQUEST_TIMEOUT)

    def log(self) -> str:
        """What the server has written to its standard error so far."""
        return "".join(self._lines)

    def wait_for_log(self, pattern: str) -> re.Match[str]:
        """The first place in the log that matches, waited for: logs are written behind answers.

        Raises AssertionError, with the log, if it does not come.
        """
        with self._news:
            self._news.wait_for(lambda: self._ended or re.search(pattern, self.log()), LOG_TIMEOUT)
        found = re.search(pattern, self.log())
        assert found, f"{pattern!r} is not in {self.log()}"
        return found

    def wait_until_listening(self) -> None:
        """Raises AssertionError, with the log, if the server does not start."""
        self.port = int(self.wait_for_log(_LISTENING)[1])

    def stop(self) -> int:
        """SIGTERM; gives the exit status."""
        self._process.terminate()
        try:
            return self._process.wait(STOP_TIMEOUT)
        finally:
            self._process.kill()
            self._reader.join()
            assert self._process.stderr is not None
            self._process.stderr.close()

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            with self._news:
                self._lines.append(line)
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()


@contextmanager
def serve(config: Path) -> Iterator[Server]:
    """``python -m candy_trio CONFIG`` until the block ends; it must end with status 0."""
    command = [sys.executable, "-m", "candy_trio", str(config)]
    # The checkout's own server, installed or not.
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        server = Server(process)
        try:
            server.wait_until_listening()
            yield server
        finally:
            status = server.stop()
        assert status == 0, server.log()


def rewritten(text: str, *, engine: str | None = None) -> str:
    """A configuration as a test serves it: on a free port, logging to the terminal."""
    text, count = re.subn(r"(?m)^port = \d+$", "port = 0", text)
    assert count == 1
    if engine is not None:
        text, count = re.subn(r'(?m)^lua_engine = "\w+"', f'lua_engine = "{engine}"', text, count=1)
        assert count == 1
    return text
