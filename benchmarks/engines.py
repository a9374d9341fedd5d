"""Lua calls under measurement: a script's loop on a VM with the whole API, without a server.

Two things are compared in one run, in turn, because a shared machine's speed drifts: what is told
is the ratio of their medians.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from types import SimpleNamespace, TracebackType
from typing import Any, Self

from candy_trio.config.load import load_config
from candy_trio.config.schema import LuaContent
from candy_trio.lua.current import LuaRun
from candy_trio.lua.vm import ScriptVM
from candy_trio.observe.logs import open_logs
from candy_trio.process.worker import make_shared_dicts
from engines import registry
from engines.base import Returned

ENGINES = ("luajit", "lua51", "lua54", "lua55")
CALLS = 1000
"""Of one run: the start of a run must not count."""
ROUNDS = 21

RATIOS: list[str] = []
"""What conftest.py prints at the end."""

_CONFIG = """
log_level = "error"
log_folder = "-"
access_log = false
lua_engine = "{engine}"
lua_shared_dict = [{{name = "d", size = "10m"}}]
[[host]]
[[host.route]]
location = "/"
content_by_lua = ""
"""

_REQUEST = SimpleNamespace(
    head=SimpleNamespace(minor=1, has_body=False), method=b"GET", lua=None, log=print
)


class LuaBenchmark:
    """``statement`` in a loop of :data:`CALLS` turns, after ``preparation``, on one engine."""

    def __init__(self, engine: str, preparation: str, statement: str) -> None:
        self._folder = tempfile.TemporaryDirectory()
        path = Path(self._folder.name) / "config.toml"
        path.write_text(_CONFIG.format(engine=engine))
        config = load_config(path, engines=registry.names())
        route = config.hosts[0].routes[0]
        assert isinstance(route.content, LuaContent)
        self._settings = route.content.lua
        self._route = route.serial
        self._logs = open_logs(config)
        services = SimpleNamespace(
            config=config,
            error_log=self._logs.error,
            shared=make_shared_dicts(config),
            stopping=False,
        )
        self._vm = ScriptVM(registry.load(engine), services)
        self._vm.add_route(route, self._settings)
        self._isolate = self._vm.new_isolate(sandboxed=True)
        source = f"{preparation}\nfor turn = 1, {CALLS} do {statement} end"
        number, problem = self._vm.compile(source.encode(), "=benchmark")
        assert number is not None, problem
        self._script = number

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._vm.close()
        self._logs.close()
        self._folder.cleanup()

    def call(self) -> None:
        """The statement, :data:`CALLS` times."""
        exchange: Any = _REQUEST
        run = LuaRun(exchange, self._vm.next_number(), self._settings, 0.0)
        answer = self._vm.start(run, self._route, self._isolate, self._script)
        assert isinstance(answer, Returned), answer


def report(
    benchmark: Any,
    name: str,
    call: Callable[[], object],
    base_name: str,
    base: Callable[[], object],
    *,
    base_calls: int = 1,
) -> float:
    """Measure one Lua call (``call`` makes :data:`CALLS`) and ``base`` in turn; keep the ratio.

    ``base`` is the comparison, repeated :data:`CALLS` times unless it does that itself
    (``base_calls``).
    """

    def all_of_base() -> None:
        for _ in range(CALLS // base_calls):
            base()

    times: list[float] = []
    base_times: list[float] = []
    for _ in range(ROUNDS):
        for function, into in ((call, times), (all_of_base, base_times)):
            start = perf_counter()
            function()
            into.append(perf_counter() - start)
    mine = statistics.median(times) / CALLS
    ratio = mine / (statistics.median(base_times) / CALLS)
    RATIOS.append(f"{name}: {mine * 1e6:.2f} µs, {ratio:.2f} times {base_name}")
    benchmark.extra_info["ratio"] = ratio
    benchmark.pedantic(call, rounds=ROUNDS, warmup_rounds=1)
    return ratio
