"""Servers under measurement: each a process of its own, on a free port, with files in a folder."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
START_SECONDS = 20.0
STOP_SECONDS = 20.0

NGINX_MODULE_FOLDERS = (
    *(Path("/usr/lib/nginx/modules"), Path("/usr/lib64/nginx/modules")),
    Path("/usr/local/nginx/modules"),
)
NGINX_MODULES = ("ndk_http_module.so", "ngx_http_lua_module.so")

_NGINX_CONFIG = """
{loads}
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log warn;
events {{ worker_connections 8192; }}
http {{
access_log {access_log};
keepalive_requests 1000000000;
client_body_buffer_size 64k;
client_body_in_single_buffer on;
lua_package_path "{lua_modules}/?.lua;;";
{dicts}
{temporary}
server {{
listen 127.0.0.1:{port};
default_type text/plain;
{locations}
}}
}}
"""


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextmanager
def server(
    command: list[str], port: int, folder: Path, variables: Mapping[str, str] | None = None
) -> Iterator[int]:
    """The process for as long as the block takes, which gets its number.

    ``variables`` are added to its environment.

    ``candy_trio`` is the one beside this module.
    """
    output = folder / f"out-{port}"
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **(variables or {})}
    with output.open("wb") as out:
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=out, env=environment)
    try:
        _await_port(port, process, output)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_port(port: int, process: subprocess.Popen[bytes], output: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"{process.args!r} did not start:\n{output.read_text()}")
        time.sleep(0.05)


def candy(config: Path) -> list[str]:
    """The command that serves ``config``."""
    return [sys.executable, "-m", "candy_trio", str(config)]


def nginx_missing() -> str | None:
    """Why there is no nginx with its Lua module here, or None."""
    if shutil.which("nginx") is None:
        return "nginx is not installed"
    if _nginx_modules() is None:
        return f"nginx's Lua module is not installed: no {' and '.join(NGINX_MODULES)}"
    return None


def nginx(
    folder: Path,
    port: int,
    scripts: Mapping[str, Path],
    *,
    lua_modules: Path | None = None,
    dicts: Mapping[str, str] | None = None,
    access_log: bool = False,
) -> list[str]:
    """The command of an nginx with one worker that serves each script at its location.

    ``lua_modules`` is where scripts find theirs; ``dicts`` are the sizes of shared dictionaries.
    """
    modules = _nginx_modules()
    assert modules is not None
    config = folder / "nginx.conf"
    config.write_text(
        _NGINX_CONFIG.format(
            folder=folder,
            port=port,
            access_log=f"{folder}/nginx-access.log" if access_log else "off",
            lua_modules=lua_modules or folder,
            dicts="\n".join(
                f"lua_shared_dict {name} {size};" for name, size in (dicts or {}).items()
            ),
            loads="\n".join(f"load_module {modules / name};" for name in NGINX_MODULES),
            temporary="\n".join(
                f"{kind}_temp_path {folder}/{kind};"
                for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
            ),
            locations="\n".join(
                f"location = {location} {{ content_by_lua_file {script}; }}"
                for location, script in scripts.items()
            ),
        )
    )
    return ["nginx", "-p", str(folder), "-c", str(config), "-e", f"{folder}/nginx-error.log"]


def _nginx_modules() -> Path | None:
    for folder in NGINX_MODULE_FOLDERS:
        if all((folder / name).is_file() for name in NGINX_MODULES):
            return folder
    return None
