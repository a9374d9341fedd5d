"""The scenarios of the load harness: what benchmarks/scenarios/scenarios.toml says, checked."""

from __future__ import annotations

import http.client
import json
import re
import socket
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec
import tomli

FOLDER = Path(__file__).parent / "scenarios"

NGINX_BOUND = {"luajit/nginx": 0.15}
"""Every scenario's, unless it has a higher one."""

TIMEOUT_SECONDS = 10


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One request, and what every contestant has to answer with status 200."""

    path: str
    answer: str
    answer_times: int = 1
    compare: Literal["text", "json", "pattern"] = "text"
    method: str = "GET"
    headers: tuple[str, ...] = ()
    body: str = ""
    body_times: int = 1
    times: int = 1

    @property
    def script(self) -> str:
        """The name of the script that answers it."""
        return urlsplit(self.path).path.removeprefix("/")

    @property
    def args(self) -> str:
        """Its query string."""
        return urlsplit(self.path).query

    def fields(self) -> list[tuple[bytes, bytes]]:
        """Its header fields, as a parser gives them."""
        parts = (line.partition(": ") for line in self.headers)
        return [(name.encode(), value.encode()) for name, _, value in parts]

    def raw(self) -> bytes:
        """As it goes over the wire."""
        body = self.body.encode() * self.body_times
        lines = [f"{self.method} {self.path} HTTP/1.1", "Host: 127.0.0.1", *self.headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode() + body

    def check(self, port: int) -> str | None:
        """What is wrong with the answer that the server on ``port`` gives, or None."""
        try:
            with socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS) as sock:
                sock.sendall(self.raw())
                response = http.client.HTTPResponse(sock, method=self.method)
                response.begin()
                answer = response.read().decode()
        except (OSError, http.client.HTTPException) as error:
            return f"{self.method} {self.path}: {error!r}"
        if response.status == 200 and self.matches(answer):
            return None
        return f"{self.method} {self.path}: {response.status} {answer[:200]!r}"

    def matches(self, answer: str) -> bool:
        """Whether that is what it has to be."""
        match self.compare:
            case "text":
                return answer == self.answer * self.answer_times
            case "json":
                return bool(json.loads(answer) == json.loads(self.answer))
            case "pattern":
                return re.fullmatch(self.answer, answer) is not None


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """See scenarios.toml."""

    title: str
    request: tuple[Request, ...]
    engines: tuple[str, ...] = ("luajit",)
    peers: bool = True
    """Whether it makes sense without Lua."""
    access_log: bool = False
    connections: int = 32
    dicts: dict[str, str] = {}
    bounds: dict[str, float] = {}

    def all_bounds(self) -> dict[str, float]:
        return NGINX_BOUND | self.bounds

    def scripts(self) -> dict[str, Path]:
        """By location."""
        return {f"/{request.script}": FOLDER / f"{request.script}.lua" for request in self.request}

    def check(self, port: int) -> str | None:
        """What is wrong with the server's answers, or None."""
        return next(filter(None, (request.check(port) for request in self.request)), None)


def load_scenarios() -> dict[str, Scenario]:
    table = tomli.loads((FOLDER / "scenarios.toml").read_text())
    return msgspec.convert(table, dict[str, Scenario])
