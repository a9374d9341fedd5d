"""The command line: ``python -m candy_trio [--check] [config.toml]``.

Exit status: 0 for a clean end, 1 for a configuration that can't be used, 2 for a wrong command
line (argparse's).  What a person did wrong is answered with a line for each problem, never with a
traceback.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

import trio

from candy_trio.config.check import check
from candy_trio.config.keys import TopKeys
from candy_trio.config.load import load_config
from candy_trio.errors import ConfigError
from candy_trio.handlers.lua_script import LuaRoutes
from candy_trio.observe.logs import STDERR
from candy_trio.process.worker import serve
from candy_trio.version import VERSION
from engines import registry
from engines.errors import EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engines.base import LuaEngine

DEFAULT_CONFIG: Final = "config.toml"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the server, or check a configuration; returns the exit status."""
    arguments = _parser().parse_args(argv)
    if arguments.version:
        print(describe_version())
        return 0
    path = Path(arguments.config)
    if arguments.check:
        text, status = check(path, engines=registry.available())
        print(text, file=sys.stderr if status else sys.stdout)
        return status
    try:
        trio.run(serve, load_config(path, engines=registry.available()), LuaRoutes, _tell)
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # before or after the time in which SIGINT is an order
        return 130
    return 0


def describe_version() -> str:
    """What ``--version`` prints: this server, what it stands on, and its engines."""
    lines = [
        f"candy_trio {VERSION}",
        f"Python {platform.python_version()} ({platform.python_implementation()})",
        f"trio {trio.__version__}",
        f"lupa {version('lupa')}",
    ]
    lines += (
        f"{name}: {engine.version()}, {_mode(engine)}"
        for name, engine in registry.available().items()
    )
    return "\n".join(lines)


def _mode(engine: LuaEngine) -> str:
    """How limits are kept on this machine: only a VM knows."""
    defaults = TopKeys()
    try:
        vm = engine.new_vm(
            memory_limit=int(defaults.lua_vm_memory), time_slice=float(defaults.lua_time_slice)
        )
    except EngineUnavailable as error:
        return str(error)
    try:
        return vm.mode
    finally:
        vm.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="candy-trio", description="A web server whose routes are Lua scripts."
    )
    parser.add_argument(
        "config",
        nargs="?",
        default=DEFAULT_CONFIG,
        help=f"the configuration file (default: {DEFAULT_CONFIG})",
    )
    parser.add_argument(
        "--check", action="store_true", help="check the configuration and exit (status 0 or 1)"
    )
    parser.add_argument(
        "--version", action="store_true", help="print the versions and the Lua engines, and exit"
    )
    return parser


def _tell(line: str) -> None:
    # The descriptor itself: Python would keep a line that can't be written and fail at its exit.
    # That nobody reads it is no reason not to serve.
    if sys.stderr is not None:
        with suppress(OSError):
            os.write(STDERR, f"{line}\n".encode())
