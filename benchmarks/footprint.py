"""What the server holds: memory for each connection and worker, growth, and time to start.

    python -m benchmarks.footprint [--connections N] [--cycles N] [--megabytes N] [--starts N]
        [--engines luajit,lua54] [--store FILE] [--page FILE]

Each value is printed beside its bound, where there is one; status 1 if one is missed. Needs Linux
(/proc) and descriptors for all connections, in the server and in its clients, which are a process
of their own (benchmarks/footprint_clients.py).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.footprint_clients import raise_limit
from benchmarks.footprint_report import FootprintReport, Value, page_table, print_report
from benchmarks.machine import describe_machine
from benchmarks.page import replace_part, store
from benchmarks.processes import peak_bytes, reset_peak, resident_bytes
from benchmarks.servers import ROOT, candy, free_port, server
from benchmarks.start_up import bare_import_memory, bare_import_seconds, first_answer_seconds

KB, MB = 1024, 1024 * 1024

CONNECTION_BOUND = 20 * KB
GROWTH_BOUND = 1 * MB
"""After all cycles of opening and closing: an object of Python's has 50 bytes at least, so that one
left by each of 100,000 connections would take 5 MB."""
STREAM_BOUND = 10 * MB
START_SECONDS, START_RATIO = 0.5, 2.5

WARM_UP_CONNECTIONS = 2000
OTHER_DESCRIPTORS = 100

CONFIG = """
lua_engine = "{engine}"
http_parser = "httptools"
access_log = false
[[host]]
ip = "127.0.0.1"
port = {port}
timeout = "10m"
max_body_size = "4g"
[[host.route]]
location = "= /hello"
content_by_lua = 'cd.say("hello")'
[[host.route]]
location = "= /download"
lua_time_limit = "10m"
lua_cpu_limit = "10m"
content_by_lua = '''
local part = string.rep("x", 65536)
local parts = {megabytes} * 16
cd.header["Content-Length"] = parts * #part
for _ = 1, parts do
  cd.print(part)
  cd.flush(true)
end
'''
[[host.route]]
location = "= /upload"
lua_time_limit = "10m"
content_by_lua = '''
cd.req.discard_body()
cd.say("discarded")
'''
"""


class Clients:
    """Drives the process of footprint_clients.py."""

    def __init__(self, port: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.footprint_clients", str(port)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def tell(self, *order: object) -> Any:
        """What the order answers."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"the clients ended at {order}")
        return json.loads(line)

    def close(self) -> None:
        self._process.communicate()


@contextmanager
def serving(engine: str, megabytes: int = 1) -> Iterator[tuple[int, Clients]]:
    """A server's process number, and clients for it."""
    with tempfile.TemporaryDirectory() as path:
        folder, port = Path(path), free_port()
        config = folder / "config.toml"
        config.write_text(CONFIG.format(engine=engine, port=port, megabytes=megabytes))
        with server(candy(config), port, folder) as number:
            clients = Clients(port)
            try:
                yield number, clients
            finally:
                clients.close()


def idle_worker(engine: str) -> Iterator[Value]:
    with serving(engine) as (number, clients):
        expect(clients.tell("open", 1), 1)
        size = resident_bytes(number)
        yield Value(f"an idle worker, {engine}", size / MB, "MB")


def idle_connections(count: int) -> Iterator[Value]:
    with serving("luajit") as (number, clients):
        expect(clients.tell("open", 1), 1)
        expect(clients.tell("close"), 1)
        before = resident_bytes(number)
        expect(clients.tell("open", count), count)
        each = (resident_bytes(number) - before) / count
        yield Value(
            f"an idle connection, of {count:,}", each / KB, "KB", bound=CONNECTION_BOUND / KB
        )
        yield Value(
            "of these not answered afterwards", count - clients.tell("ask"), "connections", bound=0
        )
        clients.tell("close")


def opening_and_closing(count: int) -> Iterator[Value]:
    with serving("luajit") as (number, clients):
        expect(clients.tell("cycle", WARM_UP_CONNECTIONS), WARM_UP_CONNECTIONS)
        before = resident_bytes(number)
        expect(clients.tell("cycle", count), count)
        grown = resident_bytes(number) - before
        yield Value(
            f"growth after {count:,} connections", grown / MB, "MB", bound=GROWTH_BOUND / MB
        )


def streams(megabytes: int) -> Iterator[Value]:
    size = megabytes * MB
    with serving("luajit", megabytes) as (number, clients):
        expect(clients.tell("open", 1), 1)
        for name, order, expected in (
            ("a response", ("download", "/download"), size),
            ("an upload", ("upload", "/upload", size), "HTTP/1.1 200 OK"),
        ):
            before = resident_bytes(number)
            reset_peak(number)
            expect(clients.tell(*order), expected)
            grown = peak_bytes(number) - before
            yield Value(
                f"peak of {name} of {megabytes:,} MB", grown / MB, "MB", bound=STREAM_BOUND / MB
            )


def start_up(starts: int) -> Iterator[Value]:
    bare = statistics.median(bare_import_seconds() for _ in range(starts))
    yield Value("the bare import of its libraries", bare, "s")
    yield Value("memory of that", bare_import_memory() / MB, "MB")
    first = statistics.median(first_answer_seconds() for _ in range(starts))
    yield Value(
        "start of config.toml to the first answer",
        first,
        "s",
        bound=max(START_SECONDS, START_RATIO * bare),
    )


def expect(answer: object, expected: object) -> None:
    if answer != expected:
        raise SystemExit(f"expected {expected}, got {answer}")


def arguments_of() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--cycles", type=int, default=100_000)
    parser.add_argument("--megabytes", type=int, default=1024)
    parser.add_argument("--starts", type=int, default=9)
    parser.add_argument("--engines", default="luajit,lua54", help="whose idle workers")
    parser.add_argument("--store", type=Path, help="a file for all that was measured, as JSON")
    parser.add_argument("--page", type=Path, help="a page whose table is written anew")
    return parser.parse_args()


def main() -> None:
    arguments = arguments_of()
    if raise_limit() < arguments.connections + OTHER_DESCRIPTORS:
        raise SystemExit(f"too few descriptors for {arguments.connections} connections: ulimit -n")
    report = FootprintReport(machine=describe_machine())
    for values in (
        start_up(arguments.starts),
        *(idle_worker(engine) for engine in arguments.engines.split(",")),
        idle_connections(arguments.connections),
        opening_and_closing(arguments.cycles),
        streams(arguments.megabytes),
    ):
        for value in values:
            report.values.append(value)
            print_report(value)
    if arguments.store is not None:
        store(arguments.store, report)
    if arguments.page is not None:
        replace_part(arguments.page, "footprint", page_table(report))
    if any(not value.holds for value in report.values):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
