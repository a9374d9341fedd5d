"""Programs that compute, each a Lua module that returns a function of its size: programs.toml."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import tomli

FOLDER = Path(__file__).parent


class Program(msgspec.Struct, frozen=True):
    """One of them at one size."""

    name: str
    source: str
    size: int
    result: str

    @property
    def title(self) -> str:
        return self.name.replace("_", " ")


def language_programs() -> list[Program]:
    """At the size for all engines."""
    return list(_programs("language"))


def long_programs(engine: str) -> list[Program]:
    """Those that have a size which takes a tenth of a second on ``engine``, at that."""
    return list(_programs("luajit" if engine == "luajit" else "puc"))


def _programs(kind: str) -> Iterator[Program]:
    table = tomli.loads((FOLDER / "programs.toml").read_text())
    for name, entry in table.items():
        if kind in entry:
            yield Program(name, (FOLDER / f"{name}.lua").read_text(), **entry[kind])
