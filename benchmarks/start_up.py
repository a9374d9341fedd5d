"""How long the server takes until its first answer, beside the bare import of its libraries."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.processes import KILOBYTE, processor_seconds
from benchmarks.servers import ROOT, candy, free_port

LIBRARIES = "import h11, httptools, lupa.lua54, lupa.luajit21, msgspec, pcre2, tomli, trio"
"""What pyproject.toml names, with the two of lupa's modules that config.toml needs."""

PATIENCE_SECONDS = 60
PAUSE_SECONDS = 0.001
EXAMPLE = ("config.toml", "scripts", "lualib")
EXAMPLE_PORT = "port = 8080"
ASK = b"GET /hello HTTP/1.0\r\n\r\n"


def bare_import_seconds() -> float:
    begun = time.perf_counter()
    bare_import()
    return time.perf_counter() - begun


def bare_import_computing() -> float:
    """Seconds of processor time."""
    usage = bare_import()
    return usage.ru_utime + usage.ru_stime


def bare_import_memory() -> int:
    """The most bytes that a process takes which does nothing but import."""
    return bare_import().ru_maxrss * KILOBYTE


def bare_import() -> resource.struct_rusage:
    child = os.posix_spawn(sys.executable, [sys.executable, "-c", LIBRARIES], os.environ)
    _, status, usage = os.wait4(child, 0)
    assert status == 0
    return usage


def first_answer_seconds() -> float:
    """From the start of a new process that serves the repository's own example."""
    begun = time.perf_counter()
    with first_answer():
        return time.perf_counter() - begun


def first_answer_computing() -> float:
    """Seconds of processor time."""
    with first_answer() as number:
        return sum(processor_seconds(number))


@contextmanager
def first_answer() -> Iterator[int]:
    """A server process that has just answered for the first time."""
    with tempfile.TemporaryDirectory() as path:
        folder, port = Path(path), free_port()
        copy_example(folder, port)
        with (folder / "out").open("wb") as out:
            process = subprocess.Popen(
                candy(folder / "config.toml"), cwd=ROOT, stdout=out, stderr=out
            )
        try:
            await_answer(port, process)
            yield process.pid
        finally:
            process.terminate()
            process.wait()


def copy_example(folder: Path, port: int) -> None:
    """The example of config.toml, on ``port``."""
    for name in EXAMPLE:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name)
    text = (ROOT / "config.toml").read_text()
    assert EXAMPLE_PORT in text
    (folder / "config.toml").write_text(text.replace(EXAMPLE_PORT, f"port = {port}"))


def await_answer(port: int, process: subprocess.Popen[bytes]) -> None:
    """Ask again and again until the server answers with 200."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                sock.settimeout(PATIENCE_SECONDS)
                sock.sendall(ASK)
                answer = sock.recv(4096)
                assert answer.startswith(b"HTTP/1.1 200 "), answer
                return
        time.sleep(PAUSE_SECONDS)
    raise SystemExit("the server did not answer")
