"""The clients of benchmarks/footprint.py, a process of their own: thousands of plain sockets.

Told what to do by lines of JSON on standard input, each answered by one line on standard output.
Sockets are non-blocking and wait in one epoll; no thread, no buffer for each of them.
"""

from __future__ import annotations

import json
import resource
import select
import socket
import sys
from collections.abc import Iterator

ASK = b"GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
ANSWER_STATUS = b"HTTP/1.1 200 "
ANSWER_END = b"\r\n\r\nhello\n"

UNDER_WAY = 128
"""Connections that wait for an answer at once: fewer than the server's backlog."""
CONNECTIONS_OF_AN_ADDRESS = 20_000
"""More clients come from the next address: an address has fewer ports than that are asked for."""
SILENCE_SECONDS = 30
PIECE = 256 * 1024
IP_BIND_ADDRESS_NO_PORT = 24
"""Linux's: connect() chooses the port, so that one in use towards another server does no harm."""


def raise_limit() -> int:
    """As many descriptors as this process, and those that it starts, may have; how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Clients:
    """Those that are connected."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._opened = 0
        self._open: list[socket.socket] = []

    def open(self, count: int) -> int:
        """Connect ``count`` more, each of which asks once; how many were answered."""
        new = [self._connect() for _ in range(min(count, UNDER_WAY))]
        answered = 0
        while new:
            answered += ask(new)
            self._open += new
            count -= len(new)
            new = [self._connect() for _ in range(min(count, UNDER_WAY))]
        return answered

    def ask(self) -> int:
        """Let all of them ask once more; how many were answered."""
        return sum(
            ask(self._open[start : start + UNDER_WAY])
            for start in range(0, len(self._open), UNDER_WAY)
        )

    def close(self) -> int:
        for sock in self._open:
            sock.close()
        closed = len(self._open)
        self._open.clear()
        return closed

    def cycle(self, count: int) -> int:
        """Open and close ``count``; every other one asks before it is closed."""
        done = 0
        while done < count:
            size = min(UNDER_WAY, count - done)
            batch = [self._connect() for _ in range(size)]
            asking = batch[::2]
            answered = ask(asking)
            if answered != len(asking):
                return done
            for sock in batch:
                sock.close()
            done += size
        return done

    def _connect(self) -> socket.socket:
        sock = socket.socket()
        address = 2 + self._opened // CONNECTIONS_OF_AN_ADDRESS % 200
        self._opened += 1
        sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        sock.bind((f"127.0.0.{address}", 0))
        sock.connect(("127.0.0.1", self._port))
        sock.setblocking(False)
        return sock


def ask(socks: list[socket.socket]) -> int:
    """A request from each, all at once; how many were answered as they should be."""
    by_number = {sock.fileno(): sock for sock in socks}
    answers = dict.fromkeys(by_number, b"")
    answered = 0
    with select.epoll() as epoll:
        for number, sock in by_number.items():
            sock.send(ASK)
            epoll.register(number, select.EPOLLIN)
        waiting = len(socks)
        while waiting:
            events = epoll.poll(SILENCE_SECONDS)
            if not events:
                break
            for number, _ in events:
                data = receive(by_number[number])
                answers[number] += data
                if data and not answers[number].endswith(ANSWER_END):
                    continue
                answered += bool(data) and answers[number].startswith(ANSWER_STATUS)
                epoll.unregister(number)
                waiting -= 1
    return answered


def receive(sock: socket.socket) -> bytes:
    try:
        return sock.recv(4096)
    except OSError:
        return b""


def download(port: int, path: str) -> int:
    """How many bytes of a body come until the server closes."""
    view = memoryview(bytearray(PIECE))
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    head = b""
    with socket.create_connection(("127.0.0.1", port), SILENCE_SECONDS) as sock:
        sock.sendall(request.encode())
        while b"\r\n\r\n" not in head and (data := sock.recv(4096)):
            head += data
        total = len(head.partition(b"\r\n\r\n")[2])
        while size := sock.recv_into(view):
            total += size
    return total


def upload(port: int, path: str, size: int) -> str:
    """The first line of the answer to a body of ``size`` bytes."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {size}\r\n\r\n"
    piece = memoryview(bytes(PIECE))
    with socket.create_connection(("127.0.0.1", port), SILENCE_SECONDS) as sock:
        sock.sendall(head.encode())
        while size:
            size -= sock.send(piece[: min(size, PIECE)])
        return sock.recv(4096).decode().partition("\r\n")[0]


def orders() -> Iterator[list[str]]:
    for line in sys.stdin:
        yield json.loads(line)


def main() -> None:
    port = int(sys.argv[1])
    raise_limit()
    clients = Clients(port)
    for name, *values in orders():
        answer: object
        match name:
            case "open":
                answer = clients.open(int(values[0]))
            case "ask":
                answer = clients.ask()
            case "close":
                answer = clients.close()
            case "cycle":
                answer = clients.cycle(int(values[0]))
            case "download":
                answer = download(port, values[0])
            case "upload":
                answer = upload(port, values[0], int(values[1]))
            case _:
                raise SystemExit(f"no such order: {name}")
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
