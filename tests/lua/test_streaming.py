"""flush really sends, and a client that reads slowly makes flush(true) wait."""

from __future__ import annotations

import resource
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import trio
from support.site import ENGINES, GET, one_route, open_site


@pytest.mark.parametrize("wait", ["", "true"])
@pytest.mark.parametrize("engine", ENGINES)
async def test_flush_reaches_the_client_before_the_script_goes_on(
    engine: str, wait: str, tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """Parts arrive when they are flushed, a second apart, not at the end."""
    files = {"t.lua": f"for i = 1, 3 do cd.say(i) cd.flush({wait}) cd.sleep(1) end cd.say('end')"}
    arrivals: dict[bytes, float] = {}
    async with open_site(tmp_path, one_route(engine), files) as site:
        stream = site.connect()
        await stream.send_all(GET)
        start = trio.current_time()
        received = b""
        while b"0\r\n\r\n" not in received:
            received += await stream.receive_some(65536)
            for part in (b"1\n", b"2\n", b"3\n", b"end\n"):
                if b"\r\n" + part in received.partition(b"\r\n\r\n")[2]:
                    arrivals.setdefault(part, trio.current_time() - start)
    times = list(arrivals.values())
    assert times == pytest.approx([0, 1, 2, 3], abs=0.2)


PARTS = 1600
"""Of 64 KB: 100 MB."""

STREAM = f"""
local part = string.rep("x", 65536)
for i = 1, {PARTS} do
  cd.print(part)
  cd.flush(true)
end
"""

SERVER = """
import sys, trio
from pathlib import Path
from candy_trio.config.load import load_config
from candy_trio.handlers.lua_script import LuaRoutes
from candy_trio.process.worker import serve
from engines import registry
async def main():
    async with trio.open_nursery() as nursery:
        config = load_config(Path(sys.argv[1]), engines=registry.names())
        listeners = await nursery.start(serve, config, LuaRoutes)
        print(listeners[0].port, flush=True)
trio.run(main)
"""


def resident(pid: int) -> int:
    """Bytes of a process that are in memory."""
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * resource.getpagesize()


@pytest.mark.parametrize("engine", ["luajit", "lua54"])
def test_100_mb_stream_in_little_memory(engine: str, tmp_path: Path) -> None:
    """A reader that pauses holds the script; the server grows by less than 10 MB."""
    (tmp_path / "t.lua").write_text(STREAM)
    config = one_route(engine).replace("port = 8080", 'ip = "127.0.0.1"\nport = 0')
    (tmp_path / "config.toml").write_text(config)
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(tmp_path / "config.toml")],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    try:
        port = int(process.stdout.readline())
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
            client.sendall(b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert client.recv(65536).startswith(b"HTTP/1.1 200")
            before = peak = resident(process.pid)
            client.sendall(GET)
            received = pauses = 0
            while received < PARTS * 65536:
                if received >= pauses * (20 << 20):
                    pauses += 1
                    time.sleep(0.1)  # real time, in which the kernel's buffers fill up
                data = client.recv(262144)
                assert data
                received += len(data)
                peak = max(peak, resident(process.pid))
        assert peak - before < 10 << 20, f"{(peak - before) >> 20} MB"
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
