"""The documents agree with the code: the Lua API's reference and the tables of engines."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import tomli
from serving_process import ROOT
from support.site import ENGINES, one_route, open_site

REFERENCE = (ROOT / "docs" / "lua-api.md").read_text()
DIFFERENCES = (ROOT / "docs" / "lua-differences.md").read_text()

# Every name that a script can reach, with the table it is in: "req.get_method".
LIST_NAMES = """
local function list(prefix, t)
  for name, value in pairs(t) do
    if type(name) == "string" then
      cd.say(prefix, name)
      if type(value) == "table" and prefix == "" and name ~= "shared" and name ~= "header" then
        list(name .. ".", value)
      end
    end
  end
end
list("", cd) list("", ngx) list("", candy)
for name in pairs(cd.shared.candy) do cd.say("d:", name) end
"""

LEVELS = {"STDERR", "EMERG", "ALERT", "CRIT", "ERR", "WARN", "NOTICE", "INFO", "DEBUG"}


async def test_every_function_and_constant_is_in_the_reference(tmp_path: Path) -> None:
    """Of cd, ngx, candy and the shared dictionaries; by whole names."""
    words = set(re.findall(r"\w+", REFERENCE)) | {f"LOG_{level}" for level in LEVELS}
    async with open_site(tmp_path, one_route("luajit"), {"t.lua": LIST_NAMES}) as site:
        names = (await site.request()).text.split()
    assert len(names) > 250
    assert {name for name in names if re.split("[.:]", name)[-1] not in words} == set()


async def test_every_call_of_the_reference_is_there(tmp_path: Path) -> None:
    """What a table of the reference shows as a call is a function, in every row."""
    calls = {
        call
        for row in re.findall(r"^\| (`.*?) \|", REFERENCE, re.MULTILINE)
        for call in re.findall(r"`((?:req\.|resp\.|cd\.|candy\.|d:)[\w.]+)\(", row)
    }
    assert len(calls) > 70
    lines = ["local d = candy.shared"]
    for call in sorted(calls):
        prefix, _, name = call.replace(":", ".").rpartition(".")
        table = {"req": "cd.req", "resp": "cd.resp"}.get(prefix, prefix)
        lines.append(f'if type({table}.{name}) ~= "function" then cd.say("{call}") end')
    async with open_site(tmp_path, one_route("luajit"), {"t.lua": "\n".join(lines)}) as site:
        assert (await site.request()).text == ""


def test_the_tables_of_differences_say_what_the_engines_do() -> None:
    """Each fact that tests/lua/test_lua_differences.py asks the engines is a row, and no more."""
    facts = tomli.loads((ROOT / "tests" / "lua" / "differences.toml").read_text())["fact"]
    assert re.findall(r"^\| .* \|$", DIFFERENCES, re.MULTILINE) == [
        "| what | what engines do by themselves |",
        *(row_of(fact) for fact in facts if fact["kind"] == "same"),
        "| | " + " | ".join(f"`{engine}`" for engine in ENGINES) + " |",
        *(row_of(fact) for fact in facts if fact["kind"] == "different"),
    ]


def row_of(fact: dict[str, Any]) -> str:
    """A fact as a row: yes and no for true and false, any other value as it is."""
    if fact["kind"] == "same":
        return f"| {fact['says']} | {fact.get('otherwise', '')} |"
    values = {name: value for names, value in fact["expect"].items() for name in names.split()}
    shown = {"true": "yes", "false": "no"}
    cells = [shown.get(values[engine], f"`{values[engine]}`") for engine in ENGINES]
    return f"| {fact['says']} | {' | '.join(cells)} |"


async def test_the_first_route_of_getting_started_works(tmp_path: Path) -> None:
    """Its configuration and script, and the routes that it adds."""
    text = (ROOT / "docs" / "getting-started.md").read_text()
    first, more = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)[:2]
    [script] = re.findall(r"```lua\n(.*?)```", text, re.DOTALL)
    config = first.replace('log_folder = "-"', "") + more
    assert tomli.loads(config)["host"][0]["route"]
    async with open_site(tmp_path, config, {"scripts/hello.lua": script}) as site:
        assert (await site.request("/hello?name=Lua")).text == "hello, Lua\n"
        assert (await site.request("/user/ada")).text == "user ada\n"
        assert (await site.request("/old")).header("Location") == "/hello"
