"""Programs with one right result each, and VMs that run them as a server runs scripts.

A program is a file of ``tests/slices/programs``: the body of a function that returns one string,
which depends on all that it did, and on nothing else. Its head, the comment that it begins with,
says what it is about. It may hold:

- ``engines: NAMES``, where a program needs what other engines lack;
- ``differs between engines: WHY``, where each engine has a result of its own;
- ``differs from plain Lua: WHY``, where scripts get something else than Lua's own libraries give;
- ``scripts alone: WHY``, where it can't run without the server's libraries.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from msgspec import Struct

from candy_trio.config.load import load_config
from candy_trio.config.schema import LuaContent
from candy_trio.lua.vm import ScriptVM
from candy_trio.observe.logs import open_logs
from candy_trio.pipeline.app import App
from engines import registry
from engines.base import Answer, LuaEngine, LuaVM, Returned
from support.runs import make_run

FOLDER = Path(__file__).parents[1] / "slices" / "programs"

ENGINES = ("luajit", "lua53", "lua54", "lua55")
"""Those with time slices."""

LIMITED_ENGINES = ("lua51", "lua52")
"""Those without: they run the programs that need no newer Lua, uninterrupted."""

_FIELD = re.compile(
    r"^-- (engines|differs between engines|differs from plain Lua|scripts alone): (.+)$", re.M
)

_CONFIG = """
log_level = "error"
log_folder = "-"
access_log = false
lua_engine = "{engine}"
[[host]]
[[host.route]]
location = "/"
content_by_lua = ""
"""


class Program(Struct, frozen=True):
    """One file; see the module."""

    name: str
    source: str
    engines: frozenset[str]
    same_everywhere: bool
    same_as_plain: bool
    runs_plain: bool


def load_programs() -> list[Program]:
    """All of them, by name."""
    programs = []
    for path in sorted(FOLDER.glob("*.lua")):
        source = path.read_text()
        head = "".join(re.findall(r"^--.*\n", source.partition("\n\n")[0] + "\n", re.M))
        fields = dict(_FIELD.findall(head))
        names = fields.get("engines", " ".join((*ENGINES, *LIMITED_ENGINES))).split()
        programs.append(
            Program(
                path.stem,
                source,
                frozenset(names),
                "differs between engines" not in fields,
                "differs from plain Lua" not in fields,
                "scripts alone" not in fields,
            )
        )
    return programs


class _SettledEngine(LuaEngine):
    """An engine whose VMs are made in one way, whatever ScriptVM asks for."""

    def __init__(self, engine: LuaEngine, vm: LuaVM) -> None:
        self.name = engine.name  # type: ignore[misc]
        self._engine = engine
        self._vm = vm

    def version(self) -> str:
        return self._engine.version()

    def new_vm(self, *, memory_limit: int | None = None, time_slice: float | None = None) -> LuaVM:
        return self._vm


class ProgramVM:
    """A VM with the sandbox and the whole API; programs run in it as routes' scripts do.

    What a server's limits and turns would do is left out: each step is whoever's it is told.
    """

    def __init__(self, engine: str, vm: LuaVM | None = None) -> None:
        loaded = registry.load(engine)
        self.engine = engine
        self.vm = loaded.new_vm() if vm is None else vm
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "config.toml"
            path.write_text(_CONFIG.format(engine=engine))
            config = load_config(path, engines=registry.names())
        route = config.hosts[0].routes[0]
        assert isinstance(route.content, LuaContent)
        self._route = route.serial
        self._logs = open_logs(config)
        app = App(config, self._logs, {})
        self._scripts = ScriptVM(_SettledEngine(loaded, self.vm), app)
        self._scripts.add_route(route, route.content.lua)
        self._scripts.current.run = make_run(app)
        self._isolate = self._scripts.new_isolate(sandboxed=True)
        self._compiled: dict[str, int] = {}

    def compile(self, program: Program) -> None:
        """Compile it, again where it has been compiled already: it then begins with no traces."""
        source = f"ngx.print((function(...) {program.source}\nend)())"
        number, problem = self._scripts.compile(source.encode(), f"={program.name}.lua")
        assert number is not None, problem
        old = self._compiled.get(program.name)
        if old is not None:
            self._scripts.drop_script(old)
        self._compiled[program.name] = number

    def start(self, program: Program) -> tuple[int, Answer]:
        """A new run's number and its first step, to be followed by others of ``vm``."""
        if program.name not in self._compiled:
            self.compile(program)
        script = self._compiled[program.name]
        number = self._scripts.next_number()
        serve = self._scripts._servers[script]
        return number, self.vm.start(number, serve, self._route, self._isolate, 0, False)

    def result(self, program: Program) -> str:
        """What it answers with when nothing interrupts it."""
        _, answer = self.start(program)
        return result_of(answer)

    def close(self) -> None:
        """Free the Lua state."""
        self._scripts.close()
        self._logs.close()


def result_of(answer: Answer) -> str:
    """The text that the program printed, or what it ended with in its place."""
    if isinstance(answer, Returned) and len(answer.values) == 4:
        text = answer.values[3]
        assert isinstance(text, bytes)
        return text.decode("latin-1")
    return repr(answer)
