"""What the stress test runs: ``cases.toml``, the programs of tests/slices, and raw functions."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct
from support.programs import Program, load_programs

Kind = Literal["right", "fails", "endless", "resists", "hungry"]

EVERY_ENGINE = ("luajit", "lua51", "lua52", "lua53", "lua54", "lua55")


class Case(Struct, frozen=True):
    """One script; the head of ``cases.toml`` says what its fields mean."""

    name: str
    kind: Kind
    source: str
    engines: frozenset[str] = frozenset(EVERY_ENGINE)
    error: str = ""
    raw: bool = False
    """Not a sandboxed script but a chunk that gives a function: see :data:`RAW`."""

    @property
    def program(self) -> Program:
        return Program(self.name, self.source, self.engines, True, True, True)


RAW = (
    Case(
        "callbacks that compute",
        "right",
        """
        local K, C = ...
        local add, slow = C.add, C.slow
        return function()
          local s = 0
          for i = 1, 300 do
            s = add(s, i)
            for k = 1, 50 do s = s + k % 2 end
            if i % 100 == 0 then s = s + slow(2) end
          end
          return tostring(s)
        end""",
        raw=True,
    ),
    Case(
        "callbacks that raise",
        "right",
        """
        local K, C = ...
        local add, raises, pcall = C.add, C.raises, K.pcall
        return function()
          local s = 0
          for i = 1, 60 do
            local nothing, message = raises(i)
            local ok, nothing2, message2 = pcall(add, i, nil)
            local ok2, e = pcall(add, {}, print)
            s = s + #message + #message2 + (ok and 1 or 2) + #tostring(e)
          end
          return tostring(s)
        end""",
        raw=True,
    ),
    Case(
        "callbacks that answer with text",
        "right",
        """
        local K, C = ...
        local text, wrap = C.text, K.coroutine.wrap
        return function()
          local n = 0
          for i = 1, 40 do
            n = n + #text(i * 300) + wrap(function() return #text(i) end)()
            K.wait('op', i)
          end
          return tostring(n)
        end""",
        raw=True,
    ),
    Case(
        "texts of callbacks that are kept",
        "hungry",
        """
        local K, C = ...
        return function()
          local t = {}
          while true do
            K.pcall(function()
              while true do
                local answer, message = C.text(20000)
                if not answer then K.raise(message) end
                t[#t + 1] = answer .. #t
              end
            end)
          end
        end""",
        raw=True,
    ),
    Case(
        "operations for ever",
        "endless",
        """
        local K = ...
        return function()
          local wrap, pcall = K.coroutine.wrap, K.pcall
          while true do
            pcall(function() wrap(function() K.wait('op', 1) for i = 1, 1000 do end end)() end)
          end
        end""",
        raw=True,
    ),
)


TOO_LARGE = {("lua51", "stack_overflow")}
"""Programs whose stack becomes larger than the VM may be."""


def load_cases(engine: str) -> list[Case]:
    """All that ``engine`` can run."""
    data = tomllib.loads((Path(__file__).parent / "cases.toml").read_text())
    cases = [*msgspec.convert(data["case"], list[Case]), *RAW]
    cases += [
        Case(f"{program.name}.lua", "right", program.source, program.engines)
        for program in load_programs()
        if (engine, program.name) not in TOO_LARGE
    ]
    assert len({case.name for case in cases}) == len(cases), "two cases of one name"
    return [case for case in cases if engine in case.engines]
