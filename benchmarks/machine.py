"""Where and when something was measured, to be stored with the numbers."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from importlib.metadata import version
from pathlib import Path

import msgspec

from benchmarks import peers, wrk
from benchmarks.servers import ROOT, nginx_missing
from candy_trio.version import VERSION
from engines import registry


class Machine(msgspec.Struct, frozen=True):
    """One line for each."""

    date: str
    processor: str
    system: str
    versions: dict[str, str]


def describe_machine() -> Machine:
    libraries = ("trio", "lupa", "httptools")
    return Machine(
        date=time.strftime("%Y-%m-%d"),
        processor=f"{os.cpu_count()} cores, {_processor()}",
        system=f"{platform.system()} {platform.release()}",
        versions={
            "candy_trio": f"{VERSION}{_commit()}",
            "Python": platform.python_version(),
            **{name: version(name) for name in libraries},
            "LuaJIT": registry.load("luajit").version().removeprefix("LuaJIT "),
            "nginx": _nginx_version(),
            **peers.versions(),
            "wrk": wrk.version(),
        },
    )


def engine_versions() -> dict[str, str]:
    """What the engines' suites run on, one line for each."""
    return {
        "candy_trio": VERSION,
        **{name: version(name) for name in ("lupa", "trio")},
        **{name: engine.version() for name, engine in registry.available().items()},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _commit() -> str:
    """Of the checkout, with a mark if something in it is not committed."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--exclude=*"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return f" ({done.stdout.strip()})"


def _nginx_version() -> str:
    if nginx_missing() is not None:
        return "none"
    done = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True)
    return done.stderr.rpartition("/")[2].strip()
