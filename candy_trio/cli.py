"""The command line: ``python -m candy_trio [--check] [config.toml]``.

Exit status: 0 for a clean end, 1 for a configuration that can't be used, 2 for a wrong command
line (argparse's).  What a person did wrong is answered with a line for each problem, never with a
traceback.
"""

from __future__ import annotations

import argparse
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

import trio

from candy_trio.config.load import load_config
from candy_trio.errors import ConfigError
from candy_trio.handlers.lua_script import LuaRoutes
from candy_trio.process.worker import serve
from candy_trio.version import VERSION
from engines import registry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from candy_trio.config.schema import Config

DEFAULT_CONFIG: Final = "config.toml"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the server, or check a configuration; returns the exit status."""
    arguments = _parser().parse_args(argv)
    if arguments.version:
        print(describe_version())
        return 0
    try:
        config = load_config(Path(arguments.config), engines=registry.available())
        if arguments.check:
            _print_check(config)
        else:
            trio.run(serve, config, LuaRoutes)
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
    lines += (f"{name}: {engine.version()}" for name, engine in registry.available().items())
    return "\n".join(lines)


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


def _print_check(config: Config) -> None:
    for warning in config.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    print(f"{config.path}: the configuration is valid")
