"""Lua calls under measurement: a script's loop on a VM with the whole API, without a server.

``report`` compares two things in one run, in turn, because a shared machine's speed drifts: what is
told is the ratio of their medians, of processor time. The suites that compare engines measure by
benchmarks/suites.py.
"""

from __future__ import annotations

import math
import statistics
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from time import process_time
from typing import Any, Self

from msgspec import structs
from support.runs import make_run

from benchmarks.load_scenarios import load_scenarios
from candy_trio.config.load import load_config
from candy_trio.config.schema import LuaContent
from candy_trio.lua.current import LuaRun
from candy_trio.lua.turns import Turns
from candy_trio.lua.vm import ScriptVM
from candy_trio.observe.logs import open_logs
from candy_trio.pipeline.app import App
from candy_trio.process.worker import make_shared_dicts
from engines import registry
from engines.base import Answer, LuaEngine, LuaVM, Preempted, Returned

ENGINES = ("luajit", "lua51", "lua54", "lua55")
CALLS = 1000
"""Of one run, unless a suite says otherwise: the start of a run must not count."""
ROUNDS = 11

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

_SENT = load_scenarios()["args_headers"].request[0]
"""Four arguments and ten header fields, for what callbacks ask of a request."""


class Unlimited(LuaEngine):
    """The engine without slices and without limits of a VM, whatever is asked of it."""

    def __init__(self, engine: LuaEngine) -> None:
        self._engine = engine
        self.name = engine.name  # type: ignore[misc]

    def version(self) -> str:
        return self._engine.version()

    def new_vm(self, *, memory_limit: int | None = None, time_slice: float | None = None) -> LuaVM:
        return self._engine.new_vm()


class Worker:
    """What VMs are made of, for one engine: a configuration of one route, ``modules`` by name."""

    def __init__(self, engine: str, modules: Mapping[str, str] | None = None) -> None:
        self.engine = registry.load(engine)
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        (folder / "lualib").mkdir()
        for name, text in (modules or {}).items():
            (folder / "lualib" / f"{name}.lua").write_text(text)
        path = folder / "config.toml"
        path.write_text(_CONFIG.format(engine=engine))
        config = load_config(path, engines=registry.names())
        self.route = config.hosts[0].routes[0]
        assert isinstance(self.route.content, LuaContent)
        self.settings = self.route.content.lua
        self._logs = open_logs(config)
        self.app = App(config, self._logs, make_shared_dicts(config))

    def new_vm(self, engine: LuaEngine | None = None) -> ScriptVM:
        vm = ScriptVM(engine or self.engine, self.app)
        vm.add_route(self.route, self.settings)
        return vm

    def close(self) -> None:
        self._logs.close()
        self._folder.cleanup()


class LuaBenchmark:
    """``statement`` in a loop of ``calls`` turns, after ``preparation``, on one engine.

    Scripts find a shared dictionary ``d``, and ``modules`` by name. ``conclusion`` comes after the
    loop; where an ``answer`` is given, the script has to say that and nothing else.
    """

    def __init__(
        self,
        engine: str,
        preparation: str,
        statement: str,
        conclusion: str = "",
        *,
        calls: int = CALLS,
        answer: bytes | None = None,
        limited: bool = True,
        modules: Mapping[str, str] | None = None,
    ) -> None:
        self.calls = calls
        self.interruptions = 0
        self._answer = answer
        self._worker = Worker(engine, modules)
        loaded = self._worker.engine
        self.vm = self._worker.new_vm(loaded if limited else Unlimited(loaded))
        settings = self._worker.settings
        endless = {"time_limit": math.inf, "cpu_limit": math.inf, "memory_limit": 1 << 50}
        self._settings = settings if limited else structs.replace(settings, **endless)
        self._turns = Turns(interleave=True)
        self._isolate = self.vm.new_isolate(sandboxed=True)
        loop = f"for turn = 1, {calls} do {statement} end" if statement else ""
        self._source = f"{preparation}\n{loop}\n{conclusion}".encode()
        self._script = self._compile()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.vm.close()
        self._worker.close()

    def call(self) -> None:
        """The statement, ``calls`` times."""
        answer = self.take(self.new_run())
        assert isinstance(answer, Returned), answer
        assert self._answer in (None, answer.values[-1]), answer.values

    def rest(self) -> None:
        """Leave no garbage."""
        self.vm.engine_vm.collect()

    def new_run(self) -> LuaRun:
        run = make_run(self._worker.app, self.vm.next_number())
        run.turns = self._turns
        run.settings = self._settings
        run.exchange.args = _SENT.args.encode()
        run.exchange.request_headers = _SENT.fields()
        return run

    def take(self, run: LuaRun) -> Answer:
        """Its steps until it waits or has ended."""
        answer = self.vm.start(run, self._worker.route.serial, self._isolate, self._script)
        if isinstance(answer, Preempted):
            run.memory, run.computed = 0, 0.0
            self.vm.account(run)
        while isinstance(answer, Preempted):
            self.interruptions += 1
            answer = self.vm.resume(run, 0.0)
        return answer

    def compile_anew(self) -> None:
        """As if its script had changed."""
        self.vm.drop_script(self._script)
        self._script = self._compile()

    def _compile(self) -> int:
        number, problem = self.vm.compile(self._source, "=benchmark")
        assert number is not None, problem
        return number


def report(
    benchmark: Any, name: str, lua: LuaBenchmark, base_name: str, base: Callable[[int], object]
) -> float:
    """Measure ``lua`` and ``base``, which makes as many calls as it is told, in turn.

    Gives, and keeps for the end, how many times the one takes of the other.
    """
    times: list[float] = []
    base_times: list[float] = []
    base(lua.calls)
    lua.call()
    for _ in range(ROUNDS):
        start = process_time()
        lua.call()
        between = process_time()
        base(lua.calls)
        times.append(between - start)
        base_times.append(process_time() - between)
    median = statistics.median(times)
    ratio = median / statistics.median(base_times)
    RATIOS.append(f"{name}: {median / lua.calls * 1e6:.2f} µs, {ratio:.2f} times {base_name}")
    benchmark.extra_info["ratio"] = ratio
    benchmark.pedantic(lua.call, rounds=ROUNDS)
    return ratio
