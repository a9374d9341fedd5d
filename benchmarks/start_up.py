"""How long the server takes until its first answer, beside the bare import of its libraries."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.memory import KILOBYTE
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
    subprocess.run([sys.executable, "-c", LIBRARIES], check=True)
    return time.perf_counter() - begun


def bare_import_memory() -> int:
    """The most bytes that a process takes which does nothing but import."""
    child = os.posix_spawn(sys.executable, [sys.executable, "-c", LIBRARIES], os.environ)
    _, status, usage = os.wait4(child, 0)
    assert status == 0
    return usage.ru_maxrss * KILOBYTE


def first_answer_seconds() -> float:
    """Of a new process that serves the repository's own example."""
    with tempfile.TemporaryDirectory() as path:
        folder, port = Path(path), free_port()
        copy_example(folder, port)
        with (folder / "out").open("wb") as out:
            begun = time.perf_counter()
            process = subprocess.Popen(
                candy(folder / "config.toml"),
                cwd=ROOT,
                stdout=out,
                stderr=out,
            )
        try:
            await_answer(port, process)
            return time.perf_counter() - begun
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
