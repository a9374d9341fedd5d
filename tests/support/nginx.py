"""A real nginx with its Lua module as a peer: what it answers is right for ``ngx.*``.

A differential test of a topic is one Lua file and one test function::

    -- tests/nginx/scripts/escape.lua: an answer for each input of a batch
    -- lua_shared_dict: small 12k          (one line for each dictionary that the script uses)
    local batch = require "batch"
    batch.answer(function(input)
      return ngx.escape_uri(input)         -- any values: they are written with their types
    end)

    # tests/nginx/test_NAME.py
    @RANDOM                                # 100 batches of 20: 2,000 inputs, no deadline
    @given(batches(st.binary(max_size=20)))
    def test_escape(peers: Peers, batch: list[bytes]) -> None:
        peers.compare("escape", batch)

The script is written against ``ngx.*`` only and runs on nginx and, in memory, on our server
(LuaJIT and 5.4); ``compare`` fails unless all bodies are the same bytes, and says which input
differs first and how. An input is bytes; one made of several parts is ``pack([...])`` in Python
and ``batch.fields(input)`` in Lua. ``batch.show`` (``scripts/lualib/batch.lua``) is how answers
are written: tables with sorted keys, numbers with all their digits. What an input raises is its
answer, without the position.

A script that has to have other settings than the default says so in lines at its head:
``-- lua_shared_dict: NAME SIZE`` (both sides; a name belongs to one script).

Such tests are plain functions: the loop that both peers are asked from is in a thread of its own,
so that an example of Hypothesis costs a request and not a start. State that stays on one side
stays on the other, too: a script that needs a fresh dictionary empties it (``flush_all`` and
``flush_expired``).

Where nginx or its module is not installed, tests that ask for a peer are skipped and say so.
"""

from __future__ import annotations

import queue
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import trio
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from support.site import Reply, Site, open_site, read_reply, request_bytes

T = TypeVar("T")

MODULE_FOLDERS = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/local/nginx/modules")
MODULES = ("ndk_http_module.so", "ngx_http_lua_module.so")
SCRIPTS = Path(__file__).parent.parent / "nginx" / "scripts"
LUAJIT_AND_54 = ("luajit", "lua54")
BATCH_SIZE, BATCHES = 20, 100
START_LIMIT, STOP_LIMIT = 10.0, 10.0  # seconds

RANDOM = settings(
    max_examples=BATCHES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""2,000 inputs a topic, together with :func:`batches`."""


def batches(item: SearchStrategy[T]) -> SearchStrategy[list[T]]:
    """Lists of exactly ``BATCH_SIZE`` inputs."""
    return st.lists(item, min_size=BATCH_SIZE, max_size=BATCH_SIZE)


def pack(parts: Sequence[bytes]) -> bytes:
    """Several byte strings in one, as ``batch.fields`` reads them: netstrings."""
    return b"".join(b"%d:%b," % (len(part), part) for part in parts)


def unpack(data: bytes) -> list[bytes]:
    """The other way round."""
    parts, at = [], 0
    while at < len(data):
        colon = data.index(b":", at)
        end = colon + 1 + int(data[at:colon])
        parts.append(data[colon + 1 : end])
        at = end + 1
    return parts


# ------------------------------------------------------------------------------------- nginx
def missing() -> str | None:
    """Why there is no peer here, or None."""
    if shutil.which("nginx") is None:
        return "nginx is not installed"
    if module_folder() is None:
        return f"nginx's Lua module is not installed: no {' and '.join(MODULES)}"
    return None


def module_folder() -> Path | None:
    for folder in map(Path, MODULE_FOLDERS):
        if all((folder / name).is_file() for name in MODULES):
            return folder
    return None


class Nginx:
    """A running nginx; made by :func:`run_nginx`."""

    def __init__(self, prefix: Path, port: int) -> None:
        self.prefix = prefix
        self.port = port

    def at(self, offset: int) -> Nginx:
        """The same process by another of its ports."""
        return Nginx(self.prefix, self.port + offset)

    async def request(
        self,
        target: str = "/",
        *,
        method: str = "GET",
        headers: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> Reply:
        """One request on a connection of its own, in the very bytes that ``Site.request`` sends."""
        return await self.raw(request_bytes(target, method, headers, body), method)

    async def raw(self, data: bytes, method: str = "GET") -> Reply:
        """The bytes of one request, and its reply."""
        async with await trio.open_tcp_stream("127.0.0.1", self.port) as stream:
            await stream.send_all(data)
            return await read_reply(stream, method)

    def log(self) -> str:
        """The error log so far."""
        return (self.prefix / "error.log").read_text("utf-8", "replace")

    def log_size(self) -> int:
        return (self.prefix / "error.log").stat().st_size

    async def log_since(self, size: int) -> bytes:
        """What was logged after the log had ``size``, by requests that were answered."""
        # What a request logs after its answer it logs before another one is read: one process.
        async with await trio.open_tcp_stream("127.0.0.1", self.port) as stream:
            await stream.send_all(b"!\r\n\r\n")
            await stream.receive_some(65536)
        with (self.prefix / "error.log").open("rb") as file:
            file.seek(size)
            return file.read()


@contextmanager
def run_nginx(http: Callable[[Path, int], str], *, ports: int = 1) -> Iterator[Nginx]:
    """An nginx with the ``http`` block that ``http`` makes of its folder and first port.

    One process (no master), so that its end is the end of it all, and no user is switched to.
    """
    # Short, because Lua cuts the names of chunks at 60 bytes.
    with tempfile.TemporaryDirectory(prefix="ngx") as name:
        folder, port = Path(name), free_ports(ports)
        (folder / "html").mkdir()  # the document root
        modules = module_folder()
        assert modules is not None
        loads = "".join(f"load_module {modules / module};\n" for module in MODULES)
        temporary = "".join(
            f"{kind}_temp_path {folder}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "nginx.conf").write_text(
            f"{loads}daemon off;\nmaster_process off;\npid {folder}/nginx.pid;\n"
            f"error_log {folder}/error.log info;\nevents {{ worker_connections 2048; }}\n"
            f"http {{\naccess_log off;\n{temporary}{http(folder, port)}\n}}\n"
        )
        output = folder / "output.log"
        with output.open("wb") as sink:
            process = subprocess.Popen(
                ["nginx", "-p", name, "-c", f"{name}/nginx.conf", "-e", f"{name}/error.log"],
                stdout=sink,
                stderr=sink,
            )
        try:
            await_port(port, process, output)
            yield Nginx(folder, port)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_LIMIT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_ports(count: int) -> int:
    """The first of ``count`` ports in a row, below those that outgoing connections get."""
    for _ in range(100):
        first = random.randrange(10_000, 32_000 - count)
        if all(is_free(first + offset) for offset in range(count)):
            return first
    raise RuntimeError(f"no {count} free ports in a row")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def await_port(port: int, process: subprocess.Popen[bytes], output: Path) -> None:
    deadline = time.monotonic() + START_LIMIT
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"nginx did not start: {output.read_text('utf-8', 'replace')}")
        time.sleep(0.02)


# ------------------------------------------------------------------------------------- peers
CJSON = "lua/5.1/cjson.so"
DICT_LINE = re.compile(r"^-- lua_shared_dict: (\w+) (\w+)$", re.M)


def shared_dicts() -> dict[str, str]:
    """Names and sizes of the dictionaries that the scripts ask for."""
    found: dict[str, str] = {}
    for path in sorted(SCRIPTS.glob("*.lua")):
        for name, size in DICT_LINE.findall(path.read_text("utf-8")):
            assert name not in found, f"{path.name}: {name} belongs to another script"
            found[name] = size
    return found


def nginx_http(folder: Path, port: int) -> str:
    """The ``http`` block that serves the scripts."""
    dicts = "".join(f"lua_shared_dict {name} {size};\n" for name, size in shared_dicts().items())
    locations = "".join(
        f"location = /{path.stem} {{ content_by_lua_file {path}; }}\n"
        for path in sorted(SCRIPTS.glob("*.lua"))
    )
    cpath = ";".join(sorted({str(p.parent / "?.so") for p in Path("/usr/lib").rglob(CJSON)}))
    return (
        f'lua_package_path "{SCRIPTS}/lualib/?.lua;;";\nlua_package_cpath "{cpath};;";\n{dicts}'
        f"server {{\nlisten 127.0.0.1:{port};\ndefault_type text/plain;\n"
        f"client_body_buffer_size 8m;\nclient_max_body_size 8m;\n{locations}}}"
    )


def site_config(engine: str) -> str:
    """The same for our server."""
    dicts = ", ".join(f'{{name="{name}", size="{size}"}}' for name, size in shared_dicts().items())
    routes = "".join(
        f'[[host.route]]\nlocation = "= /{path.stem}"\nlua_script = "{path.name}"\n'
        for path in sorted(SCRIPTS.glob("*.lua"))
    )
    return (
        f'lua_engine = "{engine}"\nlua_shared_dict = [{dicts}]\nclient_body_buffer_size = "8m"\n'
        f'[[host]]\nport = 8080\nmax_body_size = "8m"\n{routes}'
    )


class Peers:
    """nginx and our server, on each of ``engines``, asked from one thread."""

    def __init__(self, nginx: Nginx, folder: Path, engines: Sequence[str] = LUAJIT_AND_54) -> None:
        self.nginx = nginx
        self.engines = engines
        self._folder = folder
        self._sites: dict[str, Site] = {}
        self._started: queue.SimpleQueue[BaseException | trio.lowlevel.TrioToken]
        self._started = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="peers")

    def __enter__(self) -> Peers:
        self._thread.start()
        started = self._started.get()
        if isinstance(started, BaseException):
            self._thread.join()
            raise started
        self._token = started
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        trio.from_thread.run_sync(self._stop.set, trio_token=self._token)
        self._thread.join()

    def ask(self, script: str, body: bytes) -> dict[str, Reply]:
        """What each peer answers to ``body``; the first is "nginx"."""
        return trio.from_thread.run(self._ask, script, body, trio_token=self._token)

    def compare(self, script: str, inputs: Sequence[bytes]) -> list[bytes]:
        """Nothing differs: the answers to ``inputs``. Otherwise an assertion with the first."""
        replies = self.ask(script, pack(inputs))
        nginx = replies.pop("nginx")
        assert nginx.status == 200, (nginx, self.nginx.log()[-2000:])
        right = unpack(nginx.body)
        assert len(right) == len(inputs), "the script did not answer each input"
        for engine, reply in replies.items():
            assert reply.status == 200, (engine, reply, self._sites[engine].log()[-2000:])
            if reply.body == nginx.body:
                continue
            ours = unpack(reply.body)
            for given, expected, got in zip(inputs, right, ours, strict=True):
                assert got == expected, (
                    f"{script} of {given!r}: nginx {expected!r}, {engine} {got!r}"
                )
            raise AssertionError(f"{engine}: {reply.body!r} is not {nginx.body!r}")
        return right

    async def _ask(self, script: str, body: bytes) -> dict[str, Reply]:
        target = f"/{script}"
        replies = {"nginx": await self.nginx.request(target, method="POST", body=body)}
        for engine, site in self._sites.items():
            replies[engine] = await site.request(target, method="POST", body=body)
        return replies

    def _run(self) -> None:
        try:
            trio.run(self._serve)
        except BaseException as error:
            self._started.put(error)

    async def _serve(self) -> None:
        files: Mapping[str, bytes] = {
            str(path.relative_to(SCRIPTS)): path.read_bytes() for path in SCRIPTS.rglob("*.lua")
        }
        self._stop = trio.Event()
        async with AsyncExitStack() as stack:
            for engine in self.engines:
                site = open_site(self._folder / engine, site_config(engine), files)
                self._sites[engine] = await stack.enter_async_context(site)
            self._started.put(trio.lowlevel.current_trio_token())
            await self._stop.wait()
