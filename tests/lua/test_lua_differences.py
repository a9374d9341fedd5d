"""What docs/lua-differences.md says of each engine holds: ``differences.toml``, row by row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tomli
from support.site import ENGINES, one_route, open_site

FACTS: list[dict[str, Any]] = tomli.loads(
    Path(__file__).with_name("differences.toml").read_text("utf-8")
)["fact"]

# Loaded from a text, so that what an engine can't parse is a value like others.
SAY = """
local f, problem = load(%s, '=n')
local function say(ok, ...)
  local values = {...}
  for i = 1, select('#', ...) do
    local kind = type(values[i])
    values[i] = (kind == 'table' or kind == 'function') and kind or tostring(values[i])
  end
  cd.print(ok and '' or 'error: ', table.concat(values, ' '))
end
if f then say(pcall(f)) else say(false, problem) end
"""


def level_of_quoting(text: str) -> str:
    """``text`` as a long string of Lua's."""
    level = "="
    while f"]{level}]" in text:
        level += "="
    return f"[{level}[{text}]{level}]"


@pytest.mark.parametrize("fact", FACTS, ids=[fact["says"] for fact in FACTS])
async def test_fact(fact: dict[str, Any], tmp_path: Path) -> None:
    """Each engine is named once, and answers what the fact says of it."""
    expected = {name: text for names, text in fact["expect"].items() for name in names.split()}
    assert sorted(expected) == sorted(ENGINES)
    script = SAY % level_of_quoting(f"return {fact['value']}")
    said = {}
    for engine in ENGINES:
        folder = tmp_path / engine
        folder.mkdir()
        async with open_site(folder, one_route(engine), {"t.lua": script}) as site:
            said[engine] = (await site.request()).text
    assert said == expected


def test_what_is_called_the_same_is() -> None:
    """No row of the first table makes a difference between engines."""
    assert {len(fact["expect"]) for fact in FACTS if fact["kind"] == "same"} == {1}
    assert len({fact["says"] for fact in FACTS}) == len(FACTS) > 60
