"""Hello through a Lua script, against uvicorn with uvloop and httptools saying it in Python.

    pip install '.[bench]'; python -m benchmarks.hello [--rounds N] [--seconds S]

Needs wrk. Both servers run one process; rounds alternate between them, because a shared machine's
speed drifts, and only the ratio of the medians means something. Two settings are measured: each
server as it comes (both write an access log), and both without an access log.
"""

from __future__ import annotations

import argparse
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.servers import candy, free_port, server

CONNECTIONS = 32
WARM_UP_SECONDS = 1

SCRIPT = 'cd.say("hello")'

CONFIG = """
lua_engine = "{engine}"
http_parser = "httptools"
{access_log}
[[host]]
ip = "127.0.0.1"
port = {port}
[[host.route]]
location = "/"
lua_script = "hello.lua"
"""

ASGI = """
HEADERS = [(b"content-type", b"text/plain"), (b"content-length", b"6")]

async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b"hello\\n"})
"""


def measure(port: int, seconds: float) -> float:
    """Requests a second, every one of them answered with 200."""
    done = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:g}s", f"http://127.0.0.1:{port}/"],
        capture_output=True,
        text=True,
        check=True,
    )
    if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise SystemExit(done.stdout)
    found = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    assert found is not None, done.stdout
    return float(found[1])


def compare(folder: Path, access_log: bool, rounds: int, seconds: float) -> None:
    ports = {name: free_port() for name in ("luajit", "puc", "uvicorn")}
    commands = {}
    for engine in ("luajit", "puc"):
        config = folder / f"{engine}-{access_log}.toml"
        line = "" if access_log else "access_log = false"
        config.write_text(CONFIG.format(engine=engine, access_log=line, port=ports[engine]))
        commands[engine] = candy(config)
    commands["uvicorn"] = [
        *(sys.executable, "-m", "uvicorn", "hello:app", "--loop", "uvloop", "--http", "httptools"),
        *("--port", str(ports["uvicorn"]), "--access-log" if access_log else "--no-access-log"),
    ]
    results: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            with server(command, ports[name], folder):
                measure(ports[name], WARM_UP_SECONDS)
                results[name].append(measure(ports[name], seconds))
    medians = {name: statistics.median(values) for name, values in results.items()}
    print("with access logs" if access_log else "without access logs")
    for name, median in medians.items():
        spread = f"{min(results[name]):,.0f} to {max(results[name]):,.0f}"
        ratio = median / medians["uvicorn"]
        print(f"  {name:8} {median:9,.0f} requests/s ({spread}), {ratio:.2f} of uvicorn")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed: it makes the load")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "hello.lua").write_text(SCRIPT)
        (folder / "hello.py").write_text(ASGI)
        for access_log in (True, False):
            compare(folder, access_log, arguments.rounds, arguments.seconds)


if __name__ == "__main__":
    main()
